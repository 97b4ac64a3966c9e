"""Equations g(w) = 0 for interval proofs, in the units of a box and without the poles that can be cleared.

Polynomials are expanded about the middle of the box in exact arithmetic, so that neither units nor position cost
digits.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np

from ...lazy import sympy
from ...symbolic.expectation import Expectation
from ...symbolic.intervals import Interval, IntervalFunction, outward
from ...types import Array


@dataclasses.dataclass(frozen=True)
class Equations:
    """g_1(w) = ... = g_d(w) = 0 in d unknowns, perhaps under conditions h_j(w) >= 0."""

    symbols: tuple[sympy.Symbol, ...]  # the unknowns
    expressions: tuple[sympy.Expr, ...]  # g, without free parameters
    conditions: tuple[sympy.Expr, ...] = ()  # h; zeros where one of them is negative are of no interest

    @functools.cached_property
    def exact(self) -> tuple[sympy.Expr, ...]:
        """g with floats read as the binary fractions that they are."""
        return tuple(e.xreplace({f: sympy.Rational(f) for f in e.atoms(sympy.Float)}) for e in self.expressions)

    @functools.cached_property
    def rational(self) -> bool:
        """Whether every g_i is a polynomial whose coefficients are rational numbers."""
        return all(
            e.is_polynomial(*self.symbols) and all(n.is_Rational for n in e.atoms(sympy.Number, sympy.NumberSymbol))
            for e in self.exact
        ) and all(p.domain.is_QQ or p.domain.is_ZZ for p in self.polynomials)

    @functools.cached_property
    def polynomials(self) -> tuple[sympy.Poly, ...]:
        """g as SymPy polynomials, for polynomial equations."""
        return tuple(sympy.Poly(e, *self.symbols) for e in self.exact)

    @functools.cached_property
    def affine(self) -> bool:
        """Whether every g_i is a polynomial of degree one at most."""
        polynomial = all(e.is_polynomial(*self.symbols) for e in self.exact)
        return polynomial and all(p.total_degree() <= 1 for p in self.polynomials)

    def singular_at(self, point: Sequence[object]) -> bool:
        """Whether the Jacobian of the equations, which are rational polynomials, is singular at a rational point."""
        return bool(sympy.Matrix([[p.diff(s).eval(point) for s in self.symbols] for p in self.polynomials]).det() == 0)

    def within(
        self, low: Sequence[Fraction | float | sympy.Expr], high: Sequence[Fraction | float | sympy.Expr]
    ) -> Local:
        """The equations in units of a box of floats or rationals. Raises DomainError without an interval form."""
        ends = [(sympy.Rational(a), sympy.Rational(b)) for a, b in zip(low, high, strict=True)]
        centre, radius = [(a + b) / 2 for a, b in ends], [(b - a) / 2 for a, b in ends]
        places = {s: c + r * s for s, c, r in zip(self.symbols, centre, radius, strict=True)}
        moved = [e.subs(places) if e.has(Expectation) else e.xreplace(places) for e in self.conditions]
        conditions = IntervalFunction(self.symbols, moved) if moved else None
        if self.rational:
            return Local(self, tuple(centre), tuple(radius), *self._moved(centre, radius), None, conditions)
        moved = [e.subs(places) if e.has(Expectation) else e.xreplace(places) for e in self.exact]
        moved, below = self._cleared([sympy.sympify(e, strict=True) for e in moved])
        slopes = [sympy.diff(e, s) for e in moved for s in self.symbols]
        functions = [IntervalFunction(self.symbols, part) for part in (moved, slopes)]
        divisors = IntervalFunction(self.symbols, below) if below else None
        return Local(self, tuple(centre), tuple(radius), functions[0], functions[1], divisors, conditions)

    def _moved(
        self, centre: Sequence[sympy.Expr], radius: Sequence[sympy.Expr]
    ) -> tuple[IntervalFunction, IntervalFunction]:
        """Polynomials about the centre, and their slopes, in Horner's form."""
        moved = []
        for p in self.polynomials:
            p = p.set_domain("QQ")
            p = p.shift(centre[0]) if len(centre) == 1 else p.shift_list(list(centre))
            moved.append({m: c * math.prod(r**k for r, k in zip(radius, m, strict=True)) for m, c in p.terms()})
        slopes = [_derivative(terms, k) for terms in moved for k in range(len(centre))]
        field, jacobian = ([_nested(terms, self.symbols) for terms in ps] for ps in (moved, slopes))
        return IntervalFunction(self.symbols, field), IntervalFunction(self.symbols, jacobian)

    def _cleared(self, expressions: list[sympy.Expr]) -> tuple[list[sympy.Expr], list[sympy.Expr]]:
        """Equations multiplied by those of their denominators that may vanish in the unit box, and these."""
        unit = np.ones((1, len(self.symbols)))
        cleared, below = [], []
        for e in expressions:
            e = e.replace(sympy.tan, lambda z: sympy.sin(z) / sympy.cos(z))
            divisors = {p.base for p in e.atoms(sympy.Pow) if p.exp.is_Rational and p.exp.is_negative}
            divisors = {b for b in divisors if b.free_symbols}
            if divisors:
                low, high = IntervalFunction(self.symbols, [*divisors])(-unit, unit)
                if ((low <= 0) & (high >= 0)).any():
                    e, denominator = sympy.fraction(sympy.together(e))
                    below.append(denominator)
            cleared.append(e)
        return cleared, below


