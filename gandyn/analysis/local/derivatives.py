"""The derivative at a point of a flow or of a rule's map that are given by expressions: exact where the point is."""

from __future__ import annotations

import copy
import dataclasses
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...dynamics.trace import traced as trace
from ...errors import NotDifferentiableError, ParameterError, ShapeError
from ...lazy import sympy
from ...symbolic.coefficients import Decimal, KinkError, NoExpansionError, PoleError, Rational
from ...symbolic.exponentials import finest
from ...symbolic.kinks import slope_at
from ...types import ALL_WORLDS, Array, Batch, Face, Game, Rule, State
from ...types.signs import is_zero
from ...worlds import SYMBOLS, exact, object_vector
from .constrained import Constraints, along, locate, on_face, pressed, reduce_map, reduced_symbols, rest_of_memory
from .dynamics import LocalDynamics
from .exact_linearization import ExactLinearization
from .implicit import implicit_jacobian, is_implicit
from .lengths import SOLVED, own_length
from .linearization import Linearization

DIGITS = 40


@dataclasses.dataclass(frozen=True)
class Place:
    """A point and what the game says of it: exact where it is exactly a solution, else in 40 digits."""

    # point, v: coordinates and field, SymPy numbers
    point: Array
    v: Array
    exact: bool  # whether they are exact
    solution: bool  # whether v vanishes, or the first-order conditions hold, as far as the digits tell
    constraints: Constraints | None  # None in an unconstrained game
    sizes: Array  # of which each coordinate is known to eight digits

    @property
    def face(self) -> Face | None:
        """The face on which the dynamics is smooth, where that is not the whole space."""
        face = None if self.constraints is None else self.constraints.face
        return None if face is None or face.dimension == len(self.point) else face


@dataclasses.dataclass(frozen=True)
class Motion:
    """What moves near the point: (F(z), DF(z)) when asked, coordinates and their names, and Taylor series."""

    what: str
    names: tuple[str, ...]
    z: list[sympy.Expr]
    derive: Callable[[], tuple[Array, Array]]
    local: LocalDynamics | None


def linearize_symbols(game: Game, rule: Rule | None, at: object, state: State | None) -> Linearization:
    """The linear part of a game whose field is given by expressions; on the point's face where it is constrained."""
    refuse_ensemble(game, at)
    game = offered_on_symbols(game)
    place = locate_point(game, object_vector(map(exact, entries(at))))
    obstacle = ""
    if rule is None:
        motion = _flow(game, place)
    else:
        motion, place = _steps(game, rule, place, state)
    try:
        image, matrix = _first_order(motion.local, not place.exact) or motion.derive()
        value = list(image) if rule is None else [e - x for e, x in zip(image, motion.z, strict=True)]
    except NotDifferentiableError as error:
        obstacle, matrix = f"{motion.what} has {error.given}", sympy.zeros(len(motion.z))
        value = list(place.v)
    matrix = sympy.ImmutableMatrix(matrix)
    slopes = matrix.flat()
    free = tuple(sorted({s for e in slopes for s in e.free_symbols}, key=str))
    if not free:
        _refuse_infinite(game, _slopes(slopes))
    change = slopes if rule is None else [e - int(k % (matrix.rows + 1) == 0) for k, e in enumerate(slopes)]
    known = not obstacle and (place.exact or free)  # with free parameters the decimals of the point stand for it
    moved = [_number(e) for e in value]
    at_rest = not obstacle and _stands_still(value, moved, change, motion.z, place)
    return Linearization(
        game,
        rule,
        tuple(e if e.free_symbols else float(e) for e in place.point),
        motion.names,
        _natural(game, place) if place.constraints is not None and not place.solution else math.hypot(*moved),
        None if free or obstacle else _numbers(slopes),
        ExactLinearization(matrix, rule is None, free) if known else None,
        obstacle,
        motion.local,
        None if free or obstacle else _numbers(change),
        equilibrium=place.solution or (at_rest and place.constraints is None),
        settled=at_rest,
        counted=motion.local is not None and motion.local.counted,
        constraints=place.constraints,
    )


