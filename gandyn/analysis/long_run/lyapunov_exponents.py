"""Lyapunov exponents: the rates, per step or per unit of time, at which small differences grow along an orbit."""

from __future__ import annotations

import dataclasses
import time as clock

import numpy as np

from ...doors import ensemble_door
from ...errors import ConvergenceError, ParameterError
from ...results import Result
from ...symbolic.members import members_in
from ...types import Array, Game, Rule
from ..parameters.system import Field, System, system
from .ensembles import exponents_of_members

BATCHES = 20
STUDENT = 2.093  # 19 degrees of freedom, 95 %
ALIGNMENT = 2.0  # of log growth: what turning into the fastest direction, and growth by powers, leave unsure
RTOL = 1e-9
ROUNDING = 1e-15
SAME = 1e-12  # derivatives that differ by less, relative to their size, are the same matrix
ADDS_UP = 1e-6  # of the largest exponent, by which the sum of all may differ from the mean log |det|
COMPLETE, OUT_OF_TIME = "all steps computed", "out of time"
DIVERGED, STALLED = "diverged", "stalled where the flow blows up or is not smooth"


class _StoppedError(Exception):
    """Raised where an orbit cannot be continued, with the reason."""


@dataclasses.dataclass(frozen=True, repr=False)
class LyapunovExponents(Result):
    """Lyapunov exponents along one orbit: growth rates of small differences, largest first.

    Attributes:
        game, rule: the pair; rule is None for a flow.
        exponents: shape (D,), natural logarithms of growth per step (map) or per unit of time (flow). -inf where some
            direction is mapped to zero.
        band: half width of a 95 % interval for each exponent, (D,), from the scatter of 20 consecutive parts of the
            orbit, wider where neighbouring parts are correlated. At least the range of the summed growth about its
            trend over the time, which is large where growth is slower than exponential; at least the error of one step
            or of the integrator.
        running: the estimates after each recorded step, shape (rows, D), at the steps or times `t`, (rows,).
        determinant: mean over the orbit of log |det| of the map's derivative, or of the flow's divergence. It equals
            the sum of all exponents and is computed without them.
        end: the last point in the game's coordinates, (d,).
        linear: whether the derivative was the same all along the orbit, to 1e-12, as it is for linear dynamics and at a
            fixed point.
        status: "all steps computed", or why fewer were and how many: the time ran out, the orbit or its derivative
            overflowed ("diverged"), or the integrator's steps shrank to nothing ("stalled"). The exponents of an orbit
            that diverged or stalled within 20 steps are nan.
        steps, t_end: number of steps counted, and their duration (for a map the same number).
    """

    game: Game
    rule: Rule | None
    exponents: Array
    band: Array
    running: Array
    t: Array
    determinant: float
    end: Array
    linear: bool = False
    status: str = COMPLETE
    steps: int = 0
    t_end: float = 0.0

    _data = "game rule exponents band determinant end linear chaotic status"
    _plot = "lyapunov_exponents"

    @property
    def largest(self) -> float:
        """The largest exponent; positive on a bounded orbit that is chaotic, see `chaotic`."""
        return float(self.exponents[0])

    @property
    def resolution(self) -> float:
        """(D - 1) log(n) / time: the exponent that growth like n^(D - 1), the fastest by powers, has after n steps."""
        n = self.steps
        return float((len(self.exponents) - 1) * np.log(max(n, 2)) / self.t_end)

    @property
    def chaotic(self) -> bool | None:
        """Whether nearby orbits part exponentially along a bounded orbit; None where that is undecided.

        True where the largest exponent minus its band is above `resolution`. False where the largest exponent plus its
        band is below 0, and where the derivative is the same all along the orbit, because powers of one matrix make no
        chaos. None elsewhere: also where the orbit diverged or stalled, and where the exponents do not add up to
        `determinant`, because rounding has lost a direction. The answer rests on a finite orbit and a 95 % band, and is
        no proof.
        """
        if self.linear:
            return False
        if self.status.startswith((DIVERGED, STALLED)) or not self._adds_up:
            return None
        if not self.largest - self.band[0] <= self.resolution:
            return True
        return False if self.largest + self.band[0] < 0 else None

    @property
    def _adds_up(self) -> bool:
        total, sizes = float(self.exponents.sum()), np.abs(self.exponents[np.isfinite(self.exponents)])
        lost = float(self.band.sum()) + ADDS_UP * float(sizes.max(initial=0.0))
        return total == self.determinant or abs(total - self.determinant) <= lost

    def summary(self) -> str:
        """The exponents with their bands, their sum beside `determinant`, and whether the orbit is chaotic, as text."""
        unit = "a unit of time" if self.rule is None else "a step"
        shown = ", ".join(f"{e:.6g} +- {b:.1g}" for e, b in zip(self.exponents, self.band, strict=True))
        told = {True: "chaotic", False: "not chaotic", None: "chaos undecided"}[self.chaotic]
        if self.linear:
            told += ": the derivative is constant along the orbit"
        cut = "" if self.status == COMPLETE else f"; {self.status}"
        return (
            f"{self._dynamics()}: Lyapunov exponents {shown} {unit}; their sum {self.exponents.sum():.6g}, "
            f"mean log |det| {self.determinant:.6g}; {told}{cut}"
        )


