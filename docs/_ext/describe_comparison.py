"""The comparison of ways to train at equal cost, from the result files of benchmarks/gan_comparison.py."""

from __future__ import annotations

import statistics
from typing import Any

import describe_results
import markdown

Rows = list[dict[str, Any]]
FILES = ("gan_comparison_points", "gan_comparison_digits")
POINTS = (
    ("modes near", "near", 1, "{:.0f}"),
    ("modes strict", "strict", 1, "{:.0f}"),
    ("high quality, %", "quality", 100, "{:.0f}"),
    ("$W_1$", "w1", 1, "{:.2f}"),
    ("gap", "gap", 1, "{:.2f}"),
)
DIGITS = (
    ("classes", "near", 1, "{:.0f}"),
    ("Fréchet", "frechet", 1, "{:.1f}"),
    ("KID", "kid", 1, "{:.2f}"),
    ("gap", "gap", 1, "{:.2f}"),
    ("CPU s", "cpu_seconds", 1, "{:.0f}"),
)


def comparison(data: str) -> list[str]:
    """One table for a data set of the comparison, the nearest samples first; medians over seeds, and their range."""
    file, methods = _runs(data)
    images = any("frechet" in row for runs in methods.values() for row in runs)
    columns = DIGITS if images else POINTS
    rows = [
        [method, runs[0]["lr"], _own(runs[0]), *(_band(runs, *column[1:]) for column in columns)]
        for method, runs in methods.items()
    ]
    cells = [row for runs in methods.values() for row in runs]
    floor = statistics.median(row["frechet_floor" if images else "w1_floor"] for row in cells)
    seeds = " or ".join(str(n) for n in sorted({len(runs) for runs in methods.values()}))
    note = f"{file['budget']:g} gradients each; median and range over {seeds} seeds; "
    note += f"perfect samples: {'Fréchet' if images else '$W_1$'} {floor:.3g}."
    heads = ["method", "lr", "own", *(head for head, *_ in columns)]
    return [*markdown.table(heads, rows), note, ""]


def settled(data: str) -> list[str]:
    """What the seeds of a data set settle: the order of neighbours and of all pairs, what the second half of the budget
    brought, and the order at equal seconds.
    """
    file, methods = _runs(data)
    found, names = file["settled"][data], list(methods)
    pairs = {(pair["nearer"], pair["farther"]): pair for pair in found["pairs"]}
    rows = []
    for method, after in zip(names, [*names[1:], None], strict=True):
        beaten = sum(pair["settled"] for (nearer, _), pair in pairs.items() if nearer == method)
        then = found["at_equal_seconds"].get(method)
        rows.append(
            [
                method,
                "" if after is None else _against(pairs[method, after]),
                f"{beaten} of {len(names) - 1}",
                _halves(file, data, method),
                found["endings"][method],
                _band(methods[method], "cpu_seconds", 1, "{:.1f}"),
                "" if then is None else f"{then:.2f}",
            ]
        )
    distance = "Fréchet" if any("frechet" in row for runs in methods.values() for row in runs) else "$W_1$"
    seconds = "" if found["seconds"] is None else f" in {found['seconds']:.2g} s"
    heads = ["method", "nearer than the next", "settled nearer than", f"{distance} from half to all", "ending", "CPU s"]
    heads.append(f"{distance}{seconds}")
    total = sum(pair["settled"] for pair in pairs.values())
    note = f"{total} of {len(pairs)} orders are settled: exact rank tests of {distance}, all pairs counted (Holm), 5 %."
    return [*markdown.table(heads, rows), note, ""]


def tuning(group: str = "points") -> list[str]:
    """How often a step size lay at an edge, and what each method was tried with."""
    file = describe_results.read(f"gan_comparison_{group}")
    rows = []
    for method in dict.fromkeys(row["method"] for row in file["cells"]):
        tried = [row for row in file["cells"] if row["method"] == method and row["stage"] == "tune"]
        steps = sorted({row["lr"] for row in tried}, key=float)
        own = sorted({row["own"] for row in tried}, key=float)
        chosen = [row for row in file["cells"] if row["method"] == method and row["stage"] == "run"]
        if chosen:
            best = chosen[0]
            inside = "an edge" if best["lr"] in (steps[0], steps[-1]) else "inside"
            rows.append([method, _marked(steps, best["lr"]), inside, tried[0]["own_name"], _marked(own, best["own"])])
    return markdown.table(["method", "step sizes", "the best lies", "own parameter", "values"], rows)


def picture() -> list[str]:
    """Every run's distance to the data, by method and data set."""
    from gandyn import plots

    panels: dict[str, dict[str, list[float]]] = {}
    labels, floors = {}, {}
    for name in FILES:
        for row in describe_results.read(name)["cells"]:
            if row["stage"] != "run":
                continue
            panels.setdefault(row["data"], {}).setdefault(row["method"], []).append(row["distance"])
            images = "frechet" in row
            labels[row["data"]] = "Fréchet distance" if images else "$W_1$ to the data"
            floors[row["data"]] = row["frechet_floor" if images else "w1_floor"]

    def draw() -> Any:
        with plots.house_style("double"):
            return plots.seeds(panels, labels, floors)

    caption = "Distance of samples to the data, one dot a seed, a bar at the median; dotted: perfect samples."
    return describe_results.picture(FILES, "gan-comparison", draw, caption)


def _runs(data: str) -> tuple[dict[str, Any], dict[str, Rows]]:
    """The file that has a data set, and each method's runs on it, the nearest first.

    Raises:
        NotMeasured: where no file has runs on it.
    """
    for name in FILES:
        file = describe_results.read(name)
        methods: dict[str, Rows] = {}
        for row in file["cells"]:
            if (row["data"], row["stage"]) == (data, "run"):
                methods.setdefault(row["method"], []).append(row)
        if methods:
            ranked = sorted(methods, key=lambda m: statistics.median(row["distance"] for row in methods[m]))
            return file, {method: methods[method] for method in ranked}
    raise describe_results.NotMeasured(f"row of {data} in {' or '.join(FILES)}")


def _own(row: dict[str, Any]) -> str:
    return f"{row['own_name']} {row['own']}"


def _against(pair: dict[str, Any]) -> str:
    p = f"p = {pair['p_holm']:.2g}" if pair["p_holm"] >= 1e-4 else "p < 0.0001"
    return f"in {pair['in_seeds']} of {pair['seeds']} seeds, {p}{', settled' if pair['settled'] else ''}"


def _halves(file: dict[str, Any], data: str, method: str) -> str:
    """Median W1 at half the budget and at all of it, over the seeds that have both."""
    stages: dict[str, dict[int, float]] = {"half": {}, "run": {}}
    for row in file["cells"]:
        if (row["data"], row["method"]) == (data, method) and row["stage"] in stages:
            stages[row["stage"]][row["seed"]] = row["distance"]
    both = sorted({*stages["half"]} & {*stages["run"]})
    if not both:
        return ""
    half, whole = (statistics.median(stages[stage][seed] for seed in both) for stage in ("half", "run"))
    return f"{half:.2f} to {whole:.2f}"


def _marked(values: list[str], best: str) -> str:
    return ", ".join(f"**{value}**" if value == best else value for value in values)


def _band(rows: Rows, key: str, scale: float, form: str) -> str:
    """Median and range of the rows that have the key."""
    values = [scale * row[key] for row in rows if key in row]
    return describe_results.band(values, form) if values else ""
