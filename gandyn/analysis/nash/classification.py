"""What kind of solution a critical point is: Nash or not, Stackelberg or not, and stable or not under the flow."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from ...budget import Budget, in_time
from ...doors import door
from ...errors import DomainError, NotDifferentiableError, ParameterError
from ...lazy import sympy
from ...results import Result, place
from ...types import Array, FirstOrder, Game
from ...worlds import SYMBOLS, exact, object_vector
from ..local.derivatives import entries, flow_matrix, locate_point, offered_on_symbols
from ..local.fate import Fate
from ..local.linearize import Linearization, Verdict, linearize
from .one_sided import KINKS
from .own_optimum import EXACT_SIZE, Optimum, OwnOptimum, OwnProblem, along_face, definiteness, own_conditions


@dataclasses.dataclass(frozen=True, repr=False)
class Classification(Result):
    """What a critical point is in terms of game theory and of dynamics.

    Attributes:
        game: the game.
        at: the point, shape (d,).
        own: for each player, the definiteness of its own Hessian d^2 f_i/dx_i^2, such as "positive definite",
            "indefinite" or "not defined at a kink": see `OwnOptimum.hessian`.
        stackelberg: in two-player zero-sum games, whether f_yy is negative definite and the Schur complement
            f_xx - f_xy f_yy^-1 f_yx positive definite. None in other games, at kinks and at active bounds.
        linearization: of the gradient flow at the point.
        players: an `OwnOptimum` for each player: what the point is for its own cost, and why.
    """

    game: Game
    at: tuple[sympy.Expr, ...]
    own: tuple[str, ...]
    stackelberg: bool | None
    linearization: Linearization
    players: tuple[OwnOptimum, ...] = ()

    _data = "game at label nash minimax global_nash own_hessians=own own_optima=players flow=linearization.verdict"

    @property
    def nash(self) -> str:
        """One of: strict local Nash, global Nash, local Nash, not a local Nash equilibrium, or undecided, and why."""
        kinds = [player.kind for player in self.players]
        if Optimum.NONE in kinds:
            return "not a local Nash equilibrium"
        if Optimum.OPEN in kinds:
            names = (p.name for p, kind in zip(self.game.players, kinds, strict=True) if kind is Optimum.OPEN)
            return f"undecided whether Nash: the own optimum of {', '.join(names)} is open"
        if all(kind is Optimum.STRICT for kind in kinds):
            return "strict local Nash"
        return "global Nash" if self.global_nash else "local Nash"

    @property
    def global_nash(self) -> bool:
        """Whether no player can gain by any deviation, near or far: True only where every own cost is proved convex."""
        minima = all(player.kind in (Optimum.STRICT, Optimum.GLOBAL) for player in self.players)
        return minima and all(player.convex for player in self.players)

    @property
    def minimax(self) -> str:
        """Whether this is a strict local minimax (Stackelberg) point, in words (Jin et al. 2020, proposition 20)."""
        if self.stackelberg is None:
            if self.game.zero_sum and len(self.game.players) == 2:
                return "local minimax is not judged at kinks and active bounds"
            return "local minimax is defined for two-player zero-sum games"
        return "strict local minimax" if self.stackelberg else "not a strict local minimax point"

    @property
    def label(self) -> str:
        """The Nash property and the stability of the point in one phrase; non-linear terms count where they decide."""
        stable = self._stability
        if self.nash.startswith("undecided"):
            return f"{stable}; {self.nash}"
        if self.nash.startswith("not"):
            return "stable but not Nash" if stable == "attracting" else f"{stable}, not Nash"
        if stable == "attracting":
            return f"{self.nash}, {stable}"
        if stable == "undecided":
            return f"{self.nash}, stability undecided"
        unstable = "unstable, " if stable in ("repelling", "saddle", Fate.ONE_SIDED.value) else ""
        return f"Nash but {unstable}{stable}: {self.nash}"

    @property
    def _stability(self) -> str:
        """Of the flow; what neither attracts nor repels is marginal, whatever keeps it there."""
        fate = self.linearization.fate
        return Verdict.MARGINAL.value if fate in (Fate.CONSERVATIVE, Fate.NEUTRAL) else fate.value

    def summary(self) -> str:
        """The label and the evidence for it: each player's own optimum, minimax, and the flow, as text."""
        lines = [f"{place(self.at)} of {self.game.name}: {self.label}"]
        for player, found in zip(self.game.players, self.players, strict=True):
            lines.append(f"{player.name}: {found.kind} of its own cost ({found.reason}); own Hessian {found.hessian}")
        if self.global_nash:
            lines.append("global Nash: every own cost is convex")
        lines.append(self.minimax)
        lines.append(f"flow: {self.linearization.worded(self._stability)} ({self.linearization.reason})")
        return "\n".join(lines)


