"""The surface of a cost over the plane, with trajectories climbing on it and the equilibria marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mpl_toolkits.mplot3d  # noqa: F401 - registers the 3-D projection
import numpy as np

from ..errors import ParameterError
from ..results import Trajectory
from ..types import Game
from .drawable import Box, coordinate_names, evaluate, plane, runs_in_box
from .drawing import Drawing, Path
from .marks import clear_panes, mark_equilibria, mark_starts
from .phase import chosen_points
from .style import series_styles, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from mpl_toolkits.mplot3d.axes3d import Axes3D


GRID = 61


@styled
def surface(
    game: Game,
    trajectories: object = (),
    box: Box | None = None,
    fixed_points: object = "auto",
    elevation: float = 32.0,
    azimuth: float = -58.0,
    title: str | None = None,
) -> Drawing:
    """The surface z = f(w) of player 1's cost, trajectories lifted onto it, and its equilibria.

    Args:
        game: a game with two coordinates.
        trajectories: as in `phase_portrait`.
        box: ((low, high), (low, high)); by default around the trajectories.
        fixed_points: "auto" to find them, a sequence of results, or () for none.
        elevation, azimuth: of the eye, in degrees.
        title: of the picture.

    Returns:
        A `Drawing`; `.data` holds the grid, the cost on it, and each trajectory with its height.

    Raises:
        DomainError: for other than two coordinates. ParameterError: where the cost is not finite.
    """
    plane(game)
    runs, points, bounds = runs_in_box(game, trajectories, box)
    figure = Drawing(height=0.86)
    axes = figure.add_subplot(projection="3d", computed_zorder=False)
    axes.set_box_aspect((1, 1, 0.7), zoom=1.12)
    axes.view_init(elev=elevation, azim=azimuth)
    grid = np.stack(np.meshgrid(*(np.linspace(low, high, GRID) for low, high in bounds)), axis=-1)
    height = _heights(game, grid)
    figure.data.update(box=bounds, grid=grid, cost=height, coordinates=coordinate_names(game))
    axes.plot_surface(
        grid[..., 0], grid[..., 1], height, cmap="cividis", alpha=0.55, rstride=3, cstride=3, linewidth=0.15,
        edgecolor=(1, 1, 1, 0.6), antialiased=True, zorder=1,
    )  # fmt: skip
    _climb(figure, axes, game, runs, points, bounds)
    found = chosen_points(game, bounds, fixed_points)
    figure.data["fixed_points"] = mark_equilibria(axes, found, lambda points: _lifted(game, points))
    _dress(axes, figure.data["coordinates"], game)
    if title:
        axes.set_title(title)
    figure.legend_below(axes)
    return figure


def _heights(game: Game, points: np.ndarray) -> np.ndarray:
    values: np.ndarray = evaluate(game, "costs", points.reshape(-1, 2))[0].reshape(points.shape[:-1])
    bad = int((~np.isfinite(values)).sum())
    if bad:
        raise ParameterError(
            f"the cost of {game.name} is not finite at {bad} of {values.size} points", "a finite cost", "a smaller box"
        )
    return values


def _lifted(game: Game, points: np.ndarray) -> np.ndarray:
    """Points (n, 2) with the cost as third coordinate."""
    return np.concatenate([points, _heights(game, points)[:, None]], axis=-1)


def _climb(
    figure: Drawing,
    axes: Axes,
    game: Game,
    runs: dict[str, Trajectory],
    points: dict[str, np.ndarray],
    bounds: np.ndarray,
) -> None:
    styles = series_styles(list(runs), [run.rule is None for run in runs.values()])
    figure.data["trajectories"] = {}
    starts = []
    for label, run in runs.items():
        lines, shown = [], []
        for j in range(points[label].shape[1]):
            member = points[label][:, j]
            outside = ((member < bounds[:, 0]) | (member > bounds[:, 1])).any(-1)
            member = member[: int(np.argmax(outside)) if outside.any() else len(member)]
            if not len(member):
                continue
            lifted = _lifted(game, member)
            name = f"{label} (leaves the picture)" if outside.any() else label
            (line,) = axes.plot(
                *lifted.T,
                color=styles[label].colour,
                linewidth=styles[label].width,
                label=name if j == 0 else "_",
                zorder=4,
            )
            lines.append(line)
            shown.append(lifted)
            starts.append(lifted[0])
        figure.paths[label] = Path(tuple(lines), tuple(shown), np.asarray(run.t, dtype=float), run.rule is None)
        figure.data["trajectories"][label] = {"t": run.t, "w": run.w, "cost": run.costs[0]}
    mark_starts(axes, starts)


def _dress(axes: Axes3D, names: list[str], game: Game) -> None:
    axes.set_xlabel(names[0], labelpad=-4)
    axes.set_ylabel(names[1], labelpad=-4)
    value = "$f$" if game.zero_sum else f"cost of {game.players[0].name}"
    axes.set_zlabel(value, labelpad=-5)
    axes.tick_params(pad=-2)
    axes.locator_params(nbins=5)
    clear_panes(axes)
