"""What image networks share: sizes that halve evenly down to a few pixels, and Radford's initial weights."""

from __future__ import annotations

import torch
from torch import nn

from ...errors import ShapeError

LARGEST_BASE, SMALLEST_BASE = 7, 4
STD = 0.02


def halvings(shape: tuple[int, ...]) -> tuple[int, int]:
    """(smallest side, doublings) of square images: 28 = 7 * 2^2, 64 = 4 * 2^4. Raises ShapeError for others."""
    side, times = (shape[-1], 0) if len(shape) == 3 and shape[1] == shape[2] else (0, 0)
    while side > LARGEST_BASE and side % 2 == 0:
        side, times = side // 2, times + 1
    if not SMALLEST_BASE <= side <= LARGEST_BASE or not times:
        needed = "square images (channels, side, side) whose side is 4 to 7 times a power of two: 8, 16, 28, 32, 64"
        raise ShapeError(f"points of shape {tuple(shape)} for a convolutional network", needed, "digits(size=32)")
    return side, times


def radford(network: nn.Module, generator: torch.Generator | None = None) -> None:
    """Weights normal with standard deviation 0.02, BatchNorm's about 1, biases zero (Radford et al. 2016, 4)."""
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear, nn.BatchNorm2d)):
            center = 1.0 if isinstance(layer, nn.BatchNorm2d) else 0.0
            with torch.no_grad():
                layer.weight.normal_(center, STD, generator=generator)
                if layer.bias is not None:
                    layer.bias.zero_()
