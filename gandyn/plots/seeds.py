"""Methods compared over seeds: one dot a run, a bar at the median, the best method on top, one panel a data set."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..errors import ParameterError
from .drawing import Drawing
from .style import INK, QUIET, SERIES, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@styled
def seeds(
    panels: Mapping[str, Mapping[str, Sequence[float]]],
    labels: Mapping[str, str] | None = None,
    floors: Mapping[str, float] | None = None,
) -> Drawing:
    """One number of each run, such as a metric, as a dot, by method, the smallest median first.

    Args:
        panels: title -> method -> one number a seed; smaller is better.
        labels: title -> what the numbers are.
        floors: title -> what perfect samples would have.

    Returns:
        A `Drawing`; `.data` holds for each panel the methods in order, their values and medians.

    Raises:
        ParameterError: for a panel or a method without numbers.

    Example:
        >>> import gandyn as gd
        >>> figure = gd.plots.seeds({"ring": {"GDA": [2.0, 3.0], "extragradient": [1.0, 1.5]}})
        >>> figure.data["ring"]["methods"]
        ['extragradient', 'GDA']
    """
    if not panels or not all(panel and all(len(values) for values in panel.values()) for panel in panels.values()):
        raise ParameterError("a panel without numbers", "at least one number for each method", "leave it out")
    columns = min(len(panels), 2)
    rows = -(-len(panels) // columns)
    most = max(len(panel) for panel in panels.values())
    figure = Drawing(height=rows * (0.12 + 0.05 * most) * (1.3 if columns == 1 else 1.0))
    axes = figure.subplots(rows, columns, squeeze=False).flatten()
    methods = list(dict.fromkeys(method for panel in panels.values() for method in panel))
    colours = {method: SERIES[k % len(SERIES)] for k, method in enumerate(methods)}
    for place, (title, panel) in zip(axes, panels.items(), strict=False):
        medians = {method: statistics.median(values) for method, values in panel.items()}
        ranked = sorted(panel, key=lambda method: medians[method])
        for k, method in enumerate(ranked):
            values = [float(value) for value in panel[method]]
            colour = colours[method]
            place.plot([min(values), max(values)], [k, k], color=colour, lw=2.4, alpha=0.3, solid_capstyle="round")
            place.plot(values, [k] * len(values), "o", color=colour, ms=2.6, mew=0)
            place.plot([medians[method]], [k], "|", color=INK, ms=7, mew=1.0)
        place.set_yticks(range(len(ranked)), ranked)
        place.set_ylim(len(ranked) - 0.5, -0.5)
        place.set(title=title, xlabel=(labels or {}).get(title, ""))
        if all(value > 0 for values in panel.values() for value in values):
            _logarithmic(place)
        if floors and title in floors:
            place.axvline(floors[title], color=QUIET, lw=0.7, ls=":")
        values_shown = [[float(value) for value in panel[method]] for method in ranked]
        figure.data[title] = {"methods": ranked, "values": values_shown, "medians": [medians[m] for m in ranked]}
    for place in axes[len(panels) :]:
        place.set_visible(False)
    return figure


def _logarithmic(place: Axes) -> None:
    """A logarithmic axis with plain numbers at 1, 2 and 5 of each decade, which do not run into each other."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    place.set_xscale("log")
    place.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    place.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    place.xaxis.set_minor_formatter(NullFormatter())
