"""An integrator for many starts at once, each with a step size of its own, for stiff and non-stiff equations.

The linearly implicit midpoint rule, extrapolated (Bader & Deuflhard 1983; Hairer & Wanner, Solving ODEs II, section
IV.9). Nothing here has a unit: errors are relative to sizes that the caller gives, and step sizes follow the orbit's
own pace.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from ...types import Array

PARTS = (2, 6, 10, 14, 22)
ORDER = 2 * len(PARTS) - 1  # that the size of the error estimate goes with
SAFETY, GROWTH, SHRINK = 0.8, 4.0, 0.1

# x (N, d) -> dx/dt (N, d) and its divergence (N,); x -> d(dx/dt)/dx (N, d, d)
Field = Callable[[Array], tuple[Array, Array]]
Slopes = Callable[[Array], Array]


@dataclasses.dataclass(frozen=True)
class Extrapolation:
    """One big step of dx/dt = f(x) and of dq/dt = div f(x) along it.

    With A = Df at the start of the step, h one of m parts of it and B = (I - h A)^-1, the increments of x are
    D_0 = B h f(x_0), D_k = D_(k-1) + 2 B (h f(x_k) - D_(k-1)), and at the end B (h f(x_m) - D_(m-1)). The error is a
    power series in 1/m^2; m = 2, 6, 10, 14, 22 and Neville's scheme take out its first terms. A stiff decay is damped
    as by an implicit method, at the price of linear equations only.
    """

    field: Field  # f and div f
    slopes: Slopes  # Df
    tolerance: float  # of the error of a step, relative to sizes that are given with it

    def __call__(self, x: Array, q: Array, h: Array) -> tuple[Array, Array, Array]:
        """(x, q) after a step of length h (N,), and the estimated error of x, shape (N, d)."""
        first, matrix = self.field(x), self.slopes(x)
        row: list[Array] = []
        for k, m in enumerate(PARTS):
            part = (h / m)[:, None]
            increment = self._parts(x, first, matrix, part, m)
            new = [increment]
            for j, above in enumerate(row):
                new.append(new[j] + (new[j] - above) / ((m / PARTS[k - j - 1]) ** 2 - 1))
            row = new
        best, before = row[-1], row[-2]
        return x + best[:, :-1], q + best[:, -1], np.abs(best - before)[:, :-1]

    def _parts(self, x: Array, first: tuple[Array, Array], matrix: Array, h: Array, m: int) -> Array:
        """The increments of x and of the integral q over m equal steps of length h."""
        inverse = _inverse(np.eye(x.shape[-1]) - h[..., None] * matrix)
        step, rise = _times(inverse, h * first[0]), h[:, 0] * first[1]
        moved, risen = step, rise
        for k in range(1, m + 1):
            value, growth = self.field(x + moved)
            change, more = _times(inverse, h * value - step), h[:, 0] * growth - rise
            step, rise = (step + 2 * change, rise + 2 * more) if k < m else (change, more)
            moved, risen = moved + step, risen + rise
        return np.concatenate([moved, risen[:, None]], -1)

    def judged(self, error: Array, sizes: Array, h: Array) -> tuple[Array, Array]:
        """Which steps are accurate enough, and the step size to try next; sizes: (N, d), positive."""
        worst = np.nan_to_num((error / (self.tolerance * sizes)).max(-1), nan=np.inf, posinf=np.inf)
        factor = SAFETY * np.maximum(worst, 1e-30) ** (-1 / ORDER)
        return worst <= 1, h * np.clip(factor, SHRINK, GROWTH)


def _times(matrix: Array, x: Array) -> Array:
    return np.asarray(np.einsum("nij,nj->ni", matrix, x))


def _inverse(matrix: Array) -> Array:
    """Inverses of many small matrices; NaN where one is singular or not finite."""
    if matrix.shape[-1] == 2:
        a, b, c, d = matrix[:, 0, 0], matrix[:, 0, 1], matrix[:, 1, 0], matrix[:, 1, 1]
        adjugate = np.stack([d, -b, -c, a], -1).reshape(-1, 2, 2)
        return np.asarray(adjugate / (a * d - b * c)[:, None, None])
    good = np.isfinite(matrix).all((-2, -1))
    good &= np.abs(np.linalg.det(np.where(good[:, None, None], matrix, 1.0))) > 0
    eye = np.eye(matrix.shape[-1])
    return np.where(good[:, None, None], np.linalg.inv(np.where(good[:, None, None], matrix, eye)), np.nan)
