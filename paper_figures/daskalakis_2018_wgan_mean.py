"""A Wasserstein GAN that learns a mean: gradient descent-ascent circles it and leaves, optimism arrives.

**The paper.** A generator z + m and a linear critic u, f = u (mean - m). Gradient descent-ascent, with or without the
usual momenta, oscillates around the mean (3, 4) and does not converge; optimistic steps do.

**Settings.** Target (3, 4), step 0.1, 1000 steps, everything at 0 to begin with, exact expectations.

**What we find.** Agreement on who converges; "oscillates" is too kind. The distance of gradient descent-ascent grows
by sqrt(1 + 0.1^2) a step, to 724 = 5 (1.01)^500 after 1000 steps: there is no limit cycle. Optimistic steps contract
by sqrt((1 + sqrt(1 - 4 0.1^2)) / 2) = 0.9949 a step, which the distances show to nine digits. Alternating steps, not
in the paper's picture, stay on an ellipse: an average of them would do.
"""

from __future__ import annotations

import numpy as np

import gandyn as gd
from gandyn.figures import Expected
from gandyn.plots import panels
from gandyn.plots.drawing import Drawing
from gandyn.plots.style import OKABE_ITO, current_width

PAPER = "Daskalakis, Ilyas, Syrgkanis & Zeng 2018"
TITLE = "Learning a mean with a Wasserstein GAN: gradient against optimistic steps"
SOURCE = "section 2 and figure 1"
VERDICT = "reproduced"

STEP, STEPS, TARGET = 0.1, 1000, (3.0, 4.0)
RULES = {
    "simultaneous": (OKABE_ITO["vermillion"], "-"),
    "alternating": (OKABE_ITO["green"], "-."),
    "optimistic": (OKABE_ITO["blue"], "-"),
}


def compute(quick):
    game = gd.games.gaussian_wgan(TARGET)
    rules = gd.rules.SimultaneousGD(STEP), gd.rules.AlternatingGD(STEP), gd.rules.OptimisticGD(STEP)
    return {name: gd.iterate(game, rule, np.zeros(4), STEPS).w for name, rule in zip(RULES, rules, strict=True)}


def draw(data):
    narrow = current_width() == "single"
    figure = Drawing(height=1.75 if narrow else 0.5)
    left, right = figure.subplots(*((2, 1) if narrow else (1, 2)))
    for name, (colour, line) in RULES.items():
        first = data[name][: 1 + 400, [0, 2]]
        left.plot(*first.T, color=colour, linestyle=line, linewidth=0.9, label=name)
        right.plot(_distance(data, name), color=colour, linestyle=line, label=name)
    panels.start(left, (0, 0))
    panels.optimum(left, (TARGET[0], 0), "equilibrium")
    left.set(xlim=(-12, 18), ylim=(-15, 15), aspect="equal", title="400 steps, first coordinate")
    left.set(xlabel="generator's mean $m_1$", ylabel="critic $u_1$")
    right.set(yscale="log", xlabel="step", ylabel="distance to the equilibrium", xlim=(0, STEPS), ylim=(1e-2, 2e3))
    panels.legend(figure, left, 3)
    return figure


def _distance(data, name):
    return np.linalg.norm(data[name] - np.array([*TARGET, 0.0, 0.0]), axis=-1)


def _rate(name):
    """Of the last 500 steps."""
    return lambda data: (_distance(data, name)[1000] / _distance(data, name)[500]) ** (1 / 500)


def _form(w):
    m, u = w[:, :2] - np.array(TARGET), w[:, 2:]
    return (m**2).sum(-1) + STEP * (u * m).sum(-1) + (u**2).sum(-1)


def _optimistic_distance(steps):
    """5 |z_T| of z_(t+1) = z_t + 2 i lr z_t - i lr z_(t-1), z_0 = z_(-1) = 1, from the roots of its polynomial."""
    roots = np.roots([1, -1 - 2j * STEP, 1j * STEP])
    weights = np.linalg.solve(np.array([[1, 1], 1 / roots]), np.ones(2))
    return 5 * abs(weights @ roots**steps)


EXPECTED = (
    Expected(
        "simultaneous: final distance", 5 * 1.01**500, 1e-8, "5 (1 + lr^2)^(T/2)",
        lambda data: _distance(data, "simultaneous")[-1],
    ),
    Expected(
        "optimistic: contraction a step", ((1 + 0.96**0.5) / 2) ** 0.5, 1e-9, "the map's larger eigenvalue",
        _rate("optimistic"),
    ),
    Expected(
        "optimistic: final distance", _optimistic_distance(STEPS), 1e-12, "the scalar complex recurrence, solved",
        lambda data: _distance(data, "optimistic")[-1],
    ),
    Expected(
        "alternating: largest change of |m - mean|^2 + lr u (m - mean) + |u|^2", 0, 1e-10, "kept by each step",
        lambda data: np.ptp(_form(data["alternating"])),
    ),
)  # fmt: skip
