"""A player's cost on boxes of its own coordinates: ranges of its values and derivatives, and where it has none."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Sequence

import numpy as np
import sympy

from ...symbolic.expectation import Expectation
from ...symbolic.functions import sigmoid, softplus
from ...symbolic.intervals import Interval, IntervalFunction
from ...types import Array

EDGE = 1e-323  # what outward rounding makes of an argument that is 0 at a face


@dataclasses.dataclass(frozen=True)
class Ranges:
    """Proven ranges of a cost and its derivatives over N boxes of k coordinates."""

    value: Interval  # (N,), range of the values that exist
    slope: Interval  # (N, k), range of the gradient
    hessian: Interval  # (N, k, k), range of the Hessian
    undefined: Array  # (N,), whether the cost has no value on the box
    regular: Array  # (N,), whether the cost has first and second derivatives all over the box's interior
    # left_edge, right_edge: (N, k), whether the domain may end at that face of a regular box
    left_edge: Array
    right_edge: Array


class Enclosure:
    """A player's cost with its first and second derivatives in its own coordinates, on boxes of these.

    The k coordinates symbols[own] move, and the others stay at given points. Terms without a moving coordinate are left
    out, because no answer can change them.
    """

    def __init__(self, cost: sympy.Expr, symbols: Sequence[sympy.Symbol], own: slice) -> None:
        names = {s: sympy.Dummy(str(s), real=True) for s in symbols}  # derivatives of |x| need to know that x is real
        self.own, self.symbols = own, tuple(names.values())
        moving = self.symbols[own]
        self.size = len(moving)
        self.cost = sympy.sympify(cost, strict=True).xreplace(names).as_independent(*moving, as_Add=True)[1]
        self.where = regularity(self.cost)
        self._faces = [_linear(u, moving) for u in self.where.arguments]
        slopes = [sympy.diff(self.cost, s) for s in moving] if self.where.known else [sympy.S.Zero] * self.size
        curvatures = [sympy.diff(g, s) for k, g in enumerate(slopes) for s in moving[k:]]
        arguments = list(self.where.arguments)
        self._at_points = IntervalFunction(self.symbols, [self.cost, *arguments, *slopes], where_defined=True)
        self._on_boxes = IntervalFunction(
            self.symbols, [self.cost, *arguments, *slopes, *curvatures], where_defined=True
        )

    def point(self, w: Array, x: Array) -> tuple[Interval, Interval]:
        """Intervals that hold the cost (N,) and its gradient (N, k) at points x (N, k) of the moving coordinates.

        The other coordinates are those of w (d,). The interval is unbounded where the cost may have no value.
        """
        z = self._embed(w, x)
        low, high = self._at_points(z, z)
        first = 1 + len(self.where.arguments)
        exists = self._exists(low[:, 1:first], high[:, 1:first])
        value = np.where(exists, low[:, 0], -np.inf), np.where(exists, high[:, 0], np.inf)
        return value, (low[:, first:], high[:, first:])

    def box(self, w: Array, low: Array, high: Array) -> Ranges:
        """The `Ranges` of the cost over boxes with corners `low` and `high` (N, k), the other coordinates at w (d,)."""
        a, b = self._on_boxes(self._embed(w, low), self._embed(w, high))
        first, k = 1 + len(self.where.arguments), self.size
        rows, columns = np.triu_indices(k)
        hessians = np.zeros((2, len(low), k, k))
        for hessian, values in zip(hessians, (a, b), strict=True):
            hessian[:, rows, columns] = hessian[:, columns, rows] = values[:, first + k :]
        least, most = a[:, 1:first], b[:, 1:first]
        regular, left, right = self._regular(least, most)
        return Ranges(
            (a[:, 0], b[:, 0]),
            (a[:, first : first + k], b[:, first : first + k]),
            (hessians[0], hessians[1]),
            self._undefined(least, most),
            regular,
            left,
            right,
        )

    # --- domains ------------------------------------------------------------------------------------------------

    def _columns(self) -> tuple[slice, slice, slice, slice]:
        """Slices of the regularity arguments: roots, logarithms, poles and kinks."""
        ends = np.cumsum([0, *(len(getattr(self.where, n)) for n in ("roots", "logarithms", "poles", "kinks"))])
        first, second, third, fourth = (slice(int(a), int(b)) for a, b in itertools.pairwise(ends))
        return first, second, third, fourth

    def _exists(self, least: Array, most: Array) -> Array:
        roots, logarithms, poles, _ = self._columns()
        apart = (least[:, poles] > 0) | (most[:, poles] < 0)
        return (least[:, roots] >= -EDGE).all(-1) & (least[:, logarithms] > 0).all(-1) & apart.all(-1)

    def _undefined(self, least: Array, most: Array) -> Array:
        roots, logarithms, poles, _ = self._columns()
        zero = (least[:, poles] == 0) & (most[:, poles] == 0)
        return (most[:, roots] < 0).any(-1) | (most[:, logarithms] <= 0).any(-1) | zero.any(-1)

    def _regular(self, least: Array, most: Array) -> tuple[Array, Array, Array]:
        left = np.zeros((len(least), self.size), dtype=bool)
        right = left.copy()
        roots, logarithms, _, _ = self._columns()
        positive = {*range(roots.start, roots.stop), *range(logarithms.start, logarithms.stop)}
        bases = {self.where.arguments[k] for k in positive}
        regular = np.full(len(least), self.where.known)
        for k, (face, u) in enumerate(zip(self._faces, self.where.arguments, strict=True)):
            fine = least[:, k] > 0
            if k not in positive:
                fine = fine | (most[:, k] < 0)
            if u in bases and face is not None:  # linear in one coordinate: its zeros are a face of the box
                edge = ~fine & (least[:, k] >= -EDGE) & (most[:, k] > 0)
                (left if face[1] > 0 else right)[:, face[0]] |= edge
                fine = fine | edge
            regular &= fine
        return regular, left, right

    def _embed(self, w: Array, x: Array) -> Array:
        z = np.repeat(np.asarray(w, dtype=float)[None], len(x), axis=0)
        z[:, self.own] = x
        return z


def _linear(u: sympy.Expr, moving: Sequence[sympy.Expr]) -> tuple[int, int] | None:
    """The index k and the sign of a where u = a s_k + b with numbers a and b; None for any other u."""
    if len(u.free_symbols) != 1 or not u.free_symbols <= set(moving):
        return None
    s = next(iter(u.free_symbols))
    slope = sympy.diff(u, s)
    return (list(moving).index(s), 1 if slope > 0 else -1) if slope.is_number and slope.is_real and slope != 0 else None


@functools.lru_cache(maxsize=64)
def enclosure(cost: sympy.Expr, symbols: tuple[object, ...], start: int, stop: int) -> Enclosure:
    """The `Enclosure` of one player's cost, whose own coordinates are symbols[start:stop]; kept for later calls."""
    return Enclosure(cost, symbols, slice(start, stop))


