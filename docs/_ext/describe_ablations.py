"""Each system against its own ablation, from the committed result files of benchmarks/architectures.py."""

from __future__ import annotations

import statistics
from typing import Any

import describe_results
import markdown

LEFT_OUT = {"case", "seed", "status", "findings", "of", "gap_gradients"}
NAMES = {"cpu_seconds": "CPU s", "frechet_digits64": "Fréchet", "floor": "of real digits", "w1": "$W_1$"}


def ablation(name: str) -> list[str]:
    """With and without, a row each: the median of every number over the seeds, and its least and largest."""
    data = describe_results.read(f"architectures_{name}")
    if name == "nash":
        return _exploitability(data)
    keys = [key for key in dict.fromkeys(key for row in data["rows"] for key in row) if key not in LEFT_OUT]
    rows = []
    for case in dict.fromkeys(row["case"] for row in data["rows"]):
        own = [row for row in data["rows"] if row["case"] == case]
        found = [_band([row[key] for row in own if row.get(key) is not None]) for key in keys]
        failures = sum(bool(row["findings"]) or row["status"] != "OK" for row in own)
        rows.append([case, str(len(own)), *found, f"{failures} of {len(own)}"])
    heads = ["", "seeds", *(NAMES.get(key, key.replace("_", " ")) for key in keys), "with a failure mode"]
    return [
        *markdown.table(heads, rows),
        f"{data['steps']} steps. Medians, least and largest in brackets.",
        "",
        *describe_results.measured_on(f"architectures_{name}"),
    ]


def _exploitability(data: Any) -> list[str]:
    rounds = len(data["rows"][0]["exploitability"])
    rows = [[row["case"], str(row["seed"]), *(f"{gap:.3g}" for gap in row["exploitability"])] for row in data["rows"]]
    table = markdown.table(["answers to", "seed", *(f"round {k + 1}" for k in range(rounds))], rows)
    return [*table, f"Answers of {data['steps']} steps.", "", *describe_results.measured_on("architectures_nash")]


def _band(values: list[float]) -> str:
    """The median, and the least and the largest in brackets where they differ."""
    if not values:
        return ""
    middle, low, high = (
        f"{x:.0f}" if float(x).is_integer() else f"{x:.3g}"
        for x in (statistics.median(values), min(values), max(values))
    )
    return middle if low == high else f"{middle} ({low} to {high})"
