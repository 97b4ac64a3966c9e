"""Training loops in the manner of public code, of a few steps each; every one runs with and without a watch."""

# ruff: noqa: NPY002 -- the streams that public code draws from
from __future__ import annotations

import random

import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy, binary_cross_entropy_with_logits, relu, softplus

import gandyn as gd


def bce(logits, target):
    return binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


def adam(net, lr=2e-3):
    return torch.optim.Adam(net.parameters(), lr, betas=(0.5, 0.999))


def alternate(networks, losses, steps, watch, batches=None):
    """Discriminators first, then the generator, each with the losses of its own turn."""
    optimizers = [adam(net) for net in networks]
    for _ in range(steps):
        further = () if batches is None else (next(batches),)
        for i in (*range(1, len(networks)), 0):
            optimizers[i].zero_grad()
            losses(*networks, *further)[i].backward()
            optimizers[i].step()
        if watch is not None:
            watch.step(*further)


def dropout_and_batchnorm(steps, watched):
    generator = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))
    discriminator = nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(8, 1))
    source, history = torch.Generator().manual_seed(4), []

    def losses(g, d):
        real = 1 + 0.1 * torch.randn(16, 2, generator=source)
        fake = g(torch.randn(16, 2))
        history.append(random.random() + np.random.rand())
        return bce(d(fake), 1.0), bce(d(real), 1.0) + bce(d(fake.detach()), 0.0)

    alternate((generator, discriminator), losses, steps, watched(generator, discriminator, losses))
    return generator, discriminator, history, source.get_state()


def spectral_norms(steps, watched):
    from torch.nn.utils import parametrizations, spectral_norm

    generator = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 2))
    discriminator = nn.Sequential(
        spectral_norm(nn.Linear(2, 8)), nn.LeakyReLU(0.1), parametrizations.spectral_norm(nn.Linear(8, 1))
    )
    seen = {"calls": 0}

    def losses(g, d):
        seen["calls"] += 1
        on_fake, on_real = d(g(torch.randn(16, 2))), d(2 + torch.randn(16, 2))
        return -on_fake.mean(), relu(1 + on_fake).mean() + relu(1 - on_real).mean()

    alternate((generator, discriminator), losses, steps, watched(generator, discriminator, losses))
    return generator, discriminator, seen


def small_dcgan(steps, watched):
    generator = nn.Sequential(
        nn.ConvTranspose2d(4, 6, 4), nn.BatchNorm2d(6), nn.ReLU(), nn.ConvTranspose2d(6, 1, 4, 2, 1), nn.Tanh()
    ).to(memory_format=torch.channels_last)
    discriminator = nn.Sequential(
        nn.Conv2d(1, 6, 4, 2, 1), nn.BatchNorm2d(6), nn.LeakyReLU(0.2), nn.Conv2d(6, 1, 4), nn.Flatten(0), nn.Sigmoid()
    )
    pictures = torch.rand(64, 1, 8, 8) * 2 - 1
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(pictures), batch_size=8, shuffle=True)

    def losses(g, d, real):
        fake = g(torch.randn(8, 4, 1, 1))
        ones, zeros = torch.ones(8), torch.zeros(8)
        return (
            binary_cross_entropy(d(fake), ones),
            binary_cross_entropy(d(real), ones) + binary_cross_entropy(d(fake.detach()), zeros),
        )

    def batches():
        while True:
            for (real,) in loader:
                yield real

    watch = watched(generator, discriminator, losses)
    alternate((generator, discriminator), losses, steps, watch, batches())
    return generator, discriminator


def wasserstein_with_penalty(steps, watched):
    generator = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 2))
    critic = nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))
    over_generator, over_critic = adam(generator), adam(critic)

    def penalty(real, fake):
        mix = torch.rand(len(real), 1)
        between = (mix * real + (1 - mix) * fake).detach().requires_grad_()
        (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
        return 10 * (slope.norm(dim=1) - 1).square().mean()

    def losses(g, d):
        fake = generator(torch.randn(16, 2))  # over the outer names, as scripts do
        return -critic(fake).mean(), critic(fake).mean() - critic(real).mean() + penalty(real, fake.detach())

    watch = watched(generator, critic, losses)
    for _ in range(steps):
        for p in critic.parameters():
            p.requires_grad_(True)
        for _ in range(5):
            real = torch.randn(16, 2) * 0.3 + 1
            over_critic.zero_grad()
            losses(generator, critic)[1].backward()
            over_critic.step()
        if watch is not None:
            watch.step()
        for p in critic.parameters():
            p.requires_grad_(False)
        over_generator.zero_grad()
        losses(generator, critic)[0].backward()
        over_generator.step()
    return generator, critic


class Conditional(nn.Module):
    """Takes points and labels; an embedding beside them."""

    def __init__(self, out):
        super().__init__()
        self.names, self.body = nn.Embedding(3, 2), nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, out))
        self.calls = 0

    def forward(self, x, labels):
        self.calls += 1
        return self.body(torch.cat([x, self.names(labels)], 1))


def conditional(steps, watched):
    generator, discriminator = Conditional(2), Conditional(1)

    def losses(g, d):
        labels = torch.randint(3, (16,))
        real = labels[:, None] + 0.1 * torch.randn(16, 2)
        fake = g(torch.randn(16, 2), labels)
        both = d(torch.cat([real, fake]), labels.repeat(2))
        return bce(d(fake, labels), 1.0), bce(both[:16], 1.0) + bce(both[16:], 0.0)

    alternate((generator, discriminator), losses, steps, watched(generator, discriminator, losses))
    return generator, discriminator


def two_discriminators(steps, watched):
    generator = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 2))
    first, second = (nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1)) for _ in range(2))

    def losses(g, d1, d2):
        real, fake = torch.randn(16, 2) + 1, g(torch.randn(16, 2))
        return (
            softplus(-d1(fake)).mean() + softplus(d2(fake)).mean(),
            softplus(d1(fake)).mean() + softplus(-d1(real)).mean(),
            softplus(-d2(fake)).mean() + softplus(d2(real)).mean(),
        )

    watch = watched({"generator": generator, "d1": first, "d2": second}, losses)
    alternate((generator, first, second), losses, steps, watch)
    return generator, first, second


def tabular(steps, watched):
    """A table in NumPy, rows drawn by NumPy's own stream, the drop-in as optimiser."""
    table = np.random.default_rng(0).normal(size=(200, 3)) * [1.0, 5.0, 0.1]
    rng = np.random.default_rng(1)
    generator = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 3))
    discriminator = nn.Sequential(nn.Linear(3, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))

    def losses(g, d):
        real = torch.as_tensor(table[rng.integers(200, size=16)], dtype=torch.float32)
        fake = g(torch.as_tensor(np.random.normal(size=(16, 3)), dtype=torch.float32))
        return bce(d(fake), 1.0), bce(d(real), 1.0) + bce(d(fake), 0.0)

    optimizer = gd.optim.for_modules(generator, discriminator, gd.rules.Alternating(gd.rules.Adam(1e-3)))
    watch = watched(generator, discriminator, losses, rule=optimizer)
    for _ in range(steps):
        optimizer.step(losses)
        if watch is not None:
            watch.step()
    return generator, discriminator, rng.bit_generator.state


LOOPS = (
    dropout_and_batchnorm,
    spectral_norms,
    small_dcgan,
    wasserstein_with_penalty,
    conditional,
    two_discriminators,
    tabular,
)
