"""Where the solutions of a game are sought, which faces can hold some, and what a search returns."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from ...budget import Budget
from ...errors import DomainError
from ...lazy import sympy
from ...symbolic.intervals import IntervalFunction, outward
from ...types import Array, Face, FeasibleSet
from ...worlds import exact

Bounds = Sequence[tuple[float, float]]


@dataclasses.dataclass(frozen=True)
class Solution:
    """One solution of the game: a zero of w - P(w - v(w)), with its proof where there is one."""

    # SymPy numbers: the solution itself where it is exact, else the middle of its enclosure
    point: tuple[sympy.Expr, ...]
    exact: bool  # whether `point` is the solution itself
    enclosure: Array | None  # shape (d, 2), proven to hold a solution; None where nothing is proven
    face: Face  # the face of the feasible set on which it lies
    # for each active bound, by coordinate, an interval (low, high) that holds its multiplier
    multipliers: dict[int, tuple[float, float]]
    kinks: tuple[int, ...] = ()  # coordinates in which the own cost has its least value at a kink

    @property
    def floats(self) -> Array:
        """The coordinates of the point in floats, shape (d,)."""
        return np.array([*map(float, self.point)])


@dataclasses.dataclass
class Findings:
    """What a search for solutions has found so far."""

    solutions: list[Solution] = dataclasses.field(default_factory=list)
    obstacles: list[str] = dataclasses.field(default_factory=list)  # why the list is not proven to be complete
    arguments: set[str] = dataclasses.field(default_factory=set)  # why it is complete where there are no obstacles


@dataclasses.dataclass(frozen=True)
class Problem:
    """The game and the box in which its solutions are sought."""

    symbols: tuple[sympy.Symbol, ...]  # the coordinates
    field: tuple[sympy.Expr, ...]  # v(w)
    feasible: FeasibleSet
    bounds: Bounds | None  # the box, or None where the search is not limited
    known: tuple[tuple[sympy.Expr, ...], ...]  # points that are tried as exact solutions
    budget: Budget
    costs: tuple[sympy.Expr, ...]  # for each coordinate, the cost of the player that owns it

    def faces(self) -> Iterator[Face]:
        """The faces of the feasible set that meet the box, without those that intervals of v exclude."""
        faces = [f for f in self.feasible.faces() if self.limits(f) is not None]
        ends = np.array([[limit for limit in self.limits(f) or []] for f in faces], dtype=float)
        if len(faces) <= 1 or not np.isfinite(ends).all():
            return iter(faces)
        try:
            low, high = IntervalFunction(self.symbols, self.field)(*outward(ends[..., 0], ends[..., 1]))
        except DomainError:
            return iter(faces)
        return (f for f, a, b in zip(faces, low, high, strict=True) if _possible(f, a, b))

    def limits(self, face: Face) -> list[tuple[sympy.Expr, sympy.Expr]] | None:
        """The ends of each coordinate on a face within the box; None where face and box do not meet."""
        found = []
        for k, side in enumerate(face.sides):
            low, high = face.set.bounds[k]
            low, high = (high, high) if side > 0 else (low, low) if side < 0 else (low, high)
            if self.bounds is not None:
                low, high = sympy.Max(low, exact(self.bounds[k][0])), sympy.Min(high, exact(self.bounds[k][1]))
            if low > high or (side == 0 and low == high):
                return None
            found.append((low, high))
        return found


def _possible(face: Face, low: Array, high: Array) -> bool:
    """Whether ranges of v allow zero along the face and nonnegative multipliers."""
    own = {k for s in face.set.simplices for k in s}
    for k, side in enumerate(face.sides):
        if k not in own and ((side <= 0 and high[k] < 0 and k not in _fixed(face)) or (
            side >= 0 and low[k] > 0 and k not in _fixed(face))):  # fmt: skip
            return False
    for simplex in face.set.simplices:
        support = [k for k in simplex if face.sides[k] == 0]
        least, most = max(low[k] for k in support), min(high[k] for k in support)
        if least > most or any(high[k] < least for k in simplex if face.sides[k]):
            return False
    return True


def _fixed(face: Face) -> set[int]:
    """Indices of the coordinates that are held at a bound on this face."""
    return {k for k, side in enumerate(face.sides) if side} - set(face.active)
