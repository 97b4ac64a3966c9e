"""High-resolution differential equations: what tells gradient descent-ascent, extragradient and optimism apart.

**The paper** derives a second-order equation for each method, in beta = 2 / lr, and reads convergence on the bilinear
game off its largest real part: positive for gradient descent-ascent, negative for extragradient and optimistic steps.

**Settings.** f = x y, beta from 1.8 to 40. The equations are derived here from the update rules by expansion in the
step. Dots are the rules' own exponents, log of the spectral radius over lr; beside the three, lookahead with k = 2,
alpha = 1/2.

**What we find.** Agreement: the coefficients come out as published (2 J v for extragradient, -2 J w' for optimistic
steps), and so do the signs. For large beta the real parts are 1/beta, -1/beta, -1/beta: the *same* size. Two limits
of the picture: the equations are accurate to O(lr^2) only, and say that both converge for every beta, while the rules
themselves do not for beta <= 2 (extragradient, s >= 1) and beta <= 2 sqrt(3) (optimistic, s >= 1/sqrt(3)). And
lookahead's equation is exactly marginal, real part 0, although the rule grows, as sqrt(1 + s^4/4): a higher order
decides.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import gandyn as gd
from gandyn.figures import Expected
from gandyn.plots.style import FAINT, QUIET, SERIES

PAPER = "Chavdarova, Jordan & Zampetakis 2021"
TITLE = "High-resolution equations on the bilinear game"
SOURCE = "section 4, stability on bilinear games"
VERDICT = "reproduced"

BETAS = np.geomspace(1.8, 40, 49)
DOTS = np.array([1.8, 2.2, 3.0, 4.5, 7.0, 12.0, 20.0, 32.0])
RULES: dict[str, Any] = {
    "gradient descent-ascent": lambda lr: gd.rules.GDA(lr),
    "extragradient": lambda lr: gd.rules.Extragradient(lr),
    "optimistic": lambda lr: gd.rules.OptimisticGD(lr),
    "lookahead (2, 1/2)": lambda lr: gd.rules.Lookahead(gd.rules.GDA(lr), 2, 0.5),
}


def compute(quick: bool) -> dict[str, Any]:
    """Largest real parts by rule and beta, the rules' own exponents, and the coefficients of the equations."""
    import sympy

    game = gd.games.bilinear()
    data: dict[str, Any] = {"betas": BETAS, "dots": DOTS, "rules": list(RULES)}
    parts, exponents, coefficients = [], [], []
    for rule in RULES.values():
        found = gd.high_resolution(game, rule(sympy.Rational(1, 10)))
        equations = [found.space(2 / beta).jacobian(np.zeros(4)) for beta in BETAS]
        parts.append(np.linalg.eigvals(-np.array(equations, dtype=float)).real.max(-1))
        radii = [gd.linearize(game, rule(2 / beta), at=[0, 0]).spectral_radius for beta in DOTS]
        exponents.append(np.log(radii) * DOTS / 2)
        known = found.coefficients
        coefficients.append([float(known[term]) for term in ("J v", "J w'")])
    return data | {"parts": np.array(parts), "exponents": np.array(exponents), "coefficients": np.array(coefficients)}


def draw(data: dict[str, Any]) -> Any:
    """Largest real part by beta: lines for the equations, dots for the rules."""
    figure = gd.plots.Drawing(height=0.95)
    axes = figure.subplots()
    axes.axhspan(-1, 0, color="#f3f3f3", zorder=0)
    axes.axhline(0, color=QUIET, linewidth=0.7, zorder=1)
    for k, (name, line, dots) in enumerate(zip(data["rules"], data["parts"], data["exponents"], strict=True)):
        axes.plot(data["betas"], line, color=SERIES[k], linewidth=1.2, label=name)
        axes.plot(
            data["dots"], dots, "osD^"[k], color=SERIES[k], markersize=3.2, markeredgecolor="white", markeredgewidth=0.3
        )
    axes.text(0.98, 0.03, "converges", transform=axes.transAxes, ha="right", color=QUIET, style="italic")
    axes.set(xscale="log", ylim=(-1.1, 0.65), xlabel=r"$\beta = 2 / $step", ylabel=r"largest real part")
    axes.set_xticks([2, 5, 10, 20, 40], ["2", "5", "10", "20", "40"])
    axes.minorticks_off()
    axes.plot([], [], "o", color=FAINT, label="dots: the rule itself")
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def _root(name: str, beta: float) -> float:
    """Largest real part of z^2 + beta z + beta mu - a mu^2 + b mu z = 0, mu = i, a of `J v` and b of -`J w'`."""
    a, b = {"gradient descent-ascent": (0, 0), "extragradient": (2, 0), "optimistic": (0, 2)}[name]
    return float(np.roots([1, beta + b * 1j, beta * 1j + a]).real.max())


def _part(name: str, index: int) -> Any:
    return lambda d: d["parts"][list(RULES).index(name), index]


EXPECTED = (
    *(
        Expected(f"{name}, beta {BETAS[k]:.3g}", _root(name, BETAS[k]), 1e-9, "its scalar quadratic", _part(name, k))
        for name in list(RULES)[:3] for k in (0, 24, 48)
    ),
    Expected("extragradient: coefficient of J v", 2, 0, "the paper's equation", lambda d: d["coefficients"][1, 0]),
    Expected("optimistic: coefficient of J w'", -2, 0, "the paper's equation", lambda d: d["coefficients"][2, 1]),
    Expected("descent-ascent for large beta, times beta", 1, 0.01, "z ~ -i + 1/beta", lambda d: d["parts"][0, -1] * 40),
    Expected("extragradient for large beta, times beta", -1, 0.01, "z ~ -i - 1/beta", lambda d: d["parts"][1, -1] * 40),
    Expected("optimistic for large beta, times beta", -1, 0.01, "z ~ -i - 1/beta", lambda d: d["parts"][2, -1] * 40),
    Expected("lookahead: largest |real part|", 0, 1e-9, "z = -i is a root", lambda d: abs(d["parts"][3]).max()),
    Expected(
        "lookahead itself at beta 4.5", np.log(1 + (2 / 4.5) ** 4 / 4) / 2 * 4.5 / 2, 1e-9, "log sqrt(1 + s^4/4) / lr",
        lambda d: d["exponents"][3, 3],
    ),
)  # fmt: skip
