"""Additive noise: v(w) + xi with a covariance that does not depend on w."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..doors import shown
from ..errors import ParameterError, ShapeError
from ..lazy import sympy
from ..parameters import finite, is_number
from ..types import Game
from ..worlds import exact, is_symbolic
from .noisy_game import NoisyGame

LAWS = ("gaussian", "uniform", "student")
ROUNDING = 1e-10
FIX = "noise=0.1, (0.1, 0.2), or [[0.1, 0.05], [0.05, 0.2]]"


@dataclasses.dataclass(frozen=True)
class Additive:
    """Noise that makes every field evaluation return v(w) + xi, where xi has mean zero and this covariance.

    One xi is drawn for each batch: where a rule evaluates the field twice on one batch (extragradient by default) both
    evaluations share it, and where it draws afresh (`Extragradient(lr, fresh=True)`) each has its own.

    Args:
        covariance: a number s2 for s2 times the identity, one number per player (a tuple or list), or a symmetric
            positive semidefinite matrix (d, d). Its unit is that of the field, squared. Entries may be expressions; a
            text is the name of a positive one.
        law: "gaussian"; "uniform", bounded; or "student", with heavy tails. Covariances of linear rules depend on the
            covariance alone.
        degrees: of freedom of the Student law, above 2: below, its variance is infinite.

    Raises:
        ParameterError: for what is no covariance: not finite, not symmetric, not positive semidefinite.

    Example:
        >>> import gandyn as gd
        >>> noise = gd.noise.Additive(0.01)
        >>> noise.on(gd.games.bilinear())
        Matrix([
        [1/100,     0],
        [    0, 1/100]])
        >>> run = gd.iterate(gd.games.bilinear(), gd.rules.Extragradient(0.1), [1.0, 0.0], 100, noise=noise)
    """

    covariance: Any
    law: str = "gaussian"
    degrees: float = 5.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "covariance", _read(self.covariance))
        if self.law not in LAWS:
            raise ParameterError(f"Additive(law={self.law!r})", " or ".join(map(repr, LAWS)), 'law="gaussian"')
        if not is_number(self.degrees) or isinstance(self.degrees, complex) or not self.degrees > 2:
            needed = "more than 2 degrees of freedom: with fewer the variance is infinite"
            raise ParameterError(f"Additive(degrees={shown(self.degrees)})", needed, "degrees=5")

    @classmethod
    def read(cls, noise: object) -> Additive:
        """The noise itself, or the one that a number, a tuple or a matrix stands for."""
        return noise if isinstance(noise, Additive) else cls(noise)

    @property
    def described(self) -> str:
        """In words, for titles and summaries."""
        kind = "" if self.law == "gaussian" else f" ({self.law})"
        rows = self.covariance
        if isinstance(rows, tuple) and isinstance(rows[0], tuple):
            return f"noise of covariance [{', '.join(_row(row) for row in rows)}]{kind}"
        return f"noise of variance {_row(rows) if isinstance(rows, tuple) else rows}{kind}"

    def on(self, game: Game) -> Any:
        """The covariance on a game's joint vectors, an exact SymPy matrix (d, d).

        Raises:
            ShapeError: where the covariance does not fit the game.
        """
        given, d = self.covariance, game.dim
        if not isinstance(given, tuple):
            return sympy.ImmutableMatrix(sympy.eye(d) * given)
        if isinstance(given[0], tuple):
            if len(given) != d:
                raise ShapeError(
                    f"a covariance of shape ({len(given)}, {len(given)})", f"({d}, {d}) for {game.name}", FIX
                )
            return sympy.ImmutableMatrix(given)
        if len(given) != len(game.players):
            raise ShapeError(
                f"{len(given)} variances", f"one for each of the {len(game.players)} players of {game.name}", FIX
            )
        return sympy.ImmutableMatrix(
            sympy.diag(*(s2 for s2, player in zip(given, game.players, strict=True) for _ in range(player.size)))
        )

    def applied(self, game: Game) -> NoisyGame:
        """The game with this noise on every evaluation of its field.

        Raises:
            ShapeError: where the covariance does not fit the game.
        """
        self.on(game)
        return NoisyGame(game, self)

    def sample(self, game: Game, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """Independent vectors xi, shape (*shape, d)."""
        factor = self._factor(game)
        size = (*shape, factor.shape[1])
        if self.law == "uniform":
            xi: np.ndarray = rng.uniform(-math.sqrt(3), math.sqrt(3), size) @ factor.T
        else:
            xi = rng.standard_normal(size) @ factor.T
        if self.law == "student":
            xi *= np.sqrt((self.degrees - 2) / rng.chisquare(self.degrees, (*shape, 1)))
        return xi

    def _factor(self, game: Game) -> np.ndarray:
        """F with F F^T the covariance."""
        matrix = numeric(self.on(game), "noise drawn")
        if not np.count_nonzero(matrix - np.diag(np.diag(matrix))):
            return np.diag(np.sqrt(np.diag(matrix)))
        values, vectors = np.linalg.eigh(matrix)
        found: np.ndarray = vectors * np.sqrt(np.maximum(values, 0))
        return found


def numeric(matrix: sympy.Matrix, task: str) -> np.ndarray:
    """A SymPy matrix as floats.

    Raises:
        ParameterError: while a parameter has no value.
    """
    if matrix.free_symbols:
        names = ", ".join(sorted(map(str, matrix.free_symbols)))
        raise ParameterError(f"{task} while {names} has no value", "numbers", "set the parameter, or read `.exact`")
    rows = matrix.tolist()
    return np.array([[float(e) for e in row] for row in rows], dtype=float).reshape(matrix.shape)


def _row(row: Sequence[object]) -> str:
    return f"({', '.join(map(str, row))})"


def _entry(value: Any) -> sympy.Expr:
    value = exact(value) if isinstance(value, str) else value
    good = not isinstance(value, (bool, np.bool_)) and (is_number(value) or is_symbolic(value))
    if good and not finite(value):
        raise ParameterError(f"a covariance with the entry {shown(value)}", "finite variances", FIX)
    if not good or isinstance(value, complex) or (is_symbolic(value) and value.is_real is False):
        raise ParameterError(
            f"a covariance with the entry {shown(value)}", "a number, one per player, or a matrix (d, d)", FIX
        )
    return exact(value)


def _read(given: object) -> Any:
    """A number, a tuple of numbers, or a tuple of rows, exact.

    Raises:
        ParameterError: for what is no covariance.
    """
    given = given.tolist() if hasattr(given, "tolist") else given
    if not isinstance(given, (tuple, list)):
        return _nonnegative(_entry(given))
    if not given:
        raise ParameterError("an empty covariance", "a number, one per player, or a matrix (d, d)", FIX)
    if not any(isinstance(row, (tuple, list)) for row in given):
        return tuple(_nonnegative(_entry(e)) for e in given)
    if not all(isinstance(row, (tuple, list)) and len(row) == len(given) for row in given):
        raise ParameterError(f"the covariance {shown(given)}", "a square matrix (d, d)", FIX)
    rows = tuple(tuple(map(_entry, row)) for row in given)
    _semidefinite(rows)
    return rows


def _nonnegative(value: sympy.Expr) -> sympy.Expr:
    if value.is_negative or (not value.free_symbols and float(value) < 0):
        raise ParameterError(f"a variance of {value}", "a variance that is not negative", FIX)
    return value


def _semidefinite(rows: tuple[tuple[sympy.Expr, ...], ...]) -> None:
    """Refuse a matrix that is not symmetric or has a negative eigenvalue; one with free symbols is trusted."""
    matrix = sympy.Matrix(rows)
    if matrix.free_symbols:
        return
    numbers = np.array([[float(e) for e in row] for row in rows])
    size = float(np.abs(numbers).max())
    if np.abs(numbers - numbers.T).max() > ROUNDING * size:
        raise ParameterError("a covariance that is not symmetric", "a symmetric matrix", FIX)
    lowest = float(np.linalg.eigvalsh(numbers)[0])
    if lowest < -ROUNDING * size:
        raise ParameterError(
            f"a covariance with the eigenvalue {lowest:.6g}, not positive semidefinite", "eigenvalues >= 0", FIX
        )
