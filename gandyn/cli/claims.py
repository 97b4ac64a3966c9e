"""`gandyn claims`: what the papers claim, how it is established here, and what comes out."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from ..errors import UnknownNameError


def claims(
    paper: Annotated[str | None, typer.Option(help="Only this paper's, by its key.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Check each claim now.")] = False,
    draws: Annotated[int | None, typer.Option(min=1, help="Draws for each claim; each claim's own by default.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List published claims with source, how each is established, and its verdict; status 1 where a check disagrees."""
    from ..claims import check as check_claim
    from ..claims import registry

    chosen = [entry.build() for entry in registry]
    papers = sorted({claim.paper for claim in chosen})
    if paper is not None and paper not in papers:
        raise UnknownNameError.among("paper", paper, papers)
    chosen = [claim for claim in chosen if paper in (None, claim.paper)]
    rows: list[dict[str, Any]] = []
    for claim in chosen:
        found = check_claim(claim, draws) if check else None
        rows.append(_row(claim) if found is None else found.to_dict())
        if not as_json:
            typer.echo(found.summary() if found is not None else _shown(claim))
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
    else:
        typer.echo(f"{len(rows)} claims of {len({claim.paper for claim in chosen})} papers")
    if any(not row.get("agrees", True) for row in rows):
        raise typer.Exit(1)


def _row(claim: Any) -> dict[str, Any]:
    return {
        "claim": claim.name,
        "paper": claim.paper,
        "statement": claim.statement,
        "latex": claim.latex,
        "source": claim.source,
        "how": claim.how.value,
        "declared": claim.verdict.value,
        "correction": claim.correction,
        "outside": [example.why for example in claim.outside],
    }


def _shown(claim: Any) -> str:
    lines = [f"{claim.name}: {claim.statement}", f"  {claim.source}; {claim.how}: {claim.verdict}"]
    if claim.correction:
        lines.append(f"  correction: {claim.correction}")
    return "\n".join(lines)
