"""A map applied k times, as one function on balls: V may rise at a single step and yet fall over k of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...symbolic.balls import Ball, BallFunction
from ...types import Array
from ...worlds import object_vector
from .ball_matrices import identity, meet, middle


class Iterated:
    """F^k with its Jacobian, by the chain rule along the orbit of a box; it has the methods of `BallFunction`.

    The box after j steps is enclosed as F^j(c) + DF^j (z - c): it turns with the map, where boxes along the axes would
    grow at every step.
    """

    def __init__(self, function: BallFunction, times: int) -> None:
        self.function, self.times = function, times
        self.coordinates, self.parameters = function.coordinates, function.parameters

    def enclose(self, z: Array, p: Sequence[Ball]) -> tuple[Array, Array]:
        """Balls that hold F^k(z), shape (n,), and its Jacobian, shape (n, n), for all z and p in the given balls."""
        centre = middle(z)
        offset, slope, box = z - centre, identity(len(z)), z
        for _ in range(self.times):
            value, jacobian = self.function.enclose(box, p)
            slope = jacobian @ slope
            centre = self.function.enclose(centre, p)[0]
            turned = centre + slope @ offset
            box = object_vector(meet(a, b) for a, b in zip(turned, value, strict=True))
            if not all(b.is_finite() for b in box):
                break
        return box, slope

    def values(self, z: Array, p: Sequence[float]) -> Array:
        """F^k(z) in floats, of the same shape as z."""
        for _ in range(self.times):
            z = self.function.values(z, p)
        return z

    def jacobian(self, z: Array, p: Sequence[float]) -> Array:
        """The Jacobian of F^k in floats at points z of shape (..., n), as an array of shape (..., n, n)."""
        slope = np.eye(np.shape(z)[-1])
        for _ in range(self.times):
            slope = self.function.jacobian(z, p) @ slope
            z = self.function.values(z, p)
        return slope
