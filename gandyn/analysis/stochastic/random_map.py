"""One noisy step near an equilibrium as a random affine map z+ - z* = c + M (z - z*) + B xi, and its two moments."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ...errors import DomainError, ParameterError
from ...lazy import sympy
from ...noise.noisy_game import numeric
from ...oracles.symbolic_draws import SymbolicDraws
from ...types import Array, Game, Rule
from ...worlds import exact
from ..parameters.freed import unit_from

MOST_ENTRIES = 4_000_000  # numbers in all the matrices M that a step may draw
LARGEST_KRON = 50  # coordinates of z up to which E[M (x) M] is written out
Moments = tuple[Array, Array, Array]


@dataclasses.dataclass(frozen=True)
class RandomMap:
    """z+ - z* = c + M (z - z*) + B xi with random M, c and B; z = (w, the rule's memory), z* its rest at `at`.

    M, c and B are matrices of expressions in the symbols of the rows that a step draws, and in free parameters. xi has
    mean zero and a known covariance, and is independent of the rows.
    """

    # game, rule: what was traced
    game: Game
    rule: Rule
    at: Array  # the equilibrium, shape (d,)
    names: tuple[str, ...]  # of the coordinates of z
    # matrix, offset, noise: M (D, D), c (D, 1), B (D, q)
    matrix: sympy.Matrix
    offset: sympy.Matrix
    noise: sympy.Matrix
    covariance: sympy.Matrix  # of xi, (q, q)
    draws: SymbolicDraws  # the rows, with their tables
    affine: bool  # whether the step is this map everywhere, and not to first order alone
    # z_0 - z* as such a map of w_0 - at, M being (D, d): the memory that the rule starts with; None of itself
    start: RandomMap | None = None
    # at bounds, the smallest force onto one over the deviation of the noise against it; None in the interior
    margin: float | None = None
    bend: Any = None  # the second-order part of the step, a `Bend`; None of one that is affine, and of epochs

    @property
    def kind(self) -> str:
        """Either "exact", where the step is affine in w, memory and noise, or "local", to first order at the point."""
        return "exact" if self.affine else "local"

    @functools.cached_property
    def parameters(self) -> tuple[sympy.Symbol, ...]:
        """Free symbols of the map that no draw gives a value: parameters of the rule or the game."""
        parts = (self.matrix, self.offset, self.noise, self.covariance)
        free = set().union(*(part.free_symbols for part in parts)) - self.draws.symbols
        return tuple(sorted(free, key=str))

    @property
    def size(self) -> int:
        """D, the coordinates of z."""
        return int(self.matrix.rows)

    @functools.cached_property
    def slopes(self) -> Array:
        """The Jacobian J of the mean field at the point, (d, d)."""
        mean = self.game.mean()
        assert mean is not None
        found: Array = np.asarray(mean.jacobian(np.array([float(x) for x in self.at])), dtype=float)
        return found

    @property
    def field(self) -> Array:
        """The mean field at the point, (d,): zero at an equilibrium."""
        return np.zeros(len(self.at))

    @property
    def period(self) -> int:
        """Steps of the rule that this map stands for."""
        return 1

    @property
    def outcomes(self) -> int:
        """How many equally likely rows, or combinations of them, a step may draw."""
        return math.prod(len(choice.table) for choice in self.draws.choices)

    @functools.cached_property
    def single(self) -> bool:
        """Whether M is the same in every step."""
        return not (self.matrix.free_symbols & self.draws.symbols)

    def values(self) -> Iterator[dict[sympy.Symbol, sympy.Expr]]:
        """The outcomes, exact: a value for each symbol of the drawn rows."""
        for rows in itertools.product(*(choice.table for choice in self.draws.choices)):
            yield {
                s: v
                for choice, row in zip(self.draws.choices, rows, strict=True)
                for s, v in zip(choice.symbols, row, strict=True)
            }

    def expected(self, matrix: sympy.Matrix) -> sympy.Matrix:
        """The mean of a matrix of expressions over the rows, exactly."""
        if not matrix.free_symbols & self.draws.symbols:
            return matrix
        total = sum((matrix.xreplace(values) for values in self.values()), sympy.zeros(*matrix.shape))
        return (total / self.outcomes).applyfunc(sympy.expand)

    @functools.cached_property
    def numbers(self) -> Moments:
        """M (n, D, D), c (n, D), B (n, D, q) of the n outcomes, one if nothing is drawn. Raises ParameterError."""
        return self._by_outcome()

    def _by_outcome(self) -> Moments:
        if self.parameters:
            names = ", ".join(map(str, self.parameters))
            raise ParameterError(
                f"numbers of {self.rule!r} on {self.game.name} while {names} has no value", "numbers", "set it"
            )
        flat = self.evaluated([*self.matrix, *self.offset, *self.noise])
        n, (rows, columns) = len(flat), self.matrix.shape
        m, c, b = np.split(flat, [rows * columns, rows * (columns + 1)], axis=1)
        return m.reshape(n, rows, columns), c, b.reshape(n, rows, self.noise.cols)

    def evaluated(self, expressions: list[sympy.Expr]) -> Array:
        """Expressions in the drawn rows, in floats: (outcomes, expressions), or one row where nothing is drawn."""
        if not self.draws.choices:
            return np.array([[float(e) for e in expressions]])
        from ...symbolic.function import SymbolicFunction

        symbols = [s for choice in self.draws.choices for s in choice.symbols]
        return np.asarray(SymbolicFunction([symbols], expressions)(self._outcomes_table()))

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

    def unit(self, symbol: object) -> float:
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
        if self.single:
            return self._single_moments_after(steps, first, second)
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

    def _single_moments_after(self, steps: int, first: Array, second: Array) -> tuple[Array, Array]:
        """As `moments_after`, where M is the same in every step: d -> A d + u + noise of covariance S, squared."""
        m, c = self.first_moments
        whole = np.eye(len(m)), np.zeros(len(m)), np.zeros_like(m)
        power = m, c, self.forcing(np.zeros(len(m))) - np.outer(c, c)
        while steps:
            if steps % 2:
                whole = _then(whole, power)
            power, steps = _then(power, power), steps // 2
        a, u, s = whole
        crossed = np.outer(a @ first, u)
        return a @ first + u, a @ second @ a.T + crossed + crossed.T + np.outer(u, u) + s

    @functools.cached_property
    def added(self) -> Array:
        """E[B C B^T], (D, D)."""
        b = self.numbers[2]
        covariance = numeric(self.covariance, "the covariance of the noise")
        found: Array = np.einsum("nip,pq,njq->ij", b, covariance, b, optimize=True) / len(b)
        return (found + found.T) / 2

    @functools.cached_property
    def second_moment_matrix(self) -> Array:
        """E[M (x) M], (D^2, D^2) in floats. Raises DomainError where it is too large to be written out."""
        m = self.numbers[0]
        size = m.shape[1]
        if size > LARGEST_KRON:
            raise DomainError(
                f"E[M (x) M] of {size} coordinates", f"at most {LARGEST_KRON}", "a smaller game, or additive noise"
            )
        found: Array = np.einsum("nij,nkl->ikjl", m, m, optimize=True).reshape(size**2, size**2) / len(m)
        return found


def _then(before: Moments, after: Moments) -> Moments:
    """(A, u, S) of one affine map with independent noise, and then another."""
    a, u, s = after
    return a @ before[0], a @ before[1] + u, a @ before[2] @ a.T + s
