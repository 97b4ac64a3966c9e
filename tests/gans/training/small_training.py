"""A small GAN in training, for tests of runs and of checkpoints."""

from __future__ import annotations

import torch

import gandyn as gd

R = gd.rules
STEPS = 24
RULES = {
    "alternating adam": lambda: R.Alternating(R.Adam(1e-3, (0.0, 0.99))),
    "optimistic": lambda: R.OptimisticAdam(1e-3),
    "extragradient, fresh": lambda: R.Extragradient(0.05, fresh=True),
    "lookahead": lambda: R.Lookahead(R.SGDM(0.05), 3, 0.5),
    "consensus": lambda: R.Consensus(0.02, 0.1),
    "averaging": lambda: R.Averaging(R.SimultaneousGD(0.05)),
}


class Normed(torch.nn.Sequential):
    """A discriminator with running statistics."""

    def __init__(self, seed):
        torch.manual_seed(seed)
        super().__init__(torch.nn.Linear(2, 8), torch.nn.BatchNorm1d(8), torch.nn.Dropout(0.2), torch.nn.Linear(8, 1))


def small(seed=0, penalties=None, normed=False, data=None, loss="nonsaturating"):
    generator, discriminator = gd.gans.mlp_pair(hidden=(8, 8), seed=seed)
    if normed:
        with torch.random.fork_rng([]):
            discriminator = Normed(seed)
    data = gd.gans.ring() if data is None else data
    return gd.gans.GANGame(generator, discriminator, loss, penalties, data=data, batch_size=16, seed=seed)


def options(**changes):
    return {"log_every": 4, "checkpoint_every": 6, "metrics_every": 8, "average": 0.9, **changes}


def timeless(rows):
    return [{k: v for k, v in row.items() if k != "seconds"} for row in rows]
