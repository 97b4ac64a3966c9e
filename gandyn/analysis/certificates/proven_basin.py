"""How far out a quadratic Lyapunov function is proven to decrease, for a nonlinear map or flow, by ball arithmetic."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Sequence

import numpy as np

from ...symbolic.balls import Ball
from ...types import Array
from ...worlds import object_vector
from .ball_matrices import (
    box,
    cholesky,
    ends,
    identity,
    inverse,
    magnitude,
    meet,
    middle,
    norm_bound,
    one,
    points,
    positive_definite,
)
from .enclosures import System
from .krawczyk import Unproven
from .shapes import shadow

SHRINK = (1.0, 0.93, 0.8, 0.6, 0.4, 0.2, 0.1, 0.03, 0.01, 0.001)
THIN = 1e-11
PARTS = (1, 8, 32)  # of a segment, over which averages are taken


@dataclasses.dataclass(frozen=True)
class Ellipsoid:
    """The points z* + T y with |y| <= level, proven to be mapped into the same set and to converge to z*."""

    transform: Array  # T
    level: float  # R
    radius: float  # of a ball of starts w around w* whose first augmented state lies inside
    steps: int = 1  # V falls over so many steps; in between the state may leave the ellipsoid


@dataclasses.dataclass(frozen=True)
class Decrease:
    """The question whether V(z) = |T^-1 (z - z*)|^2 decreases at every step, or along the flow."""

    system: System
    fixed: Array  # balls around z*
    # parameter values, each a list of balls, that decide: one case that holds the whole ranges, or their corners, where
    # F is affine in each parameter and z* the same for all: the norm of a matrix and the square of a vector are convex,
    # so they are largest at corners
    cases: tuple[Sequence[Ball], ...]
    matrix: Array  # balls around T
    back: Array  # balls around its inverse

    @classmethod
    def of(cls, system: System, fixed: Array, cases: Sequence[Sequence[Ball]], transform: Array) -> Decrease | None:
        """The question for a matrix T of floats, which are taken as exact; None where T is not proven invertible."""
        matrix = points(transform)
        back = inverse(matrix)
        return None if back is None else cls(system, fixed, tuple(cases), matrix, back)

    @classmethod
    def of_form(cls, system: System, fixed: Array, cases: Sequence[Sequence[Ball]], form: Array) -> Decrease | None:
        """The question for V(z) = (z - z*)^T P (z - z*); None where P is not proven positive definite."""
        lower = cholesky(form)
        matrix = None if lower is None else inverse(lower.T)
        return None if lower is None or matrix is None else cls(system, fixed, tuple(cases), matrix, lower.T)

    @functools.cached_property
    def transform(self) -> Array:
        """The matrix T in floats, shape (D, D)."""
        return np.array([[float(e.mid()) for e in row] for row in self.matrix])

    def _definite(self, slope: Array) -> bool:
        """Whether V decreases on all vectors for every matrix in B = T^-1 DF T."""
        if self.system.flow:
            return positive_definite(slope + slope.T)
        return positive_definite(identity(len(slope)) - slope.T @ slope)

    def _slope(self, z: Array, p: Sequence[Ball]) -> Array:
        return self.back @ self.system.function.enclose(z, p)[1] @ self.matrix

    def at_fixed_point(self) -> bool:
        """Whether the linear part contracts in this norm for all parameters: the point then attracts."""
        return all(self._definite(self._slope(self.fixed, p)) for p in self.cases)

    def holds(self, level: float, budget: int) -> tuple[Unproven | None, int]:
        """Prove the decrease on 0 < |y| <= level: (None, boxes used), or where it fails.

        A box is settled where B contracts over the segments from 0 to it, since F(z) - z* is then B y with B an
        average of such matrices; or where V(z+) - V(z), expanded about the box's centre, is negative.
        """
        n = len(self.fixed)
        stack: list[tuple[Array, Array, Sequence[Ball]]] = [(np.full(n, -level), np.full(n, level), self.cases)]
        count = 0
        while stack:
            a, b, cases = stack.pop()
            nearest = np.maximum(np.maximum(a, -b), 0.0)
            if np.sqrt((nearest**2).sum()) > level * (1 + 1e-12):
                continue
            y = box(a, b)
            left, cost, values = [], b - a, {}
            for p in cases:
                count += 1
                change, at_centre, slopes = self._settle(y, p)
                if change is None or at_centre is None:
                    left.append(p)
                elif not change < 0:
                    left.append(p)
                    values = {"change of V": ends(change)}
                    if at_centre > 0 and np.sqrt(((0.5 * (a + b)) ** 2).sum()) < level:
                        return Unproven("V increases here", self.outline(self.matrix @ y), values, True), count
                    cost = (b - a) * slopes if np.isfinite(slopes).all() and slopes.any() else cost
            if not left:
                continue
            if count >= budget or (b - a).max() < 1e-9 * level:
                where = self.outline(self.matrix @ y)
                return Unproven("V could not be shown to decrease here", where, values), count
            k = int(np.argmax(cost))
            upper, lower = b.copy(), a.copy()
            upper[k] = lower[k] = 0.5 * (a[k] + b[k])
            stack += [(a, upper, left), (lower, b, left)]
        return None, count

    def contracts(self, level: float, budget: int) -> tuple[Unproven | None, int]:
        """Prove that the average of B over each segment from 0 to |y| <= level contracts: (None, boxes), or where not.

        F(z) - z* is that average, times y. It is linear in the coordinates on which DF does not depend, so only the
        others are bisected, which are few where a rule's memory makes the dimension large.
        """
        active, n = self.system.active, len(self.fixed)
        if not active:
            return None if self.at_fixed_point() else Unproven("no contraction", self.outline()), 1
        root = shadow(self.transform, active)
        back = inverse(points(root))
        if back is None:
            return Unproven("no contraction", self.outline()), 0
        reach = level * norm_bound(back @ self.matrix[active])
        stack = [(np.full(len(active), -reach), np.full(len(active), reach))]
        count = 0
        while stack:
            a, b = stack.pop()
            nearest = np.maximum(np.maximum(a, -b), 0.0)
            if np.sqrt((nearest**2).sum()) > reach * (1 + 1e-12):
                continue
            count += 1
            u = points(np.zeros(n))
            u[active] = points(root) @ box(a, b)
            if all(self._on_average(u, p) for p in self.cases):
                continue
            if count >= budget or (b - a).max() < 1e-3 * reach:
                return Unproven("the derivative could not be shown to contract here", self.outline(u)), count
            k = int(np.argmax(b - a))
            upper, lower = b.copy(), a.copy()
            upper[k] = lower[k] = 0.5 * (a[k] + b[k])
            stack += [(a, upper), (lower, b)]
        return None, count

    def _on_average(self, u: Array, p: Sequence[Ball]) -> bool:
        """Whether the integral over t in [0, 1] of B(z* + t u) contracts for all u in a box, by sums over parts."""
        for parts in PARTS if len(self.system.active) <= 2 else PARTS[:-1]:
            cuts = [one() * k / parts for k in range(parts + 1)]
            slopes = [self._slope(self.fixed + a.union(b) * u, p) for a, b in itertools.pairwise(cuts)]
            if self._definite(sum(slopes[1:], slopes[0]) / parts):
                return True
        return False

    def _settle(self, y: Array, p: Sequence[Ball]) -> tuple[Ball | None, Ball | None, Array]:
        """The change of V over a box of y and at its centre, and sizes of its slopes; None where the box holds 0.

        A change of -1 stands for a box over which B contracts.
        """
        u = self.matrix @ y
        toward = object_vector(e.union(0 * e.mid()) for e in u)
        whole = self._slope(self.fixed + toward, p)
        if self._definite(whole):
            return -one(), -one(), None
        if all(e.contains(0) for e in y):
            return None, None, None
        return self._change(y, u, whole @ y, p)

    def _change(self, y: Array, u: Array, first: Array, p: Sequence[Ball]) -> tuple[Ball, Ball, Array]:
        """V(z+) - V(z) (dV/dt for a flow), expanded about the centre of a box that excludes 0."""
        c = middle(y)
        at_centre = self._image(self.matrix @ c, p)
        slope = self._slope(self.fixed + u, p)
        offset = y - c
        image = at_centre + slope @ offset
        image = object_vector(meet(g, h) for g, h in zip(image, first, strict=True))
        if self.system.flow:
            base, gradient = -2 * (c @ at_centre), -2 * (image + slope.T @ y)
            plain = -2 * (y @ image)
        else:
            base, gradient = at_centre @ at_centre - c @ c, 2 * (slope.T @ image - y)
            plain = sum(_square(g) for g in image) - sum(_square(e) for e in y)
        sizes = np.array([float(g.abs_upper()) for g in gradient])
        return meet(base + gradient @ offset, plain), base, sizes

    def _image(self, u: Array, p: Sequence[Ball]) -> Array:
        """T^-1 (F(z* + u) - F(z*)) for a point u; F(z*) is z*, and v(z*) is 0.

        Where z* is known only within wide balls, its uncertainty enters through the difference of slopes.
        """
        function, n = self.system.function, middle(self.fixed)
        if max(float(b.rad()) for b in self.fixed) < THIN:
            moved = function.enclose(self.fixed + u, p)[0]
            return self.back @ (moved if self.system.flow else moved - self.fixed)
        moved = function.enclose(n + u, p)[0] - function.enclose(n, p)[0]
        change = function.enclose(self.fixed + u, p)[1] - function.enclose(self.fixed, p)[1]
        return self.back @ (moved + change @ (self.fixed - n))

    def outline(self, u: Array = 0) -> tuple[tuple[float, float], ...]:
        """Intervals that hold z* + u, one (low, high) for each coordinate."""
        return tuple(ends(e) for e in self.fixed + u)


def _square(x: Ball) -> Ball:
    low, high = x.abs_lower(), x.abs_upper()
    return (low * low).union(high * high)


def start_bounds(decrease: Decrease, radius: float) -> tuple[float, float]:
    """(offset, slope): a start within a distance r <= radius of w* has |y| <= offset + slope r after `rule.init`."""
    system, fixed = decrease.system, decrease.fixed
    d = system.game.dim
    reach = system.reach
    around, offset, steepest = fixed[:d] + box(-radius * reach, radius * reach), 0.0, 0.0
    for p in decrease.cases:
        first = system.start.enclose(fixed[:d], p)[0] - fixed
        first[:d] = points(np.zeros(d))
        offset = max(offset, magnitude(sum(_square(e) for e in decrease.back @ first).sqrt()))
        steepest = max(steepest, norm_bound(decrease.back @ system.start.enclose(around, p)[1] * points(reach)))
    return offset, steepest


def largest(
    decrease: Decrease, guess: float, capped: bool, most: float, effort: int, shares: Sequence[float] = SHRINK
) -> tuple[Ellipsoid | None, Unproven | None, int]:
    """(the largest ellipsoid proven among shrinking guesses, what stopped the next larger one, boxes used).

    Up to the level `guess` floats see no increase of V; where `capped`, none above it either. No start beyond the
    radius `most` is asked for. The first attempt takes at most `effort` boxes, and only the first of `shares` of the
    guess is tried where capped.
    """
    if guess <= 0 or not decrease.at_fixed_point():
        return None, Unproven("no one quadratic function serves these parameters", decrease.outline()), 1
    stopped, total = None, 0
    for share in shares[0 if capped else 1 :]:
        budget = max(effort - total, effort // 3)  # what fails at once leaves its time to the next
        prove = decrease.holds if len(decrease.fixed) <= 2 else decrease.contracts
        obstacle, used = prove(share * guess, budget)
        total += used
        if obstacle is None:
            radius = _radius(decrease, share * guess, most)
            return Ellipsoid(decrease.transform, share * guess, radius), stopped, total
        stopped = obstacle
    return None, stopped, total


def _radius(decrease: Decrease, level: float, most: float) -> float:
    """A radius of starts that begin inside the ellipsoid, from bounds over the ball of these starts."""

    def inside(radius: float) -> float:
        """The radius of starts that follows from bounds over the ball of the given radius."""
        offset, slope = start_bounds(decrease, radius)
        return (level - offset) / slope

    radius, beyond = most, most
    for _ in range(60):
        allowed = inside(radius)
        if allowed >= radius:
            break
        if allowed <= 0:
            return 0.0
        beyond, radius = radius, (1 - 1e-9) * allowed if np.isfinite(allowed) else radius / 2
    else:
        return 0.0
    for _ in range(12 if radius < most else 0):  # bounds over the larger ball may have been too wide
        middle = 0.5 * (radius + beyond)
        radius, beyond = (middle, beyond) if inside(middle) >= middle else (radius, middle)
    return radius
