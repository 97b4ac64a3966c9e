"""What the toy predicts on ring GANs, beside what was measured, from the result file of benchmarks/prediction.py."""

from __future__ import annotations

import statistics
from typing import Any

import describe_results
import markdown

SEEDS = 5


def prediction() -> list[str]:
    """A row for each rule and quantity: medians and ranges over seeds, in how many they agree, and the verdict."""
    data = describe_results.read("prediction")
    lines: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for run in data["runs"]:
        for row in run["rows"]:
            lines.setdefault((row["rule"], row["what"]), []).append(row)
    rows = []
    for (rule, what), own in lines.items():
        agree = sum(row["agree"] for row in own)
        found = [row["measured"] for row in own if row["measured"] is not None]
        within = f"{own[0]['within']:.0%}".replace("%", " %")
        numbers = [band([row["predicted"] for row in own]), band(found), within, f"{agree} of {len(own)}"]
        rows.append([rule, what, *numbers, _verdict(agree, len(own))])
    heads = ["rule", "quantity", "predicted", "measured", "within", "seeds that agree", "verdict"]
    return [*markdown.table(heads, rows), *describe_results.measured_on("prediction")]


def points() -> list[str]:
    """A row for each seed: the point at which its run ends."""
    seen = {run["seed"]: run for run in describe_results.read("prediction")["runs"]}
    rows = [
        [str(seed), str(run["near_modes"]), *(f"{run[key]:.3g}" for key in ("near_quality", "field", "leftmost", "mu"))]
        for seed, run in sorted(seen.items())
    ]
    heads = ["seed", "modes near", "share near a mode", "norm of v", "leftmost real part of J", "mu"]
    return markdown.table(heads, rows)


def _verdict(agree: int, of: int) -> str:
    if of < SEEDS:
        return "not settled"
    return "reproduced" if agree == of else "contradicted" if agree == 0 else "reproduced in part"


def band(values: list[float]) -> str:
    """The median, with the least and the largest in brackets."""
    if not values:
        return "none"
    return f"{statistics.median(values):.3g} ({min(values):.3g} to {max(values):.3g})"
