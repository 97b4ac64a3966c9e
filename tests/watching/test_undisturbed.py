"""A loop with a watch ends as the same loop without: to the last bit, in everything that can be looked at."""

# ruff: noqa: NPY002 -- the streams that public code draws from
from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
import torch
from foreign_loops import LOOPS, adam, alternate, bce, small_dcgan, spectral_norms, wasserstein_with_penalty
from torch import nn

import gandyn as gd

STEPS, EVERY = 4, 2


def state(network):
    """All that a network is: values, gradients, modes, flags, buffers, hooks, plain attributes."""
    found = []
    for name, module in network.named_modules():
        hooks = {k: list(v) for k, v in vars(module).items() if isinstance(v, dict) and "hooks" in k and v}
        plain = {k: v for k, v in vars(module).items() if isinstance(v, bool | int | float | torch.Tensor)}
        found.append((name, module.training, {k: len(v) for k, v in hooks.items()}, plain))
        for key, p in module.named_parameters(recurse=False):
            found.append((name, key, p, p.requires_grad, p.grad, p.stride()))
        found += [(name, key, b) for key, b in module.named_buffers(recurse=False)]
    return found


def run(loop, watches, make=None):
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)

    def watched(*args, **options):
        if watches is None:
            return None
        watches.append((make or gd.watch)(*args, every=EVERY, share=0.0, **options))
        return watches[-1]

    parts = loop(STEPS, watched)
    streams = random.getstate(), np.random.get_state(), torch.get_rng_state()
    return [state(part) if isinstance(part, nn.Module) else part for part in parts], streams


def same(a, b):
    if isinstance(a, torch.Tensor) or isinstance(b, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, np.ndarray):
        return np.array_equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


@pytest.mark.parametrize("loop", LOOPS, ids=lambda loop: loop.__name__)
def test_a_watched_loop_ends_the_same(loop):
    watches = []
    watched, alone = run(loop, watches), run(loop, None)
    assert same(watched, alone)
    rows = watches[0].rows
    assert [row["step"] for row in rows] == [EVERY, 2 * EVERY]
    assert not [row["error"] for row in rows if "error" in row]
    assert 0 <= rows[-1]["order"] <= 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "loop", [spectral_norms, small_dcgan, wasserstein_with_penalty], ids=lambda loop: loop.__name__
)
def test_no_measurement_disturbs(loop):
    """All of them, at every look."""
    watches = []

    class Everything:
        """A watch that measures all that there is at every look."""

        def __init__(self, *args, **options):
            self.watch = gd.watch(*args, **options)

        def step(self, *batch):
            self.watch.step(*batch)
            if self.watch.count % EVERY == 0:
                self.watch.measure(budget=None)

    assert same(run(loop, watches, Everything), run(loop, None))
    last = watches[0].watch.rows[-1]
    refused = watches[0].watch.unmeasured()
    assert {"gap", "path"} <= last.keys()
    assert all(name in last or "without `.detach()`" in refused[name] for name in ("rotation", "spectrum"))


def pair():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 2)), nn.Sequential(nn.Linear(2, 4), nn.Linear(4, 1))


def test_data_that_a_look_would_advance_are_refused():
    """By the iterator's name, wherever it is reached from; batches passed to `step` are the way."""
    generator, discriminator = pair()
    stream = itertools.repeat(torch.ones(4, 2))

    def draw():
        return next(stream)

    class Source:
        def __init__(self):
            self.inside = iter([torch.ones(4, 2)])

        def batch(self):
            return next(self.inside)

    source = Source()

    def direct(g, d):
        return bce(d(g(torch.randn(4, 2))), 1.0), bce(d(next(stream)), 1.0)

    def through_a_function(g, d):
        return bce(d(g(torch.randn(4, 2))), 1.0), bce(d(draw()), 1.0)

    def through_an_object(g, d):
        return bce(d(g(torch.randn(4, 2))), 1.0), bce(d(source.batch()), 1.0)

    for losses, name in ((direct, "stream"), (through_a_function, "stream"), (through_an_object, "inside")):
        with pytest.raises(gd.errors.ParameterError, match=rf"the iterator `{name}`.*watch\.step\(batch\)"):
            gd.watch(generator, discriminator, losses).step()
    assert len(list(source.inside)) == 1

    def with_batch(g, d, real):
        return bce(d(g(torch.randn(4, 2))), 1.0), bce(d(real), 1.0)

    watch = gd.watch(generator, discriminator, with_batch, every=1)
    with pytest.raises(gd.errors.ParameterError, match=r"watch\.step\(batch\)"):
        watch.step()
    watch = gd.watch(generator, discriminator, with_batch, every=1)
    watch.step(torch.ones(4, 2))
    assert watch.rows[0]["step"] == 1


