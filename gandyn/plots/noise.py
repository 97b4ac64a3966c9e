"""What noise does: a stationary cloud with the predicted ellipse, and growth of second moments against the step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..analysis.stochastic.mean_square import MeanSquare
from ..analysis.stochastic.stationary import Stationary
from ..dynamics.iterate import iterate
from ..errors import DomainError
from .drawable import rule_label
from .drawing import Drawing, one_panel
from .style import FAINT, INK, OKABE_ITO, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes


TURN = np.linspace(0, 2 * np.pi, 181)
LEVEL = np.sqrt(-2 * np.log(0.05))  # radius of the disc that holds 95 % of a plane Gaussian
SETTLING = 12.0


@styled
def stationary(result: Stationary, members: int = 1500, seed: int = 0, title: str | None = None) -> Drawing:
    """The first two coordinates: runs that have settled, and the ellipse predicted to hold 95 % of a Gaussian law.

    Args:
        result: a law that exists.
        members: independent runs to simulate; 0 for the ellipse alone.
        seed: of the simulation.
        title: of the picture.

    Returns:
        A `Drawing`; `.data` holds `ellipse` (k, 2), `cloud` (members, 2) and the `inside` share of the cloud.

    Raises:
        DomainError: where there is no law.
    """
    if not result.exists:
        raise DomainError(
            f"a picture of a law that does not exist: {result.reason}", "a stationary law", "a smaller lr"
        )
    figure, axes = one_panel(1.0)
    _draw(figure, axes, result, members, seed)
    axes.set_title(title or f"{rule_label(result.rule)} on {result.game.name}")
    figure.legend_below(axes)
    return figure


@styled
def clouds(results: Sequence[Stationary], members: int = 800, seed: int = 0) -> Drawing:
    """Stationary laws of several rules side by side on equal axes, each with runs and its predicted ellipse.

    Args:
        results: laws that exist.
        members: runs of each.
        seed: of the simulations.

    Returns:
        A `Drawing`; `.data` holds, for law k, `k.ellipse`, `k.cloud` and `k.inside`.
    """
    columns = min(3, len(results))
    rows = -(-len(results) // columns)
    figure = Drawing(height=0.36 * rows + 0.06)
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
    for k, (axes, result) in enumerate(zip(grid, results, strict=False)):
        _draw(figure, axes, result, members, seed, f"{k}.")
        fresh = ", fresh" if getattr(result.rule, "fresh", False) else ""
        axes.set_title(f"{rule_label(result.rule)}{fresh}")
    for axes in grid[len(results) :]:
        axes.set_axis_off()
    figure.legend_below(grid[0])
    return figure


def _draw(figure: Drawing, axes: Axes, result: Stationary, members: int, seed: int, prefix: str = "") -> None:
    """One cloud with its ellipse on one pair of axes; data by names that begin with `prefix`."""
    centre, covariance, drawn = result.mean[:2], result.covariance[:2, :2], ellipse(result)
    if members:
        cloud = _settled(result, members, seed)[:, :2]
        axes.plot(*cloud.T, ".", color=OKABE_ITO["blue"], markersize=1.5, alpha=0.5, label="runs")
        distance = np.einsum("ni,ij,nj->n", cloud - centre, np.linalg.pinv(covariance), cloud - centre)
        figure.data.update({f"{prefix}cloud": cloud, f"{prefix}inside": float(np.mean(distance <= LEVEL**2))})
    axes.plot(*drawn.T, color=OKABE_ITO["vermillion"], label="predicted, 95 %")
    at = np.array([float(x) for x in result.at[:2]])
    axes.plot(*at, marker="+", color=INK, markersize=6)
    axes.set_aspect("equal", adjustable="box" if prefix else "datalim")
    figure.data[f"{prefix}ellipse"] = drawn


def ellipse(result: Stationary) -> np.ndarray:
    """Points (k, 2) of the ellipse that holds 95 % of a Gaussian with the law's first two coordinates' covariance."""
    values, vectors = np.linalg.eigh(result.covariance[:2, :2])
    ring = LEVEL * np.sqrt(np.maximum(values, 0))[:, None] * np.stack([np.cos(TURN), np.sin(TURN)])
    found: np.ndarray = result.mean[:2] + (vectors @ ring).T
    return found


def _settled(result: Stationary, members: int, seed: int) -> np.ndarray:
    """Points (members, d) of independent runs from the mean, after the start has been forgotten."""
    radius = float(result.spectral_radius or 0.0)
    steps = int(min(20_000, max(50, SETTLING / max(1e-4, 1 - radius))))
    start = np.broadcast_to(result.mean, (members, result.game.dim)).copy()
    game = result.step.game
    found: np.ndarray = iterate(game, result.rule, start, steps, record="last", rng=seed, kernel="eager").w
    return found


@styled
def mean_square(result: MeanSquare, parameter: str = "lr", title: str | None = None) -> Drawing:
    """Growth of second moments and of the mean step alone against one parameter, with the critical value.

    Args:
        result: what `gd.mean_square` found.
        parameter: of the rule.
        title: of the picture.

    Returns:
        A `Drawing`; `.data` holds `values`, `radius`, `deterministic` and `critical`.
    """
    critical = float(result.critical(parameter))
    values = np.linspace(0, 1.6 * critical if 0 < critical < np.inf else 1.0, 81)[1:]
    radius, deterministic = result.radii(parameter, values)
    figure, axes = one_panel(0.7)
    axes.axhline(1.0, color=FAINT, linewidth=0.8)
    axes.plot(values, radius, color=OKABE_ITO["vermillion"], label="second moments, with the draws")
    axes.plot(values, deterministic, color=OKABE_ITO["blue"], label="the mean step alone")
    if 0 < critical < np.inf:
        axes.axvline(critical, color=INK, linewidth=0.8, linestyle=":", label=f"critical: {critical:.6g}")
    axes.set(xlabel=parameter, ylabel="factor per step of $E|z - z^*|^2$")
    axes.set_title(title or f"{rule_label(result.rule)} on {result.game.name}")
    axes.margins(x=0)
    figure.legend_below(axes, ncols=1)
    figure.data.update(values=values, radius=radius, deterministic=deterministic, critical=critical)
    return figure
