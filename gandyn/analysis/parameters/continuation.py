"""A branch of fixed points followed in a parameter by pseudo-arclength, past folds and back."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import numpy as np

from ...types import Array
from .system import Rescaled, System

TOLERANCE = 1e-13
MOST_POINTS, NEWTON = 4000, 12
SHORTEST = 1e-7


@dataclasses.dataclass(frozen=True)
class Family:
    """G(z, p) = 0 for the fixed points of a map (G = F - z) or a flow (G = F), in x = ((z, p) - origin) / scale.

    Every G_i is divided by the largest slope that it has at some points of the region, so that neither the units of
    the costs nor those of the coordinates nor their position matter.
    """

    system: System  # with its parameter free
    scale: Array  # typical size of each unknown, shape (D + 1,); the last is the range of the parameter
    origin: Array  # shape (D + 1,)
    rows: Array  # typical size of each G_i, shape (D,)
    rate: float  # typical size of an eigenvalue

    @classmethod
    def over(cls, system: System, bounds: Array, low: float, high: float, samples: Array) -> Family:
        """The family for fixed points w in bounds, shape (d, 2), and a parameter in [low, high].

        `samples`: points of the region at which typical sizes are measured, shape (n, d).
        """
        half, middle = np.diff(bounds)[:, 0] / 2, bounds.mean(-1)
        more = system.size - len(half)
        scale = np.append(np.concatenate([half, np.full(more, half.max())]), high - low)
        origin = np.append(np.concatenate([middle, np.zeros(more)]), low)
        rows, rates = [np.zeros(system.size)], [0.0]
        for p in np.linspace(low, high, 5):
            _, slopes = system.with_slopes(system.start(samples, p), p)
            slopes = slopes[np.isfinite(slopes).all((-2, -1))]
            matrices = slopes[..., : system.size]
            rates += list(np.abs(np.linalg.eigvals(matrices)).max(-1))
            moved = slopes - np.eye(system.size, system.size + 1) * system.discrete
            rows += list(np.abs(moved * scale).max(-1))
        largest = np.max(rows, axis=0)
        return cls(system, scale, origin, np.where(largest > 0, largest, 1.0), float(np.median(rates)) or 1.0)

    @functools.cached_property
    def rescaled(self) -> Rescaled:
        """The system in scaled coordinates, with the parameter as it is."""
        made = self.system
        program = made.symbols, made.parameter, made.bindings, made.outputs
        return Rescaled(made.game, made.rule, *program, self.origin[:-1], self.scale[:-1])

    def residual(self, x: Array) -> Array:
        """The value of G at x, in units of `rows`, shape (D,)."""
        z, p = self.split(x)
        image = self.system(z, p)
        return np.asarray(image - z if self.system.discrete else image) / self.rows

    def derivative(self, x: Array) -> Array:
        """The derivative dG/dx at x, in units of `rows`, shape (D, D + 1)."""
        z, p = self.split(x)
        matrix = self.system.jacobian(z, p) - (np.eye(self.system.size) if self.system.discrete else 0.0)
        return np.asarray(np.column_stack([matrix, self.system.slope(z, p)]) * self.scale) / self.rows[:, None]

    def split(self, x: Array) -> tuple[Array, float]:
        """The augmented point z, shape (D,), and the parameter p that belong to the scaled coordinates x."""
        y = x * self.scale + self.origin
        return y[:-1], float(y[-1])

    def join(self, z: Array, p: float) -> Array:
        """The scaled coordinates x, shape (D + 1,), of an augmented point z and a parameter p."""
        return (np.append(z, p) - self.origin) / self.scale

    def eigenvalues(self, x: Array) -> Array:
        """The eigenvalues at x of the map's derivative DF, or of the flow's matrix; complex, shape (D,)."""
        z, p = self.split(x)
        return np.asarray(np.linalg.eigvals(self.system.jacobian(z, p)).astype(complex))

    def distances(self, x: Array) -> Array:
        """|eigenvalue| - 1 or real part / rate, largest first: each is a continuous function along a branch."""
        values = self.eigenvalues(x)
        return np.sort(np.abs(values) - 1 if self.system.discrete else values.real / self.rate)[::-1]

    def tangent(self, x: Array, like: Array) -> Array:
        """The unit vector in the null space of dG/dx at x whose product with `like` is positive."""
        system_ = np.vstack([self.derivative(x), like])
        right = np.zeros(len(x))
        right[-1] = 1.0
        t = np.linalg.lstsq(system_, right, rcond=None)[0]
        return np.asarray(t / np.linalg.norm(t))

    def correct(self, guess: Array, tangent: Array) -> Array | None:
        """The solution nearest to a guess across the tangent, by Newton's method; None where it does not converge."""
        x = guess
        last = np.inf
        for _ in range(NEWTON):
            g = self.residual(x)
            if not np.isfinite(g).all():
                return None
            size = float(np.abs(g).max())
            if size < TOLERANCE * (1 + float(np.abs(x).max())) and size >= 0.5 * last:
                return x
            last = size
            matrix = np.vstack([self.derivative(x), tangent])
            if not np.isfinite(matrix).all():
                return None
            x = x - np.linalg.lstsq(matrix, np.append(g, tangent @ (x - guess)), rcond=None)[0]
            if float(np.abs(x - guess).max()) > 10:
                return None
        g = self.residual(x)
        return x if bool(np.abs(g).max() < 1e-10 * (1 + np.abs(x).max())) else None


