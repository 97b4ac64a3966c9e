"""Integrate the gradient flow, or any other field, from one start or an ensemble of them."""

from __future__ import annotations

import math
import time as clock
from collections.abc import Callable
from typing import Any

import numpy as np

from ..arguments import returned
from ..budget import Budget
from ..doors import ensemble_door
from ..errors import DomainError, GandynError, ParameterError, ShapeError
from ..lazy import torch
from ..results import Interrupted, Status, Trajectory
from ..symbolic.members import members_in
from ..types import Array, Game
from ..worlds import NUMPY, TORCH, object_vector, world_of
from . import cached
from .endings import STATUS, Problem, integrate_to_the_end
from .flow_members import MembersFlow
from .iterate import checked_start, over_ensemble
from .stacked import Ending, Field, Integration, Limits, integrate

SAMPLES = 201
FEW_MEMBERS = 64
LARGEST = 1e300  # beyond it the differences inside a step would overflow


@ensemble_door
def flow(
    game: Game,
    start: object,
    time: object,
    rtol: float = 1e-9,
    field: Field | None = None,
    *,
    samples: int = SAMPLES,
    method: str = "DOP853",
    bound: float = np.inf,
    kernel: str = "auto",
    threads: int | None = None,
    budget: float | Budget | None = 600.0,
) -> Trajectory:
    """Integrate dw/dt = -v(w), or dw/dt = field(w), to the relative tolerance rtol (absolute: rtol / 10).

    The tolerance holds member by member: in compiled code each takes steps of its own, and SciPy's integrators, on
    members stacked into one system, follow the member with the largest error. A member that blows up in finite time,
    or leaves `bound`, stops at its last point with `Status.DIVERGED`; the others go on.

    Two kinds of flow take an explicit integrator no further, however long it runs. Where the field jumps towards a
    surface from both sides, as that of |x| does at x = 0, the flow slides along the surface (Filippov 1988, section
    4), and a member that would need more than 200 000 steps is integrated so. Where the largest eigenvalue of -J is
    damped far below the time asked for, the flow is stiff, and such a member is integrated by "Radau". `.kernel` says
    which was used. A member that neither brings to the end stops with `Status.STALLED`.

    Args:
        game: the game; its gradient flow is integrated unless `field` is given. A parameter may be an array of one
            value for each member, broadcast as in `iterate`.
        start: array-like (..., d), the points at the first time; [(-2, 2), (-1, 1)] are two of them and no box. A torch
            tensor gives tensors back.
        time: the length of the flow, a positive number; or the increasing times to report, the start's own first.
        rtol: relative tolerance.
        field: another right-hand side, (..., d) -> (..., d): the gap flow, a modified flow. It is used with its own
            sign: the gradient flow's would be `lambda w: -game.field(w)`.
        samples: number of equally spaced times, both ends included, where `time` is a number.
        method: a SciPy integrator: "DOP853", "RK45", "RK23", or for stiff flows "Radau", "BDF", "LSODA".
        bound: a member whose largest |coordinate| exceeds it counts as diverged.
        kernel: "auto" compiles the flow of a symbolic game for large ensembles; "c" always, "eager" never.
        threads: of compiled code; all cores this process may use by default.
        budget: seconds; members that have not arrived by then stop at their last point with `Status.OUT_OF_TIME`.

    Returns:
        A `Trajectory`: `.t` (T+1,), `.w` (T+1, ..., d), `.steps` the integrator's own steps, `.info["end"]` the time
        that each member reached. Calling it, `traj(t)`, evaluates the dense output between the reported times.

    Raises:
        DomainError: for a constrained game, whose flow leaves its feasible set, when no field is given.
        ParameterError: for a time, tolerance or bound out of range. ShapeError: for a start or field of another shape.
        Interrupted: on Ctrl-C; the exception's `.trajectory` holds what was computed.

    Example:
        >>> import gandyn as gd
        >>> traj = gd.flow(gd.games.bilinear(), [1.0, 0.0], 3.141592653589793)  # half a circle
        >>> traj.w[-1].round(8).tolist()
        [-1.0, 0.0]
    """
    if field is None and game.constrained:
        raise DomainError(
            f"the gradient flow of {game.name}, which is constrained",
            "an unconstrained game",
            "iterate a projected rule with a small step, or give the flow you mean as field=...",
        )
    w = over_ensemble(checked_start(game, start, project=False), game)
    times, bound = _times(time, samples), _positive("bound", bound)
    rtol = _positive("rtol", rtol)
    limit = Budget.of(budget)
    began, calls = clock.perf_counter(), game.counts * 1
    run = _engine(game, w, field, rtol, method, bound, kernel, threads, limit)
    result, name = run(times)
    game.counts.seconds += clock.perf_counter() - began
    shape = tuple(w.shape)
    ends = result.ends.reshape(shape[:-1])
    status = object_vector(_statuses(result)).reshape(ends.shape)
    single = ends.ndim == 0
    trajectory = Trajectory(
        w=_like(result.rows.reshape(len(times), *shape), w),
        t=times,
        status=status.item() if single else status,
        steps=int(result.steps[0]) if single else result.steps.reshape(ends.shape),
        game=game,
        counts=game.counts - calls,
        kernel=name,
        info={"end": float(ends) if single else ends},
        solution=_Solution(run, times, w),
    )
    if result.interrupted:
        raise Interrupted(trajectory)
    return trajectory


