"""The discriminator as penalties see it: a batch of data and samples, logits, and their slopes by autograd."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from ..errors import DomainError
from ..penalties import Critic, Penalty

SEED_STRIDE = 0x9E3779B97F4A7C15


class NetworkCritic(Critic):
    """One evaluation's critic. Logits and slopes at the same points are computed once.

    Attributes:
        real: data, (n, ...), a leaf that slopes can be taken at where there are penalties.
        fake: samples, (n, ...), in the generator's graph.
        weights: the discriminator's weights with two or more dimensions, before any penalty's `transform`.
    """

    def __init__(
        self,
        discriminator: Callable[[Any], Any],
        weights: Sequence[Any],
        real: Any,
        fake: Any,
        seed: int,
        penalties: Sequence[Penalty],
    ) -> None:
        self._discriminator, self._seed, self.weights = discriminator, seed, weights
        self._source: torch.Generator | None = None
        self._logits: dict[int, tuple[Any, Any]] = {}
        self._slopes: dict[int, tuple[Any, Any]] = {}
        self.real, self.fake = real, fake
        if penalties:
            self.real = self._perturbed(real, penalties, 0).detach().requires_grad_()
            self.fake = self._perturbed(fake, penalties, 1)

    def _perturbed(self, points: Any, penalties: Sequence[Penalty], stream: int) -> Any:
        self.stream(stream)
        for penalty in penalties:
            points = penalty.perturb(points, self)
        return points

    def logit(self, points: Any) -> Any:
        """s(x) for each point, shape (n,)."""
        if id(points) not in self._logits:
            self._logits[id(points)] = (points, self._discriminator(points).flatten())
        return self._logits[id(points)][1]

    def logits_at_once(self) -> tuple[Any, Any]:
        """Logits of data and samples in one pass, for discriminators that treat every point by itself."""
        both = self._discriminator(torch.cat([self.real, self.fake])).flatten()
        on_real, on_fake = both.split([len(self.real), len(self.fake)])
        return on_real, on_fake

    def squared_slope(self, points: Any) -> Any:
        """|ds/dx|^2 for each point, shape (n,)."""
        if not points.requires_grad:
            points = points.detach().requires_grad_()
        if id(points) not in self._slopes:
            total = self.logit(points).sum()
            slope = torch.autograd.grad(total, points, create_graph=True)[0]
            self._slopes[id(points)] = (points, slope.flatten(1).square().sum(1))
        return self._slopes[id(points)][1]

    def squared_distance(self, points: Any, others: Any) -> Any:
        """|x - y|^2 for each pair, shape (n,)."""
        return (points - others).flatten(1).square().sum(1)

    def deviation(self, points: Any) -> Any:
        """Standard deviation over all points and coordinates."""
        return points.std(correction=0)

    def mean(self, values: Any) -> Any:
        """Mean over the batch."""
        return values.mean()

    # --- randomness ----------------------------------------------------------------------------------------------

    def stream(self, index: int) -> None:
        """Start the index-th stream of the token's random numbers: what one hook draws does not move another's."""
        self._start = (self._seed + (index + 1) * SEED_STRIDE) % 2**63
        self._source = None

    def _generator(self, like: Any) -> torch.Generator:
        if self._source is None:
            self._source = torch.Generator(like.device).manual_seed(self._start)
        return self._source

    def uniform(self, like: Any, per_point: bool = False) -> Any:
        """Uniforms on [0, 1] of the shape of `like`, or one for each point, shaped to broadcast."""
        shape = (len(like), *(1,) * (like.ndim - 1)) if per_point else like.shape
        return torch.rand(shape, generator=self._generator(like), dtype=like.dtype, device=like.device)

    def normal(self, like: Any) -> Any:
        """Standard normals of the shape of `like`."""
        return torch.randn(like.shape, generator=self._generator(like), dtype=like.dtype, device=like.device)

    def reconstruct(self, points: Any) -> Any:
        """G(E(x)) needs an encoder, which these games do not have."""
        raise DomainError("a penalty that reconstructs data, on a GAN without an encoder", "another penalty", "R1(0.1)")
