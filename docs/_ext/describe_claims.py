"""What the docs say of claims: a table for each paper, and statements that are false as they stand."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import describe_papers
import markdown

import gandyn as gd

LORE = "lore"


def _claims() -> dict[str, list[Any]]:
    """All claims by paper, papers by name."""
    found: dict[str, list[Any]] = {}
    for entry in gd.claims.registry:
        claim = entry.build()
        found.setdefault(claim.paper, []).append(claim)
    return dict(sorted(found.items()))


def totals() -> list[str]:
    """How many claims, of how many papers, with which verdicts, by which means."""
    claims = [claim for group in _claims().values() for claim in group]
    papers = {claim.paper for claim in claims} - {LORE}
    verdicts = _counted(str(claim.verdict) for claim in claims)
    means = _counted(str(claim.how) for claim in claims)
    return [f"{len(claims)} claims of {len(papers)} papers and of remarks that are nobody's. Verdicts: {verdicts}.", "",
            f"Established here as: {means}.", ""]  # fmt: skip


def _counted(words: Iterable[str]) -> str:
    found: dict[str, int] = {}
    for word in words:
        found[word] = found.get(word, 0) + 1
    return ", ".join(f"{word} {count}" for word, count in sorted(found.items(), key=lambda pair: -pair[1]))


def table() -> list[str]:
    """Each paper's claims: statement and formula, how it is established, verdict, and where it fails."""
    lines = []
    for paper, claims in _claims().items():
        if paper == LORE:
            continue
        heads = ["claim", "statement", "established here"]
        found = describe_papers.linked(*{claim.source for claim in claims})
        lines += [
            f"### {title(paper)}",
            "",
            f"{found}." if found else "",
            "",
            *markdown.table(heads, [_row(claim) for claim in claims]),
        ]
    return lines


def title(paper: str) -> str:
    """daskalakis_2018 as Daskalakis 2018, gidel_2019_momentum as Gidel 2019 (momentum)."""
    author, year, *rest = paper.split("_")
    return f"{author.capitalize()} {year}" + (f" ({' '.join(rest)})" if rest else "")


def _row(claim: Any) -> list[str]:
    established = f"{claim.how}: **{claim.verdict}**"
    if claim.origin:
        established += f"<br>*{claim.origin}*" + (f"; before: {escaped(claim.prior)}" if claim.prior else "")
    if claim.said:
        established += f"<br>*Said:* {escaped(claim.said)}"
    if claim.correction:
        established += f"<br>*Correction:* {escaped(claim.correction)}"
    outside = "; ".join(escaped(example.why) for example in claim.outside)
    return [
        f"`{claim.name.partition('.')[2]}`<br>{escaped(claim.source)}",
        f"{escaped(claim.statement)}<br>${claim.latex}$" + (f"<br>*Fails:* {outside}" if outside else ""),
        established,
    ]


def lore() -> list[str]:
    """Statements that are false as they stand, each with its counterexamples and their numbers."""
    refuted = [
        claim for claims in _claims().values() for claim in claims
        if claim.paper == LORE or claim.verdict in (gd.claims.Verdict.REFUTED, gd.claims.Verdict.REMARK)
    ]  # fmt: skip
    lines = []
    for claim in refuted:
        name = claim.name.partition(".")[2].replace("_", " ")
        beside = f"{claim.source}; before: {claim.prior}" if claim.prior else claim.source
        words = f"**{escaped(claim.statement)}** {str(claim.verdict).capitalize()} ({escaped(beside)})."
        lines += [f"### {name.capitalize()}", "", f"{words} {escaped(claim.correction)}".strip(), ""]
        lines += [*markdown.display(claim.latex)]
        for example in claim.outside:
            found = claim.conclusion(**example.draw())
            detail = getattr(found, "detail", "")
            lines.append(f"* Counterexample: {escaped(example.why)}{f' ({escaped(detail)})' if detail else ''}.")
        lines.append("")
    return lines or ["None yet.", ""]


def escaped(text: str) -> str:
    """Plain words in Markdown: what would be mathematics, emphasis, code or a tag is shown as it is."""
    return re.sub(r"([\\`*_$<>\[\]])", r"\\\1", text)
