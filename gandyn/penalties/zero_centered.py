"""0-GP: the zero-centred gradient penalty between data and samples (Thanh-Tung et al. 2019, section 5)."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from ..worlds import Array
from . import registry
from .penalty import Critic, ZeroCentredPenalty, interpolates


@registry.register("ZeroCentered", examples=({"gamma": 0.3},), aliases=("zero_centered", "0-gp"))
@dataclasses.dataclass(frozen=True)
class ZeroCentered(ZeroCentredPenalty):
    """(gamma / 2) E |grad_x s(x)|^2 at x = real + u (fake - real), u uniform: slopes on the whole way between.

    R1 and R2 leave the slope free between the supports; this does not. On the Dirac-GAN it is R1 again.

    Args:
        gamma: weight.
    """

    stochastic: ClassVar[bool] = True

    def points(self, critic: Critic) -> Array:
        """Interpolates."""
        return interpolates(critic)
