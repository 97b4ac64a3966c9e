"""Noise on a bilinear game: with equal steps the floor stays, with a longer exploration step it falls.

**The paper.** Extragradient with noise does not converge on bilinear games, however small its step. Explore
aggressively, update conservatively: with the exploration step held fixed and the update step falling, it does.

**Question.** How far from the equilibrium does f = x y end under unit noise in every evaluation of the field? Equal
steps could reach zero as the step does; they do not.

**Settings.** Exact stationary laws by `gd.stationary`; dots are simulations, 300 members, seed 0, with the band of
two standard errors. The exploration step of the second rule is 0.4.

**What we find.** Agreement. With equal steps the variance of a coordinate tends to 1 and not to 0, for extragradient,
(1 + s^2) / (1 - s^2), and optimistic steps, (1 + 3 s^2) / (1 - 3 s^2), alike. With the exploration step fixed at g it
is s (1 + g^2) / (2 g - s (1 + g^2)), which falls with s.
"""

from __future__ import annotations

import numpy as np

import gandyn as gd
from gandyn.figures import Expected
from gandyn.plots.drawing import Drawing
from gandyn.plots.style import SERIES

PAPER = "Hsieh, Iutzeler, Malick & Mertikopoulos 2020"
TITLE = "Explore aggressively, update conservatively"
SOURCE = "figure 1 and section 4, stochastic bilinear games"
VERDICT = "reproduced"
SEED = 0

STEPS = np.geomspace(0.003, 0.45, 13)
DOTS = (3, 6, 9, 11)
AHEAD, MEMBERS = 0.4, 300
RULES = {
    "extragradient": lambda s: gd.rules.Extragradient(s, fresh=True),
    "optimistic": lambda s: gd.rules.OptimisticGD(s),
    "double step": lambda s: gd.rules.Extragradient(s, extrapolation=AHEAD, fresh=True),
}


def compute(quick):
    game, data = gd.games.bilinear(), {}
    for name, make in RULES.items():
        laws = [gd.stationary(game, make(float(s)), noise=1) for s in STEPS]
        data[name] = np.array([law.covariance[0, 0] if law.exists else np.nan for law in laws])
        data[f"{name}, runs"] = np.array([_run(game, make(float(STEPS[k])), STEPS[k]) for k in DOTS])
    return data


def _run(game, rule, step):
    """Mean square of a coordinate of many members, started from the size of the limit, and two standard errors."""
    start = np.random.default_rng(SEED).normal(size=(MEMBERS, 2))
    ends = gd.iterate(game, rule, start, int(min(8 / step**2, 1500)), record="last", rng=SEED, noise=1).w
    square = (ends**2).mean(-1)
    return square.mean(), 2 * square.std() / MEMBERS**0.5


def draw(data):
    figure = Drawing(height=0.8)
    axes = figure.subplots()
    for k, name in enumerate(RULES):
        axes.loglog(STEPS, data[name], color=SERIES[k], linestyle=("-", "--", "-.")[k], label=name)
        places, (mean, error) = STEPS[list(DOTS)], data[f"{name}, runs"].T
        axes.errorbar(places, mean, error, color=SERIES[k], fmt="os^"[k], markersize=3.2, linewidth=0.8)
    axes.set(xlabel="update step", ylabel="variance of a coordinate", ylim=(3e-3, 10))
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


S = STEPS
EXPECTED = (
    Expected(
        "extragradient over (1 + s^2)/(1 - s^2), largest departure", 0, 1e-9, "Lyapunov equation by hand",
        lambda d: np.abs(d["extragradient"] / ((1 + S**2) / (1 - S**2)) - 1).max(),
    ),
    Expected(
        "optimistic over (1 + 3 s^2)/(1 - 3 s^2), largest departure", 0, 1e-9, "Lyapunov equation by hand",
        lambda d: np.abs(d["optimistic"] / ((1 + 3 * S**2) / (1 - 3 * S**2)) - 1).max(),
    ),
    Expected(
        "double step over its formula, largest departure", 0, 1e-9, "s (1 + g^2)/(2 g - s (1 + g^2)), g = 0.4",
        lambda d: np.abs(d["double step"] / (1.16 * S / (0.8 - 1.16 * S)) - 1).max(),
    ),
    *(
        Expected(
            f"{name}: runs over the law, at the larger steps", 1, 0.2, "a simulation of 300 members",
            lambda d, name=name: (d[f"{name}, runs"][2:, 0] / d[name][list(DOTS[2:])]).mean(),
        )
        for name in RULES
    ),
)  # fmt: skip
