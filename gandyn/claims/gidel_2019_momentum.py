"""Claims of Gidel, Hemmat, Pezeshki, Le Priol, Huang, Lacoste-Julien & Mitliagkas 2019, "Negative momentum"."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import strategies as st

from .. import analysis, games, rules
from ..lazy import sympy
from ..types import Game, Parameter, Rule
from . import strategies
from .declare import Evidence, Paper, drawn, fails, formula, proved, where
from .evidence import (
    all_of,
    attracting,
    bilinear_modes,
    characteristic,
    critical_step,
    map_matrix,
    radius,
    same_expressions,
    singular_values,
    spectral,
)

gidel = Paper("gidel_2019_momentum")


@gidel.sharpened("Gidel et al. 2019 (negative momentum), the theorem on bilinear games; our proof, by Schur-Cohn")
@proved(r"|a - \bar a b|^2 - (1-|b|^2)^2 = s^2(1+\beta)^2 \ge 0,\quad a = is - 1 - \beta,\ b = \beta")
@fails("the momentum is complex: 0.9 e^(i pi/8)", lambda: {"momentum": 0.8314915 + 0.3444151j})
def simultaneous_never(momentum: Parameter = None) -> Evidence:
    """Simultaneous heavy-ball steps converge on no bilinear game, whatever step and real momentum.

    Schur-Cohn on p = z^2 + a z + b: |a - conj(a) b|^2 - (1 - |b|^2)^2 must be negative for convergence.
    """
    lr = sympy.Symbol("lr", positive=True)
    beta = sympy.Symbol("beta", real=True) if momentum is None else momentum
    rule = rules.HeavyBall("lr", beta)
    if sympy.im(beta) != 0:
        return Evidence(not attracting(games.bilinear(), rules.HeavyBall(0.02, beta)), "momentum is complex")
    s = lr * sympy.Symbol("sigma", positive=True)
    a, b = sympy.I * s - 1 - beta, beta
    excess = sympy.expand((a - sympy.conjugate(a) * b) * (sympy.conjugate(a) - a * b) - (1 - b**2) ** 2)
    return all_of(
        bilinear_modes(rule, lambda z, sigma: z**2 + z * (sympy.I * lr * sigma - 1 - beta) + beta),
        Evidence(sympy.expand(excess - s**2 * (1 + beta) ** 2) == 0, "excess of Schur-Cohn s^2 (1 + beta)^2 >= 0"),
        Evidence(analysis.stability_region(games.bilinear(), rule, ("lr",)).never, "no region of stability"),
    )


def _short(game: Game, step: float) -> bool:
    values = step * singular_values(game)
    return bool(values[0] <= 1 and values[-1] > 1e-3)


@gidel.sharpened(
    "Gidel et al. 2019 (negative momentum), the theorem on alternating steps with beta_1 = -1/2, beta_2 = 0; "
    "the constant 3 is found here"
)
@formula(r"|w_t|^2 = O\big(\max\{\tfrac12,\ 1 - \eta^2\sigma_{\min}^2/16\}^t\big)")
@drawn(25, game=st.one_of(strategies.bilinear(), strategies.bilinear(condition=100)), step=strategies.steps(0.5, 0.05))
@where(_short)
@fails("the momentum is positive", lambda: {"game": games.bilinear(), "step": 0.5, "momentum": (0.5, 0)})
@fails(
    "the constant 1: from (1, -1) the squared distance goes 2, 2.31, 2.08, 2.58",
    lambda: {"game": games.bilinear(), "step": 0.5, "constant": 1.0},
)
def alternating_rate(game: Game, step: float, momentum: Parameter = (-0.5, 0), constant: float = 3.0) -> Evidence:
    """On bilinear games with a nonsingular matrix alternating steps with eta sigma_max <= 1, momentum -1/2 of the first
    player and none of the second converge linearly: the squared distance is O(r^t) with r = max(1/2, 1 - eta^2
    sigma_min^2 / 16), here at most 3 r^t times the first. It need not fall at each step.
    """
    matrix = map_matrix(game, rules.HeavyBall(step, momentum, alternating=True))
    rate = max(0.5, 1 - (step * singular_values(game)[-1]) ** 2 / 16)
    # Heavy ball starts at rest: its memory is zero where the point is w_0.
    power, d, worst = np.eye(len(matrix))[:, : game.dim], game.dim, 0.0
    for _ in range(300):
        power = matrix @ power / rate**0.5
        worst = max(worst, float(np.linalg.norm(power[:d], 2)) ** 2)
    return Evidence(worst <= constant, f"|w_t|^2 at most {worst:.4g} r^t |w_0|^2, r = {rate:.6g}, in 300 rounds")


@gidel.derived("beside Gidel et al. 2019 (negative momentum), the theorem on alternating steps; by expansion")
@formula(r"(z-1)^2(z+\tfrac12) + s^2z^2 = 0 \Rightarrow \rho^2 = 1 - \tfrac29 s^2 + O(s^4)")
@drawn(20, share=st.floats(0.01, 0.3))
@fails("another momentum, -1/4", lambda: {"share": 0.1, "momentum": -0.25})
def asymptotic_rate(share: float, momentum: float = -0.5) -> Evidence:
    """The rate of alternating steps with momentum -1/2 of the first player alone is 1 - (2/9) s^2 for small s = eta
    sigma_min: the published 1 - s^2/16 is a bound that is 3.6 times slower.

    rho^2 of the slowest mode of (z - 1)^2 (z - beta) + s^2 z^2 for small s, by roots and by the library.
    """
    exact = max(abs(np.roots(np.polyadd(np.polymul([1, -2, 1], [1, -momentum]), [share**2, 0, 0])))) ** 2
    rule = rules.HeavyBall(share, (momentum, 0), alternating=True)
    found = radius(games.bilinear(), rule) ** 2
    lost = (1 - found) / share**2
    return all_of(
        Evidence(abs(lost - 2 / 9) < share**2, f"rho^2 = 1 - {lost:.8g} s^2"),
        Evidence(abs(found - exact) < 1e-9, "as the roots say"),
    )


@gidel.sharpened("Gidel et al. 2019 (negative momentum), section 4 (alternating steps); exact thresholds derived here")
@proved(r"\beta=(-\tfrac12,-\tfrac12):\ s<1; \qquad \beta=(-\tfrac12,0):\ s<\sqrt2")
@fails("no momentum: the orbits circle", lambda: {"momentum": 0})
def alternating_thresholds(momentum: Parameter = None) -> Evidence:
    """On bilinear games alternating steps with momentum -1/2 converge exactly when eta sigma_max < 1 if both players
    have it, and exactly when eta sigma_max < sqrt(2) if the first alone has it.
    """
    half = -sympy.Rational(1, 2) if momentum is None else momentum
    both = rules.HeavyBall("lr", half, alternating=True)
    first: Rule = rules.HeavyBall("lr", (half, 0), alternating=True)
    game = games.bilinear(3)
    return all_of(critical_step(game, both, sympy.Rational(1, 3)), critical_step(game, first, sympy.sqrt(2) / 3))


@gidel.says("Gidel et al. 2019 (negative momentum), the theorem on bilinear games, alternating steps with beta = 0")
@proved(r"\lambda^2 - (2 - s^2)\lambda + 1 = 0, \qquad |\lambda| = 1 \iff s \le 2")
@fails("s = 2: the eigenvalue -1 is defective, orbits grow like t", lambda: {"thirtieths": 20})
@fails("simultaneous steps", lambda: {"in_turn": False})
def alternating_bounded(thirtieths: int = 19, in_turn: bool = True) -> Evidence:
    """On bilinear games with a nonsingular matrix alternating gradient steps with eta sigma_max < 2 stay bounded and do
    not converge: all eigenvalues lie on the unit circle and are semisimple.
    """
    lr, sigma = sympy.symbols("lr sigma", positive=True)
    length = sympy.Rational(thirtieths, 30)
    build = rules.AlternatingGD if in_turn else rules.SimultaneousGD
    found, z = characteristic(games.bilinear(sigma), build(lr))
    at_length = analysis.linearize(games.bilinear(3), build(length))
    return all_of(
        same_expressions(found, z**2 - (2 - lr**2 * sigma**2) * z + 1),
        Evidence(at_length.verdict.name == "MARGINAL", f"step {length}: {at_length.verdict}"),
    )


@gidel.says("Gidel et al. 2019 (negative momentum), the theorem on the derivative of the radius in beta at 0")
@formula(
    r"\eta \in I(\lambda) = \Big(\tfrac{|\lambda| - |\mathrm{Im}\lambda|}{|\lambda|\,\mathrm{Re}\lambda},\ "
    r"\tfrac{|\lambda| + |\mathrm{Im}\lambda|}{|\lambda|\,\mathrm{Re}\lambda}\Big)"
)
@drawn(25, real=strategies.tenths(0.1, 2), imaginary=strategies.tenths(0.2, 3), place=st.floats(0.05, 0.95))
@fails("a step below the interval", lambda: {"real": 1, "imaginary": 1, "place": 0.8, "inside": False})
def when_negative_helps(real: sympy.Expr, imaginary: sympy.Expr, place: float, inside: bool = True) -> Evidence:
    """For a pair of eigenvalues lambda of J a little negative momentum lowers the spectral radius of simultaneous
    heavy-ball steps exactly for steps in an interval around 1/Re lambda, the wider the more the pair rotates.
    """
    size = math.hypot(real, imaginary)
    low, high = ((size - side * imaginary) / (size * real) for side in (1, -1))
    step = low + place * (high - low) if inside else low * place
    game = games.planted_quadratic([complex(real, imaginary)], seed=None)
    plain, negative = (spectral(game, rules.HeavyBall(step, momentum)) for momentum in (0, -1e-5))
    return Evidence(negative < plain, f"rho {plain:.9f} without momentum, {negative:.9f} with -1e-5, step {step:.4g}")
