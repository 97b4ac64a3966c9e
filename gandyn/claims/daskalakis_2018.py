"""Claims of Daskalakis, Ilyas, Syrgkanis & Zeng 2018, "Training GANs with optimism"."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .. import analysis, games, rules
from ..types import Game, Parameter, Rule
from . import strategies
from .declare import Evidence, Paper, drawn, fails, formula, reproduced, where
from .evidence import all_of, attracting, orbit, same_numbers, singular_values, spectral

daskalakis = Paper("daskalakis_2018")


@daskalakis.says("Daskalakis et al. 2018, proposition 1")
@formula(r"\rho = \sqrt{1 + \eta^2 \sigma_{\max}^2} > 1")
@drawn(40, game=strategies.bilinear(), step=strategies.steps(3.0))
@fails(
    "own curvature: the game is strongly convex-concave",
    lambda: {"game": games.quadratic(1, 1, 1), "step": 0.5},
    game=games.bilinear,
)
def simultaneous_diverges(game: Game, step: object) -> Evidence:
    """Simultaneous gradient steps of any size diverge on every bilinear game with a nonsingular matrix."""
    found = analysis.linearize(game, rules.SimultaneousGD(step))
    least = float(np.abs(found.eigenvalues).min())
    expected = float(np.sqrt(1 + (step * singular_values(game)[0]) ** 2))
    return all_of(Evidence(least > 1, f"all beyond {least:.6g}"), same_numbers(found.spectral_radius, expected, 1e-12))


@daskalakis.sharpened("Daskalakis et al. 2018, theorem 1; the exact threshold by Schur-Cohn")
@formula(r"\eta\,\sigma_{\max} < 1/\sqrt{3} \;\Rightarrow\; \rho < 1")
@drawn(40, game=strategies.bilinear(), step=strategies.steps(0.4))
@where(lambda game, step: bool(step * singular_values(game)[0] < 0.577))
@fails("a step just beyond 1/sqrt(3)", lambda: {"game": games.bilinear(), "step": 0.5775}, step=0.5765)
def optimism_converges(game: Game, step: Parameter) -> Evidence:
    """On nonsingular bilinear games the optimistic rule converges for eta sigma_max < 1/sqrt(3)."""
    longest = step * float(singular_values(game)[0])
    found = attracting(game, rules.OptimisticGD(step))
    return Evidence(found.holds, f"{found.detail}, eta sigma_max = {longest:.6g}")


@daskalakis.says("Daskalakis et al. 2018, section 2 and its figure (target (3, 4), step 0.1, 1000 steps)")
@reproduced(r"\rho = \sqrt{\tfrac{1+\sqrt{1-4\eta^2}}{2}} = 0.99493\ldots,\qquad \eta = 0.1")
@fails("gradient descent-ascent", lambda: {"rule": rules.SimultaneousGD})
@fails("alternating steps circle", lambda: {"rule": rules.AlternatingGD})
def mean_learning(rule: Callable[..., Rule] = rules.OptimisticGD, steps: int = 1000) -> Evidence:
    """A WGAN that learns the mean (3, 4) with a linear critic and steps 0.1 converges in its last iterate under the
    optimistic rule, by the factor 0.99494 a step, where gradient descent-ascent circles outwards.

    The last iterate, and its rate: modulus sqrt((1 + sqrt(1 - 4 s^2)) / 2) with s = 1/10.
    """
    game = games.gaussian_wgan((3, 4))
    apart = np.linalg.norm(orbit(game, rule(0.1), [0.0] * 4, steps) - [3, 4, 0, 0], axis=-1)
    modulus = ((1 + (1 - 4 * 0.01) ** 0.5) / 2) ** 0.5
    measured = float((apart[-1] / apart[steps // 2]) ** (2 / steps))
    return all_of(
        Evidence(bool(apart[-1] < 0.05), f"{apart[-1]:.3g} from (3, 4) after {steps} steps"),
        same_numbers(spectral(game, rule(0.1)), modulus, 1e-12),
        same_numbers(measured, modulus, 1e-9),
    )
