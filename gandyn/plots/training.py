"""A training run: losses, gradient norms, metrics, and where failure modes began."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..types import Array
from .drawing import Drawing
from .style import MARKERS, QUIET, SERIES, styled

if TYPE_CHECKING:
    from ..gans.training.run import TrainingRun

MOST_METRICS = 4


@styled
def training(run: TrainingRun, title: str | None = None) -> Drawing:
    """What `TrainingRun.plot()` draws.

    Args:
        run: a training run with a log.
        title: the rule on the game by default.

    Returns:
        A `Drawing`; `.data` holds steps, losses, gradient norms and metrics.
    """
    metrics = _metrics(run.rows)
    figure = Drawing(height=1.25 if metrics else 0.95)
    axes = figure.subplots(3 if metrics else 2, 1, sharex=True)
    steps = np.array([row["step"] for row in run.rows])
    for panel, key, label in ((axes[0], "losses", "loss"), (axes[1], "gradient_norms", "gradient norm")):
        for k, player in enumerate(run.rows[0][key] if run.rows else ()):
            values = np.array([_number(row[key][player]) for row in run.rows])
            panel.plot(steps, values, color=SERIES[k], lw=0.9, label=player)
            figure.data[f"{key}/{player}"] = values
        panel.set_ylabel(label)
    axes[1].set_yscale("log")
    axes[0].legend(loc="upper right", frameon=False)
    for k, (name, (at, values)) in enumerate(metrics.items()):
        axes[2].plot(at, values, color=SERIES[2 + k], marker=MARKERS[k], ms=2.5, lw=0.9, label=name)
        figure.data[f"metrics/{name}"] = values
    if metrics:
        axes[2].set_ylabel("metrics")
        axes[2].legend(loc="best", frameon=False)
    for finding in run.findings:
        for panel in axes:
            panel.axvline(finding.step, color=QUIET, lw=0.6, ls=":")
        axes[0].annotate(
            finding.name, (finding.step, 0.02), xycoords=("data", "axes fraction"), rotation=90, fontsize="x-small"
        )
    axes[-1].set_xlabel("step")
    axes[0].set_title(f"{run.game.name}: {run.status.name.lower()}" if title is None else title)
    figure.data["step"] = steps
    return figure


def _metrics(rows: Any) -> dict[str, tuple[Array, Array]]:
    """(steps, values) of the first few numbers among the metrics."""
    measured = [row for row in rows if row.get("metrics")]
    names = [k for k, v in (measured[-1]["metrics"] if measured else {}).items() if isinstance(v, (int, float))]
    at = np.array([row["step"] for row in measured])
    shown = [name for name in names if name != "of"][:MOST_METRICS]
    return {name: (at, np.array([_number(row["metrics"].get(name)) for row in measured])) for name in shown}


def _number(value: Any) -> float:
    return np.nan if value is None else float(value)