ENTIRE = (
    *(sympy.exp, sympy.sin, sympy.cos, sympy.sinh, sympy.cosh, sympy.tanh, sympy.atan, sympy.erf),
    *(sigmoid, softplus, sympy.Add, sympy.Mul),
)


@dataclasses.dataclass(frozen=True)
class Regularity:
    """The subexpressions whose signs decide where an expression has a value, and where it has derivatives."""

    roots: tuple[sympy.Expr, ...]  # the expression has a value only where they are >= 0
    logarithms: tuple[sympy.Expr, ...]  # only where they are > 0
    poles: tuple[sympy.Expr, ...]  # only where they are not 0
    kinks: tuple[sympy.Expr, ...]  # it has derivatives only where they are not 0
    # whether these are all conditions; False where the expression holds a function of which nothing is known
    known: bool

    @property
    def arguments(self) -> tuple[sympy.Expr, ...]:
        """The subexpressions of all four kinds in one tuple, in the order of the attributes."""
        return (*self.roots, *self.logarithms, *self.poles, *self.kinks)

    @property
    def singular(self) -> bool:
        """Whether values can grow without limit near a finite point."""
        return bool(self.logarithms or self.poles)


def regularity(e: sympy.Expr) -> Regularity:
    """Where an expression in real symbols has no value or no derivative: its poles, edges of the domain and kinks."""
    while e.has(Expectation):
        e = e.xreplace({part: part.quadrature() for part in e.atoms(Expectation)})
    found: dict[str, dict[sympy.Expr, None]] = {name: {} for name in ("roots", "logarithms", "poles", "kinks")}
    known = all([_collect(part, found) for part in sympy.preorder_traversal(e)])
    roots, logarithms, poles, kinks = (tuple(column) for column in found.values())
    return Regularity(roots, logarithms, poles, kinks, known)


def _collect(e: sympy.Expr, found: dict[str, dict[sympy.Expr, None]]) -> bool:
    """Add the conditions of one node of an expression to `found`; whether the node's function is known."""
    if not e.args or e.is_number or isinstance(e, ENTIRE):
        return True
    if e.is_Pow:
        _collect_power(e.args[0], e.args[1], found)
    elif isinstance(e, sympy.log):
        found["logarithms"][e.args[0]] = None
    elif isinstance(e, sympy.tan):
        found["poles"][sympy.cos(e.args[0])] = None
    elif isinstance(e, (sympy.Abs, sympy.sign, sympy.Heaviside)):
        found["kinks"][e.args[0]] = None
    elif isinstance(e, (sympy.Max, sympy.Min)):
        pairs = [(a, b) for k, a in enumerate(e.args) for b in e.args[:k]]
        found["kinks"].update(dict.fromkeys(a - b for a, b in pairs))
    elif isinstance(e, sympy.core.relational.Relational):
        found["kinks"][e.lhs - e.rhs] = None
    else:
        return isinstance(e, (sympy.Piecewise, sympy.functions.elementary.piecewise.ExprCondPair))
    return True


def _collect_power(base: sympy.Expr, power: sympy.Expr, found: dict[str, dict[sympy.Expr, None]]) -> None:
    if power.is_integer:
        if not power.is_nonnegative:
            found["poles"][base] = None
    elif not base.is_number:
        found["roots" if power.is_positive else "logarithms"][base] = None
        if power.is_positive:
            found["kinks"][base] = None  # the slope may be infinite at the edge
