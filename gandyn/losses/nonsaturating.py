"""The non-saturating GAN: the generator minimises -log D instead of log(1 - D) (Goodfellow et al. 2014, section 3)."""

from __future__ import annotations

from .. import worlds
from ..worlds import Array
from .declaration import register
from .divergences import REVERSE_KL_LESS_2JS, Measured
from .logistic import Logistic


@register("nonsaturating", aliases=("non-saturating",))
class NonSaturating(Logistic):
    """The generator minimises -log D = softplus(-s).

    Its slope is -1/D against D and -(1 - D) against the logit: near -1 where the fake is recognised, vanishing only
    where the discriminator is fooled. Against an optimal discriminator held fixed it descends KL(q || p) - 2 JS
    (Arjovsky & Bottou 2017, theorem 2.5), which is 2 KL(m || p) of the mixture m = (p + q)/2, density by density: a
    divergence after all, which stays finite where q misses mass of p, so that it drops modes cheaply.
    """

    def generator(self, s: Array) -> Array:
        """-log D."""
        return worlds.softplus(-s)

    def generator_divergence(self) -> Measured:
        """KL(q || p) - 2 JS."""
        return Measured(REVERSE_KL_LESS_2JS)
