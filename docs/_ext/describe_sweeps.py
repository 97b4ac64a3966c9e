"""Sweeps and update ratios, written from their result files: outcomes, medians and bands over seeds, and verdicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import markdown
import network_effects
from describe_results import Rows, band, picture, read


def sweep(name: str, *keys: str) -> list[str]:
    """A table of a sweep along two axes: outcomes, and of each cell the metrics named, over its seeds."""
    data = read(f"sweep_{name.replace('-', '_')}")
    first, second = list(data["cells"][0]["case"])
    rows, columns = (_unique(cell["case"][axis] for cell in data["cells"]) for axis in (first, second))
    found: dict[tuple[str, ...], Rows] = {}
    for cell in data["cells"]:
        found.setdefault(tuple(cell["case"].values()), []).append(cell)
    body = [[row, *(_cell(found[row, column], keys) for column in columns)] for row in rows]
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


def _cell(cells: Rows, keys: tuple[str, ...]) -> str:
    """ "4 covers, 1 partial: 93 % (88 to 97), 8 (7 to 8)"."""
    counts = Counter(cell["outcome"] for cell in cells).most_common()
    outcomes = ", ".join(f"{count} {word}" if len(cells) > 1 else word for word, count in counts)
    numbers = []
    for key in keys:
        known = [cell["metrics"][key] for cell in cells if cell["metrics"].get(key) is not None]
        if known:
            numbers.append(band([100 * x for x in known], "{:.0f}", " %") if "quality" in key else band(known))
    return f"{outcomes}: {', '.join(numbers)}" if numbers else outcomes


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
