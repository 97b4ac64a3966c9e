"""Whether a point minimises each player's own cost, the others fixed: proved, disproved, or undecided."""

from __future__ import annotations

import dataclasses
import enum
import functools
import itertools
from collections.abc import Sequence

import numpy as np

from ...errors import NotDifferentiableError
from ...lazy import sympy
from ...symbolic.kinks import branch, jumps, slope_at
from ...types import Face, FeasibleSet, FirstOrder, Game
from ...types.signs import is_zero, sign
from .convexity import is_convex
from .kinked_cost import Beside, KinkedCost
from .one_sided import HIGHEST_ORDER, along_ray

EXACT_SIZE = 12
SEMIDEFINITE = 1e-9
STRICT = ("positive definite", "no feasible direction")
KINK = "not defined at a kink"


class Optimum(enum.StrEnum):
    """What a point is for one player's own cost. The value is its own message."""

    GLOBAL = "global minimum"
    STRICT = "strict local minimum"
    NONE = "no local minimum"
    OPEN = "undecided"


@dataclasses.dataclass(frozen=True)
class OwnOptimum:
    """What a point is for one player's own cost, the others fixed.

    Attributes:
        kind: global or strict local minimum, no local minimum, or undecided.
        reason: the argument.
        convex: whether the own cost is proved convex, so that a local minimum is global.
        hessian: definiteness of the own Hessian on the directions in which the player can move, in words: "positive
            definite", "positive semidefinite", "indefinite", "negative definite", "negative semidefinite", "no feasible
            direction" or "not defined at a kink".
    """

    kind: Optimum
    reason: str
    convex: bool
    hessian: str


def definiteness(hessian: sympy.Matrix, scale: float | None = None) -> str:
    """The definiteness of a symmetric matrix in words, such as "positive semidefinite" or "indefinite".

    A SymPy matrix is judged exactly, by the roots of its characteristic polynomial; an array by its eigenvalues.

    Args:
        hessian: a SymPy matrix, or a NumPy array.
        scale: eigenvalues of an array count as zero up to 1e-9 times this number, by default the largest modulus.
    """
    if min(hessian.shape) == 0:
        return STRICT[1]
    if isinstance(hessian, np.ndarray):
        values = np.linalg.eigvalsh((hessian + hessian.T) / 2)
        zero = SEMIDEFINITE * (float(np.abs(values).max()) if scale is None else scale)
        signs = np.where(np.abs(values) <= zero, 0, np.sign(values))
        low, high = int(signs.min()), int(signs.max())
    else:
        from ..exact_numbers.polynomials import factors, place

        placement = place(factors(hessian), flow=True)  # symmetric: real roots, left of the axis means negative
        low = -1 if placement.inside else 0 if placement.boundary else 1
        high = 1 if placement.outside else 0 if placement.boundary else -1
    names = {(1, 1): "positive definite", (0, 1): "positive semidefinite", (0, 0): "positive semidefinite (zero)"}
    names |= {(-1, -1): "negative definite", (-1, 0): "negative semidefinite"}
    return names.get((low, high), "indefinite")


def along_face(matrix: sympy.Matrix, rows: Face, columns: Face | None = None) -> sympy.Matrix:
    """The matrix B_r^T M B_c, with the columns of B spanning the tangent space of a face.

    Args:
        matrix: the matrix M; the result is exact where M is.
        rows: the face whose tangent space B_r spans.
        columns: the face for B_c; that of `rows` by default.
    """
    columns = rows if columns is None else columns
    if isinstance(matrix, np.ndarray):
        return rows.orthonormal.T @ matrix @ columns.orthonormal
    left, right = (
        sympy.Matrix(f.set.dim, f.dimension, [c[k] for k in range(f.set.dim) for c in f.columns])
        for f in (rows, columns)
    )
    return left.T * matrix * right


