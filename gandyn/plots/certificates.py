"""Proofs as pictures: the proven basin over the observed one, and the level sets of a Lyapunov function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D

from ..analysis.certificates.certify import Certificate
from ..analysis.certificates.lyapunov_function import LyapunovFunction, Region
from ..analysis.long_run.basins import basins as compute_basins
from ..analysis.parameters.freed import symbols_of, valued
from ..errors import DomainError
from ..rules.runge_kutta import RungeKutta
from ..types import Game, Rule
from .drawable import Box, plane, rule_label
from .drawing import Drawing, one_panel
from .phase import draw_portrait
from .regions import basins as draw_basins
from .style import INK, OKABE_ITO, styled

if TYPE_CHECKING:
    from ..analysis.certificates.proven_basin import Ellipsoid

CIRCLE = 2 * np.pi * np.arange(241) / 240
FLOW_STEP = 0.05


@styled
def certificate(
    proof: Certificate, grid: int = 121, steps: int = 4000, box: Box | None = None, title: str | None = None
) -> Drawing:
    """What is proven over what is observed: the proven ball and ellipses on simulated basins, for two coordinates.

    Ranges of parameters are observed at their middle; a flow is followed by Runge-Kutta steps of 0.05.

    Args:
        proof: a result of `gd.certify`.
        grid: starts a side.
        steps: of each.
        box: what to show; the certificate's box by default.
        title: of the picture.

    Returns:
        A `Drawing`; `.data` holds `starts`, `labels`, the fixed point's `centre`, the proven `radius` and `ellipses`.

    Raises:
        DomainError: for other than two coordinates.
    """
    plane(proof.game)
    middle = {name: 0.5 * (low + high) for name, (low, high) in proof.parameters.items()}
    game, rule = settled(proof.game, proof.rule, middle)
    sides = [(low, high, grid) for low, high in (proof.box if box is None else box)]
    seen = compute_basins(game, RungeKutta(FLOW_STEP) if rule is None else rule, sides, steps=steps)
    figure = draw_basins(seen, title=title or f"{rule_label(proof.rule)} on {proof.game.name}")
    axes, legend = figure.axes[0], figure.legends[0]
    handles = list(legend.legend_handles)
    legend.remove()
    centre = np.full(2, np.nan) if proof.fixed_point is None else proof.fixed_point.mean(axis=1)
    circle = centre + proof.basin_radius * _unit()
    ellipses = [outline for piece in proof.pieces for outline in _outlines(piece.ellipsoid, centre)]
    if proof.proven:
        axes.plot(*circle.T, color="white", linewidth=1.8)
        handles.append(axes.plot(*circle.T, color=INK, linewidth=1.0, label="proven ball of starts")[0])
    for k, ellipse in enumerate(ellipses):
        label = "V is proven to fall inside" if k == 0 else "_"
        drawn = axes.plot(*ellipse.T, color=OKABE_ITO["vermillion"], linewidth=1.0, linestyle="--", label=label)
        handles += drawn if k == 0 else []
    axes.set(xlim=sides[0][:2], ylim=sides[1][:2])
    figure.legend(handles=[h for h in handles if h is not None], loc="outside lower center", ncols=2)
    figure.data.update(centre=centre, radius=proof.basin_radius, ellipses=ellipses)
    return figure


def _unit() -> np.ndarray:
    return np.stack([np.cos(CIRCLE), np.sin(CIRCLE)], axis=-1)


def _outlines(ellipsoid: Ellipsoid | None, centre: np.ndarray) -> list[np.ndarray]:
    """The border of an ellipsoid of the plane; nothing where there is none, or in more coordinates."""
    if ellipsoid is None or ellipsoid.transform.shape != (2, 2):
        return []
    return [centre + ellipsoid.level * _unit() @ ellipsoid.transform.T]


def settled(game: Game, rule: Rule | None, values: Mapping[str, float]) -> tuple[Game, Rule | None]:
    """Game and rule with numbers in place of the named parameters."""
    return valued(game, rule, {s: float(values[str(s)]) for s in {*symbols_of(rule), *game.parameters}})


@styled
def lyapunov_function(
    function: LyapunovFunction, box: Box | None = None, region: Region | None = None, title: str | None = None
) -> Drawing:
    """Level sets of V over the descent direction of the game, for two coordinates; a proven region is filled in.

    Args:
        function: a result of `gd.lyapunov_function` without the state of a rule.
        box: within 1 of the point by default.
        region: a result of `function.region()`.
        title: of the picture.

    Returns:
        A `Drawing`; `.data` holds the `levels` drawn and the values of `V` on the grid `x`, `y`.

    Raises:
        DomainError: for other than two augmented coordinates.
    """
    plane(function.game)
    if len(function.symbols) != 2:
        raise DomainError(
            f"level sets of V in {len(function.symbols)} augmented coordinates",
            "two augmented coordinates",
            "use a game of two coordinates and a rule without memory",
        )
    point = np.array([float(x) for x in function.at])
    bounds = np.array([(x - 1, x + 1) for x in point] if box is None else box, dtype=float)
    game, _ = settled(function.game, None, {k: 0.5 * (a + b) for k, (a, b) in function.parameters.items()})
    figure, axes = one_panel(1.0)
    draw_portrait(figure, axes, game, [(low, high) for low, high in bounds], fixed_points=())
    x, y = (np.linspace(low, high, 201) for low, high in bounds)
    values = function(np.stack(np.meshgrid(x, y), axis=-1))
    levels = float(values.max()) * np.array([0.02, 0.08, 0.18, 0.32, 0.5])
    axes.contour(x, y, values, levels=levels, colors=[OKABE_ITO["blue"]], linewidths=0.9)
    handles = [Line2D([], [], color=OKABE_ITO["blue"], linewidth=0.9, label="levels of V")]
    if region is not None:
        axes.contourf(x, y, values, levels=[0, region.level], colors=[OKABE_ITO["sky"]], alpha=0.35, zorder=0.5)
        axes.contour(x, y, values, levels=[region.level], colors=[OKABE_ITO["vermillion"]], linewidths=1.4)
        handles.append(Line2D([], [], color=OKABE_ITO["vermillion"], linewidth=1.4, label="V is proven to fall inside"))
    axes.plot(*point, marker="o", color=INK, markersize=4)
    axes.set_title(title or f"{rule_label(function.rule)} on {function.game.name}")
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    figure.data.update(x=x, y=y, V=values, levels=levels)
    return figure
