"""Heavy ball in the plane of step and momentum: a triangle for minimisation, something else for a game.

**The paper** adds momentum to gradient descent. For one curvature c it is stable in the triangle 0 < c lr < 2 (1 + b),
b < 1, and the textbook picture shows that triangle.

**Question.** Which step and momentum are stable once the same curvature is coupled to an opponent's? The edge along
which momentum 1 is stable could stay.

**Settings.** Curvature 0.5 alone, and 0.5 on both sides with coupling 1; `gd.bifurcation_curves` takes the edges
exactly; the shade is the spectral radius on a grid.

**What we find.** Agreement with the triangle: its corner is at step 8, momentum 1. In the game the flip edge gives way
to a Neimark-Sacker curve: the largest stable step is at a negative momentum, and no step is stable near momentum 1.
"""

from __future__ import annotations

import numpy as np

import gandyn as gd
from gandyn.figures import Expected
from gandyn.plots.drawing import Drawing
from gandyn.plots.regions import STABLE
from gandyn.plots.style import OKABE_ITO, current_width

PAPER = "Polyak 1964"
TITLE = "Where heavy ball is stable: minimisation and a game"
SOURCE = "section 1, the method with one curvature; the game is computed here, as Gidel et al. 2019 study it"
VERDICT = "reproduced"

RANGES = [(0.0, 8.5), (-1.0, 1.0)]
GAMES = {"minimisation": 0.0, "game": 1.0}
STEPS, MOMENTA = np.linspace(0.02, 8.5, 120), np.linspace(-0.99, 0.995, 100)


def compute(quick):
    import sympy

    data, momentum = {}, sympy.Symbol("b", real=True)
    for name, coupling in GAMES.items():
        game = gd.games.quadratic(0.5, coupling, 0.5)
        found = gd.bifurcation_curves(game, gd.rules.HeavyBall("lr", momentum), ("lr", momentum), RANGES, at=(0, 0))
        data[f"{name}: kinds"] = [curve.kind.value for curve in found.curves]
        data |= {f"{name}: arc {k}": curve.points for k, curve in enumerate(found.curves)}
        data[f"{name}: radius"] = _radius(0.5 + 1j * coupling)
    return data


def _radius(z):
    """The larger modulus of t^2 - (1 + b - lr z) t + b, by momentum and step."""
    lr, b = np.meshgrid(STEPS, MOMENTA)
    trace = 1 + b - lr * z
    root = np.sqrt(trace.astype(complex) ** 2 - 4 * b)
    return np.maximum(abs(trace + root), abs(trace - root)) / 2


def draw(data):
    narrow = current_width() == "single"
    figure = Drawing(height=1.5 if narrow else 0.45)
    panes = figure.subplots(*((2, 1) if narrow else (1, 2)))
    styles = {"flip": ("vermillion", "--"), "Neimark-Sacker": ("blue", "-"), "fold": ("green", ":")}
    shown = {}
    for axes, name in zip(panes, GAMES, strict=True):
        axes.contourf(STEPS, MOMENTA, data[f"{name}: radius"], levels=[0, 1], colors=[STABLE])
        for k, kind in enumerate(data[f"{name}: kinds"]):
            colour, dash = styles.get(kind, ("purple", "-."))
            (line,) = axes.plot(*data[f"{name}: arc {k}"].T, color=OKABE_ITO[colour], linestyle=dash)
            shown.setdefault(kind, line)
        axes.set(xlim=RANGES[0], ylim=(-1.02, 1.02), xlabel="step", ylabel="momentum $b$", title=name)
    figure.legend(shown.values(), shown.keys(), loc="outside lower center", ncols=3)
    return figure


def _at(lr, b):
    """Moduli of the two roots along an arc of the game, (n, 2)."""
    trace = 1 + b - lr * (0.5 + 1j)
    root = np.sqrt(trace.astype(complex) ** 2 - 4 * b)
    return np.stack([abs(trace + root), abs(trace - root)], -1) / 2


def _largest(d, name):
    stable = d[f"{name}: radius"] < 1
    return STEPS[np.where(stable.any(0))[0].max()], MOMENTA[stable[:, np.where(stable.any(0))[0].max()]].mean()


EXPECTED = (
    Expected(
        "minimisation: stable share of the rectangle", 8.0 / 17.0, 0.02, "area of the triangle 8 over 17",
        lambda d: (d["minimisation: radius"] < 1).mean(),
    ),
    Expected(
        "minimisation: largest stable step", 8.0, 0.15, "2 (1 + b) / c at b = 1",
        lambda d: _largest(d, "minimisation")[0],
    ),
    Expected(
        "game: largest stable step without momentum", 0.8, 0.08, "2 c / (c^2 + 1)",
        lambda d: STEPS[d["game: radius"][np.abs(MOMENTA).argmin()] < 1].max(),
    ),
    Expected(
        "game: sign of the momentum with the largest stable step", -1, 0, "negative momentum",
        lambda d: np.sign(_largest(d, "game")[1]),
    ),
    Expected(
        "game: arcs lie where the radius is 1, largest departure", 0.0, 1e-6, "an eigenvalue on the circle",
        lambda d: max(np.abs(_at(*d[f"game: arc {k}"].T) - 1).min(-1).max() for k in range(len(d["game: kinds"]))),
    ),
)  # fmt: skip
