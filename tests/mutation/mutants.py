"""The mutants, read from the text files beside this one.

After `## ` stands a file of the package; then, for each mutant, a line that says what is wrong with it, and what is
taken out (`- `) and put in (`+ `), over several lines where need be. A line `= ` proves that nobody can notice it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import pathlib
import re

HERE = pathlib.Path(__file__).parent
SUBJECTS = ("rules", "games", "losses", "theory")


@dataclasses.dataclass(frozen=True)
class Mutant:
    """One wrong change.

    Attributes:
        file: inside the package. find: its first occurrence goes. replace: what stands there instead.
        why: what is wrong then, in words; with the file, the mutant's name.
        equivalent: the proof that nothing anybody can observe is wrong; such a mutant is not counted.
    """

    file: str
    find: str
    replace: str
    why: str
    equivalent: str = ""

    @property
    def name(self) -> str:
        """The file, and what is wrong in it."""
        return f"{self.file}: {self.why}"

    @property
    def key(self) -> str:
        """Changes when the mutant does."""
        return hashlib.sha256(repr((self.file, self.find, self.replace)).encode()).hexdigest()[:12]


def read(text: str) -> list[Mutant]:
    """The mutants of a file in the format above."""
    found, file = [], ""
    for paragraph in re.split(r"\n\n+", text.strip()):
        if paragraph.startswith("## "):
            file = paragraph.removeprefix("## ")
        elif not paragraph.startswith("# "):
            why, *lines = paragraph.split("\n")
            out, into, proof = (
                "\n".join(line[2:] for line in lines if line[:1] == mark) for mark in ("-", "+", "=")
            )  # fmt: skip
            found.append(Mutant(file, out, into, why, proof))
    return found


MUTANTS = tuple(mutant for name in SUBJECTS for mutant in read((HERE / f"{name}.txt").read_text(encoding="utf-8")))
