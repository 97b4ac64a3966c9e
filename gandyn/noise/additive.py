"""Noise on a field: v(w) + xi with a covariance that is constant, or an expression in the coordinates of w."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import DomainError, ParameterError, ShapeError, made, shown
from ..lazy import sympy
from ..parameters import finite, is_number
from ..types import Game
from ..worlds import exact, is_symbolic
from .counter_based import standard
from .noisy_game import NoisyGame, numeric

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
            positive semidefinite matrix (d, d). Its unit is that of the field, squared. Entries may be expressions. In
            a text ("s2", "0.1*(1 + x**2)") the names of the game's coordinates are its coordinates, and the covariance
            is taken where the field is evaluated; every other name is a positive parameter.
        law: "gaussian"; "uniform", bounded; or "student", with heavy tails. Covariances of linear rules under a
            constant covariance depend on nothing else of the law.
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
        if not is_number(self.degrees) or isinstance(self.degrees, complex) or not 2 < self.degrees < math.inf:
            needed = "more than 2 degrees of freedom, finitely many: with fewer the variance is infinite"
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
        """The covariance on a game's joint vectors, an exact SymPy matrix (d, d), in the game's own coordinates.

        Raises:
            ShapeError: where the covariance does not fit the game.
        """
        own = {str(s): s for s in game.symbols or ()}
        given = self._spread(game)
        return sympy.ImmutableMatrix(given.xreplace({s: own[s.name] for s in given.free_symbols if s.name in own}))

    def moves(self, game: Game) -> bool:
        """Whether the covariance depends on the point w."""
        return bool(self.on(game).free_symbols & set(game.symbols or ()))

    def _spread(self, game: Game) -> sympy.Matrix:
        given, d = self.covariance, game.dim
        if not isinstance(given, tuple):
            return sympy.eye(d) * given
        if isinstance(given[0], tuple):
            if len(given) != d:
                raise ShapeError(
                    f"a covariance of shape ({len(given)}, {len(given)})", f"({d}, {d}) for {game.name}", FIX
                )
            return sympy.Matrix(given)
        if len(given) != len(game.players):
            raise ShapeError(
                f"{len(given)} variances", f"one for each of the {len(game.players)} players of {game.name}", FIX
            )
        return sympy.diag(*(s2 for s2, player in zip(given, game.players, strict=True) for _ in range(player.size)))

    def applied(self, game: Game) -> NoisyGame:
        """The game with this noise on every evaluation of its field.

        Raises:
            ShapeError: where the covariance does not fit the game.
        """
        self.on(game)
        return NoisyGame(game, self)

    def sample(self, game: Game, shape: tuple[int, ...], rng: np.random.Generator, at: object = None) -> np.ndarray:
        """Independent vectors xi, shape (*shape, d), at a point where the covariance depends on it."""
        units = self.units(int(rng.integers(2**63)), shape, game.dim)
        xi: np.ndarray = units @ numeric(self.factor(game, at), "noise drawn").T
        return xi

    def units(self, key: int, shape: tuple[int, ...], size: int) -> np.ndarray:
        """Vectors of this law with covariance 1, shape (*shape, size), a function of the key of their draw."""
        if self.law != "student":
            return standard(self.law, key, shape, size)
        rng = np.random.default_rng(key)
        spread: np.ndarray = np.sqrt((self.degrees - 2) / rng.chisquare(self.degrees, (*shape, 1)))
        units: np.ndarray = rng.standard_normal((*shape, size)) * spread
        return units

    @property
    def fourth_moment(self) -> sympy.Expr:
        """E[u^4] of a coordinate with variance 1, where coordinates are independent.

        Raises:
            DomainError: for the Student law, whose coordinates have heavy tails together.
        """
        if self.law == "student":
            fix = "law='gaussian', or simulate: gd.iterate(game, rule, starts, steps, noise=...)"
            raise DomainError("the moments of Student noise that depends on the point", "independent coordinates", fix)
        return sympy.Integer(3) if self.law == "gaussian" else sympy.Rational(9, 5)

    def factor(self, game: Game, at: object = None) -> sympy.Matrix:
        """F with F F^T the covariance, a SymPy matrix; in the coordinates of w where it depends on them, without `at`.

        Raises:
            ParameterError: where the covariance at the point is none.
        """
        matrix = self.on(game)
        if at is not None:
            point = dict(zip(game.symbols or (), map(exact, np.asarray(at, dtype=object)), strict=True))
            matrix = matrix.xreplace(point)
            _semidefinite(tuple(map(tuple, matrix.tolist())), f" at ({', '.join(map(str, point.values()))})")
        if matrix.free_symbols:
            return _root(matrix)
        numbers = numeric(matrix, "noise drawn")
        if not np.count_nonzero(numbers - np.diag(np.diag(numbers))):
            return sympy.Matrix(np.diag(np.sqrt(np.maximum(np.diag(numbers), 0))))
        correlations, sizes = scaled(numbers)
        values, vectors = np.linalg.eigh(correlations)
        return sympy.Matrix(sizes[:, None] * vectors * np.sqrt(np.maximum(values, 0)))


def _root(matrix: sympy.Matrix) -> sympy.Matrix:
    """Cholesky's factor of a matrix of expressions. |u| stands as u: the laws of u xi and |u| xi are the same."""
    size = matrix.rows
    found = sympy.zeros(size, size)
    for j in range(size):
        pivot = sympy.factor(matrix[j, j] - sum(found[j, k] ** 2 for k in range(j)))
        if pivot == 0:
            continue
        found[j, j] = sympy.sqrt(pivot).replace(sympy.Abs, lambda u: u)
        for i in range(j + 1, size):
            below = matrix[i, j] - sum(found[i, k] * found[j, k] for k in range(j))
            found[i, j] = sympy.cancel(below / found[j, j])
    return found


