"""Rotation self-supervision: the discriminator also names by how much a picture was turned (Chen et al. 2019)."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch

from ..errors import DomainError
from ..penalties import Penalty
from ..penalties.declaration import weight
from ..types import Array
from .critic import NetworkCritic

TURNS = 4


@dataclasses.dataclass(frozen=True)
class Rotation(Penalty):
    """Adds beta E -log p(r | x turned by r) over data to the discriminator's cost, and alpha times the same over
    samples to the generator's, r = 0, 90, 180, 270 degrees in equal shares (eqs. 3 and 4).

    The players cooperate on this term: the discriminator learns it on data alone, and does not unlearn what it needs
    for it; the generator is paid for samples whose turn can be told. The real-or-fake logits see upright pictures only.
    The discriminator must answer (logits, class logits) with four class logits, such as one built with
    `classes=4, condition="auxiliary"`.

    Args:
        alpha: weight for the generator, 0.2 in the paper.
        beta: for the discriminator, 1.

    Raises:
        DomainError: for points that are no square pictures, and a discriminator without four class logits.
    """

    alpha: Any = weight(default=0.2)
    beta: Any = weight(default=1.0)

    def cost(self, critic: Any) -> Array:
        """beta times the cross-entropy of the turn, over turned data."""
        return self.beta * self._named(critic, critic.real.detach())

    def generator_cost(self, critic: Any) -> Array:
        """alpha times the cross-entropy of the turn, over turned samples."""
        return self.alpha * self._named(critic, critic.fake)

    def _named(self, critic: NetworkCritic, points: torch.Tensor) -> Array:
        if not isinstance(points, torch.Tensor) or points.ndim != 4 or points.shape[-1] != points.shape[-2]:
            raise DomainError("turned points that are no square pictures", "pictures (n, c, h, h)", "another penalty")
        total: Any = 0.0
        for turn in range(TURNS):
            answer = critic.class_logits(points.rot90(turn, (-2, -1)))
            if answer is None or answer.shape[1] != TURNS:
                raise DomainError(
                    "rotations with a discriminator without four class logits",
                    "a discriminator that answers (logits, class logits (n, 4))",
                    'classes=4, condition="auxiliary"',
                )
            total = total - answer.log_softmax(1)[:, turn].mean() / TURNS
        return total
