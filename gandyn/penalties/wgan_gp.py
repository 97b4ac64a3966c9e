"""WGAN-GP: slopes between data and samples drawn to a target, one by default (Gulrajani et al. 2017, eq. 3)."""

from __future__ import annotations

from typing import ClassVar

from .. import worlds
from ..types import Parameter
from ..worlds import Array, number
from .declaration import register, weight
from .penalty import Critic, GradientPenalty, interpolates, length


@register(
    "WGANGP",
    examples=({"gamma": 0.7}, {"gamma": 20, "one_sided": True}, {"gamma": 1, "target": 0.5}),
    aliases=("wgan-gp",),
)
class WGANGP(GradientPenalty):
    """(gamma / 2) E (|grad_x s(x)| - target)^2 at x = real + u (fake - real), u uniform.

    On the Dirac-GAN (gamma / 2)(|phi| - target)^2, as in Mescheder et al. 2018 (section 4.1): it has a corner at
    phi = 0, from which the discriminator is pushed away, so that (0, 0) is no equilibrium. Gulrajani's lambda = 10 has
    no 1/2: gamma = 20.

    Args:
        gamma: weight.
        target: the slope aimed at.
        one_sided: penalise only slopes above the target (WGAN-LP, Petzka et al. 2018, eq. 8).
    """

    stochastic: ClassVar[bool] = True
    gamma: Parameter = weight()
    target: Parameter = weight(default=1.0)
    one_sided: bool = False

    def points(self, critic: Critic) -> Array:
        """Interpolates."""
        return interpolates(critic)

    def value(self, squared_slope: Array) -> Array:
        """(gamma / 2)(|grad| - target)^2, of the positive part if one-sided."""
        excess = length(squared_slope) - number(self.target, squared_slope)
        excess = worlds.maximum(excess, 0) if self.one_sided else excess
        return number(self.gamma, squared_slope) * excess**2 / 2
