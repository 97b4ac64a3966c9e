"""Limit cycles of the gradient flow: found by integrating both ways in time, refined by Newton shooting.

Under a rule, the same question of its update map: invariant circles and periodic orbits (`invariant_circles.py`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..doors import door
from ..errors import ParameterError
from ..results import Result, plain
from ..types import Array, Game, Rule
from ..worlds import NUMPY
from .invariant_circles import check_box, invariant_sets

STARTS = 48
SETTLE, SETTLE_STEP = 100.0, 0.02
GIVE_UP, GUESSES, CROSSINGS, LEAVE = 6, 6, 4, 1e-2
SHOOTING_STEPS = 30
POINTS = 400


@dataclasses.dataclass(frozen=True, repr=False)
class LimitCycle(Result):
    """An isolated periodic orbit of dw/dt = -v(w).

    Attributes:
        game: the game.
        period: T, in units of the flow's time.
        points: one period in order, shape (n, d); the first is not repeated.
        multipliers: Floquet multipliers without the trivial 1, complex, largest modulus first.
        residual: |w(T) - w(0)|.
    """

    game: Game
    period: float
    points: Any
    multipliers: Any
    residual: float

    _plot = "limit_cycle"

    @property
    def stable(self) -> bool:
        """Whether nearby orbits approach it."""
        return bool(np.abs(self.multipliers).max() < 1)

    @property
    def radius(self) -> tuple[float, float]:
        """Smallest and largest distance of the orbit from its own centre of mass."""
        distances = np.linalg.norm(self.points - self.points.mean(0), axis=-1)
        return float(distances.min()), float(distances.max())

    def summary(self) -> str:
        """Kind, period, multipliers."""
        kind = "attracting" if self.stable else "repelling" if np.abs(self.multipliers).min() > 1 else "saddle"
        shown = ", ".join(f"{m:.6g}" for m in self.multipliers)
        return f"{kind} cycle of {self.game.name}: period {self.period:.12g}, multipliers {shown}"

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain data."""
        result: dict[str, Any] = plain(
            {
                "game": self.game.name,
                "period": self.period,
                "multipliers": self.multipliers,
                "stable": self.stable,
                "residual": self.residual,
                "points": self.points,
            }
        )
        return result


@door
def limit_cycles(
    game: Game, box: Sequence[tuple[float, float]], rule: Rule | None = None, seed: int = 0, periods: int = 4
) -> list[Any]:
    """Isolated closed orbits that starts in a box reach, forwards or backwards in time: of the flow, or of a rule.

    **Flow** (`rule=None`). Orbits settle onto attracting cycles forwards and onto repelling ones backwards; a first
    return to a section gives a guess, and Newton's method on (w, T) with the variational equation refines it to
    |w(T) - w(0)| near 1e-12. In two dimensions that finds every hyperbolic cycle that some start reaches; in more,
    cycles of saddle type are missed.

    **Rule.** A map's counterpart is an invariant circle, a curve with F(K(theta)) = K(theta + rho). Rotation number and
    Fourier coefficients come from long orbits, of the map and, for a rule without memory, of its inverse, by weighted
    Birkhoff averages (Das, Saiki, Sander & Yorke 2017); for a rule with memory also from the flow's cycles. Newton's
    method on (K, rho) then solves the invariance equation to rounding. Where the rotation is rational and the circle
    locked, and wherever else the map has them, periodic orbits are returned.

    A continuum of closed orbits (a conservative game) has a multiplier 1 and is not reported.

    Args:
        game: a deterministic smooth game; in symbols for a rule.
        box: one (low, high) pair per coordinate, where the starts lie.
        rule: an update rule with numbers for all parameters, or None.
        seed: of the starts. periods: for a rule, the longest period that is searched for from scattered starts
            (attracting orbits are found up to period 200).

    Returns:
        `LimitCycle`s of a flow; `InvariantCircle`s and `PeriodicOrbit`s of a map. All have `.period`, `.multipliers`,
        `.points`, `.stable`, `.radius`, and are sorted by size, smallest first.

    Raises:
        ParameterError: for a box that does not fit, or a game without a NumPy field.
        DomainError: for a rule that is not smooth, or does not trace.
    """
    bounds = check_box(game, box)
    if NUMPY not in game.worlds or not game.deterministic or game.constrained:
        raise ParameterError(
            f"limit_cycles of {game.name}", "a deterministic, unconstrained game in NumPy", "use a toy game"
        )
    if rule is None:
        return list(_flow_cycles(game, bounds, seed))
    rule.check(game)
    remembers = any(True for _ in rule.init(game, bounds.mean(-1)).leaves())
    return list(
        invariant_sets(game, rule, bounds, _flow_cycles(game, bounds, seed) if remembers else [], seed, periods)
    )


def _flow_cycles(game: Game, bounds: Array, seed: int) -> list[LimitCycle]:
    starts = np.random.default_rng(seed).uniform(bounds[:, 0], bounds[:, 1], (STARTS, game.dim))
    reach = 10 * np.abs(bounds).max()
    found: list[LimitCycle] = []
    for sign in (-1.0, 1.0):
        for guess, period in _returns(game, _settle(game, starts, sign, reach), sign):
            cycle = _shoot(game, guess, period)
            if cycle is not None and not any(_same(cycle, other) for other in found):
                found.append(cycle)
    return sorted(found, key=lambda c: c.radius)


