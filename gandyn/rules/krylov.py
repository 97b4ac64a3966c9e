"""Linear systems inside a step: dense and exact where small, matrix-free (CG, GMRES) on networks.

An ensemble is one block-diagonal system here: the inner products run over all of its members.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import ConvergenceError, GandynError, ParameterError
from ..types import Array, Game, Info, Rule
from ..worlds import DENSE_SOLVE_LIMIT, SYMBOLS, full, solve_dense, stack, world_of, zeros_like

Operator = Callable[[Array], Array]
SOLVERS = ("auto", "dense", "krylov")


def check_solver(rule: Rule, solver: str) -> None:
    """Refuse a solver that is not one of `SOLVERS`."""
    if solver not in SOLVERS:
        raise ParameterError(f"{rule.name}(solver={solver!r})", f"one of {', '.join(SOLVERS)}", 'solver="auto"')


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
) -> tuple[Array, Info]:
    """x with operator(x) = rhs, and how it was found.

    Args:
        rule: for messages. game: its `solve` does small systems, exactly on symbols.
        operator: linear. rhs: shape (..., m).
        solver: "dense", "krylov", or "auto" by size. symmetric: positive definite, so that CG applies; GMRES otherwise.
        start: a first guess for the iterative solvers. tolerance: relative residual. limit: most iterations.

    Raises:
        ConvergenceError: where the matrix is singular; in an ensemble such members get nan.
            An iterative answer that falls short comes with its residual.
    """
    if world_of(rhs) == SYMBOLS or not is_iterative(solver, rhs.shape[-1]):
        try:
            return game.solve(operator, rhs), {"iterations": 0}
        except GandynError:
            raise
        except (ValueError, RuntimeError) as error:
            if rhs.ndim > 1:
                return _member_by_member(operator, rhs), {"iterations": 0}
            raise ConvergenceError(
                f"the linear system of {rule.name} on {game.name} is singular ({error})",
                "an invertible system",
                "start elsewhere, or use a rule that solves none",
            ) from error
    if _total(rhs, rhs) == 0:  # no residual is small relative to nothing; the answer is known
        return zeros_like(rhs), {"iterations": 0, "residual": 0.0}
    method = conjugate_gradients if symmetric else gmres
    return method(operator, rhs, start, tolerance, limit)


def _member_by_member(operator: Operator, rhs: Array) -> Array:
    """Dense solves of an ensemble in which some members' matrices are singular: nan there."""
    units = []
    for k in range(rhs.shape[-1]):
        unit = zeros_like(rhs)
        unit[..., k] = 1
        units.append(operator(unit))
    matrix = stack(units)
    m = rhs.shape[-1]
    answers = full(math.nan, 1, rhs) + zeros_like(rhs)
    for index in np.ndindex(tuple(rhs.shape[:-1])):
        entries = np.asarray(matrix[index].tolist())
        if np.isfinite(entries).all() and np.linalg.matrix_rank(entries) == m:
            answers[index] = solve_dense(matrix[index].__matmul__, rhs[index])
    return answers


def _total(u: Array, v: Array) -> float:
    return float((u * v).sum())


def conjugate_gradients(
    operator: Operator, rhs: Array, start: Array | None = None, tolerance: float = 1e-10, limit: int = 200
) -> tuple[Array, Info]:
    """Conjugate gradients for a symmetric positive definite operator (Hestenes & Stiefel 1952)."""
    x = zeros_like(rhs) if start is None else start
    residual = rhs if start is None else rhs - operator(start)
    goal = tolerance**2 * _total(rhs, rhs)
    direction, square, count = residual, _total(residual, residual), 0
    while square > goal and count < limit:
        image = operator(direction)
        length = square / _total(direction, image)
        x, residual = x + length * direction, residual - length * image
        square, before = _total(residual, residual), square
        direction = residual + (square / before) * direction
        count += 1
    return x, _report(count, square, rhs)


def gmres(
    operator: Operator, rhs: Array, start: Array | None = None, tolerance: float = 1e-10, limit: int = 200
) -> tuple[Array, Info]:
    """GMRES without restarts, for any invertible operator (Saad & Schultz 1986): `limit` vectors are kept."""
    x = zeros_like(rhs) if start is None else start
    residual = rhs if start is None else rhs - operator(start)
    size, goal = _total(residual, residual) ** 0.5, tolerance * _total(rhs, rhs) ** 0.5
    if size <= goal:
        return x, _report(0, size**2, rhs)
    basis, columns = [residual / size], np.zeros((limit + 1, limit))
    left, count = size, 0
    coefficients: Any = ()
    while left > goal and count < limit:
        u = operator(basis[-1])
        for _ in range(2):  # twice, so that the basis stays orthogonal to rounding
            for k, b in enumerate(basis):
                overlap = _total(b, u)
                columns[k, count] += overlap
                u = u - overlap * b
        columns[count + 1, count] = extent = _total(u, u) ** 0.5
        count += 1
        target = np.zeros(count + 1)
        target[0] = size
        hessenberg = columns[: count + 1, :count]
        coefficients = np.linalg.lstsq(hessenberg, target, rcond=None)[0]
        left = float(np.linalg.norm(target - hessenberg @ coefficients))
        if extent <= 1e-14 * size:
            break
        basis.append(u / extent)
    for coefficient, b in zip(coefficients, basis, strict=False):
        x = x + float(coefficient) * b
    return x, _report(count, left**2, rhs)


def _report(count: int, square: float, rhs: Array) -> dict[str, Any]:
    scale = _total(rhs, rhs) ** 0.5
    return {"iterations": count, "residual": square**0.5 / scale if scale else square**0.5}
