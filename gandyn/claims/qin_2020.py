"""Claims of Qin, Wu, Springenberg, Brock, Donahue, Lillicrap & Kohli 2020, "Training GANs by solving ODEs"."""

from __future__ import annotations

from typing import Any

from .. import games, rules
from ..types import Game, Rule
from .base import Claim, Evidence, How, Mutant, Origin, Outside, register
from .evidence import all_of, bilinear_modes, critical_step, same_expressions, same_numbers


def _fourth_order(order: int = 4) -> Evidence:
    import sympy

    lr = sympy.Symbol("lr", positive=True)
    rule = rules.RungeKutta("lr", order)

    def mode(z: Any, sigma: Any) -> Any:
        return z - sum((-sympy.I * lr * sigma) ** k / sympy.factorial(k) for k in range(order + 1))

    return all_of(bilinear_modes(rule, mode), critical_step(games.bilinear(3), rule, 2 * sympy.sqrt(2) / 3))


register(
    Claim(
        name="qin_2020.rk4",
        statement=(
            "On bilinear games with a nonsingular matrix joint fourth-order Runge-Kutta steps converge exactly when "
            "eta sigma_max < 2 sqrt(2)."
        ),
        latex=r"\lambda = \sum_{k\le 4} \frac{(-is)^k}{k!},\quad |\lambda|^2 = 1 - \frac{s^6}{72} + \frac{s^8}{576}",
        source="Qin et al. 2020, section 3 (ODE-GAN on the bilinear game); the exact threshold derived here",
        how=How.PROVED,
        origin=Origin.SHARPENED,
        conclusion=_fourth_order,
        outside=(Outside("the midpoint rule of order 2", lambda: {"order": 2}),),
        mutants=(Mutant("rules/runge_kutta.py", "4: ((2, 2, 1), (1, 2, 2, 1))", "4: ((2, 2, 1), (1, 2, 1, 1))"),),
    )
)


def _second_order(order: int = 2, own: Any = 0) -> Evidence:
    import sympy

    from ..analysis.local.linearize import linearize
    from ..analysis.parameters.stability import stability_region

    lr, sigma = sympy.symbols("lr sigma", positive=True)
    rule = rules.RungeKutta("lr", order)
    found = linearize(games.bilinear(sigma), rule).exact
    assert found is not None
    return all_of(
        same_expressions(found.matrix.det(), 1 + (lr * sigma) ** 4 / 4),
        Evidence(stability_region(games.quadratic(own, 1, own), rule, ("lr",)).never, "no region of stability"),
    )


register(
    Claim(
        name="qin_2020.rk2_never",
        statement="On bilinear games the joint midpoint rule (order 2) diverges with every step size.",
        latex=r"|\lambda|^2 = 1 + s^4/4 > 1",
        source="Qin et al. 2020, section 3 (orders of the integrator); the exact modulus derived here",
        how=How.PROVED,
        origin=Origin.SHARPENED,
        conclusion=_second_order,
        outside=(
            Outside("order 4", lambda: {"order": 4}),
            Outside(
                "the players have curvature of their own",
                lambda: {"own": 1},
            ),
        ),
        mutants=(Mutant("rules/runge_kutta.py", "2: ((2,), (0, 1))", "2: ((1,), (0, 1))"),),
    )
)


def _in_turn(game: Game, step: Any, joint: bool = False) -> Evidence:
    """Fourth order, one player at a time, beside alternating Euler steps."""
    import numpy as np

    from ..dynamics.iterate import iterate

    runge_kutta: Rule = rules.RungeKutta(step, 4)
    rule = runge_kutta if joint else rules.Alternating(runge_kutta)
    start = np.linspace(1.0, 2.0, game.dim)
    found = np.asarray(iterate(game, rule, start, 20).w)
    return same_numbers(found, iterate(game, rules.AlternatingGD(step), start, 20).w, 1e-13)


def _bilinear() -> Any:
    from hypothesis import strategies as st

    from . import strategies

    return st.fixed_dictionaries({"game": strategies.bilinear(square=False), "step": strategies.steps(0.3)})


register(
    Claim(
        name="qin_2020.joint_stages",
        statement=(
            "The stages of Runge-Kutta have to be joint: advanced one player at a time, the fourth-order method is the "
            "alternating Euler step on every bilinear game, and no longer converges."
        ),
        latex=r"\partial_x v_x = 0 \Rightarrow k_1 = k_2 = k_3 = k_4 = v_x",
        source=(
            "derived here; Qin et al. 2020, algorithm 1, has joint stages, while `ode_update` in the authors' "
            "odegan_mog16.ipynb steps each player with the other held fixed (on networks)"
        ),
        how=How.PROPERTY,
        origin=Origin.DERIVED,
        conclusion=_in_turn,
        hypotheses=_bilinear,
        outside=(
            Outside(
                "the players have curvature of their own",
                lambda: {"game": games.quadratic(1, 1, 1), "step": 0.2},
                restore=lambda: {"game": games.bilinear()},
            ),
            Outside("joint stages", lambda: {"game": games.bilinear(), "step": 0.2, "joint": True}),
        ),
        mutants=(Mutant("rules/runge_kutta.py", "mean = mean / sum(weights)", "mean = mean / (sum(weights) + 1)"),),
        draws=20,
    )
)
