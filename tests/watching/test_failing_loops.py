"""Every failure mode of the monitor, brought about in loops of other people's making and named; healthy ones silent."""

from __future__ import annotations

import math

import pytest
import torch
from foreign_loops import bce
from torch import nn
from torch.nn.functional import logsigmoid, softplus

import gandyn as gd
from gandyn.watching.verdicts import Kind


def mlp(inside, outside, width=32):
    return nn.Sequential(nn.Linear(inside, width), nn.LeakyReLU(0.2), nn.Linear(width, outside))


def ring(n, modes=8):
    angle = torch.randint(modes, (n,)) * (2 * math.pi / modes)
    return 2 * torch.stack([angle.cos(), angle.sin()], 1) + 0.05 * torch.randn(n, 2)


def train(networks, losses, optimizers, steps, every, rounds=1):
    """A loop of the usual kind: discriminator first, `rounds` times, then the generator."""
    watch = gd.watch(*networks, losses, every=every, share=0.0)
    for _ in range(steps):
        for i in (*([1] * rounds), 0):
            for net in networks:
                net.zero_grad()
            losses(*networks)[i].backward()
            optimizers[i].step()
        watch.step()
    return watch


def saturating():
    """Goodfellow's own generator loss against a discriminator that learns far faster than the generator."""
    networks = mlp(2, 2), mlp(2, 1)

    def losses(g, d):
        real, on_fake = 6 + torch.randn(64, 2), d(g(torch.randn(64, 2)))
        return -softplus(on_fake).mean(), softplus(on_fake).mean() + softplus(-d(real)).mean()

    rates = torch.optim.SGD(networks[0].parameters(), 1e-5), torch.optim.Adam(networks[1].parameters(), 1e-2)
    return train(networks, losses, rates, 250, 5)


def too_sure():
    """A discriminator that sees the labels that it wants, and a generator with a step size of nearly nothing."""
    networks = mlp(2, 2), nn.Sequential(mlp(2, 1), nn.Sigmoid())

    def losses(g, d):
        on_fake, on_real = (
            d(g(torch.randn(64, 2))).clamp(1e-6, 1 - 1e-6),
            d(4 + torch.randn(64, 2)).clamp(1e-6, 1 - 1e-6),
        )
        return -on_fake.log().mean(), -(1 - on_fake).log().mean() - on_real.log().mean()

    rates = torch.optim.SGD(networks[0].parameters(), 1e-6), torch.optim.Adam(networks[1].parameters(), 1e-2)
    return train(networks, losses, rates, 200, 5)


def no_latents():
    """`torch.zeros` where `torch.randn` was meant."""
    networks = mlp(2, 2), mlp(2, 1)

    def losses(g, d):
        fake = g(torch.zeros(64, 2))
        return bce(d(fake), 1.0), bce(d(ring(64)), 1.0) + bce(d(fake.detach()), 0.0)

    return train(networks, losses, [torch.optim.Adam(net.parameters(), 1e-3) for net in networks], 60, 5)


def one_mode():
    """A generator that has found one of eight modes and stays there."""
    networks = mlp(2, 2), mlp(2, 1)
    with torch.no_grad():
        networks[0][-1].weight.mul_(0.2)
        networks[0][-1].bias.copy_(torch.tensor([2.0, 0.0]))

    def losses(g, d):
        on_fake, on_real = d(g(torch.randn(64, 2))), d(ring(64))
        return softplus(-on_fake).mean(), softplus(on_fake).mean() + softplus(-on_real).mean()

    return train(networks, losses, [torch.optim.SGD(net.parameters(), 1e-3) for net in networks], 60, 5)


class Shift(nn.Module):
    """z + b."""

    def __init__(self):
        super().__init__()
        self.b = nn.Parameter(torch.tensor([3.0, -2.0]))

    def forward(self, z):
        return z + self.b


