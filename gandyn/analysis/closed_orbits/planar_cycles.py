"""Closed orbits of planar flows: the zeros of a return map's displacement on a ray from each equilibrium, both ways."""

from __future__ import annotations

import dataclasses

import numpy as np

from ...budget import Budget
from ...types import Array, Game
from .closed_orbit import LimitCycle
from .return_map import RETURNED, ReturnMap, along
from .return_scan import Found, scan

POINTS = 400
TIGHTER, MORE = (1e-11, 1e-12, 1e-13), 2
POLISH, CLOSED, ROUNDED, NEARLY, WIDER = 60, 1e-8, 1e-11, 1e-7, 1e-6
MOST_CENTRES = 12
RAY = 0.6180339887  # radians, to no axis or diagonal


@dataclasses.dataclass
class PlanarSearch:
    """What the search for limit cycles in a planar box found.

    Attributes:
        cycles: closed orbits, each once.
        possible: near-cycles that rounding does not tell from one (multiplier 1).
        remarks: in words, what could have been missed.
        bands: whether a whole band of closed orbits was seen, as in a conservative game.
    """

    cycles: list[LimitCycle] = dataclasses.field(default_factory=list)
    possible: list[LimitCycle] = dataclasses.field(default_factory=list)
    remarks: list[str] = dataclasses.field(default_factory=list)
    bands: bool = False


def search(game: Game, bounds: Array, centres: Array, budget: Budget, into: PlanarSearch) -> None:
    """Scan a ray from every equilibrium in a box, and solve for the fixed points of the return map.

    Orbits may close around the equilibria `centres`, (n, 2); `into` takes what is found, as it is found.
    """
    width = (bounds[:, 1] - bounds[:, 0]) / 2
    ray = np.array([np.cos(RAY), np.sin(RAY)])
    if len(centres) > MOST_CENTRES:
        into.remarks.append(f"only {MOST_CENTRES} of {len(centres)} equilibria were searched around")
    for centre in centres[:MOST_CENTRES]:
        shown = "(" + ", ".join(f"{c:.6g}" for c in centre) + ")"
        forwards, backwards = (ReturnMap(game, centre, width, ray, sign) for sign in (1.0, -1.0))
        scans = [(forwards, scan(forwards, budget))]
        if not scans[0][1].everywhere:
            scans.append((backwards, scan(backwards, budget)))
        roots: list[float] = []
        for map_, found in scans:
            roots += _solve(map_, found, budget, into)
        for map_, found in scans:
            _remark(map_, found, roots, shown, into)


def _solve(map_: ReturnMap, found: Found, budget: Budget, into: PlanarSearch) -> list[float]:
    """The cycles in the brackets of one scan, and what its touches come to; the s at which they cross the ray."""
    solved = []
    for (low, high), signs in zip(found.brackets, found.signs, strict=True):
        root = _root(map_, low, high, signs[0], found.tolerance, budget)
        cycle = None if root is None else _cycle(map_, *root, signs, budget)
        if root is None or cycle is None:
            found.open.append((low, high))
            continue
        solved.append(root[0])
        _keep(into.cycles, cycle)
    for s, sign in found.touches:
        cycle = _cycle(map_, s, found.tolerance, (sign, sign), budget)
        if cycle is not None:
            solved.append(s)
            _keep(into.possible, cycle)
    return solved


def _root(
    map_: ReturnMap, low: float, high: float, below: int, tolerance: float, budget: Budget
) -> tuple[float, float] | None:
    """s with P(s) = s in a bracket, and its tolerance: Newton on log(P(s)/s), bisection where that leaves it."""
    s, tight = np.sqrt(low * high), False
    best, least = None, np.inf
    for _ in range(POLISH):
        shot = map_.shoot(np.array([s]), budget, tolerance)
        if shot.status[0] != RETURNED:
            break
        gap, slope = float(np.log(shot.image[0] / s)), float(shot.slope[0] * s / shot.image[0] - 1)
        if abs(gap) >= least and least < ROUNDED:
            break
        if abs(gap) < least:
            best, least = float(s), abs(gap)
        if np.sign(gap) == below:
            low = s
        else:
            high = s
        newton = s * np.exp(-gap / slope) if slope else np.inf
        following = newton if low < newton < high else np.sqrt(low * high)
        if abs(following / s - 1) < 1e-15:
            break
        if abs(gap) < NEARLY and not tight:
            tolerance, tight, least = _tightest(map_, s, tolerance, shot.steps, budget), True, np.inf
            low, high = low * (1 - WIDER), high * (1 + WIDER)
        s = following
    return (best, tolerance) if best is not None and least < CLOSED else None


