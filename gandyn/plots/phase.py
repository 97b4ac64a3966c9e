"""The phase portrait: the descent direction -v in the plane, trajectories, equilibria by stability, nullclines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from ..errors import refuse_unknown
from ..types import Game
from .drawable import Box, coordinate_names, evaluate, inside, listed, plane, runs_in_box
from .drawing import Drawing, Path, one_panel
from .marks import Equilibrium, mark_equilibria, mark_starts
from .style import FAINT, OKABE_ITO, series_styles, styled

if TYPE_CHECKING:
    from ..analysis.zeros.fixed_points import FixedPoint
    from ..results import Trajectory

FIELDS = ("arrows", "stream", "none")


@styled
def phase_portrait(
    game: Game,
    box: Box | None = None,
    trajectories: object = (),
    fixed_points: object = "auto",
    nullclines: bool = False,
    field: str = "arrows",
    title: str | None = None,
) -> Drawing:
    """The plane of a two-coordinate game: descent direction -v, trajectories from their starts, and equilibria.

    Args:
        game: a game with two coordinates.
        box: ((low, high), (low, high)); by default around the trajectories and the known equilibria.
        trajectories: results of `gd.iterate` or `gd.flow`: one, a sequence, or a dict from label to result.
        fixed_points: "auto" to find them in the box, a sequence of results of `gd.fixed_points`, or () for none.
        nullclines: draw where each coordinate's field is zero.
        field: "arrows", "stream" or "none".
        title: of the picture.

    Returns:
        A `Drawing`; `.data` holds the box, the grid and the field on it, and every trajectory by label.

    Raises:
        DomainError: for other than two coordinates. ParameterError: for a box or trajectory that cannot be drawn.

    Example:
        >>> import gandyn as gd
        >>> game = gd.games.bilinear()
        >>> figure = gd.plots.phase_portrait(game, trajectories=gd.iterate(game, gd.rules.GDA(0.1), [1, 0], 50))
        >>> figure.data["trajectories"]["Simultaneous GD"]["w"].shape
        (51, 2)
    """
    figure, axes = one_panel(1.0)
    draw_portrait(figure, axes, game, box, trajectories, fixed_points, nullclines, field)
    if title:
        axes.set_title(title)
    figure.legend_below(axes)
    return figure


def draw_portrait(
    figure: Drawing,
    axes: Axes,
    game: Game,
    box: Box | None = None,
    trajectories: object = (),
    fixed_points: object = "auto",
    nullclines: bool = False,
    field: str = "arrows",
) -> None:
    """Draw a phase portrait on axes of an existing figure; its numbers go into `figure.data`, its lines to `.paths`."""
    plane(game)
    refuse_unknown("way to draw a field", field, FIELDS)
    runs, points, bounds = runs_in_box(game, trajectories, box)
    axes.set(xlim=bounds[0], ylim=bounds[1])
    widths = bounds[:, 1] - bounds[:, 0]
    axes.set_aspect("equal" if widths.max() < 3 * widths.min() else "auto")
    names = coordinate_names(game)
    axes.set_xlabel(names[0])
    axes.set_ylabel(names[1], rotation=0, labelpad=2)
    figure.data.update(box=bounds, coordinates=names)
    if field != "none":
        draw_field(figure, axes, game, bounds, field)
    if nullclines:
        draw_nullclines(figure, axes, game, bounds)
    draw_trajectories(figure, axes, runs, points, bounds)
    draw_fixed_points(figure, axes, game, bounds, fixed_points)


def _grid(bounds: np.ndarray, count: int) -> np.ndarray:
    """(count, count, 2) points, kept half a cell from the border."""
    margin = (bounds[:, 1] - bounds[:, 0]) / (2 * count)
    sides = [np.linspace(b[0] + m, b[1] - m, count) for b, m in zip(bounds, margin, strict=True)]
    return np.stack(np.meshgrid(*sides), axis=-1)


def draw_field(figure: Drawing, axes: Axes, game: Game, bounds: np.ndarray, field: str) -> None:
    """Arrows of one length, darker where the field is stronger; or streamlines."""
    grid = _grid(bounds, 17 if field == "arrows" else 41)
    direction = -evaluate(game, "field", grid.reshape(-1, 2)).reshape(grid.shape)
    undefined = ~np.isfinite(direction).all(-1)
    figure.data.update(grid=grid, descent_direction=direction)
    if undefined.any():
        note = f"field not finite at {int(undefined.sum())} of {undefined.size} grid points"
        axes.text(0.02, 0.02, note, transform=axes.transAxes, color=OKABE_ITO["vermillion"], fontsize="small")
    u = np.ma.masked_array(direction, mask=np.repeat(undefined[..., None], 2, axis=-1))
    if field == "stream":
        axes.streamplot(
            grid[0, :, 0], grid[:, 0, 1], u[..., 0], u[..., 1], color=FAINT, linewidth=0.5, arrowsize=0.5, density=1.0,
            zorder=1,
        )  # fmt: skip
        return
    length = np.ma.sqrt((u**2).sum(-1))
    unit = u / np.ma.maximum(length, 1e-300)[..., None]
    strength = (length / max(float(length.max() or 0.0), 1e-300)) ** 0.5
    shades = np.ma.filled(strength, 0.0)[..., None] * -0.2 + 0.94
    axes.quiver(
        grid[..., 0], grid[..., 1], unit[..., 0], unit[..., 1], color=np.repeat(shades, 3, axis=-1).reshape(-1, 3),
        angles="xy", pivot="mid", scale=30, width=0.0035, headwidth=3.6, headlength=4.2, headaxislength=3.8, zorder=1,
    )  # fmt: skip


def draw_nullclines(figure: Drawing, axes: Axes, game: Game, bounds: np.ndarray) -> None:
    """Where each component of v vanishes, one colour a component."""
    sides = [np.linspace(low, high, 201) for low, high in bounds]
    grid = np.stack(np.meshgrid(*sides), axis=-1)
    v = evaluate(game, "field", grid.reshape(-1, 2)).reshape(grid.shape)
    figure.data["nullclines"] = {}
    for k, (name, colour) in enumerate(zip(coordinate_names(game), ("orange", "sky"), strict=True)):
        values = np.ma.masked_invalid(v[..., k])
        if values.min() < 0 < values.max():
            drawn = axes.contour(
                grid[..., 0], grid[..., 1], values, [0.0], colors=OKABE_ITO[colour], linewidths=1.0, linestyles="--",
                zorder=2,
            )  # fmt: skip
            figure.data["nullclines"][name] = [np.asarray(s) for s in drawn.allsegs[0]]
        label = f"$v_{{{name.strip('$')}}} = 0$" if "$" in name else f"v = 0 for {name}"
        axes.add_line(Line2D([], [], color=OKABE_ITO[colour], linewidth=1.0, linestyle="--", label=label))


def draw_trajectories(
    figure: Drawing, axes: Axes, runs: Mapping[str, Trajectory], points: Mapping[str, np.ndarray], bounds: np.ndarray
) -> None:
    """Flows as smooth lines, maps as thin lines through their iterates, every start marked."""
    flows = [run.rule is None for run in runs.values()]
    styles = series_styles(list(runs), flows)
    starts = []
    for (label, run), flow in zip(runs.items(), flows, strict=True):
        lines, shown = [], []
        style = styles[label]
        size = min(2.2, 30.0 / len(points[label]) ** 0.5)
        marker = {} if flow else {"marker": style.marker, "markersize": size, "markeredgewidth": 0}
        for j in range(points[label].shape[1]):
            member, left = inside(points[label][:, j], bounds)
            name = label if left is None else f"{label} (leaves the picture)"
            (line,) = axes.plot(
                *member.T,
                color=style.colour,
                linewidth=style.width,
                label=name if j == 0 else "_",
                zorder=3.5 if flow else 3,
                solid_joinstyle="round",
                **marker,
            )
            lines.append(line)
            shown.append(member)
            starts.append(member[0])
        figure.paths[label] = Path(tuple(lines), tuple(shown), np.asarray(run.t, dtype=float), flow)
    figure.data["trajectories"] = {label: {"t": run.t, "w": run.w} for label, run in runs.items()}
    mark_starts(axes, starts)


def draw_fixed_points(figure: Drawing, axes: Axes, game: Game, bounds: np.ndarray, fixed_points: object) -> None:
    """Equilibria in the box, one marker for each stability type."""
    found = chosen_points(game, bounds, fixed_points)
    figure.data["fixed_points"] = mark_equilibria(axes, found)


def chosen_points(game: Game, bounds: np.ndarray, fixed_points: object) -> Sequence[Any]:
    """The equilibria to mark: the given ones, or "auto" for those in the box. Raises ParameterError for others."""
    if isinstance(fixed_points, str) and fixed_points == "auto":
        from ..analysis.zeros.fixed_points import fixed_points as compute_fixed_points

        return compute_fixed_points(game, box=[(float(low), float(high)) for low, high in bounds])
    return listed(fixed_points, Equilibrium)


@styled
def fixed_point(result: FixedPoint, **options: Any) -> Drawing:
    """What `FixedPoint.plot()` draws: the plane around the point, or, in more dimensions, the flow's spectrum there.

    Args:
        result: one of `gd.fixed_points`.
        options: of the portrait or of the spectrum.
    """
    lin = result.linearization
    if lin.game.dim != 2:
        from .eigenvalues import linearization

        return linearization(lin, **options)
    box = [(x - 1.0, x + 1.0) for x in np.asarray(result.point, dtype=float)]
    return phase_portrait(lin.game, **{"box": box, "fixed_points": [result], **options})
