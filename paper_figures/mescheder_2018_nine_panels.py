"""The Dirac-GAN under nine training methods: the vector field, and three ways to step along it.

**The paper.** Trajectories of the Dirac-GAN over the gradient vector field on [-2, 2]^2, 10 x 10 arrows, one panel a
method; only instance noise, zero-centred gradient penalties and consensus optimisation reach the equilibrium.

**Settings.** Step 0.2, start (1, 1), 500 steps; simultaneous steps, alternating steps with one and with five
discriminator steps each (the generator first). Panels: minimax GAN; non-saturating GAN; WGAN with |phi| <= 1; WGAN-GP
with weight 0.7 and target 1; instance noise of standard deviation 0.7; R1 with weight 0.3 and with 1, the critical
one; consensus with weight 1; non-saturating with R1 0.3.

**What we find.** Agreement on which panels reach (0, 0), with two corrections. (1) The non-saturating GAN has the
eigenvalues +-i/2 of the minimax GAN and is therefore counted as not converging; but its flow is attracted, r^2 ~ 8/t,
which the linearisation cannot see. Alternating steps of 0.2 follow it inwards, slowly: from 1.41 to 0.28 in 500
steps, on the predicted law to 1 %. Simultaneous steps settle on a cycle: near 0 each multiplies r^2 by 1.01 where the
flow takes off 0.2 r^4/8, so r is 0.63. (2) Consensus attracts locally only: with five discriminator steps a round the
path leaves (1, 1) to beyond |phi| = 10, where the field fades out, though the equilibrium attracts that rule too.
WGAN-GP is never attracted to (0, 0): the penalty's corner pushes the discriminator away. The rates of the converging
panels are those of the linearised maps, which come from the traced rule and are compared with the trajectories.
"""

from __future__ import annotations

import numpy as np

import gandyn as gd
from gandyn.figures import Expected, grid
from gandyn.plots import panels
from gandyn.plots.drawing import Drawing
from gandyn.plots.style import OKABE_ITO, current_width

PAPER = "Mescheder, Geiger & Nowozin 2018"
TITLE = "The Dirac-GAN under nine training methods"
SOURCE = "figure of the Dirac-GAN's vector fields, and its appendix"
VERDICT = "reproduced in part, 1 of 3 effects, the rest contradicted"

STEP, STEPS, START, BOX = 0.2, 500, (1.0, 1.0), [(-2.0, 2.0), (-2.0, 2.0)]
METHODS = {
    "GAN": ({}, 0.0),
    "NSGAN": ({"loss": "nonsaturating"}, 0.0),
    "WGAN, clip 1": ({"loss": "wasserstein", "clip": 1.0}, 0.0),
    "WGAN-GP 0.7": ({"loss": "wasserstein", "penalty": "WGANGP(0.7)"}, 0.0),
    "noise 0.7": ({"noise": 0.49}, 0.0),
    "R1 0.3": ({"penalty": "R1(0.3)"}, 0.0),
    "R1 1 (critical)": ({"penalty": "R1(1.0)"}, 0.0),
    "consensus 1": ({}, 1.0),
    "NSGAN, R1 0.3": ({"loss": "nonsaturating", "penalty": "R1(0.3)"}, 0.0),
}
CONVERGING = ("noise 0.7", "R1 0.3", "R1 1 (critical)", "consensus 1", "NSGAN, R1 0.3")
PATHS = {
    "simultaneous": (None, OKABE_ITO["vermillion"]),
    "alternating, 1 : 1": ((1, 1), OKABE_ITO["blue"]),
    "alternating, 1 : 5": ((1, 5), OKABE_ITO["green"]),
}


def compute(quick):
    places = grid(BOX, 10)
    data = {"places": places}
    for name, (options, weight) in METHODS.items():
        game = gd.games.dirac_gan(**options)
        descent = -game.field(places)
        if weight:
            descent = descent - weight * game.vjp(places, game.field(places))
        data[f"{name}: field"] = descent
        for way, (repeats, _) in PATHS.items():
            data[f"{name}: {way}"] = gd.iterate(game, _rule(weight, repeats), START, STEPS).w
        if name in CONVERGING:
            data[f"{name}: radius"] = float(gd.linearize(game, _rule(weight, None), at=(0, 0)).spectral_radius)
    return data


def _rule(weight, repeats):
    """Steps along the field, or along the whole consensus field v + weight J^T v, component by component."""
    rule = gd.rules.SimultaneousGD(STEP) if repeats is None else gd.rules.AlternatingGD(STEP, repeats=repeats)
    return gd.rules.ConsensusField(rule, weight) if weight else rule


