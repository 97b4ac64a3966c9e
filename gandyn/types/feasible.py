"""Feasible sets as objects: boxes, half-lines, simplices and products of them, with their faces and multipliers."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from .. import worlds
from ..errors import DomainError, ParameterError, ShapeError
from ..lazy import sympy
from .players import Array
from .signs import decimal, sign

FACES = 4096
ROUNDING = 1e-9


@dataclasses.dataclass(frozen=True)
class FeasibleSet:
    """{w : low_k <= w_k <= high_k for every coordinate k, and the w_k with k in S sum to 1 for every simplex S}.

    Each player's own conditions hold for that player's block alone, so a point solves the constrained game when every
    player's gradient v_i points out of its own set: <v(w), u - w> >= 0 for all feasible u, which is the same as
    w = P(w - v(w)) (Facchinei & Pang 2003, proposition 1.5.8). Points and bounds that are SymPy numbers are compared
    exactly, floats up to rounding.

    Attributes:
        low, high: one exact number each for every coordinate, -oo and oo for no bound.
        simplices: disjoint sets of coordinates, each a probability simplex: low 0, high oo, sum 1.

    Example:
        >>> square = FeasibleSet.box([(-1, 1), (0, None)])
        >>> square.contains((1, 7)), square.face((1, 7)).sides
        (True, (1, 0))
    """

    low: tuple[sympy.Expr, ...]
    high: tuple[sympy.Expr, ...]
    simplices: tuple[tuple[int, ...], ...] = ()

    @classmethod
    def space(cls, dim: int) -> FeasibleSet:
        """All of R^d: no constraint."""
        return cls.box([None] * dim)

    @classmethod
    def box(cls, bounds: Sequence[tuple[float | sympy.Expr | None, ...] | None]) -> FeasibleSet:
        """One (low, high) pair per coordinate; None, or a None in a pair, for no bound."""
        pairs = [(None, None) if pair is None else pair for pair in bounds]
        low = tuple(-sympy.oo if bottom is None else worlds.exact(bottom) for bottom, _ in pairs)
        return cls(low, tuple(sympy.oo if top is None else worlds.exact(top) for _, top in pairs))

    @classmethod
    def simplex(cls, size: int) -> FeasibleSet:
        """{x >= 0, sum x = 1} in R^size."""
        return dataclasses.replace(cls.box([(0, None)] * size), simplices=(tuple(range(size)),))

    @classmethod
    def product(cls, parts: Iterable[FeasibleSet]) -> FeasibleSet:
        """The sets side by side, in the order of their coordinates."""
        low: list[Any] = []
        high: list[Any] = []
        simplices: list[tuple[int, ...]] = []
        for part in parts:
            simplices += [tuple(len(low) + k for k in simplex) for simplex in part.simplices]
            low += part.low
            high += part.high
        return cls(tuple(low), tuple(high), tuple(simplices))

    def restrict(self, block: slice) -> FeasibleSet:
        """One player's own set: the coordinates of a block that no simplex crosses."""
        inside = range(*block.indices(self.dim))
        own = [tuple(k - inside.start for k in s) for s in self.simplices if set(s) <= set(inside)]
        if sum(map(len, own)) != sum(k in inside for s in self.simplices for k in s):
            raise DomainError(
                "a simplex that two players share", "a simplex inside one player's block", "give each player a simplex"
            )
        return FeasibleSet(self.low[block], self.high[block], tuple(own))

    @property
    def dim(self) -> int:
        """Number of coordinates d."""
        return len(self.low)

    @property
    def unconstrained(self) -> bool:
        """Whether the set is all of R^d."""
        return not self.simplices and not any(map(_finite, (*self.low, *self.high)))

    @property
    def bounds(self) -> tuple[tuple[Any, Any], ...]:
        """(low, high) of each coordinate: the smallest box around the set is finite where these are."""
        inside = {k for simplex in self.simplices for k in simplex}
        return tuple(
            (low, sympy.Integer(1) if k in inside else high)
            for k, (low, high) in enumerate(zip(self.low, self.high, strict=True))
        )

    def contains(self, point: Sequence[object], tolerance: float | None = None) -> bool:
        """Whether a point (d,) is feasible: exactly for SymPy numbers, else up to `tolerance` (see `face`)."""
        w = self._numbers(point)
        for k, x in enumerate(w):
            if self._sign(x - self.low[k], k, self.low[k], w, tolerance) < 0:
                return False
            if self._sign(self.high[k] - x, k, self.high[k], w, tolerance) < 0:
                return False
        sums = (sum(w[k] for k in simplex) - 1 for simplex in self.simplices)
        return all(sign(gap, ROUNDING if tolerance is None else tolerance) == 0 for gap in sums)

    def face(self, point: Sequence[object], tolerance: float | None = None) -> Face:
        """The smallest face that holds a feasible point (d,): which bounds are active there.

        Args:
            point: SymPy numbers are compared exactly.
            tolerance: distance at which a float counts as on a bound; by default 1e-9 of the interval's width, or of
                the larger of the bound and the point's largest coordinate where the interval is unbounded.

        Raises:
            ParameterError: where no coordinate of a simplex is positive, so that its probabilities cannot sum to 1.
        """
        w, sides = self._numbers(point), []
        for k, x in enumerate(w):
            at_low = self._sign(x - self.low[k], k, self.low[k], w, tolerance) <= 0
            at_high = self._sign(self.high[k] - x, k, self.high[k], w, tolerance) <= 0
            sides.append(-1 if at_low else 1 if at_high else 0)
        if any(all(sides[k] for k in simplex) for simplex in self.simplices):
            given = f"probabilities {[str(w[k]) for simplex in self.simplices for k in simplex]}, none of them positive"
            raise ParameterError(given, "in each simplex some that are, with the sum 1", "game.project(w)")
        return Face(self, tuple(sides))

    def faces(self, limit: int = FACES) -> Iterator[Face]:
        """All faces, the whole set first and the corners last.

        Raises:
            DomainError: where there are more than `limit`.
        """
        if self.count > limit:
            raise DomainError(f"a feasible set with {self.count} faces", f"at most {limit}", "fix some coordinates")
        inside = {k for simplex in self.simplices for k in simplex}
        choices: list[list[dict[int, int]]] = [self._places(k) for k in range(self.dim) if k not in inside]
        choices += [_supports(simplex) for simplex in self.simplices]
        found = [
            Face(self, tuple(sides[k] for k in range(self.dim)))
            for parts in itertools.product(*choices)
            for sides in [{k: s for part in parts for k, s in part.items()}]
        ]
        return iter(sorted(found, key=lambda face: -face.dimension))

    @property
    def count(self) -> int:
        """Number of faces, the whole set included."""
        inside = {k for simplex in self.simplices for k in simplex}
        places = (len(self._places(k)) for k in range(self.dim) if k not in inside)
        return math.prod(places) * math.prod((1 << len(simplex)) - 1 for simplex in self.simplices)

    def _places(self, k: int) -> list[dict[int, int]]:
        if self.low[k] == self.high[k]:
            return [{k: -1}]
        return [{k: 0}] + [{k: side} for side, b in ((-1, self.low[k]), (1, self.high[k])) if _finite(b)]

    def first_order(self, point: Sequence[object], v: Sequence[object], tolerance: Array = 0.0) -> FirstOrder:
        """The first-order conditions at a feasible point with field v, both (d,).

        Args:
            tolerance: numbers this small count as zero, in the units of v, one or one per coordinate; SymPy numbers
                are judged exactly.
        """
        return FirstOrder(self.face(point), tuple(v), tolerance)

    def _numbers(self, point: Sequence[object]) -> tuple[float | sympy.Expr, ...]:
        entries = point.tolist() if hasattr(point, "tolist") else list(point)
        if len(entries) != self.dim:
            raise ShapeError(f"{len(entries)} coordinates", f"{self.dim}", "one number for each coordinate")
        symbolic = any(map(worlds.is_symbolic, entries))
        return tuple(map(worlds.exact, entries)) if symbolic else tuple(map(float, entries))

    def _sign(
        self, gap: sympy.Expr, k: int, bound: sympy.Expr, w: Sequence[float | sympy.Expr], tolerance: float | None
    ) -> int:
        if not _finite(bound):
            return 1
        if worlds.is_symbolic(w[k]) and not decimal(w[k]):
            return sign(gap)
        if tolerance is None:
            low, high = self.bounds[k]
            width = float(high - low) if _finite(low) and _finite(high) else 0.0
            tolerance = ROUNDING * (width or max(abs(float(bound)), *(abs(float(x)) for x in w)))
        return sign(float(gap), tolerance)


