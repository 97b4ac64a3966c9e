"""Where a fixed point stops attracting, by bisection: what there is to say when exact conditions take too long."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from ...budget import Budget, OutOfTimeError
from ...lazy import sympy
from ..local.exact_linearization import ExactLinearization
from .conditions import conditions
from .freed import unit_from

LOOKED = np.geomspace(1e-6, 1e6, 601)
CLOSE = 1e-9  # relative width of a bracket, well above the rounding of eigenvalues
ROUNDING = 1e-12


@dataclasses.dataclass(frozen=True)
class Crossing:
    """A value of one parameter beyond which the point no longer attracts."""

    value: float  # numeric; 0 where it does not attract at the smallest value looked at, infinite where it always did
    # two fractions around it, at the first of which the point attracts and at the second not, both by exact conditions;
    # None where that was not decided. So a crossing lies between them. That there is none before the first is not
    # proved: `looked` values between 0 and there were looked at
    bracket: tuple[Fraction, Fraction] | None
    looked: int  # how many

    def __str__(self) -> str:
        if self.bracket is None:
            return f"numeric, not proved; {self.looked} values were looked at"
        low, high = self.bracket
        return (
            f"numeric: attracts at {float(low):.12g} and not at {float(high):.12g}, both proved; below, {self.looked} "
            "values were looked at"
        )


def attracts(exact: ExactLinearization, values: Mapping[sympy.Expr, sympy.Expr]) -> bool:
    """Whether every root is on the stable side at these values of all parameters, by exact conditions on numbers."""
    there = dataclasses.replace(exact, matrix=exact.matrix.subs(values), parameters=())
    return all(bool(e > 0) for e in conditions(there))


def crossing(exact: ExactLinearization, p: sympy.Expr, seconds: float) -> Crossing:
    """The end of the stable interval that begins at 0, among values from 1e-6 to 1e6 of the parameter's own unit.

    `exact`: the linearisation, p being its only free parameter; `seconds`: for the proof at the two ends of the
    bracket.
    """
    matrix = sympy.lambdify(p, exact.matrix, "numpy")

    def sizes(value: float) -> float:
        eigenvalues = np.linalg.eigvals(np.array(matrix(value), dtype=complex))
        return float(eigenvalues.real.max() if exact.flow else np.abs(eigenvalues).max() - 1)

    with np.errstate(all="ignore"):
        looked = LOOKED * unit_from(np.array(sympy.lambdify(p, exact.matrix.diff(p), "numpy")(0.0), dtype=complex))
    unstable = np.flatnonzero([sizes(value) > ROUNDING for value in looked])
    if (len(unstable) and unstable[0] == 0) or _proved(exact, p, looked[0], seconds) is False:
        return Crossing(0.0, None, 1)
    if not len(unstable):
        return Crossing(np.inf, None, len(looked))
    low, high = looked[unstable[0] - 1], looked[unstable[0]]
    while high - low > CLOSE * low:
        middle = (low + high) / 2
        low, high = (low, middle) if sizes(middle) > 0 else (middle, high)
    ends = low * (1 - CLOSE), high * (1 + CLOSE)
    proved = _proved(exact, p, ends[0], seconds) is True and _proved(exact, p, ends[1], seconds) is False
    bracket = (Fraction(ends[0]), Fraction(ends[1])) if proved else None
    return Crossing((low + high) / 2, bracket, int(unstable[0]))


def _proved(exact: ExactLinearization, p: sympy.Expr, value: float, seconds: float) -> bool | None:
    """Whether the point attracts at a value, exactly; None where that takes too long."""
    try:
        return Budget(seconds).run(lambda: attracts(exact, {p: sympy.Rational(value)}))
    except OutOfTimeError:
        return None
