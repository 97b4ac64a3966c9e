"""Instance noise: the discriminator sees data and samples through Gaussian noise (Sonderby et al. 2017)."""

from __future__ import annotations

from typing import ClassVar

from ..types import Parameter
from ..worlds import Array
from .declaration import register, weight
from .penalty import Critic, Penalty, root


@register("InstanceNoise", examples=({"variance": 0.49},), aliases=("instance_noise",))
class InstanceNoise(Penalty):
    """x + sqrt(variance) n for every real and fake point, n standard normal: both densities are smoothed and overlap.

    On the Dirac-GAN the costs become expectations over the noise; the flow eigenvalues at 0 are
    L''(0) v +- sqrt(L''(0)^2 v^2 - L'(0)^2) with v the variance (Mescheder et al. 2018, lemma 3.2): noise on real *and*
    fake gives two equal terms v/4 to the discriminator's curvature v/2, whose half is the real part.

    Args:
        variance: of the noise, per coordinate.
    """

    stochastic: ClassVar[bool] = True
    variance: Parameter = weight()

    def perturb(self, points: Array, critic: Critic) -> Array:
        """The points with noise added."""
        return points + root(self.variance, points) * critic.normal(points)
