"""Whether all roots of a polynomial lie in a disc, along a whole curve of polynomials: by Hurwitz and Descartes."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from fractions import Fraction

Polynomial = list[Fraction]
DEEPEST = 400


def inside(p: Sequence[Fraction], r: Fraction) -> bool:
    """Whether every root z of p (lowest power first) has |z| < r: Routh's test after z = r (1 + s)/(1 - s)."""
    q = _mapped(p, r)
    if len(q) < len(p) or not q[-1]:
        return False
    rows = [q[::-1][::2], q[::-1][1::2]]
    sign = q[-1] > 0
    for _ in range(len(q) - 2):
        above, here = rows[-2], rows[-1]
        if not here or not here[0]:
            return False
        here = here + [Fraction(0)] * (len(above) - len(here))
        factor = above[0] / here[0]
        rows.append([above[k + 1] - factor * here[k + 1] for k in range(len(above) - 1)])
    return all(row and row[0] and (row[0] > 0) == sign for row in rows)


def crossings(p: Sequence[Fraction], r: Fraction) -> tuple[Fraction, Fraction, Fraction]:
    """p(r), p(-r) and the last Hurwitz determinant: while none of them vanishes, no root crosses the circle |z| = r.

    The determinant of order n - 1 vanishes when two roots s of the transformed polynomial have the sum 0, as the pair
    on the imaginary axis has (Orlando's formula); a real root crosses at z = r or -r, where s is 0 or infinite.
    """
    q = _mapped(p, r)
    n = len(q) - 1
    down = q[::-1]
    matrix = [
        [down[k] if 0 <= (k := 2 * (j + 1) - (i + 1)) <= n else Fraction(0) for j in range(n - 1)] for i in range(n - 1)
    ]
    return q[0], q[-1], determinant(matrix)


def _mapped(p: Sequence[Fraction], r: Fraction) -> Polynomial:
    """(1 - s)^n p(r (1 + s)/(1 - s)), lowest power first."""
    table = _table(len(p) - 1)
    scaled = [c * r**k for k, c in enumerate(p)]
    return [sum((c * row[j] for c, row in zip(scaled, table, strict=True)), Fraction(0)) for j in range(len(p))]


@functools.cache
def _table(n: int) -> list[list[int]]:
    """Row k: the coefficients of (1 + s)^k (1 - s)^(n - k)."""
    rows = []
    for k in range(n + 1):
        row = [1]
        for sign in [1] * k + [-1] * (n - k):
            row = [a + sign * b for a, b in zip([*row, 0], [0, *row], strict=True)]
        rows.append(row)
    return rows


def determinant(matrix: list[list[Fraction]]) -> Fraction:
    """The determinant of a square matrix, exactly, by Gaussian elimination in fractions."""
    rows, result = [row[:] for row in matrix], Fraction(1)
    for k in range(len(rows)):
        pivot = next((i for i in range(k, len(rows)) if rows[i][k]), None)
        if pivot is None:
            return Fraction(0)
        if pivot != k:
            rows[k], rows[pivot], result = rows[pivot], rows[k], -result
        result *= rows[k][k]
        for row in rows[k + 1 :]:
            factor = row[k] / rows[k][k]
            if factor:
                row[k:] = [a - factor * b for a, b in zip(row[k:], rows[k][k:], strict=True)]
    return result


def interpolated(values: Sequence[Fraction]) -> list[int]:
    """Whole coefficients, lowest first, of a positive multiple of the polynomial with these values at 0, 1, 2, ..."""
    return whole(powers(values))


def powers(values: Sequence[Fraction]) -> Polynomial:
    """Coefficients, lowest first, of the polynomial with these values at 0, 1, 2, ... (Newton's differences)."""
    differences = list(values)
    for order in range(1, len(differences)):
        for k in range(len(differences) - 1, order - 1, -1):
            differences[k] = (differences[k] - differences[k - 1]) / order
    result: Polynomial = [differences[-1]]
    for k in range(len(differences) - 2, -1, -1):
        shifted = [Fraction(0), *result]
        result = [a - k * b for a, b in zip(shifted, [*result, Fraction(0)], strict=True)]
        result[0] += differences[k]
    return result


