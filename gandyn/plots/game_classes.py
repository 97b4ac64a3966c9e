"""Rules over classes of linear games: rates along a class, designs over parameters, recommendations."""

from __future__ import annotations

import math

import numpy as np

from ..analysis.optimal.companion import companion
from ..analysis.optimal.design import Design
from ..analysis.optimal.minimax import samples, worst
from ..analysis.optimal.rate import Rate
from ..analysis.optimal.recommend import Recommendation
from ..classes import Bilinear, Curve, StronglyMonotone
from ..errors import DomainError
from ..types import Array
from .drawable import rule_label
from .drawing import Drawing, one_panel
from .style import INK, OKABE_ITO, styled

SAMPLES = 400


@styled
def rate(found: Rate, title: str | None = None) -> Drawing:
    """The spectral radius of a rule over the linear games of a class.

    Over `Bilinear` as a curve above the singular values; otherwise as the colour of the border of the set of
    eigenvalues, both halves. The worst game is marked.

    Args:
        found: a result of `gd.rate`.
        title: of the picture.

    Returns:
        A `Drawing`; `.data` holds the eigenvalues `z`, the `radius` at each, and the `value`.
    """
    matrix = companion(found.rule, "a picture")
    curves = found.over.curves()
    z = np.concatenate([_points(curve) for curve in curves])
    radius = matrix.radius(z)
    figure, axes = one_panel(0.75)
    if isinstance(found.over, Bilinear):
        axes.plot(z.imag, radius, color=OKABE_ITO["blue"])
        axes.axhline(1.0, color=INK, linewidth=0.7)
        axes.set(xlabel="singular value", ylabel="spectral radius")
        marked = None if found.member is None else (found.member.imag, found.lower)
    else:
        both = np.concatenate([z, z.conj()])
        dots = axes.scatter(both.real, both.imag, c=np.tile(radius, 2), s=6, cmap="viridis")
        figure.colorbar(dots, ax=axes, label="spectral radius")
        axes.set(xlabel="real part of the eigenvalue", ylabel="imaginary part", aspect="equal")
        marked = None if found.member is None else (found.member.real, found.member.imag)
    if marked is not None:
        label = f"worst game: {found.lower:.6g}"
        axes.plot(*marked, "o", color=OKABE_ITO["vermillion"], label=label)
        figure.legend_below(axes)
    axes.set_title(title or rule_label(found.rule))
    figure.data.update(z=z, radius=radius, value=found.value)
    return figure


def _points(curve: Curve) -> Array:
    x, y, n = curve(np.linspace(0, 1, SAMPLES if curve.degree else 1))
    return (x + 1j * y) / n


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
    z = samples(found.over.curves(), EIGENVALUES)
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
        marked = [best[0], found.rate]
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
