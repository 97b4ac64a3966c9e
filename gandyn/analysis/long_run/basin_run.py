"""How the orbits of many starts under a map end: at an attractor, cycling, diverged, outside the box, or undecided."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...budget import Budget
from ...dynamics.kernels import Kernel
from ...types import Array
from .long_motion import BLOCK, Motion, watch

CYCLING, DIVERGED, LEFT, UNDECIDED = -1, -2, -3, -4
ROUND = 250
SAME_RANGE = 0.01
# Of many starts, PILOTS run first; on ORBITS of those that cycle for LONGER steps more, starts that come NEAR end too.
PILOTS, ORBITS, LONGER, NEAR = 512, 8, 20000, 1e-3
# A point where starts come to rest is an attractor if all of AROUND starts, within AWAY tolerances of it, come back.
AROUND, AWAY, MOST_RESTS, RESTING = 16, 10.0, 20, 1e-3

Started = tuple[Array, Sequence[float]]  # augmented states (N, D), and the rule's step counters


@dataclasses.dataclass(frozen=True)
class Ends:
    """How the orbits of N starts end."""

    labels: Array  # (N,), the index of an attractor, or one of the negative labels above
    points: Array  # (N, d), the last points
    periods: Array  # (N,), steps of the period of a periodic orbit, 0 for all others


@dataclasses.dataclass(frozen=True)
class BasinRun:
    """A map with its attractors: called with starts (N, d), it returns how their orbits end."""

    kernel: Kernel  # the compiled map
    initial: Callable[[Array], Started]  # from starts (N, d) to the states at which the map begins
    box: Array  # (d, 2); its half widths are the units of length
    attractors: Array  # (n, d)
    tolerance: float  # distance in half widths within which a start has arrived
    steps: int  # the most that a start is given
    budget: Budget
    orbits: Any = None  # a KDTree of the points of closed orbits, in half widths, or None
    orbit_periods: Array = None  # the period of each of these orbits, 0 for quasi-periodic ones

    @property
    def remembers(self) -> bool:
        """Whether the rule's state holds more than the point."""
        return bool(self.kernel.program.size > self.box.shape[0])

    @property
    def scale(self) -> Array:
        """The half widths of the box, shape (d,)."""
        return np.asarray((self.box[:, 1] - self.box[:, 0]) / 2)

    def with_orbits(self, w: Array) -> BasinRun:
        """A copy that also knows the closed orbits on which some of the starts w, run first as trials, still cycle."""
        if len(w) <= 4 * PILOTS or self.remembers or self.kernel.program.counters:
            return self
        ends = self(w[:: len(w) // PILOTS])
        cycling = np.flatnonzero(ends.labels == CYCLING)
        if not len(cycling):
            return self
        from scipy.spatial import KDTree

        chosen = cycling[:: max(1, len(cycling) // ORBITS)][:ORBITS]
        rows = self.kernel.run(ends.points[chosen], LONGER, [], stride=1).rows[1:]
        early, late = rows[: LONGER // 2], rows[LONGER // 2 :]
        shift = np.maximum(np.abs(early.min(0) - late.min(0)), np.abs(early.max(0) - late.max(0)))
        steady = (shift < SAME_RANGE * (late.max(0) - late.min(0))).all(-1)
        if not steady.any():
            return self
        tree = KDTree((late[:, steady] / self.scale).reshape(-1, w.shape[-1]))
        return dataclasses.replace(self, orbits=tree, orbit_periods=ends.periods[chosen[steady]])

    def __call__(self, w: Array) -> Ends:
        """How the orbits from starts w (N, d) end."""
        d = w.shape[-1]
        ends = Ends(np.full(len(w), UNDECIDED), np.array(w), np.zeros(len(w), dtype=int))
        z, counters = self.initial(w)
        members = np.arange(len(w))
        done = 0
        while done < self.steps and len(members) and not self.budget.out:
            count = min(ROUND, self.steps - done)
            outcome = self.kernel.run(z, count, counters)
            z, counters, done = outcome.z, outcome.counters, done + count
            alive = np.asarray(outcome.alive)
            settled = self._arrived(z, counters)
            self._on_orbits(z, alive & (settled == UNDECIDED), settled, members, ends)
            settled[~alive] = DIVERGED
            finished = settled != UNDECIDED
            ends.labels[members], ends.points[members] = settled, z[:, :d]
            z, members = z[~finished], members[~finished]
        if not self.budget.out:
            for first in range(0, len(members), BLOCK):
                part = slice(first, first + BLOCK)
                self._watched(z[part], counters, members[part], ends)
        return ends

    def _on_orbits(self, z: Array, on_way: Array, settled: Array, members: Array, ends: Ends) -> None:
        if self.orbits is None or not on_way.any():
            return
        on = np.flatnonzero(on_way)
        gap, place = self.orbits.query(z[on] / self.scale, distance_upper_bound=NEAR, workers=-1)
        near = gap < NEAR
        settled[on[near]] = CYCLING
        ends.periods[members[on[near]]] = self.orbit_periods[place[near] % len(self.orbit_periods)]

    def _arrived(self, z: Array, counters: Sequence[float]) -> Array:
        """The index of the attractor that each state is at; with memory, only where it stays there for a round."""
        labels = self.nearest(z[:, : len(self.box)])
        if not self.remembers:
            return labels
        at = np.flatnonzero(labels != UNDECIDED)
        for first in range(0, len(at), BLOCK):
            part = at[first : first + BLOCK]
            rows = self.kernel.run(z[part], ROUND, counters, stride=1).rows
            gone = (np.abs(rows - self.attractors[labels[part]]) / self.scale > self.tolerance).any((0, 2))
            labels[part[gone]] = UNDECIDED
        return labels

    def nearest(self, w: Array) -> Array:
        """Indices of attractors within the tolerance of points, UNDECIDED elsewhere."""
        labels = np.full(len(w), UNDECIDED)
        for i, p in enumerate(self.attractors):
            labels[(np.abs(w - p) / self.scale < self.tolerance).all(-1)] = i
        return labels

    def _watched(self, z: Array, counters: Sequence[float], members: Array, ends: Ends) -> None:
        """Label members as outside the box, cycling or undecided, from how they move on for eight windows of time."""
        motion: Motion = watch(self.kernel, z, counters, self.scale)
        labels = np.where(motion.cycling, CYCLING, UNDECIDED)
        w = motion.last
        outside = ((w < self.box[:, 0] - self.scale) | (w > self.box[:, 1] + self.scale)).any(-1)
        labels[outside] = LEFT
        ends.labels[members] = labels
        ends.periods[members] = np.where(labels == CYCLING, motion.periods, 0)

    def rests(self, ends: Ends) -> Array:
        """Points (n, d) where undecided members came to rest and to which all of 16 starts around them return."""
        w = ends.points[ends.labels == UNDECIDED]
        z, counters = self.initial(w)
        moved = np.abs(self.kernel.run(z, ROUND, counters).z[:, : w.shape[1]] - w) / self.scale
        candidates = w[(moved < RESTING * self.tolerance).all(-1)]
        found: list[Array] = []
        tried: list[Array] = []
        rng = np.random.default_rng(0)
        for p in candidates:
            if len(tried) == MOST_RESTS or self.budget.out:
                break
            if any((np.abs(p - q) / self.scale < self.tolerance).all() for q in tried):
                continue
            tried.append(p)
            if self._attracts(p, rng):
                found.append(p)
        return np.array(found).reshape(-1, w.shape[1])

    def _attracts(self, p: Array, rng: np.random.Generator) -> bool:
        z, counters = self.initial(p + AWAY * self.tolerance * self.scale * rng.uniform(-1, 1, (AROUND, len(p))))
        outcome = self.kernel.run(z, self.steps, counters)
        back = (np.abs(outcome.z[:, : len(p)] - p) / self.scale < self.tolerance).all(-1)
        return bool((back & np.asarray(outcome.alive)).all())
