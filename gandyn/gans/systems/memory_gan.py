"""MemoryGAN: a discriminator that compares with what it remembers, a generator told a memory (Kim et al. 2018)."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from torch import nn

from ...doors import seed as checked_seed
from ...doors import several
from ...errors import DomainError, ParameterError
from ...types import Array, Rng
from ..architectures.encoders import body_of, overheard
from ..gan_game import GANGame, Token
from ..given import check_modules, latent_size
from ..given import weight as nonnegative
from ..registries import systems as registry

KEYS_SEED = 0x51ED2701
FLOOR = 1e-8  # beta, added to every slot's mass


class Unit(nn.Module):
    """q / |q|, row by row."""

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        """Rows of length one."""
        return nn.functional.normalize(points, dim=1)


class MemoryDiscriminator(nn.Module):
    """D(x) is the posterior mass of the real slots of a memory, given x (Kim et al. 2018, eqs. 4 to 6).

    Slot i has a key K_i of length one, a mass h_i and a side: the first half stands for data, the second for samples.
    With q(x) of length one, p(i | x) is in proportion to (h_i + 1e-8) exp(concentration (K_i . q - 1)), and the logit
    is log sum_real p - log sum_fake p, so that D = sigmoid(logit). The memory is held in buffers: within a step it is
    fixed.

    Args:
        body: from points to features. features: how many. keys: slots, an even number. size: of a key.
        concentration: of the likelihood, 1 in the authors' program. decay: of masses, between two steps.
        seed: of the first keys and of the layer that makes q.
    """

    keys: torch.Tensor
    mass: torch.Tensor

    def __init__(
        self,
        body: nn.Module,
        features: int,
        keys: int = 64,
        size: int = 16,
        concentration: float = 1.0,
        decay: float = 0.5,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if several("keys", keys) % 2 or nonnegative("decay", decay) >= 1:
            raise ParameterError(f"{keys} keys, decay {decay}", "an even number of keys, decay in [0, 1)", "keys=64")
        rng = torch.Generator().manual_seed(seed)
        last = nn.Linear(features, several("size", size))
        with torch.no_grad():
            last.weight.normal_(0.0, features**-0.5, generator=rng)
            last.bias.zero_()
        self.embedding = nn.Sequential(body, nn.Flatten(), last, Unit())
        self.concentration, self.decay = nonnegative("concentration", concentration), float(decay)
        self.register_buffer("keys", nn.functional.normalize(torch.randn(keys, size, generator=rng), dim=1))
        self.register_buffer("mass", torch.ones(keys))

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        """The logit, (n, 1)."""
        queries = self.embedding(points)
        real, fake = (self._log_mass(queries, side).logsumexp(1, keepdim=True) for side in (0, 1))
        logit: torch.Tensor = real - fake
        return logit

    def _side(self, side: int) -> slice:
        half = len(self.mass) // 2
        return slice(side * half, (side + 1) * half)

    def _log_mass(self, queries: Array, side: int) -> Array:
        """log (h_i + beta) + concentration (K_i . q - 1) of one side's slots, (n, keys / 2)."""
        own = self._side(side)
        return (self.mass[own] + FLOOR).log() + self.concentration * (queries @ self.keys[own].T - 1)

    def remember(self, real: Array, fake: Array) -> None:
        """Take q of data and samples in, each on its side, by one step of expectation maximisation.

        With r the posterior of a side's slots, h <- decay h + sum_n r_n and K <- unit(decay h K + sum_n r_n q_n). The
        slot of least mass then becomes the query that no key was near, with the mean mass. (The authors take queries
        one by one and drop the oldest slot.) Buffers are replaced and not written into, so a graph keeps the old ones.
        """
        keys, masses = [], []
        with torch.no_grad():
            for side, queries in enumerate((real.detach(), fake.detach())):
                own = self._side(side)
                share = self._log_mass(queries, side).softmax(1)
                old = self.decay * self.mass[own]
                mass = old + share.sum(0)
                key = nn.functional.normalize(old[:, None] * self.keys[own] + share.T @ queries, dim=1)
                least = torch.arange(len(mass), device=mass.device) == mass.argmin()
                far = (queries @ key.T).max(1).values.argmin()
                keys.append(torch.where(least[:, None], queries.index_select(0, far.view(1)), key))
                masses.append(torch.where(least, mass.mean(), mass))
            self.keys, self.mass = torch.cat(keys), torch.cat(masses)

    def draw_keys(self, n: int, source: torch.Generator) -> torch.Tensor:
        """n keys of real slots, drawn by their mass, (n, size)."""
        real = self._side(0)
        return self.keys[real][torch.multinomial(self.mass[real] + FLOOR, n, replacement=True, generator=source)]


