"""Recommendations: the best factor per gradient of each rule on one class, and the limit that none can pass."""

from __future__ import annotations

from ..analysis.optimal.recommend import Recommendation
from .drawing import Drawing, one_panel
from .style import OKABE_ITO, styled


@styled
def recommendation(found: Recommendation, title: str | None = None) -> Drawing:
    """A bar for each rule: its best worst-case factor per gradient; hollow where it is only approached.

    Args:
        found: a result of `gd.recommend`.
        title: of the picture.

    Returns:
        A `Drawing`; `.data` holds the `rules`, their factors `per_gradient` and the `limit`.
    """
    rows = list(reversed(found.choices))
    names = [
        f"alternating {c.design.rule.name}" if getattr(c.design.rule, "alternating", False) else c.design.rule.name
        for c in rows
    ]
    factors = [c.per_gradient for c in rows]
    figure, axes = one_panel(0.7)
    for k, (c, factor) in enumerate(zip(rows, factors, strict=True)):
        face = OKABE_ITO["blue"] if c.design.attained else "none"
        axes.barh(k, factor, color=face, edgecolor=OKABE_ITO["blue"], height=0.6)
    if found.limit is not None:
        label = f"limit of rules that use fields alone: {found.limit:.4g}"
        axes.axvline(found.limit, color=OKABE_ITO["vermillion"], linestyle="--", label=label)
        figure.legend_below(axes)
    axes.set_yticks(range(len(rows)), names)
    axes.set(xlabel="worst factor per gradient", title=title or str(found.over), xlim=(0, 1.02))
    figure.data.update(rules=names, per_gradient=factors, limit=found.limit)
    return figure
