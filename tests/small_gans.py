"""Small smooth GANs in double precision for tests, so that finite differences have their full order."""

import numpy as np
import torch
from torch import nn

import gandyn as gd

LR = 0.05


def networks(dtype=torch.float64, hidden=(6, 5)):
    """Smooth networks, so that finite differences have the full order."""
    rng = torch.Generator().manual_seed(3)
    pair = gd.gans.mlp_pair(latent=2, hidden=hidden)
    for network in pair:
        for k, layer in enumerate(network):
            if isinstance(layer, nn.ReLU | nn.LeakyReLU):
                network[k] = nn.Tanh()
            else:
                nn.init.normal_(layer.bias, 0, 0.3, generator=rng)
    return tuple(network.to(dtype) for network in pair)


def gan(loss="nonsaturating", penalties=(), pair=None, **options):
    options = {"data": gd.gans.ring(std=0.3), "batch_size": 8, "latent": 2, **options}
    return gd.gans.GANGame(*(pair or networks()), loss, penalties, **options)


def token(game, seed=0):
    return game.draw(np.random.default_rng(seed))


CASES = {
    "nonsaturating": lambda: gan(),
    "minimax": lambda: gan("minimax"),
    "nonsaturating with R1": lambda: gan(penalties=gd.penalties.R1(0.7)),
    "wasserstein with R1": lambda: gan("wasserstein", [gd.penalties.R1(0.7)]),
    "two passes": lambda: gan(pair=tuple(map(nn.Sequential, networks()))),
}
