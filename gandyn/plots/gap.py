"""The duality gap: what one measurement found, its landscape beside the minimax one, and its decay along runs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import mpl_toolkits.mplot3d  # noqa: F401 - registers the 3-D projection
import numpy as np
from matplotlib.ticker import MaxNLocator

from ..analysis.gap import DualityGap, GapAlong, GapFlow, duality_gap
from ..arguments import box_array, numeric_equilibria
from ..errors import ParameterError
from ..lazy import sympy
from ..types import Game
from .drawable import Box, box_around, coordinate_names, evaluate, inside, listed, plane, runs_in_box
from .drawing import Drawing, one_panel
from .marks import Place, clear_panes, mark_equilibria, mark_starts
from .phase import chosen_points, phase_portrait
from .style import INK, OKABE_ITO, QUIET, SERIES, series_styles, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.contour import ContourSet
    from mpl_toolkits.mplot3d.axes3d import Axes3D

    from .style import Style


GRID = 61
LEVELS = 14
CLAIMS = {"exact": "exact", "lower": "a lower bound", "upper": "an upper bound", "estimate": "an estimate"}


@styled
def duality_gap_shares(result: DualityGap, title: str | None = None) -> Drawing:
    """What `DualityGap.plot()` draws: the gap after each inner step where there were any, else each player's share.

    Args:
        result: of `gd.duality_gap`.
        title: of the picture.

    Returns:
        A `Drawing`; `.data` holds `history` or `terms`, and the interval where there is one.

    Raises:
        ParameterError: for an ensemble of points, or a gap that is not finite.
    """
    if np.ndim(result.value) or not np.isfinite(float(result.value)):
        raise ParameterError(
            "an ensemble of gaps" if np.ndim(result.value) else f"a gap of {result.value}",
            "one finite gap",
            "plot one point's, or gd.plots.landscapes(game)",
        )
    figure, axes = one_panel(0.62)
    claim = CLAIMS[result.kind]
    if result.history is not None:
        history = np.asarray(result.history, dtype=float)
        axes.plot(np.arange(len(history)), history, color=SERIES[1])
        axes.set(xlabel="inner steps", ylabel=f"gap ({claim})", xlim=(0, len(history) - 1))
        figure.data["history"] = history
    else:
        names, terms = [p.name for p in result.game.players], np.asarray(result.terms, dtype=float)
        axes.barh(names[::-1], terms[::-1], color=SERIES[1], height=0.5)
        axes.set(xlabel=f"what each player could gain ({claim})")
        axes.margins(x=0.22)
        for k, term in enumerate(terms[::-1]):
            axes.annotate(f"{term:.4g}", (term, k), xytext=(3, 0), textcoords="offset points", va="center")
        figure.data.update(terms=terms, interval=result.interval)
    axes.set_title(f"duality gap {float(result.value):.5g}" if title is None else title)
    return figure


@styled
def landscapes(
    game: Game,
    trajectories: object = (),
    box: Box | None = None,
    method: str = "exact",
    surface: bool = False,
    fixed_points: object = "auto",
    grid: int = GRID,
    **options: Any,
) -> Drawing:
    """The minimax landscape f beside the duality-gap landscape of the same game, with the same points marked on both.

    Args:
        game: a game with two coordinates.
        trajectories: drawn on both, as in `phase_portrait`.
        box: ((low, high), (low, high)); by default around the trajectories.
        method, options: of `gd.duality_gap`; for "box" the players answer within the picture unless told otherwise.
        surface: 3-D surfaces instead of filled contours.
        fixed_points: "auto" to find them, a sequence of results, or () for none.
        grid: points a side.

    Returns:
        A `Drawing`; `.data` holds the grid, `cost` and `gap` on it, the gap's kind, and the trajectories.

    Raises:
        DomainError: for other than two coordinates, or without a gap by that method.
    """
    plane(game)
    runs, points, bounds = runs_in_box(game, trajectories, box)
    if method == "box" and not {"box", "radius"} & options.keys():
        options["box"] = bounds
    places = np.stack(np.meshgrid(*(np.linspace(low, high, grid) for low, high in bounds)), axis=-1)
    cost = evaluate(game, "costs", places.reshape(-1, 2))[0].reshape(places.shape[:-1])
    found = duality_gap(game, places.reshape(-1, 2), method, **options)
    gap = np.asarray(found.value, dtype=float).reshape(places.shape[:-1])
    rests = chosen_points(game, bounds, fixed_points)
    # Square axes do not shrink to make room: the titles, and each row of the legend, need theirs from the start.
    rows = math.ceil((len(runs) + 1) / 2)
    figure = Drawing(height=(0.58 if surface else 0.68) + 0.06 * rows)
    figure.data.update(box=bounds, grid=places, cost=cost, gap=gap, kind=found.kind, coordinates=coordinate_names(game))
    figure.data["trajectories"] = {label: {"t": run.t, "w": run.w} for label, run in runs.items()}
    figure.data["fixed_points"] = np.array([p.point for p in rests], dtype=float).reshape(-1, 2)
    styles = series_styles(list(runs), [run.rule is None for run in runs.values()])
    name = "$f$" if game.zero_sum else f"cost of {game.players[0].name}"
    for k, (heights, what) in enumerate(((cost, f"minimax: {name}"), (gap, f"duality gap ({CLAIMS[found.kind]})"))):
        axes = figure.add_subplot(1, 2, k + 1, **({"projection": "3d", "computed_zorder": False} if surface else {}))
        draw = _relief if surface else _contours
        drawn = draw(axes, places, heights, bounds)
        if drawn is not None:
            figure.colorbar(drawn, ax=axes, location="bottom", shrink=0.85, aspect=30, pad=0.02).locator = MaxNLocator(
                5
            )
        lift = (lambda at, heights=heights: _lift(at, places, heights)) if surface else np.asarray
        starts = np.concatenate([run[0] for run in points.values()]) if points else np.empty((0, 2))
        starts = starts[((starts >= bounds[:, 0]) & (starts <= bounds[:, 1])).all(-1)]
        for label, run in points.items():
            for j in range(run.shape[1]):
                _path(axes, run[:, j], bounds, places, heights, styles[label], label if j == 0 else "_", surface)
        mark_starts(axes, lift(starts))
        mark_equilibria(axes, rests, lift, edge="white")
        axes.set_title(what)
        axes.set_xlabel(figure.data["coordinates"][0], labelpad=-5 if surface else 1)
        axes.set_ylabel(figure.data["coordinates"][1], rotation=0, labelpad=-5 if surface else 2)
    figure.legend_below(figure.axes[0])
    return figure


def _contours(axes: Axes, places: np.ndarray, heights: np.ndarray, bounds: np.ndarray) -> ContourSet | None:
    shown, drawn = np.ma.masked_invalid(heights), None
    if shown.count():
        drawn = axes.contourf(places[..., 0], places[..., 1], shown, LEVELS, cmap="cividis")
        axes.contour(places[..., 0], places[..., 1], shown, drawn.levels, colors="white", linewidths=0.25, alpha=0.6)
    if shown.count() < heights.size:
        axes.text(0.5, 0.03, "infinite where blank", transform=axes.transAxes, ha="center", color=INK)
    axes.set(xlim=bounds[0], ylim=bounds[1])
    axes.set_box_aspect(1)
    return drawn


def _relief(axes: Axes3D, places: np.ndarray, heights: np.ndarray, bounds: np.ndarray) -> None:
    if not np.isfinite(heights).all():
        raise ParameterError("a landscape that is infinite in places", "finite heights", "surface=False, or a box")
    axes.plot_surface(
        places[..., 0], places[..., 1], heights, cmap="cividis", alpha=0.6, rstride=3, cstride=3, linewidth=0.15,
        edgecolor=(1, 1, 1, 0.6), zorder=1,
    )  # fmt: skip
    axes.set_box_aspect((1, 1, 0.75), zoom=1.08)
    axes.view_init(elev=30, azim=-58)
    axes.tick_params(pad=-3)
    axes.locator_params(nbins=4)
    clear_panes(axes)


def _lift(points: np.ndarray, places: np.ndarray, heights: np.ndarray) -> np.ndarray:
    """Points with the landscape's height at them, between grid points by straight lines."""
    from scipy.interpolate import RegularGridInterpolator

    height = RegularGridInterpolator((places[0, :, 0], places[:, 0, 1]), heights.T)
    return np.concatenate([points, height(points)[:, None]], axis=-1)


