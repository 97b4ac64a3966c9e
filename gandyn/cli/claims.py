"""`gandyn claims`: what the papers claim, how it is established here, and what comes out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import UnknownNameError

if TYPE_CHECKING:
    from ..claims.base import Claim
    from ..claims.engine import Check

LORE = "lore"

HEADS = ("claim", "verdict", "how", "seconds", "rejected")


def claims(
    paper: Annotated[str | None, typer.Option(help="Only this paper's, by its key.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Check each claim now.")] = False,
    draws: Annotated[int | None, typer.Option(min=1, help="Draws for each claim; each claim's own by default.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List published claims with source, how each is established, and its verdict.

    The exit status is 1 where a check disagrees.
    """
    from ..claims import registry

    chosen = [entry.build() for entry in registry]
    papers = sorted({claim.paper for claim in chosen})
    if paper is not None and paper not in papers:
        raise UnknownNameError.among("paper", paper, papers)
    chosen = sorted((claim for claim in chosen if paper in (None, claim.paper)), key=lambda claim: claim.paper)
    checks = _checked(chosen, draws) if check else [None] * len(chosen)
    rows = [_row(claim, found) for claim, found in zip(chosen, checks, strict=True)]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
    else:
        for line in _table(chosen, checks):
            typer.echo(line)
    if any(not row.get("agrees", True) for row in rows):
        raise typer.Exit(1)


def _checked(chosen: list[Claim], draws: int | None) -> list[Check]:
    """Check them all; one line on stderr says how far it is."""
    from ..claims import check
    from ..dynamics.progress import reporter

    report = reporter(True)
    assert report is not None
    found = []
    for k, claim in enumerate(chosen):
        found.append(check(claim, draws))
        report(k + 1, len(chosen))
    report(-1, len(chosen))
    return found


def _row(claim: Claim, found: Check | None) -> dict[str, str | None]:
    """As plain data: the claim, and what a check found where there was one."""
    stated: dict[str, Any] = {
        "claim": claim.name,
        "paper": claim.paper,
        "statement": claim.statement,
        "latex": claim.latex,
        "source": claim.source,
        "origin": claim.origin and claim.origin.value,
        "prior": claim.prior,
        "said": claim.said,
        "how": claim.how.value,
        "declared": claim.verdict.value,
        "correction": claim.correction,
        "outside": [example.why for example in claim.outside],
    }
    return stated if found is None else {**stated, **found.to_dict()}


def _table(chosen: list[Any], checks: list[Any]) -> list[str]:
    """Paper by paper: a line of facts for each claim, its statement below, and what disagrees in full."""
    cells = [_cells(claim, found) for claim, found in zip(chosen, checks, strict=True)]
    widths = [max(map(len, column)) for column in zip(HEADS, *cells, strict=True)]
    lines, paper = [_joined(HEADS, widths)], ""
    for claim, found, row in zip(chosen, checks, cells, strict=True):
        if claim.paper != paper:
            paper = claim.paper
            lines += ["", paper]
        lines += [_joined(row, widths), f"      {claim.statement} [{claim.source}]"]
        if claim.origin:
            lines.append(f"      {claim.origin}" + (f"; before: {claim.prior}" if claim.prior else ""))
        if claim.said:
            lines.append(f"      said: {claim.said}")
        if claim.correction:
            lines.append(f"      correction: {claim.correction}")
        if found is not None and not found.agrees:
            lines.append("      DISAGREES: " + found.summary())
    papers = {claim.paper for claim in chosen} - {LORE}
    lore = " and of the field's lore" if any(claim.paper == LORE for claim in chosen) else ""
    counted = f"{len(papers)} paper{'s' if len(papers) != 1 else ''}{lore}"
    wrong = sum(found is not None and not found.agrees for found in checks)
    told = f", {wrong} disagree" if wrong else ", all agree" if checks[:1] != [None] else ""
    return [*lines, "", f"{len(chosen)} claims of {counted}{told}"]


def _cells(claim: Claim, found: Check | None) -> tuple[str, ...]:
    seconds = "" if found is None else f"{found.seconds:.2f}"
    rejected = "" if found is None or claim.hypotheses is None else f"{found.rejected_share:.0%}"
    verdict = claim.verdict if found is None else found.verdict
    return "  " + claim.name.partition(".")[2], str(verdict), str(claim.how), seconds, rejected


def _joined(cells: Any, widths: list[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
