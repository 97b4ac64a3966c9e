"""Measured rates of convergence: linear and power-law fits to a trajectory, with bands, beside the prediction."""

from __future__ import annotations

import dataclasses

import numpy as np

from ...doors import door
from ...errors import GandynError, ParameterError, ShapeError
from ...results import Result, Status, Trajectory
from ...types import Array
from .averages import Averaged
from .oscillation import harmonics, peaks, period
from .regression import Fit, Regression, length

FLOOR = 1e-11  # distances below it, times the scale of the target, are rounding
TINY = 1e-290
INTEGRATED = 1e-7  # flows are solved to an absolute tolerance
DECISIVE = 10.0
DOUBT = 1e-3
SMOOTH = 5e-3  # of the variance of a swing: what harmonics leave where it has no corners
MISFIT = {"linear": 5e-3, "power": 5e-4}  # shares of the change by which a model may be wrong and still be named
FEWEST = 12
AT_REST = 1e-6  # a motion at the limit, relative to that at the distances fitted, below which it is an equilibrium
Series = np.ndarray
Band = tuple[float, float]


@dataclasses.dataclass(frozen=True, repr=False)
class RateFit(Result):
    """Fits of the distance d_t to a point along a trajectory: linear, d ~ rho^t, and power law, d ~ (t + t_0)^(-p).

    Attributes:
        trajectory: the trajectory that was measured.
        to: the point, (d,).
        model: "linear" (also where the distance grows), "power", "neither", "no decay", "undecided", or "diverged" for
            a run that overflowed; rho is then its growth until it did.
        reason: the value of the criterion, and why a model was rejected.
        rho, rho_band: factor per step (flows: per unit of time) of the linear fit, with its 95 % band.
        exponent, exponent_band: p of the power law, with its 95 % band.
        evidence: Bayesian information criterion of the power law minus that of the linear fit; a positive value is
            evidence for the linear fit, and decides from 10.
        envelope: whether the peaks of an oscillating distance were fitted.
        period: of the oscillation, in steps or units of time; None without one.
        predicted: spectral radius of the linearised map (flows: exp of the spectral abscissa); None where `to` is no
            equilibrium or there is no linearisation.
        t, distance: the times and distances that were fitted, (n,).
        linear, power: the two fits of log d, as functions of t.
    """

    trajectory: Trajectory
    to: Array
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
    t: Array
    distance: Array
    linear: Fit
    power: Fit

    _data = (
        "game=trajectory.game rule=trajectory.rule to model reason rho rho_band exponent exponent_band "
        "evidence envelope period predicted"
    )
    _plot = "rate_fit"

    def summary(self) -> str:
        """The model, its numbers with bands, and the predicted rate, as text."""
        unit = "step" if self.trajectory.rule is not None else "unit of time"
        target = ", ".join(f"{x:g}" for x in self.to)
        lines = [f"{self._dynamics()}, distance to ({target}): {self.model} ({self.reason})"]
        lines.append(f"linear: factor {self.rho:.8g} per {unit}, 95 % band {_band(self.rho_band)}")
        lines.append(f"power law: t^{-self.exponent:.5g}, 95 % band {_band(self.exponent_band)}")
        if self.predicted is not None:
            lines.append(f"predicted by linearisation: {self.predicted:.8g} per {unit}")
        if self.period is not None:
            lines.append(f"oscillates with period {self.period:.4g}; its peaks were fitted")
        return "\n".join(lines)


def _band(band: Band) -> str:
    return f"[{band[0]:.8g}, {band[1]:.8g}]"