def offered_on_symbols(game: Game) -> Game:
    """The game, its field offered on symbols also where its projection is not: on a face that is a linear map."""
    if SYMBOLS not in game.worlds:
        game = copy.copy(game)
        game.worlds = ALL_WORLDS
    return game


def locate_point(game: Game, point: Array) -> Place:
    """The point with its field, exact if it solves the game exactly, else in 40 digits with the error they allow."""
    game.check(point)
    v = game.field(point)
    constraints = locate(game, point, v) if game.constrained else None
    if constraints is None or constraints.first_order is None:
        known = constraints is None or not constraints.obstacle
        solution = known and all(map(is_zero, v if constraints is None else game.natural_residual(point)))
    else:
        solution = constraints.holds
    if solution:
        return Place(point, v, True, True, constraints, np.maximum(1.0, [abs(_number(e)) for e in point]))
    point = object_vector(sympy.N(e, DIGITS) for e in point)
    v = game.field(point)
    jacobian = _slopes(np.ravel(game.jacobian(point)))
    unit = own_length(lambda shift: _slopes(np.ravel(game.jacobian(point + sympy.Float(shift, DIGITS)))))
    sizes = np.maximum(unit, [abs(_number(e)) for e in point])
    numbers = np.array([_number(e) for e in v])
    _refuse_infinite(game, jacobian)
    with np.errstate(over="ignore", invalid="ignore"):  # a field beyond the numbers of a machine is no zero
        tolerance = SOLVED * np.abs(jacobian) @ sizes + 1e-12 * np.abs(numbers) * game.constrained
        near = np.isfinite(numbers) & (np.abs(numbers) <= tolerance)
    if constraints is None or constraints.first_order is None:
        return Place(point, v, False, bool(near.all()), constraints, sizes)
    constraints = locate(game, point, [sympy.Float(e, DIGITS) for e in numbers], tolerance)
    return Place(point, v, False, constraints.holds, constraints, sizes)


def _refuse_infinite(game: Game, slopes: Array) -> None:
    if np.isinf(slopes).any():
        raise ParameterError(
            f"a Jacobian of {game.name} with entries beyond 1e308 at this point",
            "numbers that a machine holds",
            "costs in other units, or a point that is not as far away",
        )


def _number(e: sympy.Expr) -> float:
    """The expression as a float, with generic values for free parameters."""
    sample = {s: sympy.Rational(k, 7) for k, s in enumerate(sorted(e.free_symbols, key=str), 1)}
    if e.has(sympy.DiracDelta):
        return math.nan
    value = _complex(e.xreplace(sample) if sample else e)
    return value.real if value.imag == 0 else abs(value)


_complex = functools.lru_cache(maxsize=2048)(complex)  # a matrix is asked for its numbers thrice, DF - 1 among them


def _numbers(entries: Sequence[sympy.Expr]) -> Array:
    n = math.isqrt(len(entries))
    table = np.array([*map(_complex, entries)], dtype=complex).reshape(n, n)
    return table if table.imag.any() else table.real


def _stands_still(
    value: Sequence[sympy.Expr],
    moved: Sequence[float],
    change: Sequence[sympy.Expr],
    z: Sequence[sympy.Expr],
    place: Place,
) -> bool:
    """Whether F(z) - z vanishes: exactly, or as far as the digits of z = (w, memory) tell.

    The memory, whose units are not those of w, is known to eight digits of its own size: a rule starts it from w.
    """
    known = np.array([abs(_number(e)) for e in z])
    sizes = place.sizes if len(known) >= len(place.sizes) else place.sizes.max()  # on a face there are fewer directions
    known[: len(place.sizes)] = np.maximum(sizes, known[: len(place.sizes)])
    with np.errstate(over="ignore", invalid="ignore"):
        if not (np.isfinite(moved) & (np.abs(moved) <= SOLVED * np.abs(_slopes(change)) @ known)).all():
            return False
    return all(map(is_zero, value)) if place.exact and not any(e.has(sympy.Float) for e in change) else True