def test_what_losses_keep_is_put_back():
    """Counters, tensors written in place, other modules' buffers, generators in objects, and a user's own `.grad`."""
    generator, discriminator = pair()
    features = nn.BatchNorm1d(2)
    counter, latent = 0, torch.zeros(8, 2)

    class Keeper:
        def __init__(self):
            self.generator, self.seen, self.mean = torch.Generator().manual_seed(1), [], torch.zeros(2)

        def real(self):
            batch = torch.randn(8, 2, generator=self.generator)
            self.seen.append(batch)
            self.mean = 0.9 * self.mean + 0.1 * batch.mean(0)
            return batch

    keeper = Keeper()

    def losses(g, d):
        nonlocal counter
        counter += 1
        latent.normal_()
        d.zero_grad(set_to_none=False)
        fake = g(latent)
        return bce(d(features(fake)), 1.0), bce(d(features(keeper.real())), 1.0) + bce(d(fake.detach()), 0.0)

    def snapshot():
        tensors = [latent, features.running_mean, keeper.mean, *(p.grad for p in discriminator.parameters())]
        return counter, [t.clone() for t in tensors], len(keeper.seen), keeper.generator.get_state(), features.training

    sum(losses(generator, discriminator)).backward()
    before, gradients = snapshot(), [p.grad for p in discriminator.parameters()]
    watch = gd.watch(generator, discriminator, losses, every=1)
    watch.step()
    watch.measure()
    assert "error" not in watch.rows[-1]
    assert same(list(before), list(snapshot()))
    assert all(p.grad is g for p, g in zip(discriminator.parameters(), gradients, strict=True))


def test_a_look_that_fails_leaves_no_trace():
    """An error in the losses is a row, not the end of the loop; the first step says it at once."""
    generator, discriminator = pair()
    broken = []

    def losses(g, d):
        on_fake = d(g(torch.randn(4, 2)))
        if broken:
            raise RuntimeError("no more data")
        return bce(on_fake, 1.0), bce(on_fake, 0.0)

    watch = gd.watch(generator, discriminator, losses, every=2)
    before = state(generator), torch.get_rng_state()
    watch.step()
    broken.append(1)
    watch.step()
    assert same(before, (state(generator), torch.get_rng_state()))
    assert watch.rows[0]["error"] == "RuntimeError: no more data"
    assert "the last at step 2: RuntimeError: no more data" in watch.summary()
    with pytest.raises(RuntimeError, match="no more data"):
        gd.watch(generator, discriminator, losses).step()


def test_parameters_that_come_and_go():
    """A layer added, an unfrozen one, another dtype: the next look sees them."""
    generator, discriminator = pair()

    def losses(g, d):
        on_fake = d(g(torch.ones(4, 2).to(g[0].weight.dtype)))
        return bce(on_fake, 1.0), bce(on_fake, 0.0)

    watch = gd.watch(generator, discriminator, losses, every=1)
    generator[0].requires_grad_(False)
    watch.step()
    generator[0].requires_grad_(True)
    generator.append(nn.Linear(2, 2))
    watch.step()
    generator.double(), discriminator.double()
    watch.step()
    assert not [row["error"] for row in watch.rows if "error" in row]
    norms = [row["parameter_norms"]["generator"] for row in watch.rows]
    assert norms[0] < norms[1] == pytest.approx(norms[2])
    alternate((generator, discriminator), losses, 2, watch)
    assert adam(generator) is not None
    assert len(watch.rows) == 5
