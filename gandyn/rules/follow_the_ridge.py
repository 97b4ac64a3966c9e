"""Follow the ridge: the follower's step is corrected so that it stays on its own ridge while the leader moves."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from ..errors import DomainError
from ..types import Array, Cost, Domain, Game, Info, Rule, State
from ..worlds import concatenate, zeros_like
from .base import parse, register, step_size
from .krylov import check_solver, solve
from .products import only


@register
@dataclasses.dataclass(frozen=True)
class FollowTheRidge(Rule):
    """x+ = x - lr_x v_x; y+ = y - lr_y v_y + J_yy^{-1} J_yx lr_x v_x (Wang et al. 2019, algorithm 1).

    Player 2's extra move keeps v_y unchanged, to first order, under player 1's: on a ridge v_y = 0 it follows it. Its
    attracting fixed points are the local minimax (Stackelberg) points, which gradient descent-ascent may leave.

    Args:
        lr: step size, one number or one per player.
        solver: for J_yy: "dense", "krylov" (GMRES), or "auto" by size.
        tolerance: relative residual of the iterative solver. limit: its most iterations.

    Raises:
        ConvergenceError: where player 2's Hessian is singular, as it is on bilinear games.
    """

    lr: Any
    solver: str = "auto"
    tolerance: float = 1e-8
    limit: int = 100
    domain = Domain(two_player=True, zero_sum=True, unconstrained=True, capturable=False)
    flow_order = None
    aliases = ("FTR", "FR")

    def __post_init__(self) -> None:
        parse(self, step_size, lr=self.lr, tolerance=self.tolerance)
        check_solver(self, self.solver)

    @property
    def cost(self) -> Cost:
        """One field and the product J_yx u; the solver decides the rest."""
        return Cost(fields=1, jvps=math.nan)

    @classmethod
    def examples(cls) -> list[Rule]:
        """One step size, and one per player."""
        return [cls(0.1), cls((0.1, 0.05))]

    def check(self, game: Game) -> None:
        """Refuse quadratic games in which player 2 has no ridge: those whose J_yy is singular."""
        super().check(game)
        if game.quadratic and not getattr(game, "parameters", ()):
            own = game.slices[1]
            hessian = game.jacobian(np.zeros(game.dim))[own, own]
            if np.linalg.matrix_rank(hessian) < len(hessian):
                raise DomainError(
                    f"{self.name} on {game.name}, where player {game.players[1].name} has no ridge: J_yy is singular",
                    "a game with an invertible J_yy",
                    "use a rule that solves no linear system, such as Extragradient",
                )

    def step(self, game: Game, w: Array, state: State, rng: Any = None) -> tuple[Array, State, Info]:
        """One field and one linear solve in player 2's block, on the same batch."""
        batch = game.draw(rng)
        v = game.field_and_graph(w, batch)
        lr = game.per_coordinate(self.lr, w)
        first, second = game.slices
        follower = game.restrict(1, w)
        pushed = game.jvp(w, only(game, lr * v, 0), batch)[..., second]
        correction, info = solve(
            self,
            follower,
            lambda u: follower.jvp(follower.block, u, batch),
            pushed,
            solver=self.solver,
            tolerance=self.tolerance,
            limit=self.limit,
        )
        ridge = concatenate([zeros_like(w[..., first]), correction])
        return w - lr * v + ridge, state, {"field": v, **info}
