"""The mean and the covariance of the stationary law of a random map, as formulas in its free parameters."""

from __future__ import annotations

from ...budget import Budget, OutOfTimeError
from ...lazy import sympy
from . import stein
from .random_map import RandomMap

UNKNOWNS = 21  # entries of P up to which formulas are looked for
OUTCOMES = 400


def exact_moments(step: RandomMap, seconds: float) -> tuple[sympy.Matrix, sympy.Matrix] | None:
    """(E[z - z*], covariance of z) as SymPy matrices; None where they are too large, or time is out."""
    size = step.matrix.rows
    if not size or size * (size + 1) // 2 > UNKNOWNS or step.outcomes > OUTCOMES:
        return None
    try:
        return Budget(seconds).run(lambda: _solved(step), "the formula of the covariance")
    except (OutOfTimeError, ValueError, NotImplementedError, ArithmeticError):
        return None


def pulled(step: RandomMap, offset: sympy.Matrix) -> sympy.Matrix:
    """The mean of z - z* where a step adds this to it on average, a SymPy column."""
    left = sympy.eye(step.matrix.rows) - step.expected(step.matrix)
    return left.LUsolve(offset).applyfunc(sympy.cancel)


def _solved(step: RandomMap) -> tuple[sympy.Matrix, sympy.Matrix] | None:
    mean = pulled(step, step.expected(step.offset))
    c = step.offset
    crossed = step.expected(sympy.ImmutableMatrix(c * c.T + step.matrix * mean * c.T + c * (step.matrix * mean).T))
    forcing = crossed + step.expected(sympy.ImmutableMatrix(step.noise * step.covariance * step.noise.T))
    solution = stein.solve_exact(step, forcing)
    return None if solution is None else (mean, solution - mean * mean.T)
