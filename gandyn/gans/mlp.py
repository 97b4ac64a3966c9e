"""Multilayer perceptrons: the generator and discriminator of GANs on low-dimensional data."""

from __future__ import annotations

import itertools
from typing import Any

import torch
from torch import nn

LEAK = 0.2


class MLP(nn.Sequential):
    """Linear layers with ReLU, or leaky ReLU, between them; He initialisation, biases zero.

    Weights of the layer with n inputs are normal with variance 2 / (n (1 + leak^2)), 1 / n in the last layer, whose
    outputs go through nothing (He et al. 2015, eqs. 10 and 15).

    Args:
        inputs: size of a point. outputs: size of what is made of it.
        hidden: sizes of the layers between.
        leak: slope of the activation on negative numbers; 0 is ReLU.
        generator: torch generator for the initial weights; the global one by default.
    """

    per_sample = True

    def __init__(
        self,
        inputs: int,
        outputs: int,
        hidden: tuple[int, ...] = (128, 128, 128),
        leak: float = 0.0,
        generator: Any = None,
    ) -> None:
        sizes = (inputs, *hidden, outputs)
        layers: list[nn.Module] = []
        for i, (n, m) in enumerate(itertools.pairwise(sizes)):
            linear, last = nn.Linear(n, m), i == len(hidden)
            with torch.no_grad():
                linear.weight.normal_(0.0, ((1.0 if last else 2.0 / (1.0 + leak**2)) / n) ** 0.5, generator=generator)
                linear.bias.zero_()
            layers.append(linear)
            if not last:
                layers.append(nn.LeakyReLU(leak) if leak else nn.ReLU())
        super().__init__(*layers)


def mlp_pair(
    latent: int = 2, size: int = 2, hidden: tuple[int, ...] = (128, 128, 128), seed: int = 0
) -> tuple[MLP, MLP]:
    """A ReLU generator from `latent` to `size` numbers and a leaky discriminator from `size` to one logit, seeded."""
    rng = torch.Generator().manual_seed(seed)
    return MLP(latent, size, hidden, generator=rng), MLP(size, 1, hidden, leak=LEAK, generator=rng)
