"""The table of measured times, written from the result file of benchmarks/run.py."""

from __future__ import annotations

from typing import Any

import markdown
from describe_results import read

REMEMBERED = 3


def table() -> list[str]:
    """Every row with its anchor, its target, and its last measurements."""
    records = read("table")["records"]
    last: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        for name, row in record["rows"].items():
            last.setdefault(name, []).append({**row, "commit": record["commit"][:7]})
    rows = []
    for name, past in last.items():
        now = past[-1]
        unit = " s" if now["measure"] == "seconds" else ""
        target = f"{now['target']:g}{unit}" if unit else f"{now['target']:g} of the anchor"
        value = now[now["measure"]]
        met = "" if value <= now["target"] else " (missed)"
        history = ", ".join(f"{_short(row['ratio'])} ({row['commit']})" for row in past[-REMEMBERED:])
        rows.append([name, f"{_short(now['seconds'])} s", now["anchor"], _short(now["ratio"]), target + met, history])
    heads = ["what", "CPU time", "anchor", "ratio to it", "target", "last ratios (commit)"]
    now = records[-1]
    load = "/".join(f"{x:.1f}" for x in now["load_after"])
    versions = ", ".join(f"{name} {now[name]}" for name in ("python", "numpy", "scipy", "sympy"))
    where = f"{now['device']}, {now['cores']} cores, load {load}; {versions}; {now['compiler']}; seed {now['seed']}"
    return [
        *markdown.table(heads, rows),
        f"*Last measured on {now['date']} at commit {now['commit'][:7]}: {where}.*",
        "",
    ]


def _short(value: float) -> str:
    return f"{value:.2g}" if value < 1000 else f"{value:.0f}"
