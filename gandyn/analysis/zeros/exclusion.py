"""A search for all zeros of equations in a box: each is proven, and so is that the rest of the box holds none.

Boxes are excluded, proven to hold one zero, narrowed, or cut. What stays undecided near an almost double zero is
searched again in its own units; what is undecided after that is reported.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from ...budget import Budget
from ...lazy import sympy
from ...symbolic.intervals import Interval
from ...types import Array
from .closed_forms import rational_zero, simplest_point
from .equations import Equations, rounded
from .inclusion import Inclusion, Zero

CHUNK, STARTS = 2048, 60
EARLY = 16  # rounds before Newton's method is asked where zeros may lie: most boxes are decided by then
CUT = 0.4873  # not the middle: zeros like to lie there, and on a cut no sub-box can hold them inside
NARROWEST = ((400, 2.0**-26), (1200, 2.0**-11), (np.inf, 2.0**-5))  # cut on down to this, with so many open boxes
MOST_OPEN, MOST_CLUSTERS = 6000, 60
ZOOMS, SMALL = 3, 1e-3


@dataclasses.dataclass(frozen=True)
class Enclosed:
    """One zero, proven to exist and to be alone in its enclosure."""

    # low, high: the enclosure, d rational numbers each
    low: tuple[Fraction, ...]
    high: tuple[Fraction, ...]
    # left, right: a wider box in which no other zero lies
    left: tuple[Fraction, ...]
    right: tuple[Fraction, ...]

    def holds_alone(self, low: Sequence[Fraction], high: Sequence[Fraction]) -> bool:
        """Whether the box with corners `low` and `high` (d,) lies where this zero is the only one."""
        pairs = zip(low, high, self.left, self.right, strict=True)
        return all(c <= a and b <= d for a, b, c, d in pairs)

    @property
    def middle(self) -> tuple[Fraction, ...]:
        """The middle of the enclosure as fractions, shape (d,)."""
        return tuple((a + b) / 2 for a, b in zip(self.low, self.high, strict=True))

    @property
    def ends(self) -> Array:
        """The enclosure in floats, rounded outward, shape (d, 2)."""
        return np.stack(rounded(self.low, self.high), axis=-1)


@dataclasses.dataclass(frozen=True)
class Search:
    """The result of a search for all zeros in a box."""

    zeros: tuple[Enclosed, ...]  # the proven zeros
    # boxes (low, high), shape (d,) each, that are undecided; boxes that touch are joined
    open: tuple[tuple[Array, Array], ...]
    resting: Array  # points at which Newton's method came to rest, proven or not, shape (n, d)
    reason: str  # why the search is not complete; empty where it is

    @property
    def complete(self) -> bool:
        """Whether it is proven that the box holds no zeros but `zeros`."""
        return not self.reason


def search(
    equations: Equations,
    low: Sequence[Fraction | float | sympy.Expr],
    high: Sequence[Fraction | float | sympy.Expr],
    budget: Budget,
    starts: Array | None = None,
) -> Search:
    """Prove zeros of the equations in a box with corners `low` and `high` (d,), and exclude the rest of it.

    Zeros are looked for near `starts` (n, d) and near 60 random points. Raises DomainError for functions without an
    interval form.
    """
    return _search(equations, low, high, budget, starts, 0)


def _search(
    equations: Equations,
    low: Sequence[Fraction | float | sympy.Expr],
    high: Sequence[Fraction | float | sympy.Expr],
    budget: Budget,
    starts: Array | None,
    depth: int,
) -> Search:
    local = equations.within(low, high)
    run = _Run(Inclusion(local), budget)
    unit = np.ones(len(local.centre))
    points = np.array([sum(local.to_units(p, p)) / 2 for p in ([] if starts is None else starts)])
    points = points.reshape(-1, len(unit))
    run.prove(points)
    left = run.decide([(-unit[None], unit[None])], EARLY)
    if left or run.open:
        scattered = run.inclusion.newton(np.random.default_rng(0).uniform(-1, 1, (STARTS, len(unit))))
        run.prove(scattered)
        run.decide(left)
        points = np.concatenate([points, scattered])
    reason = budget.reason if run.late else ""
    known = list(run.zeros)
    zeros: list[Enclosed] = []
    remaining: list[tuple[Array, Array]] = []
    for a, b in run.clusters():
        hull = local.to_world(a, b)
        degenerate = rational_zero(equations, *hull) if equations.rational else None
        degenerate = None if degenerate is None or not equations.singular_at(degenerate) else degenerate
        if not equations.rational or degenerate or depth >= ZOOMS or (b - a).max() > SMALL or budget.out:
            remaining.append(hull)
            continue
        known, left, right = _apart(known, a, b)
        closer = _search(equations, local.exactly(left), local.exactly(right), budget, None, depth + 1)
        zeros += [z for z in closer.zeros if not any(_same(z, other) for other in zeros)]
        remaining += closer.open
        reason = reason or closer.reason
    for z in known:
        found = Enclosed(*map(local.exactly, (z.low, z.high, z.left, z.right)))
        if (z.high >= -1).all() and (z.low <= 1).all() and not any(_same(found, other) for other in zeros):
            zeros.append(found)
    if remaining and not reason:
        reason = undecided(remaining)
    resting = np.array([sum(local.to_world(p, p)) / 2 for p in points]).reshape(-1, len(unit))
    return Search(tuple(zeros), tuple(remaining), resting, reason)


def undecided(parts: Sequence[tuple[Array, Array]]) -> str:
    """Where a search is undecided and why, in words, from the undecided boxes."""
    place = ", ".join(f"{float(x):.10g}" for x in simplest_point(*parts[0]))
    more = f" and {len(parts) - 1} other places" if len(parts) > 1 else ""
    return f"undecided near ({place}){more}: a degenerate zero, or many, or one by a kink or jump"


def _same(z: Enclosed, other: Enclosed) -> bool:
    """Whether two enclosures are proven to hold the same zero: one lies where the other's is the only one."""
    return other.holds_alone(z.low, z.high) or z.holds_alone(other.low, other.high)


