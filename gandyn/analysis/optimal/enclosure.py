"""The largest spectral radius along curves of linear games, between two numbers that are proven in exact arithmetic."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from ...budget import Budget
from ...classes import Curve
from ...types import Array
from .companion import Companion
from .discs import inside, outside

SAMPLES = 513
PEAKS = 6
WIDTH = 2e-15
FINEST = Fraction(1, 2**56)


@dataclasses.dataclass(frozen=True)
class Enclosure:
    """Proof that the largest spectral radius on some curves of linear games lies in [low, high).

    At the eigenvalue `member`, not all roots of the characteristic polynomial P lie in |z| < low. In |z| < high they
    all lie at the start of each curve, and none leaves along it: P(high), P(-high) and the Hurwitz determinant are
    polynomials in the curve's parameter u without a root in [0, 1]. `holds()` repeats both proofs in fractions.
    """

    companion: Companion  # the rule's matrix
    curves: tuple[Curve, ...]  # of eigenvalues
    low: Fraction
    high: Fraction
    # real and imaginary part of an eigenvalue of the game that attains `low`; None where low is 0
    member: tuple[Fraction, Fraction] | None

    def holds(self) -> bool:
        """Whether both ends are proven, in exact arithmetic from the rule on."""
        reached = not self.low or (self.member is not None and attains(self.companion, self.member, self.low))
        return reached and all(leaves(self.companion, curve, self.high) is None for curve in self.curves)

    def to_dict(self) -> dict[str, object]:
        """The ends, the member and the characteristic polynomial, with fractions as text."""
        z, *_ = self.companion.polynomial
        return {
            "low": self.low,
            "high": self.high,
            "member": self.member,
            "curves": self.curves,
            "characteristic polynomial": [[[*power, c] for power, c in term.items()] for term in z],
        }


def attains(matrix: Companion, z: tuple[Fraction, Fraction], r: Fraction) -> bool:
    """Whether the spectral radius at the eigenvalue z = (x, y) is r or more, in exact arithmetic."""
    return not inside(matrix.at((*z, Fraction(1)), not z[1]), r)


def leaves(matrix: Companion, curve: Curve, r: Fraction) -> Fraction | None:
    """A place u in [0, 1] on the curve where some root is not in |z| < r; None where all are proven to be in it."""
    degree = matrix.degree * curve.degree * (1 if matrix.kind != "holomorphic" or curve.real else 2)

    def along(u: Fraction) -> list[Fraction]:
        return matrix.at(curve(u), curve.real)

    return outside(along, degree, r)[0]


def largest(matrix: Companion, curves: Sequence[Curve], values: Sequence[object] = ()) -> tuple[float, Curve, float]:
    """The largest spectral radius that a search in floating point finds on the curves: (radius, curve, place u)."""
    best = (-1.0, curves[0], 0.0)
    for curve in curves:
        for u in peaks(matrix, curve, values):
            value = float(matrix.radius(_points(curve, np.array([u])), values)[0])
            if value > best[0]:
                best = (value, curve, float(u))
    return best


def peaks(matrix: Companion, curve: Curve, values: Sequence[object] = ()) -> list[float]:
    """Places u of the largest local maxima along a curve, refined from samples."""
    if not curve.degree:
        return [0.0]
    grid = (1 - np.cos(np.linspace(0, math.pi, SAMPLES))) / 2
    sizes = matrix.radius(_points(curve, grid), values)
    padded = np.concatenate([[-np.inf], sizes, [-np.inf]])
    tops = np.flatnonzero((padded[1:-1] >= padded[:-2]) & (padded[1:-1] >= padded[2:]))
    found = []
    for k in tops[np.argsort(-sizes[tops])][:PEAKS]:
        low, high = grid[max(k - 1, 0)], grid[min(k + 1, SAMPLES - 1)]
        u = grid[k]
        for _ in range(9):
            fine = np.unique(np.append(np.linspace(low, high, 17), u))
            inner = matrix.radius(_points(curve, fine), values)
            j = int(np.argmax(inner))
            u, low, high = fine[j], fine[max(j - 1, 0)], fine[min(j + 1, len(fine) - 1)]
        found.append(float(u))
    return found


def _points(curve: Curve, u: Array) -> Array:
    x, y, n = curve(u)
    return (x + 1j * y) / n


def enclose(matrix: Companion, curves: tuple[Curve, ...], budget: Budget) -> Enclosure | None:
    """Enclose the largest spectral radius on the curves, to about 1e-15; None where the map has a pole on them.

    The search in floating point only proposes: both ends are decided exactly, and moved apart until they hold.
    """
    found = attained(matrix, *(start := largest(matrix, curves)))
    if found is None:
        return None
    (low, member), guess = found, max(Fraction(start[0]), FINEST)
    step = max(guess * Fraction(WIDTH), FINEST)
    high = max(guess, low) + step
    while True:  # raise the upper end until it holds
        budget.check("the enclosure of a rate")
        place = next(((c, u) for c in curves if (u := leaves(matrix, c, high)) is not None), None)
        if place is None:
            break
        better = _below(matrix, *place, high)
        low, member = max((low, member), better, key=lambda pair: pair[0])
        step *= 4
        high = max(high, low) + step
    while high - low > max(high * Fraction(2 * WIDTH), 4 * FINEST):  # and lower it again, while it holds
        budget.check("the enclosure of a rate")
        middle = _short((low + high) / 2)
        place = next(((c, u) for c in curves if (u := leaves(matrix, c, middle)) is not None), None)
        if place is None:
            high = middle
        else:
            found = _below(matrix, *place, middle)
            if found[0] <= low:
                break
            low, member = found
    return Enclosure(matrix, curves, low, high, member)


def attained(
    matrix: Companion, value: float, curve: Curve, u: float
) -> tuple[Fraction, tuple[Fraction, Fraction] | None] | None:
    """A proven radius next to what `largest` found, and the eigenvalue that attains it; None at a pole."""
    return _below(matrix, curve, Fraction(u), max(Fraction(value), FINEST)) if math.isfinite(value) else None


def _short(value: Fraction) -> Fraction:
    return Fraction(math.floor(value / FINEST)) * FINEST


def _below(
    matrix: Companion, curve: Curve, u: Fraction, guess: Fraction
) -> tuple[Fraction, tuple[Fraction, Fraction] | None]:
    """A radius next to the guess, or below, that the eigenvalue at u is proven to attain."""
    z = curve.point(u)
    low, step = _short(guess), max(guess * Fraction(WIDTH) / 2, FINEST)
    while low > 0 and not attains(matrix, z, low):
        low, step = _short(low - step), 4 * step
    return (low, z) if low > 0 else (Fraction(0), None)
