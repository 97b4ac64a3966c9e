"""Habits of public training loops beside the drop-in: accumulation, decay, schedulers, memory formats, loss scaling."""

from __future__ import annotations

import copy
import warnings

import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

import gandyn as gd

R = gd.rules
SOURCE = torch.Generator().manual_seed(0)
REAL, LATENT = torch.randn(2, 16, 2, dtype=torch.float64, generator=SOURCE)


def modules(dtype=torch.float64):
    torch.manual_seed(0)
    return tuple(nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, n)).to(dtype) for n in (2, 1))


def losses(g, d, real=REAL, latent=LATENT):
    on_fake, on_real = d(g(latent)), d(real)
    return softplus(-on_fake).mean(), (softplus(on_fake) + softplus(-on_real)).mean()


def vector(nets):
    return torch.cat([p.detach().reshape(-1) for net in nets for p in net.parameters()]).clone()


def by_hand(nets, make, steps, objective=losses, schedule=None):
    """Two torch optimisers in turn, player 1 first, as `Alternating` does; schedulers after each step."""
    optimizers = [make(net) for net in nets]
    schedulers = [] if schedule is None else [schedule(optimizer) for optimizer in optimizers]
    for _ in range(steps):
        for i, optimizer in enumerate(optimizers):
            slopes = torch.autograd.grad(objective(*nets)[i], list(nets[i].parameters()))
            for p, slope in zip(nets[i].parameters(), slopes, strict=True):
                p.grad = slope
            optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
    return vector(nets)


def test_decoupled_weight_decay_is_torchs():
    pair, twin = modules(), modules()
    optimizer = gd.optim.for_modules(*pair, R.Alternating(R.AdamW(0.02, weight_decay=0.3)))
    for _ in range(4):
        optimizer.step(losses)
    expected = by_hand(twin, lambda net: torch.optim.AdamW(net.parameters(), 0.02, weight_decay=0.3), 4)
    torch.testing.assert_close(vector(pair), expected, rtol=1e-9, atol=1e-11)
    assert (expected - by_hand(modules(), lambda net: torch.optim.Adam(net.parameters(), 0.02), 4)).norm() > 1e-2


def test_accumulated_gradients_are_those_of_the_large_batch():
    """Losses that average over parts of the batch, which keeps one step for all of them."""

    def in_parts(g, d):
        parts = [losses(g, d, REAL[k::4], LATENT[k::4]) for k in range(4)]
        return tuple(sum(values) / 4 for values in zip(*parts, strict=True))

    for rule in (R.Alternating(R.Adam(0.02)), R.Consensus(0.05, 0.2)):
        whole, parted = modules(), modules()
        for pair, objective in ((whole, losses), (parted, in_parts)):
            optimizer = gd.optim.for_modules(*pair, rule)
            for _ in range(3):
                optimizer.step(lambda g, d, objective=objective: objective(g, d))
        torch.testing.assert_close(vector(whole), vector(parted), rtol=1e-9, atol=1e-11)


SCHEDULERS = {
    "step": lambda o: torch.optim.lr_scheduler.StepLR(o, 2, 0.5),
    "multi-step": lambda o: torch.optim.lr_scheduler.MultiStepLR(o, [1, 3], 0.3),
    "exponential": lambda o: torch.optim.lr_scheduler.ExponentialLR(o, 0.7),
    "cosine": lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 3),
    "restarts": lambda o: torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(o, 2),
    "linear": lambda o: torch.optim.lr_scheduler.LinearLR(o, 0.1, 1.0, 3),
    "constant": lambda o: torch.optim.lr_scheduler.ConstantLR(o, 0.5, 2),
    "polynomial": lambda o: torch.optim.lr_scheduler.PolynomialLR(o, 3),
    "multiplicative": lambda o: torch.optim.lr_scheduler.MultiplicativeLR(o, lambda t: 0.9),
    "cyclic": lambda o: torch.optim.lr_scheduler.CyclicLR(o, 0.001, 0.02, 2, cycle_momentum=False),
    "one-cycle": lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 0.05, total_steps=6, cycle_momentum=False),
    "sequential": lambda o: torch.optim.lr_scheduler.SequentialLR(
        o, [torch.optim.lr_scheduler.ConstantLR(o, 0.1, 2), torch.optim.lr_scheduler.ExponentialLR(o, 0.5)], [2]
    ),
    "chained": lambda o: torch.optim.lr_scheduler.ChainedScheduler(
        [torch.optim.lr_scheduler.ConstantLR(o, 0.1, 2), torch.optim.lr_scheduler.ExponentialLR(o, 0.5)]
    ),
    "plateau": lambda o: _Plateau(o),
}


