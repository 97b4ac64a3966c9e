"""Faces of a feasible set: tangent spaces, multipliers, and the first-order conditions at their points."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import worlds
from ..errors import ParameterError
from .players import Array

if TYPE_CHECKING:
    from .feasible import FeasibleSet


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
        """Coordinates at no bound."""
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
        """The same columns at length 1, floats (d, dimension)."""
        basis = self.basis.astype(float)
        return basis / np.linalg.norm(basis, axis=0)

    @property
    def anchor(self) -> tuple[Any, ...]:
        """An exact point of the plane of the face: bounds where active, even probabilities, elsewhere 0."""
        import sympy

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
        """What each active bound pushes with: v_k at a lower bound, -v_k at an upper, both inwards against -v.

        In a simplex v_k is measured from its mean over the support. All must be nonnegative at a solution.
        """
        level = dict.fromkeys(range(self.set.dim), 0)
        for simplex in self.set.simplices:
            support = [k for k in simplex if self.sides[k] == 0]
            level |= dict.fromkeys(simplex, sum(v[k] for k in support) / _whole(len(support), v))
        return {k: -self.sides[k] * (v[k] - level[k]) for k in self.active}


@dataclasses.dataclass(frozen=True)
class FirstOrder:
    """The first-order conditions at a point: it solves the constrained game up to them where they hold.

    Attributes:
        face: the smallest face that holds the point.
        v: the field there.
        tolerance: what counts as zero where v is not exact, in the units of v: one number, or one per coordinate.
    """

    face: Face
    v: tuple[Any, ...]
    tolerance: Any = 0.0

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


def sign(x: Any, tolerance: float = 0.0) -> int:
    """-1, 0 or 1: exact for SymPy numbers without decimals, else 0 within the tolerance.

    Raises:
        ParameterError: while a parameter leaves the sign open.
    """
    if not worlds.is_symbolic(x):
        return 0 if abs(x) <= tolerance else 1 if x > 0 else -1
    if x.is_Rational:
        return bool(x > 0) - bool(x < 0)
    if x.free_symbols:
        known = 1 if x.is_positive else -1 if x.is_negative else 0 if x.is_zero else None
        if known is None:
            names = ", ".join(sorted(map(str, x.free_symbols)))
            raise ParameterError(f"the sign of {x} while {names} has no value", "a value", "set the parameter")
        return known
    if decimal(x):
        return sign(float(x), tolerance)
    import sympy

    value = sympy.N(x, 50, chop=False)
    if abs(value) > 1e-40 * max(1, *(abs(sympy.N(t, 20)) for t in sympy.Add.make_args(x))):
        return 1 if value > 0 else -1
    return 0 if sympy.simplify(x) == 0 else bool(value > 0) - bool(value < 0)


def decimal(x: Any) -> bool:
    """Whether a SymPy number holds decimals, which are as good as their digits."""
    import sympy

    return bool(x.has(sympy.Float))


def _whole(count: int, v: Sequence[Any]) -> Any:
    return worlds.exact(count) if any(map(worlds.is_symbolic, v)) else count
