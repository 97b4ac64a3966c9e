"""Linear systems matrix-free, by conjugate gradients and GMRES, on NumPy arrays and torch tensors of any shape.

The inner products run over all entries: the members of an ensemble are one block-diagonal system.
"""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from ..worlds import TORCH, Array, world_of, zeros_like

Operator = Callable[[Array], Array]


@dataclasses.dataclass(frozen=True)
class Solve:
    """How a linear solve ended: products used, |b - A x| / |b| as measured by a last product, and its success."""

    iterations: int
    residual: float
    converged: bool


def conjugate_gradients(
    operator: Operator, rhs: Array, start: Array | None = None, tolerance: float = 1e-10, limit: int = 200
) -> tuple[Array, dict[str, Any]]:
    """x with operator(x) = rhs for a symmetric positive definite operator (Hestenes & Stiefel 1952), as `gmres`."""
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
) -> tuple[Array, dict[str, Any]]:
    """x with operator(x) = rhs for an invertible operator, of smallest residual in the Krylov space, without restarts.

    Saad & Schultz (1986). `limit` vectors are kept.

    The tolerance is relative to rhs, which may have any shape. Returns x and a report: "iterations", "residual", which
    is |rhs - operator(x)| / |rhs| as the small system tells it, and "exhausted" where the whole space holds no answer.
    """
    x = zeros_like(rhs) if start is None else start
    residual = rhs if start is None else rhs - operator(start)
    size, goal = _total(residual, residual) ** 0.5, tolerance * _total(rhs, rhs) ** 0.5
    if size <= goal:
        return x, _report(0, size**2, rhs)
    library = sys.modules["torch"] if world_of(rhs) == TORCH else np
    basis, columns = [(residual / size).reshape(-1)], np.zeros((limit + 1, limit))
    left, count, scale, extent = size, 0, 0.0, math.inf
    coefficients: Any = ()
    while left > goal and count < limit:
        u = operator(basis[-1].reshape(rhs.shape)).reshape(-1)
        scale = max(scale, _total(u, u) ** 0.5)
        span = library.stack(basis)
        for _ in range(2):  # twice, so that the basis stays orthogonal to rounding
            overlap = span @ u
            u = u - overlap @ span
            columns[: count + 1, count] += overlap.detach().cpu().numpy() if world_of(overlap) == TORCH else overlap
        columns[count + 1, count] = extent = _total(u, u) ** 0.5
        count += 1
        target = np.zeros(count + 1)
        target[0] = size
        hessenberg = columns[: count + 1, :count]
        coefficients = np.linalg.lstsq(hessenberg, target, rcond=None)[0]
        left = float(np.linalg.norm(target - hessenberg @ coefficients))
        if extent <= 1e-14 * scale:
            break
        basis.append(u / extent)
    for coefficient, b in zip(coefficients, basis, strict=False):
        x = x + float(coefficient) * b.reshape(rhs.shape)
    exhausted = left > goal and (extent <= 1e-14 * scale or count >= math.prod(rhs.shape))
    return x, {**_report(count, left**2, rhs), "exhausted": exhausted}


def _total(u: Array, v: Array) -> float:
    return float((u * v).sum())


def _report(count: int, square: float, rhs: Array) -> dict[str, float]:
    scale = _total(rhs, rhs) ** 0.5
    return {"iterations": count, "residual": square**0.5 / scale if scale else square**0.5}