def circling():
    """A linear critic and a generator that shifts: v = ab, whose steps in turn go round for ever."""
    networks = Shift(), nn.Linear(2, 1, bias=False)

    def losses(g, d):
        on_fake, on_real = d(g(torch.randn(256, 2))).mean(), d(torch.randn(256, 2)).mean()
        return -on_fake, on_fake - on_real

    return train(networks, losses, [torch.optim.SGD(net.parameters(), 0.3) for net in networks], 120, 4)


def too_large():
    """The same with a step of 3, beyond what alternating steps bear."""
    networks = Shift(), nn.Linear(2, 1, bias=False)

    def losses(g, d):
        on_fake, on_real = d(g(torch.randn(64, 2))).mean(), d(torch.randn(64, 2)).mean()
        return -on_fake, on_fake - on_real

    return train(networks, losses, [torch.optim.SGD(net.parameters(), 3.0) for net in networks], 30, 2)


FAILING = {
    saturating: ("vanishing generator gradient", "generator", Kind.FAILING),
    too_sure: ("discriminator saturation", "discriminator", Kind.FAILING),
    no_latents: ("mode collapse", "generator", Kind.FAILING),
    one_mode: ("mode collapse", "generator", Kind.FAILING),
    circling: ("oscillation", "generator", Kind.FAILING),
    too_large: ("divergence", "generator", Kind.DIVERGING),
}


@pytest.mark.slow
@pytest.mark.parametrize("loop", FAILING, ids=lambda loop: loop.__name__)
def test_a_failing_loop_is_named(loop):
    torch.manual_seed(0)
    watch = loop()
    name, player, kind = FAILING[loop]
    assert name in {found.name for found in watch.findings}
    assert watch.verdicts[player].kind == kind
    assert "no, and more of the same steps will not mend it" in watch.summary()


def penalised(seed, data, steps=900, every=30):
    """Non-saturating losses and R1, as public code has them: `real.requires_grad_()`, one gradient of the sum."""
    torch.manual_seed(seed)
    networks = mlp(2, 2), mlp(2, 1)

    def losses(g, d):
        real = data(64).requires_grad_()
        on_fake, on_real = d(g(torch.randn(64, 2))), d(real)
        (slope,) = torch.autograd.grad(on_real.sum(), real, create_graph=True)
        penalty = slope.square().sum(1).mean() / 2
        return -logsigmoid(on_fake).mean(), softplus(on_fake).mean() + softplus(-on_real).mean() + penalty

    return train(
        networks, losses, [torch.optim.Adam(net.parameters(), 2e-3, (0.5, 0.99)) for net in networks], steps, every
    )


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("data", [ring, lambda n: 1 + 0.5 * torch.randn(n, 2)], ids=["ring", "blob"])
def test_a_healthy_loop_is_silent(seed, data):
    watch = penalised(seed, data)
    assert watch.findings == []
    assert {one.kind for one in watch.verdicts.values()} <= {Kind.TURNING, Kind.SETTLING, Kind.UNDECIDED}


@pytest.mark.parametrize("twice", [True, False])
def test_a_sigmoid_that_is_taken_for_a_logit_is_noticed(twice):
    """Told by the slopes of the loss: with a loss of probabilities the same discriminator is right."""
    torch.manual_seed(0)
    networks = mlp(2, 2), nn.Sequential(mlp(2, 1), nn.Sigmoid())
    loss = bce if twice else lambda p, t: nn.functional.binary_cross_entropy(p, torch.full_like(p, t))

    def losses(g, d):
        on_fake, on_real = d(g(torch.randn(64, 2))), d(3 + torch.randn(64, 2))
        return loss(on_fake, 1.0), loss(on_real, 1.0) + loss(on_fake, 0.0)

    watch = train(networks, losses, [torch.optim.SGD(net.parameters(), 0.1) for net in networks], 4, 2)
    assert [found.name for found in watch.findings] == ["sigmoid taken for a logit"] * twice