def _statuses(result: Integration) -> list[Status]:
    stopped = Status.INTERRUPTED if result.interrupted else Status.OUT_OF_TIME
    return [STATUS.get(Ending(code), stopped) for code in result.endings]


class _Solution:
    """The dense output w(t): integrates again with the same tolerances and asks for the points at t.

    Keeping every step's polynomial would cost memory in proportion to members and steps for a question seldom asked.
    """

    def __init__(self, run: Callable[[Any], Any], times: np.ndarray, w: Array) -> None:
        self.run, self.first, self.last, self.w = run, times[0], times[-1], w

    def __call__(self, t: Array) -> Array:
        """w at the times t, any shape: (*shape of t, ..., d)."""
        t = np.asarray(t, dtype=float)
        if not ((t >= self.first) & (t <= self.last)).all():
            raise ParameterError(f"times {t}", f"times from {self.first:g} to {self.last:g}", "integrate further")
        wanted, places = np.unique(t.ravel(), return_inverse=True)
        points = np.union1d(wanted, [self.first, self.last])
        result, _ = self.run(points)
        rows = result.rows[np.searchsorted(points, wanted)][places]
        return _like(rows.reshape(*t.shape, *self.w.shape), self.w)


def _engine(
    game: Game,
    w: Array,
    field: Field | None,
    rtol: float,
    method: str,
    bound: float,
    kernel: str,
    threads: int | None,
    budget: Budget,
) -> Callable[[np.ndarray], tuple[Integration, str]]:
    """What integrates to given times: (Integration, the names of what integrated it)."""
    start = np.asarray(w.cpu().double() if world_of(w) == TORCH else w, dtype=float).reshape(-1, game.dim)
    native = _native(game, len(start), field, method, kernel)
    limit = min(bound, LARGEST)
    members = members_in(game) if field is None else ()
    if members:

        def alone(own: Game, point: Array) -> Callable[[Any], tuple[Integration, str]]:
            return _engine(own, point, None, rtol, method, bound, "eager", threads, budget)

        limits = Limits(rtol, rtol / 10, stop=lambda: budget.out)
        return MembersFlow(game, members, start, tuple(w.shape[:-1]), native, alone, limit, limits, threads)
    evaluate = right_hand_side(game, w, field, limit)

    def first(points: Array, times: Array, limits: Limits) -> Integration:
        if native is not None:
            result: Integration = native.integrate(points, times, limits, limit, threads)
            return result
        return integrate(evaluate, points, times, limits, method)

    limits = Limits(rtol, rtol / 10, stop=lambda: budget.out)
    problem = Problem(game if field is None else None, evaluate, first, method, limits, limit)

    def run(times: np.ndarray) -> tuple[Integration, str]:
        before = game.counts.player_gradients
        result, further = integrate_to_the_end(problem, start, times)
        if field is None:  # groups of members are one ensemble: count as if they had been evaluated at once
            game.counts.player_gradients = before + result.evaluations * len(game.players)
        return result, ("eager" if native is None else "c") + further

    return run


