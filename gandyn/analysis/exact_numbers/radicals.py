"""Roots of polynomials in radicals, where those are readable, and the largest modulus among them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import sympy
from sympy import Poly
from sympy.polys.polyroots import roots_linear, roots_quadratic

from ...types.signs import simplified
from .roots import DIGITS, Z, is_rational, modulus, numeric_roots

NEAR = sympy.Float(10) ** (-DIGITS // 2)  # relative difference below which two decimals are one number


def closed_roots(f: sympy.Poly) -> list[sympy.Expr] | None:
    """The roots of a polynomial in radicals, or None where these are too long to read.

    Readable are degrees 1 and 2, products of such factors over the Gaussian integers, and a z^4 + b z^2 + c.
    """
    if f.degree() <= 2 and is_rational(f):  # as SymPy's solver writes them, without its search for a shorter form
        roots = roots_quadratic(f) if f.degree() == 2 else roots_linear(f)
        return sorted(dict.fromkeys(roots), key=sympy.default_sort_key)
    if f.degree() <= 2:
        return [simplified(r) for r in sympy.solve(f.as_expr(), Z)]
    split = sympy.factor_list(f.as_expr(), gaussian=True)[1]
    parts = [part for part, multiplicity in split if part.has(Z) for _ in range(multiplicity)]
    if len(parts) > 1 and all(sympy.degree(part, Z) <= 2 for part in parts):
        return list(itertools.chain.from_iterable(sympy.solve(part, Z) for part in parts))
    if f.degree() == 4 and not any(f.all_coeffs()[1::2]):
        return list(sympy.solve(f.as_expr(), Z))
    return None


def largest_modulus(matrix_factors: Sequence[tuple[Poly, int]]) -> sympy.Expr | None:
    """The largest modulus of the roots of all factors, exact: in radicals or as a root of a rational polynomial.

    None where the factor with the largest root has irrational coefficients, or no real root of this modulus and a
    degree above 8. The square of the modulus of a root r is r times its conjugate, and the products of two roots of a
    polynomial f of degree k are the roots of the resultant in y of f(y) and y^k f(z / y).

    Args:
        matrix_factors: (factor, multiplicity) pairs of a characteristic polynomial, each without multiple roots.
    """
    dominant = max(matrix_factors, key=lambda item: max(map(modulus, numeric_roots(item[0]))))[0]
    roots = numeric_roots(dominant)
    top = max(map(modulus, roots))
    if not is_rational(dominant):
        return None
    near = (r for r in roots if sympy.im(r) == 0 and abs(modulus(r) - top) <= NEAR * top)
    real = next(near, None)
    if real is not None:
        return abs(_root_near(dominant, real))
    if dominant.degree() == 2:  # a conjugate pair, whose product is the last coefficient
        return sympy.sqrt(dominant.TC() / dominant.LC())
    if dominant.degree() > 8:
        return None
    y = sympy.Symbol("y")
    k = dominant.degree()
    scaled = sympy.expand(y**k * dominant.as_expr().subs(Z, Z / y))
    products = Poly(sympy.resultant(dominant.as_expr().subs(Z, y), scaled, y), Z)
    square = top**2
    for h, _ in products.factor_list()[1]:
        if h.degree() > 0 and abs(h.eval(square)) < NEAR * _size(h, square):
            return _shortest_root(_root_near(h, square), h.degree())
    return None


def _shortest_root(square: sympy.Expr, degree: int) -> sympy.Expr:
    """The square root of an algebraic number of this degree, in the shortest of its forms.

    That of p + q sqrt(r) is a sum of simpler roots, or one root over a whole denominator, or as it stands.
    """
    root = sympy.sqrt(square)
    if degree == 1:
        return root
    form = sympy.sqrtdenest(root)
    if degree > 2:
        form = simplified(form)
    elif any(power.base.has(sympy.Pow) for power in form.atoms(sympy.Pow)):
        above, below = sympy.together(square).as_numer_denom()
        whole = sympy.sqrt(below).as_coeff_Mul()[0]
        form = sympy.sqrt(sympy.expand(above * below / whole**2)) * whole / below
    return min((root, form), key=sympy.count_ops)


def _size(h: sympy.Poly, x: sympy.Expr) -> sympy.Expr:
    return sum(abs(c) * abs(x) ** (h.degree() - k) for k, c in enumerate(h.all_coeffs()))


def _root_near(h: sympy.Poly, value: object) -> sympy.Expr:
    candidates = closed_roots(h) or list(h.real_roots())
    return min(candidates, key=lambda r: abs(sympy.N(r, DIGITS) - value))
