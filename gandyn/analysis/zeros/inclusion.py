"""Krawczyk's operator on many boxes at once: it narrows a box, excludes it, or proves that it holds exactly one zero.

K(X) = m - Y g(m) + (I - Y Dg(X)) (X - m) holds every zero in X; K inside the interior of X proves that there is exactly
one (Krawczyk 1969; Neumaier 1990, theorem 5.1.8). Dg(X) holds all slopes of a continuous g, kinks included; on a box
that may hold a jump only the range of g is used. Rounding is outward throughout.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from ...symbolic.intervals import Interval
from ...types import Array
from .equations import Local

EPS = float(np.finfo(float).eps)
RADII = (1.0, 0.5, 0.2, 0.1, 0.03, 0.01, 3e-3, 1e-3, 1e-4, 1e-5, 1e-6, 1e-8, 1e-10)
INFLATIONS, REFINEMENTS = 6, 6
NARROWED = 0.2  # Newton's method halves the distance to a double zero: what narrows faster may be a simple one
TRIES = 40  # of Newton's method


@dataclasses.dataclass(frozen=True)
class Zero:
    """An enclosure [low, high] of exactly one zero, and a wider box [left, right] that holds no other; units of u."""

    low: Array
    high: Array
    left: Array
    right: Array

    def alone_in(self, low: Array, high: Array) -> Array:
        """For each box (low, high), whether it lies in the wider box in which this zero is the only one."""
        return np.asarray(((low >= self.left) & (high <= self.right)).all(-1))


@dataclasses.dataclass(frozen=True)
class Inclusion:
    """Tests for zeros in boxes of u, whose ends have shape (N, d)."""

    local: Local

    @property
    def d(self) -> int:
        """The number d of unknowns, as many as there are equations."""
        return len(self.local.centre)

    def narrow(self, low: Array, high: Array) -> tuple[Array, Array, Array]:
        """The parts of boxes (N, d) that may hold zeros: (low, high, whether the box became much narrower)."""
        f_low, f_high, continuous, nowhere = self.local.field.survey(low, high)
        may = ((f_low <= 0) & (f_high >= 0)).all(-1) & ~nowhere
        if self.local.conditions is not None:
            may &= (self.local.conditions(low, high)[1] >= 0).all(-1)
        low, high = low[may], high[may]
        if not len(low):
            return low, high, np.zeros(0, dtype=bool)
        a, b, slopes_exclude = self._image(low, high, continuous[may])
        new_low, new_high = np.maximum(low, a), np.minimum(high, b)
        kept = (new_low <= new_high).all(-1) & ~slopes_exclude
        close = ((b - a) < NARROWED * (high - low)).all(-1)
        return new_low[kept], new_high[kept], close[kept]

    def _image(self, low: Array, high: Array, continuous: Array = None) -> tuple[Array, Array, Array]:
        """The ends of K(X), infinite where it is not known, and whether g(m) + Dg(X)(X - m) excludes 0.

        Whether g is `continuous` on each box is looked up where it is not given.
        """
        m = low + (high - low) / 2
        reach = np.nextafter(np.maximum(high - m, m - low), np.inf)
        f_middle, f_radius = _ball(*self.local.field(m, m))
        j_low, j_high, _, _ = self.local.jacobian.survey(low, high)
        middle, radius = (part.reshape(-1, self.d, self.d) for part in _ball(j_low, j_high))
        certain = self.local.field.survey(low, high)[2] if continuous is None else continuous  # no jump
        certain = certain & np.isfinite(middle).all((-2, -1)) & np.isfinite(radius).all((-2, -1))
        certain &= np.isfinite(f_middle).all(-1) & np.isfinite(f_radius).all(-1)
        middle, radius = (np.where(certain[:, None, None], part, 0.0) for part in (middle, radius))
        f_middle, f_radius = (np.where(certain[:, None], part, 0.0) for part in (f_middle, f_radius))
        slack = 8 * (self.d + 2) * EPS
        span = ((np.abs(middle) + radius) @ reach[..., None])[..., 0] * (1 + slack) + f_radius
        excludes = certain & (np.abs(f_middle) * (1 - slack) > span).any(-1)
        with np.errstate(all="ignore"):
            exponents = -np.frexp((np.abs(middle) + radius).max(-1))[1]  # rows in units of their own size, exactly
            middle, radius = (np.ldexp(part, exponents[..., None]) for part in (middle, radius))
            f_middle, f_radius = (np.ldexp(part, exponents) for part in (f_middle, f_radius))
        eye = np.eye(self.d)
        bounded = np.isfinite(f_middle).all(-1) & np.isfinite(f_radius).all(-1)
        f_middle, f_radius = (np.where(bounded[:, None], part, 0.0) for part in (f_middle, f_radius))
        usable = certain & bounded & (np.abs(np.linalg.det(middle)) > 1e-40)
        y = np.linalg.inv(np.where(usable[:, None, None], middle, eye))
        size = np.abs(y)
        defect = np.abs(eye - y @ middle) + size @ radius + slack * (eye + size @ (np.abs(middle) + radius))
        centre = m - (y @ f_middle[..., None])[..., 0]
        spread = (size @ (f_radius + slack * np.abs(f_middle))[..., None] + defect @ reach[..., None])[..., 0]
        spread = spread * (1 + slack) + 4 * EPS * (np.abs(m) + np.abs(centre)) + 1e-300
        usable &= np.isfinite(spread).all(-1) & np.isfinite(centre).all(-1)
        spread, centre = np.where(usable[:, None], spread, np.inf), np.where(usable[:, None], centre, m)
        return centre - spread, centre + spread, excludes

    def around(self, point: Array) -> Zero | None:
        """A proven zero near a point (d,), with the widest of some boxes in which it is the only one; None if none."""
        a, b, _ = self._image(point[None], point[None])
        reach = np.abs(np.stack([a[0], b[0]]) - point).max(0)
        if not np.isfinite(reach).all():
            return None
        reach = 2 * reach + 1e-15
        for _ in range(INFLATIONS):
            left, right = point - reach, point + reach
            a, b, _ = self._image(left[None], right[None])
            if self._inside(left, right, a, b):
                return self._refined(Zero(a[0], b[0], left, right))
            away = np.abs(np.stack([a[0], b[0]]) - point).max(0)
            if not np.isfinite(away).all() or reach.max() > 1:
                return None
            reach = np.maximum(1.3 * reach, 1.2 * np.minimum(away, 10 * reach))
        return None

    def _inside(self, low: Array, high: Array, a: Array, b: Array) -> bool:
        """Whether K(X) = [a, b] lies in the interior of X, and no factor that was divided out vanishes there."""
        return bool(((a > low) & (b < high)).all()) and not self.local.divides_by_zero(a[0], b[0])

    def _refined(self, zero: Zero) -> Zero:
        """The zero with a smaller enclosure and a larger box in which it is the only one."""
        low, high = zero.low, zero.high
        for _ in range(REFINEMENTS):
            a, b, _ = self._image(low[None], high[None])
            a, b = np.maximum(low, a[0]), np.minimum(high, b[0])
            if not (a <= b).all() or ((b - a) > 0.9 * (high - low)).all():
                break
            low, high = a, b
        middle, least = (low + high) / 2, (zero.right - zero.left).max()
        for radius in RADII:
            if radius < least:
                break
            left, right = middle - radius, middle + radius
            if (left <= zero.left).all() and (right >= zero.right).all():
                a, b, _ = self._image(left[None], right[None])
                if self._inside(left, right, a, b):
                    return Zero(low, high, left, right)
        return Zero(low, high, zero.left, zero.right)

    def newton(self, u: Array) -> Array:
        """The points (n, d), without repetition, at which Newton's method comes to rest from many starts u (N, d)."""
        step = np.full_like(u, np.inf)
        with np.errstate(all="ignore"):
            for _ in range(TRIES):
                f = _ball(*self.local.field(u, u))[0]
                j = _ball(*self.local.jacobian(u, u))[0].reshape(-1, self.d, self.d)
                good = np.isfinite(f).all(-1) & np.isfinite(j).all((-2, -1))
                u, f, j = u[good], f[good], j[good]
                sizes = np.maximum(np.abs(j).max(-1), 1e-300)
                step = (np.linalg.pinv(j / sizes[..., None]) @ (f / sizes)[..., None])[..., 0]
                u = u - step / np.maximum(1.0, 4.0 * np.abs(step).max(-1, keepdims=True))
        u = u[(np.abs(step).max(-1) < 1e-6) & (np.abs(u).max(-1) < 4)]
        return u[np.unique(np.round(u, 9), axis=0, return_index=True)[1]]


def _ball(low: Array, high: Array) -> Interval:
    """The middle and the radius of intervals, the radius rounded up."""
    with np.errstate(invalid="ignore", over="ignore"):
        middle = low + (high - low) / 2
        return middle, np.nextafter(np.maximum(high - middle, middle - low), np.inf)
