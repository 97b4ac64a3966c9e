"""The least value of a function over a box, between two bounds that are proven: branch and bound on intervals."""

from __future__ import annotations

import math
import time

import numpy as np

from ...symbolic.intervals import Interval
from ...types import Array
from .enclosure import Enclosure, Ranges

BATCH = 1024
NEWTON_STEPS = 3
EPS = float(np.finfo(float).eps)


class Minimum:
    """Bounds low <= min over the box <= high of a cost, which `refine` tightens; `point` (k,) has a value <= `high`.

    The minimum is the infimum of the values that exist. At a jump the lower side counts, even if no point attains it.
    Places without a value, such as poles and places beyond a logarithm's edge, do not count.

    The box (k, 2) is cut into parts. A part is dropped when it holds no value or its lower bound exceeds `high`. Where
    the cost has derivatives all over the part, it is also dropped when a slope has one sign on it and the part does not
    touch the side of the box to which the cost falls, or when the cost is strictly concave along a coordinate and the
    part touches neither side there.

    A part's lower bound is the best of three: the range itself, the mean-value form, and the second-order form
    f(m) + sum_k min_t [g_k t + lambda t^2 / 2], with lambda a lower bound on the least eigenvalue of the Hessian over
    the part, in coordinates scaled by its sides. On convex parts the last is sharp at the lowest point, so that few
    parts are left around minimisers (Neumaier 2004, Complete search in continuous global optimization, sections 11 and
    14).

    The coordinates that do not move are those of w (d,), whose own block is the first guess. At most `most` parts are
    looked at, until the clock `time.monotonic` passes `deadline`.
    """

    def __init__(self, cost: Enclosure, w: Array, bounds: Array, most: int, deadline: float = math.inf) -> None:
        self.cost, self.w, self.bounds, self.most = cost, np.asarray(w, dtype=float), bounds, most
        self.deadline, self.late = deadline, False
        self.endless = ""  # where the cost falls without limit, once that is proven
        self.boxes = 0
        self.high, self.noise, self.point = np.inf, 0.0, self.w[cost.own].copy()
        self._low, self._high = bounds[None, :, 0].copy(), bounds[None, :, 1].copy()
        self._floor = np.array([-np.inf])
        self._settled = np.inf
        self._stuck: list[Array] = []
        self._descend(np.stack([self.w[cost.own], bounds.mean(-1)]))

    @property
    def low(self) -> float:
        """A proven lower bound of the minimum; minus infinity where none is known."""
        return float(min(self._floor.min(initial=np.inf), self._settled, self.high))

    @property
    def exhausted(self) -> bool:
        """Whether no more parts may be looked at, or the time is up."""
        return self.boxes >= self.most or self.late

    @property
    def unbounded_parts(self) -> Array:
        """The middles, shape (N, k), of parts of the box on which no lower bound is known."""
        middles = self._low + (self._high - self._low) / 2
        return np.concatenate([*self._stuck, middles[np.isneginf(self._floor)]])

    def refine(self, width: float, most: int | None = None) -> None:
        """Search until high - low <= width, or four times the rounding error of the cost, or the search is exhausted.

        With `most` the search also stops after so many parts in all.
        """
        most = self.most if most is None else most
        while (
            len(self._floor)
            and not self.exhausted
            and self.boxes < most
            and not self._closed(max(width, 4 * self.noise))
        ):
            order = np.argsort(self._floor, kind="stable")
            chosen, rest = order[:BATCH], order[BATCH:]
            low, high, floor = self._low[chosen], self._high[chosen], self._floor[chosen]
            with np.errstate(all="ignore"):
                parts = self._look(low, high, floor)
            kept = [self._low[rest], self._high[rest], self._floor[rest]]
            joined = [np.concatenate(pair) for pair in zip(kept, parts, strict=True)]
            open_ = joined[2] <= self.high
            self._low, self._high, self._floor = (column[open_] for column in joined)
            self.late = time.monotonic() > self.deadline

    def _closed(self, width: float) -> bool:
        return math.isfinite(self.high) and self.high - self.low <= width

    # --- one round ----------------------------------------------------------------------------------------------

    def _look(self, low: Array, high: Array, floor: Array) -> tuple[Array, Array, Array]:
        """What is left of some parts (N, k), cut in two, and a lower bound for each: (low, high, bounds)."""
        self.boxes += len(low)
        found = self.cost.box(self.w, low, high)
        floor = np.maximum(floor, found.value[0])
        low, high, split, kept = self._reduce(low, high, found)
        low, high, split, floor, regular = (column[kept] for column in (low, high, split, floor, found.regular))
        slope, hessian = ((part[0][kept], part[1][kept]) for part in (found.slope, found.hessian))
        if not len(low):
            return low, high, floor
        places = self._lowest_points(low, high, regular, hessian)
        at, g = self._try(places)
        first = _first_order(at[0], slope, low - places, high - places)
        second = _second_order(at[0], g, hessian, low - places, high - places)
        floor = np.where(regular, np.maximum(floor, np.maximum(first, second)), floor)
        return self._cut(low, high, floor, (slope, regular), split)

    def _reduce(self, low: Array, high: Array, found: Ranges) -> tuple[Array, Array, Array, Array]:
        """Parts shrunk to the sides on which their minimum must lie; which to split into both sides; which stay."""
        left, right = low <= self.bounds[:, 0], high >= self.bounds[:, 1]
        smooth = found.regular[:, None] & (low < high)
        inside = smooth & ~(found.left_edge | found.right_edge)
        concave = (np.diagonal(found.hessian[1], axis1=-2, axis2=-1) < 0) & inside
        up, down = (found.slope[0] > 0) & smooth & ~found.left_edge, (found.slope[1] < 0) & smooth & ~found.right_edge
        to_left = up | (concave & ~right)
        to_right = down | (concave & ~left)
        gone = ((up & ~left) | (down & ~right) | (concave & ~left & ~right)).any(-1) | found.undefined
        both = concave & left & right & ~up & ~down
        high = np.where(to_left, low, high)
        low = np.where(to_right & ~to_left, high, low)
        return low, high, both, ~gone

    def _lowest_points(self, low: Array, high: Array, regular: Array, hessian: Interval) -> Array:
        """A point of each part, close to its minimum where it is convex: Newton steps kept inside, from the middle."""
        places = np.clip(low + (high - low) / 2, low, high)
        middle = hessian[0] + (hessian[1] - hessian[0]) / 2
        usable = np.isfinite(middle).all((-2, -1)) & regular
        middle = np.where(usable[:, None, None], middle, np.eye(self.cost.size))
        convex = usable & (np.linalg.eigvalsh(middle)[:, 0] > 0)
        if not convex.any():
            return places
        matrix = np.where(convex[:, None, None], middle, np.eye(self.cost.size))
        for _ in range(NEWTON_STEPS):
            _, g = self.cost.point(self.w, places)
            step = np.linalg.solve(matrix, _middle(g)[..., None])[..., 0]
            step = np.where(convex[:, None] & np.isfinite(step), step, 0.0)
            places = np.clip(places - step, low, high)
        return places

    def _try(self, places: Array) -> tuple[Interval, Interval]:
        """Enclosures of the cost and its slopes at points; the lowest value found so far is kept."""
        at, g = self.cost.point(self.w, places)
        best = int(np.argmin(np.where(np.isnan(at[1]), np.inf, at[1])))
        if at[1][best] < self.high:
            self.high, self.noise = float(at[1][best]), float(at[1][best] - at[0][best])
            self.point = places[best].copy()
        return at, g

    def _descend(self, starts: Array) -> None:
        """Find a first upper bound by local minimisation inside the box."""
        from scipy.optimize import minimize

        starts = np.clip(starts, self.bounds[:, 0], self.bounds[:, 1])
        scale = 1.0

        def function(x: Array) -> tuple[float, Array]:
            value, g = self.cost.point(self.w, x[None])
            height, slopes = _middle(value)[0] / scale, _middle(g)[0] / scale
            return (float(height), np.nan_to_num(slopes)) if math.isfinite(height) else (1e100, np.zeros_like(x))

        with np.errstate(all="ignore"):
            at, _ = self._try(starts)
            known = np.abs(at[1][np.isfinite(at[1])])
            scale = max(float(known.max(initial=0.0)), 1e-300)  # the search's own tolerances know no units
            ends = [minimize(function, x, jac=True, method="L-BFGS-B", bounds=self.bounds).x for x in starts]
            self._try(np.clip(ends, self.bounds[:, 0], self.bounds[:, 1]))

    def _cut(
        self, low: Array, high: Array, floor: Array, slopes: tuple[Interval, Array], both: Array
    ) -> tuple[Array, Array, Array]:
        """Each part in two: into its two sides where it is concave across, else where the cost changes most."""
        open_ = floor <= self.high
        low, high, floor, both = low[open_], high[open_], floor[open_], both[open_]
        width = high - low
        slope, regular = slopes
        sizes = np.maximum(np.abs(slope[0][open_]), np.abs(slope[1][open_]))
        sizes = np.where(regular[open_][:, None], sizes, 1.0)
        weight = np.where(np.isfinite(sizes).all(-1, keepdims=True), sizes * width, width)
        weight = np.where(weight.max(-1, keepdims=True) > 0, weight, width)
        k, rows = np.argmax(np.where(both, np.inf, weight), axis=-1), np.arange(len(low))
        at = low[rows, k] + width[rows, k] / 2
        sides = both[rows, k]
        done = ~sides & ((at <= low[rows, k]) | (at >= high[rows, k]))
        self._settled = min(self._settled, float(floor[done].min(initial=np.inf)))
        self._stuck.append(low[done & np.isneginf(floor)])
        low, high, floor, rows = low[~done], high[~done], floor[~done], np.arange(int((~done).sum()))
        k, at, sides = k[~done], at[~done], sides[~done]
        upper, lower = high.copy(), low.copy()
        upper[rows, k] = np.where(sides, low[rows, k], at)
        lower[rows, k] = np.where(sides, high[rows, k], at)
        return np.concatenate([low, lower]), np.concatenate([upper, high]), np.concatenate([floor, floor])


