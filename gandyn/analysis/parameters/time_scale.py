"""How much faster one player must be than the others for the flow to attract."""

from __future__ import annotations

from ...arguments import given_or_known
from ...budget import Budget
from ...errors import DomainError, ParameterError
from ...lazy import sympy
from ...types import Array, Game, Parameter
from ...worlds import SYMBOLS, exact, object_vector
from ..exact_numbers.routh import between, boundary_roots
from ..local.exact_linearization import ExactLinearization
from .conditions import conditions
from .equilibrium import refuse_moving
from .thresholds import where_positive


def critical_time_scale(
    game: Game, at: object = None, which: int | str = 1, budget: float | Budget | None = 60.0
) -> sympy.Expr:
    """How many times faster player `which` must move for the flow to converge: it does for every tau > tau*.

    Every boundary of stability in tau is a root of a Hurwitz determinant of the time-scaled Jacobian diag(1, tau) J,
    Fiez & Ratliff's guard map (2021, theorem 1); the roots are isolated exactly and the intervals between them decided
    by counting them.

    Args:
        game: a symbolic game without free parameters.
        at: a critical point, the first known equilibrium by default.
        which: the player that is sped up, by default player 2.
        budget: seconds.

    Returns:
        An exact number; 0 if the point attracts for every tau > 0, infinity if for no range of large tau. A decimal
        where the point is one.

    Raises:
        DomainError: if the game is not symbolic or is constrained, or the point no equilibrium.
        OutOfTimeError: when the budget is spent.

    Example:
        >>> import gandyn as gd
        >>> gd.analysis.critical_time_scale(gd.games.quadratic(-1, 2, 1))
        1
    """
    jacobian = _jacobian(game, at)
    tau = sympy.Symbol("tau", positive=True)
    block = game.slices[game.player_index(which)]
    scaling = sympy.diag(*(tau if block.start <= k < block.stop else 1 for k in range(game.dim)))
    linear = ExactLinearization(sympy.ImmutableMatrix(-scaling * jacobian), True, (tau,))
    task = f"the critical time scale of {game.name}"
    result = Budget.of(budget).run(lambda: _beginning(conditions(linear), tau), task)
    return sympy.N(result, 15) if linear.decimal else result


def _jacobian(game: Game, at: Array) -> sympy.Matrix:
    """J at an equilibrium, exact. Raises DomainError, ParameterError as `critical_time_scale`."""
    what = f"the critical time scale of {game.name}"
    if SYMBOLS not in game.worlds:
        raise DomainError(what, "a symbolic game", "gd.games.from_sympy")
    if game.parameters:
        names = ", ".join(map(str, game.parameters))
        raise ParameterError(f"{what} while {names} has no value", "a game without free parameters", f"set {names}")
    if game.constrained:
        raise DomainError(f"{what}, which is constrained", "an unconstrained game", "gd.linearize at several tau")
    w = object_vector(map(exact, given_or_known(game, at)))
    refuse_moving(game, w)
    return sympy.Matrix(game.jacobian(w))


def _beginning(expressions: tuple[sympy.Expr, ...], tau: Parameter) -> sympy.Expr:
    """The beginning of the interval without end on which all are positive: infinity if there is none."""
    cut = where_positive(expressions, tau)
    if cut is not None:
        line, holds = cut
        failing = max((k for k, ok in enumerate(holds) if not ok), default=-1)
        if failing == len(holds) - 1:
            return sympy.oo
        return sympy.Integer(0) if failing < 0 else line.roots[failing // 2].exact(tau)
    edges = [sympy.Integer(0), *boundary_roots(expressions, tau)]
    result: sympy.Expr = sympy.oo
    for low, high in reversed(list(zip(edges, [*edges[1:], None], strict=True))):
        if not all(bool(sympy.N(e.subs(tau, between(low, high)), 30) > 0) for e in expressions):
            break
        result = low
    return result