def draw(data):
    narrow = current_width() == "single"
    figure = Drawing(height=1.3 if narrow else 1.12)
    grid_of_axes = figure.subplots(3, 3, sharex=True, sharey=True)
    for axes, name in zip(grid_of_axes.flat, METHODS, strict=True):
        panels.plane_axes(axes, BOX)
        panels.arrows(axes, data["places"], data[f"{name}: field"])
        for k, (way, (_, colour)) in enumerate(reversed(PATHS.items())):  # from 1 : 5, wide, to simultaneous, thin
            width = (1.8, 1.1, 0.5)[k] * (0.75 if narrow else 1)
            panels.path(axes, data[f"{name}: {way}"], colour, way, linewidth=width, zorder=3 + 0.1 * k)
        panels.optimum(axes, (0, 0), "equilibrium", size=3.5 if narrow else 4.5)
        panels.start(axes, START, size=5 if narrow else 6)
        axes.set_title(name)
        axes.set(xticks=[-2, 0, 2], yticks=[-2, 0, 2])
    for axes in grid_of_axes[-1]:
        axes.set_xlabel(r"$\theta$")
    for axes in grid_of_axes[:, 0]:
        axes.set_ylabel(r"$\phi$", rotation=0, va="center")
    panels.legend(figure, grid_of_axes[0, 0])
    return figure


def _distance(data, name, way="simultaneous"):
    return np.linalg.norm(data[f"{name}: {way}"], axis=-1)


def _rate(name):
    """Of contraction a step, over the second half."""
    return lambda data: (_distance(data, name)[500] / _distance(data, name)[250]) ** (1 / 250)


def _free(data):
    """Ratios of successive distances in the WGAN panel, where neither point touches the bound."""
    inside = np.abs(data["WGAN, clip 1: simultaneous"][:, 1]) < 1
    distance = _distance(data, "WGAN, clip 1")
    return (distance[1:] / distance[:-1])[inside[1:] & inside[:-1]]


def _corner(data):
    """How much the field of WGAN-GP jumps across phi = 0, between the two rows of arrows nearest to it."""
    row = data["WGAN-GP 0.7: field"][..., 1]
    return float(np.mean(row[5] - row[4]))


def _radius(name):
    return lambda data: data[f"{name}: radius"]


def _modulus(real, imaginary):
    """Of 1 + 0.2 lambda, for a flow eigenvalue lambda."""
    return float(np.hypot(1 + STEP * real, STEP * imaginary))


RADII = {
    "noise 0.7": (_modulus(-0.1225, np.sqrt(0.25 - 0.1225**2)), "f''(0) s^2 +- sqrt(f''(0)^2 s^4 - f'(0)^2)"),
    "R1 0.3": (_modulus(-0.15, np.sqrt(0.25 - 0.15**2)), "-gamma/2 +- sqrt(gamma^2/4 - f'(0)^2)"),
    "R1 1 (critical)": (_modulus(-0.5, 0.0), "-gamma/2 +- sqrt(gamma^2/4 - f'(0)^2), double at gamma = 1"),
    "consensus 1": (_modulus(-0.25, 0.5), "-gamma f'(0)^2 +- i f'(0)"),
    "NSGAN, R1 0.3": (_modulus(-0.15, np.sqrt(0.25 - 0.15**2)), "the same at 0 as the minimax game"),
}
EXPECTED = (
    *(
        Expected(f"{name}: spectral radius of the simultaneous step", value, 1e-9, source, _radius(name))
        for name, (value, source) in RADII.items()
    ),
    *(
        Expected(f"{name}: contraction a step along the path", RADII[name][0], 3e-3, "the spectral radius", _rate(name))
        for name in CONVERGING
    ),
    Expected(
        "GAN: simultaneous steps that come nearer", 0, 0, "w and v are orthogonal: |w+|^2 = |w|^2 + lr^2 |v|^2",
        lambda data: (np.diff(_distance(data, "GAN")) <= 0).sum(),
    ),
    Expected(
        "WGAN: smallest growth of a free step", 1.04**0.5, 1e-12, "sqrt(1 + lr^2)", lambda data: _free(data).min()
    ),
    Expected(
        "WGAN-GP: jump of the field, phi = -2/9 to 2/9", 2 * 0.7 * (1 - 2 / 9), 1e-12, "2 gamma (1 - |phi|)", _corner
    ),
    Expected(
        "NSGAN: t r^2 / 8 after alternating steps, t = 100", 1.0, 0.05, "(r^2)' = -r^4/8, averaged over the angle",
        lambda data: _distance(data, "NSGAN", "alternating, 1 : 1")[-1] ** 2 * 100 / 8,
    ),
    Expected(
        "NSGAN: mean r^2 of the cycle of simultaneous steps", 0.4, 0.02, "lr^2 r^2 / 4 = lr r^4 / 8",
        lambda data: (_distance(data, "NSGAN")[-100:] ** 2).mean(),
    ),
    Expected(
        "panels of the five that arrive with simultaneous steps", 5, 0, "the paper's picture",
        lambda data: sum(_distance(data, name)[-1] < 1e-3 for name in CONVERGING), effect=True, contrary=4,
    ),
    Expected(
        "NSGAN, alternating: distance at the end over that at the start", 1, 0.5, "the paper's picture: it goes round",
        lambda data: _distance(data, "NSGAN", "alternating, 1 : 1")[-1] / 2**0.5, effect=True, contrary=0.25,
    ),
    Expected(
        "consensus with five steps of the discriminator: distance at the end", 0, 0.1, "the paper: it arrives",
        lambda data: _distance(data, "consensus 1", "alternating, 1 : 5")[-1], effect=True, contrary=5,
    ),
)  # fmt: skip
