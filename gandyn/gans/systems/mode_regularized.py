"""Mode-regularised GANs: an encoder, its regulariser, and training in two stages (Che et al. 2016)."""

from __future__ import annotations

import copy
from typing import Any

from torch import nn

from ...lazy import torch
from ..architectures.encoders import WithEncoder
from ..critic import NetworkCritic
from ..gan_game import GANGame, Token
from ..given import check_modules
from ..given import weight as nonnegative
from ..registries import systems as registry
from .vae_gan import encoder_of, refuse_inseparable


@registry.register("mode_regularized", examples=({"distance": 0.3},))
class ModeRegularized(GANGame):
    """A GAN whose generator has an encoder E, with which penalties such as `ModeRegularizer` know y = G(E(x)).

    Args:
        generator, discriminator, loss, penalties, options: as `GANGame`.
        encoder: a module from points to latents, by default an `Encoder` of sizes `encoder_hidden`; it plays with the
            generator.
        distance, logit: weights of E |x - y|^2 and of -E log D(y) in the generator's cost, by a `ModeRegularizer`.
    """

    kind = "mode-regularised GAN"

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        loss: Any = "nonsaturating",
        penalties: Any = None,
        *,
        encoder: nn.Module | None = None,
        distance: float = 0.2,
        logit: float = 0.1,
        encoder_hidden: tuple[int, ...] = (128, 128),
        data: Any = None,
        latent: int | None = None,
        **options: Any,
    ) -> None:
        from ...penalties.mode_regularizer import ModeRegularizer

        check_modules(generator=generator, discriminator=discriminator)
        generator = with_encoder(generator, encoder, data, encoder_hidden, latent, options.get("seed", 0))
        given = [penalties] if isinstance(penalties, str) or not isinstance(penalties, (list, tuple)) else penalties
        terms = [*(p for p in given if p is not None), ModeRegularizer(distance, logit)]
        super().__init__(generator, discriminator, loss, terms, data, latent=latent, **options)


@registry.register("manifold_diffusion", examples=({"weight": 0.5},))
class ManifoldDiffusion(GANGame):
    """The two-stage form, MDGAN: two discriminators, three players (section 3.3 and the appendix's algorithm).

    With y = G(E(x)), the *manifold* discriminator D1 tells x from y, the *diffusion* discriminator D2 y from G(z):

        generator and encoder   weight (-E log D1(y)) + distance E |x - y|^2  -  E log D2(G(z))
        diffusion D2            -E log D2(y) - E log(1 - D2(G(z)))
        manifold D1             -E log D1(x) - E log(1 - D1(y))

    written for the non-saturating loss; any separable one serves. The paper steps the generator once for each of its
    stages; here both are terms of one cost, whose gradient is the sum of the two steps' at one point, and analyses
    are of that game of three players: w = (generator and encoder, D2, D1). Penalties act on D2.

    Args:
        generator, discriminator, loss, penalties, options: as `GANGame`; the discriminator is D2.
        manifold: D1, by default a copy of D2 as it begins.
        encoder, encoder_hidden: as in `ModeRegularized`.
        weight: of D1's part in the generator's cost, lambda. distance: of the reconstruction error.

    Raises:
        DomainError: for a loss that is not separable, and conditional networks.
    """

    kind = "manifold-diffusion GAN"
    own_costs = True

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        loss: Any = "nonsaturating",
        penalties: Any = None,
        *,
        manifold: nn.Module | None = None,
        encoder: nn.Module | None = None,
        weight: float = 0.1,
        distance: float = 1.0,
        encoder_hidden: tuple[int, ...] = (128, 128),
        data: Any = None,
        latent: int | None = None,
        **options: Any,
    ) -> None:
        self.weight, self.distance = nonnegative("weight", weight), nonnegative("distance", distance)
        self.settings = {"weight": self.weight, "distance": self.distance}
        check_modules(generator=generator, discriminator=discriminator)
        generator = with_encoder(generator, encoder, data, encoder_hidden, latent, options.get("seed", 0))
        self.manifold = copy.deepcopy(discriminator) if manifold is None else manifold
        super().__init__(
            generator,
            discriminator,
            loss,
            penalties,
            data,
            latent=latent,
            others={"manifold": self.manifold},
            **options,
        )

    def _unpenalised(self, critic: NetworkCritic, batch: Token, only: int | None) -> list[torch.Tensor | None]:
        refuse_inseparable(self)
        real = critic.real.detach()
        near = critic.reconstruct(real)
        on_real, on_near = self.manifold(real).flatten(), self.manifold(near).flatten()
        diffuse_near, diffuse_fake = critic.logit(near), critic.logit(critic.fake)
        error = critic.squared_distance(real, near).mean()
        costs = [
            self.weight * self._of_generator(on_near) + self.distance * error + self._of_generator(diffuse_fake),
            self.loss.real(diffuse_near).mean() + self.loss.fake(diffuse_fake).mean(),
            self.loss.real(on_real).mean() + self.loss.fake(on_near).mean(),
        ]
        return [cost if only in (None, i) else None for i, cost in enumerate(costs)]


def with_encoder(generator: nn.Module, encoder: Any, data: Any, hidden: Any, latent: Any, seed: int) -> nn.Module:
    """The generator with an encoder beside it, where it has none of its own."""
    if encoder is None and isinstance(getattr(generator, "encoder", None), nn.Module):
        return generator
    return WithEncoder(generator, encoder or encoder_of(generator, data, 1, hidden, latent, seed))
