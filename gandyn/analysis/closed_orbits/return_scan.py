"""The fixed points of a return map: log(P(s) / s) is interpolated on a grid, refined until its zeros are told."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np

from ...budget import Budget
from ...types import Array
from .return_map import LOST, RETURNED, STIFF, TOLERANCE, ReturnMap, Shots

INNERMOST, OUTERMOST, FAR_OUT = 1e-4, 4.0, 1e4
PER_DECADE, PER_DECADE_FAR = 5, 2
SURE, DEEPEST, EDGE, MOST_NODES = 2, 14, 8, 4000
FLAT, FEW_STEPS = 3.0, 400
NOISE, ROUNDING = 1e-9, 64 * np.finfo(float).eps
SHARE = 0.02  # of its size, across which a flat stretch counts as closed orbits side by side


@dataclasses.dataclass
class Found:
    """Places s on the ray where a return map may have a fixed point, P(s) = s."""

    # (s below, s above) with one change of sign of P(s) - s between
    brackets: list[tuple[float, float]] = dataclasses.field(default_factory=list)
    signs: list[tuple[int, int]] = dataclasses.field(default_factory=list)  # of P(s) - s at both
    # (s, sign on both sides) where |P(s)/s - 1| has a minimum that rounding does not tell from 0
    touches: list[tuple[float, int]] = dataclasses.field(default_factory=list)
    # (from, to) where P is the identity to rounding over more than a fiftieth of the size
    bands: list[tuple[float, float]] = dataclasses.field(default_factory=list)
    open: list[tuple[float, float]] = dataclasses.field(default_factory=list)  # (from, to) that could not be resolved
    # whether every start returned and every part was resolved; then the map backwards tells nothing new
    everywhere: bool = False
    tolerance: float = TOLERANCE  # of the integrator


def scan(map_: ReturnMap, budget: Budget) -> Found:
    """All places where P(s) = s may hold, for s from 1e-4 to 4 half widths of the box, coarsely to 1e4.

    g(log s) = log(P(s) / s) is interpolated by cubics from its values and slopes. The middle of every part shows how
    wrong the cubic is; a part is cut until its cubic stays clear of 0 by more than that, or has one zero with a clear
    slope, or everything is rounding. So two zeros near each other show as an extremum on the wrong side of 0, however
    the grid lies.
    """
    grid = _Grid(map_, budget)
    near = np.linspace(np.log(INNERMOST), np.log(OUTERMOST), 1 + round(PER_DECADE * np.log10(OUTERMOST / INNERMOST)))
    far = np.linspace(np.log(OUTERMOST), np.log(FAR_OUT), 1 + round(PER_DECADE_FAR * np.log10(FAR_OUT / OUTERMOST)))
    edges = np.append(near, far[1:])
    todo = [(float(a), float(b), 0) for a, b in itertools.pairwise(edges)]
    grid.add(edges, np.concatenate([_quarters(*part) for part in todo]))
    leaves: list[_Leaf] = []
    while todo:
        grid.add(*(_quarters(*part) for part in todo))
        halves = [half for part in todo for half in grid.cut(part, leaves)]
        todo = [quarter for half in halves for quarter in grid.cut(half, leaves)]
    found = Found()
    _gather(grid, sorted(leaves, key=lambda leaf: leaf.low), found)
    found.tolerance = grid.tolerance
    found.everywhere = bool(grid.back.all()) and not found.open
    return found


Part = tuple[float, float, int]  # from, to, how often it was cut


def _quarters(a: float, b: float, _: int) -> Array:
    m = (a + b) / 2
    return np.array([(a + m) / 2, m, (m + b) / 2])


@dataclasses.dataclass(frozen=True)
class _Leaf:
    """A part of the ray that is done with: "clear", "zero" (one change of sign), "flat" (rounding), "none", "open"."""

    low: float
    high: float
    kind: str


class _Grid:
    """Values and slopes of g at the nodes computed so far, sorted; `back` where the orbit returned."""

    def __init__(self, map_: ReturnMap, budget: Budget) -> None:
        self.map, self.budget, self.tolerance = map_, budget, TOLERANCE
        self.rounding = ROUNDING * float(np.abs(map_.centre / map_.width).max())
        self.at, self.value, self.slope = np.empty(0), np.empty(0), np.empty(0)
        self.back = np.empty(0, dtype=bool)

    def add(self, *more: Array) -> None:
        at = np.setdiff1d(np.concatenate(more), self.at)
        if not len(at):
            return
        s = np.exp(at)
        shots = self._shots(s)
        with np.errstate(all="ignore"):
            value, slope = np.log(shots.image / s), shots.slope * s / shots.image - 1
        back = (shots.status == RETURNED) & np.isfinite(value) & np.isfinite(slope)
        order = np.argsort(np.append(self.at, at), kind="stable")
        self.at, self.back = np.append(self.at, at)[order], np.append(self.back, back)[order]
        self.value, self.slope = np.append(self.value, value)[order], np.append(self.slope, slope)[order]

    def _shots(self, s: Array) -> Shots:
        """Shots with the tolerance in use; the first time, it is relaxed where that lets orbits arrive that did not."""
        if len(self.at):
            return self.map.shoot(s, self.budget, self.tolerance)
        shots = self.map.shoot(s, self.budget, self.tolerance, most=FEW_STEPS)
        lost = shots.status == LOST
        if lost.any():
            again = self.map.shoot(s[lost], self.budget, STIFF)
            if (again.status != LOST).any():
                self.tolerance = STIFF
            for name in ("status", "image", "period", "growth", "slope"):
                getattr(shots, name)[lost] = getattr(again, name)
        return shots

    def cut(self, part: Part, leaves: list[_Leaf]) -> list[Part]:
        """The halves of a part that have to be cut again; the others go to `leaves`. Its middle is a node already."""
        a, b, depth = part
        m, error, again = (a + b) / 2, self.error(a, b), []
        for low, high in ((a, m), (m, b)):
            leaf = self.judge(low, high, depth + 1, error)
            if leaf is None and depth + 1 < DEEPEST and len(self.at) < MOST_NODES:
                again.append((low, high, depth + 1))
            else:
                leaves.append(leaf or _Leaf(low, high, "flat" if error <= self.noise(low) else "open"))
        return again

    def noise(self, at: float) -> float:
        """What integration, and rounding of the centre, make of a g that is 0."""
        return float(NOISE * self.tolerance / TOLERANCE + self.rounding / np.exp(at))

    def error(self, a: float, b: float) -> float:
        """The error of the cubic interpolant over the interval [a, b], measured at its middle."""
        i, m, k = np.searchsorted(self.at, [a, (a + b) / 2, b])
        if not self.back[[i, m, k]].all():
            return np.inf
        h = b - a
        middle = (self.value[i] + self.value[k]) / 2 + h * (self.slope[i] - self.slope[k]) / 8
        return float(abs(middle - self.value[m]))

    def judge(self, a: float, b: float, depth: int, error: float) -> _Leaf | None:
        """The result for the interval [a, b], or None where it has to be bisected."""
        i, k = np.searchsorted(self.at, [a, b])
        if not (self.back[i] or self.back[k]):
            return _Leaf(a, b, "none")
        if not (self.back[i] and self.back[k]):
            return _Leaf(a, b, "none") if depth >= EDGE else None
        low, high = self.range(a, b)
        noise = self.noise(a)
        if depth < SURE:
            return None
        if max(abs(low), abs(high)) + error <= FLAT * noise:
            return _Leaf(a, b, "flat")
        if low > max(2 * error, noise) or high < -max(2 * error, noise):
            return _Leaf(a, b, "clear")
        ends = self.value[i], self.value[k]
        steep = self.slope[i] * self.slope[k] > 0 and error <= 0.05 * min(abs(e) for e in ends)
        if ends[0] * ends[1] < 0 and steep and min(abs(e) for e in ends) > noise:
            return _Leaf(a, b, "zero")
        return None

    def range(self, a: float, b: float) -> tuple[float, float]:
        """The smallest and the largest value of the cubic interpolant over [a, b]."""
        i, k = np.searchsorted(self.at, [a, b])
        h = b - a
        p, q = self.value[i], self.value[k]
        u, v = h * self.slope[i], h * self.slope[k]
        c2, c3 = 3 * (q - p) - 2 * u - v, 2 * (p - q) + u + v
        roots = np.roots([3 * c3, 2 * c2, u]) if abs(c3) + abs(c2) > 0 else np.empty(0)
        inside = [float(r.real) for r in roots if abs(r.imag) < 1e-12 and 0 < r.real < 1]
        values = [p, q, *(p + r * (u + r * (c2 + r * c3)) for r in inside)]
        return float(min(values)), float(max(values))

    def sign(self, at: float) -> int:
        """The sign of g at a node; 0 where |g| is below the noise or where no orbit returns."""
        i = int(np.searchsorted(self.at, at))
        value = self.value[i] if self.back[i] else 0.0
        return int(np.sign(value)) if abs(value) > self.noise(at) else 0


def _gather(grid: _Grid, leaves: list[_Leaf], found: Found) -> None:
    """Zeros as they are; runs of flat or open parts joined, and read by the signs on their two sides."""
    run: list[_Leaf] = []
    for leaf in [*leaves, _Leaf(np.inf, np.inf, "none")]:
        if leaf.kind in ("flat", "open") and (not run or leaf.low == run[-1].high):
            run.append(leaf)
            continue
        if run:
            _read(grid, run, found)
        run = [leaf] if leaf.kind in ("flat", "open") else []
        if leaf.kind == "zero":
            found.brackets.append((float(np.exp(leaf.low)), float(np.exp(leaf.high))))
            found.signs.append((grid.sign(leaf.low), grid.sign(leaf.high)))


def _read(grid: _Grid, run: list[_Leaf], found: Found) -> None:
    a, b = run[0].low, run[-1].high
    sides = grid.sign(a), grid.sign(b)
    ends = float(np.exp(a)), float(np.exp(b))
    if b - a > SHARE and any(leaf.kind == "flat" for leaf in run):
        found.bands.append(ends)
    elif any(leaf.kind == "open" for leaf in run) and b - a > 2.0**-DEEPEST * 4:
        found.open.append(ends)
    elif sides[0] * sides[1] < 0 and not _jumps(grid, a, b):
        found.brackets.append(ends)
        found.signs.append(sides)
    elif sides[0] * sides[1] > 0 and not _jumps(grid, a, b):
        i, k = np.searchsorted(grid.at, [a, b])
        inner = np.arange(i, k + 1)[grid.back[i : k + 1]]
        least = inner[np.argmin(np.abs(grid.value[inner]))]
        if abs(grid.value[least]) <= 100 * grid.noise(a):
            found.touches.append((float(np.exp(grid.at[least])), sides[0]))
    else:
        found.open.append(ends)


def _jumps(grid: _Grid, a: float, b: float) -> bool:
    """Whether the values at the two ends are too far apart for the slopes at them: P is cut there by a tangency."""
    i, k = np.searchsorted(grid.at, [a, b])
    return bool(abs(grid.value[k] - grid.value[i]) > 10 * (b - a) * (1 + np.abs(grid.slope[[i, k]]).max()))
