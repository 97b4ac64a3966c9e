"""R1: the zero-centred gradient penalty on real data (Mescheder et al. 2018, eq. 9)."""

from __future__ import annotations

import dataclasses
from typing import Any

from ..worlds import exact, is_symbolic
from . import registry
from .base import Critic, GradientPenalty


@registry.register("R1", examples=({"gamma": 0.3},), aliases=("r1",))
@dataclasses.dataclass(frozen=True)
class R1(GradientPenalty):
    """(gamma / 2) E_data |grad_x s(x)|^2. On the Dirac-GAN, s = -phi x, it is (gamma / 2) phi^2."""

    gamma: Any

    def __post_init__(self) -> None:
        if isinstance(self.gamma, str):
            object.__setattr__(self, "gamma", exact(self.gamma))

    def points(self, critic: Critic) -> Any:
        """The real points."""
        return critic.real

    def value(self, squared_slope: Any) -> Any:
        """(gamma / 2) |grad|^2."""
        gamma = exact(self.gamma) if is_symbolic(squared_slope) else self.gamma
        return gamma * squared_slope / 2
