"""The discriminator as penalties see it: a batch of data and samples, logits, and their slopes by autograd."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


class NetworkCritic:
    """One evaluation's critic. Logits and slopes at the same points are computed once.

    Attributes:
        real: data, (n, ...), a leaf that slopes can be taken at.
        fake: samples, (n, ...), in the generator's graph.
    """

    real: Any
    fake: Any

    def __init__(self, discriminator: Callable[[Any], Any], real: Any, fake: Any) -> None:
        self._discriminator = discriminator
        self.real = real.detach().requires_grad_()
        self.fake = fake
        self._logits: dict[int, tuple[Any, Any]] = {}
        self._slopes: dict[int, tuple[Any, Any]] = {}

    def logit(self, points: Any) -> Any:
        """s(x) for each point, shape (n, ...)."""
        if id(points) not in self._logits:
            self._logits[id(points)] = (points, self._discriminator(points))
        return self._logits[id(points)][1]

    def squared_slope(self, points: Any) -> Any:
        """|ds/dx|^2 for each point, shape (n,)."""
        if not points.requires_grad:
            points = points.detach().requires_grad_()
        if id(points) not in self._slopes:
            total = self.logit(points).sum()
            slope = torch.autograd.grad(total, points, create_graph=True)[0]
            self._slopes[id(points)] = (points, slope.flatten(1).square().sum(1))
        return self._slopes[id(points)][1]

    def mean(self, values: Any) -> Any:
        """Mean over the batch."""
        return values.mean()
