"""Follow the ridge: the follower's step is corrected so that it stays on its own ridge while the leader moves."""

from __future__ import annotations

import math

import numpy as np

from ..errors import DomainError, ParameterError
from ..types import Array, Cost, Domain, Game, Info, Parameter, Rng, Rule, State
from ..worlds import NUMPY, concatenate, zeros_like
from .declaration import accuracy, choice, register, step_size
from .linear_systems import SOLVERS, solve
from .products import only

PROBES, PROBED = 3, 64  # points at which the follower's Hessian is looked at, in games of at most this dimension


@register
class FollowTheRidge(Rule):
    """x+ = x - lr_x v_x; y+ = y - lr_y v_y + J_yy^{-1} J_yx lr_x v_x (Wang et al. 2019, algorithm 1).

    Player 2's extra move keeps v_y unchanged, to first order, under player 1's: on a ridge v_y = 0 it follows it. Its
    attracting fixed points are the local minimax (Stackelberg) points, which gradient descent-ascent may leave.

    Args:
        lr: step size, one number or one per player.
        solver: for J_yy: "dense", "krylov" (GMRES), or "auto" by size.
        tolerance: relative residual of the iterative solver.
        limit: its most iterations.

    Raises:
        DomainError: for a game in which player 2's Hessian is singular everywhere: bilinear games, matrix games, whose
            softmax logits may all be shifted.
        ConvergenceError: at a point where it is singular to working precision; an ensemble loses that member (nan).
            An iterative solve that falls short of `tolerance` within `limit` reports its residual; on networks it is
            the answer of smallest residual, also where dead units make J_yy singular.
    """

    lr: Parameter = step_size()
    solver: str = choice(*SOLVERS, default="auto")
    tolerance: float = accuracy(default=1e-8)
    limit: int = 100
    cost = Cost(fields=1, jvps=math.nan)
    domain = Domain(two_player=True, zero_sum=True, unconstrained=True, capturable=False)
    flow_order = None
    aliases = ("FTR", "FR")

    def check(self, game: Game) -> None:
        """Refuse games in which player 2 has no ridge: those whose J_yy is singular at every point tried."""
        super().check(game)
        if not _has_ridge(game):
            raise DomainError(
                f"{self.name} on {game.name}, where player {game.players[1].name} has no ridge: J_yy is singular",
                "a game with an invertible J_yy",
                "use a rule that solves no linear system, such as Extragradient",
            )

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
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
            sharp=NUMPY
            in game.worlds,  # a network's dead units leave zero rows, and a system with solutions all the same
        )
        ridge = concatenate([zeros_like(w[..., first]), correction])
        return w - lr * v + ridge, state, {"field": v, **info}


def _has_ridge(game: Game) -> bool:
    """Whether J_yy has full rank at one of a few random points; assumed without a check in large games."""
    if NUMPY not in game.worlds or game.dim > PROBED:
        return True
    try:
        game.check(np.zeros(game.dim))
    except ParameterError:  # a parameter without a value
        return True
    rng, own = np.random.default_rng(0), game.slices[1]
    centre = np.array([float(x) for x in game.equilibria[0]]) if game.equilibria else np.zeros(game.dim)
    for w in centre + 0.5 * rng.normal(size=(PROBES, game.dim)):
        with np.errstate(all="ignore"):
            jacobian = game.jacobian(w, game.draw(rng))
        sizes = np.linalg.svd(jacobian[own, own], compute_uv=False) if np.isfinite(jacobian).all() else np.ones(1)
        if sizes[-1] > 1e-13 * np.abs(jacobian).max():
            return True
    return False
