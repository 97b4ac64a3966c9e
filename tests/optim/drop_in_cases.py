"""Small networks and their losses, for the tests of a drop-in."""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.nn.functional import softplus

import gandyn as gd

R = gd.rules


SOURCE = torch.Generator().manual_seed(0)


REAL, LATENT = torch.randn(2, 16, 2, dtype=torch.float64, generator=SOURCE) + torch.tensor([1.0, 0.0])[:, None, None]


def modules(norm=False, dtype=torch.float64, seed=0):
    torch.manual_seed(seed)
    inside = [nn.BatchNorm1d(5)] if norm else []
    generator = nn.Sequential(nn.Linear(2, 5), *inside, nn.Tanh(), nn.Linear(5, 2)).to(dtype)
    return generator, nn.Sequential(nn.Linear(2, 5), *copy.deepcopy(inside), nn.Tanh(), nn.Linear(5, 1)).to(dtype)


def losses(generator, discriminator, real=REAL, latent=LATENT):
    on_fake, on_real = discriminator(generator(latent)), discriminator(real)
    return softplus(-on_fake).mean(), (softplus(on_fake) + softplus(-on_real)).mean()


def simple(generator, discriminator):
    return losses(generator, discriminator)


def vector(pair):
    return torch.cat([p.detach().reshape(-1) for module in pair for p in module.parameters()]).clone()


def after(pair, rule, objective=simple, steps=2, **options):
    optimizer = gd.optim.for_modules(*pair, rule, **options)
    for _ in range(steps):
        optimizer.step(objective)
    return vector(pair)
