"""What stands in for a random generator where one step is traced: every draw becomes symbols that keep their law."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from ..lazy import sympy
from ..types import Array
from ..worlds import exact, object_vector

SIDES = 1000  # the finest share of a coin


@dataclasses.dataclass(frozen=True)
class Choice:
    """One row of a table, each as likely as the others: symbols for the row's values."""

    symbols: tuple[sympy.Symbol, ...]
    table: tuple[tuple[sympy.Expr, ...], ...]


@dataclasses.dataclass(frozen=True)
class Shift:
    """A vector of mean zero with this covariance, a SymPy matrix: symbols for its entries."""

    symbols: tuple[sympy.Symbol, ...]
    covariance: sympy.Matrix


class SymbolicDraws:
    """The draws of one traced step, in order. Different draws are independent of each other.

    Attributes:
        choices: rows of data drawn uniformly, with replacement.
        shifts: vectors added to a field.
        in_units: whether every added vector is to be F times one of covariance 1, as generated code draws it.
    """

    def __init__(self, in_units: bool = False) -> None:
        self.in_units = in_units
        self.choices: list[Choice] = []
        self.shifts: list[Shift] = []
        self.scaled: list[Any] = []  # coordinates of `units`

    def rows(
        self, names: Sequence[object], table: Sequence[Sequence[object]], size: int
    ) -> tuple[tuple[sympy.Expr, ...], ...]:
        """`size` independent rows of a table with these columns, as tuples of symbols."""
        for _ in range(size):
            k = len(self.choices)
            row = tuple(sympy.Symbol(f"{name}_draw{k}", real=True) for name in names)
            self.choices.append(Choice(row, tuple(map(tuple, table))))
        return tuple(choice.symbols for choice in self.choices[-size:])

    def coin(self, probability: object) -> sympy.Symbol:
        """A symbol that is 1 with this probability and else 0: a row of a table with that share of ones."""
        share = sympy.Rational(exact(probability)).limit_denominator(SIDES)
        table = [(int(k < share.p),) for k in range(share.q)]
        return self.rows(["coin"], table, 1)[0][0]

    def units(self, size: int, law: Any) -> Array:
        """Independent coordinates of mean 0 and variance 1, which a factor that depends on the point may multiply.

        Where moments are taken each is a row of a table with 0 and +-sqrt(k) that has the law's first five moments, k
        being the fourth: enough for second moments of steps of degree 2 in it.
        """
        if self.in_units:
            return self.shift(sympy.eye(size))
        fourth = law.fourth_moment
        share = 1 / (2 * fourth)
        ends, rest = [(sympy.sqrt(fourth),), (-sympy.sqrt(fourth),)] * share.p, [(sympy.Integer(0),)]
        table = ends + rest * (share.q - len(ends))
        drawn = [self.rows([f"u{k + 1}"], table, 1)[0][0] for k in range(size)]
        self.scaled += drawn
        return object_vector(drawn)

    def shift(self, covariance: sympy.Matrix) -> Array:
        """A vector of symbols with this covariance, an object array of shape (d,)."""
        k = len(self.shifts)
        vector = tuple(sympy.Symbol(f"xi{k}_{i + 1}", real=True) for i in range(covariance.rows))
        self.shifts.append(Shift(vector, covariance))
        return object_vector(vector)

    @property
    def symbols(self) -> frozenset[sympy.Symbol]:
        """The symbols that stand for random draws, in the order in which they were asked for."""
        blocks = [*(choice.symbols for choice in self.choices), *(shift.symbols for shift in self.shifts)]
        return frozenset(s for block in blocks for s in block)
