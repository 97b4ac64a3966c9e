"""PatchGAN: a discriminator of overlapping patches, whose logits are averaged (Isola et al. 2017, section 3.2.2)."""

from __future__ import annotations

import torch
from torch import nn

from ...doors import door
from ...errors import ParameterError
from ..registries import architectures as registry


class PatchDiscriminator(nn.Module):
    """Convolutions of kernel 4 to one logit for each patch, "averaging all responses to provide the ultimate output".

    A logit of n layers of stride 2 and two of stride 1 sees a patch of 9 * 2^n - 2 pixels on a side, 70 for three
    layers; it knows texture within the patch and nothing beyond it, and works on pictures of any size.
    There is no batch normalisation, so that every point is treated by itself. (The authors' program averages the
    *costs* of the patches instead of their logits, which is not the same for a curved loss.)

    Args:
        channels: of the pictures.
        width: of the first layer; it doubles in each, up to eight times.
        layers: of stride 2.
        seed: of the initial weights, normal with standard deviation 0.02.

    Attributes:
        patch: pixels on a side that one logit sees.

    Example:
        >>> PatchDiscriminator(1, width=4, layers=1)(torch.zeros(2, 1, 28, 28)).shape
        torch.Size([2, 1])
    """

    per_sample = True

    @door
    def __init__(self, channels: int = 3, width: int = 64, layers: int = 3, seed: int = 0) -> None:
        super().__init__()
        if not 0 <= layers <= 8 or channels < 1:
            raise ParameterError(f"{layers} layers on {channels} channels", "0 to 8 layers, 1 channel or more", "3, 3")
        strides = [2] * layers + [1, 1]
        widths = [channels, *(width * min(2**k, 8) for k in range(layers + 1)), 1]
        found: list[nn.Module] = []
        for k, stride in enumerate(strides):
            found += [nn.Conv2d(widths[k], widths[k + 1], 4, stride, 1), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*found[:-1])
        rng = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.normal_(0.0, 0.02, generator=rng) if parameter.ndim > 1 else parameter.zero_()
        self.patch = 1
        for stride in reversed(strides):
            self.patch = (self.patch - 1) * stride + 4

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        """The mean of the patches' logits, (n, 1)."""
        return self.patch_logits(points).flatten(1).mean(1, keepdim=True)

    def patch_logits(self, points: torch.Tensor) -> torch.Tensor:
        """One logit for each patch, (n, 1, rows, columns)."""
        answer: torch.Tensor = self.layers(points)
        return answer


@registry.register("patch_discriminator", examples=())
@door
def patch_discriminator(
    shape: tuple[int, ...] = (1, 28, 28), width: int = 32, layers: int = 1, seed: int = 0
) -> nn.Module:
    """`PatchDiscriminator` for pictures of a shape, beside any generator of pictures."""
    return PatchDiscriminator(shape[0], width, layers, seed)
