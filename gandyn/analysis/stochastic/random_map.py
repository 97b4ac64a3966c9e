"""One noisy step near an equilibrium as a random affine map z+ - z* = c + M (z - z*) + B xi, and its two moments."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ...errors import DomainError, NotDifferentiableError, ParameterError
from ...lazy import sympy
from ...noise.additive import Additive, numeric
from ...oracles.symbolic_draws import SymbolicDraws
from ...types import Array, Game, Rule
from ...worlds import SYMBOLS, exact
from ..local.derivatives import entries, locate_point, refuse_ensemble
from ..local.implicit import is_implicit
from ..parameters.freed import freed, unit_from

MOST_ENTRIES = 4_000_000  # numbers in all the matrices M that a step may draw
LARGEST_KRON = 50  # coordinates of z up to which E[M (x) M] is written out
Moments = tuple[Array, Array, Array]


@dataclasses.dataclass(frozen=True)
class RandomMap:
    """z+ - z* = c + M (z - z*) + B xi with random M, c and B; z = (w, the rule's memory), z* its rest at `at`.

    M, c and B are matrices of expressions in the symbols of the rows that a step draws, and in free parameters. xi has
    mean zero and a known covariance, and is independent of the rows.

    Attributes:
        game, rule: what was traced.
        at: the equilibrium, shape (d,).
        names: of the coordinates of z.
        matrix, offset, noise: M (D, D), c (D, 1), B (D, q).
        covariance: of xi, (q, q).
        draws: the rows, with their tables.
        affine: whether the step is this map everywhere, and not to first order alone.
        start: z_0 - z* as such a map of w_0 - at, M being (D, d): the memory that the rule starts with; None of itself.
    """

    game: Game
    rule: Rule
    at: Array
    names: tuple[str, ...]
    matrix: sympy.Matrix
    offset: sympy.Matrix
    noise: Any
    covariance: sympy.Matrix
    draws: SymbolicDraws
    affine: bool
    start: RandomMap | None = None

    @property
    def kind(self) -> str:
        """Either "exact", where the step is affine in w, memory and noise, or "local", to first order at the point."""
        return "exact" if self.affine else "local"

    @functools.cached_property
    def parameters(self) -> tuple[sympy.Symbol, ...]:
        """Free symbols that no draw gives a value."""
        parts = (self.matrix, self.offset, self.noise, self.covariance)
        free = set().union(*(part.free_symbols for part in parts)) - self.draws.symbols
        return tuple(sorted(free, key=str))

    @property
    def outcomes(self) -> int:
        """How many equally likely rows, or combinations of them, a step may draw."""
        return math.prod(len(choice.table) for choice in self.draws.choices)

    @functools.cached_property
    def single(self) -> bool:
        """Whether M is the same in every step."""
        return not (self.matrix.free_symbols & self.draws.symbols)

    def values(self) -> Iterator[dict[Any, Any]]:
        """The outcomes, exact: a value for each symbol of the drawn rows."""
        for rows in itertools.product(*(choice.table for choice in self.draws.choices)):
            yield {
                s: v
                for choice, row in zip(self.draws.choices, rows, strict=True)
                for s, v in zip(choice.symbols, row, strict=True)
            }

    def expected(self, matrix: sympy.Matrix) -> Any:
        """The mean of a matrix of expressions over the rows, exactly."""
        if not matrix.free_symbols & self.draws.symbols:
            return matrix
        total = sum((matrix.xreplace(values) for values in self.values()), sympy.zeros(*matrix.shape))
        return (total / self.outcomes).applyfunc(sympy.expand)

    @functools.cached_property
    def numbers(self) -> tuple[Array, Array, Array]:
        """M (n, D, D), c (n, D) and B (n, D, q) of the n outcomes, n = 1 where nothing of them is drawn.

        Raises:
            ParameterError: while a parameter has no value.
        """
        if self.parameters:
            names = ", ".join(map(str, self.parameters))
            raise ParameterError(
                f"numbers of {self.rule!r} on {self.game.name} while {names} has no value", "numbers", "set it"
            )
        shape, q = self.matrix.shape, self.noise.cols
        everything = [*self.matrix, *self.offset, *self.noise]
        if self.draws.choices:
            from ...symbolic.function import SymbolicFunction

            symbols = [s for choice in self.draws.choices for s in choice.symbols]
            flat = SymbolicFunction([symbols], everything)(self._outcomes_table())
        else:
            flat = np.array([[float(e) for e in everything]])
        n, (rows, columns) = len(flat), shape
        m, c, b = np.split(flat, [rows * columns, rows * (columns + 1)], axis=1)
        return m.reshape(n, rows, columns), c, b.reshape(n, rows, q)

    def _outcomes_table(self) -> Array:
        """One row for each joint outcome of independent draws, each with its own table: (outcomes, symbols)."""
        tables = [np.array([[float(v) for v in row] for row in choice.table]) for choice in self.draws.choices]
        rows = np.indices([len(t) for t in tables]).reshape(len(tables), -1)
        return np.concatenate([t[k] for t, k in zip(tables, rows, strict=True)], axis=1)

    def at_value(self, symbol: sympy.Symbol, value: object) -> RandomMap:
        """The random map of one step, the part that runs from the start included, with a number for a free symbol."""
        replace = {symbol: exact(value)}
        parts = {name: getattr(self, name).xreplace(replace) for name in ("matrix", "offset", "noise", "covariance")}
        start = None if self.start is None else self.start.at_value(symbol, value)
        return dataclasses.replace(self, **parts, start=start)

    def unit(self, symbol: Any) -> float:
        """The value of a free symbol at which the linear part has moved by its own size."""
        slopes = dataclasses.replace(self, matrix=self.matrix.diff(symbol)).at_value(symbol, 0)
        return unit_from(slopes.numbers[0])

    @functools.cached_property
    def first_moments(self) -> tuple[Array, Array]:
        """(E M, E c) in floats."""
        m, c, _ = self.numbers
        return m.mean(0), c.mean(0)

    def forcing(self, mean: Array) -> Array:
        """What noise adds in one step to E[(z - z*)(z - z*)^T] when E[z - z*] = mean, (D, D)."""
        m, c, _ = self.numbers
        crossed = np.einsum("ni,nj->ij", c / 2 + m @ mean, c) / len(c)
        return crossed + crossed.T + self.added

    def moments_after(self, steps: int, first: Array, second: Array) -> tuple[Array, Array]:
        """(E d, E[d d^T]) of d = z_T - z* after T steps, exactly, from those of the start: on the vector (1, d).

        Its second moments move linearly, by E[K (x) K] with K = ((1, 0), (c, M)) and the covariance of the noise, so
        that T steps are one matrix power.
        """
        m, c, _ = self.numbers
        n, size = len(m), len(first) + 1
        bordered = np.zeros((n, size, size))
        bordered[:, 0, 0], bordered[:, 1:, 0], bordered[:, 1:, 1:] = 1.0, c, m
        moved = np.einsum("nij,nkl->ikjl", bordered, bordered, optimize=True) / n
        moved[1:, 1:, 0, 0] += self.added
        before = np.block([[np.ones((1, 1)), first[None, :]], [first[:, None], second]])
        power = np.linalg.matrix_power(moved.reshape(size**2, size**2), steps)
        after = (power @ before.ravel()).reshape(size, size)
        return after[1:, 0], after[1:, 1:]

    @functools.cached_property
    def added(self) -> Array:
        """E[B C B^T], (D, D)."""
        b = self.numbers[2]
        covariance = numeric(self.covariance, "the covariance of the noise")
        found: Array = np.einsum("nip,pq,njq->ij", b, covariance, b, optimize=True) / len(b)
        return (found + found.T) / 2

    @functools.cached_property
    def second_moment_matrix(self) -> Array:
        """E[M (x) M], (D^2, D^2) in floats.

        Raises:
            DomainError: where it is too large to be written out.
        """
        m = self.numbers[0]
        size = m.shape[1]
        if size > LARGEST_KRON:
            raise DomainError(
                f"E[M (x) M] of {size} coordinates", f"at most {LARGEST_KRON}", "a smaller game, or additive noise"
            )
        found: Array = np.einsum("nij,nkl->ikjl", m, m, optimize=True).reshape(size**2, size**2) / len(m)
        return found


def random_map(game: Game, rule: Rule, noise: Additive | None = None, at: object = None) -> RandomMap:
    """Trace one noisy step and take it to first order at an equilibrium of the mean game.

    Args:
        game: the game. rule: the rule.
        noise: `Additive` or what one is made from; None for the game's own.
        at: the equilibrium; the first known one by default.

    Raises:
        ParameterError: without a point, or at one that is no equilibrium.
        DomainError: outside the rule's domain, without symbols, or on a bound of a constrained game.
    """
    noisy = game if noise is None else Additive.read(noise).applied(game)
    rule.check(noisy)
    mean = game.mean()
    if mean is None or SYMBOLS not in noisy.worlds:
        raise DomainError(f"{game.name}, which is not given by symbols", "a symbolic game", "gd.games.from_sympy(...)")
    if at is None and not game.equilibria:
        raise ParameterError(f"no equilibrium of {game.name} is known", "a point", "at=gd.fixed_points(game)[0].point")
    at = game.equilibria[0] if at is None else at
    refuse_ensemble(game, at)
    place = locate_point(mean, np.array([*map(exact, entries(at)), None], dtype=object)[:-1])
    if not place.solution:
        raise ParameterError(
            f"the point ({', '.join(map(str, entries(at)))}), where the field of {game.name} does not vanish",
            "an equilibrium",
            "at=gd.fixed_points(game)[0].point",
        )
    if place.face is not None:
        raise DomainError(
            f"an equilibrium of {game.name} on a bound of its feasible set",
            "one in the interior: on a bound the law of the noise is cut off",
            "simulate it: gd.iterate(game, rule, starts, steps, noise=...)",
        )
    found = _derived(noisy, rule, mean, place.point)
    most = MOST_ENTRIES // found.matrix.rows**2
    if found.outcomes > most:
        raise DomainError(
            f"a step of {rule!r} on {game.name} that draws one of {found.outcomes} combinations of summands",
            f"at most {most} combinations",
            "a smaller minibatch, fewer summands, or a rule with fewer draws in a step",
        )
    return found


def freed_map(result: Any, name: str) -> tuple[RandomMap, Any]:
    """The random map of a result with one parameter free, and its symbol.

    Raises:
        ParameterError: for an unknown name, or while another parameter has no value.
    """
    rule, symbol = freed(result.step.game, result.rule, name, positive=True)
    assert rule is not None
    free = random_map(result.step.game, rule, at=result.at)
    if set(free.parameters) - {symbol}:
        names = ", ".join(str(s) for s in free.parameters if s != symbol)
        raise ParameterError(f"{name} varied while {names} has no value", "one free parameter", "set the others")
    return free, symbol


def _derived(game: Game, rule: Rule, mean: Game, point: Array) -> RandomMap:
    from ...dynamics.trace import trace_residual, trace_step

    draws, d = SymbolicDraws(), game.dim
    if is_implicit(game, rule):
        traced = trace_residual(game, rule, draws)
        value, slopes, _ = _first_order(traced, draws, [*point, *point], False)
        solved = slopes[:, :d].LUsolve(-sympy.Matrix.hstack(slopes[:, d:], value)).applyfunc(sympy.cancel)
        return _assembled(game, rule, point, traced.symbols[d:], solved[:, -1], solved[:, :-1], draws, False)
    traced = trace_step(game, rule, draws)
    z = [*point, *(exact(e) for _, array in rule.init(mean, point).leaves() for e in array)]
    value, slopes, affine = _first_order(traced, draws, z, game.quadratic)
    found = _assembled(game, rule, point, traced.symbols, value - sympy.Matrix(z), slopes, draws, affine)
    return dataclasses.replace(found, start=_start(game, rule, point, z))


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
    from ...dynamics.trace import UpdateMap

    draws: Any = SymbolicDraws()  # in the place of a generator
    symbols = game.symbols or sympy.symbols(f"w1:{game.dim + 1}", real=True)
    w = np.array([*symbols, None], dtype=object)[:-1]
    state = rule.init(game, w, draws)
    outputs = [*w, *(exact(e) for _, array in state.leaves() for e in array)]
    traced = UpdateMap(game, rule, tuple(symbols), (), (), tuple(outputs), (), state, draws=draws)
    value, slopes, affine = _first_order(traced, draws, list(point), game.quadratic)
    return _assembled(game, rule, point, symbols, value - sympy.Matrix(z), slopes, draws, affine)


def _first_order(traced: Any, draws: SymbolicDraws, point: list[Any], quadratic: bool) -> tuple[Any, Any, bool]:
    """(F, DF) at the point without noise, DF in the coordinates and xi, and whether DF is the same everywhere."""
    shifts = [s for shift in draws.shifts for s in shift.symbols]
    traced = dataclasses.replace(traced, symbols=(*traced.symbols, *shifts))
    point = [*point, *(exact(0) for _ in shifts)]
    try:
        value, slopes = traced.jacobian_at(point)
    except NotDifferentiableError as error:
        raise NotDifferentiableError(
            f"{traced.rule!r} on {traced.game.name} has {error.given}", "a rule that is smooth at the point", error.fix
        ) from None
    return value, slopes, quadratic and _affine(traced)


def _affine(traced: Any) -> bool:
    """Whether a program is affine in its symbols, by the degrees of its expressions."""
    degrees: dict[Any, float] = dict.fromkeys(traced.symbols, 1)

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
