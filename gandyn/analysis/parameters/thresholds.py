"""The line of one parameter, cut at the real roots of rational polynomials: every sign on it is then a count of roots.

An irreducible polynomial over the rationals changes sign at each of its real roots and nowhere else, and shares none
with another, so signs follow from the leading coefficient and the order of the roots. FLINT isolates them in balls.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from ...lazy import sympy
from ...symbolic.balls import require_flint
from ..exact_numbers.routh import between, boundary_roots

if TYPE_CHECKING:
    import flint

START, MOST = 64, 1 << 14  # bits to which roots are isolated
LONGEST = 48  # the largest degree that is given as a CRootOf; beyond it, 30 proven digits


@dataclasses.dataclass(frozen=True)
class Root:
    """A real root of an irreducible polynomial: `ball` isolates it from all others on its line."""

    polynomial: sympy.Expr  # an expression in the parameter
    place: int  # its number among the polynomial's real roots, from below
    ball: flint.arb

    @property
    def bracket(self) -> tuple[Fraction, Fraction]:
        """Rational numbers around the root, between which the polynomial has no other."""
        return _rational(self.ball.lower()), _rational(self.ball.upper())

    def exact(self, p: sympy.Expr) -> sympy.Expr:
        """In radicals where readable, else as CRootOf; for very high degrees as a decimal of 30 proven digits."""
        poly = sympy.Poly(self.polynomial, p)
        even = all(k % 2 == 0 for (k,) in poly.monoms())
        if poly.degree() <= 2 or (even and poly.degree() <= 4):
            found = [sympy.sqrtdenest(r) for r in sympy.solve(self.polynomial, p)]
            low, high = self.bracket
            middle = sympy.Rational(low + high) / 2
            return min(found, key=lambda r: abs(sympy.N(r - middle, 30)))
        if poly.degree() <= LONGEST:
            return sympy.CRootOf(poly, self.place)
        flint = require_flint("a threshold")
        with flint.ctx.workprec(256):
            ball = next(b for k, b in enumerate(_real_roots(_integer(poly))) if k == self.place)
        return sympy.Float(ball.mid().str(40, radius=False), 30)


@dataclasses.dataclass(frozen=True)
class Line:
    """Real values of a parameter, or its positive ones, cut at the roots of irreducible polynomials.

    Samples alternate: cell 0, root 0, cell 1, ..., last cell.
    """

    parameter: sympy.Symbol
    positive: bool
    roots: tuple[Root, ...]  # in increasing order
    signs: Mapping[sympy.Expr, tuple[int, ...]]  # of each polynomial (an expression) at every sample

    @classmethod
    def of(cls, polynomials: Iterable[object], p: sympy.Expr) -> Line:
        """Cut at the roots of irreducible polynomials in p with rational coefficients."""
        polys = {e: sympy.Poly(e, p) for e in polynomials}
        positive = bool(p.is_positive)
        roots = _isolated({e: _integer(f) for e, f in polys.items()}, positive)
        signs = {e: _signs(e, int(sympy.sign(f.LC())), roots) for e, f in polys.items()}
        return cls(p, positive, roots, signs)

    def samples(self, sign: int, factors: Mapping[sympy.Expr, int]) -> tuple[int, ...]:
        """The sign of sign * product of factor^power at every sample of the parameter."""
        result = [sign] * (2 * len(self.roots) + 1)
        for e, power in factors.items():
            result = [s * t**power for s, t in zip(result, self.signs[e], strict=True)]
        return tuple(result)

    def intervals(self, holds: Sequence[bool]) -> list[tuple[Root | int, Root | None]]:
        """The open intervals of positive values on which something holds; an end is 0, a root, or None for infinity."""
        first = 0 if self.positive else 2 * sum(bool(r.ball <= 0 or 0 in r.ball) for r in self.roots)
        found: list[tuple[Root | int, Root | None]] = []
        low: Root | int | None = None
        for k in range(first, len(holds)):
            if holds[k] and low is None:
                low = 0 if k == first else self.roots[k // 2 - 1]
            elif not holds[k] and low is not None:
                found.append((low, self.roots[k // 2]))
                low = None
        return found if low is None else [*found, (low, None)]


def where_positive(expressions: Sequence[sympy.Expr], p: sympy.Expr) -> tuple[Line, list[bool]] | None:
    """The line of p, and at which of its samples all expressions are positive; None unless all are rational."""
    split = [f for f in (_factored(e, p) for e in expressions) if f is not None]
    if len(split) < len(expressions):
        return None
    line = Line.of(dict.fromkeys(base for _, powers in split for base in powers), p)
    samples = [line.samples(sign, powers) for sign, powers in split]
    return line, [all(s > 0 for s in column) for column in zip(*samples, strict=True)]


def _factored(e: sympy.Expr, p: sympy.Expr) -> tuple[int, dict[sympy.Expr, int]] | None:
    """(sign, {irreducible polynomial: power}) of the numerator times the denominator."""
    numerator, denominator = sympy.fraction(sympy.together(e))
    if not (numerator.is_polynomial(p) and denominator.is_polynomial(p)):
        return None
    powers: dict[sympy.Expr, int] = {}
    sign = 1
    for poly in (sympy.Poly(numerator, p), sympy.Poly(denominator, p)):
        if not all(c.is_Rational for c in poly.coeffs()):
            return None
        content, parts = poly.factor_list()
        sign *= int(sympy.sign(content))
        for f, power in parts:
            powers[f.as_expr()] = powers.get(f.as_expr(), 0) + power
    return sign, powers


def _signs(e: sympy.Expr, leading: int, roots: Sequence[Root]) -> tuple[int, ...]:
    """From the right: the sign of the leading coefficient, which turns at each of the polynomial's own roots."""
    sign, found = leading, [leading]
    for root in reversed(roots):
        own = root.polynomial == e
        found += [0 if own else sign, -sign if own else sign]
        sign = found[-1]
    return tuple(reversed(found))


