"""DCGAN: strided convolutions up and down, for images of 8, 16, 28, 32 or 64 pixels (Radford et al. 2016)."""

from __future__ import annotations

import torch
from torch import nn

from ...doors import door
from ...errors import ParameterError
from ..registries import architectures as registry
from .heads import CONDITIONS, Conditioned, Discriminator, OutputNoise, check_condition
from .image_networks import halvings, radford
from .mlp import LEAK
from .spectral import normalise

NORMS = ("batch", "none")
TINY = {"shape": (1, 8, 8), "width": 2}


def batch_norm(channels: int, kind: str) -> list[nn.Module]:
    """BatchNorm, or nothing. Raises ParameterError for another kind."""
    if kind not in NORMS:
        raise ParameterError(f"norm={kind!r}", " or ".join(NORMS), 'norm="batch"')
    return [nn.BatchNorm2d(channels)] if kind == "batch" else []


class DCGANGenerator(nn.Sequential):
    """Linear to the smallest map, then ReLU and transposed 4x4 convolutions of stride 2, and a tanh.

    The widest map has width * 2^(k-1) channels for k doublings, halved with each: the paper's network for 64 pixels is
    width = 128 there (`ngf` in the usual code, whose last map is also `width` channels).
    """

    def __init__(
        self, shape: tuple[int, ...], inputs: int, width: int, norm: str, generator: torch.Generator | None
    ) -> None:
        base, times = halvings(shape)
        channels = width * 2 ** (times - 1)
        layers = [nn.Linear(inputs, channels * base**2), nn.Unflatten(1, (channels, base, base))]
        for k in range(times):
            after = channels // 2 if k < times - 1 else shape[0]
            layers += [*batch_norm(channels, norm), nn.ReLU(), nn.ConvTranspose2d(channels, after, 4, 2, 1)]
            channels = after
        super().__init__(*layers, nn.Tanh())
        radford(self, generator)


@registry.register(
    "dcgan_generator", examples=({**TINY, "latent": 3}, {**TINY, "latent": 3, "classes": 3, "norm": "none"})
)
@door
def dcgan_generator(
    shape: tuple[int, ...] = (1, 28, 28),
    latent: int = 64,
    width: int = 32,
    norm: str = "batch",
    classes: int = 0,
    output_noise: float = 0.0,
    seed: int = 0,
) -> nn.Module:
    """The generator, from `latent` normals (and a one-hot label) to an image in [-1, 1]; BatchNorm unless "none"."""
    rng = torch.Generator().manual_seed(seed)
    network: nn.Module = DCGANGenerator(tuple(shape), latent + classes, width, norm, rng)
    network.latent = latent  # type: ignore[assignment]
    network = Conditioned(network, latent, classes) if classes else network
    return OutputNoise(network, output_noise) if output_noise else network


@registry.register(
    "dcgan_discriminator",
    examples=(
        TINY,
        {"shape": (1, 16, 16), "width": 2, "norm": "batch", "dropout": 0.2},
        *({**TINY, "classes": 3, "condition": condition, "spectral": True} for condition in CONDITIONS),
    ),
)
@door
def dcgan_discriminator(
    shape: tuple[int, ...] = (1, 28, 28),
    width: int = 32,
    norm: str = "none",
    classes: int = 0,
    condition: str | None = None,
    dropout: float = 0.0,
    spectral: bool = False,
    seed: int = 0,
) -> nn.Module:
    """4x4 convolutions of stride 2 and leaky ReLU, then a linear head, with labels as in `Discriminator`.

    The paper normalises all maps but the first by batch; here that is off unless asked for, since slopes of the logit
    at a point (R1, WGAN-GP) are not defined where points see each other.
    """
    rng, condition = torch.Generator().manual_seed(seed), check_condition(condition, classes)
    base, times = halvings(tuple(shape))
    layers: list[nn.Module] = []
    before, after = shape[0] + (classes if condition == "concatenation" else 0), width
    for k in range(times):
        layers += [nn.Conv2d(before, after, 4, 2, 1), *(batch_norm(after, norm) if k else []), nn.LeakyReLU(LEAK)]
        layers += [nn.Dropout2d(dropout)] if dropout else []
        before, after = after, 2 * after
    trunk = nn.Sequential(*layers, nn.Flatten())
    radford(trunk, rng)
    if spectral:
        for layer in [m for m in trunk if isinstance(m, nn.Conv2d)]:
            normalise(layer, rng)
    per_sample = norm == "none" or times == 1
    return Discriminator(trunk, before * base**2, classes, condition, spectral, per_sample, rng)
