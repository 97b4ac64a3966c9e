"""Competitive gradient descent against its rivals, on a bilinear game and on two without coupling.

**The paper** runs gradient descent-ascent, linearised and full competitive gradient descent, consensus optimisation,
SGA and optimistic steps on f = alpha x y and f = +- alpha (x^2 - y^2), alpha in {1, 3, 6}.

**Settings.** Step 0.2, start (0.5, 0.5), 50 iterations, weights gamma = lambda = 1, as in the authors' code
(github.com/f-t-s/CGD: bilinear_strong.jl, quadratic_equi.jl, quadratic_noequi.jl; the latter two run 100 iterations).

**What we find.** Agreement. On alpha x y competitive gradient descent alone converges for every alpha. SGA and
consensus are one step there, since J has no symmetric part; the authors draw the one curve under the name SGA. On
alpha (x^2 - y^2) nothing is coupled: SGA, linearised and full competitive gradient descent all are gradient
descent-ascent, factor |1 - 2 eta alpha|, and consensus, factor |1 - eta (2 alpha + 4 alpha^2)|, is another curve. So
the authors draw them: one curve "GDA, SGA, LCGD, CGD" and one "ConOpt". On alpha (y^2 - x^2), where the origin is the
worst point of both players, consensus at alpha = 1 settles at it and the others leave. Every curve's last factor
equals the modulus derived for it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import gandyn as gd
from gandyn.figures import Expected
from gandyn.plots.style import FAINT, INK, OKABE_ITO

PAPER = "Schäfer & Anandkumar 2019"
TITLE = "Competitive gradient descent against its rivals"
SOURCE = "the comparison on alpha xy and alpha (x^2 - y^2)"
VERDICT = "reproduced"

LR, START, ITERATIONS, ALPHAS = 0.2, (0.5, 0.5), 50, (1, 3, 6)
GAMES = {"xy": r"$\alpha xy$", "saddle": r"$\alpha(x^2-y^2)$", "turned": r"$\alpha(y^2-x^2)$"}
RULES = {
    "GDA": gd.rules.GDA(LR),
    "optimistic": gd.rules.OptimisticGD(LR),
    "LCGD": gd.rules.LinearizedCGD(LR),
    "CGD": gd.rules.CompetitiveGD(LR),
    "SGA": gd.rules.SGA(LR, 1, align=False),
    "consensus": gd.rules.Consensus(LR, 1),
}


def _game(name: str, alpha: int) -> Any:
    if name == "xy":
        return gd.games.bilinear([[alpha]])
    sign = 1 if name == "saddle" else -1
    return gd.games.quadratic(2 * sign * alpha, 0, 2 * sign * alpha)


def compute(quick: bool) -> dict[str, Any]:
    """Distances from the origin, (games, alphas, rules, iterations + 1), and the factor of the last ten iterations."""
    distance = np.array([[[_distances(_game(g, a), rule) for rule in RULES.values()] for a in ALPHAS] for g in GAMES])
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = (distance[..., -1] / distance[..., -11]) ** 0.1
    return {
        "distance": distance,
        "factor": factor,
        "games": list(GAMES),
        "alphas": np.array(ALPHAS),
        "rules": list(RULES),
    }


def _distances(game: Any, rule: Any) -> Any:
    return np.linalg.norm(gd.iterate(game, rule, START, ITERATIONS).w, axis=-1)


STYLES: dict[str, dict[str, Any]] = {
    "GDA": {"color": OKABE_ITO["black"], "linewidth": 2.2, "alpha": 0.35},
    "optimistic": {"color": OKABE_ITO["green"], "linewidth": 0.9},
    "LCGD": {"color": OKABE_ITO["sky"], "linewidth": 0.9},
    "CGD": {"color": OKABE_ITO["blue"], "linewidth": 1.3},
    "SGA": {"color": OKABE_ITO["purple"], "linewidth": 1.2, "linestyle": (0, (4, 2))},
    "consensus": {"color": OKABE_ITO["vermillion"], "linewidth": 1.2, "linestyle": (0, (1, 1.2))},
}


def draw(data: dict[str, Any]) -> Any:
    """Nine panels: a game a row, alpha a column; SGA dashed, consensus dotted."""
    figure = gd.plots.Drawing(height=1.15)
    panels = figure.subplots(3, 3, sharex=True, sharey=True)
    for row, (name, formula), curves in zip(panels, GAMES.items(), data["distance"], strict=True):
        for axes, alpha, found in zip(row, data["alphas"], curves, strict=True):
            axes.axhline(float(np.hypot(*START)), color=FAINT, linewidth=0.6, zorder=0)
            for label, values in zip(data["rules"], found, strict=True):
                axes.plot(np.clip(values, 1e-12, 1e12), label=label, **STYLES[label])
            axes.set(yscale="log", ylim=(1e-5, 1e5), xlim=(0, ITERATIONS), yticks=[1e-4, 1, 1e4])
            if name == "xy":
                axes.set_title(rf"$\alpha = {alpha}$")
        row[0].set_ylabel(f"{formula}\ndistance")
    panels[-1][1].set_xlabel("iteration", color=INK)
    figure.legend(*panels[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=3, columnspacing=1.0)
    return figure


def _factor(game: str, alpha: int, rule: str, value: float, source: str) -> Expected:
    g, a, r = list(GAMES).index(game), ALPHAS.index(alpha), list(RULES).index(rule)
    return Expected(f"{rule} on {game}, alpha {alpha}: factor", value, 1e-6, source, lambda d: d["factor"][g, a, r])


EXPECTED = (
    *(_factor("xy", a, "GDA", math.hypot(1, LR * a), "sqrt(1 + s^2)") for a in ALPHAS),
    *(_factor("xy", a, "CGD", 1 / math.hypot(1, LR * a), "1 / sqrt(1 + s^2)") for a in ALPHAS),
    *(_factor("xy", a, "LCGD", math.sqrt(1 - (LR * a) ** 2 + (LR * a) ** 4), "sqrt(1 - s^2 + s^4)") for a in ALPHAS),
    *(_factor("xy", a, "SGA", math.hypot(1 - LR * a**2, LR * a), "sqrt((1 - eta a^2)^2 + s^2)") for a in ALPHAS),
    *(_factor("xy", a, "consensus", math.hypot(1 - LR * a**2, LR * a), "SGA's step: S = 0") for a in ALPHAS),
    *(
        _factor("saddle", a, rule, abs(1 - 2 * LR * a), "|1 - 2 eta a|: A = 0, so each of these is GDA")
        for a in ALPHAS
        for rule in ("GDA", "SGA", "LCGD", "CGD")
    ),
    *(_factor("saddle", a, "consensus", abs(1 - LR * (2 * a + 4 * a**2)), "|1 - eta (2a + 4a^2)|") for a in (1, 3, 6)),
    *(
        _factor("turned", 1, rule, value, source)
        for rule, value, source in (
            ("SGA", 1.4, "|1 + 2 eta a|: leaves the worst point"),
            ("consensus", 0.6, "|1 - eta (4a^2 - 2a)|: stays at it"),
        )
    ),
)
