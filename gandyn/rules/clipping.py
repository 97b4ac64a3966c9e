"""Gradient clipping around any first-order rule: each player's gradient is kept short."""

from __future__ import annotations

import dataclasses
from typing import Any

from ..errors import ParameterError
from ..types import Array, Domain, Game, Info, Rule, State
from ..worlds import clip, maximum, ones_like, sqrt
from .declaration import register, step_size
from .gradient import SimultaneousGD
from .views import BentField
from .wrapper import Wrapper, refuse_second_order


@register
class Clipped(Wrapper):
    """`inner` on v_i min(1, norm / |v_i|) for each player i, and with entries clipped to [-value, value].

    Pascanu et al. 2013, algorithm 1, player by player. Where nothing exceeds the bounds it is `inner` itself.

    Args:
        inner: a rule that uses fields alone.
        norm: largest Euclidean norm of a player's gradient; None for no bound.
        value: largest entry in absolute value; None for no bound.
    """

    inner: Rule
    norm: Any = step_size(default=None)
    value: Any = step_size(default=None)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.norm is None and self.value is None:
            raise ParameterError("Clipped without a bound", "norm=..., value=..., or both", "norm=1.0")
        refuse_second_order(self, self.inner)

    @property
    def domain(self) -> Domain:  # type: ignore[override]
        """The inner rule's, but neither smooth nor linear in the field."""
        return dataclasses.replace(self.inner.domain, smooth=False, linear_in_field=False)

    def bilinear_modulus(self, s: float) -> float | None:
        """The inner rule's: near the equilibrium nothing is clipped."""
        return self.inner.bilinear_modulus(s)

    @classmethod
    def examples(cls) -> list[Rule]:
        """Both bounds."""
        return [cls(SimultaneousGD(0.1), norm=1.0), cls(SimultaneousGD((0.1, 0.05)), value=0.5)]

    def init(self, game: Game, w: Array, rng: Any = None) -> State:
        """The inner rule's state."""
        self.check(game)
        return self.inner.init(self._view(game), w, rng)

    def step(self, game: Game, w: Array, state: State, rng: Any = None) -> tuple[Array, State, Info]:
        """One inner step on the clipped game."""
        return self.inner.step(self._view(game), w, state, rng)

    def _view(self, game: Game) -> BentField:
        def bend(v: Array) -> Array:
            if self.norm is not None:
                bound = game.per_coordinate(self.norm, v) * ones_like(v)
                # The root is taken of something positive only, so that its derivative exists at v = 0.
                v = v * bound / sqrt(maximum(game.dot_per_player(v, v), bound * bound))
            if self.value is not None:
                bound = game.per_coordinate(self.value, v) * ones_like(v)
                v = clip(v, -bound, bound)
            return v

        return BentField(game, bend)
