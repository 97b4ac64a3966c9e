"""Competitive gradient descent: each step is the equilibrium of a local bilinear game."""

from __future__ import annotations

import math

from ..types import Array, Batch, Cost, Domain, Game, Info, Parameter, Rng, Rule, State
from ..worlds import SYMBOLS, number, ones_like, sqrt, world_of, zeros_like
from .declaration import accuracy, choice, modulus, parameter, register, remembers, step_size, trials, zero
from .linear_systems import SOLVERS, is_iterative, solve
from .moments import blend_square
from .products import only

Step = tuple[Array, Info]


@register
class CompetitiveGD(Rule):
    """w+ = w + u with u = -lr (v + J_o u): the Nash equilibrium of the local bilinear game.

    Schaefer & Anandkumar 2019. J_o is J without its diagonal blocks, so (I + lr J_o) u = -lr v (their eq. 4; Ma et al.
    2021 for n players). On f = x y the modulus is 1 / sqrt(1 + s^2). Small systems are solved exactly; on networks by
    conjugate gradients on the first player's Schur complement in zero-sum games, and by GMRES otherwise, from the last
    step's answer.

    Args:
        lr: step size, one number or one per player.
        solver: "dense", "krylov", or "auto" by dimension.
        tolerance: relative residual of the iterative solver.
        limit: its most iterations.
    """

    lr: Parameter = step_size()
    solver: str = choice(*SOLVERS, default="auto")
    tolerance: float = accuracy(default=1e-8)
    limit: int = 100
    cost = Cost(fields=1, jvps=math.nan)
    domain = Domain(several_players=True, unconstrained=True, capturable=False)
    aliases = ("CGD",)
    bilinear_modulus = modulus(lambda s: 1 / math.sqrt(1 + s**2))
    examples = trials(lambda rule: [rule(0.1), rule((0.1, 0.05)), rule(0.1, solver="krylov", tolerance=1e-13)])

    def init(self, game: Game, w: Array, rng: Rng = None) -> State:
        """A first guess for the iterative solver; nothing for the direct one."""
        own = super().init(game, w, rng)
        guess = {"move": zeros_like(w)} if is_iterative(self.solver, game.dim) else {}
        return State({**guess, **own.arrays}, own.counters)

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        """One field and one linear solve, on the same batch."""
        batch = game.draw(rng)
        v = game.field_and_graph(w, batch)
        u, info = self._move(game, w, v, game.per_coordinate(self.lr, w), batch, state)
        return w + u, _keep(state, u), {"field": v, **info}

    def _move(self, game: Game, w: Array, v: Array, lr: Parameter, batch: Batch, state: State) -> Step:
        """u with u + lr J_o u = -lr v."""
        start = state.arrays.get("move")
        if start is not None and game.zero_sum and world_of(w) != SYMBOLS:
            return self._by_schur_complement(game, w, v, lr, batch, start)

        def operator(u: Array) -> Array:
            return u + lr * game.coupling(w, u, batch)

        return solve(
            self, game, operator, -lr * v, solver=self.solver, start=start, tolerance=self.tolerance, limit=self.limit
        )

    def _by_schur_complement(self, game: Game, w: Array, v: Array, lr: Parameter, batch: Batch, start: Array) -> Step:
        """Eliminate player 2: with J_yx = -J_xy^T, z = u_x / sqrt(lr_x) solves a symmetric positive definite system."""
        steps = lr * ones_like(w)
        root = sqrt(steps)

        def to_second(u: Array) -> Array:
            return steps * game.coupling(w, u, batch, only=1)

        def schur(z: Array) -> Array:
            return z - root * game.coupling(w, to_second(root * z), batch, only=0)

        rhs = -only(game, root * (v - game.coupling(w, steps * v, batch, only=0)), 0)
        z, info = solve(
            self,
            game,
            schur,
            rhs,
            solver=self.solver,
            symmetric=True,
            start=only(game, start / root, 0),
            tolerance=self.tolerance,
            limit=self.limit,
        )
        ux = only(game, root * z, 0)
        return ux - only(game, steps * v, 1) - to_second(ux), info


def _keep(state: State, u: Array) -> State:
    return State({**state.arrays, "move": u} if "move" in state.arrays else state.arrays, state.counters)


@register
class LinearizedCGD(Rule):
    """w+ = w - lr v + lr J_o (lr v): competitive GD to second order in the step (Schaefer & Anandkumar 2019, table 1).

    In a two-player zero-sum game this is SGA without alignment and with lam = lr, and on f = x y it has the modulus
    sqrt(1 - s^2 + s^4) of extragradient.

    Args:
        lr: step size, one number or one per player.
    """

    lr: Parameter = step_size()
    cost = Cost(fields=1, jvps=2)
    domain = Domain(several_players=True)
    aliases = ("LCGD",)
    bilinear_modulus = modulus(lambda s: math.sqrt(1 - s**2 + s**4))

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        """One field and n products, on the same batch."""
        batch = game.draw(rng)
        lr = game.per_coordinate(self.lr, w)
        v = game.field_and_graph(w, batch)
        return game.project(w - lr * (v - game.coupling(w, lr * v, batch))), state, {"field": v}


@register
class AdaptiveCGD(CompetitiveGD):
    """Competitive GD with a step for each coordinate, lr / (sqrt(s+ / (1 - b^t)) + eps), s+ = b s + (1 - b) v^2 (ACGD).

    Schaefer, Zheng & Anandkumar 2020, section 4, with t counted from 1. At an equilibrium s = 0 and the map is not
    differentiable.

    Args:
        lr: step size, one number or one per player.
        solver, tolerance, limit: as for CompetitiveGD.
        decay: b, in [0, 1).
        eps: added to the root.
    """

    decay: float = parameter(lambda b: 0 <= b < 1, default=0.99)
    eps: float = step_size(default=1e-05)
    domain = Domain(several_players=True, unconstrained=True, smooth=False, capturable=False)
    flow_order = None
    aliases = ("ACGD",)
    memory = remembers(square=zero, steps=0)
    bilinear_modulus = modulus(lambda s: None)  # not differentiable at the equilibrium
    examples = trials(lambda rule: [rule(0.1)])

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        """One field and one linear solve, on the same batch."""
        batch = game.draw(rng)
        v = game.field_and_graph(w, batch)
        b, t = number(self.decay, w), state["steps"] + 1
        square = blend_square(state["square"], v, b)
        steps = game.per_coordinate(self.lr, w) / (sqrt(square / (1 - b**t)) + number(self.eps, w))
        u, info = self._move(game, w, v, steps, batch, state)
        arrays = {**_keep(state, u).arrays, "square": square}
        return w + u, State(arrays, {"steps": t}), {"field": v, **info}
