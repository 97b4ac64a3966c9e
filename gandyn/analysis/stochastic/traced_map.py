"""A noisy step traced on symbols, to first order at an equilibrium: the `RandomMap` that moments are read from."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from ...arguments import SEARCH, given_or_known
from ...dynamics.trace import UpdateMap, trace_residual, trace_step
from ...errors import DomainError, NotDifferentiableError, ParameterError
from ...games.finite_sum import FiniteSumGame
from ...lazy import sympy
from ...noise.additive import Additive
from ...oracles.symbolic_draws import SymbolicDraws
from ...types import Array, Game, Rule
from ...worlds import SYMBOLS, exact, object_vector
from ..local.constrained import on_face, pressed, reduce_map, rest_of_memory
from ..local.derivatives import Place, entries, locate_point, refuse_ensemble
from ..local.dynamics import refuse_marginal_limit, step_counts
from ..local.implicit import is_implicit
from ..parameters.freed import freed
from .bend import Bend
from .epoch import epoch_map
from .random_map import RandomMap

MOST_ENTRIES = 4_000_000  # numbers in all the matrices M that a step may draw
MOST_DEGREE = 2  # of a step in noise that depends on the point: its second moments need the fourth of the noise


def random_map(game: Game, rule: Rule, noise: Additive | None = None, at: object = None) -> RandomMap:
    """Trace one noisy step and take it to first order at an equilibrium of the mean game.

    Without `noise` it is the game's own, and without `at` the first known equilibrium. Raises ParameterError without a
    point, or at one that is no equilibrium; DomainError outside the rule's domain, without symbols, where a bound of
    a constrained game is touched and not pressed, or for a changing step whose limit has the eigenvalue 1.
    """
    noisy = game if noise is None else Additive.read(noise).applied(game)
    rule.check(noisy)
    mean = game.mean()
    if mean is None or SYMBOLS not in noisy.worlds:
        raise DomainError(f"{game.name}, which is not given by symbols", "a symbolic game", "gd.games.from_sympy(...)")
    at = given_or_known(game, at)
    refuse_ensemble(game, at)
    place = locate_point(mean, object_vector(map(exact, entries(at))))
    if not place.solution:
        raise ParameterError(
            f"the point ({', '.join(map(str, entries(at)))}), where the field of {game.name} does not vanish",
            "an equilibrium",
            SEARCH,
        )
    found = _derived(noisy, rule, mean, place)
    most = MOST_ENTRIES // found.matrix.rows**2
    if found.outcomes > most:
        raise DomainError(
            f"a step of {rule!r} on {game.name} that draws one of {found.outcomes} combinations of summands",
            f"at most {most} combinations",
            "a smaller minibatch, fewer summands, or a rule with fewer draws in a step",
        )
    return epoch_map(found, game) if isinstance(game, FiniteSumGame) and game.order != "independent" else found


def freed_map(result: Any, name: str) -> tuple[RandomMap, sympy.Symbol]:
    """The random map with one parameter free, and its symbol. Raises ParameterError unless it is the only one."""
    rule, symbol = freed(result.step.game, result.rule, name, positive=True)
    assert rule is not None
    free = random_map(result.step.game, rule, at=result.at)
    if set(free.parameters) - {symbol}:
        names = ", ".join(str(s) for s in free.parameters if s != symbol)
        raise ParameterError(f"{name} varied while {names} has no value", "one free parameter", "set the others")
    return free, symbol


def _derived(game: Game, rule: Rule, mean: Game, place: Place) -> RandomMap:
    draws, d, point = SymbolicDraws(), game.dim, place.point
    bounds = place.constraints
    if bounds is not None and (bounds.face is None or bounds.weak):
        _undecided(game, rule, f"{', '.join(bounds.weak)} touches a bound that does not press" if bounds.weak else "")
    if is_implicit(game, rule):
        if place.face is not None:
            _undecided(game, rule, "the step is implicit")
        traced = trace_residual(game, rule, draws)
        value, slopes, _ = _first_order(traced, draws, [*point, *point], False)
        rest = sympy.Matrix.hstack(value, slopes[:, d:], sympy.eye(d))
        solved = slopes[:, :d].LUsolve(-rest).applyfunc(sympy.cancel)
        moved, left = solved[:, :-d], solved[:, -d:]
        found = _assembled(game, rule, point, traced.symbols[d:], moved[:, 0], moved[:, 1:], draws, False)
        inner = sympy.Matrix.vstack(moved, sympy.eye(moved.cols)[1:, :])
        return dataclasses.replace(found, bend=_bend(traced, draws, [*point, *point], left, inner))
    if bounds is not None:
        return _on_bounds(game, rule, mean, place, draws)
    traced = trace_step(game, rule, draws)
    z = [*point, *_memory(rule, mean, point)]
    value, slopes, affine = _first_order(traced, draws, z, game.quadratic)
    if step_counts(traced):
        refuse_marginal_limit(mean, rule, slopes[:, : slopes.rows])
    found = _assembled(game, rule, point, traced.symbols, value - sympy.Matrix(z), slopes, draws, affine)
    bend = None if affine else _bend(traced, draws, z, sympy.eye(len(z)))
    return dataclasses.replace(found, start=_start(game, rule, point, z), bend=bend)


def _bend(
    traced: UpdateMap, draws: SymbolicDraws, point: list[sympy.Expr], left: sympy.Matrix, inner: sympy.Matrix = None
) -> Bend:
    program, point = _with_noise(traced, draws, point)
    return Bend(program, point, left, inner)


def _memory(rule: Rule, mean: Game, point: Array) -> list[sympy.Expr]:
    return [exact(e) for _, array in rule.init(mean, point).leaves() for e in array]


def _on_bounds(game: Game, rule: Rule, mean: Game, place: Place, draws: SymbolicDraws) -> RandomMap:
    """The step along the face of the bounds that press: noise smaller than the forces never leaves it.

    Directions that the projection kills have rows and columns of zeros in M and B. To every order in the size of
    Gaussian noise this is the law, as leaving the face is exponentially unlikely.
    """
    bounds, point = place.constraints, place.point
    assert bounds is not None
    face = bounds.face
    assert face is not None
    whole = trace_step(on_face(game, face, tuple(point)), rule, draws)
    traced = reduce_map(whole, face, tuple(point))
    memory = _memory(rule, mean, point)
    if bounds.strong:
        memory = rest_of_memory(_quietly(traced, draws), memory)
        state = rule.init(mean, np.array([float(e) for e in point]))
        obstacle = pressed(mean, rule, bounds, np.array([float(e) for e in point]), state).obstacle
        if obstacle:
            _undecided(game, rule, obstacle)
    z = [*(exact(0) for _ in face.columns), *memory]
    value, slopes, _ = _first_order(traced, draws, z, False)
    if step_counts(whole):
        refuse_marginal_limit(mean, rule, slopes[:, : slopes.rows])
    if not z:  # a corner: SymPy's empty matrices have no width
        value, slopes = sympy.zeros(0, 1), sympy.zeros(0, sum(len(shift.symbols) for shift in draws.shifts))
    found = _assembled(game, rule, point, traced.symbols, value - sympy.Matrix(len(z), 1, z), slopes, draws, False)
    along = sympy.Matrix(face.basis.tolist()) if face.columns else sympy.zeros(game.dim, 0)
    back = sympy.diag(*(sympy.Rational(1, sum(c * c for c in column)) for column in face.columns)) * along.T
    rest = sympy.eye(len(memory))
    spread, reduced = sympy.diag(along, rest), sympy.diag(back, rest)
    inner = sympy.diag(reduced, sympy.eye(found.noise.cols))
    inner = sympy.Matrix.hstack(sympy.zeros(inner.rows, 1), inner)
    return dataclasses.replace(
        found,
        names=tuple(map(str, whole.symbols)),
        matrix=sympy.ImmutableMatrix(spread * found.matrix * reduced),
        offset=sympy.ImmutableMatrix(spread * found.offset),
        noise=sympy.ImmutableMatrix(spread * found.noise),
        margin=_margin(game, bounds, draws),
        bend=_bend(traced, draws, z, spread, inner),
    )


def _quietly(traced: UpdateMap, draws: SymbolicDraws) -> UpdateMap:
    """A program without its noise: vectors of mean zero at zero."""
    silent = dict.fromkeys((s for shift in draws.shifts for s in shift.symbols), sympy.Integer(0))
    bindings = tuple((name, e.xreplace(silent)) for name, e in traced.bindings)
    return dataclasses.replace(traced, bindings=bindings, outputs=tuple(e.xreplace(silent) for e in traced.outputs))


def _margin(game: Game, bounds: Any, draws: SymbolicDraws) -> float | None:
    """The smallest force onto a bound over the standard deviation of the noise of that coordinate; None without one."""
    if not bounds.strong or not draws.shifts or draws.shifts[0].covariance.free_symbols:
        return None
    forces = bounds.first_order.multipliers
    variances = {k: float(draws.shifts[0].covariance[k, k]) for k in bounds.first_order.strong}
    if any(getattr(forces[k], "free_symbols", None) for k in variances):
        return None
    return min(float(forces[k]) / math.sqrt(s2) if s2 else math.inf for k, s2 in variances.items())


def _undecided(game: Game, rule: Rule, why: str) -> None:
    why = why or "its faces are unknown"
    raise DomainError(
        f"undecided: an equilibrium of {game.name} on a bound of its feasible set, where {why}",
        "bounds that press in every projection: elsewhere the law of the noise is cut off",
        f"simulate it: gd.iterate(game, {rule.name}(...), starts, steps, noise=...)",
    )


def _assembled(
    game: Game,
    rule: Rule,
    point: Array,
    symbols: tuple[sympy.Expr, ...],
    offset: sympy.Matrix,
    slopes: sympy.Matrix,
    draws: SymbolicDraws,
    affine: bool,
) -> RandomMap:
    """The map with slopes in as many coordinates as there are symbols, and in the entries of xi after them."""
    covariances = [shift.covariance for shift in draws.shifts]
    inputs = slopes.cols - sum(c.rows for c in covariances)
    return RandomMap(
        game,
        rule,
        point,
        tuple(map(str, symbols)),
        sympy.ImmutableMatrix(slopes[:, :inputs]),
        sympy.ImmutableMatrix(offset),
        sympy.ImmutableMatrix(slopes[:, inputs:]),
        sympy.ImmutableMatrix(sympy.diag(*covariances) if covariances else sympy.zeros(0, 0)),
        draws,
        affine,
    )


def _start(game: Game, rule: Rule, point: Array, z: list[sympy.Expr]) -> RandomMap:
    """What the rule starts from: w_0, and a memory that may hold a field, with its noise."""
    draws: Any = SymbolicDraws()  # in the place of a generator
    symbols = game.symbols or sympy.symbols(f"w1:{game.dim + 1}", real=True)
    w = object_vector(symbols)
    state = rule.init(game, w, draws)
    outputs = [*w, *(exact(e) for _, array in state.leaves() for e in array)]
    traced = UpdateMap(game, rule, tuple(symbols), (), (), tuple(outputs), (), state, draws=draws)
    value, slopes, affine = _first_order(traced, draws, list(point), game.quadratic)
    return _assembled(game, rule, point, symbols, value - sympy.Matrix(z), slopes, draws, affine)


def _first_order(
    traced: UpdateMap, draws: SymbolicDraws, point: list[sympy.Expr], quadratic: bool
) -> tuple[sympy.Matrix, sympy.Matrix, bool]:
    """(F, DF) at the point without noise, DF in the coordinates and xi, and whether DF is the same everywhere."""
    traced, point = _with_noise(traced, draws, point)
    try:
        value, slopes = traced.jacobian_at(point)
    except NotDifferentiableError as error:
        raise NotDifferentiableError(
            f"{traced.rule!r} on {traced.game.name} has {error.given}", "a rule that is smooth at the point", error.fix
        ) from None
    affine = quadratic and _affine(traced)
    if affine and draws.scaled and _degree([*value, *slopes], draws.scaled) > MOST_DEGREE:
        raise DomainError(
            f"a step of {traced.rule!r} of degree above {MOST_DEGREE} in noise that depends on the point",
            "noise that enters twice at most",
            "simulate it: gd.iterate(game, rule, starts, steps, noise=...)",
        )
    return value, slopes, affine


def _with_noise(traced: UpdateMap, draws: SymbolicDraws, point: list[sympy.Expr]) -> tuple[UpdateMap, list[sympy.Expr]]:
    """The program with the entries of xi among its coordinates, zero at the point."""
    shifts = [s for shift in draws.shifts for s in shift.symbols]
    return dataclasses.replace(traced, symbols=(*traced.symbols, *shifts)), [*point, *(exact(0) for _ in shifts)]


def _degree(expressions: list[sympy.Expr], symbols: list[sympy.Symbol]) -> int:
    """The largest degree in any one of the symbols: they are independent of each other."""
    return max((sympy.degree(sympy.expand(e), s) for e in expressions for s in symbols if e.has(s)), default=0)


def _affine(traced: UpdateMap) -> bool:
    """Whether a program is affine in its symbols, by the degrees of its expressions."""
    degrees: dict[sympy.Expr, float] = dict.fromkeys(traced.symbols, 1)

    def degree(e: sympy.Expr) -> float:
        if e.is_Symbol:
            return degrees.get(e, 0)
        if e.is_Add:
            return max(map(degree, e.args))
        if e.is_Mul:
            return sum(map(degree, e.args))
        inside = max(map(degree, e.args), default=0)
        if e.is_Pow and e.exp.is_Integer and e.exp > 0:
            return inside * float(e.exp)
        return math.inf if inside else 0

    for name, e in traced.bindings:
        degrees[name] = degree(e)
    return all(degree(e) <= 1 for e in traced.outputs)
