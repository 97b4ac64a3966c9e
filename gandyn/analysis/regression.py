"""Straight lines and power laws through a series with correlated residuals: least squares, bands by block bootstrap."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

Series = np.ndarray[Any, Any]
ROUNDS = 400
ROUNDING = 1e-13


@dataclasses.dataclass(frozen=True)
class Fit:
    """y = intercept + slope x(t), x = t or log(t + offset).

    Attributes:
        intercept, slope, offset: of the fit; offset is None for a line.
        band: 95 % of bootstrapped slopes.
        variance: of the residuals, no less than rounding's.
        independent: how many independent residuals there are in effect.
    """

    intercept: float
    slope: float
    offset: float | None
    band: tuple[float, float]
    variance: float
    independent: float

    @property
    def parameters(self) -> int:
        """How many were fitted."""
        return 2 if self.offset is None else 3

    def __call__(self, t: Any) -> Series:
        """The fitted y at t."""
        t = np.asarray(t, dtype=float)
        x = t if self.offset is None else np.log(t + self.offset)
        return np.asarray(self.intercept + self.slope * x)


def length(w: Series) -> Series:
    """Euclidean norm on the last axis, without the overflow and underflow of squares."""
    scale = np.abs(w).max(axis=-1, keepdims=True)
    safe = np.where((scale > 0) & np.isfinite(scale), scale, 1.0)
    return np.asarray(safe[..., 0] * np.linalg.norm(w / safe, axis=-1))


def fit_line(t: Series, y: Series, rng: np.random.Generator) -> Fit:
    """y against t."""
    return _fit(t, y, np.column_stack([np.ones_like(t), t]), None, rng)


def fit_power(t: Series, y: Series, rng: np.random.Generator) -> Fit:
    """y against log(t + t_0), with the t_0 of the least squares between minus half the first time and the last.

    The bootstrap varies t_0 too, to first order.
    """

    def loss(share: float) -> float:
        x = np.log(t + _offset(t, share))
        return float(np.log(np.square(y - np.polyval(np.polyfit(x, y, 1), x)).sum() + ROUNDING**2))

    grid = np.linspace(0.0, 1.0, 41)
    k = int(np.argmin([loss(s) for s in grid]))
    bounds = (grid[max(k - 1, 0)], grid[min(k + 1, 40)])
    share = float(minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-9}).x)
    offset = _offset(t, share)
    x = np.log(t + offset)
    design = np.column_stack([np.ones_like(x), x, 1 / (t + offset) - (1 / (t + offset)).mean()])
    return _fit(x, y, design, offset, rng)


def _offset(t: Series, share: float) -> float:
    return float(-t[0] / 2 + share * (t[-1] + t[0] / 2))


def _fit(x: Series, y: Series, design: Series, offset: float | None, rng: np.random.Generator) -> Fit:
    slope, intercept = np.polyfit(x, y, 1)
    residuals = y - intercept - slope * x
    inverse = np.linalg.pinv(design)[1]
    independent = _independent(residuals)
    n = len(x)
    block = min(n // 2, max(int(np.ceil(n ** (1 / 3))), int(np.ceil(n / independent))))
    starts = rng.integers(0, n - block + 1, size=(ROUNDS, -(-n // block)))
    picked = (starts[..., None] + np.arange(block)).reshape(ROUNDS, -1)[:, :n]
    drawn = residuals[picked]
    slopes = slope + (drawn - drawn.mean(axis=1, keepdims=True)) @ inverse
    low, high = np.quantile(slopes, [0.025, 0.975])
    variance = float(np.square(residuals).mean()) + (ROUNDING * max(1.0, float(np.abs(y).max()))) ** 2
    return Fit(float(intercept), float(slope), offset, (float(low), float(high)), variance, independent)


def _independent(residuals: Series) -> float:
    """n (1 - r) / (1 + r), r being the correlation of neighbours; between 4 and n."""
    n = len(residuals)
    power = float(np.square(residuals).sum())
    r = float(residuals[1:] @ residuals[:-1] / power) if power > 0 else 0.0
    r = min(max(r, 0.0), 0.999)
    return max(4.0, n * (1 - r) / (1 + r))
