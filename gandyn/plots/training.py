"""A training: losses, gradient norms and metrics over its steps, and where failure modes began; bands over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ParameterError, refuse_unknown
from ..results import BAND, Result
from .drawable import labelled, listed
from .drawing import Drawing
from .style import MARKERS, QUIET, SERIES, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..gans.monitor import Row
    from ..gans.training.run import TrainingRun
    from ..gans.training.seeded_runs import SeededRuns

MOST_METRICS = 4
FEWEST = 2  # members below which no band is drawn
Series = tuple[np.ndarray, np.ndarray]  # steps (T,), and the members' values (T, K)


@styled
def training(run: TrainingRun | SeededRuns, title: str | None = None) -> Drawing:
    """What `TrainingRun.plot()` and `SeededRuns.plot()` draw.

    Of several seeds a line is the median over members, and the band around it reaches from the 10th to the 90th
    percentile, as in `summary()`. A member counts at the steps for which its log has a finite number.

    Args:
        run: a training run, or runs of several seeds, with a log.
        title: the game, and how the runs ended, by default.

    Returns:
        A `Drawing`; `.data` holds steps, losses, gradient norms and metrics: of one run (T,), of K seeds (T, K).
    """
    known = logged(run)
    groups = _metrics(known, run.rows)
    figure = Drawing(height=0.95 + 0.35 * len(groups))
    axes = figure.subplots(2 + len(groups), 1, sharex=True)
    for panel, key, label in ((axes[0], "losses", "loss"), (axes[1], "gradient_norms", "gradient norm")):
        for k, path in enumerate(path for path in known if path.startswith(f"{key}/")):
            _draw(figure, panel, path, known[path], color=SERIES[k])
        panel.set_ylabel(label)
    axes[1].set_yscale("log")
    for panel, (label, group) in zip(axes[2:], groups.items(), strict=True):
        for k, path in group:
            _draw(figure, panel, path, known[path], color=SERIES[2 + k], marker=MARKERS[k], ms=2.5)
        panel.set_ylabel(label)
    for panel in (axes[0], *axes[2:]):  # above the panels: inside, a legend would lie on a band
        panel.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)
    _mark_findings(axes, run)
    axes[-1].set_xlabel("step")
    figure.suptitle(f"{run.game.name}: {_ending(run)}" if title is None else title)
    figure.data["step"] = np.array([row["step"] for row in run.rows])
    return figure


@styled
def bands(runs: object, quantities: str | Sequence[str], title: str | None = None) -> Drawing:
    """Trainings of several seeds compared: one panel for each quantity, one colour for each training.

    A line is the median over the members of a training, and the band around it reaches from the 10th to the 90th
    percentile. A member counts at the steps for which its log has a finite number; the legend says how many diverged.

    Args:
        runs: `SeededRuns`, a list of them, or a dict from label to each; without labels they are named by their rules.
            A `TrainingRun` of one seed is drawn as a line.
        quantities: one or several numbers of the log by their path, such as "losses/generator",
            "gradient_norms/discriminator" or "metrics/near_quality".
        title: the game by default.

    Returns:
        A `Drawing`; `.data` holds for each label and path the steps `at` (T,) and `values` (T, K).

    Raises:
        ParameterError: for results that are no training runs.
        UnknownNameError: for a quantity that a log does not have.

    Example:
        >>> import gandyn as gd
        >>> generator, discriminator = gd.gans.mlp_pair(hidden=(8,))
        >>> game = gd.gans.GANGame(generator, discriminator, data="ring", batch_size=8)
        >>> runs = [gd.gans.train(game, rule(0.05), 4, seeds=3, log_every=2) for rule in (gd.rules.GDA, gd.rules.SGDM)]
        >>> figure = gd.plots.bands(runs, "losses/generator")
        >>> figure.data["Simultaneous GD"]["losses/generator"]["values"].shape
        (3, 3)
    """
    paths = [quantities] if isinstance(quantities, str) else list(quantities)
    given = listed(runs, Result)
    if not given or not all(hasattr(run, "rows") for run in given):
        what = "results without a log" if given else "no training run"
        raise ParameterError(what, "training runs", "give what gd.gans.train returned")
    several = labelled(runs, Result)
    figure = Drawing(height=0.25 + 0.45 * len(paths))
    axes = figure.subplots(len(paths), 1, sharex=True, squeeze=False)[:, 0]
    for k, (label, run) in enumerate(several.items()):
        known = logged(run)
        figure.data[label] = {}
        for panel, path in zip(axes, paths, strict=True):
            refuse_unknown("quantity", path, known)
            at, values = known[path]
            band(panel, at, values, color=SERIES[k % len(SERIES)], label=f"{label}{_lost(run)}")
            figure.data[label][path] = {"at": at, "values": values}
    for panel, path in zip(axes, paths, strict=True):
        panel.set(ylabel=_words(path), yscale="log" if path.startswith("gradient_norms/") else "linear")
        panel.margins(x=0)
    axes[-1].set_xlabel("step")
    axes[0].set_title(", ".join(dict.fromkeys(run.game.name for run in several.values())) if title is None else title)
    figure.legend_below(axes[0])
    return figure


def band(panel: Axes, at: np.ndarray, values: np.ndarray, color: str, label: str, **line: Any) -> None:
    """The median over members as a line, and what lies between the percentiles of `BAND` as a band around it.

    Args:
        panel: matplotlib axes. at: steps, (T,). values: of K members, (T, K); those not finite are left out.
        color, label: of the line. line: its other properties.
    """
    shown = np.full((3, len(at)), np.nan)
    for k, row in enumerate(values):
        finite = row[np.isfinite(row)]
        if len(finite):
            shown[:, k] = np.percentile(finite, (BAND[0], 50, BAND[1]))
    panel.plot(at, shown[1], color=color, label=label, **{"lw": 0.9, **line})
    if values.shape[1] >= FEWEST:
        panel.fill_between(at, shown[0], shown[2], color=color, alpha=0.2, lw=0)


def logged(run: TrainingRun | SeededRuns) -> dict[str, Series]:
    """Every number in a run's log by its path, such as "losses/generator", at the steps whose row has it."""
    found: dict[str, tuple[list[int], list[list[float]]]] = {}
    for row in run.rows:
        for path, value in _numbers(row, hasattr(run, "seeds")):
            at, values = found.setdefault(path, ([], []))
            at.append(row["step"])
            values.append(value)
    return {path: (np.array(at), np.array(values, dtype=float)) for path, (at, values) in found.items()}


