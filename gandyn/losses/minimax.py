"""The original GAN value: min_G max_D E log D(x) + E log(1 - D(G(z))), which saturates (Goodfellow et al. 2014, eq. 1)."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from .. import worlds
from . import registry
from .base import Loss


@registry.register("minimax")
@dataclasses.dataclass(frozen=True)
class Minimax(Loss):
    """With D = sigmoid(s): real softplus(-s) = -log D, fake softplus(s) = -log(1 - D), generator -softplus(s)."""

    zero_sum: ClassVar[bool] = True

    def real(self, s: Any) -> Any:
        """-log D."""
        return worlds.softplus(-s)

    def fake(self, s: Any) -> Any:
        """-log(1 - D)."""
        return worlds.softplus(s)

    def generator(self, s: Any) -> Any:
        """log(1 - D): its slope against the logit is -D, which vanishes where the fake is recognised."""
        return -worlds.softplus(s)
