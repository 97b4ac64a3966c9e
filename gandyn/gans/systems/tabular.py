"""Tabular GAN: rows of numbers and categories, conditions, packing, slopes of packed rows (CTGAN, 2019)."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from ...doors import seed as checked_seed
from ...doors import several
from ...errors import DomainError, ParameterError
from ...penalties import Penalty
from ...penalties.declaration import weight
from ...penalties.penalty import length
from ...types import Array
from ..architectures.encoders import overheard
from ..architectures.tabular import Blueprint, PackedDiscriminator, TableGenerator
from ..datasets.mixed_tables import MixedTable, write_cells
from ..gan_game import GANGame, Token
from ..given import weight as nonnegative
from ..registries import systems as registry


@dataclasses.dataclass(frozen=True)
class PackedSlope(Penalty):
    """gamma E (|grad s| - 1)^2 over packed rows between data and samples, one uniform for each pack; no 1/2.

    The gradient is against the pack's rows together, conditions held: with the logit said of each row, that of the sum
    over rows is `pack` times it.

    Args:
        gamma: weight, 10 in the paper. pack: rows in a pack.
    """

    stochastic: ClassVar[bool] = True
    gamma: Any = weight()
    pack: int = 1

    def cost(self, critic: Any) -> Array:
        """gamma times the mean over the packs."""
        share = critic.uniform(critic.real, per_point=True)[:: self.pack].repeat_interleave(self.pack, 0)
        points = critic.real + share * (critic.fake - critic.real)
        squares = critic.squared_slope(points).reshape(-1, self.pack).sum(1) / self.pack**2
        return self.gamma * (length(squares) - 1).square().mean()


@registry.register("tabular", examples=({"pack": 2},))
class TabularGAN(GANGame):
    """A conditional GAN of a table's rows (Xu et al. 2019; packing of Lin et al. 2018). Not zero-sum.

    The discriminator sees packs of rows; its cost has gamma E (|slope| - 1)^2 on packed rows beside the loss. The
    generator's has the cross-entropy of the column that the condition names, on its raw outputs, to the category that
    it asks for. Data and sample of one place have one condition. (The authors' program shuffles the conditions of the
    data, decays the weights of the optimiser by 1e-6, and has batches of 500.) The analyses are of this game with a
    batch's conditions held.

    Args:
        generator, discriminator: `Blueprint`s, such as `gd.gans.architectures.tabular_generator()`.
        loss, penalties, options: as `GANGame`. data: a `MixedTable`, or the name of one.
        pack: rows in a pack, 10 in the authors' program. gamma: of the slope penalty.
        asked: weight of the cross-entropy; 0 for none.

    Raises:
        DomainError: for data that are no table, and networks of another kind.
        ParameterError: for a batch that is no multiple of the pack.
    """

    kind = "tabular GAN"
    own_costs = True

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        loss: Any = "wasserstein",
        penalties: Any = None,
        *,
        data: Any = None,
        pack: int = 10,
        gamma: float = 10.0,
        asked: float = 1.0,
        batch_size: int = 100,
        latent: int | None = None,
        **options: Any,
    ) -> None:
        from ..datasets import resolve

        table = resolve(data)
        if not isinstance(table, MixedTable) or not isinstance(generator, Blueprint):
            raise DomainError(f"a tabular GAN of {data!r}", "a table and tabular networks", 'data="penguins"')
        if not isinstance(discriminator, Blueprint):
            raise DomainError(f"a {type(discriminator).__name__}", "a blueprint", "tabular_discriminator()")
        if batch_size % several("pack", pack):
            raise ParameterError(f"batch_size={batch_size} for packs of {pack}", "a multiple", f"{10 * pack}")
        self.pack, self.asked = pack, nonnegative("asked", asked)
        self.settings = {"pack": pack, "gamma": nonnegative("gamma", gamma), "asked": self.asked}
        given = [penalties] if isinstance(penalties, str) else list(penalties or [])
        makers, judges = TableGenerator(table, generator), PackedDiscriminator(table, discriminator, pack)
        terms = [*given, PackedSlope(gamma, pack)]
        super().__init__(
            makers, judges, loss, terms, table, batch_size, generator.latent if latent is None else latent, **options
        )

    def draw(self, rng: Any = None) -> Token:
        """A batch of whole packs."""
        token = super().draw(rng)
        n = len(token.latent) - len(token.latent) % self.pack
        return Token(token.real[:n], token.latent[:n], token.seed, token.labels[:n])

    def _network_costs(self, networks: Any, batch: Any, only: int | None) -> tuple[Array, ...]:
        with overheard(self.generator.body) as heard:  # type: ignore[arg-type]
            costs = super()._network_costs(networks, batch, only)
        conditions = (self.reference if batch is None else batch).labels
        if only == 1 or not self.asked or not conditions.shape[1]:
            return costs
        return (costs[0] + self.asked * self._missed(heard[0], conditions), *costs[1:])

    def _missed(self, raw: Array, conditions: Array) -> Array:
        """-log p(category asked for) of the column asked for, the mean over the batch."""
        table, start, total = self.data, 0, 0.0
        for k in table.conditional:
            logs = raw[:, table.places[k]].log_softmax(1)
            total = total - (conditions[:, start : start + logs.shape[1]] * logs).sum(1).mean()
            start += logs.shape[1]
        return total

    def table(self, w: Array, n: int, seed: int = 0, counted: bool = True) -> dict[str, list[str]]:
        """n rows as texts by column.

        Args:
            w: (d,). n: how many. seed: of latents and conditions.
            counted: the conditions' categories have their true frequencies; else those of training, by logarithms,
                as the authors' program has them even where its documentation says "original frequency".
        """
        rng = np.random.default_rng(checked_seed("seed", seed))
        source = torch.Generator().manual_seed(int(rng.integers(2**62)))
        conditions = self.data.conditions(several("n", n), source, counted)[0].to(self.w0)
        found: dict[str, list[str]] = self.data.decode(self.sample(w, n, rng, labels=conditions))
        return found

    def save_table(self, path: str | Path, w: Array, n: int, seed: int = 0) -> None:
        """n rows as a CSV file."""
        write_cells(path, self.table(w, n, seed))
