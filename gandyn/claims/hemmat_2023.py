"""Claims of Hemmat, Mitra, Lajoie & Mitliagkas 2023, "LEAD: least-action dynamics for min-max optimization"."""

from __future__ import annotations

import numpy as np

from .. import games, rules
from ..lazy import sympy
from ..types import Game, Parameter
from . import strategies
from .declare import Evidence, Paper, drawn, fails, formula, instance
from .evidence import all_of, bilinear_modes, critical, orbit, same_numbers

hemmat = Paper("hemmat_2023")


@hemmat.sharpened("Hemmat et al. 2023, the theorem on convergence for bilinear games; the exact region by Schur-Cohn")
@instance(r"z^2 - (1 - is - ia)z - ia = 0, \qquad |z|<1 \iff s < \frac{2a(1-a^2)}{1+a^2}")
@fails("a momentum of 1/2 beside it", lambda: {"momentum": 0.5})
def bilinear_region(momentum: Parameter = 0) -> Evidence:
    """On bilinear games LEAD without momentum converges exactly when eta sigma < 2a(1 - a^2)/(1 + a^2), a = alpha sigma
    < 1, for every singular value sigma: the coupling term alone makes it converge.
    """
    lr, alpha = sympy.symbols("lr alpha", positive=True)
    rule = rules.LEAD("lr", "alpha", momentum)

    def mode(z: sympy.Expr, sigma: Parameter) -> sympy.Expr:
        return z**2 + z * (sympy.I * (lr + alpha) * sigma - 1 - momentum) + momentum - sympy.I * alpha * sigma

    third = sympy.Rational(1, 3)
    edge = 2 * third * (1 - third**2) / (1 + third**2)
    found, beyond = (critical(games.bilinear(), rules.LEAD("lr", a, momentum)) for a in (third, 1))
    return all_of(
        Evidence(bool(found == edge), f"alpha sigma = 1/3: critical step {found} beside {edge}"),
        Evidence(bool(beyond == 0), f"alpha sigma = 1: critical step {beyond}"),
        bilinear_modes(rule, mode),
    )


@hemmat.derived("Hemmat et al. 2023, comparison with optimistic gradient descent; derived here")
@formula(r"\alpha = \eta,\ \beta = 0:\quad \eta v_t + \alpha J_o (w_t - w_{t-1}) = 2\eta v_t - \eta v_{t-1}")
@drawn(20, game=strategies.bilinear(square=False), step=strategies.steps(0.3))
@fails(
    "the players have curvature of their own, which LEAD leaves out",
    lambda: {"game": games.quadratic(1, 1, 1), "step": 0.2},
    game=games.bilinear,
)
def optimism(game: Game, step: object) -> Evidence:
    """On bilinear games LEAD with alpha = eta and no momentum makes the steps of the optimistic rule, so that its
    threshold becomes eta sigma_max < 1/sqrt(3).
    """
    start = np.linspace(1.0, 2.0, game.dim)
    lead = orbit(game, rules.LEAD(step, step), start, 40)
    optimistic = orbit(game, rules.OptimisticGD(step), start, 40)
    scale = max(1.0, float(np.abs(optimistic).max()))
    return same_numbers(lead / scale, optimistic / scale, 1e-12)
