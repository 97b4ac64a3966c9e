"""DRAGAN: slopes of one in a neighbourhood of the data alone (Kodali et al. 2017, eq. 3 and the authors' code)."""

from __future__ import annotations

from typing import ClassVar

from ..types import Parameter
from ..worlds import Array, number
from .declaration import register, weight
from .penalty import Critic, GradientPenalty, length


@register("DRAGAN", examples=({}, {"lam": 0.2, "target": 0.0}), aliases=("dragan",))
class DRAGAN(GradientPenalty):
    """lam E (|grad_x s| - target)^2 at x + a (x_p - x), with x_p = x + scale * std(x) * U[0, 1] and a uniform.

    The noise is uniform on [0, 1] in every coordinate, so it is one-sided, as in the authors' code; std is over the
    whole batch. There is no 1/2: lam = gamma/2 of `WGANGP`. The gradient is that of the logit. On the Dirac-GAN the
    data have no spread, and it is lam (|phi| - target)^2.

    Args:
        lam: weight, 10 in the paper.
        target: the slope aimed at.
        scale: size of the neighbourhood in standard deviations of the data.
    """

    stochastic: ClassVar[bool] = True
    lam: Parameter = weight(default=10.0)
    target: Parameter = weight(default=1.0)
    scale: Parameter = weight(default=0.5)

    def points(self, critic: Critic) -> Array:
        """Between data and perturbed data."""
        x = critic.real
        offset = number(self.scale, x) * critic.deviation(x) * critic.uniform(x)
        return x + critic.uniform(x, per_point=True) * offset

    def value(self, squared_slope: Array) -> Array:
        """lam (|grad| - target)^2."""
        excess = length(squared_slope) - number(self.target, squared_slope)
        return number(self.lam, squared_slope) * excess**2
