"""Tables of what was measured, written from the committed result files: no number in them was typed."""

from __future__ import annotations

import functools
import hashlib
import json
import pathlib
import statistics
from collections.abc import Callable, Sequence
from typing import Any

import markdown
import pictures

RESULTS = pathlib.Path(__file__).parent.parent.parent / "benchmarks" / "results"
Rows = list[dict[str, Any]]


def read(name: str) -> Any:
    """A result file.

    Raises:
        NotMeasured: where there is none.
    """
    path = RESULTS / f"{name}.json"
    if not path.exists():
        raise NotMeasured(f"benchmarks/results/{path.name}")
    return json.loads(path.read_text(encoding="utf-8"))


class NotMeasured(LookupError):
    """What has not been run yet."""


def honest(write: Callable[..., list[str]]) -> Callable[..., list[str]]:
    """A writer that says so where there is no result to write from."""

    @functools.wraps(write)
    def inside(*arguments: str) -> list[str]:
        try:
            return write(*arguments)
        except NotMeasured as missing:
            return [f"*Not measured yet: there is no {missing}.*", ""]

    return inside


def measured_on(name: str) -> list[str]:
    """One line on where the numbers of a result file come from."""
    data = read(name)
    versions = ", ".join(f"{key} {value}" for key, value in data["versions"].items())
    load = ", load " + "/".join(f"{x:g}" for x in data["load"]) if "load" in data else ""
    where = f"{data['date']} at commit {data['commit']}"
    return [
        f"*Measured on {where}: {data['device']}, one thread{load}; {versions}.*",
        "",
    ]


def picture(results: Sequence[str], kind: str, draw: Callable[[], Any], caption: str) -> list[str]:
    """A picture of result files, drawn anew when one of them changes."""
    content = hashlib.sha256(b"".join((RESULTS / f"{result}.json").read_bytes() for result in results)).hexdigest()[:8]
    path = pictures.keep(f"{kind}-{content}", draw)
    return markdown.figure(path, caption.replace("$", ""), caption)


def band(values: list[float], form: str = "{:.3g}", unit: str = "") -> str:
    """Median, and the least and the largest where they differ; what rounds to zero has no sign."""
    ends = [form.format(x) for x in (statistics.median(values), min(values), max(values))]
    middle, low, high = (text if float(text) else text.lstrip("-") for text in ends)
    return f"{middle}{unit}" if low == high else f"{middle}{unit} ({low} to {high})"


# --- single configs ---------------------------------------------------------------------------------------------------


def ring_runs() -> list[str]:
    """The ring configs: modes and quality of every seed at the end, what a run cost, when and where."""
    rows = []
    for path in sorted(RESULTS.glob("ring_*.json")):
        data = read(path.stem)
        runs = data["runs"]
        rows.append(
            [
                f"`{data['config']['name']}`",
                "/".join(str(run["strict"]) for run in runs),
                "/".join(str(run["near"]) for run in runs),
                "/".join(f"{100 * run['quality']:.0f}" for run in runs),
                f"{statistics.median(run['gradients'] + 2 * run['vjps'] for run in runs):.0f}",
                f"{statistics.median(run['cpu_seconds'] for run in runs):.0f}",
                f"{data['commit']}",
            ]
        )
    heads = ["config", "modes, strict", "near", "high quality, %", "gradients", "CPU s", "commit"]
    return markdown.table(heads, rows)


def digits_run(name: str = "digits_dcgan") -> list[str]:
    """The digits DCGAN along its run, or along those of several seeds: medians and bands."""
    data = read(name)
    runs = data.get("runs", [data])
    measured = zip(*([row for row in run["rows"] if "metrics" in row] for run in runs), strict=True)
    heads = ["step", "Fréchet distance", "of averaged weights", "real against real", "classes", "share of the rarest"]
    table = markdown.table(heads, [_digits_row(rows) for rows in measured])
    seeds = f", {len(runs)} seeds; medians, least and largest in brackets" if len(runs) > 1 else ""
    seconds = band([run["cpu_seconds"] for run in runs], "{:.0f}")
    note = f"{seconds} CPU seconds from start to end, metrics and pictures included{seeds}."
    return [*table, note, "", *measured_on(name)]


