"""Gradient clipping around any first-order rule: each player's gradient is kept short."""

from __future__ import annotations

from ..errors import ParameterError
from ..types import Array, Game, Parameter, Rule
from ..worlds import clip, maximum, ones_like, sqrt
from .declaration import modulus, register, step_size, trials
from .gradient import SimultaneousGD
from .views import BentField
from .wrapper import OnNewField


@register
class Clipped(OnNewField):
    """`inner` on v_i min(1, norm / |v_i|) for each player i, and with entries clipped to [-value, value].

    Pascanu et al. 2013, algorithm 1, player by player. Where nothing exceeds the bounds it is `inner` itself.

    Args:
        inner: a rule that uses fields alone.
        norm: largest Euclidean norm of a player's gradient; None for no bound.
        value: largest entry in absolute value; None for no bound.
    """

    inner: Rule
    norm: Parameter = step_size(default=None)
    value: Parameter = step_size(default=None)
    loses = ("smooth", "linear_in_field")
    bilinear_modulus = modulus(lambda s, inner: inner.bilinear_modulus(s))
    examples = trials(lambda rule: [rule(SimultaneousGD(0.1), norm=1.0), rule(SimultaneousGD((0.1, 0.05)), value=0.5)])

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.norm is None and self.value is None:
            raise ParameterError("Clipped without a bound", "norm=..., value=..., or both", "norm=1.0")

    def field_of(self, game: Game) -> BentField:
        """The game with clipped gradients."""

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
