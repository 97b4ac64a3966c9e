"""Where a law reaches bounds of the feasible set, and what moments of a linear map say about it no longer holds."""

from __future__ import annotations

import numpy as np

from ...errors import DomainError
from ...types import Array, Game
from .random_map import RandomMap

LEAST_MARGIN = 1.0  # deviations of the noise by which a bound must press
MOST_BEYOND = 0.05  # share of the law that may lie beyond a bound
POINTS, ROUNDING = 1000, 1e-9


def refuse_cut_off(game: Game, step: RandomMap, mean: Array, covariance: Array) -> None:
    """Refuse a stationary law of which bounds cut off a part that counts: beyond them runs are projected back.

    Args:
        game: the game without the noise. step: one noisy step of the rule. mean, covariance: of w, (d,) and (d, d).

    Raises:
        DomainError: where one step's noise leaves a bound that presses, or a twentieth of a Gaussian with this mean
            and covariance lies outside the feasible set.
    """
    why, margin = "", step.margin
    drawn = np.random.default_rng(0).multivariate_normal(mean, covariance, POINTS, check_valid="ignore")
    moved = np.abs(game.project(drawn) - drawn).max(-1)
    share = float((moved > ROUNDING * (1 + np.abs(drawn).max())).mean())
    if margin is not None and margin < LEAST_MARGIN:
        why = f"noise leaves the face of the bounds that press beyond {margin:.3g} standard deviations"
    elif share > MOST_BEYOND:
        why = f"{100 * share:.0f} % of the law without bounds lies outside the feasible set"
    if why:
        raise DomainError(
            f"undecided: the law of {step.rule!r} on {game.name}, where {why}",
            "noise that hardly reaches the bounds",
            f"simulate it: gd.iterate(game, {step.rule.name}(...), starts, steps, noise=...)",
        )
