"""Residual networks for images, the discriminator spectrally normalised (Miyato et al. 2018, tables 3 and 4)."""

from __future__ import annotations

import torch
from torch import nn

from ...doors import door
from ..registries import architectures as registry
from .dcgan import batch_norm
from .heads import CONDITIONS, Conditioned, Discriminator, OutputNoise, check_condition
from .image_networks import halvings
from .spectral import normalise

TINY = {"shape": (1, 8, 8), "width": 2}


def convolution(
    inputs: int, outputs: int, side: int, gain: float, generator: torch.Generator | None, spectral: bool
) -> nn.Module:
    """A convolution that keeps the size, its weights normal with variance gain^2 / inputs per output, bias zero."""
    layer = nn.Conv2d(inputs, outputs, side, padding=side // 2)
    with torch.no_grad():
        layer.weight.normal_(0.0, gain / (inputs * side**2) ** 0.5, generator=generator)
        torch.nn.init.zeros_(layer.bias) if layer.bias is not None else None
    return normalise(layer, generator) if spectral else layer


class Block(nn.Module):
    """shortcut(x) + residual(x), where the residual is two 3x3 convolutions, each behind its activation.

    `resize` "up" doubles the map at the start of both branches, "down" halves it (mean) at their end. `norm` stands
    before each activation. The `first` block, which sees the image itself, has no activation in front.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        resize: str,
        norm: str,
        spectral: bool,
        generator: torch.Generator | None,
        first: bool = False,
    ) -> None:
        super().__init__()
        up = [nn.Upsample(scale_factor=2)] if resize == "up" else []
        down = [nn.AvgPool2d(2)] if resize == "down" else []
        between = outputs
        front = [] if first else [*batch_norm(inputs, norm), nn.ReLU()]
        self.residual = nn.Sequential(
            *front, *up, convolution(inputs, between, 3, 2**0.5, generator, spectral),
            *batch_norm(between, norm), nn.ReLU(), convolution(between, outputs, 3, 2**0.5, generator, spectral), *down,
        )  # fmt: skip
        same = inputs == outputs and resize == "keep"
        straight = [] if same else [convolution(inputs, outputs, 1, 1.0, generator, spectral)]
        # A 1x1 convolution commutes with the mean over pixels: halving first is the same and four times cheaper.
        self.shortcut = nn.Sequential(*up, *down, *straight)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(n, inputs, side, side) -> (n, outputs, resized, resized)."""
        total: torch.Tensor = self.shortcut(maps) + self.residual(maps)
        return total


class SumPool(nn.Module):
    """The sum of every channel over its map: (n, c, h, w) -> (n, c)."""

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Sums of the rectified channels over the map, (n, c)."""
        return maps.relu().sum((2, 3))


@registry.register(
    "residual_generator", examples=({**TINY, "latent": 3}, {**TINY, "latent": 3, "classes": 3, "norm": "none"})
)
@door
def residual_generator(
    shape: tuple[int, ...] = (3, 32, 32),
    latent: int = 128,
    width: int = 64,
    norm: str = "batch",
    classes: int = 0,
    output_noise: float = 0.0,
    seed: int = 0,
) -> nn.Module:
    """Blocks that double a map of `width` channels up to the image, which ends in a tanh.

    The paper's network for 32 pixels has width 256.
    """
    rng = torch.Generator().manual_seed(seed)
    base, times = halvings(tuple(shape))
    start = nn.Linear(latent + classes, width * base**2)
    with torch.no_grad():
        start.weight.normal_(0.0, (latent + classes) ** -0.5, generator=rng)
        start.bias.zero_()
    blocks = [Block(width, width, "up", norm, False, rng) for _ in range(times)]
    end = [*batch_norm(width, norm), nn.ReLU(), convolution(width, shape[0], 3, 1.0, rng, False), nn.Tanh()]
    network: nn.Module = nn.Sequential(start, nn.Unflatten(1, (width, base, base)), *blocks, *end)
    network.latent = latent  # type: ignore[assignment]
    network = Conditioned(network, latent, classes) if classes else network
    return OutputNoise(network, output_noise) if output_noise else network


@registry.register(
    "residual_discriminator",
    examples=(
        TINY,
        {**TINY, "spectral": False, "dropout": 0.2},
        *({**TINY, "classes": 3, "condition": condition} for condition in CONDITIONS),
    ),
)
@door
def residual_discriminator(
    shape: tuple[int, ...] = (3, 32, 32),
    width: int = 64,
    classes: int = 0,
    condition: str | None = None,
    dropout: float = 0.0,
    spectral: bool = True,
    seed: int = 0,
) -> nn.Module:
    """Blocks that halve the map until it is at most 8 wide, two that keep it, then the sum of every channel.

    The paper's network for 32 pixels has width 128; labels as in `Discriminator`.
    """
    rng, condition = torch.Generator().manual_seed(seed), check_condition(condition, classes)
    halvings(tuple(shape))
    channels, side = shape[0] + (classes if condition == "concatenation" else 0), shape[-1]
    layers: list[nn.Module] = []
    while not layers or side > 8:
        layers.append(Block(channels, width, "down", "none", spectral, rng, first=not layers))
        layers += [nn.Dropout2d(dropout)] if dropout else []
        channels, side = width, side // 2
    layers += [Block(width, width, "keep", "none", spectral, rng) for _ in range(2)]
    return Discriminator(nn.Sequential(*layers, SumPool()), width, classes, condition, spectral, generator=rng)
