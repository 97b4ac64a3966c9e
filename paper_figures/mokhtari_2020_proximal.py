"""Extragradient and optimistic steps as approximations of the proximal point.

**The paper** explains why both converge where gradient descent-ascent does not: their steps differ from that of the
proximal point method by terms of one order more.

**Question.** On the bilinear game f = x y, by how much does one step differ from a proximal one, and which rules
contract? It could come out otherwise: a wrong sign in either rule makes its slope 2.

**Settings.** One step from (0.6, 0.8), and the rules' maps linearised at 0, for 45 steps from 0.01 to 1.6.

**What we find.** Agreement. From a point at distance 1 the proximal step differs from a simultaneous one by s^2 / (1 +
s^2)^(1/2) and from an extragradient one by s^3 / (1 + s^2)^(1/2), slopes 2 and 3. The moduli say what that buys, and
where it ends: extragradient contracts for s < 1, optimistic steps for s < 1 / 3^(1/2), the proximal point always.
"""

from __future__ import annotations

import numpy as np

import gandyn as gd
from gandyn.figures import Expected
from gandyn.plots.drawing import Drawing
from gandyn.plots.style import QUIET, SERIES, current_width

PAPER = "Mokhtari, Ozdaglar & Pattathil 2020"
TITLE = "Extragradient and optimism as almost proximal steps"
SOURCE = "propositions 1 and 2, on the bilinear game"
VERDICT = "reproduced"

STEPS = np.geomspace(0.01, 1.6, 45)
RULES = {
    "proximal point": gd.rules.ProximalPoint,
    "extragradient": gd.rules.Extragradient,
    "optimistic": gd.rules.OptimisticGD,
    "simultaneous": gd.rules.GDA,
}


def compute(quick):
    game = gd.games.bilinear()
    ends = {
        name: np.array([gd.iterate(game, make(float(s)), [0.6, 0.8], 1).w[-1] for s in STEPS])
        for name, make in RULES.items()
    }
    radii = {
        name: np.array([gd.linearize(game, make(float(s)), at=(0, 0)).spectral_radius for s in STEPS])
        for name, make in RULES.items()
    }
    away = {n: np.linalg.norm(ends[n] - ends["proximal point"], axis=1) for n in ("extragradient", "simultaneous")}
    return {f"away: {n}": a for n, a in away.items()} | {f"radius: {n}": r for n, r in radii.items()}


def draw(data):
    narrow = current_width() == "single"
    figure = Drawing(height=1.6 if narrow else 0.5)
    left, right = figure.subplots(*((2, 1) if narrow else (1, 2)))
    for k, name in enumerate(RULES):
        if f"away: {name}" in data:
            left.loglog(STEPS, data[f"away: {name}"], color=SERIES[k], linestyle=("-", "--", ":", "-.")[k])
        right.plot(STEPS, data[f"radius: {name}"], color=SERIES[k], linestyle=("-", "--", ":", "-.")[k], label=name)
    right.axhline(1, color=QUIET, linewidth=0.7, zorder=0)
    left.set(xlabel="step $s$", ylabel="distance to the proximal step")
    right.set(xlabel="step $s$", ylabel="spectral radius", ylim=(0.6, 1.5))
    figure.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def _slope(name):
    return lambda d: np.polyfit(np.log(STEPS[:15]), np.log(d[f"away: {name}"][:15]), 1)[0]


def _last_stable(name):
    return lambda d: STEPS[d[f"radius: {name}"] < 1].max() * (STEPS[1] / STEPS[0]) ** 0.5


EXPECTED = (
    Expected("order of the extragradient step's difference", 3, 0.01, "two terms of a series", _slope("extragradient")),
    Expected("order of the simultaneous step's difference", 2, 0.01, "1 - s J is one term", _slope("simultaneous")),
    Expected(
        "extragradient: difference over s^3 / sqrt(1 + s^2), farthest from 1", 0, 1e-9, "a geometric series' remainder",
        lambda d: np.abs(d["away: extragradient"] / (STEPS**3 / np.sqrt(1 + STEPS**2)) - 1).max(),
    ),
    Expected("largest stable optimistic step", 3**-0.5, 0.04, "s = 1/sqrt(3)", _last_stable("optimistic")),
    Expected("largest stable extragradient step", 1.0, 0.07, "s = 1", _last_stable("extragradient")),
)  # fmt: skip
