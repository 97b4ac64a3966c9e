"""Averages of noisy iterates: their variance falls as 1 / T and forgets the step.

**The paper** shows that the mean of the iterates of a noisy method has the covariance J^-1 S J^-T / T, whatever the
step, where the last iterate keeps a floor.

**Question.** On a game that rotates, f = a x^2 / 2 + b x y - a y^2 / 2, is the variance of an average that of the
theorem, at two steps, and does the last iterate's stay? A rule that averaged wrongly would have another slope.

**Settings.** a = 0.37, b = 1.13, unit noise, steps 0.05 and 0.19, 400 members started at rest, seed 0; averages are of
all iterates since the start, of 30 to 3000 steps.

**What we find.** Agreement: with both steps the average has variance 1 / (T (a^2 + b^2)) a coordinate, and the last
iterate lr / (2 a - lr (a^2 + b^2)).
"""

from __future__ import annotations

import numpy as np

import gandyn as gd
from gandyn.figures import Expected
from gandyn.plots.drawing import Drawing
from gandyn.plots.style import INK, SERIES

PAPER = "Polyak & Juditsky 1992"
TITLE = "Averages forget the step and their noise"
SOURCE = "theorem 1, on a game that rotates"
VERDICT = "reproduced"
SEED = 0

A, B, MEMBERS = 0.37, 1.13, 400
STEPS = (0.05, 0.19)
TIMES = np.unique(np.geomspace(30, 3000, 25).astype(int))


def compute(quick):
    game, data = gd.games.quadratic(A, B, A), {}
    for step in STEPS:
        path = gd.iterate(game, gd.rules.GDA(step), np.zeros((MEMBERS, 2)), int(TIMES[-1]), rng=SEED, noise=1).w[1:]
        sums = np.cumsum(path, axis=0)
        data[f"last {step}"] = np.array([(path[t - 1] ** 2).mean() for t in TIMES])
        data[f"average {step}"] = np.array([((sums[t - 1] / t) ** 2).mean() for t in TIMES])
    return data


def draw(data):
    figure = Drawing(height=0.8)
    axes = figure.subplots()
    axes.loglog(TIMES, 1 / (TIMES * (A**2 + B**2)), color=INK, linewidth=0.8, label="theorem")
    for k, step in enumerate(STEPS):
        axes.loglog(TIMES, data[f"last {step}"], color=SERIES[k], linestyle="--", label=f"last, step {step:g}")
        axes.loglog(
            TIMES, data[f"average {step}"], "os"[k], color=SERIES[k], markersize=3, label=f"average, step {step:g}"
        )
    axes.set(xlabel="steps $T$", ylabel="variance of a coordinate")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def _law(step):
    return lambda d: (d[f"average {step}"][-5:] * TIMES[-5:]).mean() * (A**2 + B**2)


EXPECTED = (
    *(
        Expected(f"step {s}: variance of the average over the theorem's", 1.0, 0.15, "J^-1 S J^-T / T", _law(s))
        for s in STEPS
    ),
    *(
        Expected(
            f"step {s}: last iterate over its floor", 1.0, 0.1, "lr / (2 a - lr (a^2 + b^2))",
            lambda d, s=s: d[f"last {s}"][-10:].mean() / (s / (2 * A - s * (A**2 + B**2))),
        )
        for s in STEPS
    ),
)  # fmt: skip
