"""Six rules on theta phi with |phi| <= 1: what leaves, what circles, what the averages and the extrapolations do.

**The paper.** On the clipped Wasserstein Dirac-GAN gradient descent-ascent circles at the bound, averaging spirals in
slowly, extrapolation (from the current or from the past gradient) goes straight in, and Adam orbits.

**Settings.** The game theta phi, phi in [-1, 1], start (2, 1/2), 100 steps; simultaneous and alternating steps 0.1,
averaged steps 2/sqrt(t), extragradient 0.6, extrapolation from the past 0.5, Adam 0.01 with betas (0, 0.99).

**What we find.** Agreement but for Adam, whose steps of about 0.01 have only brought it to (0.84, 1) after 100; the
thin line goes on to 2000 steps, where it spirals about (0, 0). The converging rules show the rates of the
unconstrained theory once phi stays inside: sqrt(1 - s^2 + s^4) = 0.8773 a step for extragradient at s = 0.6; for the
past at s = 1/2 a double eigenvalue of modulus sqrt(1/2), hence t 2^(-t/2) and no pure rate. The picture compares
tuned steps: with 0.1 extragradient would contract by 0.995 a step, to 0.6 in 100.
"""

from __future__ import annotations

import numpy as np

import gandyn as gd
from gandyn.figures import Expected, grid
from gandyn.plots import panels
from gandyn.plots.drawing import Drawing
from gandyn.plots.style import OKABE_ITO, current_width

PAPER = "Gidel, Berard, Vignoud, Vincent & Lacoste-Julien 2019"
TITLE = "Six rules on the clipped bilinear game"
SOURCE = "figure of the bilinear Wasserstein GAN"
VERDICT = "reproduced in part, 2 of 3 effects, the rest not reproduced at these settings"

START, STEPS, LONG, BOX = (2.0, 0.5), 100, 2000, [(-2.6, 2.6), (-1.3, 1.3)]
RULES = {
    "simultaneous": (OKABE_ITO["vermillion"], "-"),
    "alternating": (OKABE_ITO["orange"], "--"),
    "averaged": (OKABE_ITO["green"], "-."),
    "extragradient": (OKABE_ITO["blue"], "-"),
    "from the past": (OKABE_ITO["sky"], "--"),
    "Adam": (OKABE_ITO["purple"], "-"),
}


def compute(quick):
    game = gd.games.boxed_bilinear()
    decaying = gd.rules.Scheduled(gd.rules.SimultaneousGD(2.0))  # 2 / sqrt(t), t = 1, 2, ...
    rules = (
        gd.rules.SimultaneousGD(0.1),
        gd.rules.AlternatingGD(0.1),
        gd.rules.Averaging(decaying),
        gd.rules.Extragradient(0.6),
        gd.rules.PastExtragradient(0.5),
        gd.rules.Adam(0.01, betas=(0.0, 0.99)),
    )
    places = grid([(-2.6, 2.6), (-1.0, 1.0)], 12, margin=True)
    runs = {name: gd.iterate(game, rule, START, STEPS).w for name, rule in zip(RULES, rules, strict=True)}
    runs["Adam, long"] = gd.iterate(game, rules[-1], START, LONG).w
    return runs | {"places": places, "descent": -game.field(places)}


def draw(data):
    narrow = current_width() == "single"
    figure = Drawing(height=1.45 if narrow else 0.5)
    left, right = figure.subplots(*((2, 1) if narrow else (1, 2)))
    left.axhspan(-1, 1, color="#f3f3f3", zorder=0)
    panels.arrows(left, data["places"], data["descent"])
    panels.path(left, data["Adam, long"], RULES["Adam"][0], "_", linewidth=0.4, zorder=2)
    for name, (colour, line) in RULES.items():
        panels.path(left, data[name], colour, name, linestyle=line)
        right.plot(np.linalg.norm(data[name], axis=-1), color=colour, linestyle=line)
    panels.start(left, START)
    panels.optimum(left, (0, 0), "equilibrium")
    left.set(xlim=BOX[0], ylim=BOX[1], xlabel=r"$\theta$")
    left.set_ylabel(r"$\phi$", rotation=0, va="center")
    right.set(yscale="log", ylim=(1e-7, 10), xlim=(0, STEPS), xlabel="step", ylabel="distance to (0, 0)")
    panels.legend(figure, left, 2)
    return figure


def _distance(data, name):
    return np.linalg.norm(data[name], axis=-1)


def _free(data, name):
    """Ratios of successive distances between points that do not touch the bound."""
    inside = np.abs(data[name][:, 1]) < 1
    distance = _distance(data, name)
    return (distance[1:] / distance[:-1])[inside[1:] & inside[:-1]]


def _turns(data, name):
    """By how many turns about the equilibrium a path has gone."""
    return np.abs(np.unwrap(np.arctan2(*data[name].T))[-1] - np.arctan2(*START)) / (2 * np.pi)


EXPECTED = (
    Expected(
        "simultaneous: smallest growth of a free step", 1.01**0.5, 1e-12, "sqrt(1 + s^2)",
        lambda data: _free(data, "simultaneous").min(),
    ),
    Expected(
        "extragradient: contraction a step", (1 - 0.36 + 0.1296) ** 0.5, 1e-9, "sqrt(1 - s^2 + s^4), s = 0.6",
        lambda data: (_distance(data, "extragradient")[100] / _distance(data, "extragradient")[50]) ** (1 / 50),
    ),
    Expected(
        "from the past: d(100) / d(60) over (100/60) 2^-20", 1.0, 0.05, "double eigenvalue (1 - i)/2: t 2^(-t/2)",
        lambda data: _distance(data, "from the past")[100] / _distance(data, "from the past")[60] * 0.6 * 2**20,
    ),
    *(
        Expected(f"{name}: distance at the end", 0, 0.01, "the paper's picture", lambda data, name=name:
                 _distance(data, name)[-1], effect=True, contrary=1)
        for name in ("extragradient", "from the past")
    ),
    Expected(
        "Adam: turns about the equilibrium in 100 steps", 2, 1, "the paper's picture", lambda d: _turns(d, "Adam"),
        effect=True,
    ),
)  # fmt: skip