def _digits_row(rows: Sequence[dict[str, Any]]) -> list[str]:
    """A measured step of every run."""
    metrics, average = ([row[key] for row in rows] for key in ("metrics", "average_metrics"))
    return [
        str(rows[0]["step"]),
        *(band([m["frechet_digits64"] for m in found], "{:.1f}") for found in (metrics, average)),
        band([m["floor"] for m in metrics], "{:.2f}"),
        f"{band([m['classes'] for m in metrics])} of {metrics[0]['of']}",
        band([100 * m["least_share"] for m in metrics], "{:.0f}", " %"),
    ]


def digits_by_hand() -> list[str]:
    """The digits DCGAN beside a loop written by hand: distances of last and averaged weights along the way."""
    data = read("digits_by_hand")
    runs = [row for row in data["rows"] if row["stage"] == "run"]
    places = sorted({row["steps"] for row in runs})
    bands = {(band["weights"], band["steps"]): band for band in data["settled"]["bands"]}
    rows = []
    for name in dict.fromkeys(name for name, _ in bands):
        own = [row for row in runs if row["weights"] == name]
        reached = [bands[name, steps]["band"] for steps in places]
        rows.append([name, f"{own[0]['lr']:g}", f"{own[0]['beta1']:g}",
                     *(f"{middle:.2f} ({low:.2f} to {high:.2f})" for low, middle, high in reached),
                     str(bands[name, places[-1]]["seeds"]),
                     f"{statistics.median(row['cpu_seconds'] for row in own):.0f}"])  # fmt: skip
    heads = ["weights", "lr", "beta1", *(f"Fréchet after {steps} updates" for steps in places), "seeds", "CPU s"]
    return [*markdown.table(heads, rows), *measured_on("digits_by_hand")]


def digits_spectrum() -> list[str]:
    """The ends of the game Jacobian that the digits run ends at."""
    data = read("digits_spectrum")
    names = {"LM": "largest modulus", "LR": "rightmost", "SR": "leftmost", "LI": "largest imaginary part"}
    rows = []
    for name, end in data["ends"].items():
        (real, imaginary), residual = end["eigenvalues"][0], end["residuals"][0]
        value = f"{real:.4g}" if imaginary == 0 else f"{real:.4g} ± {abs(imaginary):.4g} i"
        rows.append([names[name], value, f"{residual:.1e}", end["resolution"].lower()])
    note = f"{data['parameters']} parameters, {data['products']} products, {data['cpu_seconds']:.0f} CPU seconds."
    return [*markdown.table(["end", "eigenvalue", "residual", "how far believed"], rows), note, ""]


def mutants() -> list[str]:
    """How many wrong changes of which rooms were tried, and how many were noticed, from the mutation run's results."""
    path = RESULTS.parent.parent / "tests" / "mutation" / "results.json"
    if not path.exists():
        raise NotMeasured("tests/mutation/results.json")
    data = json.loads(path.read_text(encoding="utf-8"))
    rooms: dict[str, list[bool]] = {}
    for mutant in data["mutants"]:
        rooms.setdefault(mutant["name"].partition("/")[0], []).append(mutant["killed"])
    rows = [[room, str(len(killed)), str(sum(killed))] for room, killed in sorted(rooms.items())]
    rows.append(["all", str(sum(map(len, rooms.values()))), str(sum(map(sum, rooms.values())))])
    versions = ", ".join(f"{key} {value}" for key, value in data["versions"].items())
    return [
        *markdown.table(["room", "mutants", "noticed by a fast test"], rows),
        f"*At commit {data['commit'][:7]}; {versions}.*",
        "",
    ]