def _native(game: Game, members: int, field: Field | None, method: str, kernel: str) -> Any:
    """The compiled flow, or None."""
    if kernel not in {"auto", "c", "eager"}:
        raise ParameterError(f"kernel={kernel!r}", '"auto", "c" or "eager"', 'kernel="auto"')
    if kernel == "eager" or (kernel == "auto" and members < FEW_MEMBERS):
        return None
    reason = cached.unsuitable(game)
    if not game.symbolic:
        reason = reason or "the game has no expressions of its own"
    if field is not None or method != "DOP853":
        reason = "only the gradient flow by DOP853 is compiled"
    if not reason:
        from .native_flow import NativeFlow

        try:
            if "_flow" not in game.__dict__:
                game.__dict__["_flow"] = NativeFlow(game)
            return game.__dict__["_flow"]
        except GandynError as error:
            reason = str(error)
    if kernel == "c":
        raise DomainError(f"a compiled flow of {game.name}: {reason}", "a symbolic game", 'kernel="auto"')
    return None


def right_hand_side(game: Game, w: Array, field: Field | None, limit: float) -> Field:
    """The field on NumPy arrays (N, d), whatever world the game or the caller's function lives in.

    Beyond the bound it is NaN, which no step survives: the integrator stops that member just inside. Expressions are
    evaluated in double precision: the tolerances are finer than a start's own precision may be.
    """
    tensors = world_of(w) == TORCH or NUMPY not in game.worlds
    if field is None and game.symbolic and world_of(w) == TORCH and w.device.type != "mps":
        w = w.double()

    def evaluate(x: np.ndarray) -> np.ndarray:
        point = _tensor(x, w) if tensors else x
        value = -game.field(point) if field is None else field(point)
        value = returned("field", value)
        if value.shape != x.shape:
            raise ShapeError(
                f"a field of shape {value.shape}",
                f"{x.shape}, that of its argument",
                "return dw/dt, one number a coordinate",
            )
        return np.where((np.abs(x) <= limit).all(-1, keepdims=True), value, np.nan)

    return evaluate


def _tensor(x: np.ndarray, w: Array) -> Array:
    return torch.as_tensor(x, dtype=w.dtype, device=w.device) if world_of(w) == TORCH else torch.as_tensor(x)


def _like(rows: np.ndarray, w: Array) -> Array:
    return _tensor(rows, w) if world_of(w) == TORCH else rows


def _times(time: object, samples: int) -> np.ndarray:
    try:
        times = np.asarray(np.nan if isinstance(time, bool) else time, dtype=float)
    except (TypeError, ValueError, OverflowError) as error:
        raise ParameterError(f"time={time!r}", "a positive number or increasing times", "time=10.0") from error
    if times.ndim == 0:
        if isinstance(samples, bool) or not isinstance(samples, (int, np.integer)) or samples < 2:
            raise ParameterError(f"samples={samples!r}", "a whole number >= 2", f"samples={SAMPLES}")
        return np.linspace(0.0, _positive("time", float(times)), samples)
    if times.ndim != 1 or len(times) < 2 or not np.isfinite(times).all() or (np.diff(times) <= 0).any():
        raise ParameterError(f"time={time!r}", "a positive number or at least two increasing times", "time=10.0")
    return times


def _positive(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not value > 0:
        raise ParameterError(f"{name}={value!r}", "a positive number", f"{name}={1e-9 if name == 'rtol' else 10.0}")
    if name != "bound" and not math.isfinite(value):
        raise ParameterError(f"{name}={value!r}", "a finite number", f"{name}={1e-9 if name == 'rtol' else 10.0}")
    return float(value)
