"""The bibliography as a page: every paper with its address, and the rules, games, losses and penalties that name it."""

from __future__ import annotations

import re
import unicodedata

import gandyn as gd
from gandyn.cli.cite import behind
from gandyn.cli.papers import Reference, bibliography, mentioned
from gandyn.errors import GandynError


def linked(*texts: str) -> str:
    """The papers that a registered name stands on, or that a text names, each with a link to where it can be found."""
    found = {}
    for text in texts:
        try:
            papers = behind(text)
        except GandynError:
            papers = mentioned(text)
        found |= {paper.key: paper for paper in papers}
    return ", ".join(f"[{authors(paper)} {paper.year}]({paper.address})" for paper in found.values())


def authors(paper: Reference) -> str:
    """Surnames: one, two, or the first et al."""
    names = re.findall(r"author = \{(.*)\},", paper.bibtex)[0].split(" and ")
    plain = [_plain(name.split(",")[0]) for name in names]
    return plain[0] if len(plain) == 1 else " & ".join(plain) if len(plain) == 2 else f"{plain[0]} et al."


def _plain(name: str) -> str:
    """TeX's accents as letters."""
    for written, mark in (("'", "\u0301"), ("`", "\u0300"), ('"', "\u0308"), ("^", "\u0302"), ("c ", "\u0327")):
        name = re.sub(rf"\{{\\{re.escape(written)}(\w)\}}", rf"\1{mark}", name)
    name = name.replace("{\\o}", "ø").replace("{\\i}", "ı").replace("{\\ss}", "ß")
    return unicodedata.normalize("NFC", name)


def table() -> list[str]:
    """One line for each paper, by key."""
    used: dict[str, list[str]] = {}
    for room in (gd.rules, gd.games, gd.losses, gd.penalties):
        for entry in room.registry:
            try:
                papers = behind(entry.name)
            except GandynError:  # it names no paper
                continue
            for paper in papers:
                used.setdefault(paper.key, []).append(f"`{entry.name}`")
    lines = ["| key, and where it is | paper | named by |", "|---|---|---|"]
    for paper in sorted(bibliography().values(), key=lambda p: p.key):
        named = ", ".join(used.get(paper.key, [])) or "claims and figures"
        shown = "proceedings" if paper.identifier == paper.address else paper.identifier
        where = f"[{shown}]({paper.address})"
        told = f"{authors(paper)}: {paper.title} ({paper.year})"
        lines.append(f"| `{paper.key}`<br>{where} | {told} | {named} |")
    return lines
