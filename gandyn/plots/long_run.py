"""What long orbits show: running Lyapunov exponents with bands, and returns to the start."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..analysis.long_run.lyapunov_exponents import LyapunovExponents
from ..analysis.long_run.recurrence import Recurrence
from .drawable import rule_label
from .drawing import Drawing, one_panel
from .style import FAINT, INK, OKABE_ITO, SERIES, styled

TRIANGLE = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(3) / 2]])


@styled
def lyapunov_exponents(result: LyapunovExponents, title: str | None = None) -> Drawing:
    """Estimates against steps or time, with the last one's 95 % band.

    Args:
        result: of `gd.lyapunov_exponents`.
        title: of the picture.

    Returns:
        A `Drawing`; `.data` holds `t`, `running`, `exponents` and `band`.
    """
    figure, axes = one_panel(0.7)
    axes.axhline(0.0, color=FAINT, linewidth=0.8)
    for k, (value, band) in enumerate(zip(result.exponents, result.band, strict=True)):
        colour = SERIES[k % len(SERIES)]
        axes.plot(result.t, result.running[:, k], color=colour, label=f"{value:.4g} ± {band:.1g}")
        axes.axhspan(value - band, value + band, color=colour, alpha=0.15, linewidth=0)
    axes.set(xlabel="time" if result.rule is None else "step", ylabel="Lyapunov exponent")
    axes.set_title(title or f"{'Flow' if result.rule is None else rule_label(result.rule)} on {result.game.name}")
    axes.margins(x=0)
    settled = result.running[len(result.running) // 10 :]
    settled = settled[np.isfinite(settled)]
    if len(settled):
        room = 0.1 * max(float(np.ptp(settled)), 1e-6)
        axes.set_ylim(settled.min() - room, settled.max() + room)
    figure.legend(loc="outside lower center", ncols=3)
    figure.data.update(t=result.t, running=result.running, exponents=result.exponents, band=result.band)
    return figure


@styled
def recurrence(result: Recurrence, title: str | None = None) -> Drawing:
    """The orbit, the distance from its start with every return marked, and the KL sum where there is one.

    Args:
        result: of `gd.recurrence`.
        title: of the picture.

    Returns:
        A `Drawing`; `.data` holds `t`, `distance`, `returns`, `closest`, `divergence` and the drawn `orbit`.
    """
    rows = 2 if result.divergence is None else 3
    figure = Drawing(height=0.45 * rows + 0.25)
    all_axes = figure.subplots(rows, 1, height_ratios=[2.2, *([1.0] * (rows - 1))])
    orbit = _plane(result, all_axes[0])
    all_axes[0].plot(*orbit.T, color=OKABE_ITO["blue"], linewidth=0.5)
    all_axes[0].plot(*orbit[0], marker="*", markersize=8, color=OKABE_ITO["yellow"], markeredgecolor=INK, zorder=4)
    all_axes[0].set_title(title or f"{result.label} on {result.game.name}")
    axes = all_axes[1]
    axes.plot(result.t, result.distance, color=INK, linewidth=0.5)
    axes.axhline(result.radius, color=OKABE_ITO["vermillion"], linewidth=0.7, linestyle="--")
    axes.plot(
        result.returns, result.closest, linestyle="none", marker="v", markersize=3, color=OKABE_ITO["vermillion"],
        label=f"{len(result.returns)} return{'' if len(result.returns) == 1 else 's'} within {result.radius:g}",
    )  # fmt: skip
    axes.set(ylabel="distance from start", ylim=(-0.06 * result.distance.max(), None))
    axes.margins(x=0)
    if result.divergence is not None:
        all_axes[2].plot(result.t, result.divergence, color=OKABE_ITO["green"])
        low, high = float(result.divergence.min()), float(result.divergence.max())
        room = max(0.05 * (high - low), 0.02 * high)
        all_axes[2].set(ylabel="KL sum", ylim=(low - room, high + room))
        all_axes[2].margins(x=0)
    all_axes[-1].set_xlabel("time" if "dynamics" in result.label or result.label == "flow" else "step")
    figure.legend(loc="outside lower center")
    names = ("t", "distance", "returns", "closest", "divergence")
    figure.data.update({name: getattr(result, name) for name in names}, orbit=orbit)
    return figure


def _plane(result: Recurrence, axes: Any) -> np.ndarray:
    """The orbit in two coordinates: each player's first probability, or the first player's triangle of three."""
    first, *others = result.game.split(result.w)
    if others and first.shape[-1] == 3 and np.allclose(first.sum(-1), 1):
        corners = np.concatenate([TRIANGLE, TRIANGLE[:1]])
        axes.plot(*corners.T, color=FAINT, linewidth=0.8)
        for corner, name, place in zip(TRIANGLE, ("$x_1$", "$x_2$", "$x_3$"), ("right", "left", "left"), strict=True):
            axes.text(*corner, f" {name} ", ha=place, va="center")
        axes.set(aspect="equal")
        axes.axis("off")
        return np.asarray(first @ TRIANGLE)
    second = others[0] if others else first[..., 1:]
    axes.set(xlabel="player 1", ylabel="player 2", aspect="equal")
    return np.stack([first[..., 0], second[..., 0]], axis=-1)
