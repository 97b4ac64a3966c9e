"""The first return of a planar flow to a ray from an equilibrium, with its derivative, for many starts at once.

A closed orbit of a planar flow goes around an equilibrium, so it meets every ray from it, and is a fixed point of the
map that takes a point of the ray to where the orbit is after it has turned once around the equilibrium.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from ...budget import Budget
from ...types import Array, Game
from .scaled_field import ScaledField
from .stiff_steps import Extrapolation

RETURNED, REST, AWAY, LOST = 0, 1, 2, 3
TURN, MOST_TURN, NEWTON = 2 * np.pi, 1.2, 8
FAR, STILL, STILL_STEPS = 1e8, 1e-12, 3
MOST_STEPS = 1500
TOLERANCE, STIFF = 1e-11, 1e-9  # on a stiff orbit rounding stops steps from meeting the first
FLOOR = 0.1
LEAST_STEP = 1e-13


@dataclasses.dataclass
class Shots:
    """The results of following orbits from starts s on the ray; every array has one entry for each start."""

    status: Array  # RETURNED, REST (at an equilibrium), AWAY (far outside) or LOST (still moving after the last step)
    image: Array  # P(s)
    period: Array  # the time it took
    growth: Array  # integral of div f along the way
    slope: Array  # dP/ds = exp(growth) (u x f)(s) / (u x f)(P(s)), u the ray's direction: a planar flow carries areas
    # for each start, the pairs (time, x) at the ends of its steps; None unless they were asked for
    path: list[list[tuple[float, Array]]] | None = None
    steps: int = 0  # the number of steps taken by all orbits together


@dataclasses.dataclass(frozen=True, eq=False)
class ReturnMap:
    """The first-return map P of a planar flow to the ray {centre + width * s * direction : s > 0}.

    The flow is dw/dt = -v(w), forwards or backwards in time. Coordinates are x = (w - centre) / width, so nothing
    depends on units or position.
    """

    game: Game  # two coordinates
    centre: Array  # an equilibrium, (2,)
    width: Array  # half widths of the box, (2,)
    direction: Array  # unit vector of the ray in x
    sign: float = 1.0  # 1 forwards in time, -1 backwards

    @functools.cached_property
    def flow(self) -> ScaledField:
        """The right-hand side dx/dt of the flow in the coordinates x."""
        return ScaledField(self.game, self.centre, self.width, self.sign)

    def step(self, tolerance: float) -> Extrapolation:
        """An integrator for the flow in x with this tolerance for the error of one step."""
        return Extrapolation(self.flow.field, self.flow.slopes, tolerance)

    def shoot(
        self, s: Array, budget: Budget, tolerance: float = TOLERANCE, keep: bool = False, most: int = MOST_STEPS
    ) -> Shots:
        """P(s), with `path` where `keep`. A start that does not arrive within `most` steps is LOST."""
        return _Volley(self, np.asarray(s, dtype=float), self.step(tolerance), keep).go(budget, most)


class _Volley:
    """Orbits that are followed at once, as arrays; `open` holds the indices of those that are still moving."""

    def __init__(self, map_: ReturnMap, s: Array, step: Extrapolation, keep: bool) -> None:
        n = len(s)
        self.map, self.s, self.step = map_, s, step
        self.x = s[:, None] * map_.direction
        self.q, self.t, self.angle = np.zeros(n), np.zeros(n), np.zeros(n)
        self.steps_at_rest, self.open = np.zeros(n, dtype=int), np.arange(n)
        self.first, _ = map_.flow.field(self.x)
        with np.errstate(all="ignore"):
            self.h = 0.01 * s / np.linalg.norm(self.first, axis=-1)
        nothing = np.full((4, n), np.nan)
        self.shots = Shots(np.full(n, LOST), nothing[0], nothing[1], nothing[2], nothing[3])
        if keep:
            self.shots.path = [[(0.0, x)] for x in self.x]

    def go(self, budget: Budget, most: int) -> Shots:
        with np.errstate(all="ignore"):
            dead = ~np.isfinite(self.h)
            self.shots.status[dead] = REST
            self.open = self.open[~dead]
            while len(self.open) and self.shots.steps < most:
                budget.check("the search for cycles")
                self._advance()
                self.shots.steps += 1
        return self.shots

    def _advance(self) -> None:
        i = self.open
        x, h = self.x[i], self.h[i]
        y, q, error = self.step(x, self.q[i], h)
        floor = (FLOOR * self.s[i])[:, None] * np.abs(self.map.direction)
        turned = _angle(x, y)
        good, self.h[i] = self.step.judged(error, np.maximum(np.abs(x), np.abs(y)) + floor, h)
        good &= np.isfinite(y).all(-1)
        wide = ~(np.abs(turned) < MOST_TURN)
        self.h[i[wide]] = np.minimum(self.h[i[wide]], h[wide] / 2)
        good &= ~wide
        total = self.angle[i] + turned
        home = good & (np.abs(total) >= TURN)
        if home.any():
            self._arrive(i[home], h[home], total[home])
        on = good & ~home
        moved = np.linalg.norm(y - x, axis=-1) < STILL * (np.linalg.norm(x, axis=-1) + self.s[i])
        self.steps_at_rest[i] = np.where(on & moved, self.steps_at_rest[i] + 1, np.where(on, 0, self.steps_at_rest[i]))
        j = i[on]
        self.x[j], self.q[j], self.angle[j], self.t[j] = y[on], q[on], total[on], self.t[j] + h[on]
        if self.shots.path is not None:
            for k in j:
                self.shots.path[k].append((float(self.t[k]), self.x[k].copy()))
        self._close(i, h)

    def _close(self, i: Array, h: Array) -> None:
        """Take out the orbits that are at rest, far away, or cannot go on."""
        status = self.shots.status
        size = np.linalg.norm(self.x[i], axis=-1)
        status[i[self.steps_at_rest[i] >= STILL_STEPS]] = REST
        stuck = ~(self.h[i] > LEAST_STEP * np.maximum(self.t[i], h))  # blow-up in finite time
        status[i[stuck | ~(size < FAR)]] = AWAY
        self.open = i[status[i] == LOST]

    def _arrive(self, i: Array, h: Array, total: Array) -> None:
        """Shorten the last step until it ends on the ray, by Newton's method on the angle."""
        x, q, before = self.x[i], self.q[i], self.angle[i]
        goal = np.copysign(TURN, total)
        part = h * (goal - before) / (total - before)
        for _ in range(NEWTON):
            y, grown, _ = self.step(x, q, part)
            value, _ = self.map.flow.field(y)
            rate = _cross(y, value) / (y**2).sum(-1)
            change = (before + _angle(x, y) - goal) / rate
            part = np.clip(part - np.where(np.isfinite(change), change, 0.0), 0.0, h)
            if (np.abs(change) <= 4e-16 * h).all():
                break
        y, grown, _ = self.step(x, q, part)
        value, _ = self.map.flow.field(y)
        u, shots = self.map.direction, self.shots
        shots.image[i], shots.period[i], shots.growth[i] = y @ u, self.t[i] + part, grown
        shots.slope[i] = np.exp(grown) * _cross(u, self.first[i]) / _cross(u, value)
        shots.status[i] = np.where(np.isfinite(shots.image[i]) & (shots.image[i] > 0), RETURNED, LOST)
        self.x[i], self.t[i] = y, self.t[i] + part


def _cross(a: Array, b: Array) -> Array:
    return np.asarray(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0])


def _angle(a: Array, b: Array) -> Array:
    """The angle from vector a to vector b, in (-pi, pi] radians."""
    return np.asarray(np.arctan2(_cross(a, b), (a * b).sum(-1)))


def along(map_: ReturnMap, path: list[tuple[float, Array]], period: float, count: int) -> Array:
    """Points x at `count` equal times of one period, each by one short step from the path's last point before it."""
    times = np.array([t for t, _ in path])
    x = np.array([point for _, point in path])
    wanted = period * np.arange(count) / count
    before = np.searchsorted(times, wanted, side="right") - 1
    h = wanted - times[before]
    moved = h > 0
    points = x[before]
    y, _, _ = map_.step(1e-11)(points[moved], np.zeros(int(moved.sum())), h[moved])
    points[moved] = y
    return points
