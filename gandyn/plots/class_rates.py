"""Rates over classes of games: the spectral radius along the class, with the worst game marked."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..analysis.optimal.companion import companion
from ..analysis.optimal.rate import Rate
from ..classes import Bilinear, Curve
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
    curves = found.over.curves()  # type: ignore[attr-defined]
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


def _points(curve: Curve) -> Any:
    x, y, n = curve(np.linspace(0, 1, SAMPLES if curve.degree else 1))
    return (x + 1j * y) / n