def _row(row: Sequence[object]) -> str:
    return f"({', '.join(map(str, row))})"


def _entry(value: Any) -> sympy.Expr:
    value = exact(value) if isinstance(value, str) else value
    good = not isinstance(value, (bool, np.bool_)) and (is_number(value) or is_symbolic(value))
    if good and not finite(value):
        raise ParameterError(f"a covariance with the entry {shown(value)}", "finite variances", FIX)
    if not good or isinstance(value, complex) or (is_symbolic(value) and value.is_real is False):
        raise ParameterError(
            f"a covariance with the entry {shown(value)}",
            "a number, one per player, or a matrix (d, d)",
            made(value, FIX),
        )
    return exact(value)


def _read(given: object) -> Any:
    """A number, a tuple of numbers, or a tuple of rows, exact. Raises ParameterError for what is no covariance."""
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


def _semidefinite(rows: tuple[tuple[sympy.Expr, ...], ...], where: str = "") -> None:
    """Refuse a matrix that is not symmetric or has a negative eigenvalue; one with free symbols need be symmetric."""
    matrix = sympy.Matrix(rows)
    if matrix.free_symbols:
        if any(sympy.simplify(e) != 0 for e in matrix - matrix.T):
            raise ParameterError(f"a covariance that is not symmetric{where}", "a symmetric matrix", FIX)
        return
    if any(e.is_real is False or not e.is_finite for e in matrix):
        raise ParameterError(f"a covariance that is not finite{where}", "finite variances", FIX)
    numbers = np.array([[float(e) for e in row] for row in rows])
    correlations, _ = scaled(numbers)
    if not np.isfinite(correlations).all():
        raise ParameterError(f"a covariance with a coordinate that has no variance{where}", "zeros beside it", FIX)
    if not np.abs(correlations - correlations.T).max() <= ROUNDING:
        raise ParameterError(f"a covariance that is not symmetric{where}", "a symmetric matrix", FIX)
    if np.diag(numbers).min() < 0 or not float(np.linalg.eigvalsh(correlations)[0]) >= -ROUNDING:
        lowest = float(np.linalg.eigvalsh(numbers)[0])
        raise ParameterError(
            f"a covariance with the eigenvalue {lowest:.6g}, not positive semidefinite{where}", "eigenvalues >= 0", FIX
        )


def scaled(covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(R, s): the covariance as s_i R_ij s_j with ones on the diagonal of R, so that units of coordinates do not count.

    A coordinate without variance keeps its covariances as they are, infinite where they are not zero.
    """
    sizes = np.sqrt(np.abs(np.diag(covariance)))
    with np.errstate(divide="ignore", invalid="ignore"):
        found = covariance / sizes[:, None] / sizes
    return np.where(covariance == 0, 0.0, found), sizes
