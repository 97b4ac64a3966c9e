"""SciPy's integrators on ensembles: members stacked into one system, in groups, with the worst member setting the step.

The usual norm of a stacked system averages over members, so one of them may be far less accurate than asked for. Here
the error is the largest of the members' own.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import refuse_unknown
from ..lazy import scipy
from ..types import Array

Field = Callable[[np.ndarray], np.ndarray]
GROUP_NUMBERS = 1 << 15
PACE = 1000  # attempted steps after which the pace is looked at
METHODS = ("RK23", "RK45", "DOP853", "Radau", "BDF", "LSODA")


class Ending(enum.IntEnum):
    """How a member's integration ended; the compiled flow uses the same numbers."""

    REACHED = 0
    BEYOND = 1  # not finite, or beyond the bound
    UNDERFLOW = 2  # the step became smaller than rounding
    SLOW = 3  # at the pace of its last steps it would take more than `most_steps`
    STOPPED = 4  # it was told to stop: Ctrl-C, or a budget


@dataclasses.dataclass
class Integration:
    """Points of all members at all times.

    Attributes:
        rows: (times, N, d); a member that ended early repeats its last point. ends: the time that each member reached.
        steps: accepted steps of each member. evaluations: evaluations of the field by the ensemble as a whole.
        endings: an `Ending` of each member. interrupted: whether Ctrl-C ended it.
    """

    rows: np.ndarray
    ends: np.ndarray
    steps: np.ndarray
    evaluations: int
    endings: np.ndarray
    interrupted: bool = False

    def replace(self, members: np.ndarray, other: Integration) -> None:
        """Take some members from another integration of them, in place."""
        for mine, its in ((self.ends, other.ends), (self.steps, other.steps), (self.endings, other.endings)):
            mine[members] = its
        self.rows[:, members] = other.rows
        self.evaluations += other.evaluations
        self.interrupted |= other.interrupted


@dataclasses.dataclass(frozen=True)
class Limits:
    """What an integration keeps to.

    Attributes:
        rtol, atol: tolerances. most_steps: a member that would need more at its present pace ends as SLOW.
        stop: asked between steps; True ends what is left as STOPPED.
    """

    rtol: float
    atol: float
    most_steps: float = np.inf
    stop: Callable[[], bool] = lambda: False


