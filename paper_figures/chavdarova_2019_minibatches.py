"""Extragradient on minibatches: with a fresh batch for each half-step it diverges at every step size.

**The paper** gives a bilinear finite sum on which extragradient diverges with fresh minibatches, however small the
step, although the mean game converges.

**Question.** On a sum of summands b x y, b = 3 or -1, by what factor do second moments grow a step, with one batch for
both halves, with fresh ones, and without noise?

**Settings.** Exact second-moment maps by `gd.mean_square`; 24 steps from 0.02 to 0.5.

**What we find.** Agreement. Fresh batches give 1 + 3 lr^2 + O(lr^4) > 1, since E b^2 = 5 >= 2 (E b)^2 = 2. One batch
for both halves contracts up to lr = (5 / 41)^(1/2) = 0.349; the mean game up to 1.
"""

from __future__ import annotations

import numpy as np

import gandyn as gd
from gandyn.figures import Expected
from gandyn.plots.drawing import Drawing
from gandyn.plots.style import QUIET, SERIES

PAPER = "Chavdarova, Gidel, Fleuret & Lacoste-Julien 2019"
TITLE = "Extragradient on minibatches grows"
SOURCE = "section 3 and theorem 1, a stochastic bilinear game"
VERDICT = "reproduced"

STEPS = np.linspace(0.02, 0.5, 25)
KINDS = ("one batch", "fresh batches")


def compute(quick):
    sums, data = gd.games.stochastic_bilinear(size=1, summands=4), {}
    for name in KINDS:
        found = gd.mean_square(sums, gd.rules.Extragradient("lr", fresh=name == "fresh batches"))
        data[name], data["mean game"] = (np.asarray(radii, dtype=float) for radii in found.radii("lr", STEPS))
        data[f"{name}, critical"] = float(found.critical("lr"))
    return data


def draw(data):
    figure = Drawing(height=0.8)
    axes = figure.subplots()
    axes.axhline(1, color=QUIET, linewidth=0.7)
    for k, name in enumerate((*KINDS, "mean game")):
        axes.plot(STEPS, data[name], color=SERIES[k], linestyle=("-", "--", "-.")[k], label=name)
    axes.axvline(data["one batch, critical"], color=QUIET, linewidth=0.7, linestyle=":")
    axes.set(xlabel="step", ylabel="growth of second moments a step")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


EXPECTED = (
    Expected(
        "one batch: largest stable step", (5 / 41) ** 0.5, 1e-9, "sqrt(E b^2 / E b^4)",
        lambda d: d["one batch, critical"],
    ),
    Expected(
        "fresh batches: largest stable step", 0.0, 0, "E b^2 >= 2 (E b)^2", lambda d: d["fresh batches, critical"]
    ),
    Expected(
        "fresh batches: growth minus 1, over lr^2, at the smallest step", 3.0, 0.02, "1 + 3 lr^2 + O(lr^4)",
        lambda d: (d["fresh batches"][0] - 1) / STEPS[0] ** 2,
    ),
    Expected(
        "one batch: growth minus 1 - 5 lr^2 + 41 lr^4, largest", 0.0, 1e-9, "1 - E b^2 lr^2 + E b^4 lr^4",
        lambda d: np.abs(d["one batch"] - (1 - 5 * STEPS**2 + 41 * STEPS**4)).max(),
    ),
)  # fmt: skip
