"""Rules at equal cost: the median over seeds of a metric against what was spent, with bands between the quartiles."""

from __future__ import annotations

import numpy as np

from ..analysis.measured.comparison import Comparison, step_size
from .drawing import Drawing, one_panel
from .style import series_styles, styled


@styled
def comparison(result: Comparison, title: str | None = None) -> Drawing:
    """What `Comparison.plot()` draws, on a logarithmic scale where the metric is positive.

    Args:
        result: of `gd.compare`.
        title: of the picture.

    Returns:
        A `Drawing`; `.data` holds for each label `spent`, and `low`, `median`, `high` over seeds.
    """
    figure, axes = one_panel(0.8)
    labels = [c.label for c in result.contenders]
    styles = series_styles(labels, [False] * len(labels))
    positive = all((c.values > 0).all() for c in result.contenders)
    for c in result.contenders:
        low, median, high = np.quantile(c.values, [0.25, 0.5, 0.75], axis=0)
        style = styles[c.label]
        size = step_size(c.rule)
        label = c.label if size is None else f"{c.label}, lr {size:.3g}" if isinstance(size, float) else c.label
        axes.plot(c.spent, median, color=style.colour, linewidth=style.width, label=label)
        axes.fill_between(c.spent, low, high, color=style.colour, alpha=0.2, linewidth=0)
        figure.data[c.label] = {"spent": c.spent, "low": low, "median": median, "high": high}
    axes.set_yscale("log" if positive else "linear")
    axes.set(xlabel=f"cost ({result.unit})", ylabel=result.metric, title=title or result.game.name)
    axes.margins(x=0)
    figure.legend(loc="outside lower center", ncols=2)
    return figure