def _finite(bound: sympy.Expr) -> bool:
    return bound not in (sympy.oo, -sympy.oo)


def _supports(simplex: Sequence[int]) -> list[dict[int, int]]:
    """The faces of a simplex: 0 for coordinates that may be positive, -1 for those held at 0."""
    return [
        {k: 0 if k in chosen else -1 for k in simplex}
        for size in range(len(simplex), 0, -1)
        for chosen in itertools.combinations(simplex, size)
    ]


@dataclasses.dataclass(frozen=True)
class Face:
    """The points of a feasible set at which the same bounds are active.

    Attributes:
        set: the whole set.
        sides: for every coordinate -1 at its lower bound, 1 at its upper, 0 in between.
    """

    set: FeasibleSet
    sides: tuple[int, ...]

    @property
    def free(self) -> tuple[int, ...]:
        """The coordinates of the point that are at none of their bounds."""
        return tuple(k for k, side in enumerate(self.sides) if side == 0)

    @property
    def active(self) -> tuple[int, ...]:
        """Coordinates at a bound that they could leave: those with an empty interior are fixed, not active."""
        alone = {k for s in self.set.simplices if len(s) == 1 for k in s}
        low, high = self.set.low, self.set.high
        return tuple(k for k, side in enumerate(self.sides) if side and low[k] != high[k] and k not in alone)

    @functools.cached_property
    def columns(self) -> tuple[tuple[int, ...], ...]:
        """Orthogonal integer vectors that span the tangent space: e_k, and in a simplex (1, -1), (1, 1, -2), ..."""
        inside = {k for simplex in self.set.simplices for k in simplex}
        found: list[dict[int, int]] = [{k: 1} for k in self.free if k not in inside]
        for simplex in self.set.simplices:
            support = [k for k in simplex if self.sides[k] == 0]
            for m in range(1, len(support)):
                found.append({**dict.fromkeys(support[:m], 1), support[m]: -m})
        found.sort(key=lambda column: max(column))
        return tuple(tuple(column.get(k, 0) for k in range(self.set.dim)) for column in found)

    @property
    def dimension(self) -> int:
        """Dimension of the face; 0 for a corner."""
        return len(self.columns)

    @property
    def basis(self) -> Array:
        """The columns as an integer array (d, dimension); any two are orthogonal."""
        return np.array(self.columns, dtype=int).reshape(self.dimension, self.set.dim).T

    @property
    def orthonormal(self) -> Array:
        """The columns of `basis`, each divided by its length: floats (d, dimension)."""
        basis = self.basis.astype(float)
        return basis / np.linalg.norm(basis, axis=0)

    @property
    def anchor(self) -> tuple[sympy.Expr, ...]:
        """An exact point of the plane of the face: bounds where active, even probabilities, elsewhere 0."""
        place = {
            k: {-1: self.set.low[k], 0: sympy.Integer(0), 1: self.set.high[k]}[s] for k, s in enumerate(self.sides)
        }
        for simplex in self.set.simplices:
            support = [k for k in simplex if self.sides[k] == 0]
            place |= dict.fromkeys(support, sympy.Rational(1, max(len(support), 1)))
        return tuple(place[k] for k in range(self.set.dim))

    def reduced(self, v: Sequence[Any]) -> list[Any]:
        """v along each of the columns, up to their lengths: all zero where the face itself is at rest."""
        return [sum(c * x for c, x in zip(column, v, strict=True) if c) for column in self.columns]

    def multipliers(self, v: Sequence[Any]) -> dict[int, Any]:
        """The multiplier of each active bound: v_k at a lower bound, -v_k at an upper one, >= 0 where -v presses on it.

        In a simplex v_k is measured from its mean over the support. All must be nonnegative at a solution.
        """
        level = dict.fromkeys(range(self.set.dim), 0)
        for simplex in self.set.simplices:
            support = [k for k in simplex if self.sides[k] == 0]
            level |= dict.fromkeys(simplex, sum(v[k] for k in support) / _whole(len(support), v))
        return {k: -self.sides[k] * (v[k] - level[k]) for k in self.active}


