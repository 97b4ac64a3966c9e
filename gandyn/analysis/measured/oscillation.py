"""Swings of a series about its trend: peaks where they are clean, harmonics of a period where noise blurs them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar

from .regression import Series, smooth_columns

FEWEST_PEAKS = 8
UNEVEN = 0.2  # of the mean gap between peaks
HARMONICS = 12
EXPLAINED = 0.5  # share of the variance about the trend that a period has to explain
FEWEST_PERIODS = 4


class Peaks(NamedTuple):
    """The n peaks of a regular oscillation."""

    period: float  # mean time between peaks
    t: Series  # times, (n,)
    y: Series  # heights, (n,)
    columns: Series  # regressors for the error of refining peaks by parabolas, (n, m), of mean 0


def peaks(t: Series, y: Series, trend: Callable[[Series], Series]) -> Peaks | None:
    """Peaks of a series y at times t (n,) that oscillates regularly about a trend; None where it does not.

    The trend is subtracted before the search for peaks and added to them afterwards, so that its slope moves none of
    them. Each peak is refined by a parabola through three samples. The error of the parabola depends on where between
    two samples the peak lies: powers of that place are the regressors.
    """
    rest = y - trend(t)
    inner = np.flatnonzero((rest[1:-1] > rest[:-2]) & (rest[1:-1] >= rest[2:])) + 1
    if len(inner) < FEWEST_PEAKS or np.ptp(rest) < 1e-9:
        return None
    left, middle, right = rest[inner - 1], rest[inner], rest[inner + 1]
    shift = (left - right) / (2 * (left - 2 * middle + right))
    height = middle - (left - right) * shift / 4
    at = t[inner] + shift * (t[inner + 1] - t[inner])
    gaps = np.diff(at)
    if at[0] - t[0] > 2 * gaps.mean() or t[-1] - at[-1] > 2 * gaps.mean():
        return None  # too small a swing to make peaks everywhere
    if gaps.std() > UNEVEN * gaps.mean() or gaps.mean() < 3 * np.median(np.diff(t)):
        return None
    columns = shift[:, None] ** np.array([2, 4, 1, 3])[: len(at) // 6]
    return Peaks(float(gaps.mean()), at, height + trend(at), columns - columns.mean(0))


def period(t: Series, y: Series) -> tuple[float, float] | None:
    """The period of a series y at times t (n,), and the share of its variance that harmonics of it do not explain.

    The variance is that about a smooth curve. None where no period explains half of it.
    """
    free = smooth_columns(t)
    rest = y - free @ np.linalg.lstsq(free, y, rcond=1e-10)[0]
    power = float(rest @ rest)
    spacing, span = float(np.median(np.diff(t))), float(t[-1] - t[0])
    if power <= 1e-26 * float(y @ y) or span < 2 * FEWEST_PERIODS * spacing:
        return None
    frequencies = np.arange(FEWEST_PERIODS, len(t) // 3, 0.5) / span
    if not len(frequencies):
        return None
    phases = np.exp(-2j * np.pi * np.outer(frequencies, t - t[0]))
    shares = np.abs(phases @ rest) ** 2
    k = int(np.argmax(shares))

    def unexplained(frequency: float) -> float:
        columns = harmonics(t, 1 / frequency)
        return float(np.square(rest - columns @ np.linalg.lstsq(columns, rest, rcond=None)[0]).sum()) / power

    width = 0.5 / span
    bounds = (float(frequencies[k]) - width, float(frequencies[k]) + width)
    best = minimize_scalar(unexplained, bounds=bounds, method="bounded", options={"xatol": 1e-8 / span})
    return (float(1 / best.x), float(best.fun)) if best.fun < 1 - EXPLAINED else None


def harmonics(t: Series, length: float) -> Series:
    """Columns (n, 2 m) of the cosines and sines with the period `length` and its integer fractions at times t (n,).

    At most 12 harmonics, and no more than the sampling can tell apart.
    """
    spacing = np.median(np.diff(t))
    most = max(1, min(HARMONICS, int(length / (2.5 * spacing)), len(t) // 20))
    turns = 2 * np.pi * (t - t[0]) / length
    return np.column_stack([f(k * turns) for k in range(1, most + 1) for f in (np.cos, np.sin)])
