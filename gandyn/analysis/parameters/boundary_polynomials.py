"""Where eigenvalues meet the stability boundary as two parameters vary: polynomials in both, and their common zeros."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import mpmath

from ...errors import DomainError
from ...lazy import sympy
from ..exact_numbers.roots import Z
from .branches import Kind
from .conditions import _cleared, minors, mirrored

if TYPE_CHECKING:
    import flint

DIGITS = 60
Pair = tuple[sympy.Expr, sympy.Expr]


def boundary_polynomials(f: sympy.Poly, flow: bool) -> dict[Kind, sympy.Poly]:
    """The curves on which a factor of the characteristic polynomial has roots on the boundary, by kind.

    A map: f(1) = 0, f(-1) = 0, and the Hurwitz determinant of order n - 1 of (1 - s)^n f((1 + s)/(1 - s)), which
    vanishes where two roots have product one (Orlando's formula). A flow: f(0) = 0, and that determinant of f, which
    vanishes where two roots have sum zero. Such a pair is complex on some arcs of the curve and real on others.

    `f`: the factor, in `Z`; its coefficients are rational functions of the parameters over the rationals; `flow`:
    whether the boundary is the imaginary axis (True) or the unit circle (False). Raises DomainError for other
    coefficients.
    """
    cleared = _cleared(f)
    if cleared is None:
        raise DomainError(
            f"a characteristic polynomial with coefficients in {f.domain}",
            "rational functions of the parameters, with rational numbers",
            "give the numbers as fractions, as sympy.Rational(1, 3)",
        )
    coefficients, context, symbols = cleared

    def written(polynomial: flint.fmpz_mpoly) -> sympy.Expr:
        terms = {tuple(map(int, k)): int(c) for k, c in polynomial.to_dict().items()}
        return sympy.Poly.from_dict(terms, *symbols).as_expr() if terms else sympy.Integer(0)

    n, zero = len(coefficients) - 1, context.constant(0)
    one = coefficients[-1] if flow else sum(coefficients, zero)
    found = {Kind.FOLD: written(one)}
    if not flow:
        found[Kind.FLIP] = written(sum((c if k % 2 == 0 else zero - c for k, c in enumerate(coefficients)), zero))
    if n > 1:
        determinants = minors(coefficients if flow else mirrored(coefficients, context), context)
        last = determinants[n - 2] if len(determinants) > n - 2 else zero
        found[Kind.HOPF if flow else Kind.NEIMARK_SACKER] = written(last)
    return found


def resonances(f: sympy.Poly) -> dict[str, Pair]:
    """Pairs of polynomials that both vanish where a map's factor has roots at the third or fourth roots of unity."""
    found = {}
    for name, divisor in (("1:3", Z**2 + Z + 1), ("1:4", Z**2 + 1)):
        left = sympy.Poly(sympy.numer(sympy.together(f.as_expr())), Z).rem(sympy.Poly(divisor, Z))
        found[name] = (left.coeff_monomial(Z), left.coeff_monomial(1))
    return found


def common_zeros(
    first: sympy.Expr, second: sympy.Expr, symbols: Pair, ranges: Sequence[tuple[float, float]]
) -> list[Pair] | None:
    """Every common zero of two polynomials in a closed rectangle, exactly; None where they share a curve there.

    Each coordinate of a common zero is a root of a resultant. The real roots of both resultants are isolated; a pair of
    them is a zero where both polynomials vanish in sixty digits.
    """
    a, b = (sympy.Poly(e, *symbols, domain="QQ") for e in (first, second))
    if a.is_zero or b.is_zero:
        return None
    shared = a.gcd(b)
    if shared.total_degree() > 0:
        return None
    places = []
    for k in (0, 1):
        eliminated = sympy.Poly(sympy.resultant(a.as_expr(), b.as_expr(), symbols[1 - k]), symbols[k], domain="QQ")
        if eliminated.is_zero:
            return None
        low, high = map(sympy.Rational, ranges[k])
        roots = [] if eliminated.degree() < 1 else sympy.Poly(eliminated.sqf_part(), symbols[k]).real_roots()
        places.append([r for r in roots if low <= r <= high])
    return [(p, q) for p in places[0] for q in places[1] if _vanishes(a, p, q) and _vanishes(b, p, q)]


def _vanishes(f: sympy.Poly, p: sympy.Expr, q: sympy.Expr) -> bool:
    with mpmath.workdps(DIGITS + 20):
        x, y = (sympy.N(e, DIGITS + 20)._to_mpmath(mpmath.mp.prec) for e in (p, q))
        terms = [sympy.N(c, DIGITS)._to_mpmath(mpmath.mp.prec) * x ** int(i) * y ** int(j) for (i, j), c in f.terms()]
        return bool(abs(mpmath.fsum(terms)) <= mpmath.mpf(10) ** -DIGITS * mpmath.fsum(map(abs, terms)))