def _path(
    axes: Axes3D, run: np.ndarray, bounds: np.ndarray, places: np.ndarray, heights: np.ndarray, style: Style,
    label: str, surface: bool,
) -> None:  # fmt: skip
    shown, left = inside(run, bounds)
    name = label if left is None or label == "_" else f"{label} (leaves the picture)"
    if surface:
        beyond = ((shown < bounds[:, 0]) | (shown > bounds[:, 1])).any(-1)
        shown = shown[: int(np.argmax(beyond))] if beyond.any() else shown
        shown = _lift(shown, places, heights)
    axes.plot(*shown.T, color="white", linewidth=style.width + 0.9, alpha=0.75, label="_", zorder=3)
    axes.plot(*shown.T, color=style.colour, linewidth=style.width, label=name, zorder=4)


@styled
def gap_along(result: GapAlong, title: str | None = None) -> Drawing:
    """What `GapAlong.plot()` draws: the gap over time, and against the distance to the equilibrium.

    Args:
        result: of `gd.analysis.gap_along`.
        title: of the picture.

    Returns:
        A `Drawing`; `.data` holds `t`, `gap` and `distance` of each label.
    """
    figure = Drawing(height=1.15)
    over_time, over_distance = figure.subplots(2, 1)
    styles = series_styles(list(result.curves), [False] * len(result.curves))
    kinds = sorted({c.kind for c in result.curves.values()})
    what = "duality gap (" + ", ".join(CLAIMS[kind] for kind in kinds) + ")"
    for label, curve in result.curves.items():
        gap = np.where((curve.gap > 0) & np.isfinite(curve.gap), curve.gap, np.nan)
        style = {"color": styles[label].colour, "linewidth": styles[label].width}
        over_time.plot(curve.t, gap, label=label, **style)
        distance = np.where(curve.distance > 0, curve.distance, np.nan)
        over_distance.plot(distance, gap, marker=styles[label].marker, markersize=2.2, markeredgewidth=0, **style)
        figure.data[label] = {"t": curve.t, "gap": curve.gap, "distance": curve.distance}
    over_time.set(yscale="log", xlabel="step", ylabel=what)
    over_distance.set(xscale="log", yscale="log", xlabel="distance to the equilibrium", ylabel=what)
    for axes in (over_time, over_distance):
        axes.grid(color=QUIET, alpha=0.25, linewidth=0.4)
    figure.suptitle(result.game.name if title is None else title, fontsize="medium")
    figure.legend_below(over_time)
    return figure


