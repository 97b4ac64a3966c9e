"""The mode regulariser: an encoder ties every datum to a sample, so that no mode goes unvisited (Che et al. 2016)."""

from __future__ import annotations

from .. import worlds
from ..types import Array, Parameter
from ..worlds import number
from .declaration import register, weight
from .penalty import Critic, Penalty


@register("ModeRegularizer", examples=({"distance": 0.2}, {"distance": 0.1, "logit": 0.3}))
class ModeRegularizer(Penalty):
    """Adds distance * E |x - G(E(x))|^2 - logit * E log D(G(E(x))) over data x to the *generator's* cost (section 3.1).

    The reconstruction term pulls samples to data whatever the discriminator says. On the Dirac-GAN every
    reconstruction is theta: distance * theta^2 + logit * softplus(theta phi), and the first damps the rotation just
    as R1 damps it from the other side, with gamma = 2 distance.

    On networks it asks for a generator with an attribute `encoder`, a module from points to latents: the encoder's
    parameters are the generator player's, who trains it on these two terms. Without one it is refused.

    Args:
        distance: weight of the reconstruction error.
        logit: weight of the non-saturating cost at the reconstructions.
    """

    distance: Parameter = weight()
    logit: Parameter = weight(default=0.0)

    def generator_cost(self, critic: Critic) -> Array:
        """The two terms."""
        near = critic.reconstruct(critic.real)
        error = critic.squared_distance(critic.real, near)
        total = number(self.distance, error) * critic.mean(error)
        if self.logit == 0:
            return total
        surprise = worlds.softplus(-critic.logit(near))
        return total + number(self.logit, surprise) * critic.mean(surprise)
