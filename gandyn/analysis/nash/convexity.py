"""Proofs that an expression is convex in some of its symbols: by its second derivative, or by rules of composition.

The rules are those of disciplined convex programming (Grant, Boyd & Ye 2006): sums with coefficients of one sign,
convex functions of affine arguments, and convex increasing functions of convex arguments. What they do not reach is not
proved.
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from ...symbolic import functions


def is_convex(e: sympy.Expr, own: Sequence[sympy.Expr]) -> bool:
    """Whether the expression e, whose only symbols are `own`, is proved to be convex on all of R^k.

    Example:
        >>> x, y = sympy.symbols("x y", real=True)
        >>> is_convex(x**4 + 2 * sympy.exp(x - y), [x, y]), is_convex(x * y, [x, y])
        (True, False)
    """
    expanded = sympy.expand(e, power_exp=False, power_base=False)
    return _curved(e, own, 1) or _curved(expanded, own, 1) or _hessian(expanded, own)


def _hessian(e: sympy.Expr, own: Sequence[sympy.Expr]) -> bool:
    """By the second derivative: of a quadratic, or of a polynomial in one symbol without a sign change."""
    if not e.is_polynomial(*own):
        return False
    hessian = sympy.hessian(e, own)
    if not hessian.free_symbols:
        return bool(hessian.is_positive_semidefinite)
    if len(own) > 1:
        return False
    second = sympy.Poly(hessian[0, 0], own[0])
    if second.LC() <= 0 or second.degree() % 2 or not all(c.is_Rational for c in second.all_coeffs()):
        return False
    return all(m % 2 == 0 or not f.count_roots() for f, m in second.factor_list()[1])


def _curved(e: sympy.Expr, own: Sequence[sympy.Expr], sign: int) -> bool:
    """Whether sign * e is shown to be convex by the composition rules of convex functions."""
    if not e.free_symbols & set(own) or _affine(e, own):
        return True
    if e.is_Add:
        return all(_curved(term, own, sign) for term in e.args)
    if e.is_Mul:
        constants = [f for f in e.args if not f.free_symbols & set(own)]
        rest = sympy.Mul(*(f for f in e.args if f.free_symbols & set(own)))
        factor = sympy.Mul(*constants)
        if not constants or factor.is_real is not True:
            return _power(e, own, sign)
        return _curved(rest, own, sign if factor > 0 else -sign)
    return _power(e, own, sign) or _function(e, own, sign)


def _power(e: sympy.Expr, own: Sequence[sympy.Expr], sign: int) -> bool:
    if not e.is_Pow or sign < 0 or not _affine(e.base, own):
        return False
    return bool(e.exp.is_Integer and e.exp > 0 and e.exp % 2 == 0)


def _function(e: sympy.Expr, own: Sequence[object], sign: int) -> bool:
    increasing = (sympy.exp, functions.softplus, sympy.Max)
    if sign > 0 and isinstance(e, increasing):
        return all(_curved(a, own, 1) for a in e.args)
    if sign < 0 and isinstance(e, sympy.Min):
        return all(_curved(a, own, -1) for a in e.args)
    if sign > 0 and isinstance(e, sympy.Abs):
        return _affine(e.args[0], own)
    return False


def _affine(e: sympy.Expr, own: Sequence[sympy.Expr]) -> bool:
    return bool(e.is_polynomial(*own)) and sympy.Poly(e, *own).total_degree() <= 1