@door
@in_time
def classify(game: Game, at: object = None, budget: float | Budget | None = 120.0) -> Classification:
    """Classify a critical point: Nash or not, Stackelberg or not, and its stability under the gradient flow.

    A point is a Nash equilibrium where it minimises each player's own cost f_i(., x_-i), the others fixed at the point.
    It is a global minimum where that cost is proved convex. It is a strict local minimum where the own Hessian
    d^2 f_i/dx_i^2 is positive definite on the directions in which the player can move (a bound against which -v presses
    stops it), or, in one dimension, where the first own derivative that does not vanish leads uphill. It is no minimum
    where the Hessian has a negative direction, or that derivative leads downhill. At a kink of the own cost, the
    one-sided slopes of the smooth pieces decide: the point is a strict local minimum where every feasible direction is
    uphill to first order, or flat to first order and uphill to second. Otherwise the answer is undecided, with the
    reason. It is exact for symbolic games at exact points; a stochastic game is classified by its mean.

    Args:
        game: the game, constrained or not.
        at: the point, (d,); by default the game's first known equilibrium.
        budget: seconds. Beyond them the call raises, without a partial answer.

    Returns:
        A `Classification`: its `.label`, and separately `.nash`, `.minimax`, `.global_nash` and each player's own
        optimum.

    Raises:
        DomainError: for a game with free parameters.
        OutOfTimeError: when the budget is spent.
        ParameterError: if the point does not solve the game: if the field does not vanish there, or in a constrained
            game w - P(w - v(w)) does not, and some player has a direction of descent to first order.

    Example:
        >>> import gandyn as gd
        >>> gd.classify(gd.games.quadratic(1, 2, 1)).nash
        'strict local Nash'
        >>> gd.classify(gd.games.bilinear()).nash
        'global Nash'
    """
    lin = linearize(game, at=at)
    analysed = lin.game
    point, exactly, jacobian = _derivatives(analysed, lin, at)
    feasible = analysed.feasible_set()
    conditions = None if lin.constraints is None else lin.constraints.first_order
    shares = [own_conditions(feasible, analysed, i, conditions) for i in range(len(analysed.players))]
    problems = []
    for i, (block, share) in enumerate(zip(analysed.slices, shares, strict=True)):
        hessian = None if jacobian is None else _block(jacobian, block, block)
        row = () if jacobian is None else np.asarray(_block(jacobian, block, slice(None))).ravel()
        scale = max((abs(float(e)) for e in row), default=0.0)
        problems.append(OwnProblem(analysed, i, point, exactly, hessian, scale, share))
    between_slopes = jacobian is None and all(problem.beside.stationary for problem in problems)
    if not lin.equilibrium and not between_slopes:
        raise ParameterError(
            f"the field of {game.name} {_away(lin.residual)} this point",
            "a zero of the field, or of w - P(w - v(w)) where the game is constrained",
            "gd.fixed_points",
        )
    players = tuple(problem.judge() for problem in problems)
    own = tuple(player.hessian for player in players)
    return Classification(game, lin.at, own, _stackelberg(analysed, jacobian, shares), lin, players)


def _derivatives(game: Game, lin: Linearization, at: object) -> tuple[Array, bool, Array]:
    """The point, whether it is exact, and J there: a SymPy matrix where it is exact and small, None at a kink."""
    if not (SYMBOLS in game.worlds or game.symbolic):
        return lin.at, False, np.asarray(game.jacobian(game.point(list(lin.at))).tolist())
    game = offered_on_symbols(game)
    given = object_vector(map(exact, entries(game.equilibria[0] if at is None else at)))
    place = locate_point(game, given)
    kinked = game.symbolic and any(e.has(*KINKS, sympy.Piecewise) for e in game.field_exprs)
    try:
        jacobian = -sympy.Matrix(flow_matrix(game, given if kinked else place.point)[1])
    except NotDifferentiableError:  # a number that was given is exact, whatever the field is there
        return given, not any(e.free_symbols for e in given), None
    if free := sorted(map(str, jacobian.free_symbols)):
        raise DomainError(
            f"the free parameters {', '.join(free)} of {game.name}",
            "numbers for all of them",
            "a game made with numbers; gd.stability_region(game, rule) has conditions on free parameters",
        )
    exactly = place.exact
    if not exactly or jacobian.rows > EXACT_SIZE:
        return place.point, exactly, np.array([[float(e) for e in row] for row in jacobian.tolist()])
    return place.point, True, jacobian


def _away(residual: float) -> str:
    """How the point fails to be critical, in words: v is not defined, not zero, or leads away from a bound."""
    if math.isnan(residual):
        return "is not defined at"
    return f"is {residual:.2e} long at" if residual else "leads away from"


def _block(jacobian: sympy.Matrix, rows: slice, columns: slice) -> sympy.Matrix:
    return jacobian[rows, columns]


def _stackelberg(game: Game, jacobian: sympy.Matrix, shares: list[FirstOrder]) -> bool | None:
    if not (game.zero_sum and len(game.players) == 2) or any(share.face.active for share in shares):
        return None
    if jacobian is None:
        return None
    x, y = ((block, share.face) for block, share in zip(game.slices, shares, strict=True))
    parts = [along_face(_block(jacobian, r, c), f, g) for r, f in (x, y) for c, g in (x, y)]
    xx, xy, yx, yy = parts
    if definiteness(yy) != "positive definite":
        return False
    # J = [[f_xx, f_xy], [-f_yx, -f_yy]], so f_xx - f_xy f_yy^-1 f_yx = xx - xy yy^-1 yx.
    schur = xx - xy @ (np.linalg.solve(yy, yx) if isinstance(yy, np.ndarray) else yy.LUsolve(yx))
    return definiteness(schur) == "positive definite"
