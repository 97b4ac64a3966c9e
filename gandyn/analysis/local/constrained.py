"""The dynamics at a point of a feasible set: the face that holds it, the map on that face, and what its bounds add.

At a solution whose active bounds all press (positive multipliers) -v points strictly out of the set. The projected
flow, and a step whose projections land strictly inside that face's normal cone, then reach the face in finite time and
stay on it (identification of active constraints: Burke & More 1988; Wright 1993). What remains is smooth dynamics
on the face, in dimension `face.dimension`; the directions that the projection kills have no eigenvalue. On the face the
projection is the orthogonal one onto its plane.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import DomainError
from ...lazy import sympy
from ...types import ALL_WORLDS, Array, Face, FirstOrder, Game, GameView, Rule, State
from ...worlds import SYMBOLS, exact, object_vector, stack, world_of

if TYPE_CHECKING:
    from ...dynamics.trace import UpdateMap


@dataclasses.dataclass(frozen=True)
class Constraints:
    """Where a point lies in the feasible set of its game."""

    coordinates: tuple[str, ...]  # names of the game's coordinates
    feasible: bool  # whether the point lies in the set
    # its face and multipliers; None where the projection is not one whose faces are known
    first_order: FirstOrder | None
    obstacle: str = ""  # why the dynamics on the face does not decide, where it does not
    projections: int = 0  # how many projections one step makes; 0 for the flow

    @property
    def holds(self) -> bool:
        """Whether the point solves the constrained game: w = P(w - v(w))."""
        return self.feasible and self.first_order is not None and self.first_order.holds

    @property
    def strong(self) -> tuple[str, ...]:
        """Names of the coordinates at a bound whose multiplier is positive."""
        return self._named("strong")

    @property
    def weak(self) -> tuple[str, ...]:
        """Names of the coordinates at a bound whose multiplier is zero."""
        return self._named("weak")

    def _named(self, which: str) -> tuple[str, ...]:
        return () if self.first_order is None else tuple(self.coordinates[k] for k in getattr(self.first_order, which))

    @property
    def directions(self) -> tuple[str, ...]:
        """The feasible directions that the spectrum is about, in terms of the coordinates."""
        return () if self.face is None else column_names(self.coordinates, self.face)

    @property
    def face(self) -> Face | None:
        """The face on which the dynamics is smooth: that of the point, with the bounds released that do not press."""
        if self.first_order is None:
            return None
        released = self.first_order.weak if self.holds else ()
        face = self.first_order.face
        return Face(face.set, tuple(0 if k in released else side for k, side in enumerate(face.sides)))

    def to_dict(self) -> dict[str, Any]:
        """Sides and multipliers as a dictionary, by name of the coordinate."""
        if self.first_order is None:
            return {"obstacle": self.obstacle}
        sides = {-1: "lower bound", 1: "upper bound"}
        found = self.first_order.multipliers
        return {
            "feasible": self.feasible,
            "active": {
                self.coordinates[k]: {"at": sides[self.first_order.face.sides[k]], "multiplier": str(found[k])}
                for k in found
            },
            "strongly_active": list(self.strong),
            "weakly_active": list(self.weak),
            "obstacle": self.obstacle,
        }


@dataclasses.dataclass(frozen=True)
class OnFace:
    """The projection near a point of a face: w -> anchor + sum of c <c, w - anchor> / <c, c> over the face's columns c.

    `anchor`: any point of its plane, SymPy numbers.
    """

    face: Face
    anchor: tuple[sympy.Expr, ...]

    def __call__(self, w: Array) -> Array:
        """The orthogonal projection of w, (..., d), onto the face's plane."""
        exactly = world_of(w) == SYMBOLS
        anchor = [e if exactly else float(e) for e in self.anchor]
        moved = [0 * w[..., k] + a for k, a in enumerate(anchor)]
        for column in self.face.columns:
            inside = [k for k, c in enumerate(column) if c]
            length = sum(c * c for c in column)
            along = sum(column[k] * (w[..., k] - anchor[k]) for k in inside)
            for k in inside:
                moved[k] = moved[k] + along * (exact(column[k]) / length if exactly else column[k] / length)
        if exactly:
            return object_vector(map(exact, moved))
        return stack(moved)


