"""The search for closed curves that an update map carries into themselves, and for its periodic orbits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...budget import Budget, OutOfTimeError
from ...dynamics.trace import update_map
from ...errors import DomainError
from ...lazy import sympy
from ...types import Array, Game, Rule
from ..parameters.system import Rescaled, System, system
from .circle_solver import circle_from_curve, circle_from_orbit
from .closed_orbit import ClosedOrbits, InvariantCircle, PeriodicOrbit
from .periodic_orbits import LONGEST, keep, periodic_from, recurrent, solve_many
from .rational_circles import circle_from_periodic

STARTS, SETTLE = 48, 20000
BACKWARD_STARTS, BACKWARDS = 12, (200, 400, 900)
TURNS, SHORTEST, LONGEST_ORBIT = 6, 1 << 8, 1 << 16
GUESSES, PERIODIC_STARTS = 6, 100
AFFINE = (
    "the update map is affine: with a closed curve, all its multiples about a fixed point are carried into themselves"
)
SEARCHED = (
    "found by search, no proof: what 48 starts settle on under the map (periods up to {}) and, without memory, 12 "
    "under its inverse, and periods up to {} by Newton's method from 100 starts; saddles among circles, and what no "
    "start reaches, are missed"
)


def invariant_sets(
    game: Game, rule: Rule, bounds: Array, flow_cycles: Sequence[object], seed: int, periods: int, clock: Budget
) -> ClosedOrbits:
    """Circles and periodic orbits of a map near a box, smallest first. See `limit_cycles`.

    Searches start from what orbits settle on and from `flow_cycles`, curves with `.points` and `.period`; Newton's
    method looks for periods up to `periods` from scattered starts. When `clock` is out of time, what was found by then
    is returned, and `.reason` says so.
    """
    if getattr(game, "constrained", False) or not rule.domain.smooth:
        raise DomainError(f"cycles of {rule!r} on {game.name}", "a smooth, unconstrained map", "use gd.basins")
    map_ = clock.run(lambda: system(game, rule), "the search for circles")
    if _affine(map_):
        return ClosedOrbits([], True, AFFINE)
    found: list[InvariantCircle | PeriodicOrbit] = []
    reason = SEARCHED.format(LONGEST, periods)
    rescaled = Rescaled.to(map_, bounds)
    try:
        clock.run(lambda: _search(rescaled, bounds, flow_cycles, seed, periods, found), "the search for circles")
    except OutOfTimeError:
        reason = f"{clock.reason}; {reason}"
    found = [c.moved(rescaled.origin, rescaled.units) for c in found]
    inside = [c for c in found if ((c.points >= bounds[:, 0]) & (c.points <= bounds[:, 1])).all(-1).any()]
    return ClosedOrbits(sorted(inside, key=lambda c: c.radius), False, reason)


def _affine(map_: System) -> bool:
    """Whether every line of the map's program is affine in what came before it."""
    names = list(map_.symbols)
    for name, expression in [*map_.bindings, *((None, e) for e in map_.outputs)]:
        e = sympy.expand(expression)
        if not e.is_polynomial(*names) or sympy.total_degree(e, *names) > 1:
            return False
        names += [] if name is None else [name]
    return True


def _search(
    map_: Rescaled, bounds: Array, flow_cycles: Sequence[Any], seed: int, periods: int, found: list[Any]
) -> None:
    rng, d = np.random.default_rng(seed), map_.game.dim
    starts = rng.uniform(bounds[:, 0], bounds[:, 1], (STARTS, d))
    reach = 10.0  # half widths of the box
    with np.errstate(all="ignore"):
        settled = _settled(map_, starts, reach)
        for orbit in _orbits(map_, settled, map_, reach):
            keep(found, _curve(map_, orbit, settled))
        if map_.size == d:
            _search_backwards(map_, map_.start(starts[:BACKWARD_STARTS]), reach, found)
        for cycle in flow_cycles:
            keep(found, circle_from_curve(map_, cycle.points))
        scattered = map_.start(rng.uniform(bounds[:, 0], bounds[:, 1], (PERIODIC_STARTS, d)))
        for q in range(2, periods + 1):
            for periodic in periodic_from(map_, scattered, q):
                keep(found, periodic)


