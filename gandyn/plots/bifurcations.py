"""Bifurcations as one or two parameters vary: branches with the points named, curves with the stable set."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ..analysis.parameters.branches import Bifurcation, Kind
from ..analysis.parameters.two_parameters import BifurcationCurves
from ..errors import ParameterError
from .drawable import coordinate_names, parameter_label, rule_label
from .drawing import Drawing, one_panel
from .regions import NEUTRAL, STABLE, extreme
from .style import INK, MARKERS, OKABE_ITO, QUIET, styled

RESOLUTION = 160
DASHES = {Kind.FOLD: (0, (1, 1)), Kind.FLIP: (0, (5, 1.5)), Kind.NEIMARK_SACKER: "-", Kind.HOPF: "-"}


@styled
def bifurcation_curves(result: BifurcationCurves, title: str | None = None) -> Drawing:
    """Bifurcation curves over two parameters, thick where they bound the stable set, and their special points.

    Args:
        result: of `gd.bifurcation_curves`.
        title: of the picture.

    Returns:
        A `Drawing`; `.data` holds lists `curves` and `points`, the axes' `x`, `y` and the boolean `stable`.
    """
    figure, axes = one_panel(0.85)
    x, y, stable = _stable(result)
    if stable.any():
        axes.contourf(x, y, stable.astype(float), levels=[0.5, 1.5], colors=[STABLE], zorder=0)
    for curve in result.curves:
        colour = OKABE_ITO[COLOURS[curve.kind]]
        width = 1.7 if curve.edge else 0.7
        axes.plot(*curve.points.T, color=colour, linestyle=DASHES[curve.kind], linewidth=width, zorder=2)
    for point, (across, up) in zip(result.points, _free_sides(result), strict=True):
        place = float(point.values[0]), float(point.values[1])
        axes.plot(*place, "o", color="white", markeredgecolor=INK, markersize=4, zorder=4, clip_on=False)
        axes.annotate(
            point.name, place, xytext=(7 * across, 7 * up), textcoords="offset points", zorder=5,
            ha=("right", "center", "left")[round(across) + 1], va=("top", "center", "bottom")[round(up) + 1],
        )  # fmt: skip
    known = result.matrix is not None
    handles: list[Line2D | Patch] = [Patch(facecolor=STABLE, label="attracting")] if known else []
    for kind in dict.fromkeys(curve.kind for curve in result.curves):
        there = kind is Kind.FOLD and known  # the equilibrium is there on both sides: no fold
        label = f"eigenvalue {0 if result.rule is None else 1}" if there else kind.value
        handles.append(Line2D([], [], color=OKABE_ITO[COLOURS[kind]], linestyle=DASHES[kind], label=label))
    across, up = map(parameter_label, result.parameters)
    axes.set(xlim=result.ranges[0], ylim=result.ranges[1], xlabel=across, ylabel=up)
    axes.set_title(title or f"{rule_label(result.rule)} on {result.game.name}")
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    figure.data.update(
        x=x, y=y, stable=stable,
        curves=[{"kind": c.kind.value, "points": c.points, "edge": c.edge} for c in result.curves],
        points=[{"name": q.name, "values": tuple(map(float, q.values))} for q in result.points],
    )  # fmt: skip
    return figure


def _free_sides(result: BifurcationCurves) -> list[np.ndarray]:
    """For each special point the one of eight directions in which its name is farthest from arcs and other points."""
    low, width = np.array(result.ranges)[:, 0], np.diff(result.ranges)[:, 0]
    own = (np.array([tuple(map(float, q.values)) for q in result.points]).reshape(-1, 2) - low) / width
    drawn = np.concatenate([own, *((c.points - low) / width for c in result.curves), np.zeros((0, 2))])
    turns = np.arange(8) * np.pi / 4
    sides = np.stack([np.cos(turns), np.sin(turns)], -1)
    chosen = []
    for k, place in enumerate(own):
        ends = place + np.array([0.09, 0.06]) * sides
        others = np.delete(drawn, k, axis=0)
        room = np.abs(ends[:, None] - others).max(-1).min(-1, initial=1.0)
        room = np.where(((ends > 0.06) & (ends < 0.94)).all(-1), room, room - 1)
        chosen.append(sides[int(np.argmax(room))])
    return chosen


def _stable(result: BifurcationCurves) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whether every eigenvalue lies on the stable side, clear of the boundary by more than rounding, on a grid."""
    (a, b), (c, d) = result.ranges
    x, y = np.linspace(a, b, RESOLUTION), np.linspace(c, d, RESOLUTION)
    p, q = np.meshgrid(x, y)
    if result.matrix is None:  # the equilibrium moves, and may not be there
        return x, y, np.zeros(p.shape, dtype=bool)
    flow = result.rule is None
    size, scale = extreme(result.matrix, result.parameters, [p, q], flow)
    return x, y, size < (0.0 if flow else 1.0) - NEUTRAL * scale


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
    axes.set(xlabel=parameter_label(result.parameter), ylabel=coordinate_names(result.game)[coordinate])
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
