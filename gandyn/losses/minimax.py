"""The original GAN value, which saturates: min_G max_D E log D(x) + E log(1 - D(G(z))) (Goodfellow et al. 2014)."""

from __future__ import annotations

from typing import ClassVar

from .. import worlds
from ..worlds import Array
from .declaration import register
from .logistic import Logistic


@register("minimax")
class Minimax(Logistic):
    """Zero-sum: the generator minimises log(1 - D) = -softplus(s).

    Its slope is -1/(1 - D) against D and -D against the logit: where the discriminator recognises the fake, D -> 0, the
    generator's gradient against the logit vanishes. Against an optimal discriminator it descends 2 JS.
    """

    zero_sum: ClassVar[bool] = True

    def generator(self, s: Array) -> Array:
        """log(1 - D)."""
        return -worlds.softplus(s)
