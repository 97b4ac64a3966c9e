"""Lower bounds on a rate for all values of several parameters: boxes of values in each of which some game is slow."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from ...budget import Budget
from ...lazy import sympy
from ...types import Array
from .companion import HOLOMORPHIC, Companion
from .minimax import Range

if TYPE_CHECKING:
    from sympy.polys.rings import PolyElement

GRID, MOST, DEEPEST = 8, 20_000, 40
SHARES = (Fraction(1, 1000), Fraction(1, 100), Fraction(1, 20))  # of the rate that may be left unproven
ROUNDING = 1e-13  # of the sum of the absolute terms of a polynomial
Pair = tuple[Fraction, Fraction]


def proven_limit(
    matrix: Companion, games: Sequence[Pair], ranges: Sequence[Range], point: Array, rate: float, limit: Budget
) -> float | None:
    """A rate below which no values of the parameters come, within 5 % of `rate`; None where none is proven in time.

    `games` are given by their eigenvalues, `rate` is the rate at `point`, the best values found. By the test of Schur
    and Cohn, a polynomial a of degree n has all roots inside the unit circle only if in the sequence
    a -> (conj(a_n) a - a_0 a*)/z, a*_k = conj(a_(n-k)), all |a_n|^2 - |a_0|^2 are positive. For the characteristic
    polynomial of a game, scaled by r, these are polynomials in the parameters. In a box of parameters where one of them
    is nowhere positive, no values have a rate below r. Boxes that are undecided are cut; a range without an upper end
    is mapped by low + s t/(1 - t), 0 <= t < 1.
    """
    for share in SHARES:
        r = Fraction(rate) * (1 - share)
        tests = [test for z in games for test in _tests(matrix, z, ranges, point, r)]
        if _covered(tests, ranges, limit):
            return float(r)
        if limit.out:
            return None
    return None


@dataclasses.dataclass(frozen=True)
class Polynomial:
    """A real polynomial in several variables."""

    powers: Array  # exponents of each term, (terms, variables)
    factors: Array  # coefficient of each term, (terms,)

    def above(self, middle: Array, half: Array) -> Array:
        """An upper bound (n,) of the values on n boxes with the given middles and half sides, (n, variables)."""
        top = self.powers.max(0)
        total, size = np.zeros(len(middle)), np.zeros(len(middle))
        shifted: dict[tuple[int, ...], Array] = {}
        for power, factor in zip(self.powers, self.factors, strict=True):
            size += abs(factor) * np.prod((np.abs(middle) + half) ** power, axis=1)
            for lower in itertools.product(*(range(p + 1) for p in power)):
                ways = math.prod(math.comb(p, k) for p, k in zip(power, lower, strict=True))
                term = factor * ways * np.prod(middle ** (power - lower) * half ** np.array(lower), axis=1)
                shifted[lower] = shifted.get(lower, 0.0) + term
        for lower, term in shifted.items():
            even = any(lower) and all(k % 2 == 0 for k in lower)
            total += term if not any(lower) else np.maximum(term, 0) if even else np.abs(term)
        return np.asarray(total + ROUNDING * (1 + top.sum()) * size)


def _tests(matrix: Companion, z: Pair, ranges: Sequence[Range], point: Array, r: Fraction) -> list[Polynomial]:
    """|a_n|^2 - |a_0|^2 of each step of the sequence, where a box coordinate is a value, or t."""
    ring = sympy.QQ.poly_ring(*sympy.symbols(f"_u1:{len(ranges) + 1}", real=True))
    tops = [max(power[2 + k] for c in matrix.polynomial[0] for power in c) for k in range(len(ranges))]
    a = []
    for k, coefficient in enumerate(matrix.polynomial[0]):
        real = imaginary = ring.zero
        for power, factor in coefficient.items():
            plain = (z[0] ** power[0] * z[1] ** power[1], Fraction(0))
            x, y = _power(z, power[0]) if matrix.kind == HOLOMORPHIC else plain
            rest = ring.one * sympy.QQ.from_sympy(sympy.Rational(factor * r**k))
            for u, values, best, exponent, top in zip(ring.gens, ranges, point, power[2:], tops, strict=True):
                rest *= _substituted(u, values, float(best), exponent, top)
            real += rest * sympy.QQ.from_sympy(sympy.Rational(x))
            imaginary += rest * sympy.QQ.from_sympy(sympy.Rational(y))
        a.append((real, imaginary))
    found = []
    while len(a) > 1:
        low, high = a[0], a[-1]
        found.append(high[0] ** 2 + high[1] ** 2 - low[0] ** 2 - low[1] ** 2)
        reverse = a[::-1]
        a = [
            (high[0] * p + high[1] * q - low[0] * s - low[1] * t, high[0] * q - high[1] * p - low[1] * s + low[0] * t)
            for (p, q), (s, t) in zip(a[1:], reverse[1:], strict=True)
        ]
    return [_in_floats(_odd(d)) for d in found if d != 0]


def _odd(polynomial: PolyElement) -> PolyElement:
    """The polynomial without its square factors, which has the same sign but for zeros."""
    content, parts = polynomial.sqf_list()
    result = polynomial.ring.one * (1 if content > 0 else -1)
    for part, times in parts:
        result *= part if times % 2 else 1
    return result


def _power(z: Pair, k: int) -> Pair:
    x, y = Fraction(1), Fraction(0)
    for _ in range(k):
        x, y = x * z[0] - y * z[1], x * z[1] + y * z[0]
    return x, y


def _substituted(u: PolyElement, values: Range, best: float, exponent: int, top: int) -> PolyElement:
    """theta^exponent, theta = u; or times (1 - u)^top with theta = low + s u/(1 - u), s the distance of the best."""
    if not math.isinf(values.high):
        return u**exponent
    low = sympy.QQ.from_sympy(sympy.Rational(Fraction(values.low)))
    scale = sympy.QQ.from_sympy(sympy.Rational(Fraction(max(best - values.low, 1e-300))))
    return (low * (1 - u) + scale * u) ** exponent * (1 - u) ** (top - exponent)


def _in_floats(polynomial: PolyElement) -> Polynomial:
    terms = polynomial.terms()
    largest = max(abs(Fraction(int(c.numerator), int(c.denominator))) for _, c in terms)
    factors = [float(Fraction(int(c.numerator), int(c.denominator)) / largest) for _, c in terms]
    return Polynomial(np.array([power for power, _ in terms]), np.array(factors))


def _covered(tests: Sequence[Polynomial], ranges: Sequence[Range], limit: Budget) -> bool:
    """Whether on every box one of the polynomials is nowhere positive."""
    lows = np.array([0.0 if math.isinf(r.high) else r.low for r in ranges])
    highs = np.array([1.0 if math.isinf(r.high) else r.high for r in ranges])
    half = (highs - lows) / (2 * GRID)
    places = np.stack(np.meshgrid(*[np.arange(GRID)] * len(ranges), indexing="ij"), -1).reshape(-1, len(ranges))
    middle = lows + half * (2 * places + 1)
    for _ in range(DEEPEST):
        left = np.ones(len(middle), dtype=bool)
        for test in tests:
            if limit.out:
                return False
            left[left] = test.above(middle[left], half) > 0
        middle = middle[left]
        if not len(middle):
            return True
        corners = np.array(list(itertools.product((-0.5, 0.5), repeat=len(ranges))))
        middle = (middle[:, None, :] + corners * half).reshape(-1, len(ranges))
        half = half / 2
        if len(middle) > MOST:
            return False
    return False
