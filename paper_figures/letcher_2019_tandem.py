"""The tandem game: shaping the opponent spoils what plain descent solves, and stable shaping does not.

**The paper.** Two cyclists pay (x + y)^2 - 2 x and (x + y)^2 - 2 y. Descent comes to rest on x + y = 1. LOLA, which
counts on the other to yield, ends elsewhere and pays more; stable opponent shaping (SOS) keeps the fixed points.

**Question.** Where does x + y come to rest from nine starts, and what do the players pay?

**Settings.** Step 0.1, expected step 0.1 for LOLA and SOS, 200 steps, starts on a grid over [-1, 2]^2.

**What we find.** Agreement. Descent and SOS rest at x + y = 1. LOLA's shaping term is 4 e s
for s = x + y, and it rests where (2 s - 2)(1 - 2 e) = 4 e s: at s = (1 - 2 e) / (1 - 4 e) = 4/3, where both together
pay 2 s^2 - 2 s = 8/9 instead of 0.
"""

from __future__ import annotations

import numpy as np

import gandyn as gd
from gandyn.figures import Expected
from gandyn.plots import panels
from gandyn.plots.drawing import Drawing
from gandyn.plots.style import QUIET, SERIES, current_width

PAPER = "Letcher, Foerster, Balduzzi, Rocktaeschel & Whiteson 2019"
TITLE = "The tandem game under opponent shaping"
SOURCE = "section 4.1 and figure 2"
VERDICT = "reproduced"

LR, STEPS = 0.1, 200
RULES = {
    "descent": gd.rules.GDA(LR),
    "LOLA": gd.rules.LOLA(LR),
    "SOS": gd.rules.StableOpponentShaping(LR),
}
STARTS = np.array([(x, y) for x in (-1.0, 0.5, 2.0) for y in (-1.0, 0.5, 2.0)])


def compute(quick):
    game = gd.games.tandem()
    return {name: gd.iterate(game, rule, STARTS, STEPS).w for name, rule in RULES.items()}


def draw(data):
    narrow = current_width() == "single"
    figure = Drawing(height=1.6 if narrow else 0.5)
    plane, sums = figure.subplots(*((2, 1) if narrow else (1, 2)))
    plane.plot([-1.2, 2.2], [2.2, -1.2], color=QUIET, linewidth=0.7, label="$x + y = 1$")
    for k, name in enumerate(RULES):
        for member in range(len(STARTS)):
            panels.path(
                plane, data[name][:, member], SERIES[k], name if member == 0 else "_", linestyle=("-", "--", ":")[k]
            )
            plane.plot(*data[name][-1, member], "os^"[k], color=SERIES[k], markersize=3)
        sums.plot(data[name][:40].sum(-1)[:, 0], color=SERIES[k], linestyle=("-", "--", ":")[k])
    panels.plane_axes(plane, [(-1.2, 2.5), (-1.2, 2.5)], ("$x$", "$y$"))
    sums.axhline(1, color=QUIET, linewidth=0.7)
    sums.set(xlabel="step", ylabel="$x + y$ from $(-1, -1)$")
    panels.legend(figure, plane, 2)
    return figure


def _sum(name):
    return lambda d: d[name][-1].sum(-1).mean()


def _total(d, name):
    s = d[name][-1].sum(-1)
    return (2 * s**2 - 2 * s).mean()


EXPECTED = (
    Expected("descent: x + y at rest", 1.0, 1e-9, "v = 2 (x + y) - 2 = 0", _sum("descent")),
    Expected("SOS: x + y at rest", 1.0, 1e-6, "its theorem: fixed points are kept", _sum("SOS")),
    Expected("LOLA: spread of x + y over the starts", 0.0, 1e-9, "one line", lambda d: np.ptp(d["LOLA"][-1].sum(-1))),
    Expected("LOLA: x + y at rest", 4 / 3, 1e-9, "(1 - 2 e) / (1 - 4 e)", _sum("LOLA")),
    Expected("LOLA: what both pay together", 8 / 9, 1e-8, "2 s^2 - 2 s", lambda d: _total(d, "LOLA")),
    Expected("descent: what both pay together", 0, 1e-8, "2 s^2 - 2 s", lambda d: _total(d, "descent")),
)  # fmt: skip
