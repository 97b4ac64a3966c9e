"""Small smooth games of several networks in double precision, for the tests of systems."""

import torch
from small_gans import networks
from torch import nn

import gandyn as gd
from gandyn.gans import architectures
from gandyn.gans.architectures.encoders import Encoder
from gandyn.gans.architectures.heads import SamplingDropout
from gandyn.gans.datasets.laplacian import LaplacianLevel

GIVEN = {"data": gd.gans.ring(std=0.3), "batch_size": 6, "latent": 2}


def smooth_encoder(outputs):
    encoder = Encoder((2,), outputs, (5,), seed=4)
    encoder[1][1] = nn.Tanh()
    return encoder.double()


def system(name, *terms, **options):
    return gd.gans.systems.registry[name].build(*networks(), "nonsaturating", [*terms], **{**GIVEN, **options})


def vae(*terms, **options):
    return system("vae_gan", *terms, encoder=smooth_encoder(4), gamma=0.3, **options)


def two_stages(*terms, **options):
    return system("manifold_diffusion", *terms, encoder=smooth_encoder(2), weight=0.4, distance=0.7, **options)


def remembering(*terms, **options):
    judge = networks()[1]
    torch.manual_seed(0)
    wide = nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, 2))
    given = {"keys": 8, "size": 3, "concentration": 2.0, "weight": 0.3, **GIVEN, "latent": 5, **options}
    return gd.gans.systems.memory_gan(wide.double(), judge, "nonsaturating", [*terms], **given)


class Pictures:
    """Smooth noise of 4 x 4 pixels."""

    name, shape = "noise", (1, 4, 4)

    def sample(self, n, source=None):
        return torch.rand(n, 1, 4, 4, dtype=torch.float64, generator=source)

    def to(self, device=None, dtype=None):
        return self


def level(*terms):
    options = {"shape": (1, 4, 4), "width": 2}
    pair = [
        architectures.laplacian_generator(**options, kernels=(3, 3)),
        architectures.laplacian_discriminator(**options),
    ]
    _smooth(pair)
    return gd.gans.GANGame(*pair, penalties=[*terms], data=LaplacianLevel(Pictures(), 0), batch_size=4)


def _smooth(pair):
    for network in pair:
        for k, layer in enumerate(network.layers):
            if isinstance(layer, nn.ReLU | nn.LeakyReLU):
                network.layers[k] = nn.Tanh()
        rng = torch.Generator().manual_seed(5)
        for parameter in network.double().parameters():
            nn.init.normal_(parameter, 0, 0.4, generator=rng)


def mixed(**options):
    return system("mix_gan", parts=2, entropy=0.3, **options)


def fuzzy():
    build = architectures.registry
    maker = build["takagi_sugeno_generator"].build((2,), hidden=(5,), fuzzy_rules=3)
    judge = build["takagi_sugeno_discriminator"].build((2,), hidden=(5,), fuzzy_rules=2)
    for network in (maker, judge):
        for holder in list(network.modules()):
            for name, layer in list(holder.named_children()):
                if isinstance(layer, nn.LeakyReLU):
                    setattr(holder, name, nn.Tanh())
    return gd.gans.GANGame(maker.double(), judge.double(), "minimax", **GIVEN)


def dropping():
    """A generator whose dropout also acts when it samples."""
    maker, judge = networks()
    return gd.gans.GANGame(
        nn.Sequential(*list(maker)[:2], SamplingDropout(0.4), *list(maker)[2:]), judge, "nonsaturating", **GIVEN
    )


GAMES = {
    "dropout that stays": dropping,
    "mixtures": mixed,
    "fuzzy rules": fuzzy,
    "a memory": remembering,
    "a memory with R1": lambda: remembering("R1(0.3)"),
    "a level of a pyramid": level,
    "a level with pixels": lambda: level("Pixel(0.7)", "R1(0.3)"),
    "three costs": vae,
    "three costs with R1": lambda: vae("R1(0.3)"),
    "an encoder": lambda: system("mode_regularized", "R1(0.3)", encoder=smooth_encoder(2)),
    "two stages": two_stages,
    "two stages with R1": lambda: two_stages("R1(0.3)"),
}