class Projected(GameView):
    """A game whose projection onto the feasible set is replaced by another function."""

    def __init__(self, game: Game, onto: Callable[[Array], Array]) -> None:
        super().__init__(game)
        self.onto = onto

    def project(self, w: Array) -> Array:
        """The point w, shape (..., d), under the function that replaces the projection."""
        return self.onto(w)


def on_face(game: Game, face: Face, point: Sequence[object]) -> Game:
    """The game with its projection replaced by the smooth one that holds near a point, also on symbols."""
    offered = copy.copy(game)
    offered.worlds = ALL_WORLDS
    return Projected(offered, OnFace(face, tuple(point)))


def column_names(coordinates: Sequence[str], face: Face) -> tuple[str, ...]:
    """Each tangent coordinate in terms of the game's: x, or (x1 - x2)/2."""
    names = [sympy.Symbol(name) for name in coordinates]
    lengths = [sum(c * c for c in column) for column in face.columns]
    return tuple(
        str(sum(c * s for c, s in zip(column, names, strict=True)) / length)
        for column, length in zip(face.columns, lengths, strict=True)
    )


def reduced_symbols(
    face: Face, coordinates: Sequence[sympy.Symbol], point: Sequence[object]
) -> tuple[list[sympy.Symbol], dict[sympy.Symbol, sympy.Expr]]:
    """Symbols s for displacements along a face, and the coordinates as w = point + sum of s c.

    Where every coordinate is free the coordinates stand for themselves.
    """
    steps = [sympy.Symbol(f"s{j + 1}", real=True) for j in range(face.dimension)]
    moved = {
        w: exact(p) + sum(c[k] * s for c, s in zip(face.columns, steps, strict=True) if c[k])
        for k, (w, p) in enumerate(zip(coordinates, point, strict=True))
    }
    return steps, moved


def along(face: Face, image: Sequence[sympy.Expr]) -> list[sympy.Expr]:
    """The components of a vector along the columns that span the face."""
    return [
        sum(c * e for c, e in zip(column, image, strict=True) if c) / exact(sum(c * c for c in column))
        for column in face.columns
    ]


def reduce_map(traced: UpdateMap, face: Face, point: Sequence[object]) -> UpdateMap:
    """The update map of a game made by `on_face`, in displacements along the face and the rule's memory."""
    d = len(point)
    steps, moved = reduced_symbols(face, traced.symbols[:d], point)
    gone = [e - exact(p) for e, p in zip(traced.outputs[:d], point, strict=True)]
    return dataclasses.replace(
        traced,
        symbols=(*steps, *traced.symbols[d:]),
        bindings=(*moved.items(), *traced.bindings),
        outputs=(*along(face, gone), *traced.outputs[d:]),
    )


def rest_of_memory(traced: UpdateMap, memory: Sequence[object]) -> list[sympy.Expr]:
    """The state arrays at which the map stands still, where they enter it linearly; as they are given elsewhere.

    At a constrained solution v need not vanish, and momentum rests at a multiple of it.
    """
    k = len(traced.symbols) - len(memory)
    symbols = traced.symbols[k:]
    at_rest = dict.fromkeys(traced.symbols[:k], sympy.Integer(0))
    equations = [
        traced._at_infinity(e.xreplace(at_rest)) - s for e, s in zip(traced.expression[k:], symbols, strict=True)
    ]
    try:
        matrix, rhs = sympy.linear_eq_to_matrix(equations, symbols)
        found = matrix.LUsolve(rhs)
    except ValueError:  # of a memory that enters it nonlinearly, and of one that may rest anywhere
        return list(memory)
    return list(found)


@dataclasses.dataclass
class Watched:
    """A projection that records the points for which it was called."""

    projection: Any
    asked: list[Any] = dataclasses.field(default_factory=list)

    def __call__(self, w: Array) -> Array:
        """The projection of w, shape (d,)."""
        self.asked.append(np.array(w, dtype=float))
        return self.projection(w)