def _slopes(entries: Sequence[sympy.Expr] | Array) -> Array:
    """A square matrix, given row by row, as floats."""
    n = math.isqrt(len(entries))
    return np.array([*map(_slope, entries)]).reshape(n, n)


def _slope(e: sympy.Expr) -> float:
    """As a float; 0 at a kink, where the derivative of a jump has no value."""
    try:
        return _number(e)
    except TypeError:
        return 0.0


def _natural(game: Game, place: Place) -> float:
    """The residual |w - P(w - v(w))| in floats."""
    w, v = (np.array([_number(e) for e in side]) for side in (place.point, place.v))
    return float(np.linalg.norm(w - game.project(w - v)))


def on_known_face(lin: Linearization, w: Array, batch: Batch, length: float) -> Linearization:
    """A linearisation in floats of a constrained game: its feasible directions alone, on the face of the point.

    `length`: of the game, see `own_length`.
    """
    game = lin.game
    point, v = (np.asarray(side.tolist()) for side in (w, game.field(w, batch)))
    jacobian = np.asarray(game.jacobian(w, batch).tolist())
    tolerance = SOLVED * np.abs(jacobian) @ np.maximum(length, np.abs(point)) + 1e-12 * np.abs(v)
    bounds = locate(game, point.tolist(), v.tolist(), tolerance)
    residual = float(np.linalg.norm(np.asarray(game.natural_residual(w, batch).tolist())))
    found = dataclasses.replace(lin, constraints=bounds, equilibrium=bounds.holds, residual=residual)
    if bounds.face is None:
        near = residual <= SOLVED * max(length, np.abs(point).max())
        return dataclasses.replace(found, equilibrium=lin.equilibrium or bool(near))
    basis, extra = bounds.face.basis.astype(float), len(lin.symbols) - game.dim
    right = np.block([[basis, np.zeros((game.dim, extra))], [np.zeros((extra, basis.shape[1])), np.eye(extra)]])
    left = np.linalg.pinv(right)
    names = (*bounds.directions, *lin.symbols[game.dim :])
    return dataclasses.replace(
        found, symbols=names, numeric=left @ lin.numeric @ right, change=left @ lin.change @ right
    )


def _flow(game: Game, place: Place) -> Motion:
    """dw/dt = -v(w), or on a face its orthogonal projection."""
    names, face = game.symbols or tuple(range(game.dim)), place.face
    local = LocalDynamics.of_flow(game, place.point)
    derive = functools.partial(flow_matrix, game, place.point)
    what = f"the flow of {game.name}"
    if face is None:
        return Motion(what, tuple(map(str, names)), list(place.point), derive, local)
    if local is not None:
        steps, moved = reduced_symbols(face, local.symbols, place.point)
        outputs = tuple(along(face, [e.xreplace(moved) for e in local.outputs]))
        local = LocalDynamics(tuple(exact(0) for _ in steps), tuple(steps), outputs)

    def reduced() -> tuple[sympy.Matrix, sympy.Matrix]:
        v, matrix = derive()
        k = face.dimension
        basis = sympy.Matrix(face.basis.tolist() or game.dim * [[]]).reshape(game.dim, k)
        rows = [along(face, list((matrix * basis)[:, j])) for j in range(k)]
        return sympy.Matrix(k, 1, along(face, list(v))), sympy.Matrix(k, k, lambda i, j: rows[j][i])

    return Motion(what, _directions(place), [exact(0)] * face.dimension, reduced, local)


