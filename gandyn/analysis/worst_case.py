"""The worst case of a rule over all monotone Lipschitz fields, by running it on performance-estimation points."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import io
from typing import Any

from ..errors import DomainError, MissingDependencyError, ParameterError
from ..results import Result, plain
from ..types import Array, Batch, Game, Player, Rule
from ..worlds import POINTS, is_symbolic


class PointsGame(Game):
    """Every strongly monotone Lipschitz field at once: points are PEPit's, the field an operator not yet chosen."""

    name = "all monotone Lipschitz fields"
    players = (Player("w", 1),)
    worlds = frozenset({POINTS})

    def __init__(self, operator: Any) -> None:
        self.operator = operator

    def check(self, w: Array) -> None:
        """Points have no coordinates to check."""

    def per_player(self, value: Any) -> tuple[Any, ...]:
        """One value: a class of operators has no players."""
        if isinstance(value, (tuple, list, dict)):
            raise DomainError(f"worst_case with {value} per player", "one value for all", "use one number")
        return (value,)

    def _field(self, w: Array, batch: Batch, only: int | None) -> Array:
        return self.operator.gradient(w)

    def _costs(self, w: Array, batch: Batch) -> tuple[Array, ...]:
        raise DomainError("costs of a class of fields", "the field alone", "use a game")

    def resolvent(self, lr: Any, w: Array) -> Array:
        """The point x with x = w - lr v(x)."""
        from PEPit.primitive_steps import proximal_step

        return proximal_step(w, self.operator, lr)[0]


@dataclasses.dataclass(frozen=True, repr=False)
class WorstCase(Result):
    """The smallest rho^2 with |w_T - w*|^2 <= rho^2 |w_0 - w*|^2 over a class of fields.

    Attributes:
        rule: the rule. mu, lipschitz: the class: <v(a) - v(b), a - b> >= mu |a - b|^2, |v(a) - v(b)| <= L |a - b|.
        steps: T. value: rho^2, an upper bound from the dual to the solver's accuracy. per_step: rho^(1/T).
    """

    rule: Rule
    mu: float
    lipschitz: float
    steps: int
    value: float

    @property
    def per_step(self) -> float:
        """Contraction of the distance per step, rho^(1/T)."""
        return float(self.value ** (0.5 / self.steps)) if self.value > 0 else 0.0

    def summary(self) -> str:
        """Class and bound."""
        kind = f"{self.mu:g}-strongly monotone, {self.lipschitz:g}-Lipschitz fields"
        return (
            f"{self.rule!r} on all {kind}: |w_{self.steps} - w*|^2 <= {self.value:.10g} |w_0 - w*|^2 "
            f"(factor {self.per_step:.6g} a step)"
        )

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain data."""
        result: dict[str, Any] = plain(
            {
                "rule": repr(self.rule),
                "mu": self.mu,
                "lipschitz": self.lipschitz,
                "steps": self.steps,
                "value": self.value,
            }
        )
        return result


@functools.lru_cache(maxsize=256)
def worst_case(rule: Rule, mu: float = 0.0, lipschitz: float = 1.0, steps: int = 1) -> WorstCase:
    """Performance estimation: the exact worst case of T steps over all operators of a class, by a semidefinite program.

    The rule runs on points whose inner products are the unknowns (Drori & Teboulle 2014; Taylor et al. 2017; for
    operators Ryu et al. 2020); the class's interpolation conditions for Lipschitz strongly monotone operators are
    necessary, so the value is an upper bound that is tight for one step of gradient descent: 1 - 2 lr mu + lr^2 L^2.
    Rules with memory start from the state of `rule.init`. Answers are cached.

    Args:
        rule: linear in the field (`rule.domain.linear_in_field`), or the proximal point rule; numbers as parameters.
        mu: monotonicity, >= 0. lipschitz: L >= mu, > 0. steps: T >= 1.

    Raises:
        DomainError: for other rules. ParameterError: for a class that is empty.
        MissingDependencyError: without PEPit (`pip install "gandyn[proof]"`).

    Example (run by tests/test_worst_case.py, where PEPit is installed)::

        gd.worst_case(gd.rules.GDA(0.1), mu=0.5, lipschitz=2.0).value  # 0.94, up to the solver's accuracy
    """
    if not (rule.domain.linear_in_field or hasattr(rule, "residual")):
        raise DomainError(
            f"worst_case of {rule!r}, which is not linear in the field",
            "steps made of points and fields with fixed coefficients",
            "GDA, Extragradient, OptimisticGD, HeavyBall, ProximalPoint, ...",
        )
    if not (0 <= mu <= lipschitz and lipschitz > 0):
        raise ParameterError(f"mu={mu}, lipschitz={lipschitz}", "0 <= mu <= lipschitz, lipschitz > 0", "mu=0.1")
    if not isinstance(steps, int) or steps < 1:
        raise ParameterError(f"steps={steps!r}", "a whole number >= 1", "steps=1")
    free = [v for v in vars(rule).values() if is_symbolic(v) and v.free_symbols]
    if free:
        raise ParameterError(f"worst_case while {free[0]} has no value", "numbers", "set the parameter")
    try:
        from PEPit import PEP
        from PEPit.operators import LipschitzStronglyMonotoneOperatorExpensive
    except ImportError as error:
        raise MissingDependencyError("worst_case without PEPit", "PEPit", 'pip install "gandyn[proof]"') from error
    problem = PEP()
    operator = problem.declare_function(LipschitzStronglyMonotoneOperatorExpensive, mu=mu, L=lipschitz)
    solution = operator.stationary_point()
    w = problem.set_initial_point()
    problem.set_initial_condition((w - solution) ** 2 <= 1)
    game = PointsGame(operator)
    state = rule.init(game, w)
    for _ in range(steps):
        w, state, _ = rule.step(game, w, state)
    problem.set_performance_metric((w - solution) ** 2)
    with contextlib.redirect_stdout(io.StringIO()):
        value = problem.solve(verbose=0)
    return WorstCase(rule, float(mu), float(lipschitz), steps, float(value))
