"""The maximum-likelihood GAN: the generator's gradient is that of KL(data || samples) (Goodfellow 2014)."""

from __future__ import annotations

from .. import worlds
from ..worlds import Array
from .declaration import register
from .divergences import KL, Measured
from .logistic import Logistic


@register("maximum_likelihood", aliases=("maximum-likelihood", "mle"))
class MaximumLikelihood(Logistic):
    """The generator minimises -exp(s) = -D/(1 - D).

    At the optimal discriminator exp(s*) = p/q, and -E_q exp(s*) has, with s* held fixed, the gradient of KL(p || q)
    (Goodfellow 2014, "On distinguishability criteria", section 4). The value itself is then -1 whatever q is: only the
    gradient means something. Slopes: -1/(1 - D)^2 against D and -exp(s) against the logit, so it saturates on
    recognised fakes faster than minimax does, and a few samples with large s carry the whole gradient: exp overflows
    in float64 above s = 709.
    """

    def generator(self, s: Array) -> Array:
        """-D / (1 - D)."""
        return -worlds.exp(s)

    def generator_divergence(self) -> Measured:
        """KL(p || q)."""
        return Measured(KL)
