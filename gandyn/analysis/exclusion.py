"""All zeros of a field in a box, or a proof that none was missed: boxes are excluded, proven to hold one, or cut.

Arithmetic is on whole arrays of intervals, rounded outward; the inclusion test is Krawczyk's (1969).
"""

from __future__ import annotations

import dataclasses

import numpy as np

from ..symbolic.intervals import Interval, IntervalFunction
from ..types import Array

MOST_BOXES, ROUNDS, NARROWEST = 20000, 80, 1e-7
CUT = 0.4873  # not the middle: zeros like to lie there, and on a cut no sub-box can hold them inside
RADII = (0.2, 0.1, 0.03, 0.01, 1e-3, 1e-4, 1e-5, 1e-6)
KINKS = frozenset({"sign", "where", "lt", "le", "gt", "ge", "eq", "ne"})  # no mean value theorem across a jump


@dataclasses.dataclass(frozen=True)
class Search:
    """What became of the box.

    Attributes:
        found: a point near each zero that was proven on the way, known ones possibly among them, shape (n, d).
        proven: how many of the known points are proven to be isolated zeros.
        complete: whether no other zero can exist in the box.
        reason: why, or why not.
    """

    found: Array
    proven: int
    complete: bool
    reason: str


def search(field: IntervalFunction, jacobian: IntervalFunction, bounds: Array, known: Array) -> Search:
    """Decide about every part of a box.

    Args:
        field: v, d outputs. jacobian: Dv, d * d outputs, row by row. bounds: shape (d, 2).
        known: zeros found already, shape (n, d).
    """
    d = len(bounds)
    jumps = sorted(KINKS & {line.op for f in (field, jacobian) for line in f.code.instructions})
    if jumps:
        return Search(np.empty((0, d)), 0, False, f"found by search: {', '.join(jumps)} may jump")
    run = _Krawczyk(field, jacobian, d)
    proven = [box for box in (run.around(p, bounds[:, 1] - bounds[:, 0]) for p in known) if box is not None]
    count = len(proven)
    found: list[Array] = []
    low, high = bounds[None, :, 0], bounds[None, :, 1]
    small = NARROWEST * (bounds[:, 1] - bounds[:, 0])
    for _ in range(ROUNDS):
        low, high = _outside(low, high, proven)
        if not len(low) or len(low) > MOST_BOXES or (high - low < small).all(-1).any():
            break
        low, high, inside = run(low, high)
        for a, b in zip(low[inside], high[inside], strict=True):
            if not any((q >= a).all() and (q <= b).all() for q in found):
                found.append((a + b) / 2)
                proven.append((a, b))
        low, high = _halves(low[~inside], high[~inside])
    if len(low):
        place = ", ".join(f"{x:.4g}" for x in (low[0] + high[0]) / 2)
        reason = f"{len(low)} sub-boxes, one at ({place}), are neither excluded nor proven: a degenerate zero, or many"
        return Search(np.array(found).reshape(-1, d), count, False, reason)
    return Search(np.array(found).reshape(-1, d), count, True, "every part of the box is decided")


def _outside(low: Array, high: Array, proven: list[Interval]) -> tuple[Array, Array]:
    """The boxes that do not lie in a box whose only zero is known."""
    for a, b in proven:
        keep = ~((low >= a) & (high <= b)).all(-1)
        low, high = low[keep], high[keep]
    return low, high


def _halves(low: Array, high: Array) -> tuple[Array, Array]:
    """Every box cut across its widest side."""
    if not len(low):
        return low, high
    widest, rows = np.argmax(high - low, axis=-1), np.arange(len(low))
    at = low[rows, widest] + CUT * (high[rows, widest] - low[rows, widest])
    left, right = high.copy(), low.copy()
    left[rows, widest] = right[rows, widest] = at
    return np.concatenate([low, right]), np.concatenate([left, high])


@dataclasses.dataclass(frozen=True)
class _Krawczyk:
    field: IntervalFunction
    jacobian: IntervalFunction
    d: int

    def __call__(self, low: Array, high: Array) -> tuple[Array, Array, Array]:
        """Boxes that may hold a zero, cut down, and which of them hold exactly one for certain."""
        f_low, f_high = self.field(low, high)
        may = ((f_low <= 0) & (f_high >= 0)).all(-1)
        low, high = low[may], high[may]
        a, b = self.image(low, high)
        inside = ((a > low) & (b < high)).all(-1)
        new_low, new_high = np.maximum(low, a), np.minimum(high, b)
        kept = (new_low <= new_high).all(-1)
        return new_low[kept], new_high[kept], inside[kept]

    def image(self, low: Array, high: Array) -> Interval:
        """K(X) = m - Y v(m) + (I - Y J(X)) (X - m): it holds every zero in X; K inside X proves that there is one."""
        m = low + (high - low) / 2
        reach = np.nextafter(np.maximum(high - m, m - low), np.inf)
        f_low, f_high = self.field(m, m)
        j_low, j_high = (part.reshape(-1, self.d, self.d) for part in self.jacobian(low, high))
        middle, radius = _ball(j_low, j_high)
        usable = np.isfinite(middle).all((-2, -1)) & np.isfinite(radius).all((-2, -1))
        usable &= np.abs(np.linalg.det(np.where(usable[:, None, None], middle, 0.0))) > 1e-200
        eye = np.eye(self.d)
        y = np.linalg.inv(np.where(usable[:, None, None], middle, eye))
        slack = 8 * (self.d + 2) * np.finfo(float).eps
        size = np.abs(y)
        defect = np.abs(eye - y @ middle) + size @ radius + slack * (eye + size @ (np.abs(middle) + radius))
        f_middle, f_radius = _ball(f_low, f_high)
        centre = m - (y @ f_middle[..., None])[..., 0]
        spread = (size @ (f_radius + slack * np.abs(f_middle))[..., None] + defect @ reach[..., None])[..., 0]
        spread = (spread + slack * (np.abs(m) + np.abs(centre))) * (1 + slack)
        spread = np.where(usable[:, None] & np.isfinite(spread) & np.isfinite(centre), spread, np.inf)
        centre = np.where(np.isfinite(centre), centre, m)
        return centre - spread, centre + spread

    def around(self, point: Array, width: Array) -> Interval | None:
        """A box around a zero in which it is proven to be the only one, as wide as the proof allows."""
        for radius in RADII:
            low, high = (point - radius * width)[None], (point + radius * width)[None]
            a, b = self.image(low, high)
            if ((a > low) & (b < high)).all():
                return low[0], high[0]
        return None


def _ball(low: Array, high: Array) -> Interval:
    """(middle, radius), the radius rounded up."""
    with np.errstate(invalid="ignore"):
        middle = low + (high - low) / 2
        return middle, np.nextafter(np.maximum(high - middle, middle - low), np.inf)
