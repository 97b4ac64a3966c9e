"""How fast a trajectory converges, measured: linear and power-law rates with bands, beside the prediction."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from ..doors import door
from ..errors import GandynError, ParameterError, ShapeError
from ..results import Result, Trajectory, plain
from .averages import Averaged
from .regression import Fit, fit_line, fit_power, length

FLOOR = 1e-11  # distances below it, times the scale of the target, are rounding
TINY = 1e-290
INTEGRATED = 1e-7  # flows are solved to an absolute tolerance
DECISIVE = 10.0
FEWEST = 12
Series = np.ndarray[Any, Any]
Band = tuple[float, float]


@dataclasses.dataclass(frozen=True, repr=False)
class RateFit(Result):
    """The distance d_t to a point along a trajectory, as rho^t or as (t + t_0)^(-p).

    Attributes:
        trajectory: what was measured. to: the point.
        model: "linear" (d ~ rho^t, also where it grows), "power" (d ~ t^-p), "no decay" or "undecided".
        reason: the criterion's values.
        rho, rho_band: factor per step (flows: per unit time) of the linear fit, with its 95 % band.
        exponent, exponent_band: p of the power law, with its 95 % band.
        evidence: Bayesian information criterion of the power law minus that of the linear fit; positive speaks for
            linear, decisively from 10.
        envelope: whether peaks were fitted, because the distance oscillates.
        period: of the oscillation in steps or time, None without.
        predicted: spectral radius (flows: exp of the spectral abscissa) of the linearisation; None without one.
        t, distance: what was fitted; both fits as functions of t are `linear` and `power`.
    """

    trajectory: Trajectory
    to: Any
    model: str
    reason: str
    rho: float
    rho_band: Band
    exponent: float
    exponent_band: Band
    evidence: float
    envelope: bool
    period: float | None
    predicted: float | None
    t: Any
    distance: Any
    linear: Fit
    power: Fit

    _plot = "rate_fit"

    def summary(self) -> str:
        """Model, numbers with bands, prediction."""
        unit = "step" if self.trajectory.rule is not None else "unit of time"
        lines = [f"distance to ({', '.join(f'{x:g}' for x in self.to)}): {self.model} ({self.reason})"]
        lines.append(f"linear: factor {self.rho:.8g} per {unit}, 95 % band {_band(self.rho_band)}")
        lines.append(f"power law: t^-{self.exponent:.5g}, 95 % band {_band(self.exponent_band)}")
        if self.predicted is not None:
            lines.append(f"predicted by linearisation: {self.predicted:.8g} per {unit}")
        if self.period is not None:
            lines.append(f"oscillates with period {self.period:.4g}; its peaks were fitted")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """All numbers."""
        names = ("to", "model", "reason", "rho", "rho_band", "exponent", "exponent_band", "evidence", "envelope")
        result: dict[str, Any] = plain({name: getattr(self, name) for name in (*names, "period", "predicted")})
        return result


def _band(band: Band) -> str:
    return f"[{band[0]:.8g}, {band[1]:.8g}]"


@door
def fit_rate(
    trajectory: Trajectory, to: Any = None, window: float = 0.5, floor: float | None = None, seed: int = 0
) -> RateFit:
    """Fit linear and sublinear rates to the tail of one trajectory and say which it follows.

    log d_t = a + t log rho is fitted by least squares, and so is log d_t = a - p log(t + t_0). Where the distance
    oscillates regularly, both are fitted to its peaks. Bands: moving-block bootstrap of the residuals (Kuensch 1989),
    blocks of n^(1/3) points or more where residuals are correlated, 95 % by percentiles; they are about scatter, not
    about a transient that the window still holds. Criterion: the Bayesian information criterion, with the number of
    independent residuals in place of their number; a difference of 10 decides. "no decay" where both models change the
    distance by less than 0.1 % over the window.

    Args:
        trajectory: of one start, of a rule or a flow, with every recorded step.
        to: the limit; the known equilibrium nearest to the last point by default.
        window: the share of the trajectory, at its end, that is fitted.
        floor: the trajectory ends, for the fit, where the distance first falls below it; by default at the level of
            rounding, and for flows at 1e-7, well above the integrator's absolute tolerance.
        seed: of the bootstrap.

    Raises:
        ShapeError: for an ensemble. ParameterError: without a limit, or with fewer than 12 distances to fit.

    Example:
        >>> import gandyn as gd
        >>> run = gd.iterate(gd.games.bilinear(), gd.rules.Extragradient(0.5), [1.0, 0.0], 100)
        >>> found = gd.fit_rate(run)
        >>> found.model, round(found.rho, 6), round(found.predicted, 6)
        ('linear', 0.901388, 0.901388)
    """
    w = np.asarray(trajectory.w, dtype=float)
    if w.ndim != 2:
        raise ShapeError(f"a trajectory of shape {w.shape}", "(T+1, d), one start with its steps", "record one member")
    if not 0 < window <= 1:
        raise ParameterError(f"window={window!r}", "a share in (0, 1]", "window=0.5")
    target = _target(trajectory, w, to)
    if floor is None:
        floor = INTEGRATED if trajectory.rule is None else max(FLOOR * float(np.abs(target).max()), TINY)
    t, d = _tail(np.asarray(trajectory.t, dtype=float), length(w - target), floor, window)
    period, peaks = _peaks(t, np.log(d))
    if peaks is not None:
        t, log_d = peaks
    else:
        log_d = np.log(d)
    rng = np.random.default_rng(seed)
    line, law = fit_line(t, log_d, rng), fit_power(t, log_d, rng)
    evidence = _evidence(line, law)
    model, reason = _choose(line, law, evidence, t)
    low, high = line.band
    return RateFit(
        trajectory, tuple(map(float, target)), model, reason,
        float(np.exp(line.slope)), (float(np.exp(low)), float(np.exp(high))),
        -law.slope, (-law.band[1], -law.band[0]), evidence, peaks is not None, period,
        _predicted(trajectory, target), t, np.exp(log_d), line, law,
    )  # fmt: skip


def _target(trajectory: Trajectory, w: Series, to: Any) -> Series:
    if to is None:
        known = trajectory.game.equilibria
        if not known:
            raise ParameterError(f"no known equilibrium of {trajectory.game.name}", "the limit", "to=[0.0, 0.0]")
        points = [np.array([float(x) for x in point]) for point in known]
        return min(points, key=lambda point: float(np.linalg.norm(w[-1] - point)))
    target = np.asarray(to, dtype=float)
    if target.shape != w.shape[-1:]:
        raise ShapeError(f"a limit of shape {target.shape}", f"({w.shape[-1]},)", "one number a coordinate")
    return target


def _tail(t: Series, d: Series, floor: float, window: float) -> tuple[Series, Series]:
    """The last share of the distances before they fall to the floor."""
    lost = np.flatnonzero(d <= floor)
    end = int(lost[0]) if len(lost) else len(d)
    start = end - int(np.ceil(window * end))
    t, d = t[start:end], d[start:end]
    good = np.isfinite(d) & (d > 0) & (t > 0)
    t, d = t[good], d[good]
    if len(t) < FEWEST:
        raise ParameterError(
            f"{len(t)} distances above rounding in the window", f"{FEWEST} or more", "more steps, or a wider window"
        )
    return t, d


def _peaks(t: Series, log_d: Series) -> tuple[float | None, tuple[Series, Series] | None]:
    """Peaks of a regular oscillation about the trend, each refined by a parabola; None where there is none."""
    slope = np.polyfit(t, log_d, 1)
    for _ in range(2):
        rest = log_d - np.polyval(slope, t)
        inner = np.flatnonzero((rest[1:-1] > rest[:-2]) & (rest[1:-1] >= rest[2:])) + 1
        if len(inner) < FEWEST - 4 or np.ptp(rest) < 1e-9:
            return None, None
        left, middle, right = rest[inner - 1], rest[inner], rest[inner + 1]
        shift = (left - right) / (2 * (left - 2 * middle + right))
        height = middle - (left - right) * shift / 4
        at = t[inner] + shift * (t[inner + 1] - t[inner])
        top = height + np.polyval(slope, at)
        slope = np.polyfit(at, top, 1)
    gaps = np.diff(at)
    if at[0] - t[0] > 2 * gaps.mean() or t[-1] - at[-1] > 2 * gaps.mean():
        return None, None  # too small a swing to make peaks everywhere
    if gaps.std() > 0.35 * gaps.mean() or gaps.mean() < 3 * np.median(np.diff(t)):
        return None, None
    return float(gaps.mean()), (at, top)


def _evidence(line: Fit, law: Fit) -> float:
    n = min(line.independent, law.independent)
    return float(n * np.log(law.variance / line.variance) + (law.parameters - line.parameters) * np.log(n))


def _choose(line: Fit, law: Fit, evidence: float, t: Series) -> tuple[str, str]:
    change = abs(line.slope) * float(t[-1] - t[0])
    if change < 1e-3:
        return "no decay", f"the distance changes by {change:.1e} of itself over the window"
    told = f"BIC difference {evidence:.1f}"
    if abs(evidence) < DECISIVE:
        return "undecided", f"{told}, less than {DECISIVE:g} either way"
    return ("linear" if evidence > 0 else "power"), told


def _predicted(trajectory: Trajectory, target: Series) -> float | None:
    from .linearize import linearize

    if isinstance(trajectory.rule, Averaged):
        return None
    try:
        lin = linearize(trajectory.game, trajectory.rule, at=target)
        if lin.residual > 1e-6:
            return None
        return lin.spectral_radius if lin.spectral_abscissa is None else float(np.exp(lin.spectral_abscissa))
    except GandynError:
        return None
