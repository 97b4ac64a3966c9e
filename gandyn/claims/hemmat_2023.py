"""Claims of Hemmat, Mitra, Lajoie & Mitliagkas 2023, "LEAD: least-action dynamics for min-max optimization"."""

from __future__ import annotations

from typing import Any

from .. import games, rules
from ..types import Game
from .base import Claim, Evidence, How, Mutant, Origin, Outside, register
from .evidence import all_of, bilinear_modes, same_numbers


def _region(momentum: Any = 0) -> Evidence:
    """Stable for s < 2 a (1 - a^2) / (1 + a^2), a = alpha sigma; modes z^2 - (1 + beta - i (s + a)) z + beta - i a."""
    import sympy

    from ..analysis.parameters.stability import stability_region

    lr, alpha = sympy.symbols("lr alpha", positive=True)
    rule = rules.LEAD("lr", "alpha", momentum)
    third = sympy.Rational(1, 3)
    edge = 2 * third * (1 - third**2) / (1 + third**2)
    critical = stability_region(games.bilinear(), rules.LEAD("lr", third, momentum), ("lr",)).critical("lr")
    beyond = stability_region(games.bilinear(), rules.LEAD("lr", 1, momentum), ("lr",)).critical("lr")
    return all_of(
        Evidence(bool(critical == edge), f"alpha sigma = 1/3: critical step {critical} beside {edge}"),
        Evidence(bool(beyond == 0), f"alpha sigma = 1: critical step {beyond}"),
        bilinear_modes(
            rule,
            lambda z, sigma: (
                z**2 + z * (sympy.I * (lr + alpha) * sigma - 1 - momentum) + momentum - sympy.I * alpha * sigma
            ),
        ),
    )


register(
    Claim(
        name="hemmat_2023.bilinear_region",
        statement=(
            "On bilinear games LEAD without momentum converges exactly when eta sigma < 2a(1 - a^2)/(1 + a^2), "
            "a = alpha sigma < 1, for every singular value sigma: the coupling term alone makes it converge."
        ),
        latex=r"z^2 - (1 - is - ia)z - ia = 0, \qquad |z|<1 \iff s < \frac{2a(1-a^2)}{1+a^2}",
        source="Hemmat et al. 2023, the theorem on convergence for bilinear games; the exact region by Schur-Cohn",
        how=How.INSTANCE,
        origin=Origin.SHARPENED,
        conclusion=_region,
        outside=(Outside("a momentum of 1/2 beside it", lambda: {"momentum": 0.5}),),
        mutants=(Mutant("rules/lead.py", "* v - force", "* v + force"),),
    )
)


def _optimistic(game: Game, step: Any) -> Evidence:
    import numpy as np

    from ..dynamics.iterate import iterate

    start = np.linspace(1.0, 2.0, game.dim)
    lead = np.asarray(iterate(game, rules.LEAD(step, step), start, 40).w)
    optimistic = np.asarray(iterate(game, rules.OptimisticGD(step), start, 40).w)
    scale = max(1.0, float(np.abs(optimistic).max()))
    return same_numbers(lead / scale, optimistic / scale, 1e-12)


def _draws() -> Any:
    from hypothesis import strategies as st

    from . import strategies

    return st.fixed_dictionaries({"game": strategies.bilinear(square=False), "step": strategies.steps(0.3)})


register(
    Claim(
        name="hemmat_2023.optimism",
        statement=(
            "On bilinear games LEAD with alpha = eta and no momentum makes the steps of the optimistic rule, so that "
            "its threshold becomes eta sigma_max < 1/sqrt(3)."
        ),
        latex=r"\alpha = \eta,\ \beta = 0:\quad \eta v_t + \alpha J_o (w_t - w_{t-1}) = 2\eta v_t - \eta v_{t-1}",
        source="Hemmat et al. 2023, comparison with optimistic gradient descent; derived here",
        how=How.PROPERTY,
        origin=Origin.DERIVED,
        conclusion=_optimistic,
        hypotheses=_draws,
        outside=(
            Outside(
                "the players have curvature of their own, which LEAD leaves out",
                lambda: {"game": games.quadratic(1, 1, 1), "step": 0.2},
                restore=lambda: {"game": games.bilinear()},
            ),
        ),
        mutants=(Mutant("rules/lead.py", 'drift = w - state["previous"]', 'drift = state["previous"] - w'),),
        draws=20,
    )
)
