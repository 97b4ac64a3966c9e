"""LS-GAN and GLS-GAN, the *loss-sensitive* GANs (Qi 2017): a sample should lose to its datum by a margin."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from .. import worlds
from ..errors import ParameterError
from ..types import Parameter
from ..worlds import Array, is_symbolic, number
from .declaration import parameter, register
from .pairs import PairLoss


@register(
    "generalized_loss_sensitive",
    examples=({}, {"slope": -1, "margin": 0.5}, {"slope": 1}),
    aliases=("gls-gan", "glsgan"),
)
class GeneralizedLossSensitive(PairLoss):
    """Critic: on_data E L(x) + weight E C(margin * distance + L(x) - L(G(z))), C(a) = max(a, slope * a); generator:
    E L(G(z)); L = -s.

    L is *low* on real data. slope = 0 is LS-GAN, which stops learning from pairs that keep the margin; slope = 1 is the
    Wasserstein loss whatever the margin (up to a constant); slope = -1 gives |a|. The generator never saturates. There
    is no optimal logit in closed form: the critic that Qi analyses is nonparametric and Lipschitz.

    The paper's objective (eq. 6) has on_data = 1 and weight = lambda. The author's programs have on_data = 0 (their
    `gamma`), the sum of absolute differences of pixels as distance (norm = 1) times 0.0002 (their `lambda`), slope 0.5
    in GLS-GAN, and in LS-GAN a critic that ends in a ReLU, L >= 0.

    Args:
        slope: of C on the negative side, at most 1.
        margin: weight of the distance |x - G(z)|.
        on_data: weight of E L(x).
        weight: of the pairs' cost.
        norm: of the distance, 1 or 2 or another p >= 1.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"distance"})
    slope: Parameter = parameter(default=0.01)
    margin: Parameter = parameter(default=1.0)
    on_data: Parameter = parameter(default=0)
    weight: Parameter = parameter(default=1)
    norm: float = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.norm, bool) or not isinstance(self.norm, (int, float)) or not self.norm >= 1:
            raise ParameterError(f"norm={self.norm!r}", "a number p >= 1", "norm=1")
        if not is_symbolic(self.slope) and self.slope > 1:
            raise ParameterError(f"slope={self.slope}", "a slope of at most 1, so that C is convex", "slope=0")

    def pair(self, player: str, real: Array, fake: Array, distance: Array) -> Array:
        """weight C(margin * distance - s_r + s_f) - on_data s_r, and -s_f."""
        if player == "generator":
            return -fake
        excess = number(self.margin, real) * distance - real + fake
        slope = number(self.slope, excess)
        # C(a) = slope a + (1 - slope) max(a, 0), which a symbolic slope cannot mix up with the other branch.
        cost = slope * excess + (1 - slope) * worlds.maximum(excess, 0)
        return number(self.weight, cost) * cost - number(self.on_data, real) * real


@register("loss_sensitive", examples=({}, {"margin": 0.3}), aliases=("ls-gan",))
class LossSensitive(GeneralizedLossSensitive):
    """LS-GAN: the critic minimises E max(0, margin * distance + L(x) - L(G(z))), the generator E L(G(z)), L = -s.

    Args:
        margin: of the demanded distance.
        on_data: weight of the critic's loss on data.
        weight: of the demand.
        norm: of the distance.
    """

    slope: Parameter = dataclasses.field(default=0, init=False, repr=False)
