"""Measured rates beside their fits, escape times, and second-order equations against the rules that they describe."""

from __future__ import annotations

import numpy as np

from ..analysis.backward_error.expansion import step_sizes, with_steps
from ..analysis.backward_error.high_resolution import HighResolution
from ..analysis.local.linearize import linearize
from ..analysis.long_run.escape import EscapeTimes
from ..analysis.measured.rates import RateFit
from .drawing import Drawing, one_panel
from .style import OKABE_ITO, QUIET, styled


@styled
def rate_fit(result: RateFit, title: str | None = None) -> Drawing:
    """What `RateFit.plot()` draws: the fitted distances, both fits, and the slope that linearisation predicts.

    The chosen model is drawn solid, the other dashed; the axis of t is logarithmic for a power law.

    Args:
        result: of `gd.fit_rate`.
        title: of the picture.

    Returns:
        A `Drawing`; `.data` holds `t`, `distance`, `linear` and `power`.
    """
    figure, axes = one_panel(0.7)
    t, d = np.asarray(result.t), np.asarray(result.distance)
    curves = {"linear": np.exp(result.linear(t)), "power": np.exp(result.power(t))}
    axes.plot(t, d, ".", color=QUIET, markersize=2.5, label="peaks of the distance" if result.envelope else "distance")
    names = {"linear": f"{result.rho:.6g}$^t$", "power": f"$(t + t_0)^{{-{result.exponent:.3g}}}$"}
    for name, colour in (("linear", OKABE_ITO["vermillion"]), ("power", OKABE_ITO["blue"])):
        line = "-" if result.model == name else "--"
        axes.plot(t, curves[name], line, color=colour, linewidth=1.2, label=names[name])
    if result.predicted is not None:
        predicted = d[0] * np.exp(np.log(result.predicted) * (t - t[0]))
        axes.plot(t, predicted, ":", color="black", linewidth=1.0, label=f"predicted {result.predicted:.6g}$^t$")
    axes.set_yscale("log")
    axes.set_ylim(d.min() / 1.5, d.max() * 1.5)
    axes.set_xscale("log" if result.model == "power" else "linear")
    unit = "time" if result.trajectory.rule is None else "step"
    axes.set(xlabel=unit, ylabel="distance to the limit", title=title or result.trajectory.game.name)
    figure.legend(loc="outside lower center", ncols=2)
    figure.data.update(t=t, distance=d, **curves)
    return figure


@styled
def escape_times(result: EscapeTimes, title: str | None = None) -> Drawing:
    """What `EscapeTimes.plot()` draws: the share of members still inside, against steps.

    Args:
        result: of `gd.escape_time`.
        title: of the picture.

    Returns:
        A `Drawing`; `.data` holds `times` and `inside`.
    """
    figure, axes = one_panel(0.6)
    times, inside = result.survival
    end = int(np.max(result.steps))
    x = np.concatenate([[0], times, [end]])
    y = np.concatenate([[1.0], inside, [inside[-1] if len(inside) else 1.0]])
    axes.step(x, y, where="post", color=OKABE_ITO["blue"])
    censored = int(np.sum(~result.escaped))
    if censored:
        axes.plot(end, y[-1], "|", color="black", markersize=9, label=f"{censored} censored: still inside")
        axes.legend()
    axes.set(xlabel="step", ylabel="share still inside", ylim=(0, 1.03), title=title or result.game.name)
    axes.margins(x=0.02)
    figure.data.update(times=times, inside=inside)
    return figure


@styled
def high_resolution(
    result: HighResolution, steps: tuple[float, float] = (0.02, 1.0), title: str | None = None
) -> Drawing:
    """What `HighResolution.plot()` draws: the largest real part of the equation and of the rule, against the step.

    At the game's first known equilibrium; the rule's is log(spectral radius) / lr. Below zero both attract. The
    dotted line is the gradient flow's.

    Args:
        result: of `gd.high_resolution`.
        steps: the smallest and the largest step shown.
        title: of the picture.

    Returns:
        A `Drawing`; `.data` holds `lr`, `equation` and `rule`.
    """
    game, rule = result.game, result.rule
    lr = np.linspace(*steps, 40)
    ratio = [float(s / result.lr) for s in step_sizes(game, rule)]
    equation = np.array([linearize(result.space(h)).spectral_abscissa for h in lr], dtype=float)
    maps = [linearize(game, with_steps(game, rule, [h * r for r in ratio])).spectral_radius for h in lr]
    discrete = np.log(np.array(maps, dtype=float)) / lr
    figure, axes = one_panel(0.7)
    flow = float(linearize(game).spectral_abscissa or 0.0)
    axes.axhline(0.0, color=QUIET, linewidth=0.8)
    axes.axhline(flow, color="black", linewidth=0.8, linestyle=":", label="gradient flow")
    axes.plot(lr, equation, color=OKABE_ITO["blue"], linewidth=1.6, label="high-resolution equation")
    axes.plot(lr, discrete, color=OKABE_ITO["vermillion"], linewidth=1.0, label="the rule itself")
    axes.set(xlabel=r"step size lr $= 2/\beta$", ylabel="largest real part", title=title or f"{rule.name}, {game.name}")
    figure.legend(loc="outside lower center", ncols=2)
    figure.data.update(lr=lr, equation=equation, rule=discrete)
    return figure
