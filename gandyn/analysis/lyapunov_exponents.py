"""Lyapunov exponents: at which rates, per step or per unit of time, nearby orbits part or meet along an orbit."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import ParameterError
from ..results import Result, plain
from ..types import Array, Game, Rule
from .systems import Field, System, system

BATCHES = 20
RTOL = 1e-9
ROUNDING = 1e-15


@dataclasses.dataclass(frozen=True, repr=False)
class LyapunovExponents(Result):
    """Growth rates of small differences along one orbit, largest first.

    Attributes:
        game, rule: the pair; rule is None for a flow.
        exponents: shape (D,), natural logarithms per step (map) or per unit of time (flow). -inf where a direction is
            lost at once.
        band: half width of a 95 % interval for each, from the scatter of 20 consecutive parts of the orbit, at least
            the error of one step or of the integrator; for an orbit that settles it shows how far from settled it is.
        running: the estimate after each recorded step, shape (rows, D), at `t`.
        determinant: mean of log |det| of the step's derivative (map) or of the divergence (flow): the sum of all
            exponents, computed without them.
        end: the last point, on the game's coordinates.
    """

    game: Game
    rule: Rule | None
    exponents: Any
    band: Any
    running: Any
    t: Any
    determinant: float
    end: Any

    _plot = "lyapunov_exponents"

    @property
    def largest(self) -> float:
        """The first exponent: above 0 on a bounded orbit means chaos."""
        return float(self.exponents[0])

    @property
    def chaotic(self) -> bool | None:
        """Whether the largest is above 0 beyond its band; None where the band includes 0."""
        if abs(self.largest) <= self.band[0]:
            return None
        return self.largest > 0

    def summary(self) -> str:
        """Exponents with bands, and the check of their sum."""
        unit = "a unit of time" if self.rule is None else "a step"
        shown = ", ".join(f"{e:.6g} +- {b:.1g}" for e, b in zip(self.exponents, self.band, strict=True))
        what = "flow" if self.rule is None else repr(self.rule)
        return (
            f"{what} on {self.game.name}: Lyapunov exponents {shown} {unit}; their sum {self.exponents.sum():.6g}, "
            f"mean log |det| {self.determinant:.6g}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Exponents, bands, determinant."""
        data = {"exponents": self.exponents, "band": self.band, "determinant": self.determinant, "end": self.end}
        rule = None if self.rule is None else repr(self.rule)
        result: dict[str, Any] = plain({"game": self.game.name, "rule": rule, **data})
        return result


def lyapunov_exponents(
    game: Game,
    rule: Rule | None,
    start: Any,
    steps: int = 5000,
    settle: int = 500,
    time: float = 1.0,
    field: Field | None = None,
    seed: int = 0,
) -> LyapunovExponents:
    """Lyapunov exponents along one orbit, by QR factorisation of the carried frame.

    A frame of D directions is moved by the exact derivative, z -> DF(z) Q for a map and dQ/dt = DF(z) Q for a flow, and
    made orthogonal again; logarithms of the diagonal of R, averaged, tend to the exponents (Benettin, Galgani,
    Giorgilli & Strelcyn 1980; Eckmann & Ruelle 1985, section V).

    Args:
        game: a symbolic, deterministic game. rule: an update rule, or None for the gradient flow.
        start: a point, shape (d,).
        steps: counted steps; for a flow, intervals of length `time`. settle: steps before counting starts.
        time: for a flow, the time between two factorisations.
        field: for a flow, another dw/dt as a function of w that also runs on symbols (the replicator dynamics).
        seed: of the first frame.

    Raises:
        ParameterError: for a start that does not fit, too few steps, or an orbit that leaves every bound.

    Example:
        >>> import gandyn as gd
        >>> found = gd.lyapunov_exponents(gd.games.bilinear(), gd.rules.GDA(0.5), [1.0, 0.0], steps=200)
        >>> bool(abs(found.exponents - np.log(1.25) / 2).max() < 1e-12)
        True
    """
    w = np.asarray(start, dtype=float)
    if w.shape != (game.dim,) or not np.isfinite(w).all():
        raise ParameterError(f"start={start!r}", f"{game.dim} finite numbers", "start=[0.1] * game.dim")
    if steps < BATCHES or settle < 0 or not time > 0:
        raise ParameterError(
            f"steps={steps}, settle={settle}, time={time}", f"steps >= {BATCHES}, settle >= 0, time > 0", "steps=5000"
        )
    made = system(game, rule, field=field)
    z = made.start(w)
    frame = np.linalg.qr(np.random.default_rng(seed).normal(size=(made.size, made.size)))[0]
    advance = _map_step(made) if made.discrete else _flow_step(made, time)
    unit = 1.0 if made.discrete else time
    rates, volumes = np.empty((steps, made.size)), np.empty(steps)
    with np.errstate(divide="ignore"):
        for n in range(-settle, steps):
            z, moved, volume = advance(z, frame)
            frame, r = np.linalg.qr(moved)
            if not np.isfinite(z).all():
                raise ParameterError(f"the orbit of {start!r} overflows", "a bounded orbit", "start elsewhere")
            if n >= 0:
                rates[n], volumes[n] = np.log(np.abs(np.diag(r))) / unit, volume / unit
    counts = np.arange(1, steps + 1)
    running = np.cumsum(rates, axis=0) / counts[:, None]
    exponents = running[-1]
    parts = np.array([part.mean(0) for part in np.array_split(rates, BATCHES)])
    with np.errstate(invalid="ignore"):
        band = 2.093 * parts.std(0, ddof=1) / np.sqrt(BATCHES)  # Student's t, 19 degrees of freedom, 95 %
    order = np.argsort(-exponents, kind="stable")
    every = max(1, steps // 1000)
    floor = ROUNDING if made.discrete else RTOL / time  # what the step, or the integrator, leaves unsure of each one
    band = np.maximum(np.where(np.isfinite(band), band, 0.0), floor)
    return LyapunovExponents(
        game, rule, exponents[order], band[order], running[::every][:, order], counts[::every] * unit,
        float(volumes.mean()), z[: game.dim],
    )  # fmt: skip


Advance = Callable[[Array, Array], tuple[Array, Array, float]]


def _map_step(made: System) -> Advance:
    def advance(z: Array, frame: Array) -> tuple[Array, Array, float]:
        image, slopes = made.with_slopes(z)
        matrix = slopes[:, :-1]
        return image, matrix @ frame, float(np.linalg.slogdet(matrix)[1])

    return advance


def _flow_step(made: System, time: float) -> Advance:
    """Point, frame and the integral of the divergence over one interval, by DOP853 on all of them together."""
    from scipy.integrate import solve_ivp

    d = made.size

    def right(_: float, state: Array) -> Array:
        z, frame = state[:d], state[d:-1].reshape(d, d)
        velocity, slopes = made.with_slopes(z)
        matrix = slopes[:, :-1]
        return np.concatenate([velocity, (matrix @ frame).ravel(), [np.trace(matrix)]])

    def advance(z: Array, frame: Array) -> tuple[Array, Array, float]:
        state = np.concatenate([z, frame.ravel(), [0.0]])
        end = solve_ivp(right, (0, time), state, method="DOP853", rtol=RTOL, atol=RTOL / 10).y[:, -1]
        return end[:d], end[d:-1].reshape(d, d), float(end[-1])

    return advance