class _Plateau(torch.optim.lr_scheduler.ReduceLROnPlateau):
    """Told the same number every time."""

    def __init__(self, optimizer):
        super().__init__(optimizer, patience=0, factor=0.5)

    def step(self, metrics=1.0, epoch=None):
        super().step(metrics)


@pytest.mark.parametrize("name", SCHEDULERS)
def test_every_scheduler_of_torch_moves_the_step_as_on_torchs_own(name):
    pair = modules()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own schedulers warn of each other
        optimizer = gd.optim.for_modules(*pair, R.Alternating(R.Adam(0.02)))
        scheduler = SCHEDULERS[name](optimizer)
        for _ in range(5):
            optimizer.step(losses)
            scheduler.step()
        expected = by_hand(
            modules(), lambda net: torch.optim.Adam(net.parameters(), 0.02), 5, schedule=SCHEDULERS[name]
        )
    torch.testing.assert_close(vector(pair), expected, rtol=1e-8, atol=1e-10)


def pictures():
    torch.manual_seed(0)
    generator = nn.Sequential(nn.ConvTranspose2d(3, 4, 4), nn.Tanh(), nn.Conv2d(4, 2, 3, padding=1))
    discriminator = nn.Sequential(nn.Conv2d(2, 4, 3), nn.Tanh(), nn.Conv2d(4, 1, 2))
    return tuple(net.double() for net in (generator, discriminator))


PICTURES, SEEDS = torch.randn(4, 2, 4, 4, dtype=torch.float64), torch.randn(4, 3, 1, 1, dtype=torch.float64)


@pytest.mark.parametrize(
    "rule",
    [R.Alternating(R.Adam(0.02)), R.Consensus(0.05, 0.2), R.GradientCentralization(R.Adam(0.02)), R.Unrolled(0.05, 2)],
    ids=lambda rule: rule.name,
)
def test_channels_last_is_kept_and_changes_nothing(rule):
    """Weights keep their order in memory through every step, and the numbers are those of the usual order."""
    plain, last = pictures(), tuple(net.to(memory_format=torch.channels_last) for net in pictures())
    formats = [p.stride() for net in last for p in net.parameters()]
    for pair in (plain, last):
        optimizer = gd.optim.for_modules(*pair, rule)
        for _ in range(2):
            optimizer.step(lambda g, d: losses(g, d, PICTURES, SEEDS))
        copy.deepcopy(optimizer.state_dict())
    assert [p.stride() for net in last for p in net.parameters()] == formats
    assert formats != [p.stride() for net in plain for p in net.parameters()]
    torch.testing.assert_close(vector(last), vector(plain), rtol=1e-9, atol=1e-11)


def tiny(g, d):
    """Losses that are so small that their slopes vanish on the way through half precision."""
    on_fake, on_real = d(g(LATENT.float())), d(REAL.float())
    squeezed = [value.half().float() for value in (on_fake, on_real)]
    return 1e-7 * softplus(-squeezed[0]).mean(), 1e-7 * (softplus(squeezed[0]) + softplus(-squeezed[1])).mean()


def test_scaled_losses_step_as_in_full_precision():
    """Small slopes survive, the losses that come back are unscaled, and a step that overflows is not made."""
    rule = R.SimultaneousGD(1e6)

    def run(**options):
        pair = modules(torch.float32)
        optimizer = gd.optim.for_modules(*pair, rule)
        return pair, optimizer, [optimizer.step(tiny, **options) for _ in range(3)]

    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**16, growth_interval=2)
    scaled, optimizer, seen = run(scaler=scaler)
    plain, _, unscaled = run()
    assert scaler.get_scale() == 2.0**17
    torch.testing.assert_close(seen[0], unscaled[0])
    start = modules(torch.float32)

    def exact(g, d):
        on_fake, on_real = d(g(LATENT.float())), d(REAL.float())
        return 1e-7 * softplus(-on_fake).mean(), 1e-7 * (softplus(on_fake) + softplus(-on_real)).mean()

    target = modules(torch.float32)
    full = gd.optim.for_modules(*target, rule)
    for _ in range(3):
        full.step(exact)
    away = (vector(target) - vector(start)).norm()
    assert (vector(scaled) - vector(target)).norm() < 0.02 * away
    assert (vector(plain) - vector(target)).norm() > 0.1 * away
    before, state = vector(scaled), optimizer.rule_state
    scaler.update(2.0**60)
    optimizer.step(tiny, scaler=scaler)
    assert torch.equal(vector(scaled), before)
    assert optimizer.rule_state is state
    assert scaler.get_scale() == 2.0**59
    with pytest.raises(gd.errors.DomainError, match="bfloat16"):
        gd.optim.for_modules(*modules(), R.Consensus(0.1, 0.1)).step(losses, scaler=scaler)