def _middle(x: Interval) -> Array:
    return x[0] + (x[1] - x[0]) / 2


def _rounded_down(value: Array, size: Array, terms: int) -> Array:
    """A sum of so many terms of total size `size`, less what rounding may have added; unbounded where undefined."""
    bound = value - 4 * (terms + 2) * EPS * size
    return np.where(np.isnan(bound), -np.inf, bound)


def _first_order(value: Array, slope: Interval, left: Array, right: Array) -> Array:
    """f(m) + min g t over left <= t <= right, for slopes g anywhere in their range over the part."""
    with np.errstate(invalid="ignore", over="ignore"):
        ends = np.stack([np.where(t == 0, 0.0, g * t) for g in slope for t in (left, right)])
        least = ends.min(0)
        return _rounded_down(value + least.sum(-1), np.abs(value) + np.abs(least).sum(-1), least.shape[-1])


def _second_order(value: Array, slope: Interval, hessian: Interval, left: Array, right: Array) -> Array:
    """f(m) + sum_k min_t [g_k t + lambda (t / r_k)^2 / 2], lambda below every eigenvalue of r_i H_ij r_j."""
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        reach = np.maximum(right, -left)
        scale = reach[:, :, None] * reach[:, None, :]
        low, high = hessian[0] * scale, hessian[1] * scale
        usable = np.isfinite(low).all((-2, -1)) & np.isfinite(high).all((-2, -1))
        low, high = (np.where(usable[:, None, None], part, 0.0) for part in (low, high))
        least = _least_eigenvalue(low, high, reach > 0)
        curvature = np.where(reach > 0, least[:, None] / np.maximum(reach, 1e-300) ** 2, 0.0)
        ends = []
        for g in slope:
            vertex = np.clip(np.where(curvature > 0, -g / np.where(curvature > 0, curvature, 1.0), left), left, right)
            ends += [g * t + curvature * t**2 / 2 for t in (left, right, vertex)]
        least_terms = np.stack(ends).min(0)
        size = np.abs(value) + sum(
            np.maximum(np.abs(slope[0]), np.abs(slope[1])).T * reach.T + (np.abs(curvature) * reach**2).T
        )
        bound = _rounded_down(value + least_terms.sum(-1), size, 2 * least_terms.shape[-1])
        return np.where(usable, bound, -np.inf)


def _least_eigenvalue(low: Array, high: Array, free: Array) -> Array:
    """A lower bound on the eigenvalues, in the free coordinates, of all symmetric matrices between two: (N,)."""
    k = low.shape[-1]
    middle = low + (high - low) / 2
    radius = np.maximum(high - middle, middle - low)
    size = np.abs(middle).sum(-1).max(-1) + radius.sum(-1).max(-1)
    if k == 1:
        return np.asarray(low[:, 0, 0])
    fixed = ~free
    middle = np.where(fixed[:, :, None] | fixed[:, None, :], 0.0, middle)
    middle = middle + np.eye(k) * np.where(fixed, (size + 1)[:, None], 0.0)[:, None, :]
    spread = radius.sum(-1).max(-1)
    return np.asarray(np.linalg.eigvalsh(middle)[:, 0] - spread - 16 * k * EPS * (size + 1) * k)
