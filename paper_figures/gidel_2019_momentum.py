"""Momentum on v(a, b) = ab: positive momentum hurts, negative momentum with alternating steps converges.

**The paper.** On a bilinear game simultaneous steps diverge with any real momentum; alternating steps converge
linearly with a negative one, and stay bounded with none. (The paper's ring of eight modes is a figure of networks.)

**Settings.** Start (1, 1), step 0.5, 60 steps; momentum -1/2, 0, 1/2; spectra of the augmented map over momentum -1
to 1.

**What we find.** Agreement. Simultaneous steps have a spectral radius above 1 at every momentum but -1, where it is
1; alternating ones are below 1 between s/2 - 1 = -3/4 and 0, lowest near -1/2 (0.9625 at -0.47), and for -1/2 up to
step 1 exactly, which the exact stability region of the traced map gives. The gain over no momentum is real and small:
4 % a step. Eigenvalues come from the traced map with its memory and agree with the roots of ((z - 1)(z - b))^2 + s^2
z^3, derived by hand (z^2 in the place of z^3 for simultaneous steps).
"""

from __future__ import annotations

import numpy as np

import gandyn as gd
from gandyn.figures import Expected
from gandyn.plots import panels
from gandyn.plots.drawing import Drawing
from gandyn.plots.style import INK, OKABE_ITO, QUIET, current_width

PAPER = "Gidel, Askari Hemmat, Pezeshki, Le Priol, Huang, Lacoste-Julien & Mitliagkas 2019"
TITLE = "Negative momentum on the bilinear game"
SOURCE = "theorems 5 and 6, and the figure of the bilinear game"
VERDICT = "reproduced"

STEP, STEPS, START = 0.5, 60, (1.0, 1.0)
SHOWN = {-0.5: (OKABE_ITO["blue"], "-"), 0.0: (OKABE_ITO["green"], "--"), 0.5: (OKABE_ITO["vermillion"], "-.")}
WAYS = {"simultaneous": (OKABE_ITO["vermillion"], 2), "alternating": (OKABE_ITO["blue"], 3)}


def compute(quick):
    import sympy

    game = gd.games.bilinear()
    momenta = np.linspace(-1.0, 1.0, 201)
    data = {"momentum": momenta}
    for way in WAYS:
        beta = sympy.Symbol("beta", real=True)
        rule = gd.rules.HeavyBall(sympy.Rational(1, 2), beta, alternating=way == "alternating")
        matrix = sympy.lambdify(beta, gd.linearize(game, rule, at=(0, 0)).exact.matrix, "numpy")
        data[f"{way}: eigenvalues"] = np.stack([np.linalg.eigvals(np.array(matrix(b), dtype=float)) for b in momenta])
        for beta in SHOWN:
            rule = gd.rules.HeavyBall(STEP, beta, alternating=way == "alternating")
            data[f"{way}: momentum {beta}"] = gd.iterate(game, rule, START, STEPS).w
    free = gd.rules.HeavyBall("lr", sympy.Rational(-1, 2), alternating=True)
    data["largest step"] = float(gd.stability_region(game, free, ("lr",)).critical("lr"))
    return data