def _curve(map_: System, orbit: Array, settled: Array) -> InvariantCircle | PeriodicOrbit | None:
    """What an orbit has settled on: a periodic orbit, a circle of periodic orbits, or a circle that it fills."""
    return recurrent(map_, orbit) or circle_from_periodic(map_, orbit[-1], settled) or circle_from_orbit(map_, orbit)


def _settled(map_: Rescaled, starts: Array, reach: float) -> Array:
    """Where the starts are after many steps, without those that escaped or came to rest."""
    rule = map_.rule
    assert rule is not None
    kernel = update_map(map_.game, rule).kernel()
    counters = [float(c) for _, c in rule.init(map_.game, starts).counter_leaves()]
    bound = float((np.abs(map_.origin) + reach * map_.units).max())
    run = kernel.run(map_.world(map_.start(starts)), SETTLE, counters, bound=bound)
    return _moving(map_, (run.z[np.asarray(run.alive)] - map_.origin) / map_.units)


def _moving(map_: System, z: Array) -> Array:
    moves = np.linalg.norm(map_(z) - z, axis=-1)
    return np.asarray(z[moves > 1e-6 * max(1.0, float(moves.max(initial=0.0)))])


def _search_backwards(map_: System, z: Array, reach: float, found: list[Any]) -> None:
    """Repelling circles attract the inverse map: run it in stages, until every start is near a curve or gone."""
    for steps in BACKWARDS:
        for _ in range(steps):
            z = _preimage(map_, z)
            z = z[np.isfinite(z).all(-1) & (np.abs(np.nan_to_num(z)).max(-1) < reach)]
            if not len(z):
                return
        z = _moving(map_, z)
        for orbit in _orbits(map_, z, lambda y: _preimage(map_, y[None])[0], reach):
            keep(found, _curve(map_, orbit, z))
        curves = [c.points for c in found]
        z = z[[not any(_near(y[: map_.game.dim], curve) for curve in curves) for y in z]]
        if not len(z):
            return


def _preimage(map_: System, y: Array, tolerance: float = 1e-7) -> Array:
    """x with F(x) = y near y, by Newton's method on all members at once; NaN where it does not converge.

    Orbits are only followed backwards to what attracts them there, which forgives a loose tolerance.
    """
    x = 2 * y - map_(y)
    for attempt in range(8):
        image, slopes = map_.with_slopes(x)
        gap = image - y
        size = np.abs(gap).max(-1) / (1 + np.abs(y).max(-1))
        if not ((size > tolerance) & (size < (np.inf if attempt < 4 else 0.1))).any():
            break  # the others have no preimage near by
        x = x - solve_many(slopes[..., :-1], gap)
    return np.where((np.abs(gap).max(-1) < 1e-3 * (1 + np.abs(y).max(-1)))[:, None], x, np.nan)


def _orbits(map_: System, points: Array, move: Callable[[Array], Array], reach: float) -> list[Array]:
    """Orbits of about `TURNS` turns of settled points, one for each clearly different curve, each (N, D)."""
    orbits: list[Array] = []
    tried = 0
    for z in points:
        if tried == GUESSES or any(_near(z, other) for other in orbits):
            continue
        tried += 1
        rows = [z]
        length = SHORTEST
        while len(rows) < length:
            rows.append(move(rows[-1]))
            if not np.isfinite(rows[-1]).all() or np.abs(rows[-1]).max() > reach:
                break
            if len(rows) == SHORTEST:
                rho = _turning(np.array(rows), map_.game.dim)
                length = int(np.clip(TURNS / max(rho, 1e-9), SHORTEST, LONGEST_ORBIT))
        if len(rows) >= length:
            orbits.append(np.array(rows if move is map_ else rows[::-1]))
    return orbits


def _turning(orbit: Array, d: int) -> float:
    """Rough turns a step: the direction of motion turns once when the curve does."""
    steps = np.diff(orbit[:, :d], axis=0)
    lengths = np.linalg.norm(steps, axis=-1)
    cosines = (steps[1:] * steps[:-1]).sum(-1) / np.maximum(lengths[1:] * lengths[:-1], 1e-300)
    return float(np.arccos(np.clip(cosines, -1, 1)).mean() / (2 * np.pi))


def _near(z: Array, orbit: Array) -> bool:
    """Whether the point z lies on the curve that the points of an orbit fill."""
    return bool(np.linalg.norm(orbit - z, axis=-1).min() < 0.01 * (np.ptp(orbit, axis=0).max() + 1e-12))
