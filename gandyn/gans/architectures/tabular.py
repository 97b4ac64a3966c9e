"""Networks of tabular GANs: rows of numbers and one-hots, of latents and conditions; logits of packs of rows."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from ...doors import door
from ..registries import architectures as registry
from .mlp import LEAK, MLP

TEMPERATURE = 0.2


class Blueprint(nn.Module):
    """Sizes of a network that is built once the table, and with it the width of a row, is known."""

    def __init__(self, hidden: tuple[int, ...], dropout: float, latent: int, seed: int) -> None:
        super().__init__()
        self.hidden, self.dropout, self.latent, self.seed = hidden, dropout, latent, seed


@registry.register("tabular_generator", examples=())
@door
def tabular_generator(
    shape: tuple[int, ...] = (1,), latent: int = 32, hidden: tuple[int, ...] = (128, 128), seed: int = 0
) -> nn.Module:
    """For the system `tabular`: sizes of the residual blocks, the latents beside the condition."""
    return Blueprint(tuple(hidden), 0.0, latent, seed)


@registry.register("tabular_discriminator", examples=())
@door
def tabular_discriminator(
    shape: tuple[int, ...] = (1,), hidden: tuple[int, ...] = (128, 128), dropout: float = 0.5, seed: int = 0
) -> nn.Module:
    """For the system `tabular`: sizes of the layers, with dropout after each."""
    return Blueprint(tuple(hidden), dropout, 1, seed)


class Residual(nn.Module):
    """[x, ReLU(BatchNorm(W x + b))], side by side."""

    def __init__(self, inputs: int, size: int, rng: torch.Generator) -> None:
        super().__init__()
        linear: nn.Module = MLP(inputs, size, (), generator=rng)
        self.layers = nn.Sequential(linear, nn.BatchNorm1d(size), nn.ReLU())

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        """The input beside the layer's output, (n, inputs + size)."""
        return torch.cat([points, self.layers(points)], 1)


class TableGenerator(nn.Module):
    """Rows of latents and conditions: numbers through tanh, one-hots through a Gumbel softmax of temperature 0.2."""

    conditional = True

    def __init__(self, table: Any, sizes: Blueprint) -> None:
        super().__init__()
        rng = torch.Generator().manual_seed(sizes.seed)
        self.latent, inputs = sizes.latent, sizes.latent + table.condition_size
        blocks: list[nn.Module] = []
        for size in sizes.hidden:
            blocks.append(Residual(inputs, size, rng))
            inputs += size
        self.body = nn.Sequential(*blocks, MLP(inputs, table.shape[0], (), generator=rng))
        self._parts = [
            (place, not column.categories) for column, place in zip(table.columns, table.places, strict=True)
        ]

    def forward(self, latent: torch.Tensor, conditions: torch.Tensor) -> torch.Tensor:
        """Rows, (n, width)."""
        raw = self.body(torch.cat([latent, conditions], 1))
        uniform = torch.rand_like(raw).clamp(1e-6, 1 - 1e-6)
        drawn = raw - (-uniform.log()).log()
        found = []
        for place, number in self._parts:
            start = place.start + number
            found += [raw[:, place.start : start].tanh()] if number else []
            found.append((drawn[:, start : place.stop] / TEMPERATURE).softmax(1))
        return torch.cat(found, 1)


class PackedDiscriminator(nn.Module):
    """One logit for `pack` rows with their conditions side by side, said of each of them (Lin et al. 2018)."""

    conditional = True

    def __init__(self, table: Any, sizes: Blueprint, pack: int) -> None:
        super().__init__()
        rng = torch.Generator().manual_seed(sizes.seed)
        inputs = pack * (table.shape[0] + table.condition_size)
        self.pack, self.body = pack, MLP(inputs, 1, sizes.hidden, LEAK, rng, sizes.dropout)

    def forward(self, rows: torch.Tensor, conditions: torch.Tensor) -> torch.Tensor:
        """Logits, (n, 1), for n rows, a multiple of `pack`."""
        packed = torch.cat([rows, conditions], 1).reshape(len(rows) // self.pack, -1)
        logits: torch.Tensor = self.body(packed)
        return logits.repeat_interleave(self.pack, 0)
