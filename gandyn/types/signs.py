"""Signs of numbers that may be exact, whether expressions are zero, and their short forms: all within seconds."""

from __future__ import annotations

from typing import Any

from .. import worlds
from ..budget import Budget, OutOfTimeError
from ..errors import ParameterError
from ..lazy import sympy

SECONDS = 5.0  # for the proof that an expression is zero, and for one simplification


def sign(x: Any, tolerance: float = 0.0) -> int:
    """-1, 0 or 1: exact for SymPy numbers, else 0 within the tolerance. Raises ParameterError while it is open."""
    if not worlds.is_symbolic(x):
        return 0 if abs(x) <= tolerance else 1 if x > 0 else -1
    if x.is_Rational:
        return bool(x > 0) - bool(x < 0)
    if x.free_symbols:
        known = 1 if x.is_positive else -1 if x.is_negative else 0 if x.is_zero else None
        if known is None:
            names = ", ".join(sorted(map(str, x.free_symbols)))
            raise ParameterError(f"the sign of {x} while {names} has no value", "a value", "set the parameter")
        return known
    if decimal(x):
        return sign(float(x), tolerance)
    value = sympy.N(x, 50, chop=False)
    if abs(value) > 1e-40 * max(1, *(abs(sympy.N(t, 20)) for t in sympy.Add.make_args(x))):
        return 1 if value > 0 else -1
    return 0 if is_zero(x) else bool(value > 0) - bool(value < 0)


def is_zero(e: sympy.Expr, undecided: bool = False) -> bool:
    """Whether an exact expression is zero: refuted by its digits, or proved by simplification within `SECONDS`.

    Free symbols get rational values for the refutation, so that True means identically zero. Simplifying towers of
    powers can take hours and all memory; what its digits leave open and no proof closes in time is undecided.

    Args:
        e: a SymPy expression, exact.
        undecided: the answer where neither came out.
    """
    if e.is_Rational:
        return bool(e == 0)
    try:
        return Budget(SECONDS).run(lambda: _may_vanish(e) and bool(sympy.simplify(e) == 0))
    except OutOfTimeError:
        return undecided


def _may_vanish(e: sympy.Expr) -> bool:
    """Whether the expression may be zero: evaluated to twenty digits, its value cannot be told from 0."""
    values = {s: sympy.Rational(2 * k + 3, 7) for k, s in enumerate(sorted(e.free_symbols, key=str))}
    try:
        value = e.subs(values).evalf(20, strict=True, maxn=200)
    except sympy.core.evalf.PrecisionExhausted:
        return True
    return not (value.is_number and value.is_finite and value != 0)


def simplified(e: sympy.Expr) -> sympy.Expr:
    """The shorter form of an expression that SymPy finds within `SECONDS`, otherwise the expression as it stands.

    For what people read: a question about the value is asked of `is_zero` and `sign`.
    """
    if e.is_Atom:
        return e
    try:
        return Budget(SECONDS).run(lambda: sympy.simplify(e))
    except OutOfTimeError:
        return e


def decimal(x: sympy.Expr) -> bool:
    """Whether a SymPy number holds decimals, which are exact only to their digits."""
    return bool(x.has(sympy.Float))
