"""Proofs that no value of one parameter has a smaller rate: at every value one of a few games is at least as slow."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction

from ...budget import Budget
from .companion import HOLOMORPHIC, Companion
from .discs import crossed, inside
from .minimax import Range

DEEPEST = 60
Pair = tuple[Fraction, Fraction]
Line = Callable[[Fraction], list[Fraction]]


def unreachable(matrix: Companion, games: Sequence[Pair], values: Range, r: Fraction, limit: Budget) -> bool:
    """Whether, for every value of the one free parameter, the spectral radius at one of the games is proven to be >= r.

    The range is cut until each piece has a game with a root outside |z| < r at the piece's left end and no root that
    crosses the circle along it, proven by polynomials in the parameter without roots on the piece. A range without an
    upper end is mapped onto 0 <= t < 1 by low + t / (1 - t). False where that is not proven in time.

    Args:
        matrix: the companion of a rule with one free parameter.
        games: eigenvalues (x, y) of the games.
        values: the range of the parameter.
        r: the radius.
        limit: the time that may be spent.
    """
    lines = [_along(matrix, z, values) for z in games]
    left, endless = [(Fraction(0), Fraction(1), 0)], values.high == math.inf
    while left:
        start, end, depth = left.pop()
        if limit.out or depth > DEEPEST:
            return False
        if not any(_slow(line, degree, r, start, end, endless and end == 1) for line, degree in lines):
            middle = (start + end) / 2
            left += [(start, middle, depth + 1), (middle, end, depth + 1)]
    return True


def _slow(line: Line, degree: int, r: Fraction, start: Fraction, end: Fraction, open_end: bool) -> bool:
    def piece(u: Fraction) -> list[Fraction]:
        return line(start + (end - start) * u)

    return not inside(piece(Fraction(0)), r) and crossed(piece, degree, r, open_end)[0] is None


def _along(matrix: Companion, z: Pair, values: Range) -> tuple[Line, int]:
    """The characteristic polynomial at one game as the parameter runs through its range, and its degree in t."""
    power = max(k[2] for c in matrix.polynomial[0] for k in c)
    low, endless = Fraction(values.low), values.high == math.inf
    width = Fraction(1) if endless else Fraction(values.high) - low
    real = not z[1]

    def line(t: Fraction) -> list[Fraction]:
        n = 1 - t if endless else Fraction(1)
        return matrix.at((*z, Fraction(1)), real, (low * n + width * t,), n)

    return line, power * (1 if matrix.kind != HOLOMORPHIC or real else 2)
