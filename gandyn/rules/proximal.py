"""The proximal point method: step with the field at the point where one arrives."""

from __future__ import annotations

import math
import sys

import numpy as np

from ..errors import ConvergenceError, DomainError
from ..types import Array, Batch, Cost, Domain, Game, Info, Parameter, Rng, Rule, State
from ..worlds import POINTS, SYMBOLS, TORCH, ceiling, norm, where, world_of
from .declaration import accuracy, choice, count, modulus, register, step_size
from .linear_systems import SOLVERS, solve


@register
class ProximalPoint(Rule):
    """w+ = w - lr v(w+), implicit in w+ (Martinet 1970; Rockafellar 1976, eq. 1.4).

    The step solves r(w+) = w+ - w + lr v(w+) = 0 by Newton's method with backtracking, starting at w: exact in one
    iteration where the field is affine. On f = x y the modulus is 1 / sqrt(1 + s^2): every step size converges. By the
    implicit function theorem, Dw+ = (I + lr J(w+))^{-1}: `linearize` finds it, exactly at equilibria of symbolic games.
    The map itself has a closed form where the game is quadratic.

    Args:
        lr: step size, one number or one per player.
        tolerance: |r| at most this times 1 + |w|, floored at the precision of the numbers.
        limit: most Newton iterations.
        solver: of the linear systems: "dense", "krylov" (GMRES), or "auto" by dimension.

    Raises:
        DomainError: of the map on symbols, for a game that is not quadratic.
        ConvergenceError: when a finite member of the ensemble has no solution within `limit` iterations.
    """

    lr: Parameter = step_size()
    tolerance: float = accuracy(default=1e-12)
    limit: int = count(1, default=50)
    solver: str = choice(*SOLVERS, default="auto")
    cost = Cost(fields=math.nan, jvps=math.nan)
    domain = Domain(unconstrained=True, capturable=False)
    aliases = ("proximal",)
    bilinear_modulus = modulus(lambda s: 1 / math.sqrt(1 + s**2))

    def residual(self, game: Game, w_next: Array, w: Array, batch: Batch = None) -> Array:
        """r = w_next - w + lr v(w_next): zero exactly when w_next is the step from w."""
        return w_next - w + game.per_coordinate(self.lr, w) * game.field(w_next, batch)

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        """Newton iterations on one batch, at least one."""
        if world_of(w) == POINTS:
            return game.resolvent(self.lr, w), state, {}
        batch = game.draw(rng)
        if world_of(w) == SYMBOLS:
            if not game.quadratic:
                raise DomainError(
                    f"{self.name} on {game.name}, whose implicit step has no closed form",
                    "a quadratic game, on symbols",
                    "iterate it on numbers, where Newton's method solves each step",
                )
            return self._newton(game, w, self.residual(game, w, w, batch), batch), state, {}
        at, goal = w, self._goal(w)
        usable = abs(w) <= ceiling(w)  # members that have diverged already stay as they are
        with np.errstate(all="ignore"):  # a trial step may overflow: backtracking sees it
            r = self.residual(game, w, w, batch)
            for iteration in range(1, self.limit + 1):
                at, r = self._descend(game, at, w, r, batch)
                open_members = ~(norm(r) <= goal)[..., 0] & usable.all(-1)
                if not bool(open_members.any()):
                    return at, state, {"iterations": iteration, "residual": norm(r)[..., 0]}
        raise ConvergenceError(
            f"{self.name} on {game.name}: no solution within {self.limit} Newton iterations at "
            f"{int(open_members.sum())} points, residual up to {float(norm(r)[..., 0][open_members].max()):.1e}",
            f"a residual of at most {self.tolerance:g} (1 + |w|)",
            "a smaller lr, a larger limit, or a start nearer to the solution",
        )

    def _goal(self, w: Array) -> Array:
        precision = (sys.modules["torch"] if world_of(w) == TORCH else np).finfo(w.dtype).eps
        return max(self.tolerance, 32 * float(precision)) * (1 + norm(w))

    def _newton(self, game: Game, at: Array, r: Array, batch: Batch) -> Array:
        """at - (I + lr J)^{-1} r."""
        lr = game.per_coordinate(self.lr, at)
        move, _ = solve(self, game, lambda u: u + lr * game.jvp(at, u, batch), r, solver=self.solver)
        return at - move

    def _descend(self, game: Game, at: Array, w: Array, r: Array, batch: Batch) -> tuple[Array, Array]:
        """A Newton step, halved for each member until its residual does not grow."""
        full = self._newton(game, at, r, batch)
        tried = full
        for halvings in range(1, 31):
            r_tried = self.residual(game, tried, w, batch)
            worse = ~(norm(r_tried) <= norm(r) + self._goal(w))
            if not bool(worse.any()):
                break
            tried = where(worse, at + (full - at) / 2**halvings, tried)
        return tried, r_tried
