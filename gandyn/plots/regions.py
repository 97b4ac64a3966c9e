"""Maps of a plane: where a fixed point attracts as two parameters vary, and which start ends where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.patches import Patch

from ..analysis.closed_orbits.closed_orbit import InvariantCircle, LimitCycle, PeriodicOrbit
from ..analysis.long_run.basins import CYCLING, DIVERGED, LEFT, UNDECIDED, Basins
from ..analysis.parameters.stability import StabilityRegion
from ..errors import DomainError
from ..lazy import sympy
from ..results import Status, Trajectory
from .drawable import coordinate_names, parameter_label, rule_label
from .drawing import Drawing, one_panel
from .phase import phase_portrait
from .style import INK, OKABE_ITO, styled

STABLE, UNSTABLE = "#cfe3f1", "#ffffff"
ATTRACTORS = tuple(OKABE_ITO[name] for name in ("blue", "orange", "green", "purple", "sky", "yellow"))
ENDINGS = {
    CYCLING: ("cycling", "#8c6bb1"),
    DIVERGED: ("diverged", "#222222"),
    LEFT: ("left the box", "#8a8a8a"),
    UNDECIDED: ("undecided", "#e8e8e8"),
}
RESOLUTION = 300
NEUTRAL = 1e-7  # share of the largest modulus within which an eigenvalue is taken to be on the boundary


@styled
def stability_region(
    region: StabilityRegion, ranges: dict[str, tuple[float, float]] | None = None, title: str | None = None
) -> Drawing:
    """The stable set of one or two parameters, with the boundary of each condition.

    Args:
        region: a result of `gd.stability_region`.
        ranges: (low, high) of each parameter; (0, 4) by default.
        title: of the picture.

    Returns:
        A `Drawing`. With one parameter, `.data` holds `values`, the spectral `size` and the boolean `stable` at each;
        with two, the axes' `x`, `y` and the boolean `stable`.

    Raises:
        DomainError: for more than two free parameters.
    """
    names = [str(p) for p in region.parameters]
    bounds = [(ranges or {}).get(name, (0.0, 4.0)) for name in names]
    heading = title or f"{rule_label(region.rule)} on {region.game.name}"
    if len(names) == 1:
        return _curve(region, names[0], bounds[0], heading)
    if len(names) != 2 or region.reason:
        raise DomainError(
            f"a picture of {len(names)} free parameters ({', '.join(names)}) {region.reason}".rstrip(),
            "one or two, and their conditions",
            "fix the others" if len(names) > 2 else "a larger budget=",
        )
    return _map(region, names, bounds, heading)


def _curve(region: StabilityRegion, name: str, bounds: tuple[float, float], heading: str) -> Drawing:
    low, high = bounds
    values = np.linspace(low, high, RESOLUTION + 1)[1:]
    size, stable, _ = _measured(region, [values])
    edge = 0.0 if region.rule is None else 1.0
    figure, axes = one_panel(0.7)
    axes.plot(values, size, color=OKABE_ITO["blue"])
    axes.axhline(edge, color=INK, linewidth=0.7)
    across = axes.get_xaxis_transform()
    axes.fill_between(
        values, 0, 1, where=stable, color=STABLE, linewidth=0, transform=across, zorder=0, label="attracting"
    )
    critical = float(region.critical(name))
    if low < critical < high:
        axes.axvline(critical, color=OKABE_ITO["vermillion"], linestyle="--", label=f"critical {name} = {critical:.4g}")
    axes.set(
        xlabel=parameter_label(name),
        ylabel="spectral abscissa" if region.rule is None else "spectral radius",
        title=heading,
    )
    axes.margins(x=0)
    figure.legend_below(axes)
    figure.data.update(values=values, size=size, stable=stable, critical=critical)
    return figure


def _measured(region: StabilityRegion, grids: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """On grids of the parameters: spectral radius or abscissa, whether the point attracts, and each condition's value.

    Attracting is what conditions and eigenvalues both say: a radius of exactly 1 is below 1 by rounding
    at some places, and the conditions hold for parameters of the assumed signs alone.
    """
    flow = region.rule is None
    size, scale = extreme(region.exact.matrix, region.parameters, grids, flow)
    with np.errstate(all="ignore"):
        levels = [
            np.broadcast_to(sympy.lambdify(region.parameters, e, "numpy")(*grids), size.shape).astype(float)
            for e in region.expressions
        ]
    room = 0.0 if levels else NEUTRAL * scale
    inside = size < (0.0 if flow else 1.0) - room
    return size, np.logical_and.reduce([inside, *(level > 0 for level in levels)]), levels


def extreme(
    matrix: sympy.Matrix, parameters: Sequence[sympy.Symbol], grids: Sequence[np.ndarray], flow: bool
) -> tuple[np.ndarray, np.ndarray]:
    """The spectral radius of a matrix of expressions on grids of its parameters, or for a flow its spectral abscissa.

    `grids` holds one array for each parameter, all of one shape. Returned are two arrays of this shape, NaN where an
    entry is not finite: the radius or abscissa, and the largest modulus, to which rounding errors are relative.
    """
    entries = sympy.lambdify(parameters, list(matrix), "numpy")
    shape, n = grids[0].shape, matrix.shape[0]
    with np.errstate(all="ignore"):
        cells = np.stack([np.broadcast_to(np.asarray(e, dtype=complex), shape) for e in entries(*grids)], -1)
    known = np.isfinite(cells).all(-1)
    values = np.linalg.eigvals(np.where(known[..., None], cells, 0).reshape(*shape, n, n))
    moduli = np.where(known, np.abs(values).max(-1), np.nan)
    return np.where(known, values.real.max(-1), np.nan) if flow else moduli, moduli


def _map(region: StabilityRegion, names: list[str], bounds: list[tuple[float, float]], heading: str) -> Drawing:
    axes_values = [np.linspace(low, high, RESOLUTION + 1)[1:] for low, high in bounds]
    x, y = np.meshgrid(*axes_values)
    _, stable, levels = _measured(region, [x, y])
    figure, axes = one_panel(0.8)
    axes.contourf(x, y, stable.astype(float), levels=[-0.5, 0.5, 1.5], colors=[UNSTABLE, STABLE])
    handles = [Patch(facecolor=STABLE, edgecolor="none", label="attracting")]
    for k, (level, e) in enumerate(zip(levels, region.expressions, strict=True)):
        if level.min() < 0 < level.max():
            colour = ATTRACTORS[k % len(ATTRACTORS)]
            axes.contour(x, y, level, levels=[0], colors=[colour], linewidths=1.1)
            handles.append(Patch(facecolor="none", edgecolor=colour, label=f"${sympy.latex(e)} = 0$"))
    axes.set(xlabel=parameter_label(names[0]), ylabel=parameter_label(names[1]), title=heading)
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    figure.data.update(x=axes_values[0], y=axes_values[1], stable=stable)
    return figure


@styled
def basins(result: Basins, title: str | None = None) -> Drawing:
    """Starts coloured by where they end; attractors marked. For games of two coordinates on a rectangular grid.

    Args:
        result: of `gd.basins`.
        title: of the picture.

    Returns:
        A `Drawing`; `.data` holds `starts`, `labels` and `attractors`.

    Raises:
        DomainError: for starts that do not form a grid in the plane.
    """
    if result.game.dim != 2 or result.starts.ndim != 3:
        raise DomainError(
            f"a picture of starts of shape {result.starts.shape}", "a rectangular grid in the plane", "read `.labels`"
        )
    present = [k for k in (UNDECIDED, LEFT, DIVERGED, CYCLING) if (result.labels == k).any()]
    entries = [ENDINGS[k] for k in present]
    for i, point in enumerate(result.attractors):
        entries.append((f"to ({point[0]:.3g}, {point[1]:.3g})", ATTRACTORS[i % len(ATTRACTORS)]))
    codes = [*present, *range(len(result.attractors))]
    index = np.searchsorted(sorted(codes), result.labels)
    ordered = [entries[codes.index(code)] for code in sorted(codes)]
    figure, axes = one_panel(1.0)
    x, y = result.starts[:, 0, 0], result.starts[0, :, 1]
    colours = ListedColormap([colour for _, colour in ordered])
    norm = BoundaryNorm(np.arange(len(ordered) + 1) - 0.5, len(ordered))
    axes.pcolormesh(x, y, index.T, cmap=colours, norm=norm, shading="nearest", rasterized=True)
    for point in result.attractors:
        axes.plot(*point, marker="o", color="white", markeredgecolor=INK, markersize=5)
    names = coordinate_names(result.game)
    axes.set(xlabel=names[0], ylabel=names[1], aspect="equal")
    axes.set_title(title or f"{rule_label(result.rule)} on {result.game.name}")
    handles = [Patch(facecolor=colour, edgecolor=INK, linewidth=0.4, label=name) for name, colour in ordered]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    figure.data.update(starts=result.starts, labels=result.labels, attractors=result.attractors)
    return figure


@styled
def limit_cycle(cycle: LimitCycle | InvariantCircle | PeriodicOrbit, **options: Any) -> Drawing:
    """A cycle, invariant circle or periodic orbit in the phase portrait of its game (two coordinates).

    `options` go to `phase_portrait`.

    Args:
        cycle: one of `gd.limit_cycles`.
        options: of `phase_portrait`.
    """
    closed = np.concatenate([cycle.points, cycle.points[:1]])
    orbit = isinstance(cycle, PeriodicOrbit)
    t = np.linspace(0, cycle.period, len(closed))
    rule = cycle.rule if isinstance(cycle, PeriodicOrbit) else None
    run = Trajectory(w=closed, t=t, status=Status.OK, steps=len(closed) - 1, game=cycle.game, rule=rule)
    name = f"orbit of period {cycle.period}" if orbit else "circle" if hasattr(cycle, "rule") else "cycle"
    kind = f"{'attracting' if cycle.stable else 'unstable'} {name}"
    return phase_portrait(cycle.game, trajectories={kind: run}, **options)
