"""A linear generator and a quadratic discriminator: the GAN is drawn in, the Wasserstein GAN goes round.

**The paper** learns a uniform distribution with one parameter on each side. The usual GAN is locally stable, the
Wasserstein GAN is not, and a penalty on the discriminator's gradient as the generator's cost damps it.

**Question.** What are the flows' eigenvalues at (a, w) = (1, 0), and what becomes of four starts?

**Settings.** Square loss, Wasserstein loss, Wasserstein loss with eta = 0.5; flows for 40 units of time.

**What we find.** Agreement. The square loss has -1/5 +- i sqrt(4/9 - 1/25), the Wasserstein loss +-2i/3 and the
conserved quantity w^2 - log|a| + a^2 / 2, and the penalty gives it the trace -8 eta / 9.
"""

from __future__ import annotations

import numpy as np

import gandyn as gd
from gandyn.figures import Expected, grid
from gandyn.plots import panels
from gandyn.plots.drawing import Drawing
from gandyn.plots.style import SERIES, current_width

PAPER = "Nagarajan & Kolter 2017"
TITLE = "A GAN that is drawn in, and a Wasserstein GAN that goes round"
SOURCE = "figure 1 and section 3"
VERDICT = "reproduced"

GAMES = {
    "square loss": gd.games.nagarajan_kolter(),
    "Wasserstein": gd.games.nagarajan_kolter("wasserstein"),
    "Wasserstein, penalty": gd.games.nagarajan_kolter("wasserstein", eta=0.5),
}
STARTS = ((0.4, 0.0), (1.4, 0.6), (0.8, 0.3), (1.2, -0.8))
BOX = ((0.05, 2.0), (-1.2, 1.2))


def compute(quick):
    places, data = grid(BOX, 11, margin=True), {}
    for name, game in GAMES.items():
        data[f"{name}: field"] = -game.field(places)
        data[f"{name}: paths"] = np.array([gd.flow(game, start, 40.0, samples=801, rtol=1e-10).w for start in STARTS])
        data[f"{name}: values"] = np.linalg.eigvals(-np.asarray(game.jacobian(np.array([1.0, 0.0])), dtype=float))
    return data


def draw(data):
    narrow = current_width() == "single"
    figure = Drawing(height=2.6 if narrow else 0.42)
    panes = figure.subplots(*((3, 1) if narrow else (1, 3)))
    for axes, name in zip(panes, GAMES, strict=True):
        panels.arrows(axes, grid(BOX, 11, margin=True), data[f"{name}: field"])
        for k, path in enumerate(data[f"{name}: paths"]):
            panels.path(axes, path, SERIES[k])
            panels.start(axes, STARTS[k], "start" if k == 0 else "_")
        panels.optimum(axes, (1, 0))
        panels.plane_axes(axes, BOX, ("$a$", "$w$"))
        axes.set_title(name)
    panels.legend(figure, panes[0], 2)
    return figure


def _conserved(path):
    a, w = path[..., 0], path[..., 1]
    return w**2 - np.log(np.abs(a)) + a**2 / 2


EXPECTED = (
    Expected("square loss: real part", -0.2, 1e-12, "-1/5", lambda d: d["square loss: values"].real.max()),
    Expected(
        "square loss: turning", (4 / 9 - 1 / 25) ** 0.5, 1e-12, "sqrt(4/9 - 1/25)",
        lambda d: d["square loss: values"].imag.max(),
    ),
    Expected("Wasserstein: turning", 2 / 3, 1e-12, "2/3", lambda d: d["Wasserstein: values"].imag.max()),
    Expected(
        "with the penalty: trace", -4 / 9, 1e-12, "-8 eta / 9", lambda d: d["Wasserstein, penalty: values"].sum().real
    ),
    Expected(
        "Wasserstein: change of the conserved quantity", 0.0, 1e-7, "its derivative along the flow is 0",
        lambda d: np.ptp(_conserved(d["Wasserstein: paths"]), axis=1).max(),
    ),
    Expected(
        "square loss: distance at the end", 0.0, 0.01, "e^(-40/5)",
        lambda d: np.linalg.norm(d["square loss: paths"][:, -1] - [1, 0], axis=-1).max(),
    ),
)  # fmt: skip