@styled
def gap_flow(flow: GapFlow, box: Box | None = None, trajectories: object = (), stationary: object = ()) -> Drawing:
    """What `GapFlow.plot()` draws: streamlines of -grad G, the game's equilibria, and stationary points of the gap.

    Args:
        flow: the flow.
        box, trajectories: as in `phase_portrait`.
        stationary: further stationary points to mark, such as `flow.created(box)`.

    Raises:
        DomainError: for other than two coordinates.
    """
    plane(flow.game)
    game = flow.gap_game
    bounds = box_around(game, ()) if box is None else box_array(game, box)
    rests = [_Rest(flow, p) for p in numeric_equilibria(game)]
    title = f"gap flow, {flow.answers}"
    figure = phase_portrait(game, bounds.tolist(), trajectories, rests, field="stream", title=title)
    places = np.array([p.point for p in listed(stationary, Place)], dtype=float)
    if len(places):
        figure.axes[0].plot(
            *places.T, linestyle="none", marker="X", markersize=7, color=OKABE_ITO["vermillion"], markeredgecolor=INK,
            markeredgewidth=0.6, label="stationary, no equilibrium", zorder=7,
        )  # fmt: skip
        figure.data["stationary"] = places
        for legend in figure.legends:
            legend.remove()
        figure.legend_below(figure.axes[0])
    return figure


class _Rest:
    """An equilibrium as `phase_portrait` wants it: where, and what the gap flow does there."""

    def __init__(self, flow: GapFlow, point: tuple[sympy.Expr, ...]) -> None:
        self.point = np.array([float(x) for x in point])
        self.kind = str(flow.linearize(point).verdict)
