"""The hinge loss of geometric GAN, SAGAN and BigGAN (Lim & Ye 2017, eq. 13; Miyato et al. 2018, eq. 16-17)."""

from __future__ import annotations

from .. import worlds
from ..worlds import Array
from .declaration import register
from .divergences import TOTAL_VARIATION, Measured
from .loss import Loss


@register("hinge")
class Hinge(Loss):
    """Real max(0, 1 - s), fake max(0, 1 + s), generator -s.

    The discriminator stops learning from a point beyond the margin |s| = 1; the generator never saturates. The optimum
    is s* = sign(p - q), where minus the cost is 2 TV - 2; against it the generator descends 2 TV.
    """

    def real(self, s: Array) -> Array:
        return worlds.maximum(1 - s, 0)

    def fake(self, s: Array) -> Array:
        return worlds.maximum(1 + s, 0)

    def generator(self, s: Array) -> Array:
        return -s

    def optimal_logit(self, p: Array, q: Array) -> Array:
        """sign(p - q); where p = q, any s in [-1, 1] is as good."""
        return worlds.sign(p - q)

    def divergence(self) -> Measured:
        return Measured(TOTAL_VARIATION, 2, -2)

    def generator_divergence(self) -> Measured:
        return Measured(TOTAL_VARIATION, 2)
