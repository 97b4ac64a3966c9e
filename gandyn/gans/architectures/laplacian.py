"""LAPGAN: networks of one level of a pyramid, given the coarser picture, and its samples (Denton et al. 2015)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from ...doors import door, several, shown
from ...doors import seed as checked_seed
from ...errors import DomainError, ParameterError
from ..registries import architectures as registry
from .image_networks import radford
from .mlp import LEAK


class LaplacianGenerator(nn.Module):
    """h = G(z, l): convolutions of the coarse picture l beside one plane of noise, uniform on (-1, 1) (appendix).

    The plane is erf(z / sqrt 2) of normal latents z, which is exactly uniform.

    The kernels have sides 7, 7 and 5 in the paper.
    """

    conditional = True

    def __init__(self, shape: tuple[int, ...], width: int, kernels: tuple[int, ...], seed: int) -> None:
        super().__init__()
        self.plane = (1, *shape[1:])
        self.latent = math.prod(self.plane)
        widths = [shape[0] + 1, *[width] * (len(kernels) - 1), shape[0]]
        layers: list[nn.Module] = []
        for before, after, side in zip(widths, widths[1:], kernels, strict=False):
            layers += [nn.Conv2d(before, after, side, padding=side // 2), nn.ReLU()]
        self.layers = nn.Sequential(*layers[:-1])
        radford(self.layers, torch.Generator().manual_seed(seed))

    def forward(self, latent: torch.Tensor, low: torch.Tensor) -> torch.Tensor:
        """What the picture has beyond l, of l's shape."""
        noise = torch.erf(latent / math.sqrt(2)).reshape(-1, *self.plane)
        made: torch.Tensor = self.layers(torch.cat([low, noise], 1))
        return made


class LaplacianDiscriminator(nn.Module):
    """D(h, l): convolutions of the *sum* h + l, 5 x 5, the second of stride 2, then one logit (appendix)."""

    conditional, per_sample = True, True

    def __init__(self, shape: tuple[int, ...], width: int, dropout: float, seed: int) -> None:
        super().__init__()
        sides = [(side + 1) // 2 for side in shape[1:]]
        drop = [nn.Dropout(dropout)] if dropout else []
        self.layers = nn.Sequential(
            *(nn.Conv2d(shape[0], width, 5, 1, 2), nn.LeakyReLU(LEAK), *drop),
            *(nn.Conv2d(width, width, 5, 2, 2), nn.LeakyReLU(LEAK), *drop),
            *(nn.Flatten(), nn.Linear(width * math.prod(sides), 1)),
        )
        radford(self.layers, torch.Generator().manual_seed(seed))

    def forward(self, high: torch.Tensor, low: torch.Tensor) -> torch.Tensor:
        """The logit, (n, 1)."""
        answer: torch.Tensor = self.layers(high + low)
        return answer


@registry.register("laplacian_generator", examples=())
@door
def laplacian_generator(
    shape: tuple[int, ...] = (1, 28, 28),
    latent: int = 1,
    width: int = 32,
    kernels: tuple[int, ...] = (7, 7, 5),
    seed: int = 0,
) -> nn.Module:
    """The generator of one level, of data such as `laplacian(digits)`; its latents are a plane, whatever `latent`."""
    return LaplacianGenerator(tuple(shape), width, tuple(kernels), seed)


@registry.register("laplacian_discriminator", examples=())
@door
def laplacian_discriminator(
    shape: tuple[int, ...] = (1, 28, 28), width: int = 32, dropout: float = 0.0, seed: int = 0
) -> nn.Module:
    """The discriminator of one level."""
    return LaplacianDiscriminator(tuple(shape), width, dropout, seed)


def pyramid_samples(runs: Sequence[object], n: int, seed: int = 0) -> list[torch.Tensor]:
    """Pictures made level by level: those of the first run, and each made finer by the next, (n, c, height, width).

    The levels are games of their own, trained apart and each on real coarse pictures; there is no joint game.

    Args:
        runs: training runs from the coarsest, whose generator makes pictures, to the finest level's.
        n: how many.
        seed: of the latents.

    Raises:
        DomainError: for runs whose levels do not follow each other.

    Returns:
        The pictures after each run, the last ones the finest.
    """
    from ..datasets.laplacian import finer

    if not isinstance(runs, list | tuple) or not runs or not all(hasattr(run, "best_w") for run in runs):
        raise ParameterError(f"runs={shown(runs)}", "training runs, from the coarsest", "runs=[coarse, fine]")
    rng, n = np.random.default_rng(checked_seed("seed", seed)), several("n", n)
    first, *others = runs
    pictures = [first.game.sample(first.best_w, n, rng)]
    for run in others:
        low = finer(pictures[-1])
        needed = tuple(run.game.reference.real.shape[1:])
        if tuple(low.shape[1:]) != needed:
            raise DomainError(
                f"a level of {needed} after pictures {tuple(low.shape[1:])}", "the next level", "runs in order"
            )
        pictures.append(low + run.game.sample(run.best_w, n, rng, labels=low))
    return pictures
