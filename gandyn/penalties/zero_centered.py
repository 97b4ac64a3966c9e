"""0-GP: the zero-centred gradient penalty between data and samples (Thanh-Tung et al. 2019, section 5)."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from ..types import Parameter
from ..worlds import Array, number
from .declaration import register, weight
from .penalty import Critic, GradientPenalty, interpolates


@dataclasses.dataclass(frozen=True)
class ZeroCentredPenalty(GradientPenalty):
    """(gamma / 2) E |grad_x s(x)|^2 over points that a subclass chooses; on the Dirac-GAN, (gamma / 2) phi^2.

    Code that multiplies E |grad s|^2 by its weight without the 1/2 (Mescheder's `reg_param`) has gamma = 2 weight.
    """

    gamma: Parameter = weight()

    def value(self, squared_slope: Array) -> Array:
        """(gamma / 2) |grad|^2."""
        return number(self.gamma, squared_slope) * squared_slope / 2


@register("ZeroCentered", examples=({"gamma": 0.3},), aliases=("zero_centered", "0-gp"))
class ZeroCentered(ZeroCentredPenalty):
    """(gamma / 2) E |grad_x s(x)|^2 at x = real + u (fake - real), u uniform: slopes on the whole way between.

    R1 and R2 leave the slope free between the supports; this does not. On the Dirac-GAN it is R1 again.

    Args:
        gamma: weight.
    """

    stochastic: ClassVar[bool] = True

    def points(self, critic: Critic) -> Array:
        """Interpolates."""
        return interpolates(critic)
