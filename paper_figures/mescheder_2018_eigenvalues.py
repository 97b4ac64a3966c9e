"""Where R1 puts the eigenvalues of the Dirac-GAN as its weight grows from 0 to 1.5.

**The paper.** The eigenvalues of the regularised Dirac-GAN's gradient vector field at its equilibrium leave the
imaginary axis as the weight gamma grows, move on a circle, meet on the real axis at the critical weight 2 |f'(0)| and
part there: one runs away, one back towards 0.

**Settings.** R1 (R2 is the same at 0), gamma from 0 to 1.5 in steps of 0.01, logistic loss: f'(0) = 1/2, critical
weight 1.

**What we find.** Agreement: -gamma/2 +- sqrt(gamma^2/4 - 1/4), modulus 1/2 until gamma = 1. Beside it what the locus
means for a step size: the largest stable simultaneous step is 4 gamma below the critical weight and shrinks beyond
it, so the critical weight is at once the fastest flow and the most tolerant one. The eigenvalues come from the game's
symbolic Jacobian; the largest step from the exact stability region of the traced map; neither is told the formula.
"""

from __future__ import annotations

import numpy as np

import gandyn as gd
from gandyn.figures import Expected
from gandyn.plots.drawing import Drawing
from gandyn.plots.style import INK, OKABE_ITO, QUIET, current_width

PAPER = "Mescheder, Geiger & Nowozin 2018"
TITLE = "Eigenvalues of the Dirac-GAN against the weight of R1"
SOURCE = "lemma 4.1 and the appendix's picture of the eigenvalues"
VERDICT = "reproduced"

STEPS_AT = (0.15, 0.3, 0.45, 0.6, 0.75, 0.9, 1.0, 1.1, 1.25, 1.5)


def compute(quick):
    gammas = np.linspace(0.0, 1.5, 151)
    matrices = np.stack([_matrix(gamma) for gamma in gammas])
    steps = [_largest_step(gamma) for gamma in STEPS_AT]
    return {
        "gamma": gammas,
        "eigenvalues": np.sort_complex(np.linalg.eigvals(matrices)),
        "gamma of steps": np.array(STEPS_AT),
        "largest step": np.array(steps),
    }


def _matrix(gamma):
    return gd.linearize(gd.games.dirac_gan(penalty=gd.penalties.R1(float(gamma))), at=(0, 0)).matrix


def _largest_step(gamma):
    game = gd.games.dirac_gan(penalty=gd.penalties.R1(gamma))
    return float(gd.stability_region(game, gd.rules.SimultaneousGD("lr"), ("lr",)).critical("lr"))


def draw(data):
    narrow = current_width() == "single"
    figure = Drawing(height=1.75 if narrow else 0.5)
    locus, right = figure.subplots(*((2, 1) if narrow else (1, 2)), **({"height_ratios": (1.2, 1)} if narrow else {}))
    values, gammas = data["eigenvalues"], data["gamma"]
    locus.axvspan(-1.5, 0, color="#f3f3f3", zorder=0)
    for axis in (locus.axhline, locus.axvline):
        axis(0, color=QUIET, linewidth=0.6, zorder=1)
    drawn = None
    for k in (0, 1):
        drawn = locus.scatter(
            values[:, k].real, values[:, k].imag, c=gammas, cmap="cividis", s=7, linewidth=0, zorder=3
        )
    locus.plot([-0.5], [0], "*", color=OKABE_ITO["vermillion"], markersize=8, label=r"$\gamma = 1$, critical", zorder=4)
    locus.plot([0, 0], [-0.5, 0.5], "o", color="white", markeredgecolor=INK, markersize=4, label=r"$\gamma = 0$")
    locus.set(xlim=(-1.4, 0.2), ylim=(-0.62, 0.62), aspect="equal")
    locus.set(xlabel=r"$\mathrm{Re}\,\lambda$", ylabel=r"$\mathrm{Im}\,\lambda$")
    locus.legend(loc="lower left")
    figure.colorbar(drawn, ax=locus, label=r"$\gamma$", aspect=25, location="bottom")
    right.plot(gammas, -values.real.max(-1), color=OKABE_ITO["blue"], label="rate of the flow")
    right.plot(
        data["gamma of steps"], data["largest step"] / 4, "o", color=OKABE_ITO["vermillion"],
        label="largest stable step / 4",
    )  # fmt: skip
    right.axvline(1, color=QUIET, linewidth=0.7, linestyle=":")
    right.set(xlabel=r"$\gamma$", xlim=(0, 1.55), ylim=(0, 1.1))
    right.legend(loc="upper left")
    return figure


def _on_the_circle(data):
    inner = data["gamma"] < 0.995
    return np.abs(np.abs(data["eigenvalues"][inner]) - 0.5).max()


def _at(gamma):
    return lambda data: data["eigenvalues"][np.abs(data["gamma"] - gamma).argmin()].real.max()


def _step(gamma):
    return lambda data: data["largest step"][STEPS_AT.index(gamma)]


EXPECTED = (
    Expected("distance from |lambda| = 1/2 below gamma = 1", 0, 1e-9, "product 1/4 = f'(0)^2", _on_the_circle),
    Expected(
        "critical weight: the smallest with real eigenvalues", 1.0, 1e-9, "2 |f'(0)|",
        lambda data: data["gamma"][(np.abs(data["eigenvalues"].imag) < 1e-6).all(-1)].min(),
    ),
    Expected("abscissa at gamma = 0", 0.0, 1e-12, "+- i/2", _at(0.0)),
    Expected("abscissa at gamma = 0.3", -0.15, 1e-9, "-gamma/2", _at(0.3)),
    Expected("abscissa at gamma = 1", -0.5, 1e-6, "double eigenvalue -1/2", _at(1.0)),
    Expected("abscissa at gamma = 1.5", -0.75 + 0.3125**0.5, 1e-9, "-gamma/2 + sqrt(gamma^2/4 - 1/4)", _at(1.5)),
    Expected("largest simultaneous step at gamma = 0.3", 1.2, 1e-9, "-2 Re / |lambda|^2 = 4 gamma", _step(0.3)),
    Expected("largest simultaneous step at gamma = 1", 4.0, 1e-9, "4 gamma", _step(1.0)),
    Expected(
        "largest simultaneous step at gamma = 1.5", 2 / (0.75 + 0.3125**0.5), 1e-9, "2 / largest modulus", _step(1.5)
    ),
)  # fmt: skip
