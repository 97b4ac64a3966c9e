"""The fate of starts near a marginal point, and the law by which they come or go."""

from __future__ import annotations

import dataclasses
import enum

from ...errors import ParameterError
from ...lazy import sympy
from ...results import Result, exact_and_decimal


class Fate(enum.StrEnum):
    """What the dynamics does near a point whose linear part does not decide. Each value is its own message."""

    ATTRACTING = "attracting"
    REPELLING = "repelling"
    SADDLE = "saddle"
    ONE_SIDED = "attracting from one side and repelling to the other"
    CONSERVATIVE = "conservative"
    NEUTRAL = "neutral"
    SET = "attracting to a set of equilibria"
    UNDECIDED = "undecided"


@dataclasses.dataclass(frozen=True, repr=False)
class NonlinearDecision(Result):
    """The fate of starts near a marginal point, and the argument.

    Attributes:
        verdict: a `Fate`.
        argument: which argument decided, in words.
        order: degree m of the deciding term; None where no term decided.
        coefficient: l in dr/dt = l r^m, or r+ = r + l r^m, for the distance r from the point (root mean square over
            a turn where it circles); exact where it can be, None where no term decided.
        flow: whether r follows a differential equation.
        quantity: the conserved quantity, where one decided.
    """

    verdict: Fate
    argument: str
    order: int | None = None
    coefficient: sympy.Expr | None = None
    flow: bool = True
    quantity: sympy.Expr = None

    _data = "verdict argument order coefficient=_coefficient law quantity"

    @property
    def law(self) -> str:
        """The equation of the distance r from the point as text; empty where no term decided."""
        if self.coefficient is None:
            return ""
        left = "dr/dt =" if self.flow else "r+ = r +"
        return f"{left} ({self.coefficient}) r^{self.order}"

    def distance(self, t: int | sympy.Expr) -> sympy.Expr:
        """Leading behaviour of r after a long time t, for an attracting point: (-(m-1) l t)^(-1/(m-1)).

        The start is forgotten: from wherever it came, r follows this power law in the end.

        Raises:
            ParameterError: where the point does not attract by a term of its Taylor series.
        """
        if self.verdict is not Fate.ATTRACTING or self.coefficient is None:
            raise ParameterError(
                f"a point that is {self.verdict} has no decay law", "one that attracts by a non-linear term", "see law"
            )
        m = self.order or 0
        return (-(m - 1) * self.coefficient * sympy.sympify(t, strict=True)) ** sympy.Rational(-1, m - 1)

    @property
    def _coefficient(self) -> dict[str, object] | None:
        return exact_and_decimal(self.coefficient)

    def summary(self) -> str:
        """The verdict and the argument, as text."""
        law = f"; {self.law}" if self.law else ""
        return f"{self.verdict}: {self.argument}{law}"
