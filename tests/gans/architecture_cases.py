"""The architectures, and games made of them, that the tests run over."""

import math

import numpy as np
import pytest
import torch

import gandyn as gd
from gandyn.gans.architectures.spectral import norms

STEP = 1e-5


architectures = gd.gans.architectures


GENERATORS = [e for e in architectures.registry if e.name.endswith("_generator")]


DISCRIMINATORS = [e for e in architectures.registry if e.name.endswith("_discriminator")]


CASES = [
    pytest.param(entry, options, id=f"{entry.name}-{k}")
    for entry in DISCRIMINATORS
    for k, options in enumerate(entry.examples)
]


def points(shape, n=4, seed=0):
    source = torch.Generator().manual_seed(seed)
    return 0.5 * torch.randn(n, *shape, generator=source, dtype=torch.float64)


def game_of(entry, options, loss="nonsaturating", penalties=(), seed=0, n=4):
    """A discriminator against the plainest generator of its architecture, on labelled noise, in double precision."""
    name, shape = entry.name.rsplit("_", 1)[0], options["shape"]
    classes = options.get("classes", 0)
    small = {"hidden": (5,)} if name == "mlp" else {"width": 2, "latent": 3}
    build = architectures.registry[f"{name}_generator"].build
    generator = build(shape, classes=classes, seed=seed, **small).double()
    discriminator = entry.build(**options).double()
    _settle([generator, discriminator])
    data = gd.gans.Points("noise", points(shape, 12), torch.arange(12) % 3, dtype=torch.float64)
    return gd.gans.GANGame(generator, discriminator, loss, penalties, data=data, batch_size=n, seed=seed)


def _settle(networks):
    """Weights that are neither zero nor tiny, so that every slope is of order one and no unit sits at its kink."""
    source = torch.Generator().manual_seed(7)
    for network in networks:
        for parameter in network.parameters():
            with torch.no_grad():
                fan = math.prod(parameter.shape[1:]) or 1
                parameter.copy_(torch.randn(parameter.shape, generator=source, dtype=torch.float64) / math.sqrt(fan))
        for norm, weight in norms(network):
            norm.refresh(weight, 50)


def agree(game, tolerance=1e-6, directions=2):
    """The field's blocks against central differences of each player's own cost, along random directions."""
    batch = game.draw(np.random.default_rng(1))
    w, field = game.w0, game.field(game.w0, batch)
    source = torch.Generator().manual_seed(2)
    for i, block in enumerate(game.slices):
        for _ in range(directions):
            u = torch.zeros_like(w)
            u[block] = torch.randn(u[block].shape, generator=source, dtype=u.dtype)
            u /= u.norm()
            slope = float(field @ u)
            up, down = (float(game.costs(w + h * u, batch)[i]) for h in (STEP, -STEP))
            difference = (up - down) / (2 * STEP)
            assert abs(difference - slope) < tolerance * max(1.0, abs(slope)), (i, difference, slope)
    return field
