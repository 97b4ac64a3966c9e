"""Gradient centralisation: every weight matrix's gradient loses its mean before another rule uses it."""

from __future__ import annotations

import math

from ..types import Array, Batch, Game, Parameter, Rule
from ..worlds import concatenate, mean
from .declaration import modulus, register, trials, weight
from .gradient import SimultaneousGD
from .views import BentField
from .wrapper import OnNewField


@register
class GradientCentralization(OnNewField):
    """`inner` on P(v + weight_decay w): P subtracts from each tensor its mean over all dimensions but the first.

    Yong et al. 2020, eqs. 1-2. The first dimension is the output one of linear and convolution weights. Tensors of
    fewer than two dimensions pass untouched, with `convolutions_only` (GCC) those of fewer than three. P is an
    orthogonal projection: under gradient steps the means of the weights never move, under Adam they do. A game says how
    its blocks are packed by `tensor_shapes`; toys have one 1-D tensor per player, on which this rule is `inner` itself.

    Args:
        inner: a rule that uses fields alone, such as SimultaneousGD, SGDM, Adam, or Alternating around one of them.
        convolutions_only: leave matrices alone.
        weight_decay: added to the gradient before P, as the authors do.
    """

    inner: Rule
    convolutions_only: bool = False
    weight_decay: Parameter = weight(default=0)
    aliases = ("GC",)
    bilinear_modulus = modulus(lambda s, inner, weight_decay: None if weight_decay != 0 else inner.bilinear_modulus(s))
    examples = trials(
        lambda rule: [
            rule(SimultaneousGD(0.1)),
            rule(SimultaneousGD((0.1, 0.05)), convolutions_only=True, weight_decay=0.1),
        ]
    )

    def field_of(self, game: Game) -> CentralizedField:
        """The game with centralised gradients."""
        return CentralizedField(game, self.convolutions_only, self.weight_decay)


class CentralizedField(BentField):
    """The game with the field P(v + decay w)."""

    def __init__(self, game: Game, convolutions_only: bool, decay: Parameter) -> None:
        super().__init__(game, self._centralize)
        self.least, self.decay = (3 if convolutions_only else 2), decay

    def field(self, w: Array, batch: Batch = None, only: int | str | None = None) -> Array:
        """P(v(w) + decay w), in the blocks of the players asked for."""
        v = self.game.field(w, batch, only)
        if self.decay != 0:
            decayed = w * self.game.per_coordinate(self.decay, w)
            if only is None:
                v = v + decayed
            else:
                own = self.slices[self.player_index(only)]
                v = concatenate([v[..., : own.start], v[..., own] + decayed[..., own], v[..., own.stop :]])
        return self._centralize(v)

    def _centralize(self, v: Array) -> Array:
        shapes = [shape for player in self.tensor_shapes for shape in player]
        if all(len(shape) < self.least for shape in shapes):
            return v
        pieces, start = [], 0
        for shape in shapes:
            piece = v[..., start : start + math.prod(shape)]
            start += math.prod(shape)
            if len(shape) >= self.least:
                rows = piece.reshape((*piece.shape[:-1], shape[0], math.prod(shape[1:])))
                piece = (rows - mean(rows)).reshape(piece.shape)
            pieces.append(piece)
        return concatenate(pieces)