@dataclasses.dataclass(frozen=True)
class Local:
    """Equations in coordinates u with w = centre + radius u, on boxes of u."""

    equations: Equations  # the original ones
    # centre, radius: rational numbers
    centre: tuple[sympy.Expr, ...]
    radius: tuple[sympy.Expr, ...]
    # field, jacobian: g and Dg, its derivatives in u, row by row, up to factors that do not vanish
    field: IntervalFunction
    jacobian: IntervalFunction
    # what g was multiplied by, which must not vanish at a zero; None where there was nothing to clear
    divisors: IntervalFunction | None
    conditions: IntervalFunction | None  # h; None where there are none

    def to_units(self, low: Array, high: Array) -> Interval:
        """The box of u = (w - centre) / radius for a box of w with ends (d,), rounded outward."""
        return self._mapped(low, high, lambda x, c, r: (x - c) / r)

    def to_world(self, low: Array, high: Array) -> Interval:
        """The box of w = centre + radius u for a box of u with ends (d,), rounded outward."""
        return self._mapped(low, high, lambda x, c, r: c + r * x)

    def exactly(self, u: Array) -> tuple[Fraction, ...]:
        """The point w = centre + radius u for floats u (d,), without rounding."""
        return tuple(c + r * Fraction(float(x)) for x, (c, r) in zip(u, self._places, strict=True))

    def _mapped(self, low: Array, high: Array, change: Callable[[Fraction, Fraction, Fraction], Fraction]) -> Interval:
        exact = [
            [change(Fraction(x), c, r) for x, (c, r) in zip(side, self._places, strict=True)] for side in (low, high)
        ]
        return rounded(*exact)

    @functools.cached_property
    def _places(self) -> list[tuple[Fraction, Fraction]]:
        pairs = zip(self.centre, self.radius, strict=True)
        return [(Fraction(int(c.p), int(c.q)), Fraction(int(r.p), int(r.q))) for c, r in pairs]

    def divides_by_zero(self, low: Array, high: Array) -> bool:
        """Whether a factor that was cleared away may vanish in a box of u."""
        if self.divisors is None:
            return False
        bottom, top = self.divisors(*outward(low[None], high[None]))
        return bool(((bottom <= 0) & (top >= 0)).any())


def _derivative(terms: dict[tuple[int, ...], sympy.Expr], k: int) -> dict[tuple[int, ...], sympy.Expr]:
    """The derivative with respect to u_k of a polynomial given as {powers: coefficient}."""
    return {(*m[:k], m[k] - 1, *m[k + 1 :]): m[k] * c for m, c in terms.items() if m[k]}


def _nested(terms: dict[tuple[int, ...], sympy.Expr], symbols: Sequence[sympy.Symbol]) -> sympy.Expr:
    """A polynomial {powers: coefficient} in Horner's form, first symbol outermost."""
    if not symbols:
        return sum(terms.values(), sympy.Integer(0))
    by_power: dict[int, dict[tuple[int, ...], sympy.Expr]] = {}
    for m, c in terms.items():
        by_power.setdefault(m[0], {})[m[1:]] = c
    total, last = sympy.Integer(0), 0
    for power in sorted(by_power, reverse=True):
        total = total * symbols[0] ** (last - power) if total != 0 else total
        total, last = total + _nested(by_power[power], symbols[1:]), power
    return total * symbols[0] ** last


def rounded(low: Sequence[Fraction], high: Sequence[Fraction]) -> Interval:
    """Rational ends as floats, rounded outward, shapes (d,)."""
    bottom, top = np.array([*map(float, low)]), np.array([*map(float, high)])
    for k, (a, b) in enumerate(zip(low, high, strict=True)):
        bottom[k] = math.nextafter(bottom[k], -math.inf) if Fraction(bottom[k]) > a else bottom[k]
        top[k] = math.nextafter(top[k], math.inf) if Fraction(top[k]) < b else top[k]
    return bottom, top
