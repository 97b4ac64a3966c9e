"""Discretisation drift: what a finite step adds to the flow decides who converges.

**The paper.** On x' = -eps x + y, y' = -x - eps y simultaneous descent follows not the flow but a modified one, w' =
-v - (h/2) J v; alternating descent another. At eps = 0.09 simultaneous steps diverge although the flow converges, and
alternating ones converge; at eps = 0.2 both do.

**Settings.** h = 0.2; eps = 0.2 from (0.08, -0.05), eps = 0.09 from (0.07, -0.09), 150 steps. Modified flows by the
library's backward error analysis of the traced rules, to first order.

**What we find.** Agreement with the paper's equations. The modified flow's abscissa is -eps + (h/2)(1 - eps^2):
-0.104 at eps = 0.2, +0.0092 at eps = 0.09, and the steps themselves have moduli sqrt((1 - h eps)^2 + h^2) = 0.981 and
1.0022. The sign of the drift is everything here: with it reversed the abscissa at eps = 0.09 would be -0.189, that of
a stable system. In an alternating round the coupling's drift cancels in the trace and only the players' own remains:
-eps - (h/2) eps^2. The authors' dd_games.ipynb (github.com/google-deepmind/discretisation_drift, the cell that defines
`is_stable`) has this drift; its two matrices have +eps2 where the system above them has -eps2, so their traces are
0.198 and -0.0016 instead of 0.018 and -0.182, and both of its verdicts, unstable and stable, are the right ones.
"""

from __future__ import annotations

import numpy as np

import gandyn as gd
from gandyn.figures import Expected
from gandyn.plots import panels
from gandyn.plots.drawing import Drawing
from gandyn.plots.style import INK, OKABE_ITO, QUIET, current_width

PAPER = "Rosca, Wu, Dherin & Barrett 2021"
TITLE = "Discretisation drift decides who converges"
SOURCE = "section 3 and the figure of the two-variable example"
VERDICT = "reproduced"

STEP, STEPS = 0.2, 150
CASES = {0.2: (0.08, -0.05), 0.09: (0.07, -0.09)}
RULES = {"simultaneous": OKABE_ITO["vermillion"], "alternating": OKABE_ITO["blue"]}


def compute(quick):
    data = {}
    for eps, start in CASES.items():
        game = gd.games.quadratic(eps, -1, eps)
        data[f"{eps}: flow"] = gd.flow(game, start, STEP * STEPS, samples=601).w
        rules = gd.rules.SimultaneousGD(STEP), gd.rules.AlternatingGD(STEP)
        for name, rule in zip(RULES, rules, strict=True):
            drift = gd.modified_flow(game, rule, order=1)
            matrix = np.array([drift.at(STEP)(unit) for unit in np.eye(2)], dtype=float).T
            data[f"{eps}: {name}"] = gd.iterate(game, rule, start, STEPS).w
            data[f"{eps}: {name}, modified"] = _linear_flow(matrix, start)
            data[f"{eps}: {name}, abscissa"] = float(np.linalg.eigvals(matrix).real.max())
            data[f"{eps}: {name}, radius"] = float(gd.linearize(game, rule, at=(0, 0)).spectral_radius)
    return data


def _linear_flow(matrix, start):
    """exp(t A) w at 601 times."""
    from scipy.linalg import expm

    once = expm(matrix * STEP * STEPS / 600)
    path = [np.array(start)]
    for _ in range(600):
        path.append(once @ path[-1])
    return np.array(path)


def draw(data):
    narrow = current_width() == "single"
    figure = Drawing(height=2.3 if narrow else 0.62)
    panes = figure.subplots(*((2, 1) if narrow else (1, 2)))
    for axes, (eps, start) in zip(panes, CASES.items(), strict=True):
        panels.path(axes, data[f"{eps}: flow"], INK, "flow of the game", linewidth=0.7, linestyle=":")
        for name, colour in RULES.items():
            panels.path(axes, data[f"{eps}: {name}, modified"], colour, f"modified flow, {name}", linewidth=0.8)
            axes.plot(
                *data[f"{eps}: {name}"].T, linestyle="none", marker="o" if name == "simultaneous" else "s",
                markersize=2.2, color=colour, label=f"{name} steps", markeredgewidth=0,
            )  # fmt: skip
        panels.start(axes, start)
        panels.optimum(axes, (0, 0), "equilibrium")
        reach = 1.05 * max(np.abs(data[f"{eps}: {name}"]).max() for name in RULES)
        panels.plane_axes(axes, [(-reach, reach), (-reach, reach)], ("$x$", "$y$"))
        axes.axhline(0, color=QUIET, linewidth=0.3, zorder=0)
        axes.axvline(0, color=QUIET, linewidth=0.3, zorder=0)
        outcome = "both converge" if eps == 0.2 else "simultaneous steps leave"
        axes.set_title(rf"$\epsilon = {eps}$: {outcome}")
    panels.legend(figure, panes[0], 2)
    return figure


EXPECTED = (
    *(
        Expected(
            f"eps = {eps}: abscissa of the modified flow, simultaneous", -eps + 0.1 * (1 - eps**2), 1e-12,
            "-eps + (h/2)(1 - eps^2), the real part of lambda - (h/2) lambda^2",
            lambda data, eps=eps: data[f"{eps}: simultaneous, abscissa"],
        )
        for eps in CASES
    ),
    *(
        Expected(
            f"eps = {eps}: abscissa of the modified flow, alternating", -eps - 0.1 * eps**2, 1e-12,
            "half the trace; the coupling's drift cancels", lambda data, eps=eps: data[f"{eps}: alternating, abscissa"],
        )
        for eps in CASES
    ),
    *(
        Expected(
            f"eps = {eps}: modulus of a simultaneous step", ((1 - 0.2 * eps) ** 2 + 0.04) ** 0.5, 1e-12,
            "sqrt((1 - h eps)^2 + h^2)", lambda data, eps=eps: data[f"{eps}: simultaneous, radius"],
        )
        for eps in CASES
    ),
    Expected(
        "eps = 0.09: modulus of an alternating step", 1 - 0.2 * 0.09, 1e-12, "determinant (1 - h eps)^2",
        lambda data: data["0.09: alternating, radius"],
    ),
    Expected(
        "eps = 0.09: growth a step along the simultaneous path", ((1 - 0.018) ** 2 + 0.04) ** 0.5, 1e-12, "the modulus",
        lambda data: (np.linalg.norm(data["0.09: simultaneous"][-1]) / np.linalg.norm(CASES[0.09])) ** (1 / STEPS),
    ),
)  # fmt: skip