def _settle(game: Game, starts: Array, sign: float, reach: float) -> Array:
    """Points where the starts are after a long time, without those that escaped or came to rest.

    Fixed-step RK4 on all starts at once: an escaping orbit is frozen instead of shrinking everybody's step.
    """
    w = starts
    with np.errstate(all="ignore"):
        for _ in range(round(SETTLE / SETTLE_STEP)):
            k1 = sign * game.field(w)
            k2 = sign * game.field(w + SETTLE_STEP / 2 * k1)
            k3 = sign * game.field(w + SETTLE_STEP / 2 * k2)
            k4 = sign * game.field(w + SETTLE_STEP * k3)
            moved = w + SETTLE_STEP / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
            inside = np.isfinite(moved).all(-1) & (np.abs(np.nan_to_num(moved)).max(-1) < reach)
            w = moved[inside]
            if not len(w):
                break
    return np.asarray(w[np.linalg.norm(game.field(w), axis=-1) > 1e-3]) if len(w) else w


def _returns(game: Game, points: Array, sign: float) -> list[tuple[Array, float]]:
    """(point, first return time) of settled points, one for each clearly different orbit."""
    result: list[tuple[Array, float]] = []
    orbits: list[Array] = []
    failures = 0
    for p in points:
        if failures == GIVE_UP or len(result) == GUESSES or any(_near(orbit, p) for orbit in orbits):
            continue
        returned = _first_return(lambda w: sign * game.field(w), p)
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


def _first_return(right: Callable[[Array], Array], p: Array) -> tuple[float, Array] | None:
    """Time and sampled orbit of the first return to the section through p across the field, close to p."""
    from scipy.integrate import solve_ivp

    normal = right(p) / np.linalg.norm(right(p))

    def section(t: float, w: Array) -> float:
        return float((w - p) @ normal)

    section.direction, section.terminal = 1, True  # type: ignore[attr-defined]
    pieces: list[Array] = []
    time, w = 0.0, p
    for _ in range(CROSSINGS):
        # Leave the section before watching it: at the start the orbit lies on it.
        off = solve_ivp(lambda t, z: right(z), (0, LEAVE), w, method="DOP853", rtol=1e-9, atol=1e-11).y[:, -1]
        time += LEAVE
        solution = solve_ivp(
            lambda t, z: right(z), (0, SETTLE / 2), off, method="DOP853", rtol=1e-9, atol=1e-11,
            events=section, dense_output=True,
        )  # fmt: skip
        duration = solution.t[-1]
        pieces.append(solution.sol(np.linspace(0, duration, POINTS)).T)
        time, w = time + duration, solution.y[:, -1]
        if solution.status != 1:
            return None
        orbit = np.concatenate(pieces)
        if np.linalg.norm(w - p) < 0.05 * np.linalg.norm(orbit - p, axis=-1).max():
            return time, orbit
    return None


def _shoot(game: Game, guess: Array, period: float) -> LimitCycle | None:
    """Newton on (w, T) with the condition that corrections are orthogonal to the field."""
    w, t = guess.copy(), period
    for _ in range(SHOOTING_STEPS):
        end, monodromy, _ = _variation(game, w, t)
        gap = end - w
        f = -game.field(w)
        if np.linalg.norm(gap) < 1e-12 * (1 + np.abs(w).max()):
            break
        system = np.block([[monodromy - np.eye(game.dim), -game.field(end)[:, None]], [f[None], np.zeros((1, 1))]])
        step = np.linalg.lstsq(system, -np.append(gap, 0.0), rcond=None)[0]
        w, t = w + step[:-1], t + step[-1]
        if not np.isfinite(step).all() or not 1e-3 < t < 10 * period:
            return None
    end, monodromy, dense = _variation(game, w, t)
    residual = float(np.linalg.norm(end - w))
    if residual > 1e-9 * (1 + np.abs(w).max()):
        return None
    values = np.linalg.eigvals(monodromy).astype(complex)
    multipliers = np.delete(values, np.argmin(np.abs(values - 1)))
    multipliers = multipliers[np.argsort(-np.abs(multipliers))]
    points = dense(np.linspace(0, t, POINTS, endpoint=False))[: game.dim].T
    if np.abs(multipliers - 1).min() < 1e-5 or np.ptp(points, axis=0).max() < 1e-6:
        return None  # one of a continuum, or a fixed point
    return LimitCycle(game, float(t), points, multipliers, residual)


def _variation(game: Game, w: Array, t: float) -> tuple[Array, Array, Any]:
    """(w(t), dw(t)/dw, dense output) of the flow and its variational equation dM/dt = -J(w) M."""
    from scipy.integrate import solve_ivp

    d = game.dim

    def right(_: float, z: Array) -> Array:
        point, m = z[:d], z[d:].reshape(d, d)
        return np.concatenate([-game.field(point), (-game.jacobian(point) @ m).ravel()])

    z = np.concatenate([w, np.eye(d).ravel()])
    solution = solve_ivp(right, (0, t), z, method="DOP853", rtol=1e-12, atol=1e-13, dense_output=True)
    return solution.y[:d, -1], solution.y[d:, -1].reshape(d, d), solution.sol


def _same(a: LimitCycle, b: LimitCycle) -> bool:
    """Whether two orbits trace the same curve, possibly several times."""
    size = 1 + np.abs(a.points).max()
    distance = np.linalg.norm(b.points - a.points[0], axis=-1).min()
    return bool(distance < 0.02 * size * max(1.0, 400 / POINTS) and _close_curves(a.points, b.points, size))


def _close_curves(a: Array, b: Array, size: float) -> bool:
    nearest = [np.linalg.norm(b - p, axis=-1).min() for p in a[:: POINTS // 40]]
    return bool(np.max(nearest) < 0.02 * size)
