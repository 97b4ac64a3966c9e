"""v(a, b) = ab: the flow is an orbit, simultaneous steps spiral out, alternating steps stay on an ellipse.

**The paper.** Gradient descent in continuous time on v(a, b) = ab circles its equilibrium for ever, so that small
steps are no cure (the tutorial's exercise on this function, and its solution). The spiral of gradient descent-ascent
climbing about the saddle has been drawn from it ever since.

**Settings.** Start (1, 0), step 0.2, 60 steps; the flow for the same time, 12.

**What we find.** Agreement, with a sharper statement. The flow keeps a^2 + b^2; each simultaneous step multiplies the
distance by sqrt(1 + lr^2), so it leaves at every step size; alternating steps keep a^2 - lr a b + b^2, an ellipse
near the circle that is no orbit of the flow. Each is checked on every point drawn.
"""

from __future__ import annotations

import numpy as np

import gandyn as gd
from gandyn.figures import Expected, grid
from gandyn.plots import panels
from gandyn.plots.drawing import Drawing
from gandyn.plots.style import INK, OKABE_ITO, current_width

PAPER = "Goodfellow 2016"
TITLE = "Flow, simultaneous and alternating steps on v(a, b) = ab"
SOURCE = "exercise on v(a, b) = ab, and its solution"
VERDICT = "reproduced"

START, STEP, STEPS, BOX = (1.0, 0.0), 0.2, 60, [(-3.5, 3.5), (-3.5, 3.5)]
SHOWN = {
    "simultaneous": ("simultaneous steps", OKABE_ITO["vermillion"], "o"),
    "alternating": ("alternating steps", OKABE_ITO["blue"], "s"),
    "flow": ("gradient flow", INK, ""),
}


def compute(quick):
    game = gd.games.bilinear()
    places, surface = grid(BOX, 15, margin=True), grid(BOX, 61)
    runs = {
        "flow": gd.flow(game, START, STEP * STEPS, samples=481),
        "simultaneous": gd.iterate(game, gd.rules.SimultaneousGD(STEP), START, STEPS),
        "alternating": gd.iterate(game, gd.rules.AlternatingGD(STEP), START, STEPS),
    }
    data = {name: run.w for name, run in runs.items()} | {f"{name} cost": run.costs[0] for name, run in runs.items()}
    return data | {
        "places": places,
        "descent": -game.field(places),
        "surface": surface,
        "cost": game.costs(surface)[0],
    }


def draw(data):
    narrow = current_width() == "single"
    figure = Drawing(height=1.95 if narrow else 0.58)
    plane = figure.add_subplot(*((2, 1) if narrow else (1, 2)), 1)
    saddle = figure.add_subplot(*((2, 1) if narrow else (1, 2)), 2, projection="3d", computed_zorder=False)
    panels.plane_axes(plane, BOX, ("$a$", "$b$"))
    panels.arrows(plane, data["places"], data["descent"])
    panels.relief(saddle, data["surface"], data["cost"], ("$a$", "$b$", "$v$"))
    for name, (label, colour, marker) in SHOWN.items():
        panels.path(plane, data[name], colour, label, marker)
        panels.path(saddle, np.column_stack([data[name], data[f"{name} cost"]]), colour, zorder=4)
    panels.start(plane, START)
    panels.start(saddle, (*START, 0.0))
    panels.optimum(plane, (0, 0), "equilibrium (saddle)")
    panels.optimum(saddle, (0, 0, 0))
    plane.set_title("over the vector field")
    saddle.set_title("on the saddle $v = ab$")
    panels.legend(figure, plane, 3)
    return figure


def _form(w, coupling):
    return (w**2).sum(-1) - coupling * w.prod(-1)


EXPECTED = (
    Expected(
        "flow: largest change of a^2 + b^2", 0.0, 1e-8, "d/dt (a^2 + b^2) = -2ab + 2ab = 0",
        lambda data: np.abs(_form(data["flow"], 0.0) - 1).max(),
    ),
    Expected(
        "flow: a at time 12", np.cos(12.0), 1e-8, "the rotation (cos t, sin t)", lambda data: data["flow"][-1, 0]
    ),
    Expected(
        "simultaneous: distance after 60 steps", 1.04**30, 1e-12, "(1 + lr^2)^(T/2)",
        lambda data: np.linalg.norm(data["simultaneous"][-1]),
    ),
    Expected(
        "alternating: largest change of a^2 - lr ab + b^2", 0.0, 1e-13, "the step keeps this form: M^T Q M = Q",
        lambda data: np.abs(_form(data["alternating"], STEP) - 1).max(),
    ),
    Expected(
        "alternating: largest distance", (1 / 0.9) ** 0.5, 2e-3, "long half axis of that ellipse, 1/sqrt(1 - lr/2)",
        lambda data: np.linalg.norm(data["alternating"], axis=-1).max(),
    ),
)  # fmt: skip
