"""The discriminator of the original GAN, a logistic classifier: shared by the losses that differ in the generator."""

from __future__ import annotations

import dataclasses
import math

from .. import worlds
from ..worlds import Array
from .divergences import JENSEN_SHANNON, Measured
from .loss import Loss


@dataclasses.dataclass(frozen=True)
class Logistic(Loss):
    """Cross-entropy: with D = sigmoid(s), real softplus(-s) = -log D, fake softplus(s) = -log(1 - D).

    The optimum is D* = p / (p + q), s* = log p - log q, where minus the cost is 2 JS(p, q) - log 4
    (Goodfellow et al. 2014, proposition 1 and theorem 1).
    """

    def real(self, s: Array) -> Array:
        """-log D."""
        return worlds.softplus(-s)

    def fake(self, s: Array) -> Array:
        """-log(1 - D)."""
        return worlds.softplus(s)

    def optimal_logit(self, p: Array, q: Array) -> Array:
        """Log p - log q."""
        return worlds.log(p) - worlds.log(q)

    def divergence(self) -> Measured:
        """2 JS - log 4."""
        return Measured(JENSEN_SHANNON, 2, -math.log(4))
