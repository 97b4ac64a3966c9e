"""The non-saturating GAN: the generator minimises -log D instead of log(1 - D) (Goodfellow et al. 2014, section 3)."""

from __future__ import annotations

import dataclasses
from typing import Any

from .. import worlds
from . import registry
from .base import Loss


@registry.register("nonsaturating", aliases=("non-saturating",))
@dataclasses.dataclass(frozen=True)
class NonSaturating(Loss):
    """With D = sigmoid(s): real softplus(-s), fake softplus(s), generator softplus(-s) = -log D."""

    def real(self, s: Any) -> Any:
        """-log D."""
        return worlds.softplus(-s)

    def fake(self, s: Any) -> Any:
        """-log(1 - D)."""
        return worlds.softplus(s)

    def generator(self, s: Any) -> Any:
        """-log D: its slope against the logit is -(1 - D), near -1 where the fake is recognised."""
        return worlds.softplus(-s)
