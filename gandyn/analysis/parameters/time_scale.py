"""How much faster, or slower, one player must be than the others for the flow to attract."""

from __future__ import annotations

from ...arguments import given_or_known
from ...budget import Budget
from ...errors import DomainError, ParameterError
from ...lazy import sympy
from ...types import Game
from ...worlds import SYMBOLS, exact, object_vector
from ..local.exact_linearization import ExactLinearization
from ..local.linearize import linearize
from .conditions import conditions
from .equilibrium import refuse_moving
from .thresholds import Root, intervals


def attracting_time_scales(
    game: Game, at: object = None, which: int | str = 1, budget: float | Budget | None = 60.0
) -> tuple[tuple[sympy.Expr, sympy.Expr], ...]:
    """Every open interval of tau > 0 for which the linear part of the flow attracts, player `which` moving tau times
    as fast: the flow dw/dt = -diag(1, tau) v(w), with tau beside the coordinates of that player.

    The set need not begin at 0 nor reach infinity, and may have several parts. Every boundary of stability in tau is a
    root of a Hurwitz determinant of the time-scaled Jacobian diag(1, tau) J, Fiez & Ratliff's guard map (2021,
    theorem 1); the roots are isolated exactly and the intervals between them decided by counting them. Steps of a rule
    that follows the flow attract for these tau if they are small enough.

    Args:
        game: a symbolic game without free parameters.
        at: a critical point, the first known equilibrium by default.
        which: the player that is sped up, by default player 2.
        budget: seconds.

    Returns:
        (low, high) of each interval, in order: exact numbers, 0 and infinity among them; decimals where the point is
        one. Empty if no tau attracts.

    Raises:
        DomainError: if the game is not symbolic or is constrained, or the point no equilibrium, or at a kink.
        OutOfTimeError: when the budget is spent.

    Example:
        >>> import gandyn as gd
        >>> game = gd.games.from_sympy("x**2/2 + 2*x*y + y**2/4", {"x": "x", "y": "y"})
        >>> gd.analysis.attracting_time_scales(game, at=(0, 0))
        ((0, 2),)
    """
    jacobian, decimal = _jacobian(game, at)
    tau = sympy.Symbol("tau", positive=True)
    block = game.slices[game.player_index(which)]
    scaling = sympy.diag(*(tau if block.start <= k < block.stop else 1 for k in range(game.dim)))
    linear = ExactLinearization(sympy.ImmutableMatrix(-scaling * jacobian), True, (tau,))
    task = f"the attracting time scales of {game.name}"
    found = Budget.of(budget).run(lambda: intervals(conditions(linear), tau), task)
    ends = (
        tuple(end.exact(tau) if isinstance(end, Root) else sympy.sympify(end, strict=True) for end in pair)
        for pair in found
    )
    return tuple((sympy.N(low, 15), sympy.N(high, 15)) if decimal else (low, high) for low, high in ends)


def critical_time_scale(
    game: Game, at: object = None, which: int | str = 1, budget: float | Budget | None = 60.0
) -> sympy.Expr:
    """The smallest tau* such that the linear part of the flow attracts for every tau > tau*, player `which` moving tau
    times as fast.

    It says nothing of smaller tau: a point that attracts for 0 < tau < 2 alone has tau* infinite. All of them are in
    `attracting_time_scales`.

    Args:
        game: a symbolic game without free parameters.
        at: a critical point, the first known equilibrium by default.
        which: the player that is sped up, by default player 2.
        budget: seconds.

    Returns:
        An exact number; 0 if the point attracts for every tau > 0, infinity if for no range of large tau. A decimal
        where the point is one.

    Raises:
        DomainError: if the game is not symbolic or is constrained, or the point no equilibrium, or at a kink.
        OutOfTimeError: when the budget is spent.

    Example:
        >>> import gandyn as gd
        >>> gd.analysis.critical_time_scale(gd.games.quadratic(-1, 2, 1))
        1
    """
    found = attracting_time_scales(game, at, which, budget)
    return found[-1][0] if found and found[-1][1] == sympy.oo else sympy.oo


def _jacobian(game: Game, at: object) -> tuple[sympy.Matrix, bool]:
    """J at an equilibrium, and whether the point is a decimal that stands for one. Raises as `critical_time_scale`."""
    what = f"the critical time scale of {game.name}"
    if SYMBOLS not in game.worlds:
        raise DomainError(what, "a symbolic game", "gd.games.from_sympy")
    if game.parameters:
        names = ", ".join(map(str, game.parameters))
        raise ParameterError(f"{what} while {names} has no value", "a game without free parameters", f"set {names}")
    if game.constrained:
        raise DomainError(f"{what}, which is constrained", "an unconstrained game", "gd.linearize at several tau")
    point = given_or_known(game, at)
    w = object_vector(map(exact, point))
    refuse_moving(game, w)
    found = linearize(game, at=point)
    if found.obstacle:
        needed, fix = "a point at which the field has a derivative", "gd.basins, or gd.flow"
        raise DomainError(f"{what}: {found.obstacle}", needed, fix)
    return sympy.Matrix(game.jacobian(w)), found.exact is None or found.exact.decimal