def _steps(game: Game, rule: Rule, place: Place, state: State | None) -> tuple[Motion, Place]:
    """The rule's map on z = (w, state arrays), or on a face (displacements along it, state arrays)."""
    what, point, bounds = f"{rule!r} on {game.name}", place.point, place.constraints
    names = game.symbols or tuple(range(game.dim))
    if is_implicit(game, rule):
        derive = functools.partial(implicit_jacobian, game, rule, point)
        return Motion(what, tuple(map(str, names)), list(point), derive, None), place
    face = None if bounds is None else bounds.face
    traced = trace(game if face is None else on_face(game, face, point), rule)
    start = rule.init(game, point) if state is None else state
    memory = [exact(e) for _, array in start.leaves() for e in array]
    shown, z = tuple(map(str, traced.symbols)), [*point, *memory]
    if place.face is not None:
        traced = reduce_map(traced, place.face, point)
        if state is None and bounds is not None and bounds.strong:
            memory = rest_of_memory(traced, memory)
        shown = (*_directions(place), *shown[game.dim :])
        z = [*(exact(0) for _ in range(place.face.dimension)), *memory]
    numbers = not traced.parameters and not any(e.free_symbols for e in (*point, *memory))
    if bounds is not None and face is not None and place.solution and numbers:
        place = dataclasses.replace(place, constraints=_pressed(game, rule, bounds, point, start, memory))
    derive = functools.partial(traced.jacobian_at, z)
    return Motion(what, shown, z, derive, LocalDynamics.of_map(traced, z)), place


def _directions(place: Place) -> tuple[str, ...]:
    assert place.constraints is not None
    return place.constraints.directions


def _pressed(
    game: Game, rule: Rule, bounds: Constraints, point: Array, start: State, memory: list[sympy.Expr]
) -> Constraints:
    sizes = np.cumsum([len(array) for _, array in start.leaves()])[:-1]
    arrays = np.split(np.array([float(e) for e in memory]), sizes) if memory else []
    counters = (count for _, count in start.counter_leaves())
    state = start.replace_leaves(iter(arrays), counters)
    return pressed(game, rule, bounds, np.array([float(e) for e in point]), state)


def _first_order(local: LocalDynamics | None, decimal: bool) -> tuple[sympy.Matrix, sympy.Matrix] | None:
    """(F(z), DF(z)) by power series; None where that takes symbols. Raises NotDifferentiableError at kinks, poles."""
    if local is None:
        return None
    expand = functools.partial(_expand_at, local)
    try:
        try:
            return expand(Decimal if decimal else Rational)
        except (KinkError, PoleError):
            raise
        except NoExpansionError:
            return None if decimal else finest(expand)
    except (KinkError, PoleError) as error:
        raise NotDifferentiableError(
            f"no derivative at this point: {error.given}",
            "a point where the map is smooth",
            "a nearby point, or a state off the kink",
        ) from None
    except NoExpansionError:
        return None


def _expand_at(local: LocalDynamics, arithmetic: Any) -> tuple[sympy.Matrix, sympy.Matrix]:
    rows = local.series(1, arithmetic)
    n, zero = len(rows), arithmetic.number(sympy.Integer(0))
    number = arithmetic.symbolic
    image = sympy.Matrix(n, 1, [number(row.get((), zero)) for row in rows])
    return image, sympy.Matrix(n, n, [number(row.get((k,), zero)) for row in rows for k in range(n)])


def flow_matrix(game: Game, point: Array) -> tuple[sympy.Matrix, sympy.Matrix]:
    """(v, -J) at the point; entry by entry where the field is given by expressions, so that kinks are seen."""
    v = sympy.Matrix(game.field(point))
    if not game.symbolic:
        return v, -sympy.Matrix(game.jacobian(point))
    values = dict(zip(game.symbols, point, strict=True))
    return v, sympy.Matrix([[slope_at(-e, s, values) for s in game.symbols] for e in game.field_exprs])


def refuse_ensemble(game: Game, at: object) -> None:
    """Refuse more than one point, naming the shape that was given."""
    shape = np.shape(np.asarray(at, dtype=object)) if not hasattr(at, "shape") else tuple(at.shape)
    if len(shape) > 1:
        raise ShapeError(
            f"{'an empty ensemble' if 0 in shape else 'an ensemble'} of points, shape {shape}",
            f"one point, shape ({game.dim},)",
            "linearize each point: [gd.linearize(game, rule, at=w) for w in points]",
        )


def entries(at: Any) -> list[float | str | sympy.Expr]:
    """The coordinates of a point in any world."""
    return at.tolist() if hasattr(at, "tolist") else list(at)
