"""One bibliography, `papers.bib`, and which of its papers a text names: "Gidel et al. 2019a", "Fiez & Ratliff 2020"."""

from __future__ import annotations

import dataclasses
import functools
import pathlib
import re
import unicodedata

FILE = pathlib.Path(__file__).parent / "papers.bib"
ENTRY = re.compile(r"^@\w+\{(?P<key>\w+),\n(?P<fields>.*?)^\}\n", re.MULTILINE | re.DOTALL)
FIELD = re.compile(r"^ +(\w+) = \{(.*)\},$", re.MULTILINE)
NAME = r"[A-Z][\w'-]*(?: [A-Z][\w'-]+)?"
MENTION = re.compile(
    rf"(?P<names>{NAME}(?:(?:, | & | and ){NAME})*(?: et al\.)?),? (?P<year>[12]\d{{3}})(?P<letter>[ab]?)\b"
)
# What the library calls 2019a and 2019b.
LETTERS = {("gidel", "2019", "a"): "gidel_2019_vi", ("gidel", "2019", "b"): "gidel_2019_momentum"}


@dataclasses.dataclass(frozen=True)
class Reference:
    """A paper: its key, surnames of its authors, title, year, identifier (arXiv, DOI or address), and BibTeX entry."""

    key: str
    authors: tuple[str, ...]
    title: str
    year: str
    identifier: str
    bibtex: str

    @property
    def address(self) -> str:
        """Where it can be found."""
        if self.identifier.startswith("https:"):
            return self.identifier
        return f"https://{'doi.org' if '/' in self.identifier else 'arxiv.org/abs'}/{self.identifier}"


@functools.cache
def bibliography() -> dict[str, Reference]:
    """The papers of the bibliography, by key ("mescheder_2018").

    Example:
        >>> bibliography()["schaefer_2019"].identifier
        '1905.12103'
    """
    found = {}
    for match in ENTRY.finditer(FILE.read_text(encoding="utf-8")):
        fields = dict(FIELD.findall(match["fields"]))
        surnames = tuple(folded(name.split(",")[0]) for name in fields["author"].split(" and "))
        identifier = fields.get("eprint") or fields.get("doi") or fields["url"]
        title = fields["title"].strip("{}")
        found[match["key"]] = Reference(match["key"], surnames, title, fields["year"], identifier, match[0].strip())
    return found


def folded(name: str) -> str:
    """A surname without accents, TeX or Unicode, in small letters; ä, ö, ü are as good as ae, oe, ue."""
    name = name.replace('{\\"a}', "ae").replace("ä", "ae").replace("{\\o}", "o").replace("ø", "o").replace("{\\i}", "i")
    name = re.sub(r"\{\\.? ?(\w+)\}", r"\1", name)
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return plain.lower().strip()


def mentioned(text: str) -> list[Reference]:
    """The papers of the bibliography that a text names by authors and year, in order.

    Example:
        >>> [paper.key for paper in mentioned("as in Gidel et al. 2019a, section 4, and Wang et al. 2019")]
        ['gidel_2019_vi', 'wang_2019']
    """
    found: dict[str, Reference] = {}
    for match in MENTION.finditer(" ".join(text.split())):
        found.update((paper.key, paper) for paper in _meant(match))
    return list(found.values())


def _meant(match: re.Match[str]) -> list[Reference]:
    """The papers that a citation in a text may mean: same first author and year, the other names, two for "et al."."""
    names = [folded(n) for n in re.split(r", | & | and ", match["names"].removesuffix(" et al."))]
    known = LETTERS.get((names[0], match["year"], match["letter"]))
    if known is not None:
        return [bibliography()[known]]
    several = match["names"].endswith(" et al.")
    fitting = [
        paper
        for paper in bibliography().values()
        if paper.year == match["year"] and _begins(paper.authors[0], names[0])
        and all(any(_begins(author, name) for author in paper.authors) for name in names)
        and (len(paper.authors) > 2 if several else len(paper.authors) == len(names))
    ]  # fmt: skip
    return fitting


def _begins(author: str, name: str) -> bool:
    """Whether a name as it is written, with a word before it perhaps ("In Wang"), is that of an author."""
    spellings = (author, author.replace("ae", "a"))
    return author.endswith(f" {name}") or any(name == s or name.endswith(f" {s}") for s in spellings)