@door
def fit_rate(
    trajectory: Trajectory, to: object = None, window: float = 0.5, floor: float | None = None, seed: int = 0
) -> RateFit:
    """Fit a linear and a power-law rate to the tail of one trajectory, and say which of them it follows.

    The models log d_t = a + t log rho and log d_t = a - p log(t + t_0) are fitted by generalised least squares. The
    noise is an autoregression, estimated from the residuals of a free smooth curve, with its bias removed. Where the
    distance oscillates, harmonics of its period are fitted too; where the oscillation passes through 0, its peaks are
    fitted instead. The bands are 95 %: by Student's t, and for p by the profile likelihood in t_0. Where a smooth curve
    is clearly better than a model, the rate still changes along the run: the model's band is then widened by the change
    over its later half.

    The model is chosen by the Bayesian information criterion of the residuals without their correlation; a difference
    of 10 decides. It is "neither" where the better model is clearly worse than the smooth curve (F test, 0.1 %) by more
    than a small share of the change, or where the best power law is one of a time that began before the run. It is "no
    decay" where the linear fit changes the distance by less than 0.1 % over the window. A run that diverged is fitted
    up to the last finite point.

    Args:
        trajectory: of one start, from `gd.iterate` or `gd.flow`, with several recorded times.
        to: the limit, (d,); by default the known equilibrium nearest to the last point.
        window: the last share of the trajectory that is fitted, in (0, 1].
        floor: the fit ends where the distance first falls to this value. By default at rounding errors, 1e-11 times the
            largest coordinate of `to`, and for flows at 1e-7, well above the integrator's absolute tolerance.
        seed: has no effect, as nothing is drawn; kept for older calls.

    Returns:
        A `RateFit`: the `.model` that was chosen and the `.reason`, with `.rho` and `.exponent` and their bands.

    Raises:
        ShapeError: for an ensemble, or a limit of another dimension.
        ParameterError: without a limit, with fewer than 12 distances to fit, or for a window outside (0, 1].

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
    t, d = _computed(trajectory, np.asarray(trajectory.t, dtype=float), length(w - target))
    t, d = _tail(t, d, floor, window)
    fitted = _fitted(t, np.log(d))
    line, law = fitted.line, fitted.law
    evidence = _evidence(line, law)
    model, reason = _choose(line, law, evidence, t)
    if bool(trajectory.diverged):
        model, reason = "diverged", "the run left all bounds; what was computed before is fitted"
    with np.errstate(over="ignore"):  # the factor in a unit of time that is long beside the flow's own
        rho, low, high = (float(np.exp(slope)) for slope in (line.slope, *line.band))
    return RateFit(
        trajectory, tuple(map(float, target)), model, reason, rho, (low, high),
        -law.slope, (-law.band[1], -law.band[0]), evidence, fitted.envelope, fitted.period,
        _predicted(trajectory, target, d), fitted.t, np.exp(fitted.y), line, law,
    )  # fmt: skip


def _computed(trajectory: Trajectory, t: Series, d: Series) -> tuple[Series, Series]:
    """Times t and distances d without the rows that repeat the last finite point of a run that diverged."""
    if trajectory.status is Status.OK or trajectory.steps is None:
        return t, d
    steps = float(np.max(trajectory.steps))
    moving = t <= steps if trajectory.rule is not None else np.ones(len(t), dtype=bool)
    changes = np.flatnonzero(np.diff(d) != 0)
    last = int(changes[-1]) + 1 if len(changes) else len(d) - 1
    moving[last + 1 :] = False
    return t[moving], d[moving]


@dataclasses.dataclass(frozen=True)
class _Fitted:
    line: Fit
    law: Fit
    envelope: bool
    period: float | None
    t: Series
    y: Series


def _fitted(t: Series, y: Series) -> _Fitted:
    """Fit the line and the power law: to clean peaks, else with harmonics where y has a period, else to all points."""
    whole, found = Regression(t, y), period(t, y)
    if found is None or found[1] > SMOOTH:
        clean = _on_peaks(t, y, whole.line(), whole.law())
        if clean is not None:
            return clean
    if found is None:
        late = Regression(t[len(t) // 2 :], y[len(t) // 2 :])
        return _Fitted(_drifting(whole.line(), late.line()), _drifting(whole.law(), late.law()), False, None, t, y)
    columns = harmonics(t, found[0])
    whole, less = Regression(t, y, columns), Regression(t, y, columns[:, : columns.shape[1] // 4 * 2 or 2])
    return _Fitted(
        whole.line().widened(less.line().slope), whole.law().widened(less.law().slope), False, found[0], t, y
    )


def _drifting(fit: Fit, late: Fit) -> Fit:
    """The fit, with a wider band where a smooth curve fits better: then the run has not reached its final rate.

    The band is widened by as much as the slope of the later half differs from that of the fit.
    """
    return fit.widened(2 * late.slope - fit.slope) if fit.doubt < DOUBT else fit


def _on_peaks(t: Series, y: Series, line: Fit, law: Fit) -> _Fitted | None:
    """Fit the line and the power law, each to the peaks of y about it; None where these peaks are not clean."""
    on_line, on_law = peaks(t, y, line), peaks(t, y, law)
    for _ in range(3):
        if on_line is None or on_law is None:
            return None
        line, law = Regression(*on_line[1:]).line(), Regression(*on_law[1:]).law()
        on_line, on_law = peaks(t, y, line), peaks(t, y, law)
    if on_line is None or on_law is None:
        return None
    line, law = (
        line.widened(Regression(on_line.t, on_line.y).line().slope),
        law.widened(Regression(on_law.t, on_law.y).law().slope),
    )
    shown = on_line if line.variance <= law.variance else on_law
    return _Fitted(line, law, True, shown.period, shown.t, shown.y)


def _target(trajectory: Trajectory, w: Series, to: object) -> Series:
    if to is None:
        known = trajectory.game.equilibria
        if not known:
            raise ParameterError(f"no known equilibrium of {trajectory.game.name}", "the limit", "to=[0.0, 0.0]")
        points = [np.array([float(x) for x in point]) for point in known]
        return min(points, key=lambda point: float(length(w[-1] - point)))
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
    name, fit = ("linear", line) if evidence > 0 else ("power", law)
    if fit.doubt < DOUBT and fit.misfit > MISFIT[name]:
        words = f"a smooth curve is better than the {name} law, p = {fit.doubt:.1e}, by {fit.misfit:.1e} of the change"
        return "neither", f"{told}, but {words}"
    if name == "power" and fit.at_edge:
        return "neither", f"{told}, but the best power law is one of a time that began before the run did"
    return name, told


def _predicted(trajectory: Trajectory, target: Series, d: Series) -> float | None:
    """The rate of the linearisation; None where the target moves by more than 1e-6 of what the distances d would."""
    from ..local.linearize import linearize

    if isinstance(trajectory.rule, Averaged):
        return None
    try:
        lin = linearize(trajectory.game, trajectory.rule, at=target)
        pull = lin.matrix if trajectory.rule is None else lin.matrix - np.eye(len(lin.matrix))
        if not lin.residual <= AT_REST * float(np.abs(pull).max() * d.max()):
            return None
        return lin.spectral_radius if lin.spectral_abscissa is None else float(np.exp(lin.spectral_abscissa))
    except GandynError:
        return None
