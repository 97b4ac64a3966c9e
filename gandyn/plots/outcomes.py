"""A sweep as a map of outcomes: one square a cell, a colour and a letter each."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from ..errors import ParameterError
from .drawing import Drawing
from .style import SERIES, styled

if TYPE_CHECKING:
    from ..gans.training.sweep import SweepResult

LETTERS = ("covers", "partial", "collapsed", "oscillates", "vanished", "diverged")
COLOURS = dict(zip(LETTERS, (SERIES[2], SERIES[5], SERIES[3], SERIES[4], SERIES[1], SERIES[0]), strict=True))


@styled
def sweep(result: SweepResult, title: str | None = None) -> Drawing:
    """What `SweepResult.plot()` draws: the most frequent outcome of each cell's seeds, over the sweep's axes.

    Args:
        result: of a sweep along one or two axes.
        title: the sweep's name by default.

    Returns:
        A `Drawing`; `.data` holds the outcomes, and for each cell the mean share of good samples where it was measured.

    Raises:
        ParameterError: for more than two axes.
    """
    axes = result.sweep.axes
    if len(axes) not in (1, 2):
        raise ParameterError(f"a sweep along {len(axes)} axes", "one or two", "draw slices of it")
    columns = [label for label, _ in axes[0].cases]
    rows = [label for label, _ in axes[1].cases] if len(axes) == 2 else [""]
    figure = Drawing(height=0.35 + 0.09 * len(rows))
    panel = figure.subplots()
    outcomes = np.full((len(rows), len(columns)), "", dtype=object)
    quality = np.full((len(rows), len(columns)), np.nan)
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            case = {axes[0].name: column} | ({axes[1].name: row} if len(axes) == 2 else {})
            cells = [cell for cell in result.rows if cell["case"] == case]
            if not cells:
                continue
            ((outcomes[i, j], _),) = Counter(cell["outcome"] for cell in cells).most_common(1)
            measured = [cell["metrics"].get("near_quality") for cell in cells]
            known = [value for value in measured if value is not None]
            quality[i, j] = np.mean(known) if known else np.nan
            panel.fill([j - 0.5, j + 0.5, j + 0.5, j - 0.5], [i - 0.5, i - 0.5, i + 0.5, i + 0.5],
                       color=COLOURS[outcomes[i, j]], alpha=0.75, lw=0)  # fmt: skip
            number = "" if np.isnan(quality[i, j]) else f"\n{100 * quality[i, j]:.0f} %"
            panel.text(j, i, f"{outcomes[i, j]}{number}", ha="center", va="center", fontsize="x-small")
    panel.set_xticks(range(len(columns)), columns, rotation=30 if max(map(len, columns)) > 6 else 0)
    panel.set_yticks(range(len(rows)), rows)
    panel.set(xlabel=axes[0].name, ylabel=axes[1].name if len(axes) == 2 else "")
    panel.set(xlim=(-0.5, len(columns) - 0.5), ylim=(-0.5, len(rows) - 0.5))
    panel.set_title(result.sweep.name if title is None else title)
    figure.data.update(outcomes=outcomes.tolist(), quality=quality, columns=columns, rows=rows)
    return figure
