"""Gaps from inner steps: each player answers by k steps of a rule on its own problem, from here or from nearby."""

from __future__ import annotations

import math
import time

import numpy as np

from ... import worlds
from ...types import Array, Batch, Game, RestrictedGame, Rng, Rule
from .exact_gap import replaced

Path = list[Array]


def run(view: RestrictedGame, rule: Rule, x: Array, k: int, rng: Rng, until: float = math.inf) -> Path:
    """The points of a run of k steps of a rule on one player's own problem, from x.

    These are x and the point after each step, k + 1 in all, each (..., size of the player's block). When the clock
    `time.monotonic` passes `until` the run stops early, after at least one step.
    """
    path, state = [x], rule.init(view, x, rng)
    for _ in range(k):
        if len(path) > 1 and time.monotonic() >= until:
            break
        x, state, _ = rule.step(view, x, state, rng)
        path.append(x)
    return path


def gaps_along(game: Game, w: Array, paths: list[Path], batch: Batch) -> tuple[Array, list[Array]]:
    """The duality gap sum_i [f_i(w) - f_i(y_i, w_-i)] after 0, 1, ..., k inner steps.

    `paths` has for each player the points y_i of its inner run. Returns the gaps, shape (k + 1, ...), and each
    player's share after the last step, shape (...).
    """
    costs = game.costs(w, batch)
    shares = [
        worlds.stack([costs[i] - game.costs(replaced(game, i, w, y), batch)[i] for y in path], axis=0)
        for i, path in enumerate(paths)
    ]
    return sum(shares[1:], shares[0]), [share[-1] for share in shares]


def residual(view: RestrictedGame, y: Array, slope: Array) -> Array:
    """The residual |y - P(y - slope)| of one player's block y, P the projection onto its feasible set, shape (...).

    With the gradient of the player's cost as slope, it is zero where no small move lowers the cost to first order.
    """
    return worlds.norm(y - view.project(y - slope))[..., 0]


def perturbed(game: Game, i: int, w: Array, scale: float, draws: np.random.Generator) -> Array:
    """Player i's block of w moved by a random normal vector and projected onto the feasible set.

    `scale` is the standard deviation of the move in each coordinate.
    """
    view = game.restrict(i, w)
    noise = draws.normal(size=tuple(view.block.shape))
    moved = view.block + scale * (view.block.new_tensor(noise) if hasattr(w, "new_tensor") else noise)
    return view.project(moved)


class Near(RestrictedGame):
    """A player's own problem with weight |x - centre|^2 added to its cost, which keeps its answer near the centre."""

    def __init__(self, game: Game, index: int, w: Array, weight: float) -> None:
        super().__init__(game, index, w)
        self.weight, self.centre = weight, self.block

    def field(self, w: Array, batch: Batch = None, only: int | str | None = None) -> Array:
        """The gradient df_i/dx_i + 2 weight (x - centre) of the cost with its penalty."""
        return super().field(w, batch, only) + 2 * self.weight * (w - self.centre)

    def jvp(self, w: Array, u: Array, batch: Batch = None) -> Array:
        """The Hessian of the cost with its penalty times u: the player's own Hessian times u, plus 2 weight u."""
        return super().jvp(w, u, batch) + 2 * self.weight * u

    def vjp(self, w: Array, u: Array, batch: Batch = None) -> Array:
        """The transposed Hessian of the cost with its penalty times u; it is symmetric, so this equals `jvp`."""
        return super().vjp(w, u, batch) + 2 * self.weight * u

    def _costs(self, w: Array, batch: Batch) -> tuple[Array, ...]:
        apart = w - self.centre
        return (super()._costs(w, batch)[0] + self.weight * worlds.dot(apart, apart)[..., 0],)
