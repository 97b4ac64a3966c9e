"""Sweeps and update ratios, written from their result files: outcomes, medians and bands over seeds, and verdicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import markdown
import network_effects
from describe_results import Rows, band, picture, read

HEADS = {"near_modes": "modes", "near_quality": "near a mode"}


def sweep(name: str, *keys: str) -> list[str]:
    """A table of a sweep along one or two axes: outcomes, and of each cell the metrics named, over its seeds.

    Along one axis each metric has a column, and what a run costs has one.
    """
    data = read(f"sweep_{name.replace('-', '_')}")
    first, *second = list(data["cells"][0]["case"])
    found: dict[tuple[str, ...], Rows] = {}
    for cell in data["cells"]:
        found.setdefault(tuple(cell["case"].values()), []).append(cell)
    rows = _unique(cell["case"][first] for cell in data["cells"])
    if second:
        columns = _unique(cell["case"][second[0]] for cell in data["cells"])
        body = [[row, *(_cell(found[row, column], keys) for column in columns)] for row in rows]
    else:
        columns = ["outcome", *(HEADS.get(key, key) for key in keys), "CPU s"]
        body = [[row, _outcomes(found[row,]), *_numbers(found[row,], keys), _seconds(found[row,])] for row in rows]
    return [*markdown.table([first, *columns], body), _note(data["cells"]), ""]


def sweep_picture(name: str, *caption: str) -> list[str]:
    """The map of outcomes that `SweepResult.plot()` draws."""
    from gandyn import plots
    from gandyn.gans.training.sweep import Sweep, SweepResult

    result = f"sweep_{name.replace('-', '_')}"

    def draw() -> Any:
        with plots.house_style("double"):
            return plots.sweep(SweepResult(Sweep.find(name), read(result)["cells"]))

    return picture([result], f"sweep-{name}", draw, " ".join(caption))


def sweep_seeds(name: str, *caption: str) -> list[str]:
    """Of a sweep along one axis every seed of each case: modes without samples, and what the run cost."""
    from gandyn import plots

    result = f"sweep_{name.replace('-', '_')}"
    panels: dict[str, dict[str, list[float]]] = {"modes": {}, "cost": {}}
    for cell in read(result)["cells"]:
        [case] = cell["case"].values()
        missing = cell["metrics"]["of"] - cell["metrics"]["near_modes"]
        for panel, value in (("modes", missing), ("cost", cell["cpu_seconds"])):
            panels[panel].setdefault(case, []).append(value)

    def draw() -> Any:
        with plots.house_style("double"):
            return plots.seeds(panels, {"modes": "modes without samples", "cost": "CPU seconds"})

    return picture([result], f"sweep-seeds-{name}", draw, " ".join(caption))


def _cell(cells: Rows, keys: tuple[str, ...]) -> str:
    """ "4 covers, 1 partial: 93 % (88 to 97), 8 (7 to 8)"."""
    numbers = [number for number in _numbers(cells, keys) if number]
    return f"{_outcomes(cells)}: {', '.join(numbers)}" if numbers else _outcomes(cells)


def _outcomes(cells: Rows) -> str:
    counts = Counter(cell["outcome"] for cell in cells).most_common()
    return ", ".join(f"{count} {word}" if len(cells) > 1 else word for word, count in counts)


def _numbers(cells: Rows, keys: tuple[str, ...]) -> list[str]:
    """Each metric with its band; "" where no cell has it."""
    return [_band([c["metrics"][k] for c in cells if c["metrics"].get(k) is not None], "quality" in k) for k in keys]


def _band(known: list[float], share: bool) -> str:
    if not known:
        return ""
    return band([100 * x for x in known], "{:.0f}", " %") if share else band(known)


def _seconds(cells: Rows) -> str:
    known = [cell["cpu_seconds"] for cell in cells if cell["cpu_seconds"] is not None]
    return band(known, "{:.1f}") if known else ""


def _note(cells: Rows) -> str:
    seeds = len({cell["seed"] for cell in cells})
    steps = sorted({cell["steps"] for cell in cells})
    about = f"{' or '.join(map(str, steps))} steps, {seeds} seed{'s' * (seeds > 1)}"
    return about + ("; medians, least and largest in brackets." if seeds > 1 else ".")


def _unique(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))


def effects(name: str) -> list[str]:
    """What the experiment should show, each with its median, its band and what came of it."""
    rows = []
    found = network_effects.checked(name, read(network_effects.result_of(name)))
    for one in found:
        seen = f"{one.value - one.tolerance:.3g} to {one.value + one.tolerance:.3g}"
        rows.append([one.name, f"{one.found:.3g} ({one.band})", seen, str(one.outcome)])
    missing = {one.name for one in network_effects.EFFECTS[name]} - {one.name for one in found}
    rows += [[one.name, "", "", "not run"] for one in network_effects.EFFECTS[name] if one.name in missing]
    return markdown.table(["effect", "found, in seeds", "seen where", "outcome"], rows)


# --- update ratios and the duality gap --------------------------------------------------------------------------------


def regimes() -> list[str]:
    """Each regime's end, and the rank correlation of the gap with what it should tell of: medians and bands."""
    from gandyn.plots.regimes import PANELS, rank_correlations

    rows = []
    for config, runs in _by_config().items():
        last = [run["rows"][-1]["metrics"] for run in runs]
        found = [
            rank_correlations({key: [row["metrics"][key] for row in run["rows"]] for key, _ in PANELS}) for run in runs
        ]
        share = [r["measurement_gradients"] * len(r["rows"]) / r["rows"][-1]["gradients"] for r in runs]
        rows.append(
            [
                config,
                str(len(runs)),
                band([m["near_modes"] for m in last]),
                band([100 * m["near_quality"] for m in last], "{:.0f}", " %"),
                band([m["w1"] for m in last], "{:.2f}"),
                f"{band([m['duality_gap'] for m in last], '{:.2f}')} ± {max(m['gap_error'] for m in last):.1g}",
                *(band([f[key] for f in found], "{:+.2f}") for key in ("w1", "near_modes", "near_quality")),
                band([100 * s for s in share], "{:.0f}", " %"),
            ]
        )
    heads = ["run", "seeds", "modes", "near a mode", "$W_1$", "gap", "with $W_1$", "with modes", "with quality", "cost"]
    return markdown.table(heads, rows)


def regimes_picture() -> list[str]:
    """Gap, W1, modes and quality during the runs of each config."""
    from gandyn import plots

    runs = {config: found[0]["rows"] for config, found in _by_config().items()}

    def draw() -> Any:
        with plots.house_style("double"):
            return plots.gap_during_training(runs)

    caption = "The duality gap and what it should tell of, over the gradients spent, seed 0. "
    return picture(["regimes"], "regimes", draw, caption + "Dotted: $W_1$ of perfect samples.")


def _by_config() -> dict[str, Rows]:
    found: dict[str, Rows] = {}
    for run in sorted(read("regimes")["runs"], key=lambda run: run["seed"]):
        found.setdefault(run["config"].removeprefix("regime-"), []).append(run)
    return found
