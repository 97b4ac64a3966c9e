"""SciPy's integrators on ensembles: members stacked into one system, in groups, with the worst member setting the step.

The usual norm of a stacked system averages over members, so one of them may be far less accurate than asked for. Here
the error is the largest of the members' own.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.integrate

from ..errors import UnknownNameError

Field = Callable[[Any], Any]
GROUP_NUMBERS = 1 << 15
METHODS = ("RK23", "RK45", "DOP853", "Radau", "BDF", "LSODA")


@dataclasses.dataclass
class Integration:
    """Points of all members at all times.

    Attributes:
        rows: (times, N, d); a member that blew up repeats its last point. ends: the time that each member reached.
        steps: accepted steps of each member. evaluations: evaluations of the field by the ensemble as a whole.
    """

    rows: np.ndarray[Any, Any]
    ends: np.ndarray[Any, Any]
    steps: np.ndarray[Any, Any]
    evaluations: int


def integrate(
    field: Field, start: np.ndarray[Any, Any], times: np.ndarray[Any, Any], rtol: float, atol: float, method: str
) -> Integration:
    """dw/dt = field(w) from `start`, (N, d), at times[0]; points at all times."""
    n = len(start)
    result = Integration(np.empty((len(times), *start.shape)), np.full(n, times[-1]), np.zeros(n, dtype=np.int64), 0)
    result.rows[:] = start
    group = max(1, GROUP_NUMBERS // start.shape[-1])
    for first in range(0, n, group):
        run = _Group(field, times, rtol, atol, method, result)
        run.go(np.arange(first, min(first + group, n)))
        result.evaluations = max(result.evaluations, run.evaluations)
    return result


class _Group:
    """One stack of members; those that blow up leave it one by one, and the others go on from their last good step."""

    def __init__(
        self, field: Field, times: np.ndarray[Any, Any], rtol: float, atol: float, method: str, result: Integration
    ) -> None:
        self.field, self.times, self.rtol, self.atol = field, times, rtol, atol
        self.method, self.result = method, result
        self.evaluations = 0

    def go(self, members: np.ndarray[Any, Any]) -> None:
        t, row = self.times[0], 1
        w = self.result.rows[0, members]
        with np.errstate(all="ignore"):
            while len(members) and row < len(self.times):
                t, w, row, lost = self._until_failure(members, t, w, row)
                self.result.ends[members[lost]] = t
                self.result.rows[row:, members[lost]] = w[lost]
                kept = np.ones(len(members), dtype=bool)
                kept[lost] = False
                members, w = members[kept], w[kept]

    def _until_failure(
        self, members: np.ndarray[Any, Any], t: float, w: np.ndarray[Any, Any], row: int
    ) -> tuple[float, np.ndarray[Any, Any], int, np.ndarray[Any, Any]]:
        """Integrate until the end or a failure: time, points and next row there, and which members are lost."""
        shape = w.shape
        none = np.empty(0, dtype=int)

        def flat(_: float, y: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
            return np.asarray(self.field(y.reshape(shape))).ravel()

        solver = _solver(self.method)(flat, t, w.ravel(), self.times[-1], rtol=self.rtol, atol=self.atol)
        solver.members = shape
        try:
            while row < len(self.times):
                before, point = solver.t, solver.y
                solver.step()
                if solver.status == "failed":
                    return before, point.reshape(shape), row, self._culprits(solver, shape)
                wrong = ~np.isfinite(solver.y.reshape(shape)).all(-1)
                if wrong.any():
                    return before, point.reshape(shape), row, np.flatnonzero(wrong)
                self.result.steps[members] += 1
                row = self._record(solver, members, shape, row)
            return solver.t, solver.y.reshape(shape), row, none
        finally:
            self.evaluations += solver.nfev

    def _record(self, solver: Any, members: np.ndarray[Any, Any], shape: tuple[int, ...], row: int) -> int:
        """Rows at the times that the last step has passed, by dense output."""
        last = int(np.searchsorted(self.times, solver.t, side="right"))
        if last > row:
            inside = self.times[row:last]
            arrived = len(inside) == 1 and inside[0] == solver.t
            points = solver.y[:, None] if arrived else solver.dense_output()(inside)
            self.result.rows[row:last, members] = points.T.reshape(len(inside), *shape)
        return last

    def _culprits(self, solver: Any, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
        """Who made the step too small: the member with the largest error, or where that is unknown the largest."""
        worst = getattr(solver, "worst", None)
        if worst is None:
            size = np.abs(solver.y.reshape(shape)).max(-1)
            worst = int(np.argmax(np.where(np.isfinite(size), size, np.inf)))
        return np.array([worst])


@functools.cache
def _solver(method: str) -> Any:
    """The SciPy class, its error norm replaced by the largest of the members' own where SciPy lets it be."""
    if method not in METHODS:
        raise UnknownNameError.among("integrator", method, METHODS)
    base = getattr(scipy.integrate, method)
    if not hasattr(base, "_estimate_error_norm"):
        return base

    class Stacked(base):  # type: ignore[misc,valid-type]
        members: tuple[int, ...]
        worst: int | None = None

        def _estimate_error_norm(self, K: Any, h: float, scale: Any) -> float:
            errors = self._member_errors(K, h, scale.reshape(self.members))
            self.worst = int(np.argmax(errors))
            return float(errors[self.worst])

        def _member_errors(self, stages: Any, h: float, scale: Any) -> Any:
            """Root mean square over a member's own coordinates, (N,)."""

            def square(weights: Any) -> Any:
                return ((np.dot(stages.T, weights).reshape(self.members) / scale) ** 2).mean(-1)

            if method != "DOP853":
                return abs(h) * np.sqrt(square(self.E))
            fifth, third = square(self.E5), square(self.E3)
            total = fifth + 0.01 * third
            return abs(h) * np.where(total == 0, 0.0, fifth / np.sqrt(np.where(total == 0, 1.0, total)))

    return Stacked
