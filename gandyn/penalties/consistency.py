"""Consistency: the logit should not change under small perturbations (Zhang et al. 2020; Wei et al. 2018)."""

from __future__ import annotations

from typing import ClassVar

from .. import worlds
from ..types import Parameter
from ..worlds import Array, number
from .declaration import register, weight
from .penalty import Critic, Penalty, root


@register(
    "Consistency",
    examples=({"lam": 10.0, "variance": 0.01}, {"lam": 2.0, "variance": 0.1, "both": True, "on_fakes": True}),
    aliases=("consistency",),
)
class Consistency(Penalty):
    """lam E max(0, (s(x + e) - s(x))^2 - margin) over data, with Gaussian perturbations e of the given variance.

    Consistency regularisation compares a point with its perturbation (CR-GAN, Zhang et al. 2020); the consistency term
    of CT-GAN compares two perturbations beyond a margin (`both`, Wei et al. 2018; its perturbations are the
    discriminator's own dropout). For small variance v it is lam v E|grad s|^2: on the Dirac-GAN, whose critic is
    linear, exactly lam v phi^2, that is R1 with gamma = 2 lam v; with `both`, twice that.

    Args:
        lam: weight.
        variance: of the perturbations, per coordinate.
        both: perturb both points of a pair.
        margin: squared changes up to it are free.
        on_fakes: over samples as well (bCR-GAN).
    """

    stochastic: ClassVar[bool] = True
    lam: Parameter = weight()
    variance: Parameter = weight()
    both: bool = False
    margin: Parameter = weight(default=0.0)
    on_fakes: bool = False

    def cost(self, critic: Critic) -> Array:
        """The term over data, and over samples if asked for."""
        total = self._over(critic.real, critic)
        return total + self._over(critic.fake, critic) if self.on_fakes else total

    def _over(self, points: Array, critic: Critic) -> Array:
        deviation = root(self.variance, points)
        other = points + deviation * critic.normal(points) if self.both else points
        change = (critic.logit(points + deviation * critic.normal(points)) - critic.logit(other)) ** 2
        if self.margin != 0:
            change = worlds.maximum(change - number(self.margin, change), 0)
        return number(self.lam, change) * critic.mean(change)