@dataclasses.dataclass(frozen=True)
class FirstOrder:
    """The first-order conditions of the constrained game at a feasible point; they hold at every solution.

    Attributes:
        face: the smallest face that holds the point.
        v: the field there.
        tolerance: what counts as zero where v is not exact, in the units of v: one number, or one per coordinate.
    """

    face: Face
    v: tuple[float | sympy.Expr, ...]
    tolerance: Array = 0.0

    @functools.cached_property
    def multipliers(self) -> dict[int, Any]:
        """For every active coordinate, the force with which -v presses against its bound."""
        return self.face.multipliers(self.v)

    @functools.cached_property
    def _signs(self) -> dict[int, int]:
        beside = {k: simplex for simplex in self.face.set.simplices for k in simplex}
        return {k: sign(x, max(self._tolerance[j] for j in beside.get(k, (k,)))) for k, x in self.multipliers.items()}

    @functools.cached_property
    def _tolerance(self) -> tuple[float, ...]:
        one = np.ndim(self.tolerance) == 0
        return (float(self.tolerance),) * self.face.set.dim if one else tuple(map(float, self.tolerance))

    @property
    def strong(self) -> tuple[int, ...]:
        """Active coordinates with a positive multiplier: nearby orbits are pressed onto these bounds in finite time."""
        return tuple(k for k, s in self._signs.items() if s > 0)

    @property
    def weak(self) -> tuple[int, ...]:
        """Active coordinates whose multiplier vanishes: the bound is touched, not pressed."""
        return tuple(k for k, s in self._signs.items() if s == 0)

    @property
    def wrong(self) -> tuple[int, ...]:
        """Active coordinates with a negative multiplier: -v leads away from the bound into the set."""
        return tuple(k for k, s in self._signs.items() if s < 0)

    @functools.cached_property
    def at_rest(self) -> bool:
        """Whether v vanishes along the face."""
        limits = [sum(abs(c) * t for c, t in zip(column, self._tolerance, strict=True)) for column in self.face.columns]
        return all(sign(x, limit) == 0 for x, limit in zip(self.face.reduced(self.v), limits, strict=True))

    @property
    def holds(self) -> bool:
        """Whether the point is a zero of w - P(w - v(w))."""
        return self.at_rest and not self.wrong


def _whole(count: int, v: Sequence[object]) -> int | sympy.Expr:
    return worlds.exact(count) if any(map(worlds.is_symbolic, v)) else count
