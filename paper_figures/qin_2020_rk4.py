"""Runge-Kutta on v(a, b) = ab: jointly it follows the orbit; one player at a time it is Euler's method.

**The paper.** GAN training as the solution of an ordinary differential equation: higher-order solvers follow the
orbits that gradient descent-ascent leaves, and so reach what regularisation then contracts.

**Settings.** v = ab, start (1, 1), step 0.1, 1000 steps: time 100, sixteen turns.

**What we find.** The paper's joint step agrees with its theory: after 1000 steps the norm is 1.4142, sqrt(2) to 1e-5.
The stages have to be joint. The authors' odegan_mog16.ipynb (deepmind-research, folder ode_gan, function `ode_update`)
steps each player by itself with the other held fixed, from one point, on networks for a mixture of 16 Gaussians; there
it takes the name of the joint step, and no number of theirs is at stake here. What that way of stepping does on v = ab
is our computation: a player's own gradient does not depend on its own block, so all four stages are equal and the step
*is* Euler's; the norm ends at 204.74 = sqrt(2) 1.01^500, to the last digits of simultaneous gradient descent. In turn
instead of from one point, it is alternating descent: bounded, but no orbit. All versions run here from the same rule
object; the only difference is whether it sees the whole game or a player's view of it.
"""

from __future__ import annotations

import numpy as np

import gandyn as gd
from gandyn.figures import Expected, grid
from gandyn.plots import panels
from gandyn.plots.drawing import Drawing
from gandyn.plots.style import OKABE_ITO, current_width

PAPER = "Qin et al. 2020"
TITLE = "Joint Runge-Kutta steps against player-by-player ones"
SOURCE = "algorithm 1 (joint stages) and the stepping of odegan_mog16.ipynb, on v = ab"
VERDICT = "reproduced"

STEP, STEPS, START, BOX = 0.1, 1000, (1.0, 1.0), [(-4.0, 4.0), (-4.0, 4.0)]
WAYS = {
    "in turn": ("player by player, in turn", OKABE_ITO["green"]),
    "joint": ("joint", OKABE_ITO["blue"]),
    "apart": ("player by player, from one point", OKABE_ITO["vermillion"]),
}


def compute(quick):
    game, rule = gd.games.bilinear(), gd.rules.RungeKutta(STEP, order=4)
    places = grid(BOX, 13, margin=True)
    return {
        "joint": gd.iterate(game, rule, START, STEPS).w,
        "apart": _apart(game, rule),
        "in turn": gd.iterate(game, gd.rules.Alternating(rule), START, STEPS).w,
        "euler": gd.iterate(game, gd.rules.SimultaneousGD(STEP), START, STEPS).w,
        "places": places,
        "descent": -game.field(places),
    }


def _apart(game, rule):
    """Each player's own step of the rule with the other where it stood before the round."""
    path = [np.array(START)]
    for _ in range(STEPS):
        views = [game.restrict(i, path[-1]) for i in range(2)]
        moved = [rule.step(view, view.block, rule.init(view, view.block))[0] for view in views]
        path.append(np.concatenate(moved))
    return np.array(path)


def draw(data):
    narrow = current_width() == "single"
    figure = Drawing(height=2.1 if narrow else 0.72)
    mosaic = [["joint", "apart"], ["norm", "norm"]] if not narrow else [["joint"], ["apart"], ["norm"]]
    axes = figure.subplot_mosaic(mosaic, height_ratios=(1.6, 1) if not narrow else (1.3, 1.3, 1))
    for name, title in (("joint", "RK4, joint"), ("apart", "RK4, player by player")):
        panels.plane_axes(axes[name], BOX, ("$a$", "$b$"))
        panels.arrows(axes[name], data["places"], data["descent"])
        panels.path(axes[name], data[name][:200], WAYS[name][1], linewidth=1.0)
        panels.start(axes[name], START)
        panels.optimum(axes[name], (0, 0))
        axes[name].set_title(title)
    for name, (label, colour) in WAYS.items():
        axes["norm"].plot(np.linalg.norm(data[name], axis=-1), color=colour, label=label)
    axes["norm"].plot(
        np.arange(0, STEPS + 1, 50), np.linalg.norm(data["euler"][::50], axis=-1), "o", color="white",
        markeredgecolor=OKABE_ITO["vermillion"], markersize=3, label="simultaneous descent", linestyle="none",
    )  # fmt: skip
    axes["norm"].set(yscale="log", xlabel="step", ylabel="norm", xlim=(0, STEPS * 1.24))
    for name, text, offset in (("joint", "1.4142", -1), ("apart", "204.74", 0)):
        axes["norm"].annotate(
            text, (STEPS, np.linalg.norm(data[name][-1])), (3, offset), textcoords="offset points",
            color=WAYS[name][1], va="center",
        )  # fmt: skip
    figure.legend(*axes["norm"].get_legend_handles_labels(), loc="outside lower center", ncols=1 if narrow else 2)
    return figure


def _norm(name):
    return lambda data: np.linalg.norm(data[name][-1])


EXPECTED = (
    Expected(
        "joint: final norm", 2**0.5 * (1 - 0.1**6 / 72 + 0.1**8 / 576) ** 500, 1e-12,
        "|R(ih)|^2 = 1 - h^6/72 + h^8/576 for RK4", _norm("joint"),
    ),
    Expected("player by player: final norm", 2**0.5 * 1.01**500, 1e-9, "sqrt(2) (1 + h^2)^(T/2)", _norm("apart")),
    Expected(
        "player by player minus simultaneous descent, largest, relative", 0.0, 1e-12, "equal stages",
        lambda data: np.abs(data["apart"] - data["euler"]).max() / 204.74,
    ),
    Expected(
        "in turn: largest change of a^2 - h ab + b^2", 0.0, 1e-12, "alternating descent keeps it",
        lambda data: np.abs((data["in turn"] ** 2).sum(-1) - 0.1 * data["in turn"].prod(-1) - 1.9).max(),
    ),
)  # fmt: skip
