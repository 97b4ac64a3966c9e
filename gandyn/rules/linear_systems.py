"""Linear systems inside a step: dense and exact where small, matrix-free (CG, GMRES) on networks.

An ensemble is one block-diagonal system here: the inner products run over all of its members.
"""

from __future__ import annotations

import math
import sys
from types import ModuleType

import numpy as np

from ..errors import ConvergenceError, GandynError
from ..krylov.solvers import Operator, conjugate_gradients, gmres
from ..types import Array, Game, Info, Rule
from ..worlds import DENSE_SOLVE_LIMIT, SYMBOLS, TORCH, stack, where, world_of, zeros_like

SOLVERS = ("auto", "dense", "krylov")


def is_iterative(solver: str, size: int) -> bool:
    """Whether a system of this size is solved matrix-free."""
    return solver == "krylov" or (solver == "auto" and size > DENSE_SOLVE_LIMIT)


def solve(
    rule: Rule,
    game: Game,
    operator: Operator,
    rhs: Array,
    *,
    solver: str = "auto",
    symmetric: bool = False,
    start: Array | None = None,
    tolerance: float = 1e-10,
    limit: int = 200,
    sharp: bool = False,
) -> tuple[Array, Info]:
    """x with operator(x) = rhs, and how it was found.

    The game's own `solve` does small systems, exactly on symbols. `solver` is "dense", "krylov", or "auto" by size; CG
    applies where the operator is `symmetric` and positive definite, GMRES otherwise, to a relative residual of
    `tolerance` in at most `limit` iterations. With `sharp` a matrix that is singular to working precision counts as
    singular; without, only one that is exactly so. Raises ConvergenceError where the matrix is singular (in an ensemble
    such members get nan), or, matrix-free, where the whole Krylov space holds no answer. A solution that falls short at
    `limit` comes with its residual.
    """
    if world_of(rhs) == SYMBOLS:
        try:
            return game.solve(operator, rhs), {"iterations": 0}
        except GandynError:
            raise
        except ValueError as error:
            raise _singular(rule, game) from error
    if not is_iterative(solver, rhs.shape[-1]):
        return _solve_small(rule, game, operator, rhs, sharp), {"iterations": 0}
    unit, lost = _units(rhs)
    rhs = where(lost, zeros_like(rhs), rhs) / unit
    if not bool((rhs != 0).any()):  # no residual is small relative to nothing; the answer is known
        answer, info = zeros_like(rhs), {"iterations": 0, "residual": 0.0}
    else:
        method = conjugate_gradients if symmetric else gmres
        start = None if start is None else where(lost, zeros_like(rhs), start) / unit
        answer, info = method(operator, rhs, start, tolerance, limit)
    if info.pop("exhausted", False):
        raise _singular(rule, game)
    return where(lost, math.nan + rhs, unit * answer), info


def _units(rhs: Array) -> tuple[Array, Array]:
    """Each member's largest |entry| to a power of two, (..., 1), and which members are not finite.

    In these units squares neither overflow nor vanish, and no member of an ensemble is small beside another.
    """
    library = _library(rhs)
    size = abs(rhs).max(-1, keepdims=True) if library is np else rhs.detach().abs().amax(-1, keepdim=True)
    lost = ~library.isfinite(size)
    return library.exp2(library.floor(library.log2(where(lost | (size == 0), library.ones_like(size), size)))), lost


def _singular(rule: Rule, game: Game) -> ConvergenceError:
    return ConvergenceError(
        f"the linear system of {rule.name} on {game.name} is singular",
        "an invertible system",
        "start elsewhere, or use a rule that solves none",
    )


def _solve_small(rule: Rule, game: Game, operator: Operator, rhs: Array, sharp: bool) -> Array:
    """By the dense matrix, members with a singular one getting nan."""
    if not sharp:
        try:
            return game.solve(operator, rhs)
        except GandynError:
            raise
        except (ValueError, RuntimeError):
            pass  # some member's matrix is singular: which, the condition numbers tell
    matrix = dense(operator, rhs)
    singular = _condition(matrix) >= (1 / (32 * matrix.shape[-1] * _precision(matrix)) if sharp else math.inf)
    if not bool(singular.any()):
        return game.solve(lambda u: _apply(matrix, u), rhs)
    if rhs.ndim == 1:
        raise _singular(rule, game)
    lost = singular[..., None]
    regular = where(lost[..., None], zeros_like(matrix) + _identity(matrix), matrix)
    return where(lost, math.nan * rhs, game.solve(lambda u: _apply(regular, u), rhs))


def dense(operator: Operator, like: Array) -> Array:
    """The matrix of a linear operator on the last axis, (..., m, m): one product a column."""
    columns = []
    for k in range(like.shape[-1]):
        unit = zeros_like(like)
        unit[..., k] = 1
        columns.append(operator(unit))
    return stack(columns)


def _apply(matrix: Array, u: Array) -> Array:
    return (matrix @ u[..., None])[..., 0]


def _library(array: Array) -> ModuleType:
    return sys.modules["torch"] if world_of(array) == TORCH else np


def _precision(array: Array) -> float:
    return float(_library(array).finfo(array.dtype).eps)


def _identity(matrix: Array) -> Array:
    units = _library(matrix).eye(matrix.shape[-1], dtype=matrix.dtype)
    return units.to(matrix.device) if world_of(matrix) == TORCH else units


def _condition(matrix: Array) -> Array:
    """Condition numbers in the 1-norm: inf where singular, nan where not finite."""
    library = _library(matrix)
    return library.linalg.cond(matrix.detach() if world_of(matrix) == TORCH else matrix, 1) + 0 * matrix[..., 0, 0]
