"""Straight lines and power laws fitted to a series with correlated residuals, by generalised least squares."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import stats
from scipy.optimize import minimize_scalar

from ...types import Array

Series = np.ndarray
LEVEL = 0.95
ORDERS = 6  # of autoregressive noise
OFFSETS = 241
ROUNDING = 1e-13


@dataclasses.dataclass(frozen=True)
class Fit:
    """The fit y = intercept + slope x(t), with x = t or x = log(t + offset), perhaps plus a periodic part."""

    intercept: float
    slope: float
    offset: float | None  # None for a straight line
    band: tuple[float, float]  # 95 % band of the slope
    variance: float  # of the residuals without their correlation (whitened), at least that of rounding errors
    independent: float  # number of these residuals
    misfit: float = 0.0  # largest distance between the fit and a free smooth curve, over the change in the window
    doubt: float = 1.0  # probability, if the model is true, that the smooth curve is so much better (F test)
    at_edge: bool = False  # whether the offset is the largest tried: such a power law is close to an exponential

    def widened(self, slope: float) -> Fit:
        """The fit with its band extended to another slope."""
        return dataclasses.replace(self, band=(min(self.band[0], slope), max(self.band[1], slope)))

    @property
    def parameters(self) -> int:
        """The number of fitted parameters: two of the line, and a third where the law has an offset in time."""
        return 2 if self.offset is None else 3

    def __call__(self, t: Array) -> Series:
        """The fitted values of y at the times t."""
        t = np.asarray(t, dtype=float)
        x = t if self.offset is None else np.log(t + self.offset)
        return np.asarray(self.intercept + self.slope * x)


def length(w: Series) -> Series:
    """Euclidean norm on the last axis, without the overflow and underflow of squares."""
    scale = np.abs(w).max(axis=-1, keepdims=True)
    safe = np.where((scale > 0) & np.isfinite(scale), scale, 1.0)
    return np.asarray(safe[..., 0] * np.linalg.norm(w / safe, axis=-1))


@dataclasses.dataclass(frozen=True)
class Noise:
    """Autoregressive noise e_n = sum_k a_k e_{n-k} + white noise."""

    coefficients: Series  # a_1, ..., a_p

    def whiten(self, columns: Series) -> Series:
        """Columns (n, m) without the correlation: rows p, ..., n - 1 minus their predictions from the p rows before."""
        p = len(self.coefficients)
        result = columns[p:].copy()
        for k, a in enumerate(self.coefficients, start=1):
            result -= a * columns[p - k : len(columns) - k]
        return result


def noise_of(residuals: Series, regressors: int) -> Noise:
    """The autoregression of residuals (n,) with the lowest Bayesian information criterion, with its bias removed.

    Regressing on k columns lowers the sum S of the coefficients by about (k + (k + 2) S) / n (for k = 1: Kendall 1954;
    tests/analysis/measured/test_rate_bands.py measures what is left of the bias).
    """
    n = len(residuals)
    best, chosen = np.inf, np.zeros(0)
    scale = float(np.square(residuals).mean())
    most = min(ORDERS, n // 10)
    for p in range(most + 1):
        past = np.column_stack([residuals[most - k : n - k] for k in range(1, p + 1)] or [np.zeros((n - most, 0))])
        now = residuals[most:]
        a = np.linalg.lstsq(past, now, rcond=None)[0] if p else np.zeros(0)
        left = float(np.square(now - past @ a).mean()) + 1e-30 * scale + 1e-300
        score = len(now) * np.log(left) + p * np.log(len(now))
        if score < best:
            best, chosen = score, a
    total = float(chosen.sum())
    if total <= 0:
        return Noise(np.zeros(0))  # mostly what regressors leave behind; to ignore it only widens bands
    return Noise(chosen * min(total + (regressors + (regressors + 2) * total) / n, 0.98) / total)


def smooth_columns(t: Series) -> Series:
    """Columns (n, 3 to 7) of a free smooth curve: powers of t and of log t over the window, fewer for short series."""
    s = 2 * (t - t[0]) / (t[-1] - t[0]) - 1
    log = np.log(t)
    u = 2 * (log - log[0]) / (log[-1] - log[0]) - 1
    columns = [np.ones_like(s), s, s**2, u - s, s**3, u**2 - s**2, u**3 - s**3]
    return np.column_stack(columns[: 3 if len(t) < 60 else 4 if len(t) < 240 else 7])


class Regression:
    """A series y at times t (n,) to which lines and power laws are fitted, with the noise about a free smooth curve.

    `periodic` has columns (n, m) that are fitted along.
    """

    def __init__(self, t: Series, y: Series, periodic: Series | None = None) -> None:
        self.t, self.y = t, y
        self.periodic = np.zeros((len(t), 0)) if periodic is None else periodic
        smooth = smooth_columns(t)
        free = np.column_stack([smooth, self.periodic])
        solution, _, self.rank, _ = np.linalg.lstsq(free, y, rcond=1e-10)
        self.smooth = smooth @ solution[: smooth.shape[1]]
        self.noise = noise_of(y - free @ solution, int(self.rank))
        self.white = self.noise.whiten(y[:, None])[:, 0]
        self.floor = (ROUNDING * max(1.0, float(np.abs(y).max()))) ** 2
        self.least = self._left(free)[1]

    def line(self) -> Fit:
        """The straight line fitted to y as a function of t."""
        columns = np.column_stack([np.ones_like(self.t), self.t - self.t.mean(), self.periodic])
        solution, power, inverse = self._left(columns)
        degrees = self._degrees(columns.shape[1])
        half = self._quantile(columns.shape[1]) * np.sqrt(self._variance(power, degrees) * inverse[1, 1])
        slope = float(solution[1])
        return self._fit(float(solution[0]) - slope * float(self.t.mean()), slope, None, half, power, 2)

    def law(self) -> Fit:
        """The power law: y fitted as a function of log(t + t_0), with the t_0 of least squares.

        t_0 + t[0] lies between t[0] / 2 and t[0] + t[-1]. The band is that of the profile likelihood, which holds where
        t_0 is hardly determined; where t_0 is well determined, the band is that of the linearised fit.
        """
        t = self.t
        least, most = np.log(0.5 * t[0]), np.log(t[0] + t[-1])
        grid = np.linspace(least, most, OFFSETS)

        def left(u: float) -> float:
            return self._left(self._law_columns(np.exp(u) - t[0]))[1]

        powers = self._scan(np.exp(grid) - t[0])
        k = int(np.argmin(powers))
        bounds = (grid[max(k - 1, 0)], grid[min(k + 1, OFFSETS - 1)])
        best = minimize_scalar(
            lambda u: np.log(left(u) + 1e-300), bounds=bounds, method="bounded", options={"xatol": 1e-10}
        )
        offset = float(np.exp(best.x) - t[0])
        columns = self._law_columns(offset)
        solution, power, _ = self._left(columns)
        slope = float(solution[1])
        low, high = self._law_band(grid, powers, offset, power)
        fit = self._fit(float(solution[0]), slope, offset, 0.0, power, 3)
        edge = best.x > most - 1e-3 * (most - least)
        return dataclasses.replace(fit, band=(float(min(low, slope)), float(max(high, slope))), at_edge=bool(edge))

    def _scan(self, offsets: Series) -> Series:
        """The sums of squared whitened residuals of the law for many offsets at once."""
        others = self.noise.whiten(np.column_stack([np.ones_like(self.t), self.periodic]))
        basis = np.linalg.qr(others)[0]
        x = self.noise.whiten(np.log(self.t[:, None] + offsets))
        x = x - basis @ (basis.T @ x)
        y = self.white - basis @ (basis.T @ self.white)
        slopes = (y @ x) / np.maximum((x * x).sum(0), 1e-300)
        return np.asarray(np.square(y[:, None] - x * slopes).sum(0))

    def _law_columns(self, offset: float) -> Series:
        return np.column_stack([np.ones_like(self.t), np.log(self.t + offset), self.periodic])

    def _law_band(self, grid: Series, powers: Series, offset: float, power: float) -> tuple[float, float]:
        columns = self._law_columns(offset)
        full = np.column_stack([columns, 1 / (self.t + offset)])
        solution, _, inverse = self._left(full)
        degrees = self._degrees(full.shape[1])
        variance = self._variance(power, degrees)
        slope = float(self._left(columns)[0][1])
        quantile = self._quantile(full.shape[1])
        first_order = quantile * np.sqrt(variance * inverse[1, 1])
        spread = np.sqrt(variance * inverse[-1, -1]) / max(abs(slope), 1e-300)  # of t_0, to first order
        if spread < 0.05 * (self.t[0] + offset):
            return slope - first_order, slope + first_order
        allowed = power + quantile**2 * variance
        ends = [slope]
        for u, left in zip(grid, powers, strict=True):
            if left <= allowed:
                solution, left, inverse = self._left(self._law_columns(np.exp(u) - self.t[0]))
                half = np.sqrt(max(allowed - left, 0.0) * inverse[1, 1])
                ends += [float(solution[1]) - half, float(solution[1]) + half]
        return min(ends), max(ends)

    def _left(self, columns: Series) -> tuple[Series, float, Series]:
        """Coefficients, sum of squared whitened residuals, and the inverse of the whitened normal matrix."""
        white = self.noise.whiten(columns)
        scale = np.linalg.norm(white, axis=0)
        scale = np.where(scale > 0, scale, 1.0)
        u, s, vt = np.linalg.svd(white / scale, full_matrices=False)
        s = np.where(s > 1e-12 * s[0], s, np.inf)
        solution = (vt.T @ ((u.T @ self.white) / s)) / scale
        residual = self.white - white @ solution
        inverse = (vt.T / s**2) @ vt / np.outer(scale, scale)
        return solution, float(residual @ residual), inverse

    def _degrees(self, columns: int) -> int:
        return max(len(self.white) - columns - len(self.noise.coefficients), 3)

    def _quantile(self, columns: int) -> float:
        """Student's. The band's own width is uncertain through the correlation S of the noise: its relative variance,
        (1 + S) / (n (1 - S)) for an autoregression, is that of 1 / (2 times it) degrees of freedom.
        """
        total = float(self.noise.coefficients.sum())
        effective = len(self.white) * (1 - total) / (2 * (1 + total)) if total > 0.05 else len(self.white)
        return float(stats.t.ppf((1 + LEVEL) / 2, max(min(effective, self._degrees(columns)) - 2, 3)))

    def _variance(self, power: float, degrees: int) -> float:
        return power / degrees + self.floor

    def _fit(self, intercept: float, slope: float, offset: float | None, half: float, power: float, count: int) -> Fit:
        n = len(self.white)
        fit = Fit(intercept, slope, offset, (slope - half, slope + half), power / n + self.floor, float(n))
        values = fit(self.t)
        change = max(float(np.ptp(values)), 1e-300)
        apart = values - self.smooth
        apart = apart - (apart.max() + apart.min()) / 2
        free = self._degrees(int(self.rank))
        extra = max(int(self.rank) - self.periodic.shape[1] - count, 1)
        noise = self.least / free + self.floor
        ratio = max(power - self.least, 0.0) / extra / noise
        return dataclasses.replace(
            fit, misfit=float(np.abs(apart).max()) / change, doubt=float(stats.f.sf(ratio, extra, free))
        )
