"""Three generator costs against the discriminator's output and against its logit: where each one's gradient lives.

**The paper.** Early in training log(1 - D(G(z))) saturates, so the generator maximises log D(G(z)) instead; the
tutorial draws both beside the maximum-likelihood cost -exp(logit), against D(G(z)), and reads off that the last gets
nearly all its gradient from the few samples at the right end.

**Settings.** D from 0.002 to 0.998, logits from -6 to 6; one sample's cost, catalogue conventions (the minimax cost
is log(1 - D), the non-saturating -log D, maximum likelihood -D/(1 - D)).

**What we find.** Agreement, but the picture against D hides the point. Against D the minimax slope at a recognised
fake is -1, not 0: it is against the logit, which is what the network puts out, that it vanishes (-D), where the
non-saturating one tends to -1 (it is -(1 - D)). The two cross at D = 1/2 and are mirror images there. Maximum
likelihood (-exp s) saturates on recognised fakes as minimax does. Slopes are exact derivatives, checked against
differences of the costs.
"""

from __future__ import annotations

import numpy as np

import gandyn as gd
from gandyn.figures import Expected
from gandyn.plots.drawing import Drawing
from gandyn.plots.style import OKABE_ITO, QUIET, current_width

PAPER = "Goodfellow et al. 2014"
TITLE = "Saturating, non-saturating and maximum-likelihood generator costs"
SOURCE = "section 3; drawn in Goodfellow 2016, section 3.2"
VERDICT = "reproduced"

LOSSES = {
    "minimax": ("minimax (saturates)", OKABE_ITO["vermillion"], "-"),
    "nonsaturating": ("non-saturating", OKABE_ITO["blue"], "--"),
    "maximum_likelihood": ("maximum likelihood", OKABE_ITO["green"], "-."),
}


def compute(quick):
    d, s = np.linspace(0.002, 0.998, 499), np.linspace(-6.0, 6.0, 601)
    logit = np.log(d / (1 - d))
    data = {"D": d, "logit": s}
    for name in LOSSES:
        loss = getattr(gd.losses, name)()
        data |= {
            f"{name}: cost of D": loss.generator(logit),
            f"{name}: cost of logit": loss.generator(s),
            f"{name}: slope against D": loss.d_probability("generator", d),
            f"{name}: slope against logit": loss.d_logit("generator", s),
        }
    return data


def draw(data):
    figure = Drawing(height=0.92 if current_width() == "single" else 0.72)
    axes = figure.subplots(2, 2, sharex="col")
    for name, (label, colour, line) in LOSSES.items():
        style = {"color": colour, "linestyle": line, "label": label}
        axes[0, 0].plot(data["D"], data[f"{name}: cost of D"], **style)
        axes[0, 1].plot(data["logit"], data[f"{name}: cost of logit"], **style)
        axes[1, 0].plot(data["D"], data[f"{name}: slope against D"], **style)
        axes[1, 1].plot(data["logit"], data[f"{name}: slope against logit"], **style)
    axes[0, 0].set(ylabel="cost", ylim=(-6, 6), xlim=(0, 1))
    axes[0, 1].set(ylim=(-6, 6), xlim=(-6, 6))
    axes[1, 0].set(ylabel="slope", ylim=(-8, 0.4), xlabel="$D(G(z))$")
    axes[1, 1].set(ylim=(-3, 0.15), xlabel="logit of $D(G(z))$")
    for one in axes.flat:
        one.axhline(0, color=QUIET, linewidth=0.5)
        one.locator_params(nbins=5)
    axes[1, 1].text(-5.7, -2.8, "\u2190 recognised fakes", color=QUIET)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3, columnspacing=1.0)
    return figure


def _at(name, against, where):
    axis = "D" if against == "D" else "logit"
    return lambda data: data[f"{name}: slope against {against}"][np.abs(data[axis] - where).argmin()]


def _difference(data):
    """Largest gap between an exact slope and the central difference of its cost, against the logit."""
    step = data["logit"][1] - data["logit"][0]
    gaps = []
    for name in LOSSES:
        cost, slope = data[f"{name}: cost of logit"], data[f"{name}: slope against logit"]
        numeric = (cost[2:] - cost[:-2]) / (2 * step)
        gaps.append(np.abs(numeric / slope[1:-1] - 1).max())
    return max(gaps)


EXPECTED = (
    Expected("minimax: slope against D at D = 0.002", -1 / 0.998, 1e-9, "-1/(1 - D)", _at("minimax", "D", 0.002)),
    Expected("non-saturating: slope against D at D = 0.002", -500, 1e-6, "-1/D", _at("nonsaturating", "D", 0.002)),
    Expected("minimax: slope against the logit at -6", -1 / (1 + np.e**6), 1e-12, "-D", _at("minimax", "logit", -6)),
    Expected(
        "non-saturating: slope against the logit at -6", -1 / (1 + np.e**-6), 1e-12, "-(1 - D)",
        _at("nonsaturating", "logit", -6),
    ),
    Expected(
        "maximum likelihood: slope against the logit at 1", -np.e, 1e-9, "-exp s", _at("maximum_likelihood", "logit", 1)
    ),
    Expected("minimax: slope against the logit at 0", -0.5, 1e-12, "-D at D = 1/2", _at("minimax", "logit", 0)),
    Expected("non-saturating: slope against the logit at 0", -0.5, 1e-12, "the same", _at("nonsaturating", "logit", 0)),
    Expected("slopes against differences of the costs, relative", 0.0, 1e-4, "step^2/6 = 7e-5", _difference),
)  # fmt: skip
