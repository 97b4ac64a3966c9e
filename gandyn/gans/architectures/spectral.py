"""Spectral normalisation by power iteration, its vectors frozen within a step (Miyato et al. 2018, algorithm 1)."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils import parametrize

from ...penalties.spectral_normalization import power_iteration

FIRST_STEPS = 20


class SpectralNorm(nn.Module):
    """W -> W / (u^T W v), with u, v near the leading singular vectors of W as (outputs x rest).

    Within a step u and v are constants, so the logit is a smooth function of W whose gradient is exact; `refresh`,
    which the game's `advance` calls once a step, moves them by one power iteration at the weights last evaluated.
    (Torch's own parametrisation moves them at every pass, so that two evaluations at one point differ.) u^T W v is a
    lower bound of the largest singular value and equals it in the limit: `penalties.SpectralNormalization` divides by
    the exact one.
    """

    def __init__(self, weight: torch.Tensor, generator: torch.Generator | None = None) -> None:
        super().__init__()
        matrix = weight.detach().flatten(1)
        u = torch.randn(len(matrix), generator=generator, dtype=weight.dtype)
        self.u: torch.Tensor
        self.v: torch.Tensor
        self.register_buffer("u", u.to(weight.device))
        self.register_buffer("v", matrix.new_zeros(matrix.shape[1]))
        self.refresh(weight, FIRST_STEPS)

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        """The weight as the layer uses it."""
        return weight / self.estimate(weight)

    def estimate(self, weight: torch.Tensor) -> torch.Tensor:
        """u^T W v."""
        return self.u @ (weight.flatten(1) @ self.v)

    @torch.no_grad()
    def refresh(self, weight: torch.Tensor, steps: int = 1) -> None:
        """Power iteration: v = W^T u, u = W v, each of length one."""
        matrix = weight.detach().flatten(1)
        _, u = power_iteration(matrix, self.u, steps)
        v = matrix.T @ u
        self.u.copy_(u)
        self.v.copy_(v / v.norm())


def normalise(layer: nn.Module, generator: torch.Generator | None = None) -> nn.Module:
    """The layer with its weight spectrally normalised; its parameter becomes `parametrizations.weight.original`."""
    weight: torch.Tensor = layer.weight  # type: ignore[assignment]
    parametrize.register_parametrization(layer, "weight", SpectralNorm(weight, generator))
    return layer


def refresh(network: nn.Module) -> None:
    """Move the vectors of every spectral norm in a network by one power iteration."""
    for norm, weight in norms(network):
        norm.refresh(weight)


def vectors(network: nn.Module) -> list[torch.Tensor]:
    """The buffers u and v of every spectral norm, which nothing but `refresh` moves."""
    return [vector for norm, _ in norms(network) for vector in (norm.u, norm.v)]


def norms(network: nn.Module) -> list[tuple[SpectralNorm, torch.Tensor]]:
    """Every spectral norm in a network, with the weight before it."""
    found = []
    for layer in network.modules():
        if isinstance(layer, parametrize.ParametrizationList):
            found += [(own, layer.original) for own in layer if isinstance(own, SpectralNorm)]
    return found
