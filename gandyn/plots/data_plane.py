"""The mixture game where its samples live: the discriminator's contours, and the pull that it exerts on samples."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import DomainError, ShapeError
from ..games.mixture import MixtureGame
from ..types import Array, Game
from .drawable import Box
from .drawing import Drawing, one_panel
from .style import OKABE_ITO, QUIET, styled

MARGIN, FINE, COARSE = 1.2, 81, 15


@styled
def data_space(game: Game, w: Array, box: Box | None = None, title: str | None = None) -> Drawing:
    """Contours of s(x), arrows along grad s(x), the data's modes and the generator's means.

    Where the discriminator is optimal for a generator that fits the data, s = 0 everywhere and nothing pulls.

    Args:
        game: a `mixture_game`.
        w: one joint vector, shape (d,); or a path (T+1, d), of which the last point is drawn and the means' way there.
        box: ((low, high), (low, high)) in data space; by default around all modes, means and centres.
        title: of the picture.

    Returns:
        A `Drawing`; `.data` holds the fine grid (n, n, 2) with `logit`, the coarse grid with `pull`, `modes`, `means`.

    Raises:
        DomainError: for another game. ShapeError: for a w that is none of its joint vectors.

    Example:
        >>> import gandyn as gd
        >>> game = gd.games.mixture_game()
        >>> run = gd.iterate(game, gd.rules.Extragradient(0.1), [0.5, 0.5, -0.5, 0.2, 0, 0, 0, 0], 40)
        >>> gd.plots.data_space(game, run.w).data["pull"].shape
        (15, 15, 2)
    """
    if not isinstance(game, MixtureGame):
        raise DomainError(f"a picture of {game.name} in data space", "a mixture game", "gd.games.mixture_game()")
    path = np.atleast_2d(np.asarray(w, dtype=float))
    if path.ndim != 2 or path.shape[-1] != game.dim:
        raise ShapeError(f"w of shape {np.shape(w)}", f"({game.dim},) or (T+1, {game.dim})", "pass one member's path")
    at, means = path[-1], path[:, game.slices[0]].reshape(len(path), -1, 2)
    modes = np.asarray(game.data.means)
    bounds = _around(np.concatenate([modes, means.reshape(-1, 2), game.centers])) if box is None else np.array(box)
    fine, coarse = _grid(bounds, FINE), _grid(bounds, COARSE)
    logit = game.discriminator(at, fine.reshape(-1, 2)).reshape(FINE, FINE)
    pull = game.discriminator_gradient(at, coarse.reshape(-1, 2)).reshape(coarse.shape)
    figure, axes = one_panel(0.9)
    if np.ptp(logit) > 0:
        levels = axes.contour(*np.moveaxis(fine, -1, 0), logit, levels=9, cmap="cividis", linewidths=0.9, zorder=2)
        figure.colorbar(levels, ax=axes, label="s(x)", shrink=0.6)
        axes.quiver(*np.moveaxis(coarse, -1, 0), *np.moveaxis(pull, -1, 0), color=QUIET, angles="xy", zorder=1)
    for k in range(means.shape[1]):
        axes.plot(*means[:, k].T, color=OKABE_ITO["vermillion"], linewidth=0.9, zorder=3)
    style: dict[str, Any] = {"linestyle": "none", "zorder": 4, "color": OKABE_ITO["blue"]}
    axes.plot(*modes.T, marker="o", fillstyle="none", label="modes of the data", **style)
    axes.plot(*means[-1].T, marker="X", label="means of the generator", **(style | {"color": OKABE_ITO["vermillion"]}))
    axes.set(xlim=bounds[0], ylim=bounds[1], aspect="equal", xlabel="$x_1$", ylabel="$x_2$", title=title or "")
    figure.legend(loc="outside lower center", ncols=2)
    figure.data.update(grid=fine, logit=logit, coarse_grid=coarse, pull=pull, modes=modes, means=means[-1])
    return figure


def _around(points: np.ndarray) -> np.ndarray:
    """A box around all points, a fifth wider, (2, 2)."""
    low, high = points.min(0), points.max(0)
    half = np.maximum(MARGIN * (high - low) / 2, 1.0)
    return np.stack([(low + high) / 2 - half, (low + high) / 2 + half], axis=-1)


def _grid(bounds: np.ndarray, count: int) -> np.ndarray:
    return np.stack(np.meshgrid(*(np.linspace(low, high, count) for low, high in bounds)), axis=-1)