def _isolated(polys: Mapping[sympy.Expr, flint.fmpz_poly], positive: bool) -> tuple[Root, ...]:
    """The real roots of a polynomial, or its positive ones, in order, in balls apart from each other and from 0."""
    flint = require_flint("a threshold")
    bits = START
    while bits <= MOST:
        with flint.ctx.workprec(bits):
            roots = [Root(e, k, b) for e, f in polys.items() for k, b in enumerate(_real_roots(f))]
            kept = [r for r in roots if not (positive and r.ball <= 0)]
            kept.sort(key=functools.cmp_to_key(lambda a, b: _order(a.ball, b.ball)))
            apart = all(a.ball < b.ball for a, b in itertools.pairwise(kept))
            if apart and all(r.ball > 0 or r.ball < 0 or r.ball == 0 for r in kept):
                return tuple(kept)
        bits *= 2
    raise ArithmeticError("real roots that no precision tells apart: a factor is not irreducible")


def _real_roots(f: flint.fmpz_poly) -> list[flint.arb]:
    """Balls around the real roots of a square-free integer polynomial, from below."""
    found = [z.real for z, _ in f.complex_roots() if z.imag == 0] if f.degree() > 0 else []
    return sorted(found, key=functools.cmp_to_key(_order))


def _order(a: flint.arb, b: flint.arb) -> int:
    return -1 if a.mid() < b.mid() else 1


def _integer(poly: sympy.Poly) -> flint.fmpz_poly:
    flint = require_flint("a threshold")
    _, cleared = poly.clear_denoms(convert=True)
    return flint.fmpz_poly([int(c) for c in reversed(cleared.all_coeffs())])


def _rational(end: flint.arb) -> Fraction:
    mantissa, exponent = end.man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


LONG = 12  # terms beyond which SymPy takes long to find a sign


def end_of(expressions: Sequence[sympy.Expr], p: sympy.Expr) -> sympy.Expr:
    """The end of the stable interval from 0: 0, oo, a `Root`, or a number where coefficients are not rational."""
    return next((high for low, high in intervals(expressions, p) if low == 0), sympy.Integer(0))


def intervals(expressions: Sequence[sympy.Expr], p: sympy.Expr) -> list[tuple[Root | sympy.Expr, Root | sympy.Expr]]:
    """All stable intervals of positive p, in order, with ends as `_end` gives them."""
    if never(expressions):
        return []
    cut = where_positive(expressions, p)
    if cut is not None:
        line, holds = cut
        return [(low, sympy.oo if high is None else high) for low, high in line.intervals(holds)]
    edges = [sympy.Integer(0), *boundary_roots(expressions, p)]
    found: list[tuple[Root | sympy.Expr, Root | sympy.Expr]] = []
    for low, high in zip(edges, [*edges[1:], None], strict=True):
        middle = between(low, high)
        if all(bool(e.subs(p, middle) > 0) for e in expressions):
            joined = bool(found) and found[-1][1] == low
            found.append((found.pop()[0] if joined else low, sympy.oo if high is None else high))
    return found


def never(expressions: Sequence[sympy.Expr]) -> bool:
    """Whether one of them is proved to be positive nowhere; no sign of a long one is asked for, which takes minutes."""
    return any(nowhere_positive(e) for e in expressions if len(e.args) <= LONG)


def nowhere_positive(e: sympy.Expr) -> bool:
    """Whether e <= 0 is proved for all values of its symbols of the assumed signs; False where that was not found.

    A polynomial in p > 0 without a positive coefficient is at most 0, and a quadratic a p^2 + b p + c in a real p is if
    a < 0 and b^2 - 4 a c < 0, which is decided alike.
    """
    if e.is_nonpositive:
        return True
    for p in sorted(e.free_symbols, key=str):
        if not (p.is_extended_real and e.is_polynomial(p)):
            continue
        poly = sympy.Poly(e, p)
        several = p.is_positive and len(e.free_symbols) > 1
        if several and all(sympy.factor(c).is_nonpositive for c in poly.all_coeffs()):
            return True
        if poly.degree() == 2:
            a, b, c = poly.all_coeffs()
            if a.is_negative and nowhere_positive(sympy.expand(b**2 - 4 * a * c)):
                return True
    return False
