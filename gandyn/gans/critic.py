"""The discriminator as penalties see it: a batch of data and samples, logits, and their slopes by autograd."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from ..errors import DomainError
from ..oracles.streams import seed_streams
from ..penalties import Critic, Penalty
from ..types import Array

SEED_STRIDE = 0x9E3779B97F4A7C15


class NetworkCritic(Critic):
    """One evaluation's critic. Logits and slopes at the same points are computed once.

    Attributes:
        real: data, (n, ...), a leaf that slopes can be taken at where there are penalties.
        fake: samples, (n, ...), in the generator's graph.
        weights: the discriminator's weights with two or more dimensions, before any penalty's `transform`.

    A conditional discriminator is given the batch's labels with every batch of points that a penalty asks about.
    """

    def __init__(
        self,
        discriminator: Callable[..., Any],
        weights: Sequence[object],
        real: Array,
        fake: Array,
        seed: int,
        penalties: Sequence[Penalty],
        labels: Array = None,
        reconstruct: Callable[[Array], Array] | None = None,
        stochastic: bool = False,
    ) -> None:
        self._stochastic, self._stream, self._passes = stochastic, 0, 0
        self._reconstruct = reconstruct
        self._discriminator, self._seed, self.weights, self._labels = discriminator, seed, weights, labels
        self._source: torch.Generator | None = None
        self._logits: dict[int, tuple[Array, Array, Array]] = {}
        self._slopes: dict[int, tuple[Array, Array]] = {}
        self.real, self.fake = real, fake
        if penalties:
            self.real = self._leaf(self._perturbed(real, penalties, 0).detach())
            # Samples without a graph are leaves too, so that loss and slopes share one pass whoever is asked.
            self.fake = self._leaf(self._perturbed(fake, penalties, 1))

    def _leaf(self, points: Array) -> Array:
        """The points, where slopes can be taken at them."""
        return points if points.requires_grad else points.detach().requires_grad_()

    def _perturbed(self, points: Array, penalties: Sequence[Penalty], stream: int) -> Array:
        self.stream(stream)
        for penalty in penalties:
            points = penalty.perturb(points, self)
        return points

    def logit(self, points: Array) -> Array:
        """s(x) for each point, shape (n,)."""
        return self._answer(points)[1]

    def class_logits(self, points: Array) -> Array:
        """What a discriminator with class outputs says of the classes, shape (n, K)."""
        return self._answer(points)[2]

    def _answer(self, points: Array) -> tuple[Array, Array, Array]:
        """(points, logits, class logits or None), computed once for each tensor of points."""
        if id(points) not in self._logits:
            self._logits[id(points)] = (points, *self._evaluate(points))
        return self._logits[id(points)]

    def _evaluate(self, points: Array, batches: int = 1) -> tuple[Array, Array]:
        """Logits and class logits of one batch, or of several with the same labels."""
        return self._evaluate_as(points, points, batches)

    def _evaluate_as(self, points: Array, values: torch.Tensor, batches: int = 1) -> tuple[Array, Array]:
        """The discriminator's answer at `values`, with the random numbers that its layers drew for `points`."""
        self._seed_layers(points)
        if self._labels is None:
            answer = self._discriminator(values)
        else:
            answer = self._discriminator(values, torch.cat([self._labels] * batches))
        logits, names = answer if isinstance(answer, tuple) else (answer, None)
        return logits.flatten(), names

    def _seed_layers(self, points: Array) -> None:
        """Layers that draw (dropout) see the same numbers at the same points, whatever else was evaluated before."""
        if not self._stochastic:
            return
        if points is self.real or points is self.fake:
            place = 1 if points is self.real else 2
        else:
            self._passes += 1
            place = 3 + 1000 * self._stream + self._passes
        self._seed_all_layers(-place * SEED_STRIDE)

    def _seed_all_layers(self, offset: int) -> None:
        seed_streams((self._seed + offset) % 2**63, self.real.device)

    def logits_at_once(self) -> tuple[Array, Array]:
        """Logits of data and samples in one pass, for discriminators that treat every point by itself."""
        logits, names = self._evaluate(torch.cat([self.real, self.fake]), batches=2)
        sizes = [len(self.real), len(self.fake)]
        parts = (None, None) if names is None else names.split(sizes)
        for points, on_points, of_points in zip((self.real, self.fake), logits.split(sizes), parts, strict=True):
            self._logits[id(points)] = (points, on_points, of_points)
        return self.logit(self.real), self.logit(self.fake)

    def squared_slope(self, points: Array) -> Array:
        """|ds/dx|^2 for each point, shape (n,)."""
        if not points.requires_grad:
            points = points.detach().requires_grad_()
        if id(points) not in self._slopes:
            total = self.logit(points).sum()
            slope = torch.autograd.grad(total, points, create_graph=True, materialize_grads=True)[0]
            self._slopes[id(points)] = (points, slope.flatten(1).square().sum(1))
        return self._slopes[id(points)][1]

    def squared_distance(self, points: Array, others: Array) -> Array:
        """|x - y|^2 for each pair, shape (n,)."""
        return (points - others).flatten(1).square().sum(1)

    def deviation(self, points: Array) -> Array:
        """Standard deviation over all points and coordinates."""
        return points.std(correction=0)

    def mean(self, values: Array) -> Array:
        """Mean over the batch."""
        return values.mean()

    # --- randomness ----------------------------------------------------------------------------------------------

    def stream(self, index: int) -> None:
        """Start the index-th stream of the token's random numbers: what one hook draws does not move another's."""
        self._stream, self._passes = index, 0
        self._source = None

    def _generator(self, like: Array) -> torch.Generator:
        if self._source is None:
            start = int(self._seed + (self._stream + 1) * SEED_STRIDE) % 2**63
            self._source = torch.Generator(like.device).manual_seed(start)
        return self._source

    def _drawn(self, make: Callable[..., Any], shape: object, like: Array) -> Array:
        return make(shape, generator=self._generator(like), dtype=like.dtype, device=like.device)

    def uniform(self, like: Array, per_point: bool = False) -> Array:
        """Uniforms on [0, 1] of the shape of `like`, or one for each point, shaped to broadcast."""
        shape = (len(like), *(1,) * (like.ndim - 1)) if per_point else like.shape
        return self._drawn(torch.rand, shape, like)

    def normal(self, like: Array) -> Array:
        """Standard normals of the shape of `like`."""
        return self._drawn(torch.randn, like.shape, like)

    def reconstruct(self, points: Array) -> Array:
        """G(E(x)), for a generator that has an encoder E."""
        if self._reconstruct is None:
            raise DomainError(
                "a penalty that reconstructs data, such as ModeRegularizer, on a GAN without an encoder",
                "a generator with an attribute `encoder`, a module from points to latents",
                "generator.encoder = torch.nn.Linear(2, latent), or another penalty",
            )
        return self._reconstruct(points)