def draw(data):
    narrow = current_width() == "single"
    figure = Drawing(height=1.45 if narrow else 0.9)
    axes = figure.subplot_mosaic([["paths", "distance"], ["radius", "locus"]])
    for beta, (colour, line) in SHOWN.items():
        w = data[f"alternating: momentum {beta}"]
        panels.path(axes["paths"], w, colour, f"momentum {beta:g}", linestyle=line)
        axes["distance"].plot(np.linalg.norm(w, axis=-1), color=colour, linestyle=line)
    panels.start(axes["paths"], START)
    panels.optimum(axes["paths"], (0, 0), "equilibrium")
    axes["paths"].set(xlim=(-2.2, 2.2), ylim=(-2.2, 2.2), aspect="equal", title="alternating steps", xlabel="$a$")
    axes["paths"].set_ylabel("$b$", rotation=0, va="center")
    axes["distance"].set(yscale="log", ylim=(1e-2, 1e2), xlim=(0, STEPS), xlabel="step", ylabel="distance")
    for way, (colour, _) in WAYS.items():
        axes["radius"].plot(data["momentum"], _radius(data, way), color=colour)
    axes["radius"].text(0.0, 1.3, "simult.", color=WAYS["simultaneous"][0], ha="right")
    axes["radius"].text(0.0, 0.86, "alternating", color=WAYS["alternating"][0], ha="right")
    axes["radius"].axhline(1, color=QUIET, linewidth=0.7, linestyle=":")
    axes["radius"].set(
        xlabel="momentum", ylabel="spectral radius", xlim=(-1, 1), ylim=(0.75, 1.6), xticks=[-1, -0.5, 0, 0.5, 1]
    )
    _draw_locus(figure, axes["locus"], data)
    panels.legend(figure, axes["paths"], 2)
    return figure


def _draw_locus(figure, axes, data):
    angle = np.linspace(0, 2 * np.pi, 400)
    axes.fill(np.cos(angle), np.sin(angle), facecolor="#f3f3f3", edgecolor=INK, linewidth=0.7, zorder=0)
    shown = data["momentum"] <= 0
    values = data["alternating: eigenvalues"][shown]
    colours = np.repeat(data["momentum"][shown], values.shape[1])
    drawn = axes.scatter(values.real.ravel(), values.imag.ravel(), c=colours, cmap="cividis", s=4, linewidth=0)
    axes.set(
        aspect="equal",
        xlim=(-1.1, 1.1),
        ylim=(-1.1, 1.1),
        title="their eigenvalues",
        xticks=[-1, 0, 1],
        yticks=[-1, 0, 1],
    )
    axes.set(xlabel=r"$\mathrm{Re}\,\lambda$", ylabel=r"$\mathrm{Im}\,\lambda$")
    figure.colorbar(drawn, ax=axes, label="momentum", aspect=20, location="bottom", ticks=[-1, -0.5, 0])


def _radius(data, way):
    return np.abs(data[f"{way}: eigenvalues"]).max(-1)


def _roots(way, beta):
    """Largest modulus among the roots of ((z - 1)(z - beta))^2 + s^2 z^p, p = 2 or 3."""
    square = np.polymul(np.poly([1, beta]), np.poly([1, beta]))
    return float(np.abs(np.roots(np.polyadd(square, [STEP**2] + [0] * WAYS[way][1]))).max())


def _growth(w):
    """A step, by a straight line through the logarithms of the distances."""
    return float(np.exp(np.polyfit(np.arange(len(w)), np.log(np.linalg.norm(w, axis=-1)), 1)[0]))


def _at(way, beta):
    return lambda data: _radius(data, way)[np.abs(data["momentum"] - beta).argmin()]


EXPECTED = (
    *(
        Expected(
            f"{way}, momentum {beta:g}: spectral radius", _roots(way, beta), 1e-9, "roots of the polynomial by hand",
            _at(way, beta),
        )
        for way in WAYS
        for beta in (-0.5, 0.3)
    ),
    Expected(
        "simultaneous: smallest spectral radius over momenta above -0.99", 1.0, 0.0025,
        "never below 1; 1 only in the limit -1", lambda data: _radius(data, "simultaneous")[2:].min(),
    ),
    Expected(
        "alternating, momentum -1/2: largest stable step", 1.0, 1e-12, "the polynomial at z = -1",
        lambda data: data["largest step"],
    ),
    Expected(
        "alternating: momentum below which it leaves", STEP / 2 - 1, 0.006, "z = -1: 2 (1 + b) = s",
        lambda data: data["momentum"][_radius(data, "alternating") < 1].min() - 0.005,
    ),
    Expected(
        "alternating, momentum -1/2: contraction a step along the path", _roots("alternating", -0.5), 3e-3,
        "the spectral radius",
        lambda data: _growth(data["alternating: momentum -0.5"][20:]),
    ),
)  # fmt: skip
