"""The plain way to iterate: `rule.step` again and again, on NumPy or torch, for every game and rule."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..lazy import torch
from ..types import Array, Game, Rng, Rule, State
from ..types.first_step import first_step
from ..worlds import NUMPY, ceiling, world_of

SYNC = 32


@dataclasses.dataclass
class EagerRun:
    """A run in progress: arrays of the world of w, flags of shape (...).

    Attributes:
        t: steps computed by the ensemble. done: steps computed by each member.
    """

    w: Array
    state: State
    rows: Array
    alive: Array
    done: Array
    t: int = 0
    interrupted: bool = False


def run_eager(
    game: Game,
    rule: Rule,
    w: Array,
    state: State,
    steps: int,
    *,
    stride: int | None,
    rng: Rng,
    bound: float,
    progress: Callable[[int, int], None] | None = None,
) -> EagerRun:
    """`steps` steps from w; a member that overflows or leaves the bound holds its last point and its state.

    Overflow is a number beyond `ceiling` in w or in the rule's state: a moment that is infinite would let w stand
    still for ever.

    Args:
        stride: record every `stride` steps; None records nothing, and memory does not grow with the steps.
        progress: called with (steps done, steps) now and then.

    Ctrl-C ends the run after the last whole step.
    """
    arrays = _NumpyArrays() if world_of(w) == NUMPY else _TorchArrays()
    most = ceiling(w)
    limits = min(bound, most), most
    with arrays.quiet():
        run = EagerRun(w, state, None, _within(arrays, w, state, most, most), arrays.zeros(w))
    if stride is not None:
        run.rows = arrays.empty(steps // stride + 1, w)
        run.rows[0] = w
    with arrays.quiet(), contextlib.suppress(KeyboardInterrupt):
        run.interrupted = True
        for t in range(1, steps + 1):
            if t == 1:
                w, state, _ = first_step(rule, game, run.w, run.state, rng)
            else:
                w, state, _ = rule.step(game, run.w, run.state, rng)
            game.advance()
            good = run.alive & _within(arrays, w, state, *limits)
            if not arrays.all_well(good):
                w, state = arrays.choose(good, w, run.w), _hold(arrays, good, state, run.state)
                run.alive = good
            run.done = run.done + run.alive
            run.w, run.state, run.t = w, state, t
            if stride is not None and t % stride == 0:
                run.rows[t // stride] = w
            if progress is not None:
                progress(t, steps)
            if (arrays.world == NUMPY or t % SYNC == 0) and not bool(run.alive.any()):
                break
        run.interrupted = False
    if run.rows is not None and run.interrupted:
        run.rows = run.rows[: run.t // stride + 1]  # type: ignore[operator]
    elif run.rows is not None:
        run.rows[run.t // stride + 1 :] = run.w  # type: ignore[operator]
    return run


def _within(arrays: _NumpyArrays | _TorchArrays, w: Array, state: State, limit: float, most: float) -> Array:
    """Which members have w within `limit` and their state arrays within `most`, shape (...)."""
    good = arrays.within(w, limit)
    for _, leaf in state.leaves():
        if not arrays.surely_within(leaf, most):
            good = good & arrays.within(leaf, most)
    return good


def _hold(arrays: Any, good: Array, new: State, old: State) -> State:
    """The new state of good members, the old of the others; counters are everybody's."""
    merged = [arrays.choose(good, a, b) for (_, a), (_, b) in zip(new.leaves(), old.leaves(), strict=True)]
    return new.replace_leaves(iter(merged), iter([count for _, count in new.counter_leaves()]))


class _NumpyArrays:
    world = NUMPY

    def zeros(self, w: Array) -> Array:
        return np.zeros(w.shape[:-1], dtype=np.int64)

    def empty(self, rows: int, w: Array) -> Array:
        return np.empty((rows, *w.shape), dtype=w.dtype)

    def within(self, w: Array, limit: float) -> Array:
        return np.maximum.reduce(np.abs(w), axis=-1) <= limit

    def surely_within(self, w: Array, limit: float) -> bool:
        """By the sum of squares, the cheapest look at all numbers at once."""
        return bool(np.vdot(w, w) <= limit)

    def all_well(self, good: Array) -> bool:
        """Whether every member is good, so that `choose` would take all of `new`."""
        return bool(good.all())

    def choose(self, good: Array, new: Array, old: Array) -> Array:
        return np.where(good[..., None], new, old)

    @contextlib.contextmanager
    def quiet(self) -> Iterator[None]:
        with np.errstate(all="ignore"):
            yield


class _TorchArrays:
    """Nothing here reads from the device, so steps queue up there."""

    world = "torch"

    def __init__(self) -> None:
        self.torch = torch

    def zeros(self, w: Array) -> Array:
        return w.new_zeros(w.shape[:-1], dtype=self.torch.int64)

    def empty(self, rows: int, w: Array) -> Array:
        return w.new_empty((rows, *w.shape))

    def within(self, w: Array, limit: float) -> Array:
        return w.abs().amax(-1) <= limit

    def surely_within(self, w: Array, limit: float) -> bool:
        return False

    def all_well(self, good: Array) -> bool:
        return False

    def choose(self, good: Array, new: Array, old: Array) -> Array:
        return self.torch.where(good.unsqueeze(-1), new, old)

    def quiet(self) -> Any:
        return self.torch.no_grad()
