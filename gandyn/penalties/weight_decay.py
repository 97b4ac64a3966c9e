"""Weight decay as a term of the discriminator's cost."""

from __future__ import annotations

from ..types import Array, Parameter
from ..worlds import number
from .declaration import register, weight
from .penalty import Critic, Penalty


@register("WeightDecay", examples=({"lam": 0.3},), aliases=("weight_decay",))
class WeightDecay(Penalty):
    """(lam / 2) sum of squares of the weights, biases excluded. On the Dirac-GAN (lam / 2) phi^2: R1 once more.

    It is a term of the cost, so an adaptive rule rescales it with the rest of the gradient; decoupled decay, which is
    not rescaled, is `AdamW`.

    Args:
        lam: weight.
    """

    lam: Parameter = weight()

    def cost(self, critic: Critic) -> Array:
        """(lam / 2) sum |W|^2."""
        total = sum((w * w).sum() for w in critic.weights)
        return number(self.lam, total) * total / 2
