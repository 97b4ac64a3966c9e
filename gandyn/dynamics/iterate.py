"""Iterate an update rule from one start or an ensemble of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ParameterError, ShapeError
from ..results import Status, Trajectory
from ..types import Array, Game, Rule
from ..worlds import NUMPY, TORCH, world_of


def iterate(
    game: Game,
    rule: Rule,
    start: Any,
    steps: int,
    record: str | int = "all",
    *,
    rng: Any = 0,
    bound: float = np.inf,
) -> Trajectory:
    """Apply `rule` to `game` for `steps` steps.

    Args:
        game: the game. rule: the update rule.
        start: array-like (..., d); leading axes are an ensemble. A torch tensor runs in torch, on its device.
        steps: number of steps T.
        record: "all" for every step, shape (T+1, ..., d); "last" for shape (..., d); a whole number k for every k-th.
        rng: seed or generator for the batches of stochastic games.
        bound: a member whose largest |coordinate| exceeds it counts as diverged.

    Returns:
        A `Trajectory`. A member that overflows stops at its last finite point and is reported as diverged.
    """
    w = _start(game, start)
    if not isinstance(steps, (int, np.integer)) or steps < 0:
        raise ParameterError(f"steps={steps!r}", "a whole number >= 0", "steps=100")
    stride = {"all": 1, "last": max(int(steps), 1)}.get(record, record) if isinstance(record, str) else int(record)
    if isinstance(stride, str) or stride < 1:
        raise ParameterError(f"record={record!r}", '"all", "last", or a stride >= 1', 'record="all"')
    rng = np.random.default_rng(rng) if isinstance(rng, (int, np.integer)) else rng
    before = game.counts - type(game.counts)(players=len(game.players))
    state = rule.init(game, w, rng)
    rows = [w]
    times = [0]
    alive = np.ones(w.shape[:-1], dtype=bool)
    done = np.zeros(w.shape[:-1], dtype=int)
    with np.errstate(all="ignore"):
        for t in range(1, int(steps) + 1):
            proposed, state, _ = rule.step(game, w, state, rng)
            game.advance()
            w, alive = _keep(proposed, w, alive, bound)
            done += alive
            if record != "last" and (t % stride == 0):
                rows.append(w)
                times.append(t)
            if not alive.any():
                break
    while record != "last" and len(rows) < int(steps) // stride + 1:
        rows.append(w)
        times.append(times[-1] + stride)
    status = np.where(alive, Status.OK, Status.DIVERGED).astype(object)
    recorded = w if record == "last" else _stack(rows)
    return Trajectory(
        w=recorded,
        t=np.array([steps] if record == "last" else times),
        status=status if status.ndim else status.item(),
        steps=done if done.ndim else int(done),
        game=game,
        rule=rule,
        state=state,
        counts=game.counts - before,
    )


def _start(game: Game, start: Any) -> Array:
    if world_of(start) == TORCH:
        w = start.detach().clone()
        finite = bool(w.isfinite().all())
    else:
        w = np.array(start, dtype=float)
        finite = bool(np.isfinite(w).all())
    game.check(w)
    if not finite:
        raise ShapeError(f"a start with entries that are not finite: {start}", "finite numbers", "check the start")
    return game.project(w)


def _keep(proposed: Array, w: Array, alive: Any, bound: float) -> tuple[Array, Any]:
    """The proposed points of members that are alive and finite, the old points of the others."""
    if world_of(proposed) == NUMPY:
        good = alive & (np.abs(proposed).max(-1) <= bound) & np.isfinite(proposed).all(-1)
        return np.where(good[..., None], proposed, w), good
    import torch

    good = (proposed.abs().amax(-1) <= bound) & torch.isfinite(proposed).all(-1)
    good = good & torch.as_tensor(alive, device=good.device)
    return torch.where(good[..., None], proposed, w), np.asarray(good.cpu())


def _stack(rows: list[Array]) -> Array:
    if world_of(rows[0]) == NUMPY:
        return np.stack(rows)
    import torch

    return torch.stack(rows)
