"""MIX+GAN: several generators against several discriminators, with weights that are learned (Arora et al. 2017)."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn

from ...doors import seed as checked_seed
from ...doors import several
from ..gan_game import GANGame, Token
from ..given import check_modules, latent_size
from ..given import weight as nonnegative
from ..registries import systems as registry
from .vae_gan import refuse_inseparable


class Mixture(nn.Module):
    """Networks of one kind with weights softmax(u), u parameters that begin at zero.

    The k-th network begins with the first one's weights, those of each tensor of two or more dimensions shuffled, so
    that all are draws from one law and no two are equal.

    Args:
        network: the first. parts: how many. seed: of the shuffles.
    """

    def __init__(self, network: nn.Module, parts: int, seed: int) -> None:
        super().__init__()
        rng = torch.Generator().manual_seed(seed)
        copies = [copy.deepcopy(network) for _ in range(parts)]
        for other in copies[1:]:
            for parameter in other.parameters():
                if parameter.ndim > 1:
                    order = torch.randperm(parameter.numel(), generator=rng).to(parameter.device)
                    parameter.data = parameter.data.flatten()[order].reshape(parameter.shape)
        self.parts = nn.ModuleList(copies)
        self.logits = nn.Parameter(torch.zeros(parts).to(next(network.parameters())))

    @property
    def weights(self) -> torch.Tensor:
        """The weight of each network, (parts,); they sum to one."""
        return self.logits.softmax(0)


class GeneratorMixture(Mixture):
    """Each sample is of one generator, drawn by the weights through the last of the latents: z_last <= its quantile."""

    def __init__(self, network: nn.Module, parts: int, seed: int, latent: int) -> None:
        super().__init__(network, parts, seed)
        self.latent = latent + 1

    def forward(self, latent: torch.Tensor) -> torch.Tensor:
        """Samples (n, ...)."""
        made = torch.stack([part(latent[:, :-1]) for part in self.parts])
        place = torch.special.ndtr(latent[:, -1])
        chosen = (place[:, None] > self.weights.detach().cumsum(0)[:-1]).sum(1)
        hot = (chosen[None] == torch.arange(len(made), device=made.device)[:, None]).to(made.dtype)
        picked: torch.Tensor = (made * hot.reshape(*hot.shape, *[1] * (made.ndim - 2))).sum(0)
        return picked


class DiscriminatorMixture(Mixture):
    """The mean logit, by the weights: what one sees who looks at the mixture as one discriminator."""

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        """The mean logit, (n, 1)."""
        logits = torch.stack([part(points).reshape(-1, 1) for part in self.parts])
        return (self.weights[:, None, None] * logits).sum(0)


@registry.register("mix_gan", examples=({"parts": 2},))
class MixGAN(GANGame):
    """Two players with mixtures: w = (generators and their logits u, discriminators and theirs v) (section 5).

    With p = softmax(u) and q = softmax(v), both players minimise *expected* costs over pairs,

        discriminator  sum_j q_j (E loss.real(s_j(x)) + sum_i p_i E loss.fake(s_j(G_i(z)))) + entropy R(v)
        generator      sum_ij p_i q_j E loss.generator(s_j(G_i(z))) + entropy R(u),   R(u) = -1/n sum_k log p_k,

    where R is the cross-entropy to the uniform weights, and not minus the entropy, as in the authors' program. Not
    zero-sum, for R. Penalties act on the mean logit.

    Args:
        generator, discriminator, loss, penalties, options: as `GANGame`; each is the first of its mixture.
        parts: networks on each side, 5 in the paper. entropy: weight of R, 0.1 in the authors' program.

    Raises:
        DomainError: for a loss that is not separable, and conditional networks.
    """

    kind = "MIX+GAN"
    own_costs = True

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        loss: Any = "nonsaturating",
        penalties: Any = None,
        *,
        parts: int = 3,
        entropy: float = 0.1,
        latent: int | None = None,
        **options: Any,
    ) -> None:
        check_modules(generator=generator, discriminator=discriminator)
        self.entropy = nonnegative("entropy", entropy)
        self.settings = {"parts": several("parts", parts), "entropy": self.entropy}
        seed = checked_seed("seed", options.get("seed", 0))
        size = latent_size(generator) if latent is None else latent
        makers = GeneratorMixture(generator, parts, 2 * seed + 11, size)
        judges = DiscriminatorMixture(discriminator, parts, 2 * seed + 12)
        super().__init__(makers, judges, loss, penalties, latent=size + 1, **options)

    def _unpenalised(self, critic: Any, batch: Token, only: int | None) -> list[torch.Tensor | None]:
        refuse_inseparable(self)
        makers, judges = self.networks[:2]
        fakes = [maker(batch.latent[:, :-1]) for maker in makers.parts]
        p, q = makers.weights, judges.weights
        costs: list[Any] = [self.entropy * -w.log().mean() for w in (p, q)]
        for j, judge in enumerate(judges.parts):
            if only != 0:
                costs[1] = costs[1] + q[j] * self.loss.real(judge(critic.real).flatten()).mean()
            for i, fake in enumerate(fakes):
                on_fake = judge(fake).flatten()
                costs[0] = costs[0] + p[i] * q[j] * self._of_generator(on_fake)
                costs[1] = costs[1] + p[i] * q[j] * self.loss.fake(on_fake).mean()
        return [cost if only in (None, i) else None for i, cost in enumerate(costs)]
