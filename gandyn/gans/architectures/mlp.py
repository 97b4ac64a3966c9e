"""Multilayer perceptrons: the generator and discriminator of GANs on low-dimensional data."""

from __future__ import annotations

import itertools
import math
from typing import Any

import torch
from torch import nn

from ...doors import door
from ...memory import afford
from ..registries import architectures as registry
from .heads import CONDITIONS, Conditioned, Discriminator, OutputNoise, SamplingDropout, check_condition
from .spectral import normalise

LEAK = 0.2


class MLP(nn.Sequential):
    """Linear layers with ReLU, or leaky ReLU, between them; He initialisation, biases zero.

    Weights of the layer with n inputs are normal with variance 2 / (n (1 + leak^2)), 1 / n in the last layer, whose
    outputs go through nothing (He et al. 2015, eqs. 10 and 15).

    Args:
        inputs: size of a point.
        outputs: size of what is made of it.
        hidden: sizes of the layers between.
        leak: slope of the activation on negative numbers; 0 is ReLU.
        generator: torch generator for the initial weights; the global one by default.
        dropout: share of the activations that are set to zero after every hidden layer, in training mode.
        sampling: whether that is done in evaluation mode too.
        spectral: spectral normalisation of every layer.
    """

    per_sample = True

    def __init__(
        self,
        inputs: int,
        outputs: int,
        hidden: tuple[int, ...] = (128, 128, 128),
        leak: float = 0.0,
        generator: torch.Generator | None = None,
        dropout: float = 0.0,
        spectral: bool = False,
        sampling: bool = False,
    ) -> None:
        drop = SamplingDropout if sampling else nn.Dropout
        sizes = (inputs, *hidden, outputs)
        weights = sum((n + 1) * m for n, m in itertools.pairwise(sizes))
        afford(4 * weights, f"layers of {', '.join(map(str, sizes))} units", "smaller layers")
        layers: list[nn.Module] = []
        for i, (n, m) in enumerate(itertools.pairwise(sizes)):
            linear, last = nn.Linear(n, m), i == len(hidden)
            with torch.no_grad():
                linear.weight.normal_(0.0, ((1.0 if last else 2.0 / (1.0 + leak**2)) / n) ** 0.5, generator=generator)
                linear.bias.zero_()
            layers.append(normalise(linear, generator) if spectral else linear)
            if not last:
                layers.append(nn.LeakyReLU(leak) if leak else nn.ReLU())
                layers += [drop(dropout)] if dropout else []
        super().__init__(*layers)


@door
def mlp_pair(
    latent: int = 2, size: int = 2, hidden: tuple[int, ...] = (128, 128, 128), seed: int = 0
) -> tuple[MLP, MLP]:
    """A ReLU generator from `latent` to `size` numbers and a leaky discriminator from `size` to one logit, seeded.

    Args:
        latent: numbers that a sample is made from.
        size: numbers of a sample.
        hidden: widths of the layers.
        seed: of the weights.

    Raises:
        ParameterError: for widths that are no whole numbers > 0.
    """
    rng = torch.Generator().manual_seed(seed)
    return MLP(latent, size, hidden, generator=rng), MLP(size, 1, hidden, leak=LEAK, generator=rng)


@registry.register(
    "mlp_generator", examples=({"shape": (2,), "hidden": (5,)}, {"shape": (1, 4, 4), "hidden": (5,), "classes": 3})
)
@door
def mlp_generator(
    shape: tuple[int, ...] = (2,),
    latent: int = 2,
    hidden: tuple[int, ...] = (128, 128, 128),
    classes: int = 0,
    output_noise: float = 0.0,
    dropout: float = 0.0,
    seed: int = 0,
) -> nn.Module:
    """A ReLU network from `latent` numbers (and a one-hot label) to a point of any shape.

    Images are unbounded: no tanh at the end. `dropout` acts in sampling as in training.
    """
    rng = torch.Generator().manual_seed(seed)
    options: dict[str, Any] = {"generator": rng, "dropout": dropout, "sampling": True}
    network: nn.Module = MLP(latent + classes, math.prod(shape), tuple(hidden), **options)
    if len(shape) > 1:
        network = nn.Sequential(network, nn.Unflatten(1, tuple(shape)))
    network = Conditioned(network, latent, classes) if classes else network
    return OutputNoise(network, output_noise) if output_noise else network


@registry.register(
    "mlp_discriminator",
    examples=(
        {"shape": (2,), "hidden": (5,)},
        *({"shape": (2,), "hidden": (5,), "classes": 3, "condition": c} for c in (*CONDITIONS, "k_plus_one")),
        {"shape": (1, 4, 4), "hidden": (5, 4), "spectral": True},
    ),
)
@door
def mlp_discriminator(
    shape: tuple[int, ...] = (2,),
    hidden: tuple[int, ...] = (128, 128, 128),
    classes: int = 0,
    condition: str | None = None,
    dropout: float = 0.0,
    spectral: bool = False,
    leak: float = LEAK,
    seed: int = 0,
) -> nn.Module:
    """A leaky network from a point of any shape to one logit, with labels as in `Discriminator`."""
    rng, condition = torch.Generator().manual_seed(seed), check_condition(condition, classes)
    planes = math.prod(shape[1:]) * classes if condition == "concatenation" else 0
    size = math.prod(shape) + planes
    options: dict[str, Any] = {"leak": leak, "generator": rng, "dropout": dropout, "spectral": spectral}
    if condition is None and len(shape) == 1:
        return MLP(size, 1, tuple(hidden), **options)
    trunk = MLP(size, hidden[-1], tuple(hidden[:-1]), **options)
    ending = [nn.LeakyReLU(leak), *([nn.Dropout(dropout)] if dropout else [])]
    layers = nn.Sequential(nn.Flatten(), trunk, *ending)
    return Discriminator(layers, hidden[-1], classes, condition, spectral, generator=rng)