@ensemble_door
def lyapunov_exponents(
    game: Game,
    rule: Rule | None,
    start: object,
    steps: int = 5000,
    settle: int = 500,
    time: float = 1.0,
    field: Field | None = None,
    seed: int = 0,
    budget: float = 120.0,
) -> LyapunovExponents:
    """The Lyapunov exponents along one orbit: how fast nearby orbits part or meet, by QR factorisation.

    A frame Q of D orthogonal directions is moved by the exact derivative, Q -> DF(z) Q for a map and dQ/dt = DF(z) Q
    for a flow, and factorised as Q R after each step. The means of log |R_ii| tend to the exponents (Benettin, Galgani,
    Giorgilli & Strelcyn 1980; Eckmann & Ruelle 1985, section V).

    Parameters of the rule or the game may be arrays with one value per member. All orbits then move together, and the
    answer is a `LyapunovEnsemble` with exponents of shape (..., D); for maps only.

    Args:
        game: a symbolic, deterministic game.
        rule: an update rule, or None for the gradient flow.
        start: a point, shape (d,).
        steps: number of steps that are counted; for a flow, of intervals of length `time`.
        settle: number of steps before counting starts.
        time: for a flow, the time between two factorisations.
        field: for a flow, dw/dt as a function of w that also runs on symbols, in place of the gradient flow.
        seed: of the first frame, which is random.
        budget: seconds; when they run out, the steps made so far are used, and `status` says so.

    Returns:
        `LyapunovExponents`: `.exponents`, largest first, with the half width `.band`, and whether the orbit is
        `.chaotic`.

    Raises:
        ParameterError: for a start that does not fit, or too few steps.
        ConvergenceError: where the time runs out before 20 steps are counted.

    Example:
        >>> import gandyn as gd
        >>> found = gd.lyapunov_exponents(gd.games.bilinear(), gd.rules.GDA(0.5), [1.0, 0.0], steps=200)
        >>> bool(abs(found.exponents - np.log(1.25) / 2).max() < 1e-12)
        True
    """
    if members_in(game, rule):
        if field is not None:
            raise ParameterError("a field beside arrays of parameters", "one of the two", "one value of each parameter")
        return exponents_of_members(game, rule, start, steps, settle, seed, budget)  # type: ignore[return-value]
    w = _point(game, start)
    if steps < BATCHES or settle < 0 or not time > 0:
        raise ParameterError(
            f"steps={steps}, settle={settle}, time={time}", f"steps >= {BATCHES}, settle >= 0, time > 0", "steps=5000"
        )
    made = system(game, rule, field=field)
    orbit = _Orbit(made, time, clock.monotonic() + budget)
    rates, volumes, z, stopped = orbit.follow(made.start(w), steps, settle, seed)
    status = f"{stopped}: {len(rates)} of {steps} steps computed" if stopped else COMPLETE
    if stopped in (DIVERGED, STALLED) and len(rates) < BATCHES:
        none = np.full(made.size, np.nan)
        rows = np.empty((0, made.size))
        return LyapunovExponents(
            game, rule, none, none, rows, rows[:, 0], np.nan, z[: game.dim], False, status, len(rates), 0.0
        )
    if len(rates) < BATCHES:
        raise ConvergenceError(
            f"{len(rates)} of {steps} steps in {budget:g} seconds",
            f"{BATCHES} or more",
            "a larger budget, or less time",
        )
    unit = 1.0 if made.discrete else time
    counts = np.arange(1, len(rates) + 1)
    running = np.cumsum(rates, axis=0) / counts[:, None]
    exponents = running[-1]
    floor = ROUNDING if made.discrete else RTOL / time  # what the step, or the integrator, leaves unsure of each one
    band = np.maximum(_band(rates, 0.0 if orbit.linear else ALIGNMENT / unit), floor)
    order = np.argsort(-exponents, kind="stable")
    every = max(1, len(rates) // 1000)
    return LyapunovExponents(
        game, rule, exponents[order], band[order], running[::every][:, order], counts[::every] * unit,
        float(volumes.mean()), z[: game.dim], orbit.linear, status, len(rates), len(rates) * unit,
    )  # fmt: skip


def _point(game: Game, start: object) -> Array:
    w = np.asarray(start, dtype=float)
    if w.shape != (game.dim,) or not np.isfinite(w).all():
        raise ParameterError(f"start={start!r}", f"{game.dim} finite numbers", "start=[0.1] * game.dim")
    return w


def _band(rates: Array, alignment: float) -> Array:
    """Half widths of 95 % intervals for the means of columns of correlated numbers, (D,).

    Batch means with Student's t, times sqrt((1 + r) / (1 - r)) for a correlation r of neighbouring batches (its bias,
    -1 / BATCHES, removed); at least the range of the bridge, sum of n rates less n times their mean, and an
    alignment, over their number.
    """
    with np.errstate(invalid="ignore"):
        parts = np.array([part.mean(0) for part in np.array_split(rates, BATCHES)])
        rest = parts - parts.mean(0)
        power = np.maximum((rest**2).sum(0), 1e-300)
        r = np.clip((rest[1:] * rest[:-1]).sum(0) / power + 1 / BATCHES, 0.0, 0.9)
        scatter = STUDENT * parts.std(0, ddof=1) / np.sqrt(BATCHES)
        bridge = np.cumsum(rates - rates.mean(0), axis=0)
        swing = (bridge.max(0).clip(0) - bridge.min(0).clip(None, 0) + alignment) / len(rates)
        band = np.maximum(scatter * np.sqrt((1 + r) / (1 - r)), swing)
    return np.where(np.isfinite(band), band, 0.0)


def _sizes(matrix: Array) -> Array:
    """What a change of each entry is compared with: the largest entry of its row or its column, the smaller of these.

    A coordinate in small units has a large column or row; its entries say nothing about rounding elsewhere. Where the
    row or the column is zero the larger of the two counts, and the whole matrix where both are.
    """
    size = np.abs(matrix)
    rows, columns = np.broadcast_arrays(size.max(1, keepdims=True), size.max(0, keepdims=True))
    least, most = np.minimum(rows, columns), np.maximum(rows, columns)
    return np.where(least > 0, least, np.where(most > 0, most, size.max()))


def _stretched(r: Array, volume: float) -> Array:
    """The factors |r_ii|; 0 for those that are rounding errors of a derivative without volume, as on a face, (D,)."""
    factors = np.abs(np.diag(r))
    return factors if np.isfinite(volume) else np.where(factors > 1e-13 * np.abs(r).max(0), factors, 0.0)


class _Orbit:
    """An orbit with a frame moved by its derivative; `linear` says whether that derivative never changed."""

    def __init__(self, made: System, time: float, deadline: float) -> None:
        self.made, self.time, self.deadline = made, time, deadline
        self.first: Array | None = None
        self.linear = True

    def follow(self, z: Array, steps: int, settle: int, seed: int) -> tuple[Array, Array, Array, str]:
        """Growth rates (n, D), rates of volume (n,), the last point, and why n is less than `steps` where it is."""
        d = self.made.size
        frame = np.linalg.qr(np.random.default_rng(seed).normal(size=(d, d)))[0]
        advance, unit = (self._map, 1.0) if self.made.discrete else (self._flow, self.time)
        rates, volumes = np.empty((steps, d)), np.empty(steps)
        for n in range(-settle, steps):
            try:
                with np.errstate(all="ignore"):
                    image, moved, volume = advance(z, frame)
                if not (np.isfinite(image).all() and np.isfinite(moved).all()):
                    raise _StoppedError(DIVERGED)
            except _StoppedError as stopped:
                return rates[: max(n, 0)], volumes[: max(n, 0)], z, str(stopped)
            z = image
            frame, r = np.linalg.qr(moved)
            if n == -1:
                self.first, self.linear = None, True  # what came before the orbit settled does not count
            if n >= 0:
                with np.errstate(divide="ignore"):
                    rates[n], volumes[n] = np.log(_stretched(r, volume)) / unit, volume / unit
        return rates, volumes, z, ""

    def _look(self, z: Array) -> tuple[Array, Array]:
        if clock.monotonic() > self.deadline:
            raise _StoppedError(OUT_OF_TIME)
        image, slopes = self.made.with_slopes(z)
        matrix = slopes[:, :-1]
        if self.first is None:
            self.first = matrix.copy()
        elif self.linear:
            self.linear = bool((np.abs(matrix - self.first) <= SAME * _sizes(self.first)).all())
        return image, matrix

    def _map(self, z: Array, frame: Array) -> tuple[Array, Array, float]:
        image, matrix = self._look(z)
        return image, matrix @ frame, float(np.linalg.slogdet(matrix)[1])

    def _flow(self, z: Array, frame: Array) -> tuple[Array, Array, float]:
        """Point, frame and integral of the divergence after one interval, integrated together by DOP853."""
        from scipy.integrate import solve_ivp

        d = self.made.size

        def right(_: float, state: Array) -> Array:
            z, frame = state[:d], state[d:-1].reshape(d, d)
            velocity, matrix = self._look(z)
            slope = np.concatenate([velocity, (matrix @ frame).ravel(), [np.trace(matrix)]])
            if not np.isfinite(slope).all():  # the integrator would shrink its step for ever
                raise _StoppedError(DIVERGED)
            return slope

        state = np.concatenate([z, frame.ravel(), [0.0]])
        found = solve_ivp(right, (0, self.time), state, method="DOP853", rtol=RTOL, atol=RTOL / 10)
        if not found.success:
            raise _StoppedError(STALLED)
        end = found.y[:, -1]
        return end[:d], end[d:-1].reshape(d, d), float(end[-1])