@dataclasses.dataclass(frozen=True)
class Curve:
    """A computed branch in scaled unknowns: points (n, D + 1), unit tangents (n, D + 1), and why each end is one."""

    points: Array
    tangents: Array
    ends: tuple[str, str]


def follow(family: Family, x: Array, low: float, high: float, step: float, reach: float) -> Curve:
    """The branch through x, both ways, while low <= p <= high.

    x and the longest `step` are in scaled coordinates, low and high in the parameter's own; beyond the scaled distance
    `reach` from the origin it is left.
    """
    start = _first_tangent(family, x)
    forward = _half(family, x, start, (low, high), step, reach)
    if forward[2] == "closed":
        return Curve(np.array(forward[0]), np.array(forward[1]), ("closed", "closed"))
    back = _half(family, x, -start, (low, high), step, reach)
    points = [*back[0][:0:-1], *forward[0]]
    tangents = [*(-t for t in back[1][:0:-1]), *forward[1]]
    return Curve(np.array(points), np.array(tangents), (back[2], forward[2]))


def _first_tangent(family: Family, x: Array) -> Array:
    t = np.linalg.svd(family.derivative(x))[2][-1]
    return np.asarray(t if t[-1] > 0 or (t[-1] == 0 and t[0] > 0) else -t)


def _half(
    family: Family, x: Array, tangent: Array, limits: tuple[float, float], longest: float, reach: float
) -> tuple[list[Array], list[Array], str]:
    points, tangents = [x], [tangent]
    step = longest
    while len(points) < MOST_POINTS:
        new = family.correct(points[-1] + step * tangents[-1], tangents[-1])
        turned = None if new is None else family.tangent(new, tangents[-1])
        if new is None or turned is None or turned @ tangents[-1] < 0.8:
            step /= 2
            if step < SHORTEST:
                return points, tangents, "the step became too short: the branch ends or is not smooth there"
            continue
        p = family.split(new)[1]
        if not limits[0] <= p <= limits[1]:
            edge = _to_edge(family, points[-1], new, limits[0] if p < limits[0] else limits[1])
            if edge is not None:
                points.append(edge)
                tangents.append(family.tangent(edge, tangents[-1]))
            return points, tangents, "the end of the parameter's range"
        points.append(new)
        tangents.append(turned)
        if np.abs(new[:-1]).max(initial=0.0) > reach:
            return points, tangents, "it left the region"
        if len(points) > 5 and np.linalg.norm(new - x) < 0.7 * step and turned @ tangent > 0.5:
            return points, tangents, "closed"
        step = min(longest, 1.4 * step)
    return points, tangents, f"{MOST_POINTS} points computed"


def _to_edge(family: Family, a: Array, b: Array, p: float) -> Array | None:
    """The point of the branch between a and b at a given parameter."""
    target = (p - family.origin[-1]) / family.scale[-1]
    share = (target - a[-1]) / (b[-1] - a[-1])
    fixed = np.zeros(len(a))
    fixed[-1] = 1.0
    guess = a + share * (b - a)
    guess[-1] = target
    return family.correct(guess, fixed)


def locate(family: Family, a: Array, b: Array, tangent: Array, value: Callable[..., Array]) -> Array | None:
    """The point of a branch, between a and b, at which a test function changes sign; by bracketing in arclength.

    The points a and b, and the tangent at a, are in scaled coordinates. None where the branch could not be followed.
    """
    from scipy.optimize import brentq

    length = float(np.linalg.norm(b - a))
    chord = (b - a) / length if length else tangent

    def at(s: float) -> Array | None:
        return a if s == 0 else b if s == length else family.correct(a + s * chord, chord)

    def signed(s: float) -> float:
        x = at(s)
        if x is None:
            raise ArithmeticError
        return float(value(x))

    try:
        root = brentq(signed, 0.0, length, xtol=1e-15, rtol=8.9e-16, maxiter=200)
    except (ArithmeticError, ValueError):
        return None
    return at(root)
