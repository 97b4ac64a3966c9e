"""Limits at a point of what has no derivative there: minima, maxima and branches whose conditions are on their edge."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping, Sequence

import sympy

from ..errors import GandynError

Range = tuple[sympy.Expr, sympy.Expr]
EVERYWHERE: Range = (-sympy.oo, sympy.oo)


class UnboundedError(GandynError):
    """Nothing is known of an expression around the point."""


def limit(e: sympy.Expr, values: Mapping[sympy.Expr, int]) -> sympy.Expr | None:
    """The limit of an expression as its symbols go to `values`, whichever way they go; None where none is proven.

    Every part gets an interval that holds all its limit points and its value at the point; an interval of one number is
    a limit. On a branch L > 0 of a Piecewise, an A with A - L >= 0 identically is positive too.

    Example:
        >>> x, y = sympy.symbols("x y", real=True)
        >>> share = sympy.Piecewise((x**2 / y, y - x**2 > 0), (1, True))
        >>> limit(share, {x: 0, y: 0}) is None
        True
        >>> limit(sympy.Min(share, sympy.Abs(x)), {x: 0, y: 0})
        0
    """
    try:
        low, high = _range(e, values, ())
    except UnboundedError:
        return None
    return low if low == high and low.is_finite else None


def _range(e: sympy.Expr, values: Mapping[sympy.Expr, int], given: Sequence[object]) -> Range:
    if e.is_Number:
        return e, e
    if e.is_Symbol:
        if e not in values:
            raise UnboundedError(f"{e} has no value")
        return sympy.sympify(values[e], strict=True), sympy.sympify(values[e], strict=True)
    if isinstance(e, sympy.Piecewise):
        return _branches(e, values, given)
    if e.is_Pow:
        return _power(e, values, given)
    parts = [_range(a, values, given) for a in e.args]
    if e.is_Add:
        return functools.reduce(_add, parts)
    if e.is_Mul:
        return functools.reduce(_multiply, parts)
    if isinstance(e, (sympy.Max, sympy.Min)):
        return e.func(*(low for low, _ in parts)), e.func(*(high for _, high in parts))
    if isinstance(e, sympy.Abs) and parts[0][0] == parts[0][1]:
        return abs(parts[0][0]), abs(parts[0][0])
    raise UnboundedError(f"{e.func}")


def _add(a: Range, b: Range) -> Range:
    low, high = a[0] + b[0], a[1] + b[1]
    return (low, high) if sympy.nan not in (low, high) else EVERYWHERE


def _multiply(a: Range, b: Range) -> Range:
    """Products of limit points; 0 times infinity may be anything of the sign that the factors allow."""
    ends = [x * y for x, y in itertools.product(a, b)]
    if sympy.nan not in ends:
        return sympy.Min(*ends), sympy.Max(*ends)
    return (sympy.Integer(0), sympy.oo) if a[0] >= 0 and b[0] >= 0 else EVERYWHERE


def _power(e: sympy.Expr, values: Mapping[sympy.Expr, int], given: Sequence[object]) -> Range:
    low, high = _range(e.base, values, given)
    if e.exp.is_Integer and low == high and low.is_finite and (e.exp > 0 or low != 0):
        return low**e.exp, low**e.exp
    if e.exp.is_Rational and (low > 0 or (e.exp.is_positive and low >= 0)):
        ends = low**e.exp, high**e.exp
        return ends if e.exp.is_positive else ends[::-1]
    if e.exp.is_Rational and low == high == 0 and _positive(e.base, given):
        return sympy.oo, sympy.oo
    raise UnboundedError(f"{e}")


def _positive(e: sympy.Expr, given: Sequence[object]) -> bool:
    return bool(e.is_positive) or any((e - gap).is_nonnegative for gap in given)


def nonnegative(e: sympy.Expr, given: Sequence[sympy.Basic] = ()) -> bool:
    """Whether an expression is proven >= 0 wherever what is `given` is positive.

    Example:
        >>> x, y = sympy.symbols("x y", real=True)
        >>> nonnegative(sympy.Piecewise((x**2 / y, y - x**2 > 0), (1, True))), nonnegative(x * y)
        (True, False)
    """
    if e.is_nonnegative:
        return True
    if isinstance(e, sympy.Piecewise):
        return all(nonnegative(value, [*given, *_gaps(condition)]) for value, condition in e.args)
    summed = e.is_Mul or e.is_Add or isinstance(e, (sympy.Min, sympy.Max))
    if summed and all(nonnegative(a, given) for a in e.args):
        return True
    return bool(e.is_Mul or e.is_Pow) and _positive(1 / e, given)


def _gaps(condition: sympy.Expr) -> list[sympy.Expr]:
    strict = isinstance(condition, (sympy.StrictGreaterThan, sympy.StrictLessThan))
    return [condition.gts - condition.lts] if strict else []


def _branches(e: sympy.Expr, values: Mapping[sympy.Expr, int], given: Sequence[sympy.Basic]) -> Range:
    found: list[Range] = []
    for value, condition in e.args:
        holds, gap = _open(condition, values, given)
        if holds is not False:
            found.append(_range(value, values, [*given, gap] if holds is None and gap is not None else given))
        if holds:
            break
    return sympy.Min(*(low for low, _ in found)), sympy.Max(*(high for _, high in found))


def _open(
    condition: sympy.Basic, values: Mapping[sympy.Expr, int], given: Sequence[object]
) -> tuple[bool | None, sympy.Basic]:
    """(Whether a condition holds around the point, None on its edge; what is positive where it holds)."""
    if condition in (sympy.true, sympy.false):
        return bool(condition), None
    if not isinstance(condition, (sympy.StrictGreaterThan, sympy.StrictLessThan)):
        raise UnboundedError(f"{condition}")
    gap = condition.gts - condition.lts
    low, high = _range(gap, values, given)
    if low > 0:
        return True, None
    return (False, None) if high < 0 else (None, gap)
