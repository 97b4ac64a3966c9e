"""Feasible sets as objects: boxes, half-lines, simplices and products of them, with their faces and multipliers."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from .. import worlds
from ..errors import DomainError, ShapeError
from .faces import Face, FirstOrder, decimal, sign

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

    low: tuple[Any, ...]
    high: tuple[Any, ...]
    simplices: tuple[tuple[int, ...], ...] = ()

    @classmethod
    def whole(cls, dim: int) -> FeasibleSet:
        """All of R^d: no constraint."""
        return cls.box([None] * dim)

    @classmethod
    def box(cls, bounds: Sequence[Any]) -> FeasibleSet:
        """One (low, high) pair per coordinate; None, or a None in a pair, for no bound."""
        import sympy

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
            raise DomainError("a simplex that two players share", "a simplex inside one player's block", "split it")
        return FeasibleSet(self.low[block], self.high[block], tuple(own))

    @property
    def dim(self) -> int:
        """Number of coordinates d."""
        return len(self.low)

    @property
    def unconstrained(self) -> bool:
        """Whether it is all of R^d."""
        return not self.simplices and not any(map(_finite, (*self.low, *self.high)))

    @property
    def bounds(self) -> tuple[tuple[Any, Any], ...]:
        """(low, high) of each coordinate: the smallest box around the set is finite where these are."""
        import sympy

        inside = {k for simplex in self.simplices for k in simplex}
        return tuple(
            (low, sympy.Integer(1) if k in inside else high)
            for k, (low, high) in enumerate(zip(self.low, self.high, strict=True))
        )

    def contains(self, point: Sequence[Any], tolerance: float | None = None) -> bool:
        """Whether a point (d,) is feasible: exactly for SymPy numbers, else up to `tolerance` (see `face`)."""
        w = self._numbers(point)
        for k, x in enumerate(w):
            if self._sign(x - self.low[k], k, self.low[k], w, tolerance) < 0:
                return False
            if self._sign(self.high[k] - x, k, self.high[k], w, tolerance) < 0:
                return False
        sums = (sum(w[k] for k in simplex) - 1 for simplex in self.simplices)
        return all(sign(gap, ROUNDING if tolerance is None else tolerance) == 0 for gap in sums)

    def face(self, point: Sequence[Any], tolerance: float | None = None) -> Face:
        """The smallest face that holds a feasible point (d,): which bounds are active there.

        Args:
            point: SymPy numbers are compared exactly.
            tolerance: distance at which a float counts as on a bound; by default 1e-9 of the interval's width, or of
                the larger of the bound and the point's largest coordinate where the interval is unbounded.
        """
        w, sides = self._numbers(point), []
        for k, x in enumerate(w):
            at_low = self._sign(x - self.low[k], k, self.low[k], w, tolerance) <= 0
            at_high = self._sign(self.high[k] - x, k, self.high[k], w, tolerance) <= 0
            sides.append(-1 if at_low else 1 if at_high else 0)
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

    def first_order(self, point: Sequence[Any], v: Sequence[Any], tolerance: Any = 0.0) -> FirstOrder:
        """The first-order conditions at a feasible point with field v, both (d,).

        Args:
            tolerance: numbers this small count as zero, in the units of v, one or one per coordinate; SymPy numbers
                are judged exactly.
        """
        return FirstOrder(self.face(point), tuple(v), tolerance)

    def _numbers(self, point: Sequence[Any]) -> tuple[Any, ...]:
        entries = point.tolist() if hasattr(point, "tolist") else list(point)
        if len(entries) != self.dim:
            raise ShapeError(f"{len(entries)} coordinates", f"{self.dim}", "one number for each coordinate")
        symbolic = any(map(worlds.is_symbolic, entries))
        return tuple(map(worlds.exact, entries)) if symbolic else tuple(map(float, entries))

    def _sign(self, gap: Any, k: int, bound: Any, w: Sequence[Any], tolerance: float | None) -> int:
        if not _finite(bound):
            return 1
        if worlds.is_symbolic(w[k]) and not decimal(w[k]):
            return sign(gap)
        if tolerance is None:
            low, high = self.bounds[k]
            width = float(high - low) if _finite(low) and _finite(high) else 0.0
            tolerance = ROUNDING * (width or max(abs(float(bound)), *(abs(float(x)) for x in w)))
        return sign(float(gap), tolerance)


def _finite(bound: Any) -> bool:
    import sympy

    return bound not in (sympy.oo, -sympy.oo)


def _supports(simplex: Sequence[int]) -> list[dict[int, int]]:
    """Every nonempty set of coordinates that may be positive."""
    return [
        {k: 0 if k in chosen else -1 for k in simplex}
        for size in range(len(simplex), 0, -1)
        for chosen in itertools.combinations(simplex, size)
    ]
