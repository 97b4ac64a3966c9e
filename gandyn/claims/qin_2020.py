"""Claims of Qin, Wu, Springenberg, Brock, Donahue, Lillicrap & Kohli 2020, "Training GANs by solving ODEs"."""

from __future__ import annotations

import numpy as np

from .. import analysis, games, rules
from ..dynamics.iterate import iterate
from ..lazy import sympy
from ..types import Game, Parameter, Rule
from . import strategies
from .declare import Evidence, Paper, drawn, fails, formula, proved
from .evidence import all_of, bilinear_modes, critical_step, exact, orbit, same_expressions, same_numbers

qin = Paper("qin_2020")


@qin.sharpened("Qin et al. 2020, section 3 (ODE-GAN on the bilinear game); the exact threshold derived here")
@proved(r"\lambda = \sum_{k\le 4} \frac{(-is)^k}{k!},\quad |\lambda|^2 = 1 - \frac{s^6}{72} + \frac{s^8}{576}")
@fails("the midpoint rule of order 2", lambda: {"order": 2})
def rk4(order: int = 4) -> Evidence:
    """On bilinear games with a nonsingular matrix joint fourth-order Runge-Kutta steps converge exactly when eta
    sigma_max < 2 sqrt(2).
    """
    lr = sympy.Symbol("lr", positive=True)
    rule = rules.RungeKutta("lr", order)

    def mode(z: object, sigma: Parameter) -> sympy.Expr:
        return z - sum((-sympy.I * lr * sigma) ** k / sympy.factorial(k) for k in range(order + 1))

    return all_of(bilinear_modes(rule, mode), critical_step(games.bilinear(3), rule, 2 * sympy.sqrt(2) / 3))


@qin.sharpened("Qin et al. 2020, section 3 (orders of the integrator); the exact modulus derived here")
@proved(r"|\lambda|^2 = 1 + s^4/4 > 1")
@fails("order 4", lambda: {"order": 4})
@fails("both players have own curvature", lambda: {"own": 1})
def rk2_never(order: int = 2, own: object = 0) -> Evidence:
    """On bilinear games the joint midpoint rule (order 2) diverges with every step size."""
    lr, sigma = sympy.symbols("lr sigma", positive=True)
    rule = rules.RungeKutta("lr", order)
    found = exact(games.bilinear(sigma), rule)
    return all_of(
        same_expressions(found.matrix.det(), 1 + (lr * sigma) ** 4 / 4),
        Evidence(analysis.stability_region(games.quadratic(own, 1, own), rule, ("lr",)).never, "never stable"),
    )


@qin.derived(
    "derived here; Qin et al. 2020, algorithm 1, has joint stages, while `ode_update` in the authors' "
    "odegan_mog16.ipynb steps each player with the other held fixed (on networks)"
)
@formula(r"\partial_x v_x = 0 \Rightarrow k_1 = k_2 = k_3 = k_4 = v_x")
@drawn(20, game=strategies.bilinear(square=False), step=strategies.steps(0.3))
@fails("both players have own curvature", lambda: {"game": games.quadratic(1, 1, 1), "step": 0.2}, game=games.bilinear)
@fails("joint stages", lambda: {"game": games.bilinear(), "step": 0.2, "joint": True})
def joint_stages(game: Game, step: object, joint: bool = False) -> Evidence:
    """The stages of Runge-Kutta have to be joint: advanced one player at a time, the fourth-order method is the
    alternating Euler step on every bilinear game, and no longer converges.
    """
    runge_kutta: Rule = rules.RungeKutta(step, 4)
    rule = runge_kutta if joint else rules.Alternating(runge_kutta)
    start = np.linspace(1.0, 2.0, game.dim)
    found = orbit(game, rule, start, 20)
    return same_numbers(found, iterate(game, rules.AlternatingGD(step), start, 20).w, 1e-13)
