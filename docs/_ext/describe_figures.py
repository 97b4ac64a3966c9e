"""Pages of the published figures: what the paper shows, what is found, picture, numbers, code and data.

Nothing is computed while the docs are built: the data come from `docs/images/figures`, into which the files NAME.npz
and NAME.json of a made figure are copied; a page says by which versions they were made. The picture is drawn, and the
numbers are checked, anew from those data.
"""

from __future__ import annotations

import functools
import pathlib
import re
from typing import Any

import describe_papers
import markdown
import pictures

import gandyn as gd
from gandyn.figures import store

MADE = pathlib.Path(__file__).parent.parent / "images" / "figures"
SYMBOL = re.compile(r"([\\`*_<>|~\[\]$])")


@functools.cache
def known() -> tuple[Any, ...]:
    """Every figure, loaded once."""
    return tuple(gd.figures.load(path) for path in gd.figures.figures().values())


def stem(name: str) -> pathlib.Path | None:
    """Where a figure's data are: at full settings, else quick; None where it has not been made."""
    return next((s for s in (MADE / name, MADE / f"{name}-quick") if store.read(s) is not None), None)


def generated_pages() -> dict[str, str]:
    """`generated/figures/NAME.md` for each figure."""
    return {f"figures/{one.name}.md": "\n".join(_page(one)) for one in known()}


def pages() -> list[str]:
    """The hidden table of contents, small pictures of all that have been made, and a table with a link to each."""
    rows = [
        [f"[{one.title}](/generated/figures/{one.name}.md)", one.paper, f"`{one.name}`", one.verdict] for one in known()
    ]
    toc = ["```{toctree}", ":hidden:", "", *(f"/generated/figures/{one.name}" for one in known()), "```", ""]
    return [*_thumbnails(), *markdown.table(["figure", "paper", "name", "verdict"], rows), *toc]


def _thumbnails() -> list[str]:
    """Each made figure, small, with its paper below it; a link to its page."""
    lines = [":::{container} thumbnails", ""]
    for one in known():
        made = stem(one.name)
        if made is not None:
            path = pictures.keep(f"figure-{one.name}", lambda: _drawn(one, made))  # noqa: B023  # drawn at once
            link = ["```{figure} " + path, f":alt: {one.title}", f":target: generated/figures/{one.name}.html"]
            lines += [*link, ":loading: lazy", "", one.paper, "```", ""]
    return [*lines, ":::", ""]


def _page(one: Any) -> list[str]:
    first, _, rest = one.about.partition("\n\n")
    made = stem(one.name)
    papers = describe_papers.linked(one.paper)
    source = f"*{one.paper}, {one.source}*" + (f" ({papers})" if papers else "")
    lines = [f"# {one.title}", "", source, "", _prose(first), ""]
    if made is not None:
        path = pictures.keep(f"figure-{one.name}", lambda: _drawn(one, made))
        lines += markdown.figure(path, one.title, f"{one.title}, from the saved data.")
    lines += [_prose(rest), ""]
    lines += _numbers(one, made) if made is not None else [f'It is made by `gd.figures.make("{one.name}")`.', ""]
    path = f"../../../{gd.figures.catalogue.NAME}/{one.name}.py"
    return [*lines, "## Code", "", f"```{{literalinclude}} {path}", ":language: python", "```", ""]


def _drawn(one: Any, made: pathlib.Path) -> Any:
    """In the width of a page."""
    data = store.read(made) or {}
    return gd.figures.picture(one, data, "double", gd.figures.verdict(_checked(one, made), data))


def _checked(one: Any, made: pathlib.Path) -> tuple[Any, ...]:
    """Its numbers and effects, looked up in the saved data."""
    data = store.read(made) or {}
    quick = store.read_record(made)["quick"]
    return (*gd.figures.check(one.expected, data, quick), *gd.figures.effects(one.expected, data))


def _prose(text: str) -> str:
    """A docstring as Markdown: its signs mean themselves, but for bold beginnings of paragraphs."""
    text = re.sub(r"\n(?=[-+=#])", " ", text)
    parts = re.split(r"(\*\*[A-Z][\w ]*\.?\*\*|`[^`\n]+`)", text)
    return "".join(part if k % 2 else SYMBOL.sub(r"\\\1", part) for k, part in enumerate(parts))


def _numbers(one: Any, made: pathlib.Path) -> list[str]:
    """The expected numbers against the saved data, and how those were made."""
    record, data, checks = store.read_record(made), store.read(made) or {}, _checked(one, made)
    rows = [
        [_prose(c.name), (c.reason or f"{c.found:.8g}") + f" ({c.band})" * bool(c.each), f"{c.value:.8g}",
         f"{c.tolerance:.1g}", _prose(c.source), "yes" if c.holds else f"*{c.outcome}*" if c.effect else "**no**"]
        for c in checks
    ]  # fmt: skip
    heads = ["number", "found (of seeds the median and their band)", "expected", "within", "from", "agrees"]
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    names = [f"{made.name}.{kind}" for kind in ("npz", "json")]
    files = " and ".join(f"{{download}}`{name} </images/figures/{name}>`" for name in names)
    settings = "quick" if record["quick"] else "full"
    verdict = gd.figures.verdict(checks, data)
    how = f"Data: {files}, at {settings} settings in {record['seconds']:.1f} s on {record['device']}, with {versions}"
    seed = f", seed {one.seed}." if one.seed is not None else "."
    return ["## Numbers", "", f"Verdict: **{verdict}**.", "", *markdown.table(heads, rows), how + seed, ""]
