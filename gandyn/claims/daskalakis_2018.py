"""Claims of Daskalakis, Ilyas, Syrgkanis & Zeng 2018, "Training GANs with optimism"."""

from __future__ import annotations

from typing import Any

from .. import games, rules
from ..types import Game
from .base import Claim, Evidence, How, Mutant, Origin, Outside, register
from .evidence import all_of, attracting, same_numbers, singular_values, spectral


def _diverges(game: Game, step: Any) -> Evidence:
    """Spectral radius sqrt(1 + eta^2 sigma_max^2), and no eigenvalue within the unit circle."""
    import numpy as np

    from ..analysis.local.linearize import linearize

    found = linearize(game, rules.SimultaneousGD(step))
    least = float(np.abs(found.eigenvalues).min())
    expected = float(np.sqrt(1 + (step * singular_values(game)[0]) ** 2))
    return all_of(Evidence(least > 1, f"all beyond {least:.6g}"), same_numbers(found.spectral_radius, expected, 1e-12))


def _bilinear_and_step(below: float) -> Any:
    from hypothesis import strategies as st

    from . import strategies

    return st.fixed_dictionaries({"game": strategies.bilinear(), "step": strategies.steps(below)})


register(
    Claim(
        name="daskalakis_2018.simultaneous_diverges",
        statement="Simultaneous gradient steps of any size diverge on every bilinear game with a nonsingular matrix.",
        latex=r"\rho = \sqrt{1 + \eta^2 \sigma_{\max}^2} > 1",
        source="Daskalakis et al. 2018, proposition 1",
        how=How.PROPERTY,
        origin=Origin.PAPER,
        conclusion=_diverges,
        hypotheses=lambda: _bilinear_and_step(3.0),
        outside=(
            Outside(
                "own curvature: the game is strongly convex-concave",
                lambda: {"game": games.quadratic(1, 1, 1), "step": 0.5},
                restore=lambda: {"game": games.bilinear()},
            ),
        ),
        mutants=(Mutant("rules/gradient.py", "w - game.per_coordinate(self.lr, w) * v", "w"),),
        draws=40,
    )
)


def _optimism(game: Game, step: Any) -> Evidence:
    longest = step * float(singular_values(game)[0])
    found = attracting(game, rules.OptimisticGD(step))
    return Evidence(found.holds, f"{found.detail}, eta sigma_max = {longest:.6g}")


register(
    Claim(
        name="daskalakis_2018.optimism_converges",
        statement="On nonsingular bilinear games the optimistic rule converges for eta sigma_max < 1/sqrt(3).",
        latex=r"\eta\,\sigma_{\max} < 1/\sqrt{3} \;\Rightarrow\; \rho < 1",
        source="Daskalakis et al. 2018, theorem 1; the exact threshold by Schur-Cohn",
        how=How.PROPERTY,
        origin=Origin.SHARPENED,
        conclusion=_optimism,
        hypotheses=lambda: _bilinear_and_step(0.4),
        where=lambda game, step: bool(step * singular_values(game)[0] < 0.577),
        outside=(
            Outside(
                "a step just beyond 1/sqrt(3)",
                lambda: {"game": games.bilinear(), "step": 0.5775},
                restore=lambda: {"step": 0.5765},
            ),
        ),
        mutants=(Mutant("rules/extragradient.py", '2 * v - state["previous_field"]', "v"),),
        draws=40,
    )
)


def _learns(rule: Any = rules.OptimisticGD, steps: int = 1000) -> Evidence:
    """The last iterate, and its rate: modulus sqrt((1 + sqrt(1 - 4 s^2)) / 2) with s = 1/10."""
    import numpy as np

    from ..dynamics.iterate import iterate

    game = games.gaussian_wgan((3, 4))
    apart = np.linalg.norm(np.asarray(iterate(game, rule(0.1), [0.0] * 4, steps).w) - [3, 4, 0, 0], axis=-1)
    modulus = ((1 + (1 - 4 * 0.01) ** 0.5) / 2) ** 0.5
    measured = float((apart[-1] / apart[steps // 2]) ** (2 / steps))
    return all_of(
        Evidence(bool(apart[-1] < 0.05), f"{apart[-1]:.3g} from (3, 4) after {steps} steps"),
        same_numbers(spectral(game, rule(0.1)), modulus, 1e-12),
        same_numbers(measured, modulus, 1e-4),
    )


register(
    Claim(
        name="daskalakis_2018.mean_learning",
        statement=(
            "A WGAN that learns the mean (3, 4) with a linear critic and steps 0.1 converges in its last iterate under "
            "the optimistic rule, by the factor 0.99494 a step, where gradient descent-ascent circles outwards."
        ),
        latex=r"\rho = \sqrt{\tfrac{1+\sqrt{1-4\eta^2}}{2}} = 0.99493\ldots,\qquad \eta = 0.1",
        source="Daskalakis et al. 2018, section 2 and its figure (target (3, 4), step 0.1, 1000 steps)",
        how=How.REPRODUCED,
        origin=Origin.PAPER,
        conclusion=_learns,
        outside=(
            Outside("gradient descent-ascent", lambda: {"rule": rules.SimultaneousGD}),
            Outside("alternating steps circle", lambda: {"rule": rules.AlternatingGD}),
        ),
        mutants=(Mutant("rules/extragradient.py", '2 * v - state["previous_field"]', "v"),),
    )
)