def _apart(known: list[Zero], low: Array, high: Array) -> tuple[list[Zero], Array, Array]:
    """A box around an open part that cuts no enclosure, and the zeros outside it: those inside are sought anew."""
    margin = 0.5 * (high - low) + 1e-14
    low, high = low - margin, high + margin
    while True:
        cut = [z for z in known if ((z.high >= low) & (z.low <= high)).all()]
        if all(((z.low > low) & (z.high < high)).all() for z in cut):
            return [z for z in known if not any(z is other for other in cut)], low, high
        low = np.minimum.reduce([low, *(z.low - 1e-15 for z in cut)])
        high = np.maximum.reduce([high, *(z.high + 1e-15 for z in cut)])


class _Run:
    """The state of a search: boxes still to be treated, zeros proven so far, and boxes left undecided."""

    def __init__(self, inclusion: Inclusion, budget: Budget) -> None:
        self.inclusion, self.budget, self.late = inclusion, budget, False
        self.zeros: list[Zero] = []
        self.open: list[tuple[Array, Array]] = []

    def prove(self, points: Array) -> None:
        """Try to enclose the zeros near points."""
        for point in points:
            if self.budget.out:
                self.late = True
                return
            if any(bool(z.alone_in(point, point)) for z in self.zeros):
                continue
            found = self.inclusion.around(point)
            if found is not None:
                self._add(found)

    def _add(self, new: Zero) -> None:
        """Keep a zero unless it is one that is known: in its box, or the other's."""
        for old in self.zeros:
            if bool(old.alone_in(new.low, new.high)) or bool(new.alone_in(old.low, old.high)):
                return
            if ((new.low <= old.high) & (old.low <= new.high)).all():
                return  # enclosures overlap and neither box holds both: the boxes around stay open
        self.zeros.append(new)

    def decide(self, stack: list[Interval], rounds: float = np.inf) -> list[Interval]:
        """Exclude, prove, narrow or cut boxes, the newest first, for so many rounds; returns those still to treat."""
        while stack and rounds > 0:
            rounds -= 1
            if self.budget.out or len(self.open) > MOST_OPEN:
                self.late = self.budget.out
                self.open += [box for a, b in stack for box in zip(a, b, strict=True)][: 4 * MOST_OPEN]
                return []
            a, b = stack.pop()
            if len(a) > CHUNK:
                stack.append((a[CHUNK:], b[CHUNK:]))
                a, b = a[:CHUNK], b[:CHUNK]
            a, b, close = self.inclusion.narrow(*self._outside(a, b))
            self.prove((a[close] + (b[close] - a[close]) / 2)[:64])
            a, b = self._outside(a, b)
            narrowest = next(size for count, size in NARROWEST if len(self.open) < count)
            done = (b - a).max(-1, initial=0.0) < narrowest
            self.open += zip(a[done], b[done], strict=True)
            a, b = _halves(a[~done], b[~done])
            if len(a):
                stack.append((a, b))
        return stack

    def _outside(self, low: Array, high: Array) -> tuple[Array, Array]:
        """The boxes that do not lie inside a larger box in which the only zero is known."""
        for zero in self.zeros:
            keep = ~zero.alone_in(low, high)
            low, high = low[keep], high[keep]
        return low, high

    def clusters(self) -> list[tuple[Array, Array]]:
        """The smallest boxes that hold each group of touching undecided boxes."""
        from scipy.sparse.csgraph import connected_components

        shape = (-1, self.inclusion.d)
        boxes: Array = np.array(self.open).reshape(len(self.open), 2, self.inclusion.d)
        low, high = self._outside(boxes[:, 0].reshape(shape), boxes[:, 1].reshape(shape))
        if not len(low):
            return []
        if len(low) > 4000:
            return [(low.min(0), high.max(0))]
        touching = np.ones((len(low), len(low)), dtype=bool)
        for k in range(self.inclusion.d):
            gap = 8 * (high[:, k] - low[:, k]) + 1e-15
            touching &= low[:, None, k] - gap[:, None] <= high[None, :, k]
            touching &= low[None, :, k] <= high[:, None, k] + gap[:, None]
        count, labels = connected_components(touching, directed=False)
        hulls = [(low[labels == c].min(0), high[labels == c].max(0)) for c in range(count)]
        return hulls if count <= MOST_CLUSTERS else [(low.min(0), high.max(0))]


def _halves(low: Array, high: Array) -> tuple[Array, Array]:
    """The two halves of every box, cut across its widest side."""
    if not len(low):
        return low, high
    widest, rows = np.argmax(high - low, axis=-1), np.arange(len(low))
    at = low[rows, widest] + CUT * (high[rows, widest] - low[rows, widest])
    left, right = high.copy(), low.copy()
    left[rows, widest] = right[rows, widest] = at
    return np.concatenate([low, right]), np.concatenate([left, high])
