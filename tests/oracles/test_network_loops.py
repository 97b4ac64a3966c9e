"""A rule on networks is the loop that one writes by hand with separate modules and torch.optim."""

import numpy as np
import pytest
import torch
from small_gans import LR, gan, networks
from torch.nn.functional import softplus

import gandyn as gd


class ByHand:
    """The usual loop on modules of its own, in the order in which a rule draws batches."""

    def __init__(self, optimizer):
        self.modules = networks()
        self.own = [list(module.parameters()) for module in self.modules]
        self.optimizers = [optimizer(parameters) for parameters in self.own]

    def fill(self, batch, players=(0, 1)):
        generator, discriminator = self.modules
        fake = generator(batch.latent)
        costs = (
            softplus(-discriminator(fake)).mean(),
            softplus(-discriminator(batch.real)).mean() + softplus(discriminator(fake)).mean(),
        )
        for i in players:
            for p, g in zip(self.own[i], torch.autograd.grad(costs[i], self.own[i], retain_graph=True), strict=True):
                p.grad = g

    def everything(self):
        return [p for own in self.own for p in own]

    def step(self, players=(0, 1)):
        for i in players:
            self.optimizers[i].step()

    def simultaneous(self, draw):
        self.fill(draw())
        self.step()

    def alternating(self, draw):
        for i in (0, 1):
            self.fill(draw(), [i])
            self.step([i])

    def extragradient(self, draw):
        batch, start = draw(), [p.detach().clone() for p in self.everything()]
        self.fill(batch)
        self.step()
        self.fill(batch)
        with torch.no_grad():
            for p, value in zip(self.everything(), start, strict=True):
                p.copy_(value)
        self.step()

    def optimistic(self, draw):
        if not hasattr(self, "previous"):
            self.fill(draw())
            self.previous = [p.grad for p in self.everything()]
        self.fill(draw())
        now = [p.grad for p in self.everything()]
        for p, new, old in zip(self.everything(), now, self.previous, strict=True):
            p.grad = 2 * new - old
        self.previous = now
        self.step()

    def vector(self):
        return torch.cat([p.detach().reshape(-1) for p in self.everything()])


def sgd(parameters):
    return torch.optim.SGD(parameters, lr=LR)


def adam(parameters):
    return torch.optim.Adam(parameters, lr=0.01, betas=(0.5, 0.9), eps=1e-8)


LOOPS = {
    "simultaneous": (gd.rules.SimultaneousGD(LR), sgd),
    "alternating": (gd.rules.AlternatingGD(LR), sgd),
    "extragradient": (gd.rules.Extragradient(LR), sgd),
    "optimistic": (gd.rules.OptimisticGD(LR), sgd),
    "simultaneous Adam": (gd.rules.Adam(0.01, betas=(0.5, 0.9)), adam),
    "alternating Adam": (gd.rules.Alternating(gd.rules.Adam(0.01, betas=(0.5, 0.9))), adam),
}


@pytest.mark.parametrize("name", LOOPS)
def test_a_rule_is_the_hand_written_loop(name):
    rule, optimizer = LOOPS[name]
    game, hand, rng = gan(), ByHand(optimizer), np.random.default_rng(7)
    run = gd.iterate(game, rule, game.w0, 5, rng=np.random.default_rng(7))
    for w in run.w[1:]:
        getattr(hand, name.split()[0])(lambda: game.draw(rng))
        torch.testing.assert_close(w, hand.vector(), rtol=1e-12, atol=1e-13)
    assert (hand.vector() - game.w0).abs().max() > 0.01