def pressed(game: Game, rule: Rule, constraints: Constraints, point: Array, state: State) -> Constraints:
    """Check in floats that the projections in a step keep to the face of the point and press onto its bounds.

    Each projection of one step, from the point and from neighbours on its face, must land on that face. Each bound must
    be pressed by at least one of them, and left alone by the others (as the idle player's are in an alternating step).
    A bound that does not press at the point itself is left to the one-sided analysis.
    """
    face = constraints.face
    assert face is not None
    rng, size = np.random.default_rng(0), 1e-7 * (1 + np.abs(point).max())
    steps = [np.zeros(len(point)), *(face.orthonormal @ rng.normal(size=(face.dimension, 3)) * size).T]
    forces = [_forces(game, rule, face, point + step, state) for step in steps]
    count = len(forces[0])
    kept = all(len(found) == count and all(f is not None for f in found) for found in forces)
    pressing: set[int] = set()
    for k in range(count if kept else 0):
        base = forces[0][k] or {}
        strict = {i for i, force in base.items() if force > 0}
        idle = {i for i in base if i not in strict}
        kept &= all((found[k] or {})[i] == 0 for found in forces for i in idle)
        pressing |= strict
    if kept and pressing >= set(face.active):
        return dataclasses.replace(constraints, projections=count)
    obstacle = f"a projection inside the step of {rule.name} does not press onto the face of the point"
    return dataclasses.replace(constraints, obstacle=obstacle, projections=count)


def _forces(game: Game, rule: Rule, face: Face, w: Array, state: State) -> list[dict[int, float] | None]:
    """For each projection of a step from w: how hard every bound of the face pushes, or None off the face."""
    asked = Watched(game.project)
    rule.step(Projected(game, asked), w, state, np.random.default_rng(0))
    found: list[dict[int, float] | None] = []
    for argument in asked.asked:
        landed = np.asarray(game.project(argument), dtype=float)
        on = all(side == 0 or landed[k] == _bound(face, k, side) for k, side in enumerate(face.sides))
        force = face.multipliers((landed - argument).tolist())
        noise = 1e-12 * float(np.abs(landed - argument).max(initial=0.0)) + 1e-15 * float(np.abs(argument).max())
        found.append({k: f if abs(f) > noise else 0.0 for k, f in force.items()} if on else None)
    return found


def _bound(face: Face, k: int, side: int) -> float:
    return float(face.set.low[k] if side < 0 else face.set.high[k])


def locate(game: Game, point: Sequence[object], v: Sequence[object], tolerance: Array = 0.0) -> Constraints:
    """The place of a point in the feasible set: whether it is feasible, on which face, and with which multipliers.

    The tolerance is the rounding error allowed in v, 0 for exact numbers. Where the faces of the feasible set are not
    known, the `obstacle` of the `Constraints` says so.
    """
    names = tuple(map(str, game.symbols or [f"w{k + 1}" for k in range(game.dim)]))
    try:
        feasible = game.feasible_set()
    except DomainError as error:
        return Constraints(names, True, None, error.given)
    inside = feasible.contains(point)
    if inside and game.symbolic and SYMBOLS in game.worlds:
        v = _from_inside(game, feasible.face(point), point, v)
    if any(getattr(e, "has", lambda *_: False)(sympy.zoo, sympy.oo, sympy.nan, sympy.DiracDelta) for e in v):
        return Constraints(names, inside, None, "the field is infinite or undefined at this point")
    return Constraints(names, inside, feasible.first_order(point, v, tolerance))


def _from_inside(game: Any, face: Face, point: Sequence[object], v: Sequence[object]) -> Sequence[object]:
    """v; at a kink on an active bound the slope from inside the feasible set, the only one that counts there."""
    from ...symbolic.kinks import beside

    at, found = dict(zip(game.symbols, map(exact, point), strict=True)), list(v)
    for k in face.active:
        row = game.field_exprs[k]
        inner = beside(row, game.symbols[k], -face.sides[k], at)
        found[k] = found[k] if inner == row else inner.xreplace(at)
    return found
