"""Zeros in exact arithmetic: affine equations, rational zeros inside an enclosure, and how far zeros can lie out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from ...lazy import sympy
from .equations import Equations

MOST_PRODUCT, MOST_RESULTANT = 3, 36
REFINEMENTS, LOW_DEGREE = 40, 9


def affine_zero(equations: Equations) -> tuple[tuple[sympy.Expr, ...] | None, bool]:
    """A zero of affine equations, and whether there is no other one, in exact arithmetic; (None, True) without one."""
    from sympy.polys.matrices import DomainMatrix

    d = len(equations.symbols)
    rows = []
    for p in equations.polynomials:
        slopes = [p.coeff_monomial(s) for s in equations.symbols]
        rows.append([*slopes, -p.coeff_monomial(1)])
    reduced, pivots = DomainMatrix.from_list_sympy(len(rows), d + 1, rows, extension=True).to_field().rref()
    if d in pivots:
        return None, True
    point = [sympy.Integer(0)] * d
    entries = reduced.to_Matrix()
    for row, pivot in enumerate(pivots):
        point[pivot] = entries[row, d]
    return tuple(point), len(pivots) == d


def simplest(low: Fraction, high: Fraction) -> Fraction:
    """The fraction of smallest denominator in [low, high]: continued fractions (Stern 1858, Brocot 1861)."""
    a, b = Fraction(low), Fraction(high)
    if a > b:
        raise ValueError("an empty interval")
    if b < 0:
        return -simplest(-b, -a)
    if a <= 0:
        return Fraction(0)
    whole = math.ceil(a)
    if whole <= b:
        return Fraction(whole)
    return whole - 1 + 1 / simplest(1 / (b - whole + 1), 1 / (a - whole + 1))


def rational_zero(
    equations: Equations, low: Sequence[Fraction], high: Sequence[Fraction]
) -> tuple[sympy.Expr, ...] | None:
    """The simplest rational point of a box with corners `low` and `high` (d,), if it is a zero of the equations.

    None where it is not a zero, or where the equations are not polynomials with rational coefficients.
    """
    if not equations.rational:
        return None
    point = simplest_point(low, high)
    return point if all(p.eval(point) == 0 for p in equations.polynomials) else None


def simplest_point(low: Sequence[Fraction], high: Sequence[Fraction]) -> tuple[sympy.Expr, ...]:
    """The point of a box whose coordinates are rational numbers of the smallest denominators."""
    found = [simplest(a, b) for a, b in zip(low, high, strict=True)]
    return tuple(sympy.Rational(f.numerator, f.denominator) for f in found)


def radicals(equations: Equations) -> list[tuple[sympy.Expr, ...]]:
    """Real solutions in closed form, for rational polynomials whose degrees have a product of at most three."""
    if not equations.rational or math.prod(p.total_degree() for p in equations.polynomials) > MOST_PRODUCT:
        return []
    try:
        solutions = sympy.solve(equations.exact, equations.symbols, dict=True)
    except NotImplementedError:  # how SymPy says that it knows no closed form
        return []
    points = [tuple(solution.get(s, s) for s in equations.symbols) for solution in solutions]
    return [p for p in points if not any(x.free_symbols or x.has(sympy.I) or not x.is_real for x in p)]


def reach(equations: Equations) -> list[tuple[Fraction, Fraction]] | None:
    """A box that holds every real zero of rational polynomials: a pair of rational ends for each unknown.

    The equations must separate into groups with one or two unknowns each. The first coordinate of a common zero of two
    polynomials p and q is a root of their resultant with respect to the second, whose real roots are isolated exactly.
    None where the equations do not separate in this way, or a resultant vanishes identically.
    """
    if not equations.rational:
        return None
    bounds: dict[sympy.Symbol, tuple[Fraction, Fraction]] = {}
    for unknowns, polynomials in _parts(equations):
        if len(unknowns) != len(polynomials) or len(unknowns) > 2:
            return None
        for k, s in enumerate(unknowns):
            eliminant = polynomials[0]
            if len(unknowns) == 2:
                if math.prod(p.total_degree() for p in polynomials) > MOST_RESULTANT:
                    return None
                eliminant = polynomials[0].resultant(polynomials[1]) if k else _swapped(polynomials, unknowns)
            bound = _around_roots(eliminant, s)
            if bound is None:
                return None
            bounds[s] = bound
    return [bounds[s] for s in equations.symbols]


def _swapped(polynomials: Sequence[sympy.Poly], unknowns: Sequence[sympy.Symbol]) -> sympy.Poly:
    """The resultant in the second unknown, a polynomial in the first."""
    first, second = (p.reorder(unknowns[1], unknowns[0]) for p in polynomials)
    return first.resultant(second)


def _parts(equations: Equations) -> list[tuple[list[sympy.Expr], list[sympy.Symbol]]]:
    """Groups of unknowns that share equations, each with its equations."""
    groups: list[tuple[set[sympy.Symbol], list[sympy.Expr]]] = [({s}, []) for s in equations.symbols]
    for p in equations.polynomials:
        mine = p.free_symbols & set(equations.symbols)
        joined = [g for g in groups if g[0] & mine]
        rest = [g for g in groups if not g[0] & mine]
        merged = (set().union(*(g[0] for g in joined)), [e for g in joined for e in g[1]] + [p.as_expr()])
        groups = [*rest, merged]
    found = []
    for own, expressions in groups:
        unknowns = [s for s in equations.symbols if s in own]
        found.append((unknowns, [sympy.Poly(e, *unknowns, domain="QQ") for e in expressions] if unknowns else [1]))
    return found


def _around_roots(p: sympy.Poly, s: sympy.Expr) -> tuple[Fraction, Fraction] | None:
    """Two numbers between which all real roots of a polynomial in s lie, strictly; None for the zero polynomial."""
    polynomial = sympy.Poly(p.as_expr(), s, domain="QQ")
    if polynomial.is_zero:
        return None
    low, high, eps = sympy.Integer(-1), sympy.Integer(1), None
    for _ in range(REFINEMENTS if polynomial.degree() <= LOW_DEGREE else 1):
        ends = [] if polynomial.is_ground else [e for (a, b), _ in polynomial.intervals(eps=eps) for e in (a, b)]
        if not ends or (eps is not None and max(ends) - min(ends) > (high - low) / 2):
            break
        low, high = min(ends), max(ends)
        eps = (high - low) / 64 or None
    margin = (high - low) / 8 or abs(low) / 8 or sympy.Integer(1)
    return tuple(Fraction(int(e.p), int(e.q)) for e in (low - margin, high + margin))  # type: ignore[return-value]
