"""Small GANs, trained or not, with their dense Jacobians, for tests of spectra."""

import functools

import numpy as np

import gandyn as gd

ENDS = ("LM", "LR", "SR", "LI")
MEASURES = {"LM": np.abs, "LR": np.real, "SR": lambda z: -z.real, "LI": np.imag}


@functools.cache
def trained(hidden=(8, 8), steps=0, loss="nonsaturating", penalty=None, seed=0):
    """(game, point, token): a ring GAN in double precision, after `steps` of alternating Adam."""
    pair = [network.double() for network in gd.gans.mlp_pair(hidden=hidden, seed=seed)]
    game = gd.gans.GANGame(*pair, loss, penalty, data=gd.gans.ring(), batch_size=32, latent=2)
    w = game.w0.clone()
    if steps:
        rule = gd.rules.Alternating(gd.rules.Adam(2e-3, betas=(0, 0.99)))
        w = gd.iterate(game, rule, w, steps, record="last").w
    return game, w, game.draw(np.random.default_rng(0))


@functools.cache
def dense(**which):
    game, w, token = trained(**which)
    return game.jacobian(w, token).numpy()


def top(values, name, k):
    return np.sort(MEASURES[name](values))[::-1][:k]
