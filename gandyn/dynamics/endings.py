"""Members of a flow that a first integration did not bring to the end: blown up, sliding, stiff, or only slow."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from ..results import Status
from ..types import Game
from ..worlds import NUMPY
from .stacked import Ending, Field, Integration, Limits, integrate

MANY_STEPS = 200_000  # a member that would need more is looked at: it may slide, or be stiff
INSTANT = 1e-10  # of the flow's length: a point that doubles in less has blown up
IMPLICIT = "Radau"
JUST_INSIDE = 1 - 1e-6

STATUS = {
    Ending.REACHED: Status.OK,
    Ending.BEYOND: Status.DIVERGED,
    Ending.UNDERFLOW: Status.STALLED,
    Ending.SLOW: Status.STALLED,
}


@dataclasses.dataclass(frozen=True)
class Problem:
    """One flow, as whatever integrates it needs to know it.

    Attributes:
        game: its game; None where the field is the caller's own. field: (N, d) -> (N, d), NaN beyond the bound.
        first: integrates members by the method that was asked for: (start, times, limits) -> Integration.
        method: that method's name. limits: tolerances, and when to stop. bound: of every coordinate.
    """

    game: Game | None
    field: Field
    first: Callable[[Any, Any, Limits], Integration]
    method: str
    limits: Limits
    bound: float


def integrate_to_the_end(problem: Problem, start: np.ndarray, times: np.ndarray) -> tuple[Integration, str]:
    """Every member by the method that it needs, and the names of the methods beyond the first, joined by " + "."""
    patient = problem.limits
    result = problem.first(start, times, dataclasses.replace(patient, most_steps=MANY_STEPS))
    stuck = _stuck(problem, result, times)
    further = ""
    if not len(stuck) or result.interrupted:
        return result, further
    if _jumps(problem.game):
        result.replace(stuck, _slide(problem, start[stuck], times))
        _stuck(problem, result, times)
        return result, " + sliding"
    stiff = stuck[_stiff(problem, result.rows[-1, stuck])] if problem.method != IMPLICIT else stuck[:0]
    if len(stiff):
        result.replace(stiff, integrate(problem.field, start[stiff], times, patient, IMPLICIT, _jacobian(problem)))
        further = f" + {IMPLICIT}"
    slow = np.setdiff1d(stuck[result.endings[stuck] == Ending.SLOW], stiff)
    if len(slow) and not result.interrupted:
        result.replace(slow, problem.first(start[slow], times, patient))
        _stuck(problem, result, times)
    return result, further


def _stuck(problem: Problem, result: Integration, times: np.ndarray) -> np.ndarray:
    """Members whose steps became too small or too many; those that blew up are told apart and marked BEYOND."""
    small = np.flatnonzero(result.endings == Ending.UNDERFLOW)
    if len(small):
        w = result.rows[-1, small]
        with np.errstate(all="ignore"):
            size, speed = np.abs(w).max(-1), np.abs(problem.field(w)).max(-1)
            doubles = size < INSTANT * (times[-1] - times[0]) * speed
        gone = doubles | ~np.isfinite(speed) | (size >= JUST_INSIDE * problem.bound)
        result.endings[small[gone]] = Ending.BEYOND
    return np.flatnonzero(np.isin(result.endings, (Ending.UNDERFLOW, Ending.SLOW)))


def _jumps(game: Game | None) -> bool:
    if game is None or not game.symbolic:
        return False
    from .sliding import jumps

    return jumps(game)


def _slide(problem: Problem, start: np.ndarray, times: np.ndarray) -> Integration:
    """Member by member, from surface to surface."""
    from .sliding import Pieces, Slide

    n = len(start)
    rows = np.repeat(start[None], len(times), axis=0)
    result = Integration(rows, np.full(n, times[0]), np.zeros(n, np.int64), 0, np.full(n, Ending.STOPPED, np.int32))
    pieces, limits = Pieces(problem.game), problem.limits  # type: ignore[arg-type]
    codes = {"end": Ending.REACHED, "stop": Ending.STOPPED}
    try:
        for k in range(n):
            run = Slide(pieces, limits.rtol, limits.atol, problem.bound, limits.stop)
            result.rows[:, k], result.ends[k], ending = run.run(start[k], times)
            result.steps[k], result.endings[k] = run.steps, codes.get(ending, Ending.UNDERFLOW)
            result.evaluations = max(result.evaluations, run.evaluations)
    except KeyboardInterrupt:
        result.interrupted = True
    return result


def _stiff(problem: Problem, w: np.ndarray) -> np.ndarray:
    """Where the largest eigenvalue of the field's derivative damps more than it turns: (N,) of bool."""
    derivative = _jacobian(problem)
    if derivative is None:
        return np.zeros(len(w), dtype=bool)
    matrices = np.stack([derivative(point) for point in w])
    good = np.isfinite(matrices).all((-2, -1))
    values = np.linalg.eigvals(np.where(good[:, None, None], matrices, 0.0))
    largest = np.take_along_axis(values, np.abs(values).argmax(-1)[:, None], axis=-1)[:, 0]
    stiff: np.ndarray = good & (-largest.real > np.abs(largest.imag))
    return stiff


def _jacobian(problem: Problem) -> Field | None:
    """-J as (d,) -> (d, d), where the game gives it on NumPy arrays."""
    game = problem.game
    if game is None or NUMPY not in game.worlds:
        return None
    return lambda w: -np.asarray(game.jacobian(w), dtype=float)
