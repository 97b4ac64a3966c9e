"""Where a law reaches bounds of the feasible set, and what moments of a linear map say about it no longer holds."""

from __future__ import annotations

from typing import Protocol, TypeVar

import numpy as np

from ...errors import DomainError
from ...types import Array, Game, Rule
from .random_map import RandomMap

LEAST_MARGIN = 1.0  # deviations of the noise by which a bound must press
MOST_BEYOND = 0.05  # share of the law that may lie beyond a bound
POINTS, ROUNDING = 1000, 1e-9


class Law(Protocol):
    """What is read of a stationary law."""

    @property
    def game(self) -> Game:
        """The game without the noise."""
        ...

    @property
    def rule(self) -> Rule:
        """The rule."""
        ...

    @property
    def step(self) -> RandomMap:
        """One noisy step as a random affine map."""
        ...

    @property
    def exists(self) -> bool | None:
        """Whether there is one; None while that depends on free symbols."""
        ...

    @property
    def mean(self) -> Array:
        """E[w], (d,)."""
        ...

    @property
    def covariance(self) -> Array:
        """Of w, (d, d)."""
        ...


L = TypeVar("L", bound=Law)


def refuse_cut_off(law: L) -> L:
    """The law itself, unless the bounds cut off a part of it that counts: beyond them runs are projected back.

    Raises:
        DomainError: where one step's noise leaves a bound that presses, or a twentieth of a Gaussian with the law's
            mean and covariance lies outside the feasible set.
    """
    game, margin = law.game, law.step.margin
    if not game.constrained or not law.exists:
        return law
    if margin is not None and margin < LEAST_MARGIN:
        raise _undecided(law, f"noise leaves the face of the bounds that press beyond {margin:.3g} standard deviations")
    drawn = np.random.default_rng(0).multivariate_normal(law.mean, law.covariance, POINTS, check_valid="ignore")
    moved = np.abs(game.project(drawn) - drawn).max(-1)
    share = float((moved > ROUNDING * (1 + np.abs(drawn).max())).mean())
    if share > MOST_BEYOND:
        raise _undecided(law, f"{100 * share:.0f} % of the law without bounds lies outside the feasible set")
    return law


def _undecided(law: Law, why: str) -> DomainError:
    return DomainError(
        f"undecided: the law of {law.rule!r} on {law.game.name}, where {why}",
        "noise that hardly reaches the bounds",
        f"simulate it: gd.iterate(game, {law.rule.name}(...), starts, steps, noise=...)",
    )
