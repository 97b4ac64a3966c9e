"""Claims of Daskalakis, Ilyas, Syrgkanis & Zeng 2018, "Training GANs with optimism"."""

from __future__ import annotations

from typing import Any

from .. import games, rules
from .base import Claim, Evidence, How, Mutant, Outside, register


def _radius(game: Any, rule: Any) -> Any:
    from ..analysis.linearize import linearize

    return linearize(game, rule)


def _diverges(game: Any, step: Any) -> Evidence:
    from ..analysis.linearize import Verdict

    found = _radius(game, rules.SimultaneousGD(step))
    return Evidence(found.verdict is Verdict.REPELLING, f"spectral radius {found.spectral_radius:.6g}")


def _bilinear_and_step(below: float, square: bool = True) -> Any:
    from hypothesis import strategies as st

    from . import strategies

    return st.fixed_dictionaries({"game": strategies.bilinear(square=square), "step": strategies.steps(below)})


register(
    Claim(
        name="daskalakis_2018.simultaneous_diverges",
        statement="Simultaneous gradient steps of any size diverge on every bilinear game with a nonsingular matrix.",
        latex=r"\rho = \sqrt{1 + \eta^2 \sigma_{\max}^2} > 1",
        source="Daskalakis et al. 2018, proposition 1",
        how=How.PROPERTY,
        conclusion=_diverges,
        hypotheses=lambda: _bilinear_and_step(3.0),
        outside=(
            Outside(
                "own curvature: the game is strongly convex-concave",
                lambda: {"game": games.quadratic(1, 1, 1), "step": 0.5},
            ),
        ),
        mutants=(Mutant("rules/gradient.py", "w - game.per_coordinate(self.lr, w) * v", "w"),),
        draws=40,
    )
)


def _optimism(game: Any, step: Any) -> Evidence:
    from ..analysis.linearize import Verdict

    found = _radius(game, rules.OptimisticGD(step))
    return Evidence(found.verdict is Verdict.ATTRACTING, f"eta sigma_max = {step * _norm(game):.6g}")


def _norm(game: Any) -> float:
    """The largest singular value of the coupling."""
    import numpy as np

    return float(np.linalg.norm(np.array(game.jacobian_expr.tolist(), dtype=float), 2))


register(
    Claim(
        name="daskalakis_2018.optimism_converges",
        statement="On nonsingular bilinear games the optimistic rule converges for eta sigma_max < 1/sqrt(3).",
        latex=r"\eta\,\sigma_{\max} < 1/\sqrt{3} \;\Rightarrow\; \rho < 1",
        source="Daskalakis et al. 2018, theorem 1; the exact threshold by Schur-Cohn",
        how=How.PROPERTY,
        conclusion=_optimism,
        hypotheses=lambda: _bilinear_and_step(0.55),
        where=lambda game, step: step * _norm(game) < 0.577,
        outside=(Outside("a step just beyond 1/sqrt(3)", lambda: {"game": games.bilinear(), "step": 0.5775}),),
        mutants=(Mutant("rules/extragradient.py", '2 * v - state["previous_field"]', "v"),),
        draws=40,
    )
)
