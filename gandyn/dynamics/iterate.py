"""Iterate an update rule from one start or an ensemble of them."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..doors import ensemble_door
from ..errors import GandynError, ParameterError, ShapeError
from ..lazy import torch
from ..memory import afford
from ..noise import Additive
from ..results import Interrupted, Status, Trajectory
from ..symbolic.members import ensemble_shape, members_in, spread
from ..types import Array, Game, Rng, Rule, State
from ..types.first_step import first_state
from ..worlds import TORCH, ceiling, world_of
from .eager import run_eager
from .progress import reporter

Progress = bool | Callable[[int, int], None]


@ensemble_door
def iterate(
    game: Game,
    rule: Rule,
    start: object,
    steps: int,
    record: str | int = "all",
    *,
    rng: Rng = 0,
    noise: object = None,
    bound: float = np.inf,
    kernel: str = "auto",
    threads: int | None = None,
    progress: Progress = False,
) -> Trajectory:
    """Apply `rule` to `game` for `steps` steps: w_{t+1} = F(w_t), with the rule's state beside w.

    A member whose next point lies beyond `bound`, or whose next point or state overflows, stops: its last point and
    state are held from then on, and its status is `Status.DIVERGED`; the other members go on. Overflow is a number
    beyond 1.7e302 in double precision, where sums inside a step may or may not overflow, and beyond the largest number
    in others.

    Args:
        game: the game.
        rule: the update rule. A parameter of either may be a NumPy array of one value for each member of the ensemble;
            its shape and the leading axes of `start` are broadcast as NumPy does.
        start: array-like (..., d); leading axes are an ensemble, so that [(-2, 2), (-1, 1)] are two starts and no box,
            which `gd.basins` alone asks about. A torch tensor runs in torch, on its device and in its precision,
            without autograd.
        steps: number of steps T.
        record: "all" for every step, shape (T+1, ..., d); "last" for shape (..., d); a whole number k for every k-th.
        rng: seed or generator for the batches of stochastic games, and for the noise.
        noise: `gd.noise.Additive`, or the covariance of one: the field is v(w) + xi, independent for each member of
            an ensemble: one xi for all that a rule evaluates on one batch, as extragradient does, and another one for
            each turn of an alternating rule.
        bound: a member whose largest |coordinate| exceeds it counts as diverged.
        kernel: "auto" runs generated code where the game is symbolic, deterministic or with Gaussian or bounded noise
            added: from ten steps up if the code is in memory or on disk, and where the run is long enough to make it;
            elsewhere `rule.step`. "eager" is `rule.step` always; "c", "numpy", "torch" and "numba" name a backend. All
            agree to rounding, which a chaotic map magnifies: name one to get the same last bits again.
        threads: for "c" and "numba"; all cores this process may use by default.
        progress: True prints a line to stderr with the time left; a function is called with (steps done, steps).

    Returns:
        A `Trajectory`; `.kernel` says how it was computed, `.counts` the oracle calls of the ensemble as a whole (and
        `.counts.seconds` the time).

    Raises:
        ShapeError: for a start of another length, or with entries that are not finite.
        ParameterError: for steps, record or bound out of range, and free parameters.
        DomainError: if the game lies outside the rule's domain, or the backend asked for cannot run it.
        Interrupted: on Ctrl-C; the exception's `.trajectory` holds what was computed.

    Example:
        >>> import gandyn as gd
        >>> traj = gd.iterate(gd.games.bilinear(), gd.rules.GDA(0.5), [[1.0, 0.0], [0.0, 2.0]], 2)
        >>> traj.w[-1].tolist()
        [[0.75, 1.0], [-2.0, 1.5]]
    """
    if noise is not None:
        game = Additive.read(noise).applied(game)
    w = over_ensemble(checked_start(game, start), game, rule)
    stride, bound = _stride(record), _bound(bound)
    if stride is not None:
        size = (steps // stride + 1) * math.prod(w.shape) * 8
        afford(size, f"record={record!r} of {steps} steps", 'record="last", or a stride such as record=1000')
    counts = game.counts
    before, began = counts * 1, time.perf_counter()
    report = reporter(progress)
    options = {"stride": stride, "bound": bound, "progress": report}
    silent = rng is None and not game.deterministic  # whole sums, and no noise
    found = _kernel(game, rule, w, steps, "eager" if silent else kernel)
    if found is None and isinstance(start, np.ndarray) and np.may_share_memory(w, start):
        w = w.copy()  # a kernel copies it anyway
    draws = found is None or found.kernel.program.draws or rule.memory or type(rule).init is not Rule.init
    if draws and isinstance(rng, (int, np.integer)):
        rng = np.random.default_rng(rng)
    state = first_state(rule, game, w, rng)
    if found is None:
        result = _eagerly(game, rule, w, state, steps, rng, options)
    else:
        result = _by_kernel(game, found, w, state, steps, {**options, "threads": threads, "rng": rng})
    if report is not None:
        report(-1, steps)
    counts.seconds += time.perf_counter() - began
    interrupted = result.pop("interrupted")
    trajectory = Trajectory(game=game, rule=rule, counts=counts - before, **result)
    if interrupted:
        raise Interrupted(trajectory)
    return trajectory


def _kernel(game: Game, rule: Rule, w: Array, steps: int, kernel: str) -> Any:
    """The kernel to run, or None for the eager way."""
    if kernel == "eager":
        return None
    from . import cached

    members = math.prod(w.shape[:-1])
    if kernel == "auto" and (steps < cached.FEW_STEPS or not members):
        return None
    build = kernel != "auto" or cached.worthwhile(game, members, steps)
    cost = rule.cost_on(game)
    if not build and math.isnan(cost.fields + cost.jvps + cost.vjps):
        return None  # a kernel solves in closed form, with other counts: what there is on disk must not decide them
    try:
        return cached.compiled(game, rule, kernel, w, build)
    except (GandynError, KeyError):
        if kernel != "auto":
            raise
        return None


def _eagerly(
    game: Game, rule: Rule, w: Array, state: State, steps: int, rng: Rng, options: dict[str, Any]
) -> dict[str, Any]:
    stride = options["stride"]
    run = run_eager(game, rule, w, state, steps, rng=rng, **options)
    times = np.array([run.t if run.interrupted else steps]) if stride is None else np.arange(len(run.rows)) * stride
    recorded = run.w if stride is None else run.rows
    return {
        "w": recorded, "t": times, "state": run.state, "kernel": "eager",
        **_endings(run.alive, run.done, run.interrupted),
    }  # fmt: skip


def _by_kernel(game: Game, found: Any, w: Array, state: State, steps: int, options: dict[str, Any]) -> dict[str, Any]:
    shape, d = tuple(w.shape[:-1]), game.dim
    leaves = [leaf for _, leaf in state.leaves()]
    columns = [spread(symbol.like(w), shape)[..., None] for symbol in found.columns]
    counts = [count for _, count in state.counter_leaves()]
    z, rng = _join([w, *leaves, *columns], shape), options.pop("rng")
    counters, draws = [*counts, *found.data], len(found.kernel.program.draws)
    if draws:  # a key for each draw, as the steps would ask for them one by one
        counters, options["keys"] = [*counters, 0], rng.integers(2**63, size=steps * draws).astype(np.uint64)
    run = found.kernel.run(z, steps, counters, ceiling=ceiling(w), **options)
    if draws and not run.alive.all():  # names noise whose covariance is none where a member stopped
        game.field(run.z[:, :d], game.draw(np.random.default_rng(0)))
    counted, own = game.counts, found.counts
    counted.player_gradients += run.calls * own.player_gradients
    counted.jvps += run.calls * own.jvps
    counted.vjps += run.calls * own.vjps
    edges = itertools.accumulate([d, *(leaf.shape[-1] for leaf in leaves)])
    arrays = [run.z[:, a:b].reshape(*shape, b - a) for a, b in itertools.pairwise(edges)]
    counters = [int(c) if float(c).is_integer() else float(c) for c in run.counters[: len(counts)]]
    recorded = run.z[:, :d].reshape(*shape, d) if run.rows is None else run.rows.reshape(len(run.rows), *shape, d)
    return {
        "w": recorded, "t": run.t, "kernel": found.kernel.backend,
        "state": state.replace_leaves(iter(arrays), iter(counters)),
        **_endings(run.alive.reshape(shape), run.done.reshape(shape), run.interrupted),
    }  # fmt: skip


def _join(arrays: Sequence[Array], shape: tuple[int, ...]) -> Array:
    """One row z = (w, state) for each member."""
    if len(arrays) == 1:
        return arrays[0].reshape(-1, arrays[0].shape[-1])
    if world_of(arrays[0]) == TORCH:
        return torch.cat([a.expand(*shape, a.shape[-1]).reshape(-1, a.shape[-1]) for a in arrays], -1)
    return np.concatenate([np.broadcast_to(a, (*shape, a.shape[-1])).reshape(-1, a.shape[-1]) for a in arrays], -1)


def _endings(alive: Array, done: Array, interrupted: bool) -> dict[str, Any]:
    """Status and steps: one each for a single start, one for each member of an ensemble."""
    if not isinstance(alive, np.ndarray):
        alive, done = (np.asarray(a.cpu() if hasattr(a, "cpu") else a) for a in (alive, done))
    if not alive.ndim:
        ended = Status.INTERRUPTED if interrupted else Status.OK
        return {"status": ended if alive else Status.DIVERGED, "steps": int(done), "interrupted": interrupted}
    one = np.empty((), dtype=object)
    one[()] = Status.INTERRUPTED if interrupted else Status.OK
    status = np.broadcast_to(one, alive.shape)  # no million pointers to say that all is well
    if not alive.all():
        status = status.copy()
        status[~alive] = Status.DIVERGED
    return {"status": status, "steps": done, "interrupted": interrupted}


def checked_start(game: Game, start: Any, project: bool = True) -> Array:
    """The start as an array of its world, projected unless `project` is false. Raises ShapeError if it does not fit."""
    if world_of(start) == TORCH:
        w = start.detach().clone()
        finite = bool(w.isfinite().all())
    else:
        try:
            w = np.asarray(start, dtype=float)
        except (TypeError, ValueError) as error:
            raise ShapeError(
                f"a start that is not an array of numbers: {start!r}",
                f"numbers of shape (..., {game.dim})",
                "check the start",
            ) from error
        finite = bool(np.isfinite(w).all())
    game.check(w)
    if not finite:
        raise ShapeError(f"a start with entries that are not finite: {start}", "finite numbers", "check the start")
    return game.project(w) if project else w


def over_ensemble(w: Array, *holders: object) -> Array:
    """Points broadcast against parameters with one value per member. Raises ShapeError where they do not fit."""
    symbols = members_in(*holders)
    if not symbols:
        return w
    shape = ensemble_shape(w.shape[:-1], symbols)
    return w if shape == tuple(w.shape[:-1]) else spread(w, (*shape, w.shape[-1]))


def _stride(record: object) -> int | None:
    if record == "last":
        return None
    if record == "all":
        return 1
    if isinstance(record, (bool, str)) or not isinstance(record, (int, np.integer)) or record < 1:
        raise ParameterError(f"record={record!r}", '"all", "last", or a stride >= 1', 'record="all"')
    return int(record)


def _bound(bound: object) -> float:
    if not isinstance(bound, (int, float, np.number)) or not bound > 0:
        raise ParameterError(f"bound={bound!r}", "a positive number, or infinity", "bound=1e6")
    return float(bound)
