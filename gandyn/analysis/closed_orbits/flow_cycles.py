"""Closed orbits of flows in three or more dimensions: orbits settle, return, and are closed by Newton shooting."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...budget import Budget
from ...types import Array, Game
from .closed_orbit import LimitCycle
from .planar_cycles import same_cycle
from .scaled_field import ScaledField
from .stiff_steps import Extrapolation

STARTS, SETTLE_STEPS, RETURN_STEPS = 48, 400, 300
SETTLED, RETURNING = 1e-6, 1e-9
FAR, RESTING = 1e4, 1e-9
GIVE_UP, GUESSES, CLOSE = 6, 6, 0.05
SHOOTING_STEPS, NEUTRAL, POINTS = 30, 1e-5, 400


def settled_cycles(game: Game, bounds: Array, seed: int, budget: Budget, found: list[LimitCycle]) -> None:
    """Add to `found` the cycles that orbits from scattered starts approach, forwards or backwards in time.

    Coordinates are counted in half widths of the box and time in the integrator's own steps, so units do not matter.

    They are added as soon as they are solved for, so that a search cut short keeps them.
    """
    starts = np.random.default_rng(seed).uniform(-1, 1, (STARTS, game.dim))
    for sign in (1.0, -1.0):
        flow = ScaledField(game, bounds.mean(-1), (bounds[:, 1] - bounds[:, 0]) / 2, sign)
        for guess, period in _returns(flow, _settle(flow, starts, budget), budget):
            cycle = _shoot(flow, guess, period, budget)
            if cycle is not None and not any(same_cycle(cycle, other) for other in found):
                found.append(cycle)


def _settle(flow: ScaledField, x: Array, budget: Budget) -> Array:
    """Where the starts are after many steps, without those that escaped or came to rest."""
    step = Extrapolation(flow.field, flow.slopes, SETTLED)
    with np.errstate(all="ignore"):
        h = 0.01 / np.linalg.norm(flow.field(x)[0], axis=-1)
        moved = np.full(len(x), np.inf)
        for _ in range(SETTLE_STEPS):
            budget.check("the search for cycles")
            y, _, error = step(x, np.zeros(len(x)), h)
            good, following = step.judged(error, 0.1 + np.maximum(np.abs(x), np.abs(y)), h)
            good &= np.isfinite(y).all(-1)
            moved = np.where(good, np.linalg.norm(y - x, axis=-1), moved)
            x, h = np.where(good[:, None], y, x), following
            keep = np.isfinite(h) & (np.abs(x).max(-1) < FAR) & (moved > RESTING * (1 + np.linalg.norm(x, axis=-1)))
            x, h, moved = x[keep], h[keep], moved[keep]
            if not len(x):
                break
    return x


def _returns(flow: ScaledField, points: Array, budget: Budget) -> list[tuple[Array, float]]:
    """(point, first return time) of settled points, one for each clearly different orbit."""
    result: list[tuple[Array, float]] = []
    orbits: list[Array] = []
    failures = 0
    for p in points:
        if failures == GIVE_UP or len(result) == GUESSES or any(_near(orbit, p) for orbit in orbits):
            continue
        returned = _first_return(flow, p, budget)
        if returned is None:
            failures += 1
            continue
        period, orbit = returned
        orbits.append(orbit)
        result.append((p, period))
    return result


def _near(orbit: Array, p: Array) -> bool:
    """Whether p lies on the sampled closed curve, up to a part of the spacing of its samples."""
    spacing = np.linalg.norm(np.diff(orbit, axis=0, append=orbit[:1]), axis=-1).max()
    return bool(np.linalg.norm(orbit - p, axis=-1).min() < spacing)


def _first_return(flow: ScaledField, p: Array, budget: Budget) -> tuple[float, Array] | None:
    """Time and points of the first return close to p, upwards through the plane across the orbit at p."""
    step = Extrapolation(flow.field, flow.slopes, RETURNING)
    first = flow.field(p[None])[0][0]
    normal = first / np.linalg.norm(first)
    x, t, h, none = p[None], 0.0, np.array([0.01 / np.linalg.norm(first)]), np.zeros(1)
    points = [p]
    with np.errstate(all="ignore"):
        for _ in range(RETURN_STEPS):
            budget.check("the search for cycles")
            y, _, error = step(x, none, h)
            good, following = step.judged(error, 0.1 + np.abs(y), h)
            if not good[0] or not np.isfinite(y).all():
                h = following
                continue
            before, after = float((x[0] - p) @ normal), float((y[0] - p) @ normal)
            reach = np.linalg.norm(np.array(points) - p, axis=-1).max()
            if before < 0 <= after:
                part = h * before / (before - after)
                z, _, _ = step(x, none, part)
                if np.linalg.norm(z[0] - p) < CLOSE * reach:
                    return float(t + part[0]), np.array(points)
            x, t, h = y, t + float(h[0]), following
            points.append(y[0])
    return None


def _shoot(flow: ScaledField, guess: Array, period: float, budget: Budget) -> LimitCycle | None:
    """Newton on (x, T) with the condition that corrections are orthogonal to the field."""
    x, t, d = guess.copy(), period, len(guess)
    size = 0.0
    for _ in range(SHOOTING_STEPS):
        end, monodromy, dense = _variation(flow, x, t, budget)
        gap, f = end - x, flow.field(x[None])[0][0]
        size = float(np.ptp(dense(np.linspace(0, t, 50))[:d], axis=1).max())
        if np.linalg.norm(gap) < 1e-12 * size:
            break
        across = np.append(f / np.linalg.norm(f), 0.0)
        system = np.block([[monodromy - np.eye(d), flow.field(end[None])[0][0][:, None]], [across[None]]])
        change = np.linalg.lstsq(system, -np.append(gap, 0.0), rcond=None)[0]
        x, t = x + change[:-1], t + change[-1]
        if not np.isfinite(change).all() or not 0.1 * period < t < 10 * period:
            return None
    end, monodromy, dense = _variation(flow, x, t, budget)
    if not np.linalg.norm(end - x) < 1e-9 * size or size < 1e-6:
        return None
    return _described(flow, x, t, end, monodromy, dense)


def _described(
    flow: ScaledField, x: Array, t: float, end: Array, monodromy: Array, dense: Callable[[Array], Array]
) -> LimitCycle | None:
    values = np.linalg.eigvals(monodromy).astype(complex)
    multipliers = np.delete(values, np.argmin(np.abs(values - 1)))
    if np.abs(multipliers - 1).min() < NEUTRAL:
        return None  # one of a continuum
    points = flow.centre + flow.width * dense(np.linspace(0, t, POINTS, endpoint=False))[: len(x)].T
    if flow.sign < 0:
        multipliers, points = 1 / multipliers, np.concatenate([points[:1], points[:0:-1]])
    multipliers = multipliers[np.argsort(-np.abs(multipliers))]
    return LimitCycle(flow.game, float(t), points, multipliers, float(np.linalg.norm(flow.width * (end - x))))


def _variation(flow: ScaledField, x: Array, t: float, budget: Budget) -> tuple[Array, Array, Callable[[Array], Array]]:
    """(x(t), dx(t)/dx, dense output) of the flow and its variational equation dM/dt = Df(x) M."""
    from scipy.integrate import solve_ivp

    d = len(x)

    def right(_: float, z: Array) -> Array:
        budget.check("the search for cycles")
        point, m = z[:d], z[d:].reshape(d, d)
        return np.concatenate([flow.field(point[None])[0][0], (flow.slopes(point[None])[0] @ m).ravel()])

    z = np.concatenate([x, np.eye(d).ravel()])
    solution = solve_ivp(right, (0, t), z, method="DOP853", rtol=1e-12, atol=1e-13, dense_output=True)
    return solution.y[:d, -1], solution.y[d:, -1].reshape(d, d), solution.sol
