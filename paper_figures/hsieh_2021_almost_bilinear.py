"""The almost bilinear game: an arbitrarily small term turns convergence into a cycle.

**The paper** (example 5.1) adds eps phi(y), phi(y) = y^2/2 - y^4/4, to f = x y: extragradient, which solves x y, ends
in a cycle instead. The cycle's radius tends to 2/sqrt(3) as eps falls to 0, whatever the small eps is.

**Settings.** eps = 0.2; 20 000 steps of extragradient from inside and from outside with the steps 0.5 / (1 +
n/20)^0.6 of Robbins-Monro type, which the paper's theorem speaks of, and with constant steps; the cycle itself by
shooting for several eps.

**What we find.** Agreement, and where it ends. The radius agrees with averaging, dr/dt = (eps/2)(r - 3 r^3 / 4), and
is off by O(eps^2). With a *constant* step h extragradient contracts x y by h/2 per unit of time, against the term's
eps/2: averaged, r^2 = (4/3)(1 - h/eps), so the cycle shrinks with the step and is gone for h > eps to leading order.
The paper's statement is about vanishing steps; the right panel shows both.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import gandyn as gd
from gandyn.figures import Expected
from gandyn.plots.style import FAINT, INK, SERIES
from gandyn.rules.schedule import PowerDecay

PAPER = "Hsieh, Mertikopoulos & Cevher 2021"
TITLE = "A cycle in the almost bilinear game"
SOURCE = "example 5.1"
VERDICT = "reproduced"

EPS, RADIUS = 0.2, 2 / np.sqrt(3)
STRENGTHS = (0.05, 0.2, 0.4, 0.6)
EVERY = 4
STEPS = (0.02, 0.04, 0.08, 0.12, 0.16, 0.18, 0.24, 0.28)


def compute(quick: bool) -> dict[str, Any]:
    """Cycles of the flow; extragradient's orbits on x y and on the almost bilinear game; its final radius by step."""
    game, plain = gd.games.almost_bilinear(EPS), gd.games.bilinear()
    rule = gd.rules.Scheduled(gd.rules.Extragradient(0.5), PowerDecay(0.6, 20))
    data: dict[str, Any] = {"strengths": np.array(STRENGTHS), "eps": EPS, "steps": np.array(STEPS)}
    for name, start in (("inside", [0.2, 0.0]), ("outside", [1.9, 0.0])):
        data[f"almost_{name}"] = gd.iterate(game, rule, start, 20_000, record=EVERY).w
    data["bilinear"] = gd.iterate(plain, rule, [1.9, 0.0], 20_000, record=EVERY).w
    cycles = [gd.limit_cycles(gd.games.almost_bilinear(eps), [(-2, 2)] * 2) for eps in STRENGTHS]
    data["cycles_found"] = [len(found) for found in cycles]
    data["radii"] = np.array([np.sqrt((found[0].points ** 2).sum(-1).mean()) for found in cycles])
    final = [_settled(game, lr) for lr in STEPS]
    at_zero = [gd.linearize(game, gd.rules.Extragradient(lr), at=[0, 0]).spectral_radius for lr in STEPS]
    return data | {"final": np.array(final), "radius_at_zero": np.array(at_zero)}


def _settled(game: Any, lr: float) -> float:
    """Root mean square radius of extragradient's orbit after a time of 800, over the last sixth of it."""
    steps = round(800 / lr)
    w = gd.iterate(game, gd.rules.Extragradient(lr), [1.5, 0.0], steps, record=5).w
    return float(np.sqrt((w[-len(w) // 6 :] ** 2).sum(-1).mean()))


def draw(data: dict[str, Any]) -> Any:
    """Radius by step for decreasing steps; the cycle's radius by eps; the final radius by constant step."""
    figure = gd.plots.Drawing(height=1.15)
    grid = figure.add_gridspec(2, 2, height_ratios=[1.15, 1.0])
    orbits, by_eps, by_step = (figure.add_subplot(place) for place in (grid[0, :], grid[1, 0], grid[1, 1]))
    for name, colour, label in (
        ("almost_outside", SERIES[0], "almost bilinear, from outside"),
        ("almost_inside", SERIES[4], "almost bilinear, from inside"),
        ("bilinear", SERIES[1], "bilinear, $xy$"),
    ):
        radius = np.linalg.norm(data[name], axis=-1)
        orbits.plot(EVERY * np.arange(1, len(radius)), radius[1:], color=colour, linewidth=0.9, label=label)
    orbits.axhline(RADIUS, color=INK, linewidth=0.9, linestyle="--", label=r"$2/\sqrt{3}$")
    orbits.set(xscale="log", xlabel="step of extragradient, steps decreasing", ylabel="radius", ylim=(0, 1.3))
    orbits.margins(x=0)
    by_eps.axhline(RADIUS, color=INK, linewidth=0.9, linestyle="--")
    by_eps.plot(data["strengths"], data["radii"], "o", color=SERIES[2])
    by_eps.set(xlabel=r"$\varepsilon$", ylabel="cycle of the flow", ylim=(1.14, 1.18), xlim=(0, None))
    h = np.linspace(0, float(data["eps"]), 200)
    by_step.plot(h, RADIUS * np.sqrt(1 - h / float(data["eps"])), color=FAINT, linewidth=1.6, label="averaging")
    by_step.plot(data["steps"], data["final"], "o", color=SERIES[0])
    by_step.set(xlabel="constant step", ylabel="final radius", xlim=(0, None), ylim=(-0.05, 1.3))
    handles = [*orbits.get_legend_handles_labels()[0], *by_step.get_legend_handles_labels()[0]]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


def _odd(data: dict[str, Any]) -> int:
    return sum(found != 1 for found in data["cycles_found"])


EXPECTED = (
    Expected("radius at eps 0.05", RADIUS, 5e-4, "averaging: 2/sqrt(3) + O(eps^2)", lambda d: d["radii"][0]),
    Expected("radius at eps 0.2", RADIUS, 5e-3, "averaging: 2/sqrt(3) + O(eps^2)", lambda d: d["radii"][1]),
    Expected("eps with another number of cycles than one", 0, 0, "example 5.1", _odd),
    Expected(
        "decreasing steps from inside: radius at the end", RADIUS, 0.04, "the cycle of the flow",
        lambda d: np.linalg.norm(d["almost_inside"][-500:], axis=-1).mean(),
    ),
    Expected(
        "decreasing steps from outside: radius at the end", RADIUS, 0.04, "the cycle of the flow",
        lambda d: np.linalg.norm(d["almost_outside"][-500:], axis=-1).mean(),
    ),
    Expected(
        "the same on x y", 0.0, 0.02, "extragradient solves x y", lambda d: np.linalg.norm(d["bilinear"][-1])
    ),
    Expected(
        "constant step 0.08: radius", RADIUS * np.sqrt(0.6), 0.02, "averaging: r^2 = (4/3)(1 - h/eps)",
        lambda d: d["final"][2],
    ),
    Expected(
        "constant step 0.28: radius", 0.0, 1e-4, "beyond h = eps the origin attracts", lambda d: d["final"][-1]
    ),
)  # fmt: skip
