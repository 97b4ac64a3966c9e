"""The bibliography as a page: every paper with its address, and the rules, games, losses and penalties that name it."""

from __future__ import annotations

import gandyn as gd
from gandyn.cli.cite import behind
from gandyn.cli.papers import bibliography
from gandyn.errors import GandynError


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
    lines = ["| key | paper | where | named by |", "|---|---|---|---|"]
    for paper in sorted(bibliography().values(), key=lambda p: p.key):
        named = ", ".join(used.get(paper.key, [])) or "claims and figures"
        where = f"[{paper.identifier}]({paper.address})"
        lines.append(f"| `{paper.key}` | {paper.title} ({paper.year}) | {where} | {named} |")
    return lines