def integrate(
    field: Field, start: np.ndarray, times: np.ndarray, limits: Limits, method: str, jacobian: Field | None = None
) -> Integration:
    """dw/dt = field(w) from `start`, (N, d), at times[0]; points at all times.

    With a Jacobian, (d,) -> (d, d), the members are integrated one by one: an implicit method solves for all at once.
    """
    n = len(start)
    rows = np.empty((len(times), *start.shape))
    rows[:] = start
    ends, steps = np.full(n, times[-1]), np.zeros(n, dtype=np.int64)
    result = Integration(rows, ends, steps, 0, np.full(n, Ending.REACHED, dtype=np.int32))
    group = 1 if jacobian is not None else max(1, GROUP_NUMBERS // start.shape[-1])
    for first in range(0, n, group):
        members = np.arange(first, min(first + group, n))
        run = _Group(field, times, limits, method, result, jacobian)
        try:
            run.go(members)
        except KeyboardInterrupt:
            result.interrupted = True
            run.abandon(np.arange(first, n))
        result.evaluations = max(result.evaluations, run.evaluations)
        if result.interrupted:
            break
    return result


class _Group:
    """One stack of members; those that blow up leave it one by one, and the others go on from their last good step."""

    def __init__(
        self, field: Field, times: np.ndarray, limits: Limits, method: str, result: Integration, jacobian: Field | None
    ) -> None:
        self.field, self.times, self.limits, self.jacobian = field, times, limits, jacobian
        self.method, self.result = method, result
        self.evaluations = 0
        self.at = float(times[0]), np.empty(0, dtype=int), result.rows[0, :0], 1  # time, members, points, next row

    def go(self, members: np.ndarray) -> None:
        t, row = self.times[0], 1
        w = self.result.rows[0, members]
        with np.errstate(all="ignore"):
            while len(members) and row < len(self.times):
                self.at = t, members, w, row
                t, w, row, lost, ending = self._until_failure(members, t, w, row)
                self._end(members[lost], t, w[lost], row, ending)
                kept = np.ones(len(members), dtype=bool)
                kept[lost] = False
                members, w = members[kept], w[kept]

    def abandon(self, members: np.ndarray) -> None:
        """End what is left where it is: those under way at their last step, the others at their start."""
        t, under_way, w, row = self.at
        done = members[(members <= under_way.max(initial=-1)) & ~np.isin(members, under_way)]
        later = np.setdiff1d(members, np.concatenate([done, under_way]))
        self._end(under_way, t, w, row, Ending.STOPPED)
        self._end(later, self.times[0], self.result.rows[0, later], 1, Ending.STOPPED)

    def _end(self, members: np.ndarray, t: float, w: np.ndarray, row: int, ending: Ending) -> None:
        self.result.ends[members], self.result.endings[members] = t, ending
        self.result.rows[row:, members] = w

    def _until_failure(
        self, members: np.ndarray, t: float, w: np.ndarray, row: int
    ) -> tuple[float, np.ndarray, int, np.ndarray, Ending]:
        """Integrate until the end or a failure: time, points and next row there, which members are lost, and how."""
        shape = w.shape
        everyone = np.arange(len(members))
        solver = self._begin(t, w)
        attempts, mark = 0, t
        try:
            while row < len(self.times):
                before, point = solver.t, solver.y
                if self.limits.stop():
                    return before, point.reshape(shape), row, everyone, Ending.STOPPED
                spent = solver.nfev
                solver.step()
                attempts += 1 + (solver.nfev - spent) // 24  # rejected tries are part of the pace
                if solver.status == "failed":
                    return before, point.reshape(shape), row, self._culprits(solver, shape), Ending.UNDERFLOW
                wrong = ~np.isfinite(solver.y.reshape(shape)).all(-1)
                if wrong.any():
                    return before, point.reshape(shape), row, np.flatnonzero(wrong), Ending.BEYOND
                self.result.steps[members] += 1
                row = self._record(solver, members, shape, row)
                self.at = solver.t, members, solver.y.reshape(shape), row
                if attempts >= PACE:
                    if (self.times[-1] - solver.t) * attempts > self.limits.most_steps * (solver.t - mark):
                        return solver.t, solver.y.reshape(shape), row, everyone, Ending.SLOW
                    attempts, mark = 0, solver.t
            return solver.t, solver.y.reshape(shape), row, everyone[:0], Ending.REACHED
        finally:
            self.evaluations += solver.nfev

    def _begin(self, t: float, w: np.ndarray) -> Any:
        shape = w.shape

        def flat(_: float, y: np.ndarray) -> np.ndarray:
            return np.asarray(self.field(y.reshape(shape))).ravel()

        options: dict[str, Any] = {"rtol": self.limits.rtol, "atol": self.limits.atol}
        if self.jacobian is not None:
            derivative = self.jacobian
            options["jac"] = lambda _, y: derivative(y)
        solver = _solver(self.method)(flat, t, w.ravel(), self.times[-1], **options)
        solver.members = shape
        return solver

    def _record(self, solver: Any, members: np.ndarray, shape: tuple[int, ...], row: int) -> int:
        """Rows at the times that the last step has passed, by dense output."""
        last = int(np.searchsorted(self.times, solver.t, side="right"))
        if last > row:
            inside = self.times[row:last]
            arrived = len(inside) == 1 and inside[0] == solver.t
            points = solver.y[:, None] if arrived else solver.dense_output()(inside)
            self.result.rows[row:last, members] = points.T.reshape(len(inside), *shape)
        return last

    def _culprits(self, solver: Any, shape: tuple[int, ...]) -> np.ndarray:
        """Who made the step too small: the member with the largest error, or where that is unknown the largest."""
        worst = getattr(solver, "worst", None)
        if worst is None:
            size = np.abs(solver.y.reshape(shape)).max(-1)
            worst = int(np.argmax(np.where(np.isfinite(size), size, np.inf)))
        return np.array([worst])


@functools.cache
def _solver(method: str) -> Any:
    """The SciPy class, its error norm replaced by the largest of the members' own where SciPy lets it be."""
    refuse_unknown("integrator", method, METHODS)
    base = getattr(scipy.integrate, method)
    if not hasattr(base, "_estimate_error_norm"):
        return base

    class Stacked(base):  # type: ignore[misc,valid-type]
        members: tuple[int, ...]
        worst: int | None = None

        def _estimate_error_norm(self, K: Array, h: float, scale: Array) -> float:
            errors = self._member_errors(K, h, scale.reshape(self.members))
            self.worst = int(np.argmax(errors))
            return float(errors[self.worst])

        def _member_errors(self, stages: Array, h: float, scale: Array) -> Array:
            """Root mean square over a member's own coordinates, (N,)."""

            def square(weights: Any) -> Any:
                return ((np.dot(stages.T, weights).reshape(self.members) / scale) ** 2).mean(-1)

            if method != "DOP853":
                return abs(h) * np.sqrt(square(self.E))
            fifth, third = square(self.E5), square(self.E3)
            total = fifth + 0.01 * third
            return abs(h) * np.where(total == 0, 0.0, fifth / np.sqrt(np.where(total == 0, 1.0, total)))

    return Stacked