def whole(p: Sequence[Fraction]) -> list[int]:
    """A positive multiple of a polynomial: whole coefficients without a common divisor, no zeros at its top."""
    common = math.lcm(*(c.denominator for c in p))
    numbers = [int(c * common) for c in p]
    while len(numbers) > 1 and not numbers[-1]:
        numbers.pop()
    divisor = math.gcd(*numbers) or 1
    return [c // divisor for c in numbers]


def first_root(p: Sequence[int]) -> Fraction | None:
    """A point next to a root of p in [0, 1]; None, proven, where there is none (Descartes' rule, bisection)."""
    if not p[0]:
        return Fraction(0)
    if not sum(p):
        return Fraction(1)
    left: list[tuple[list[int], Fraction, int]] = [(list(p), Fraction(0), 0)]
    while left:
        q, start, depth = left.pop()
        if not _variations(q):
            continue
        n = len(q) - 1
        if depth >= DEEPEST or (depth > 60 and _variations(q) == 1):
            return start
        low = [c << (n - k) for k, c in enumerate(q)]  # q(u / 2)
        high = _shifted(low)
        middle = start + Fraction(1, 2 ** (depth + 1))
        if not high[0]:
            return middle
        left += [(low, start, depth + 1), (high, middle, depth + 1)]
    return None


def _variations(p: Sequence[int]) -> int:
    """Sign changes of (1 + u)^n p(1 / (1 + u)): none means that p has no root in (0, 1), one means one root."""
    signs = [c > 0 for c in _shifted(p[::-1]) if c]
    return sum(a != b for a, b in itertools.pairwise(signs))


def _shifted(p: Sequence[int]) -> list[int]:
    """The coefficients of p(u + 1), from those of p(u), highest power first."""
    q = list(p)
    for i in range(len(q) - 1):
        for k in range(len(q) - 2, i - 1, -1):
            q[k] += q[k + 1]
    return q


def outside(
    along: Callable[[Fraction], Sequence[Fraction]], degree: int, r: Fraction
) -> tuple[Fraction | None, tuple[list[int], ...]]:
    """Where on 0 <= u <= 1 a root of along(u) leaves the disc |z| < r: (None, proof) where none does.

    The coefficients of the polynomial in z are polynomials in u of at most `degree`. Returns the u of a crossing (0
    where roots are outside at the start), or None, and the polynomials in u without a root in [0, 1] that prove it.
    """
    if not inside(along(Fraction(0)), r):
        return Fraction(0), ()
    return crossed(along, degree, r)


def crossed(
    along: Callable[[Fraction], Sequence[Fraction]], degree: int, r: Fraction, open_end: bool = False
) -> tuple[Fraction | None, tuple[list[int], ...]]:
    """As `outside`, wherever the roots are at the start: where on 0 <= u <= 1 one of them may cross |z| = r.

    With `open_end`, on 0 <= u < 1: for a limit at u = 1 where coefficients vanish.
    """
    if not degree:
        return None, ()
    order = len(along(Fraction(0))) - 1
    sizes = (degree, degree, max(order - 1, 0) * degree)
    values = [crossings(along(Fraction(u)), r) for u in range(max(sizes) + 1)]
    proof = []
    for k, size in enumerate(sizes):
        p = interpolated([value[k] for value in values[: size + 1]])
        while open_end and len(p) > 1 and not sum(p):
            p = [-c for c in itertools.accumulate(reversed(p))][-2::-1]  # divided by 1 - u
        u = first_root(p)
        if u is not None:
            return u, ()
        proof.append(p)
    return None, tuple(proof)
