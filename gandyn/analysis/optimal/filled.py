"""The largest spectral radius over a filled set where its border does not suffice: polynomials positive on a square."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence
from fractions import Fraction

from ...budget import Budget
from ...classes import Curve
from .companion import Companion
from .discs import crossings, inside, powers
from .enclosure import attains

ROOM = (Fraction(3, 10**10), Fraction(1, 10**6), Fraction(1, 10**3))
BOXES = 20_000
Table = list[list[int]]


@dataclasses.dataclass(frozen=True)
class FilledEnclosure:
    """Proof that the largest spectral radius over a filled set lies in [low, high).

    The set is covered by m + s (c(u) - m), 0 <= u, s <= 1, with c(u) on its border and m its middle. All roots lie in
    |z| < high at m, and none crosses the circle: P(high), P(-high) and the Hurwitz determinant, polynomials in u and s,
    have coefficients of one sign in Bernstein's basis on each of the boxes into which the square is cut.

    Attributes:
        companion: the rule's matrix. curves: of the border. middle: m. low, high: fractions. member: an eigenvalue
            that attains `low`.
    """

    companion: Companion
    curves: tuple[Curve, ...]
    middle: tuple[Fraction, Fraction]
    low: Fraction
    high: Fraction
    member: tuple[Fraction, Fraction]

    def holds(self) -> bool:
        """Whether both ends are proven, in exact arithmetic."""
        return attains(self.companion, self.member, self.low) and self.bounded(Budget(None))

    def bounded(self, limit: Budget) -> bool:
        """Whether all roots are proven to stay in |z| < high on the whole set."""
        centre = self.companion.at((*self.middle, Fraction(1)), False)
        return inside(centre, self.high) and all(self._stays(curve, limit) for curve in self.curves)

    def to_dict(self) -> dict[str, object]:
        """The ends, the member, the border and the characteristic polynomial, with fractions as text."""
        terms = self.companion.polynomial[0]
        return {
            "low": self.low,
            "high": self.high,
            "member": self.member,
            "middle": self.middle,
            "curves": self.curves,
            "characteristic polynomial": [[[*power, c] for power, c in term.items()] for term in terms],
        }

    def _stays(self, curve: Curve, limit: Budget) -> bool:
        degree = self.companion.degree
        order = len(self.companion.polynomial[0]) - 1
        for k, weight in enumerate((1, 1, order - 1)):
            sizes = weight * degree * curve.degree, weight * degree
            values = [
                [crossings(self._at(curve, Fraction(u), Fraction(s)), self.high)[k] for s in range(sizes[1] + 1)]
                for u in range(sizes[0] + 1)
            ]
            if not one_sign(bernstein(values), limit):
                return False
        return True

    def _at(self, curve: Curve, u: Fraction, s: Fraction) -> list[Fraction]:
        x, y, n = curve(u)
        a, b = self.middle
        return self.companion.at((s * x + (1 - s) * a * n, s * y + (1 - s) * b * n, n), False)


def enclose_filled(found: FilledEnclosure, limit: Budget) -> FilledEnclosure | None:
    """The enclosure with the smallest upper end among those tried that is proven; None where none of them is."""
    for room in ROOM:
        wider = dataclasses.replace(found, high=found.low * (1 + room))
        if wider.bounded(limit):
            return wider
    return None


def bernstein(values: Sequence[Sequence[Fraction]]) -> Table:
    """Whole Bernstein coefficients on the unit square of the polynomial with values[i][j] at (i, j), times a number."""
    rows = [_bernstein(powers(row)) for row in values]
    columns = [_bernstein(powers(column)) for column in zip(*rows, strict=True)]
    common = math.lcm(*(c.denominator for column in columns for c in column))
    return [[int(c * common) for c in row] for row in zip(*columns, strict=True)]


def _bernstein(p: Sequence[Fraction]) -> list[Fraction]:
    n = len(p) - 1
    return [
        sum((Fraction(math.comb(j, i), math.comb(n, i)) * p[i] for i in range(j + 1)), Fraction(0))
        for j in range(n + 1)
    ]


def one_sign(table: Table, limit: Budget) -> bool:
    """Whether a polynomial has no zero on the unit square, by its Bernstein coefficients and bisection."""
    left, count = [(table, 0)], 0
    while left:
        box, depth = left.pop()
        signs = {(c > 0) - (c < 0) for row in box for c in row}
        if signs in ({1}, {-1}):
            continue
        corners = {(c > 0) - (c < 0) for c in (box[0][0], box[0][-1], box[-1][0], box[-1][-1])}
        count += 1
        if 0 in corners or len(corners) > 1 or count > BOXES or limit.out:
            return False
        if depth % 2:
            halves = [_halves(row) for row in box]
            left += [([h[k] for h in halves], depth + 1) for k in (0, 1)]
        else:
            halves = [_halves(list(column)) for column in zip(*box, strict=True)]
            left += [([list(row) for row in zip(*(h[k] for h in halves), strict=True)], depth + 1) for k in (0, 1)]
    return True


def _halves(b: list[int]) -> tuple[list[int], list[int]]:
    """Bernstein coefficients on both halves, by de Casteljau's scheme without divisions: times 2^n."""
    n, row = len(b) - 1, list(b)
    first, last = [row[0] << n], [row[-1] << n]
    for k in range(1, n + 1):
        row = [a + c for a, c in itertools.pairwise(row)]
        first.append(row[0] << (n - k))
        last.append(row[-1] << (n - k))
    return first, last[::-1]
