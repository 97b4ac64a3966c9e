"""R1: the zero-centred gradient penalty on real data (Mescheder et al. 2018, eq. 9)."""

from __future__ import annotations

from ..worlds import Array
from .declaration import register
from .penalty import Critic
from .zero_centered import ZeroCentredPenalty


@register("R1", examples=({"gamma": 0.3},), aliases=("r1",))
class R1(ZeroCentredPenalty):
    """(gamma / 2) E_data |grad_x s(x)|^2. On the Dirac-GAN, s = -phi x, it is (gamma / 2) phi^2.

    Flow eigenvalues of the Dirac-GAN at 0: -gamma/2 +- sqrt(gamma^2/4 - L'(0)^2) (lemma 4.1).

    Args:
        gamma: weight.
    """

    def points(self, critic: Critic) -> Array:
        """The real points."""
        return critic.real
