"""The duality gap beside what it should tell of: modes, quality and distance to the data over GANs in training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ParameterError
from ..types import Array
from .drawing import Drawing
from .style import QUIET, series_styles, styled

if TYPE_CHECKING:
    from ..gans.monitor import Row

PANELS = (
    ("duality_gap", "duality gap (estimate)"),
    ("w1", "$W_1$ to the data"),
    ("near_modes", "modes"),
    ("near_quality", "samples near a mode"),
)


@styled
def gap_during_training(runs: Mapping[str, Any], title: str | None = None) -> Drawing:
    """Gap, W1, modes and quality of several training runs over the gradients that they spent.

    Args:
        runs: label -> a training run, or the rows of its log, measured with `names = ["modes", "w1", "gap"]`; rows may
            have `gradients`, else the steps are the axis.
        title: above all panels.

    Returns:
        A `Drawing`; `.data` holds for each label the axis, the four series, and `rank_correlation`, Spearman's, of the
        gap with each of the others over the measured rows.

    Raises:
        ParameterError: for runs without these metrics.
    """
    figure = Drawing(height=1.15)
    axes = figure.subplots(len(PANELS), 1, sharex=True)
    styles = series_styles(list(runs), [False] * len(runs))
    priced = True
    for label, run in runs.items():
        rows = [row for row in getattr(run, "rows", run) if row.get("metrics")]
        series = {key: _column(label, rows, key) for key, _ in PANELS}
        priced = priced and all("gradients" in row for row in rows)
        at = np.array([row["gradients"] if priced else row["step"] for row in rows], dtype=float)
        for panel, (key, _) in zip(axes, PANELS, strict=True):
            style = styles[label]
            panel.plot(at, series[key], color=style.colour, lw=style.width, marker=style.marker, ms=2, label=label)
        figure.data[label] = {"at": at, **series, "rank_correlation": rank_correlations(series)}
    floors = [row["metrics"].get("w1_floor") for run in runs.values() for row in getattr(run, "rows", run)
              if row.get("metrics")]  # fmt: skip
    if floors and all(floor is not None for floor in floors):
        axes[1].axhline(float(np.median(floors)), color=QUIET, lw=0.6, ls=":")
    for panel, (key, label) in zip(axes, PANELS, strict=True):
        panel.set_ylabel(label)
        if key == "duality_gap":
            panel.set_yscale("symlog", linthresh=0.1)
        elif key == "w1":
            panel.set_yscale("log")
        panel.margins(x=0.01)
    axes[-1].set_xlabel("gradients" if priced else "step")
    if title:
        figure.suptitle(title, fontsize="medium")
    figure.legend_below(axes[0], min(len(runs), 3))
    return figure


def rank_correlations(series: Mapping[str, object]) -> dict[str, float]:
    """Spearman's correlation of the duality gap with each other series; nan where one of them stands still."""
    from scipy.stats import rankdata

    def ranks(values: Array) -> Array:
        found = rankdata(values)
        return found - found.mean()

    gap = ranks(series["duality_gap"])
    result = {}
    for key, values in series.items():
        if key != "duality_gap":
            other = ranks(values)
            scale = float(np.linalg.norm(gap) * np.linalg.norm(other))
            result[key] = float(gap @ other) / scale if scale > 0 else float("nan")
    return result


def _column(label: str, rows: Sequence[Row], key: str) -> Array:
    if not rows or any(key not in row["metrics"] for row in rows):
        raise ParameterError(
            f"the run {label!r} without {key} in its metrics", "modes, W1 and gap", 'names = ["modes", "w1", "gap"]'
        )
    return np.array([float(row["metrics"][key]) for row in rows])
