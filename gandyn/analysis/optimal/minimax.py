"""Parameters with the smallest worst spectral radius over curves of games: a grid, exchange, linear programs."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from scipy.optimize import linprog, minimize

from ...budget import Budget
from ...classes import Curve
from ...types import Array
from .companion import Companion
from .enclosure import largest, peaks

GRID = {1: 1500, 2: 64, 3: 20}
REACH = (1e-3, 1e3)  # of parameters without an upper bound, in units of 1 / the largest eigenvalue
STARTS = 6
ACTIVE = 0.15
EXCHANGES = 12
PROGRAMS = 60
ZOOMS = 60
DOUBLINGS = (1, 2, 3, 4, 5, 6, 8, 10, 14, 20)


@dataclasses.dataclass(frozen=True)
class Range:
    """Values that a parameter may take; without an upper bound they are searched on a logarithmic scale."""

    name: str
    low: float
    high: float

    def grid(self, count: int, unit: float) -> Array:
        """`count` values from one end of the range to the other, without ends that do not belong to it."""
        if math.isinf(self.high):
            return np.geomspace(max(self.low, REACH[0] * unit), max(REACH[1] * unit, 2 * self.low), count)
        if self.low == 0:
            return np.geomspace(1e-3 * self.high, self.high, count)
        return np.linspace(self.low, self.high, count)

    def clipped(self, value: float) -> float:
        """The value of the range that is nearest to a given one."""
        return min(max(value, self.low), self.high)


def samples(curves: Sequence[Curve], count: int) -> Array:
    """Eigenvalues along the curves, denser at their ends."""
    u = (1 - np.cos(np.linspace(0, math.pi, count))) / 2
    return np.unique(np.concatenate([_points(c, u if c.degree else np.zeros(1)) for c in curves]))


def unit_of(z: Array) -> float:
    """1 / the largest eigenvalue: the scale of steps; 1 where all are 0."""
    return 1 / (float(np.abs(z).max()) or 1.0)


def _points(curve: Curve, u: Array) -> Array:
    x, y, n = curve(u)
    return (x + 1j * y) / n + 0 * u


def worst(matrix: Companion, z: Array, values: Sequence[Array]) -> Array:
    """The largest spectral radius at given eigenvalues, for arrays of parameter values."""
    columns = [np.asarray(v, dtype=float)[..., None] for v in values]
    return matrix.radius(np.broadcast_to(z, (*np.shape(values[0]), len(z))), columns).max(-1)


def search(matrix: Companion, curves: Sequence[Curve], ranges: Sequence[Range], limit: Budget) -> tuple[Array, float]:
    """The best values found, and their largest spectral radius over the curves in floating point.

    A grid over all ranges against few eigenvalues gives starts. From each, in turn: the worst radii are linearised in
    the parameters, a linear program moves them all down at once within a trust region (sequential minimax), and the
    eigenvalue that is worst for the result joins those that are looked at (exchange, as in Remez' algorithm).
    """
    z = samples(curves, 17 if len(ranges) > 1 else 33)
    unit = unit_of(z)
    axes = [r.grid(GRID.get(len(ranges), 9), unit) for r in ranges]
    grid = [axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")]
    values = np.concatenate([worst(matrix, z, [g[k : k + 4000] for g in grid]) for k in range(0, len(grid[0]), 4000)])
    spacing = np.array([_spacing(axis) for axis in axes])
    best, least = np.array([g[int(np.argmin(values))] for g in grid]), float(values.min())
    for start in _starts(values, [len(a) for a in axes]):
        if limit.out:
            break
        point = np.array([g[start] for g in grid])
        point, value = _exchange(matrix, curves, ranges, z, point, spacing, limit)
        if value < least - 1e-15 or start == int(np.argmin(values)):
            best, least = point, value
    return _closer(matrix, curves, ranges, best, least, spacing, limit)


def _closer(
    matrix: Companion,
    curves: Sequence[Curve],
    ranges: Sequence[Range],
    best: Array,
    least: float,
    spacing: Array,
    limit: Budget,
) -> tuple[Array, float]:
    """Search grids that shrink around the best point: where eigenvalues meet, slopes are infinite, programs stall."""
    z = samples(curves, 65)
    region = np.where(spacing < 0, -spacing * np.abs(best), spacing)
    offsets = np.stack(np.meshgrid(*[np.linspace(-1, 1, {1: 17, 2: 9}.get(len(ranges), 5))] * len(ranges)), -1)
    offsets = offsets.reshape(-1, len(ranges))
    for _ in range(ZOOMS):
        if limit.out:
            break
        trial = best + offsets * region
        trial = np.stack([np.clip(t, r.low, r.high) for t, r in zip(trial.T, ranges, strict=True)], -1)
        values = worst(matrix, z, list(trial.T))
        k = int(np.argmin(values))
        if values[k] < least:
            reached = largest(matrix, curves, list(trial[k]))[0]
            if reached < least:
                best, least = trial[k], reached
                continue
        region = region / 3
    return _smoothed(matrix, curves, ranges, best, least, limit) if len(ranges) > 1 else (best, least)


def _smoothed(
    matrix: Companion, curves: Sequence[Curve], ranges: Sequence[Range], best: Array, least: float, limit: Budget
) -> tuple[Array, float]:
    """Descend on |M^k|^(1/k) for growing k: smooth where its limit, the spectral radius, has a sharp bent valley."""
    z = samples(curves, 65)

    def clipped(x: Array) -> list[float]:
        return [r.clipped(float(v)) for v, r in zip(x, ranges, strict=True)]

    def height(x: Array, doublings: int) -> float:
        return float(_log_norms(matrix.matrices(z, clipped(x)), doublings).max())

    point = best
    for doublings in DOUBLINGS:
        if limit.out:
            break
        corners = np.vstack([point, point + np.diag(0.05 * np.maximum(np.abs(point), 1e-3))])
        options = {"initial_simplex": corners, "xatol": 1e-15, "fatol": 1e-15, "maxfev": 120 * len(ranges)}
        point = np.array(clipped(minimize(height, point, (doublings,), "Nelder-Mead", options=options).x))
    reached = largest(matrix, curves, list(point))[0]
    return (point, reached) if reached < least else (best, least)


def _log_norms(a: Array, doublings: int) -> Array:
    """log |A^k| / k for k = 2^doublings and each matrix, shape (..., D, D)."""
    total = np.zeros(a.shape[:-2])
    for n in range(doublings + 1):
        size = np.linalg.norm(a, axis=(-2, -1))
        total += np.log(np.maximum(size, 1e-300)) / 2**n
        a = a / np.maximum(size, 1e-300)[..., None, None]
        a = a @ a
    return total


def _spacing(axis: Array) -> float:
    """The relative step of a logarithmic axis, the absolute one of another."""
    logarithmic = axis[0] > 0 and len(axis) > 2 and not np.isclose(axis[1] - axis[0], axis[2] - axis[1])
    return -float(axis[1] / axis[0] - 1) if logarithmic else float(axis[1] - axis[0])


def _starts(values: Array, shape: Sequence[int]) -> list[int]:
    """Flat indices of the lowest local minima of values on a grid."""
    cube = values.reshape(shape)
    padded = np.pad(cube, 1, constant_values=np.inf)
    lowest = np.ones(shape, dtype=bool)
    for axis in range(cube.ndim):
        for shift in (0, 2):
            window = tuple(slice(shift, shift + n) if k == axis else slice(1, 1 + n) for k, n in enumerate(shape))
            lowest &= cube <= padded[window]
    places = np.flatnonzero(lowest.ravel() & np.isfinite(values))
    return [int(k) for k in places[np.argsort(values[places])][:STARTS]]


def _exchange(
    matrix: Companion,
    curves: Sequence[Curve],
    ranges: Sequence[Range],
    z: Array,
    point: Array,
    spacing: Array,
    limit: Budget,
) -> tuple[Array, float]:
    """Minimise over the eigenvalues seen so far, add the worst of all, and repeat until nothing is worse."""
    region = np.where(spacing < 0, -spacing * np.abs(point), spacing)
    best, least = point, largest(matrix, curves, list(point))[0]
    for _ in range(EXCHANGES):
        point, seen = _descend(matrix, ranges, z, best, region, limit)
        value = largest(matrix, curves, list(point))[0]
        added = [_points(c, np.array(peaks(matrix, c, list(point)))) for c in curves]
        z = np.unique(np.concatenate([z, *added]))
        if value < least:
            best, least = point, value
        if limit.out or value - seen < 1e-13:
            break
        region = region / 2
    return best, least


def _descend(
    matrix: Companion, ranges: Sequence[Range], z: Array, point: Array, region: Array, limit: Budget
) -> tuple[Array, float]:
    """Sequential linear programs on the moduli of all eigenvalues of the map that are close to the largest."""
    value = float(worst(matrix, z, list(point)))
    for _ in range(PROGRAMS):
        if limit.out or (region < 1e-15 * np.maximum(np.abs(point), 1e-3)).all():
            break
        moduli, slopes = _linearised(matrix, z, point, value)
        lows = np.array([max(r.low - x, -d) for r, x, d in zip(ranges, point, region, strict=True)])
        highs = np.array([min(r.high - x, d) for r, x, d in zip(ranges, point, region, strict=True)])
        scale = np.maximum(region, 1e-300)
        step, promised = _program(moduli, slopes * scale, lows / scale, highs / scale)
        if step is None or promised >= value - 1e-16:
            region = region / 4
            continue
        trial = np.array([r.clipped(x) for r, x in zip(ranges, point + step * scale, strict=True)])
        reached = float(worst(matrix, z, list(trial)))
        if reached < value - 0.1 * (value - promised):
            point, value, region = trial, reached, region * (2 if (np.abs(step) > 0.9).any() else 1)
        else:
            region = region / 4
    return point, value


def _linearised(matrix: Companion, z: Array, point: Array, value: float) -> tuple[Array, Array]:
    """Moduli of the map's eigenvalues near the largest, and their derivatives in the parameters: y* dA x / y* x."""
    a = matrix.matrices(z, list(point))
    roots, right = np.linalg.eig(a)
    with np.errstate(all="ignore"):
        left = np.linalg.pinv(right)
    slopes = []
    for k, x in enumerate(point):
        h = 1e-6 * max(abs(float(x)), 1e-3)
        up, down = point.copy(), point.copy()
        up[k], down[k] = x + h, x - h
        change = (matrix.matrices(z, list(up)) - matrix.matrices(z, list(down))) / (2 * h)
        moved = np.einsum("zij,zjk,zki->zi", left, change, right)
        slopes.append((np.conj(roots) * moved).real / np.maximum(np.abs(roots), 1e-300))
    moduli = np.abs(roots)
    near = moduli > value - max(ACTIVE * value, 1e-12)
    return moduli[near], np.stack([s[near] for s in slopes], -1)


def _program(moduli: Array, slopes: Array, lows: Array, highs: Array) -> tuple[Array | None, float]:
    """min t subject to moduli + slopes d <= t, lows <= d <= highs."""
    if not np.isfinite(slopes).all():
        return None, math.inf
    count = slopes.shape[1]
    rows = np.hstack([slopes, -np.ones((len(moduli), 1))])
    bounds = [*zip(lows, highs, strict=True), (None, None)]
    found = linprog([*[0.0] * count, 1.0], A_ub=rows, b_ub=-moduli, bounds=bounds, method="highs")
    return (np.asarray(found.x[:count]), float(found.x[count])) if found.status == 0 else (None, math.inf)
