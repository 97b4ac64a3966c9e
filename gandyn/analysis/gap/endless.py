"""Proofs that a cost tends to minus infinity next to a pole or a logarithm's edge, by exact one-sided limits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import sympy

from ...types import Array
from .enclosure import Enclosure

LARGEST = 300  # operations in a cost whose limits are asked for
MOST_LINES = 8


def falls_without_limit(cost: Enclosure, w: Array, bounds: Array, places: Sequence[Array]) -> str:
    """The place in a box at which a cost is proven to tend to minus infinity, in words; empty without a proof.

    On lines along each coordinate, through the point w (d,) and through `places` (k,) of the player's own block, the
    zeros of the arguments of logarithms and divisors are found exactly, as roots of polynomials, and the limits from
    both sides are taken. `bounds` (k, 2) is the box of the player's own coordinates.
    """
    if not cost.where.singular or not cost.where.known or sympy.count_ops(cost.cost) > LARGEST:
        return ""
    moving = cost.symbols[cost.own]
    box = [tuple(sympy.Rational(*float(end).as_integer_ratio()) for end in pair) for pair in bounds]
    for place in _distinct([w[cost.own], *places]):
        at = [_rational(v) for v in w]
        at[cost.own] = place
        for k, s in enumerate(moving):
            others = {t: v for t, v in zip(cost.symbols, at, strict=True) if t is not s}
            for c, sign in _bottomless(cost, s, box[k], others):
                side = "above" if sign > 0 else "below"
                return f"coordinate {cost.own.start + k} -> {float(c):.6g} from {side}"
    return ""


def _distinct(points: Sequence[Array]) -> list[list[sympy.Expr]]:
    """The points as rational numbers, each also rounded to six decimals, without repetition."""
    found: dict[tuple[sympy.Expr, ...], None] = {}
    for point in points:
        found[tuple(_rational(v) for v in point)] = None
        found[tuple(sympy.Rational(str(round(float(v), 6))) for v in point)] = None
    return [list(p) for p in found][:MOST_LINES]


def _rational(value: float) -> sympy.Expr:
    exact = Fraction(float(value))
    return sympy.Rational(exact.numerator, exact.denominator)


def _bottomless(
    cost: Enclosure, s: sympy.Expr, ends: tuple[object, ...], others: dict[sympy.Expr, sympy.Expr]
) -> Iterator[tuple[sympy.Expr, int]]:
    """Places on one line, and sides, from which the cost tends to minus infinity."""
    e = cost.cost.xreplace(others)
    arguments = [u.xreplace(others) for u in cost.where.arguments]
    singular = [u.xreplace(others) for u in (*cost.where.logarithms, *cost.where.poles)]
    zeros = {root for u in arguments for root in _zeros(u, s, ends)}
    for c in sorted({root for u in singular for root in _zeros(u, s, ends)}, key=float):
        for sign in (1, -1):
            beyond = [z for z in (*zeros, *ends) if (z - c) * sign > 0]
            if not beyond:
                continue
            inside = (c + min(beyond, key=lambda z: abs(float(z - c)))) / 2
            if not all(_signs_known(u, s, ends) for u in arguments) or not _exists(cost, others, s, inside):
                continue
            if sympy.limit(_without_kinks(e, s, inside), s, c, "+" if sign > 0 else "-") == -sympy.oo:
                yield c, sign


def _zeros(u: sympy.Expr, s: sympy.Expr, ends: tuple[sympy.Expr, ...]) -> list[sympy.Expr]:
    """Real zeros in the interval: of polynomials with rational coefficients, and of the cosine of a linear argument."""
    if isinstance(u, sympy.Abs):
        return _zeros(u.args[0], s, ends)
    if u.is_polynomial(s) and u.has(s):
        poly = sympy.Poly(u, s)
        if poly.domain.is_ZZ or poly.domain.is_QQ:
            return [r for r in sympy.real_roots(poly, multiple=True) if ends[0] <= r <= ends[1]]
    if isinstance(u, sympy.cos) and u.args[0].is_polynomial(s) and sympy.degree(u.args[0], s) == 1:
        a, b = sympy.Poly(u.args[0], s).all_coeffs()
        first = sorted(float(a * end + b) / float(sympy.pi) - 0.5 for end in ends)
        turns = range(int(first[0]) - 1, int(first[1]) + 2)
        found = [((n + sympy.Rational(1, 2)) * sympy.pi - b) / a for n in turns[:50]]
        return [c for c in found if ends[0] <= c <= ends[1]]
    return []


def _signs_known(u: sympy.Expr, s: sympy.Expr, ends: tuple[sympy.Expr, ...]) -> bool:
    """Whether `_zeros` finds all zeros, so that the sign between neighbours is that of one point."""
    if not u.has(s) or u.is_positive or u.is_nonnegative:
        return True
    if u.is_polynomial(s):
        poly = sympy.Poly(u, s)
        return bool(poly.domain.is_ZZ or poly.domain.is_QQ)
    return isinstance(u, sympy.cos) and bool(_zeros(u, s, ends))


def _exists(cost: Enclosure, others: dict[sympy.Expr, sympy.Expr], s: sympy.Expr, at: object) -> bool:
    here = {**others, s: at}
    positive = [*cost.where.roots, *cost.where.logarithms]
    return all(u.xreplace(here).evalf(30) > 0 for u in positive)


def _without_kinks(e: sympy.Expr, s: sympy.Expr, inside: sympy.Expr) -> sympy.Expr:
    """The branch of |u|, sign, steps, max, min and cases that holds at one point between kinks."""
    replaced: dict[sympy.Expr, sympy.Expr] = {}
    for part in e.atoms(sympy.Abs, sympy.sign, sympy.Heaviside, sympy.Max, sympy.Min, sympy.Piecewise):
        if isinstance(part, sympy.Abs):
            u = part.args[0]
            replaced[part] = u if u.xreplace({s: inside}).evalf(30) > 0 else -u
        elif isinstance(part, (sympy.Max, sympy.Min)):
            pick = max if isinstance(part, sympy.Max) else min
            replaced[part] = pick(part.args, key=lambda u: u.xreplace({s: inside}).evalf(30))
        elif isinstance(part, sympy.Piecewise):
            replaced[part] = next(value for value, holds in part.args if holds.xreplace({s: inside}) == sympy.true)
        else:
            replaced[part] = part.xreplace({s: inside}).doit()
    return _without_kinks(e.xreplace(replaced), s, inside) if replaced else e
