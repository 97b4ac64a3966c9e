"""Designs: the worst rate of a rule over a class of games against one or two of its parameters."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..analysis.optimal.companion import companion
from ..analysis.optimal.design import Design
from ..analysis.optimal.minimax import samples, worst
from ..classes import StronglyMonotone
from ..errors import DomainError
from .drawable import rule_label
from .drawing import Drawing, one_panel
from .style import INK, OKABE_ITO, styled

RESOLUTION = {1: 400, 2: 120}
EIGENVALUES = 65


@styled
def design(found: Design, ranges: dict[str, tuple[float, float]] | None = None, title: str | None = None) -> Drawing:
    """The worst spectral radius over one or two parameters, the best values marked; where it is 1, stability ends.

    Args:
        found: a result of `gd.design` over linear games.
        ranges: (low, high) of each parameter; around the best values by default.
        title: of the picture.

    Returns:
        A `Drawing`; `.data` holds the parameters' values by name, and the `rate` on them.

    Raises:
        DomainError: for other classes, and for three parameters or more.
    """
    names = [str(p) for p in companion(found.rule, "a picture").parameters]
    if isinstance(found.over, StronglyMonotone) or len(names) > 2:
        raise DomainError(
            f"a picture of {len(names)} parameters over {found.over}", "one or two, linear games", "gd.rate"
        )
    matrix = companion(found.rule, "a picture")
    z = samples(found.over.curves(), EIGENVALUES)  # type: ignore[attr-defined]
    unit = 1 / float(np.abs(z).max())
    axes_values = [np.linspace(*_range(found, name, unit, ranges), RESOLUTION[len(names)]) for name in names]
    grid = np.meshgrid(*axes_values, indexing="ij")
    rate = worst(matrix, z, grid)
    figure, axes = one_panel(0.75)
    best = [found.values[name] for name in names]
    if len(names) == 1:
        axes.plot(axes_values[0], rate, color=OKABE_ITO["blue"])
        axes.axhline(1.0, color=INK, linewidth=0.7)
        axes.set(xlabel=names[0], ylabel="worst spectral radius", ylim=(min(found.rate, 0.98) - 0.02, 1.2))
        marked: Any = (best[0], found.rate)
    else:
        most = 2 - min(found.rate, 0.99)  # as far above 1 as the best is below
        shown = axes.contourf(*axes_values, np.minimum(rate, most).T, levels=24, cmap="viridis")
        axes.contour(*axes_values, rate.T, levels=[1.0], colors=["white"], linewidths=1.0)
        figure.colorbar(shown, ax=axes, label="worst spectral radius")
        axes.set(xlabel=names[0], ylabel=names[1])
        marked = best
    if all(map(math.isfinite, best)):
        axes.plot(*marked, "o", color=OKABE_ITO["vermillion"], label=f"best: {found.rate:.6g}")
        figure.legend_below(axes)
    axes.set_title(title or rule_label(found.rule))
    figure.data.update({**dict(zip(names, axes_values, strict=True)), "rate": rate})
    return figure


def _range(found: Design, name: str, unit: float, ranges: dict[str, tuple[float, float]] | None) -> tuple[float, float]:
    if ranges and name in ranges:
        return ranges[name]
    best = found.values[name]
    if not math.isfinite(best) or not best:
        return 1e-3 * unit, 2 * unit
    return (best - 0.5, best + 0.5) if best < 0 else (1e-3 * best, 2 * best)