class Keyed(nn.Module):
    """A generator whose latents are some numbers and a key: G(z, K)."""

    conditional = True

    def __init__(self, generator: nn.Module, latent: int) -> None:
        super().__init__()
        self.generator, self.latent = generator, latent

    def forward(self, latent: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
        """Samples for the keys."""
        made: torch.Tensor = self.generator(torch.cat([latent, keys], 1))
        return made


@registry.register("memory_gan", examples=({"keys": 8, "size": 2},))
class MemoryGAN(GANGame):
    """A GAN whose discriminator remembers, and whose generator makes samples of a remembered key. Not zero-sum.

    D is `MemoryDiscriminator`'s; keys K of real slots are drawn by their mass; both players' costs get
    weight E |q(G(z, K)) - K|^2 beside the loss's. The memory is no part of w: within a step it is fixed, so fields,
    products and spectra are those of the game with the memory *frozen* where it stands, and `advance` moves it, as it
    moves running statistics. What moves both together is a map that no analysis here is of.

    Args:
        generator, discriminator, loss, penalties, options: as `GANGame`. The generator takes latent + size numbers; of
            the discriminator all but its last layer is used.
        keys, size, concentration, decay: as `MemoryDiscriminator`.
        weight: of the last term, 0.01 in the paper's program.

    Raises:
        DomainError: for conditional networks, and a generator of too few latents.
    """

    kind = "MemoryGAN"
    own_costs = True
    draws_from_state = True

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        loss: Any = "nonsaturating",
        penalties: Any = None,
        *,
        keys: int = 64,
        size: int = 16,
        concentration: float = 1.0,
        decay: float = 0.5,
        weight: float = 0.01,
        latent: int | None = None,
        **options: Any,
    ) -> None:
        check_modules(generator=generator, discriminator=discriminator)
        self.weight = nonnegative("weight", weight)
        names = ("keys", "size", "concentration", "decay", "weight")
        self.settings = dict(zip(names, (keys, size, concentration, decay, weight), strict=True))
        total = latent_size(generator) if latent is None else latent
        if total <= several("size", size) or getattr(generator, "conditional", False):
            given = f"a generator of {total} latents for keys of {size} numbers"
            raise DomainError(given, "latent > size, and networks without labels", f"latent={size + 2}")
        body, features = body_of(discriminator)
        judge = MemoryDiscriminator(
            body, features, keys, size, concentration, decay, checked_seed("seed", options.get("seed", 0)) + 5
        ).to(next(generator.parameters()))
        super().__init__(Keyed(generator, total - size), judge, loss, penalties, latent=total - size, **options)

    def draw(self, rng: Rng = None) -> Token:
        """A batch, with keys in the place of labels."""
        token = super().draw(rng)
        source = torch.Generator(self.device).manual_seed((token.seed + KEYS_SEED) % 2**63)
        return dataclasses.replace(token, labels=self._draw_labels(len(token.latent), source))

    def _draw_labels(self, n: int, source: torch.Generator) -> Array:
        return self.discriminator.draw_keys(n, source)  # type: ignore[operator]

    def _unpenalised(self, critic: Any, batch: Token, only: int | None) -> list[Array]:
        memory: Any = self.discriminator
        with overheard(memory.embedding) as heard:
            critic.logit(critic.real), critic.logit(critic.fake)
        remembered, near = heard
        tie = self.weight * (near - batch.labels).square().sum(1).mean()
        costs = super()._unpenalised(critic, batch, only)
        memory.remember(remembered, near)
        return [None if cost is None else cost + tie for cost in costs]
