"""When an orbit of a flow visits a ball around its start, also between the integrator's steps."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from ...errors import ConvergenceError
from ...types import Array

INSIDE_A_STEP = 9


@dataclasses.dataclass(frozen=True)
class _Orbit:
    """Points of one integration at times inside every step, and what lies between them."""

    field: Callable[[Array], Array]  # dw/dt
    start: Array  # w(0)
    t: Array  # times, INSIDE_A_STEP to a step
    pieces: list[Callable[[float], Array]]  # the interpolant that holds before each time, one for each
    # squares, slopes: |w - start|^2 and half its derivative, (w - start) . dw/dt, at the times
    squares: Array
    slopes: Array

    def square(self, k: int, t: float) -> float:
        """The squared distance |w(t) - start|^2 at a time t between the times k - 1 and k."""
        return float(((self.pieces[k](t) - self.start) ** 2).sum())

    def slope(self, k: int, t: float) -> float:
        """Half the time derivative of |w(t) - start|^2, at a time t between the times k - 1 and k."""
        w = self.pieces[k](t)
        return float((w - self.start) @ self.field(w[None])[0])


def visits(
    field: Callable[[Array], Array], start: Array, time: float, radius: float, rtol: float
) -> tuple[Array, Array]:
    """The times at which an orbit of dw/dt = field(w) enters a ball about its start, and its least distance each time.

    `field` maps points (n, d) to (n, d), `start` is (d,), and the orbit must have left the ball before it enters. The
    distance is smallest where (w - start) . dw/dt changes sign. The sign is taken at nine points inside every step of
    the integrator, which adapts its steps to the orbit, and the roots are solved for on the integrator's interpolant of
    order 7. A visit is missed only where the distance has two extremes between neighbouring points. Raises
    ConvergenceError where the integrator stops early.
    """
    orbit = _integrated(field, start, time, radius, rtol)
    times, closest = [], []
    outside: tuple[int, float] | None = None  # where it was last farther away than the radius
    for k, t, square in _extremes(orbit):
        if square >= radius**2:
            outside = (k, t)
        elif outside is not None:
            times.append(_entry(orbit, outside, (k, t), radius))
            closest.append(np.sqrt(square))
            outside = None
        elif closest:
            closest[-1] = min(closest[-1], np.sqrt(square))
    return np.array(times), np.array(closest)


def _integrated(field: Callable[[Array], Array], start: Array, time: float, radius: float, rtol: float) -> _Orbit:
    from scipy.integrate import DOP853

    solver = DOP853(lambda _, w: field(w[None])[0], 0.0, start, time, rtol=rtol, atol=rtol * radius)
    pieces: list[Callable[[float], Array]] = [lambda t: start]
    times, points = [np.zeros(1)], [start[None]]
    while solver.status == "running":
        solver.step()
        if solver.status == "failed":
            given = f"an orbit that cannot be followed beyond t = {solver.t:g}"
            raise ConvergenceError(given, "a field that is finite and smooth along the orbit", "a shorter time")
        piece = solver.dense_output()
        inside = np.linspace(solver.t_old, solver.t, INSIDE_A_STEP + 1)[1:]
        times.append(inside)
        pieces += [piece] * INSIDE_A_STEP
        points.append(piece(inside).T)
    w = np.concatenate(points)
    away = w - start
    return _Orbit(field, start, np.concatenate(times), pieces, (away**2).sum(-1), (away * field(w)).sum(-1))


def _extremes(orbit: _Orbit) -> list[tuple[int, float, float]]:
    """(k, t, |w - start|^2) at every extreme found of the distance and at the last time; t is at most the time k."""
    from scipy.optimize import brentq

    found = []
    for k in range(2, len(orbit.t)):
        if orbit.slopes[k - 1] * orbit.slopes[k] < 0:
            a, b = orbit.t[k - 1], orbit.t[k]
            ends = orbit.slope(k, a), orbit.slope(k, b)
            t = float(brentq(lambda s, k=k: orbit.slope(k, s), a, b, xtol=1e-14 * b)) if ends[0] * ends[1] < 0 else b
            found.append((k, t, orbit.square(k, t)))
        elif orbit.slopes[k] == 0:
            found.append((k, float(orbit.t[k]), float(orbit.squares[k])))
    last = len(orbit.t) - 1
    return [*found, (last, float(orbit.t[last]), float(orbit.squares[last]))]


def _entry(orbit: _Orbit, outside: tuple[int, float], inside: tuple[int, float], radius: float) -> float:
    """When |w - start| falls to the radius, between an extreme outside the ball and the next one, inside."""
    from scipy.optimize import brentq

    (first, a), (last, b) = outside, inside
    within = np.flatnonzero(orbit.squares[first:last] < radius**2)
    k = first + int(within[0]) if len(within) else last
    low = max(a, float(orbit.t[k - 1])) if k > 0 else a
    high = min(b, float(orbit.t[k]))
    gap = [orbit.square(k, t) - radius**2 for t in (low, high)]
    if not gap[0] > 0 > gap[1]:
        return high
    return float(brentq(lambda t: orbit.square(k, t) - radius**2, low, high))
