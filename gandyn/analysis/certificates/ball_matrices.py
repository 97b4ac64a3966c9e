"""Arrays of balls: boxes, ends, norms, and inverses and square roots of matrices of them."""

from __future__ import annotations

import numpy as np

from ...symbolic.balls import Ball, hull, namespace, require_flint
from ...types import Array
from ...worlds import object_vector

NORM_SLACK = 1e-9


def one() -> Ball:
    """The number 1 as a ball of radius 0."""
    return namespace()["ball"](1)


def identity(n: int) -> Array:
    """The n by n identity matrix as an object array of balls of radius 0."""
    return points(np.eye(n))


def points(values: Array) -> Array:
    """Floats as balls of radius 0, in an object array of the same shape."""
    ball = namespace()["ball"]
    array = np.asarray(values, dtype=float)
    return object_vector(ball(float(v)) for v in array.ravel()).reshape(array.shape)


def box(low: Array, high: Array) -> Array:
    """Balls that enclose the intervals [low, high], one for each pair of floats."""
    return object_vector(hull(a, b) for a, b in zip(low, high, strict=True))


def middle(balls: Array) -> Array:
    """The midpoints of an array of balls, as balls of radius 0."""
    return object_vector(b.mid() for b in balls)


def meet(x: Ball, y: Ball) -> Ball:
    """The intersection of two balls that enclose the same number."""
    if not x.is_finite():
        return y
    return x.intersection(y) if y.is_finite() else x


def ends(ball: Ball) -> tuple[float, float]:
    """The lower and the upper end of a ball as floats, rounded outward."""
    return _outward(ball.lower(), -np.inf), _outward(ball.upper(), np.inf)


def magnitude(ball: Ball) -> float:
    """The largest absolute value in a ball, as a float rounded up."""
    return _outward(ball.abs_upper(), np.inf)


def _outward(point: Ball, direction: float) -> float:
    value = float(point)
    return value if namespace()["ball"](value) == point else float(np.nextafter(value, direction))


def inverse(matrix: Array) -> Array | None:
    """The inverse of a matrix of balls; None where it is not proven invertible."""
    flint = require_flint("ball arithmetic")
    n = len(matrix)
    try:
        found = flint.arb_mat(n, n, list(matrix.ravel())).inv()
    except ZeroDivisionError:
        return None
    return object_vector(found.entries()).reshape(n, n)


def positive_definite(matrix: Array) -> bool:
    """Whether every symmetric matrix in an enclosure is positive definite, by Gaussian elimination on balls."""
    rows = np.array(matrix, dtype=object)
    for k in range(len(rows)):
        if not rows[k, k] > 0:
            return False
        for i in range(k + 1, len(rows)):
            rows[i, k + 1 :] = rows[i, k + 1 :] - rows[i, k] / rows[k, k] * rows[k, k + 1 :]
    return True


def cholesky(matrix: Array) -> Array | None:
    """L with L L^T = matrix, lower triangular, as balls; None where the matrix is not proven positive definite."""
    n = len(matrix)
    lower = points(np.zeros((n, n)))
    for i in range(n):
        for j in range(i + 1):
            rest = matrix[i, j] - sum((lower[i, k] * lower[j, k] for k in range(j)), 0 * one())
            if i == j and not rest > 0:
                return None
            lower[i, j] = rest.sqrt() if i == j else rest / lower[j, j]
    return lower


def norm_bound(matrix: Array) -> float:
    """A number that the 2-norm of no matrix in the enclosure exceeds."""
    centre = np.array([[float(b.mid()) for b in row] for row in matrix])
    guess = float(np.linalg.norm(centre, 2))
    gram = matrix.T @ matrix
    for slack in (NORM_SLACK, 1e-6, 1e-3, 3e-2, 0.2, 1.0):
        bound = guess * (1 + slack) + 1e-300
        if positive_definite(points(np.eye(len(gram))) * namespace()["ball"](bound) ** 2 - gram):
            return bound
    return float(np.sqrt(sum(magnitude(b) ** 2 for b in matrix.ravel()))) * (1 + NORM_SLACK)
