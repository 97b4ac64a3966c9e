"""The Wasserstein GAN: the critic's mean on data minus its mean on samples (Arjovsky et al. 2017, eq. 2)."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from . import registry
from .base import Loss


@registry.register("wasserstein", aliases=("wgan",))
@dataclasses.dataclass(frozen=True)
class Wasserstein(Loss):
    """Linear costs: real -s, fake s, generator -s. The critic must be kept Lipschitz by other means."""

    zero_sum: ClassVar[bool] = True

    def real(self, s: Any) -> Any:
        """-s."""
        return -s

    def fake(self, s: Any) -> Any:
        """s."""
        return s

    def generator(self, s: Any) -> Any:
        """-s."""
        return -s
