"""Whether motion seems to go on for ever: its mean size in consecutive windows of time."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from ...dynamics.kernels import Kernel
from ...types import Array
from ..closed_orbits.circle_solver import fading_weights

WINDOWS, WINDOW, BLOCK = 8, 600, 2048
LASTS = 0.98  # share of the range that a motion which goes on keeps from one window to the next
MOVES, STEADY, SAME_RANGE, REPEATS = 1e-3, 1e-6, 0.01, 1e-7
TURNS, LONGEST_STRIDE = 5, 16


@dataclasses.dataclass(frozen=True)
class Motion:
    """What N members did while they were watched."""

    cycling: Array  # (N,), whether the member keeps moving by the same amount
    periods: Array  # (N,), the period in steps of a periodic orbit, 0 for all others
    last: Array  # (N, d), the last points


def watch(kernel: Kernel, z: Array, counters: Sequence[float], scale: Array, stride: int = 1) -> Motion:
    """Follow members for eight windows of 600 steps, and decide which of them cycle.

    The squared distance from the middle of the motion is averaged in each window, with weights that fade in and out:
    for a periodic or quasi-periodic motion the average is the same in each window (Das, Saiki, Sander & Yorke 2017),
    for a slow spiral it is not. A member cycles if the average stays the same to 1e-6; or if it approaches a limit
    within 1 % of the last one; or if it changes without a trend, as in chaos, and the range of every coordinate stays
    the same within 1 %. A member is periodic if its last steps repeat those before. These are observations over a
    finite time, not proofs. Members that make fewer than five turns are watched again at every 4th and 16th step.

    The states z are (N, D), `scale` (d,) has the half widths of the box, and every `stride`-th step is seen.
    """
    n, d = len(z), len(scale)
    weights = fading_weights(WINDOW)
    sizes, low, high = np.empty((WINDOWS, n)), np.empty((WINDOWS, n, d)), np.empty((WINDOWS, n, d))
    middle, turns, rows = np.zeros((n, d)), np.zeros(n), np.empty((0, n, d))
    for k in range(WINDOWS):
        run = kernel.run(z, WINDOW * stride, counters, stride=stride)
        z, counters, rows = run.z, run.counters, run.rows[1:]
        if k == 0:
            middle = np.tensordot(weights, rows, 1)
            above = rows > middle
            turns = np.count_nonzero(above[1:] != above[:-1], axis=0).max(-1) / 2
        with np.errstate(all="ignore"):  # a coordinate at a time: sums over a short last axis are slow
            sizes[k] = sum(weights @ ((rows[..., j] - middle[:, j]) / scale[j]) ** 2 for j in range(d))
        low[k], high[k] = rows.min(0), rows.max(0)
    moving = ((high[-1] - low[-1]) / scale).max(-1) > MOVES
    periods = _periods(rows / scale, (high[-1] - low[-1]) / scale) if stride == 1 else np.zeros(n, dtype=int)
    periods[~moving] = 0
    cycling = moving & ((periods > 1) | ((turns >= TURNS) & _goes_on(sizes, low, high)))
    slow = np.flatnonzero(moving & ~cycling & (turns < TURNS))
    if len(slow) and stride < LONGEST_STRIDE:
        cycling[slow] = watch(kernel, z[slow], counters, scale, 4 * stride).cycling
    return Motion(cycling, periods, rows[-1])


@np.errstate(all="ignore")  # members that have overflowed go on nowhere
def _goes_on(sizes: Array, low: Array, high: Array) -> Array:
    """Whether the mean squares in consecutive windows, (WINDOWS, N), stay, or approach a limit, or have no trend."""
    change = np.diff(sizes, axis=0)
    steady = np.abs(change).max(0) <= STEADY * sizes[-1]
    trend = (change > 0).all(0) | (change < 0).all(0)
    ratio = (change[-1] / change[0]) ** (1 / (len(change) - 1))
    rest = np.where(ratio < 1, change[-1] * ratio / (1 - ratio), np.inf)
    extents = (high[-2:] - low[-2:]).max(-1)  # motion that dies out beside the middle has sizes that settle too
    lasts = extents[1] >= LASTS * extents[0]
    settles = lasts & (np.abs(rest) <= SAME_RANGE * sizes[-1])
    half = len(low) // 2
    ends = [(part[:half], part[half:]) for part in (low, high)]
    drift = np.maximum(
        np.abs(ends[0][0].min(0) - ends[0][1].min(0)), np.abs(ends[1][0].max(0) - ends[1][1].max(0))
    ).max(-1)
    same = drift < SAME_RANGE * (high.max(0) - low.min(0)).max(-1)
    return np.asarray(steady | (trend & settles) | (~trend & same))


def _periods(rows: Array, extent: Array) -> Array:
    """The smallest p such that the last p steps repeat the p steps before them, (N,); 0 where there is none.

    `rows` (T, N, d) are the points and `extent` (N, d) the width of what each member covers, both in half widths.
    """
    extent = extent.max(-1, keepdims=True)
    near = (np.abs(rows[:-1] - rows[-1]) <= REPEATS * extent).all(-1)[::-1]
    first = np.where(near.any(0), near.argmax(0) + 1, 0)
    for k in np.flatnonzero(first):
        p = int(first[k])
        again = rows[-2 * p : -p, k]
        if 2 * p > len(rows) or not (np.abs(again - rows[-p:, k]) <= 10 * REPEATS * extent[k]).all():
            first[k] = 0
    return first
