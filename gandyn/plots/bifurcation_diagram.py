"""Bifurcation diagrams: branches of fixed points, stable and unstable, over the long-run values of an ensemble."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from ..analysis.parameters.branches import Bifurcation, Kind
from ..errors import ParameterError
from .drawable import coordinate_names, rule_label
from .drawing import Drawing, one_panel
from .style import INK, MARKERS, OKABE_ITO, QUIET, styled

COLOURS = dict(zip(Kind, ("green", "orange", "blue", "purple", "vermillion", "sky", "sky", "black"), strict=True))
LEGEND: tuple[dict[str, Any], ...] = (
    {"color": INK, "linewidth": 1.5, "label": "attracting"},
    {"color": INK, "linewidth": 0.8, "linestyle": "--", "label": "not attracting"},
    {"color": QUIET, "marker": ".", "linestyle": "none", "label": "long-run values"},
)


@styled
def bifurcation(result: Bifurcation, coordinate: int = 0, title: str | None = None) -> Drawing:
    """One coordinate against the parameter: attracting branches solid, the others dashed, long-run values as dots.

    Args:
        result: of `gd.bifurcation`.
        coordinate: which one is drawn.
        title: of the picture.

    Returns:
        A `Drawing`; `.data` holds `values`, `attractor`, and lists `branches` and `points`.

    Raises:
        ParameterError: for a coordinate that the game does not have.
    """
    if not 0 <= coordinate < result.game.dim:
        raise ParameterError(f"coordinate={coordinate}", f"0 to {result.game.dim - 1}", "coordinate=0")
    figure, axes = one_panel(0.8)
    samples = result.attractor[..., coordinate]
    p = np.broadcast_to(result.values[:, None], samples.shape)
    axes.plot(
        p.ravel(), samples.ravel(), linestyle="none", marker=".", markersize=1.2, color=QUIET, alpha=0.5,
        markeredgewidth=0, rasterized=True, zorder=1,
    )  # fmt: skip
    for branch in result.branches:
        x, y = branch.parameter, branch.points[:, coordinate]
        for stable, style, width in ((True, "-", 1.5), (False, "--", 0.8)):
            shown = branch.stable == stable
            shown[:-1] |= shown[1:] & (branch.stable[:-1] != branch.stable[1:]) & stable
            axes.plot(x, np.where(shown, y, np.nan), color=INK, linestyle=style, linewidth=width, zorder=2)
    heights = [branch.points[:, coordinate] for branch in result.branches]
    _limits(axes, np.concatenate([*heights, samples[np.isfinite(samples)]]))
    handles = [Line2D([], [], **style) for style in LEGEND]
    for kind in dict.fromkeys(q.kind for q in result.points):
        places = [(q.parameter, q.point[coordinate]) for q in result.points if q.kind is kind]
        colour, marker = OKABE_ITO[COLOURS[kind]], MARKERS[list(Kind).index(kind) % len(MARKERS)]
        axes.plot(
            *zip(*places, strict=True), linestyle="none", marker=marker, color=colour, markeredgecolor=INK,
            markeredgewidth=0.5, zorder=4,
        )  # fmt: skip
        handles.append(Line2D([], [], color=colour, marker=marker, linestyle="none", label=kind.value))
    axes.set(xlabel=result.parameter, ylabel=coordinate_names(result.game)[coordinate])
    axes.set_title(title or f"{rule_label(result.rule)} on {result.game.name}")
    axes.margins(x=0)
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    figure.data.update(
        values=result.values,
        attractor=result.attractor,
        branches=[{"parameter": b.parameter, "points": b.points, "stable": b.stable} for b in result.branches],
        points=[{"kind": q.kind.value, "parameter": q.parameter, "point": q.point} for q in result.points],
    )
    return figure


def _limits(axes: Axes, heights: np.ndarray) -> None:
    """A frame that holds nearly all of what is drawn, with room at both ends."""
    if len(heights):
        low, high = np.quantile(heights, [0.002, 0.998])
        room = 0.08 * max(high - low, 1e-6)
        axes.set_ylim(low - room, high + room)
