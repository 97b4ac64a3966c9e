"""VAE-GAN: an autoencoder whose error is measured in the discriminator's own features (Larsen et al. 2016)."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from ...arguments.values import sizes
from ...errors import DomainError
from ..architectures.encoders import Encoder, layer_named, overheard
from ..critic import NetworkCritic
from ..gan_game import GANGame, Token
from ..given import check_modules, latent_size, weight
from ..registries import systems as registry

NOISE = 2**20  # stream of the encoder's draws, beyond those of data, samples and penalties


@registry.register("vae_gan", examples=({"gamma": 0.3},))
class VAEGAN(GANGame):
    """Three players with three costs: w = (decoder, discriminator, encoder). Not zero-sum (algorithm 1).

    The encoder gives a Gaussian N(m(x), diag s(x)^2) of latents; y = G(m + s e) is a reconstruction of x, G(z) a
    sample. With f_l the discriminator's features at a layer,

        similarity     S = 1/2 E |f_l(x) - f_l(y)|^2
        encoder        KL(N(m, s^2) | N(0, I)) + S
        decoder        gamma S + (1 - gamma) (loss.generator on y + the same on G(z))
        discriminator  loss.real on x + loss.fake on y + loss.fake on G(z), plus penalties

    where the decoder's loss of a zero-sum loss is minus the discriminator's. Each player's gradient is that of its own
    cost: the discriminator does not learn to make S small. The authors skip updates of the player that is ahead;
    here none are skipped, so that every analysis is of this game. KL and S are sums over latents and features.

    Args:
        generator, discriminator, loss, penalties, options: as `GANGame`; the loss has to be separable.
        encoder: a module from points to 2 latent numbers, m and log s; by default an `Encoder` of sizes
            `encoder_hidden`, seeded.
        gamma: between similarity and GAN for the decoder.
        layer: the name of the discriminator's layer that gives f_l, by default its last hidden one.

    Raises:
        DomainError: for a loss that is not separable, and conditional networks.
    """

    kind = "VAE-GAN"
    own_costs = True

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        loss: Any = "nonsaturating",
        penalties: Any = None,
        *,
        encoder: nn.Module | None = None,
        gamma: float = 1e-2,
        layer: str | None = None,
        encoder_hidden: tuple[int, ...] = (128, 128),
        latent: int | None = None,
        data: Any = None,
        **options: Any,
    ) -> None:
        check_modules(generator=generator, discriminator=discriminator)
        self.gamma, self._layer = weight("gamma", gamma, 1), layer_named(discriminator, layer)
        self.settings = {"gamma": self.gamma, "layer": layer}
        if encoder is None:
            encoder = encoder_of(generator, data, 2, encoder_hidden, latent, options.get("seed", 0))
        self.encoder = encoder
        super().__init__(
            generator, discriminator, loss, penalties, data, latent=latent, others={"encoder": encoder}, **options
        )

    def _unpenalised(self, critic: NetworkCritic, batch: Token, only: int | None) -> list[torch.Tensor | None]:
        refuse_inseparable(self)
        critic.stream(NOISE)
        mean, log_std = self.encoder(critic.real.detach()).chunk(2, 1)
        latent = mean + log_std.exp() * critic.normal(mean)
        rebuilt = self.networks[0](latent)
        with overheard(self._layer) as heard:
            on_real, on_rebuilt = critic.logit(critic.real), critic.logit(rebuilt)
        similarity = (heard[0] - heard[1]).flatten(1).square().sum(1).mean() / 2
        divergence = (mean.square() + (2 * log_std).exp() - 2 * log_std - 1).sum(1).mean() / 2
        on_fake = critic.logit(critic.fake)
        game = self._of_generator(on_rebuilt) + self._of_generator(on_fake)
        costs = [
            self.gamma * similarity + (1 - self.gamma) * game,
            self.loss.real(on_real).mean() + self.loss.fake(on_rebuilt).mean() + self.loss.fake(on_fake).mean(),
            divergence + similarity,
        ]
        return [cost if only in (None, i) else None for i, cost in enumerate(costs)]


def encoder_of(generator: nn.Module, data: Any, times: int, hidden: Any, latent: Any, seed: int) -> Encoder:
    """An encoder from the data's points to `times` the generator's latents."""
    from ..datasets import resolve

    data = resolve(data)
    shape = tuple(getattr(data, "shape", (2,)))
    shape = shape[1:] if isinstance(data, torch.Tensor) else shape
    size = latent_size(generator) if latent is None else latent
    encoder = Encoder(shape, times * size, sizes("encoder_hidden", hidden), 3 * (seed or 0) + 7)
    return encoder.to(next(generator.parameters()))


def refuse_inseparable(game: GANGame) -> None:
    """Raises DomainError for losses that are no sum over points, and networks that are given labels."""
    if not game.loss.separable or any(game._conditional):
        given = f"{type(game.loss).__name__} or conditional networks in a {game.kind}"
        raise DomainError(given, "a separable loss of networks without labels", 'loss="nonsaturating"')
