"""The Wasserstein GAN: the critic's mean on data minus its mean on samples (Arjovsky et al. 2017, eq. 2)."""

from __future__ import annotations

from typing import ClassVar

from .. import worlds
from ..errors import DomainError
from ..worlds import Array
from .declaration import register
from .loss import Loss


@register("wasserstein", aliases=("wgan",))
class Wasserstein(Loss):
    """Linear costs, zero-sum: real -s, fake s, generator -s. The critic must be kept Lipschitz by other means.

    Never saturates: every slope is +-1. Over all critics with |ds/dx| <= 1 the value is the Wasserstein-1 distance
    (Kantorovich-Rubinstein); over all critics with |s| <= 1 it is twice the total variation; over all critics it is
    unbounded wherever p != q, so there is no optimal logit without a constraint. On the line the best 1-Lipschitz
    critic has slope sign(Q - P), with the distribution functions P of the data and Q of the samples, and the distance
    is the integral of |P - Q|.
    """

    zero_sum: ClassVar[bool] = True

    def real(self, s: Array) -> Array:
        return -s

    def fake(self, s: Array) -> Array:
        return s

    def generator(self, s: Array) -> Array:
        return -s

    def optimal_logit(self, p: Array, q: Array) -> Array:
        """None exists.

        Raises:
            DomainError: always: the value is unbounded.
        """
        raise DomainError(
            "the optimal logit of Wasserstein, whose value is unbounded over all critics",
            "a constraint on the critic",
            "use optimal_slope, which is the best 1-Lipschitz critic on the line",
        )

    def optimal_slope(self, real_cdf: Array, fake_cdf: Array) -> Array:
        """ds*/dx of the best 1-Lipschitz critic in one dimension, from the two distribution functions."""
        return worlds.sign(fake_cdf - real_cdf)
