"""The table of measured times, written from the result file of benchmarks/run.py."""

from __future__ import annotations

from typing import Any

import markdown
from describe_results import read

REMEMBERED = 3
# Why a row may miss its target, by the beginning of its name; shown for those that do.
WHY = {
    "GDA, 20 000 starts x 1 000 steps, kernel c": "the loops take about the same time; the rest is a fixed part of "
    "each call, which checks the start, copies it, and says of each member how it ended",
    "GDA, 20 000 starts x 1 000 steps, kernel numpy": "NumPy writes every intermediate result to memory, where the "
    "loop by hand keeps it in a register",
    "gandyn --help": "the library of the command line is imported whole, and the names and options of all commands",
    "gandyn spiral": "nearly half of it is the import of matplotlib and of SymPy, without which there are no exact "
    "spectral radii; most of the rest is matplotlib's layout of the labels and its rendering at 300 dots per inch",
    "first run of a process, kernel on disk": "it imports what runs kernels, and hashes the sources of gandyn, so "
    "that a kernel of another version is never taken",
    "every rule on every toy, linearised": "nearly all of it is SymPy's, with which each rule is traced; a third is "
    "one game, `mixture_game`",
    "a call of ten steps": "many checks of the arguments, each of a microsecond or less, add up to it",
}
TOYS = {
    "cold": "first run, nothing on disk",
    "warm": "first run, kernel on disk",
    "first_line": "first line of `analyze`",
    "analyze": "whole page",
}


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
    missed = [line for name, past in last.items() for line in _missed(name, past[-1])]
    return [
        *markdown.table(heads, rows),
        f"Of {len(last)} targets {len(missed)} are missed{':' if missed else '.'}",
        "",
        *missed,
        *([""] if missed else []),
        f"*Last measured on {now['date']} at commit {now['commit'][:7]}: {where}.*",
        "",
    ]


def _missed(name: str, row: dict[str, Any]) -> list[str]:
    """A row beyond its target as an item of a list: by how much, and why where that is known."""
    value, target = row[row["measure"]], row["target"]
    if value <= target:
        return []
    unit = " s" if row["measure"] == "seconds" else " times the anchor"
    why = next((f": {text}" for start, text in WHY.items() if name.startswith(start)), "")
    return [f"* {name}, {_short(value)}{unit} in place of {target:g} ({_short(value / target)} times the target){why}."]


def toys() -> list[str]:
    """What each game costs a newcomer, of benchmarks/toys.py, and which targets are missed."""
    record = read("toys")
    rows, targets = record["rows"], record["targets"]
    cells = [
        [f"`{name}`", *("none" if row[key] is None else f"{_short(row[key])} s" for key in TOYS)]
        for name, row in rows.items()
    ]
    beyond = []
    for key, title in TOYS.items():
        above = [name for name, row in rows.items() if row[key] is not None and row[key] > targets[key]]
        most = max((row[key] for row in rows.values() if row[key] is not None), default=0.0)
        beyond.append(
            f"* {title}: {targets[key]:g} s is met by {len(rows) - len(above)} of {len(rows)} games, "
            f"the slowest takes {_short(most)} s."
        )
    load = "/".join(f"{x:.1f}" for x in record["load_after"])
    where = f"{record['device']}, load {load}; commit {record['commit'][:7]}; seed {record['seed']}"
    return [*markdown.table(["game", *TOYS.values()], cells), *beyond, "", f"*CPU seconds. {where}.*", ""]


def _short(value: float) -> str:
    return f"{value:.2g}" if value < 1000 else f"{value:.0f}"
