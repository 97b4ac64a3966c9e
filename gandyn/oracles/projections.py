"""Euclidean projections onto the feasible sets of constrained games: boxes, simplices, and products of the two."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import worlds
from ..errors import ParameterError, WorldError
from ..lazy import sympy, torch
from ..types import Array, FeasibleSet
from ..worlds import SYMBOLS, TORCH, object_vector

SYMBOLIC_CORNERS = 3


@dataclasses.dataclass(frozen=True)
class Box:
    """w -> min(max(w, low), high), coordinate by coordinate.

    Args:
        bounds: one (low, high) pair per coordinate of the joint vector; None, or a None in a pair, for no bound.

    Raises:
        ParameterError: for an empty interval.

    Example:
        >>> import numpy as np
        >>> Box(((-1, 1), None))(np.array([3.0, 3.0])).tolist()
        [1.0, 3.0]
    """

    bounds: tuple[Any, ...]

    def __post_init__(self) -> None:
        low, high = [], []
        for k, pair in enumerate(self.bounds):
            bottom, top = (None, None) if pair is None else pair
            low.append(-sympy.oo if bottom is None else worlds.exact(bottom))
            high.append(sympy.oo if top is None else worlds.exact(top))
            if low[-1].is_number and high[-1].is_number and not low[-1] <= high[-1]:
                raise ParameterError(
                    f"the interval ({bottom}, {top}) for coordinate {k}", "low <= high", "swap the two bounds"
                )
        object.__setattr__(self, "bounds", tuple(zip(low, high, strict=True)))

    @functools.cached_property
    def feasible(self) -> FeasibleSet:
        """The box as an object: faces, multipliers, tangent spaces."""
        return FeasibleSet.box(self.bounds)

    def contains(self, point: Sequence[object]) -> bool:
        """Whether an exact point lies in the box."""
        return all(bool(low <= x) and bool(x <= high) for x, (low, high) in zip(point, self.bounds, strict=True))

    def __call__(self, w: Array) -> Array:
        """The projection of w, shape (..., d)."""
        low, high = (list(side) for side in zip(*self.bounds, strict=True))
        if worlds.world_of(w) == SYMBOLS:
            return np.frompyfunc(_clip_symbol, 3, 1)(w, np.array(low, dtype=object), np.array(high, dtype=object))
        return worlds.clip(w, np.array(low, dtype=float), np.array(high, dtype=float))


def _clip_symbol(x: sympy.Expr, low: sympy.Expr, high: sympy.Expr) -> sympy.Expr:
    """min(max(x, low), high), left as it stands where x is not a number: comparing first takes SymPy seconds."""
    x = worlds.exact(x)
    known = bool(x.is_number)
    above = x if low is -sympy.oo else sympy.Max(x, low, evaluate=known)
    return above if high is sympy.oo else sympy.Min(above, high, evaluate=known)


@dataclasses.dataclass(frozen=True)
class Simplices:
    """Each consecutive block of the joint vector onto its own probability simplex {x >= 0, sum x = 1}.

    P(x)_i = max(x_i - t, 0) with the one t for which these sum to 1. Sorting x downwards gives
    t = max_k (x_(1) + ... + x_(k) - 1) / k (Held, Wolfe & Crowder 1974). Without sorting, t is the maximum of
    t_S = (sum_S x - 1) / |S| over all nonempty sets S of coordinates, since sum_S (x_i - t) <= sum_i P(x)_i = 1 with
    equality on the support; and P(x)_i = max(0, min (x_i - t_S)) over the sets S that contain i, since adding a
    coordinate below t to the support keeps it below the new t_S. That form is used on symbols, up to three corners.

    Args:
        sizes: the length of each block; blocks of size 0 are not allowed.
        free: number of coordinates after the blocks that are left alone.

    Example:
        >>> import numpy as np
        >>> Simplices((2,))(np.array([1.0, 0.5])).tolist()
        [0.75, 0.25]
    """

    sizes: tuple[int, ...]
    free: int = 0

    @property
    def symbolic(self) -> bool:
        """Whether the projection is offered on symbols."""
        return max(self.sizes) <= SYMBOLIC_CORNERS

    @functools.cached_property
    def feasible(self) -> FeasibleSet:
        """The set as an object: faces, multipliers, tangent spaces."""
        return FeasibleSet.product([*map(FeasibleSet.simplex, self.sizes), FeasibleSet.space(self.free)])

    def __call__(self, w: Array) -> Array:
        """The projection of w, shape (..., d)."""
        ends = list(itertools.accumulate(self.sizes))
        blocks = [project_to_simplex(w[..., end - size : end]) for size, end in zip(self.sizes, ends, strict=True)]
        return worlds.concatenate([*blocks, w[..., ends[-1] :]] if self.free else blocks)


@dataclasses.dataclass(frozen=True)
class Product:
    """Several projections side by side, each on its own coordinates.

    Args:
        parts: boxes, simplices and products, in the order of the coordinates.

    Example:
        >>> import numpy as np
        >>> mixed = Product((Simplices((2,)), Box(((0, None),))))
        >>> mixed(np.array([1.0, 0.5, -3.0])).tolist()
        [0.75, 0.25, 0.0]
    """

    parts: tuple[Any, ...]

    @functools.cached_property
    def feasible(self) -> FeasibleSet:
        """The product as an object: faces, multipliers, tangent spaces."""
        return FeasibleSet.product(part.feasible for part in self.parts)

    @property
    def symbolic(self) -> bool:
        """Whether the projection is offered on symbols."""
        return all(getattr(part, "symbolic", True) for part in self.parts)

    def __call__(self, w: Array) -> Array:
        """The projection of w, shape (..., d)."""
        ends = list(itertools.accumulate(part.feasible.dim for part in self.parts))
        return worlds.concatenate([
            part(w[..., end - part.feasible.dim : end]) for part, end in zip(self.parts, ends, strict=True)
        ])  # fmt: skip


def project_to_simplex(x: Array) -> Array:
    """The nearest point of the simplex, over the last axis. Raises WorldError on symbols with over three corners."""
    world = worlds.world_of(x)
    if world == SYMBOLS:
        return _project_symbols(x)
    size = x.shape[-1]
    if world == TORCH:
        counts = torch.arange(1, size + 1, dtype=x.dtype, device=x.device)
        sums = torch.sort(x, dim=-1, descending=True).values.cumsum(-1)
        return worlds.maximum(x - ((sums - 1) / counts).amax(-1, keepdim=True), 0.0)
    partial = np.cumsum(-np.sort(-x, axis=-1), axis=-1)
    return worlds.maximum(x - ((partial - 1) / np.arange(1, size + 1)).max(-1, keepdims=True), 0.0)


def _project_symbols(x: Array) -> Array:
    size = x.shape[-1]
    if x.ndim == 1 and all(worlds.exact(entry).is_Rational for entry in x):
        ordered = sorted(x, reverse=True)
        level = max((sum(ordered[:k]) - 1) / worlds.exact(k) for k in range(1, size + 1))
        return object_vector(max(entry - level, worlds.exact(0)) for entry in x)
    if size > SYMBOLIC_CORNERS or x.ndim > 1:
        raise WorldError(
            f"the projection of an array of symbols of shape {x.shape} onto a simplex",
            f"one vector with at most {SYMBOLIC_CORNERS} corners (the formula has 2^(n-1) terms an entry)",
            "use numbers, or the softmax parametrisation",
        )
    entries = []
    for i in range(size):
        others = [j for j in range(size) if j != i]
        bounds = [
            (1 + sympy.Add(*(x[i] - x[j] for j in chosen))) / (len(chosen) + 1)
            for count in range(size)
            for chosen in itertools.combinations(others, count)
        ]
        # SymPy would compare every pair of bounds first, and cannot know the answer; numbers are folded all the same.
        known = all(bound.is_number for bound in bounds)
        entries.append(sympy.Max(0, sympy.Min(*bounds, evaluate=known), evaluate=known))
    return object_vector(entries)
