"""One integrator of order eight in NumPy, so that the flow of a few members waits for no import of SciPy's.

Steps, step control and dense output are those of SciPy's DOP853 (Hairer, Norsett & Wanner 1993, section II.10), which a
test holds it to. The error is the largest of the members' own.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from .dormand_prince import DENSE, FIFTH, NODES, STAGES, STEP, THIRD

SMALLEST, LARGEST, SAFETY = 0.2, 10.0, 0.9  # factors by which one step may differ from the step before


class EighthOrder:
    """dy/dt = field(t, y) forwards from y at t, step by step; the names are those of SciPy's solvers.

    Attributes:
        t, y: where the integration stands. t_old: where its last step began.
        status: "running", "finished" at the end, or "failed" where the step became smaller than rounding.
        members: (N, d), the shape of a stack of N members; one member of all coordinates unless it is set.
        nfev: evaluations of the field. worst: the member with the largest error in the last step that was tried.
    """

    def __init__(
        self,
        field: Callable[[float, np.ndarray], np.ndarray],
        t: float,
        y: np.ndarray,
        end: float,
        rtol: float,
        atol: float,
    ) -> None:
        self.field, self.t, self.y, self.end = field, float(t), np.asarray(y, dtype=float), float(end)
        self.rtol, self.atol = max(rtol, 100 * np.finfo(float).eps), atol
        self.members: tuple[int, ...] = (1, len(self.y))
        self.status, self.nfev, self.worst, self.t_old = "running", 0, 0, float(t)
        self._before = self.y
        self._stages = np.empty((16, len(self.y)))
        self._slope = self._at(self.t, self.y)
        self._size = self._first_size()

    def _at(self, t: float, y: np.ndarray) -> np.ndarray:
        self.nfev += 1
        return np.asarray(self.field(t, y), dtype=float)

    def _first_size(self) -> float:
        """A first step from the sizes of point, field and change of the field (Hairer et al., section II.4)."""
        length = self.end - self.t
        scale = self.atol + np.abs(self.y) * self.rtol
        size, speed = _mean(self.y / scale), _mean(self._slope / scale)
        trial = min(1e-6 if size < 1e-5 or speed < 1e-5 else 0.01 * size / speed, length)
        ahead = self._at(self.t + trial, self.y + trial * self._slope)
        bend = _mean((ahead - self._slope) / scale) / trial
        flat = speed <= 1e-15 and bend <= 1e-15
        reach = max(1e-6, trial * 1e-3) if flat else (0.01 / max(speed, bend)) ** (1 / 8)
        return min(100 * trial, reach, length)

    def step(self) -> None:
        """One accepted step, or none where `status` becomes "failed"."""
        least = 10 * (math.nextafter(self.t, math.inf) - self.t)
        size, most = max(self._size, least), LARGEST
        while size >= least:
            ahead = min(self.t + size, self.end)
            size = ahead - self.t
            y, slope = self._tried(size)
            scale = self.atol + np.maximum(np.abs(self.y), np.abs(y)) * self.rtol
            error = self._error(size, scale)
            if error < 1:
                growth = LARGEST if error == 0 else min(LARGEST, SAFETY * error ** (-1 / 8))
                self._size = size * min(most, growth)
                self.t_old, self._before, self.t, self.y, self._slope = self.t, self.y, ahead, y, slope
                self.status = "finished" if ahead >= self.end else "running"
                return
            size, most = size * max(SMALLEST, SAFETY * error ** (-1 / 8)), 1.0
        self.status = "failed"

    def _tried(self, size: float) -> tuple[np.ndarray, np.ndarray]:
        """Point and slope at the end of a step of this size; the stages on the way are kept."""
        stages = self._stages
        stages[0] = self._slope
        for s in range(1, 12):
            stages[s] = self._at(self.t + NODES[s] * size, self.y + (stages[:s].T @ STAGES[s, :s]) * size)
        y = self.y + size * (stages[:12].T @ STEP)
        stages[12] = self._at(self.t + size, y)
        return y, stages[12].copy()

    def _error(self, size: float, scale: np.ndarray) -> float:
        """The largest error of a member, each in units of its tolerance as root mean square over its coordinates."""

        def square(weights: np.ndarray) -> np.ndarray:
            found: np.ndarray = (((self._stages[:12].T @ weights) / scale) ** 2).reshape(self.members).mean(-1)
            return found

        fifth, third = square(FIFTH), square(THIRD)
        total = fifth + 0.01 * third
        errors = abs(size) * np.where(total == 0, 0.0, fifth / np.sqrt(np.where(total == 0, 1.0, total)))
        self.worst = int(np.argmax(errors))
        return float(errors[self.worst])

    def dense_output(self) -> Callable[[float | np.ndarray], np.ndarray]:
        """y at times within the last step: (dim,) at one, (dim, k) at k of them; costs three evaluations."""
        begin, size, y = self.t_old, self.t - self.t_old, self._before
        stages = self._stages.copy()
        for s in (13, 14, 15):
            stages[s] = self._at(begin + NODES[s] * size, y + (stages[:s].T @ STAGES[s, :s]) * size)
        change, first = self.y - y, size * stages[0]
        terms = [change, first - change, 2 * change - size * (stages[12] + stages[0]), *(size * (DENSE @ stages))]

        def at(t: float | np.ndarray) -> np.ndarray:
            x = (np.asarray(t, dtype=float) - begin) / size
            found = np.zeros((len(y), *x.shape))
            for k, term in reversed(list(enumerate(terms))):
                found += term.reshape(-1, *[1] * x.ndim)
                found *= 1 - x if k % 2 else x
            found += y.reshape(-1, *[1] * x.ndim)
            return found

        return at


def _mean(values: np.ndarray) -> float:
    return float(np.linalg.norm(values) / math.sqrt(len(values)))
