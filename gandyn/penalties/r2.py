"""R2: the zero-centred gradient penalty on samples (Mescheder et al. 2018, eq. 10)."""

from __future__ import annotations

from ..worlds import Array
from .declaration import register
from .penalty import Critic
from .zero_centered import ZeroCentredPenalty


@register("R2", examples=({"gamma": 0.3},), aliases=("r2",))
class R2(ZeroCentredPenalty):
    """(gamma / 2) E_samples |grad_x s(x)|^2. The Dirac-GAN's critic is linear: there it is R1.

    Args:
        gamma: weight.
    """

    def points(self, critic: Critic) -> Array:
        """The samples."""
        return critic.fake