class OwnProblem:
    """One player's cost as a function of its own block, the others fixed at the point.

    Args:
        game, index: the player. point, v: coordinates and field, (d,). exact: whether they are exact.
        hessian: the own Hessian, a SymPy matrix where it is exact.
        scale: size of the player's second derivatives.
        conditions: the player's own first-order conditions.
    """

    def __init__(
        self,
        game: Game,
        index: int,
        point: Sequence[object],
        exactly: bool,
        hessian: sympy.Matrix,
        scale: float,
        conditions: FirstOrder,
    ) -> None:
        self.hessian, self.scale, self.conditions = hessian, scale, conditions
        self.given = self.exactly = exactly
        block = game.slices[index]
        self.place: list[sympy.Expr] = list(point[block])
        self.own: tuple[sympy.Symbol, ...] = ()
        self.cost: sympy.Expr = None
        if game.exprs:
            symbols = game.symbols
            self.own = tuple(symbols[block])
            others = {s: x for s, x in zip(symbols, point, strict=True) if s not in self.own}
            self.cost = game.exprs[index].xreplace(others)
            if hessian is None:
                self.hessian = self._own_hessian()
        self.quadratic = game.quadratic

    def _own_hessian(self) -> sympy.Matrix | None:
        """The own Hessian where the game's Jacobian does not exist; None where the own cost itself has a kink."""
        at = dict(zip(self.own, self.place, strict=True))
        if len(self.own) > EXACT_SIZE or not self.cost.free_symbols <= set(self.own):
            return None
        slopes = [sympy.diff(self.cost, s) for s in self.own]
        try:
            rows = [[slope_at(slope, s, at) for s in self.own] for slope in slopes]
        except NotDifferentiableError:
            return None
        held = self.conditions.face.reduced([slope.xreplace(at) for slope in slopes])
        self.exactly = self.exactly and all(is_zero(e) for e in held)
        return sympy.Matrix(rows)

    @property
    def released(self) -> Face:
        """The player's face without the active bounds whose multipliers are zero."""
        face = self.conditions.face
        return Face(face.set, tuple(0 if k in self.conditions.weak else s for k, s in enumerate(face.sides)))

    def judge(self) -> OwnOptimum:
        """Judge by jumps, convexity, the second derivative on the critical cone, and higher derivatives along lines."""
        dropped = self._jumps_down()
        if dropped is not None:
            return dropped
        convex = self._convex()
        if self.hessian is None:
            return self._at_a_kink(convex)
        kind = definiteness(along_face(self.hessian, self.released), self.scale)
        words = f"own Hessian {kind}"
        if convex:
            strict = kind == "positive definite"
            return OwnOptimum(Optimum.STRICT if strict else Optimum.GLOBAL, "the own cost is convex", True, kind)
        if kind in STRICT:
            why = words if kind != STRICT[1] else "every feasible direction is uphill to first order"
            return OwnOptimum(Optimum.STRICT, why, False, kind)
        fallen = self._falls(kind)
        if fallen:
            return OwnOptimum(Optimum.NONE, fallen, False, kind)
        if self.released.dimension == 1:
            return self._on_a_line(kind)
        return OwnOptimum(Optimum.OPEN, f"{words}: the next derivatives decide", False, kind)

    def _jumps_down(self) -> OwnOptimum | None:
        """The verdict where the own cost jumps to a lower value beside the point; None where it does not."""
        if self.cost is None or not self.exactly:
            return None
        at = dict(zip(self.own, self.place, strict=True))
        passed = [a for a in jumps(self.cost) if a.free_symbols and is_zero(a.xreplace(at), undecided=True)]
        if not passed:
            return None
        if len(self.own) > 1:
            choices = [
                dict(zip(passed, s, strict=True)) for s in itertools.product((1, -1), repeat=min(len(passed), 6))
            ]
        else:
            sides = [s for s in (1, -1) if s * self.conditions.face.sides[0] <= 0]
            choices = [{a: s * sign(sympy.diff(a, *self.own).xreplace(at)) for a in passed} for s in sides]
        here = self.cost.xreplace(at)
        drops = [branch(self.cost, signs).xreplace(at) - here for signs in choices]
        if not any(drop.is_comparable and sign(drop) < 0 for drop in drops):
            return None
        if len(self.own) > 1:
            return OwnOptimum(Optimum.OPEN, "the own cost jumps at the point", False, KINK)
        return OwnOptimum(Optimum.NONE, "the own cost jumps down beside the point", False, KINK)

    def _at_a_kink(self, convex: bool) -> OwnOptimum:
        """Where J does not exist: one-sided slopes decide; a convex cost is least where none of them leads downhill."""
        beside = self.beside
        if beside.kind == -1:
            return OwnOptimum(Optimum.NONE, beside.reason, convex, KINK)
        if convex and beside.stationary:
            return OwnOptimum(Optimum.GLOBAL, "the own cost is convex", True, KINK)
        return OwnOptimum(Optimum.STRICT if beside.kind else Optimum.OPEN, beside.reason, convex, KINK)

    @functools.cached_property
    def beside(self) -> Beside:
        """What the own cost does beside the point, from the slopes of its smooth pieces."""
        if self.cost is None or not self.given:
            return Beside(None, 0, "the field has a kink here, and the point is not exact")
        return KinkedCost(self.cost, self.own, self.place, self.conditions.face).beside

    def _convex(self) -> bool:
        if self.cost is not None:
            return is_convex(self.cost, self.own)
        return self.quadratic and self.exactly and definiteness(self.hessian).startswith("positive")

    def _falls(self, kind: str) -> str:
        """Why there is a feasible direction along which the own cost falls; empty where none was found."""
        held = self.conditions.face
        inner = kind if held == self.released else definiteness(along_face(self.hessian, held), self.scale)
        if held.dimension and not inner.startswith("positive"):
            return f"own Hessian {inner}: it falls along a direction that no bound closes"
        if self.released.dimension == 1:
            return ""
        return next((f"it falls along {d}" for d, fate in self._flat_lines() if fate == -1), "")

    def _flat_lines(self) -> list[tuple[tuple[int, ...], int | None]]:
        """Directions of the null space of the own Hessian on the held face, and what the cost does along them."""
        held = self.conditions.face
        if self.cost is None or not self.exactly or not isinstance(self.hessian, sympy.MatrixBase):
            return []
        null = along_face(self.hessian, held).nullspace() if held.dimension else []
        lines = [
            [sum(c[k] * x for c, x in zip(held.columns, vector, strict=True)) for k in range(held.set.dim)]
            for vector in null
        ]
        return [(tuple(line), min(self._along(line), self._along([-x for x in line]))) for line in lines]

    def _on_a_line(self, kind: str) -> OwnOptimum:
        """One direction: the first derivative that does not vanish decides, on each feasible side."""
        if self.cost is None or not self.exactly:
            return OwnOptimum(Optimum.OPEN, f"own Hessian {kind}, in floating point", False, kind)
        (column,) = self.released.columns
        sides = [side for side in (column, [-c for c in column]) if self._feasible(side)]
        fates = [self._along(side) for side in sides]
        if min(fates) == -1:
            return OwnOptimum(Optimum.NONE, "the first own derivative that does not vanish leads downhill", False, kind)
        if min(fates) == 1:
            return OwnOptimum(Optimum.STRICT, "the first own derivative that does not vanish leads uphill", False, kind)
        return OwnOptimum(
            Optimum.OPEN, f"own derivatives to order {HIGHEST_ORDER} vanish, or do not exist", False, kind
        )

    def _feasible(self, direction: Sequence[int]) -> bool:
        sides = self.conditions.face.sides
        return all(sides[k] * direction[k] <= 0 for k in self.conditions.weak)

    def _along(self, direction: Sequence[int | sympy.Expr]) -> int:
        """1 or -1: the cost rises or falls along a ray; 0 where it does neither, or that is open."""
        way = dict(zip(self.own, direction, strict=True))
        return along_ray(self.cost, way, dict(zip(self.own, self.place, strict=True))) or 0


def own_conditions(feasible: FeasibleSet, game: Game, index: int, first_order: FirstOrder | None) -> FirstOrder:
    """The first-order conditions of one player, taken from those of the whole game.

    Args:
        feasible: the feasible set of the game.
        game: the game.
        index: index of the player.
        first_order: the conditions of the game at the point; None where it has no constraints.
    """
    block = game.slices[index]
    own = feasible.restrict(block)
    if first_order is None:
        return FirstOrder(Face(own, (0,) * own.dim), (0,) * own.dim)
    tolerance = first_order.tolerance
    share = tolerance if np.ndim(tolerance) == 0 else tuple(tolerance)[block]
    return FirstOrder(Face(own, first_order.face.sides[block]), first_order.v[block], share)