def _tightest(map_: ReturnMap, s: float, tolerance: float, steps: int, budget: Budget) -> float:
    """The smallest tolerance that rounding lets an orbit meet: beyond it, steps shrink and their number explodes."""
    for finer in TIGHTER:
        if finer >= tolerance:
            continue
        if map_.shoot(np.array([s]), budget, finer, most=MORE * steps).status[0] != RETURNED:
            break
        tolerance = finer
    return tolerance


def _cycle(map_: ReturnMap, s: float, tolerance: float, signs: tuple[int, int], budget: Budget) -> LimitCycle | None:
    """The closed orbit through the point at s on the ray, followed once around; None where it does not close."""
    shot = map_.shoot(np.array([s]), budget, tolerance, keep=True)
    if shot.status[0] != RETURNED or shot.path is None:
        return None
    period = float(shot.period[0])
    points = map_.centre + map_.width * along(map_, shot.path[0], period, POINTS)
    if map_.sign < 0:
        points = np.concatenate([points[:1], points[:0:-1]])
    with np.errstate(over="ignore"):
        multiplier = np.exp(map_.sign * shot.growth)
    approached = map_.sign * signs[0] > 0, map_.sign * signs[1] < 0
    residual = float(np.linalg.norm(map_.width * map_.direction) * abs(shot.image[0] - s))
    return LimitCycle(map_.game, period, points, multiplier.astype(complex), residual, approached)


def _keep(found: list[LimitCycle], new: LimitCycle) -> None:
    if not any(same_cycle(new, old) for old in found):
        found.append(new)


def same_cycle(a: LimitCycle, b: LimitCycle) -> bool:
    """Whether two orbits are one: equal periods and growth, and points of one on the other's curve."""
    growth = [np.log(np.abs(c.multipliers) + 1e-300) for c in (a, b)]
    if abs(a.period - b.period) > 1e-7 * a.period or not np.allclose(growth[0], growth[1], rtol=1e-4, atol=1e-5):
        return False
    gap = np.linalg.norm(b.points - a.points[0], axis=-1).min()
    return bool(gap <= 2 * np.linalg.norm(np.diff(b.points, axis=0), axis=-1).max())


def _remark(map_: ReturnMap, found: Found, roots: list[float], shown: str, into: PlanarSearch) -> None:
    """Words for what a scan left open, unless a root found the other way in time explains it."""
    where = f"around {shown}, at distances of %s half widths"
    for low, high in found.bands:
        into.bands = True
        place = where % f"{low:.3g} to {high:.3g}"
        into.remarks.append(f"{place} every orbit closes to rounding: side by side they are no limit cycles")
    for low, high in found.open:
        if not any(low * (1 - 1e-6) <= s <= high * (1 + 1e-6) for s in roots):
            way = "forwards" if map_.sign > 0 else "backwards"
            into.remarks.append(f"{where % f'{low:.6g} to {high:.6g}'} the return map {way} in time was not resolved")


def as_remarks(possible: list[LimitCycle]) -> list[str]:
    """Sentences that describe orbits which close to rounding but are not proven to be isolated."""
    return [
        f"near ({', '.join(f'{x:.9g}' for x in c.points[0])}), period {c.period:.9g}, an orbit closes to rounding: a "
        "semistable cycle (multiplier 1), two cycles closer than rounding, or none"
        for c in possible
    ]


def crossing(cycles: list[LimitCycle], bounds: Array) -> list[LimitCycle]:
    """The cycles that pass through a box, and the smallest cycle that goes around it."""
    meets = [((c.points >= bounds[:, 0]) & (c.points <= bounds[:, 1])).all(-1).any() for c in cycles]
    around = sorted((c for c, met in zip(cycles, meets, strict=True) if not met), key=lambda c: c.radius)
    return [c for c, met in zip(cycles, meets, strict=True) if met] + around[:1]
