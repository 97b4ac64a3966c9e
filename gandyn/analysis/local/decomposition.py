"""The potential and the Hamiltonian part of a game: J = S + A, at a point or as expressions."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import numpy as np

from ...budget import Budget, in_time
from ...doors import door
from ...errors import ShapeError
from ...lazy import sympy
from ...results import Result, place
from ...types import Array, Game
from ...types.signs import is_zero
from ...worlds import SYMBOLS, exact, from_list, world_of


@dataclasses.dataclass(frozen=True, repr=False)
class Decomposition(Result):
    """S = (J + J^T)/2 and A = (J - J^T)/2 (Balduzzi et al. 2018, definition 1; Letcher et al. 2019, lemma 1).

    Attributes:
        game: the game.
        at: the point, or points of shape (..., d) as nested tuples; None where the parts are expressions.
        jacobian: J, a NumPy array (..., d, d) at points, a SymPy matrix without.
    """

    game: Game
    at: Array
    jacobian: Array

    _data = "game kind at S A"

    @property
    def _transposed(self) -> Array:
        return self.jacobian.T if self.at is None else np.swapaxes(self.jacobian, -1, -2)

    @property
    def symmetric(self) -> Array:
        """The symmetric part S of J; J = S exactly when the game is a potential game."""
        return (self.jacobian + self._transposed) / 2

    @property
    def antisymmetric(self) -> Array:
        """The antisymmetric part A of J; J = A exactly when the game is a Hamiltonian game."""
        return (self.jacobian - self._transposed) / 2

    S, A = symmetric, antisymmetric

    @functools.cached_property
    def kind(self) -> str:
        """potential, Hamiltonian or mixed: at the points given, or identically where none is given."""
        if self.at is None:
            potential = all(map(is_zero, self.antisymmetric))
            hamiltonian = all(map(is_zero, self.symmetric))
        else:
            potential, hamiltonian = not self.antisymmetric.any(), not self.symmetric.any()
        return "potential" if potential else "Hamiltonian" if hamiltonian else "mixed"

    def summary(self) -> str:
        """The kind of the game, then its parts S and A, as text."""
        where = "identically" if self.at is None else f"at {place(self.at)}"
        return f"{self.game.name} is {self.kind} {where}\nS = {self.symmetric}\nA = {self.antisymmetric}"


@door
@in_time
def decompose(game: Game, w: object = None, budget: float | Budget | None = 120.0) -> Decomposition:
    """Split the game Jacobian J = S + A into its symmetric and its antisymmetric part.

    Args:
        game: the game.
        w: a point, shape (d,), or points, shape (..., d). Where it is None or holds symbols, the parts are expressions.
        budget: seconds, after which it ends undecided, without half an answer.

    Returns:
        A `Decomposition`: the parts `.symmetric` and `.antisymmetric` of the Jacobian, and the `.kind` of the game
        there.

    Raises:
        OutOfTimeError: when the budget is spent.
        NotDifferentiableError: at a single point where the field has a kink.
        ShapeError: for several points of symbols.

    Example:
        >>> import gandyn as gd
        >>> gd.decompose(gd.games.bilinear()).kind
        'Hamiltonian'
    """
    if w is None:
        w = game.symbols
    point: Array = w if hasattr(w, "dtype") else from_list(w)
    if world_of(point) == SYMBOLS:
        if point.shape != (game.dim,):
            raise ShapeError(
                f"symbols of shape {point.shape}",
                f"one point of {game.dim} coordinates",
                "decompose one point at a time",
            )
        return Decomposition(game, None, _matrix(game, np.frompyfunc(exact, 1, 1)(point)))
    point = np.asarray(point.detach().cpu().double() if hasattr(point, "detach") else point, dtype=float)
    game.check(point)
    if not game.smooth and point.ndim == 1 and game.symbolic:
        _matrix(game, np.frompyfunc(exact, 1, 1)(point))  # which sees kinks
    return Decomposition(game, _nested(point.tolist()), np.asarray(game.jacobian(point)))


def _nested(rows: object) -> Any:
    return tuple(map(_nested, rows)) if isinstance(rows, list) else rows


def _matrix(game: Game, symbols: Array) -> sympy.Expr:
    if game.smooth or not game.symbolic or any(e.free_symbols for e in symbols):
        return sympy.ImmutableMatrix(sympy.Matrix(game.jacobian(symbols)))
    from ...symbolic.kinks import slope_at

    values = dict(zip(game.symbols, symbols, strict=True))
    rows = [[slope_at(e, s, values) for s in game.symbols] for e in game.field_exprs]
    return sympy.ImmutableMatrix(rows)