def _numbers(row: Mapping[str, Any], several: bool, above: str = "") -> list[tuple[str, list[float]]]:
    """(path, the members' values) of every number below a row; vectors, such as the centre of samples, are left out."""
    found: list[tuple[str, list[float]]] = []
    for key, value in row.items():
        members = value if several else [value]
        if isinstance(value, Mapping):
            found += _numbers(value, several, f"{above}{key}/")
        elif key != "step" and all(m is None or isinstance(m, (int, float)) for m in members):
            found.append((above + key, [np.nan if m is None else m for m in members]))
    return found


def _draw(figure: Drawing, panel: Axes, path: str, series: Series, color: str, **style: Any) -> None:
    at, values = series
    band(panel, at, values, color, label=path.partition("/")[2].replace("_", " "), **style)
    figure.data[path] = values[:, 0] if values.shape[1] == 1 else values


def _metrics(known: Mapping[str, Series], rows: Sequence[Row]) -> dict[str, list[tuple[int, str]]]:
    """The first few metrics that were measured last, numbered: those that stay within 0 and 1 apart from the others."""
    last: Row = next((row["metrics"] for row in reversed(rows) if row.get("metrics")), {})
    paths = [path for path in (f"metrics/{name}" for name in last if name != "of") if path in known]
    found: dict[str, list[tuple[int, str]]] = {}
    for k, path in enumerate(paths[:MOST_METRICS]):
        finite = known[path][1][np.isfinite(known[path][1])]
        found.setdefault("shares" if (np.clip(finite, 0, 1) == finite).all() else "metrics", []).append((k, path))
    return found


def _mark_findings(axes: Sequence[Axes], run: TrainingRun | SeededRuns) -> None:
    """Where the failure modes of one run began; of several seeds nothing, since the members differ."""
    for finding in [] if hasattr(run, "seeds") else run.findings:
        for panel in axes:
            panel.axvline(finding.step, color=QUIET, lw=0.6, ls=":")
        axes[0].annotate(
            finding.name, (finding.step, 0.02), xycoords=("data", "axes fraction"), rotation=90, fontsize="x-small"
        )


def _ending(run: TrainingRun | SeededRuns) -> str:
    return f"{len(run.seeds)} seeds{_lost(run)}" if hasattr(run, "seeds") else str(run.status.name.lower())


def _lost(run: TrainingRun | SeededRuns) -> str:
    """How many members of several diverged, in words; nothing where none did."""
    statuses = list(run.status) if hasattr(run, "seeds") else [run.status]
    lost = sum(status.name == "DIVERGED" for status in statuses)
    return f", {lost} of {len(statuses)} diverged" if lost else ""


def _words(path: str) -> str:
    """A path as the label of an axis: "losses/generator" is "loss of generator", "metrics/w1" is "w1"."""
    kind, _, name = path.partition("/")
    kinds = {"losses": "loss of ", "gradient_norms": "gradient norm of ", "metrics": ""}
    return f"{kinds.get(kind, f'{kind} ')}{name}".strip().replace("_", " ")
