"""Networks of any number, schedules, mixed precision, several processes: a drop-in in loops that people write."""

from __future__ import annotations

import copy
import itertools
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from drop_in_cases import LATENT, REAL, R, after, losses, modules, simple, vector
from torch import nn
from torch.nn.functional import softplus

import gandyn as gd


def test_any_number_of_networks():
    """Two discriminators: simultaneous steps are three SGDs at once, alternating Adam three in turn."""

    def trio():
        torch.manual_seed(0)
        return (
            modules()[0],
            nn.Linear(2, 1).double(),
            nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)).double(),
        )

    def three(g, d1, d2):
        fake = g(LATENT)
        return (
            softplus(-d1(fake)).mean() + softplus(-d2(fake)).mean(),
            *((softplus(d(fake)) + softplus(-d(REAL))).mean() for d in (d1, d2)),
        )

    for rule, make, together in (
        (R.GDA((0.1, 0.2, 0.3)), torch.optim.SGD, True),
        (R.Alternating(R.Adam((0.1, 0.2, 0.3))), torch.optim.Adam, False),
    ):
        nets, twins = trio(), trio()
        optimizer = gd.optim.for_modules(dict(zip(("generator", "d1", "d2"), nets, strict=True)), rule)
        by_hand = [make(net.parameters(), lr) for net, lr in zip(twins, (0.1, 0.2, 0.3), strict=True)]
        for _ in range(3):
            found = optimizer.step(three)
            assert len(found) == 3
            for turn in [range(3)] if together else [[0], [1], [2]]:
                values = three(*twins)
                for i in turn:
                    slopes = torch.autograd.grad(values[i], list(twins[i].parameters()), retain_graph=True)
                    for p, g in zip(twins[i].parameters(), slopes, strict=True):
                        p.grad = g
                for i in turn:
                    by_hand[i].step()
        torch.testing.assert_close(vector(nets), vector(twins), rtol=1e-9, atol=1e-11)
    moved = vector(trio())
    nets = trio()
    gd.optim.for_modules(dict(zip("abc", nets, strict=True)), rule=R.Consensus(0.05, 0.1)).step(three)
    assert (vector(nets) - moved).norm() > 1e-3
    with pytest.raises(gd.errors.ShapeError, match="a loss for each of a, b, c"):
        gd.optim.for_modules(dict(zip("abc", trio(), strict=True)), R.GDA(0.1)).step(lambda *nets: three(*nets)[:2])
    with pytest.raises(gd.errors.ParameterError, match="two networks"):
        gd.optim.for_modules(dict(zip("abc", trio(), strict=True)), R.GDA(0.1), zero_sum=True)
    with pytest.raises(gd.errors.ParameterError, match="a dict of modules and a rule"):
        gd.optim.for_modules(*modules())


@pytest.mark.parametrize("rule", [R.Adam(0.01), R.Alternating(R.Adam((0.01, 0.02))), R.Extragradient(0.1)], ids=str)
def test_a_schedule_may_reach_zero(rule):
    """At 0 a player stands still; the others go on."""
    pair = modules()
    optimizer = gd.optim.for_modules(*pair, rule)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, [lambda t: float(t < 2), lambda t: 1.0])
    for t in range(4):
        before = [vector([m]) for m in pair]
        optimizer.step(simple)
        scheduler.step()
        assert torch.equal(before[0], vector([pair[0]])) == (t >= 2)
        assert not torch.equal(before[1], vector([pair[1]]))


def test_autocast_sees_the_weights_of_each_evaluation():
    """Extra-Adam's second evaluation is at other weights: half-precision copies of the first would be stale."""

    def inside(g, d):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return losses(g, d, REAL.float(), LATENT.float())

    expected = after(modules(dtype=torch.float32), R.ExtraAdam(0.05), inside, steps=1)
    pair = modules(dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = after(pair, R.ExtraAdam(0.05), lambda g, d: losses(g, d, REAL.float(), LATENT.float()), steps=1)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-7)


def test_fresh_data_for_each_of_a_rules_batches():
    """By number, or from an iterator: 1 + 5 batches in a step of repeats=(1, 5), each seen once."""
    rule = R.Alternating(R.Adam(0.01), repeats=(1, 5))
    seen = []

    def numbered(g, d, k):
        seen.append(k)
        return losses(g, d, REAL + 0.1 * k)

    gd.optim.for_modules(*modules(), rule).step(numbered)
    assert seen == [0, 1, 2, 3, 4, 5]
    seen.clear()
    gd.optim.for_modules(*modules(), R.Extragradient(0.1)).step(numbered)
    assert seen == [0, 0]
    source = itertools.count()
    optimizer = gd.optim.for_modules(*modules(), rule)
    for _ in range(2):
        optimizer.step(numbered, data=source)
    assert seen == [0, 0, *range(12)]
    with pytest.raises(gd.errors.ParameterError, match="data that end after 3 items"):
        optimizer.step(numbered, data=[1, 2, 3])


PROCESSES = """
import os, sys, torch, torch.distributed as dist
import gandyn as gd
from torch.nn.functional import softplus
torch.set_num_threads(1)
dist.init_process_group("gloo")
rank = dist.get_rank()
R, events, all_reduce = gd.rules, [], dist.all_reduce
gd.optim.processes.BUCKET = 6
dist.all_reduce = lambda *args, **options: events.append("sum") or all_reduce(*args, **options)
for rule in (R.Alternating(R.Adam(0.01)), R.Extragradient(0.05), R.Consensus(0.05, 0.1)):
    def pair():
        torch.manual_seed(0)
        body = lambda out: torch.nn.Sequential(torch.nn.Linear(2, 5), torch.nn.Tanh(), torch.nn.Linear(5, out)).double()
        return body(2), body(1)
    real, latent = torch.randn(2, 16, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    def losses(part):
        def of(g, d):
            on_fake, on_real = d(g(latent[part])), d(real[part])
            return softplus(-on_fake).mean(), (softplus(on_fake) + softplus(-on_real)).mean()
        return of
    def vector(nets):
        return torch.cat([p.detach().reshape(-1) for n in nets for p in n.parameters()])
    alone, shared = pair(), pair()
    wrapped = [torch.nn.parallel.DistributedDataParallel(net) for net in shared]
    one, two = gd.optim.for_modules(*alone, rule), gd.optim.for_modules(*wrapped, rule)
    next(shared[1].parameters()).register_hook(lambda slope: events.append("first layer"))
    for _ in range(5):
        one.step(losses(slice(None)))
        two.step(losses(slice(rank, None, 2)))
    torch.testing.assert_close(vector(shared), vector(alone), rtol=1e-9, atol=1e-11)
    others = [torch.empty_like(vector(shared)) for _ in range(2)]
    dist.all_gather(others, vector(shared))
    assert torch.equal(*others)
    assert events[events.index("first layer") - 1] == "sum", events
if rank == 1:
    os._exit(0)
try:
    two.step(losses(slice(rank, None, 2)))
except gd.errors.GandynError as error:
    assert str(error).startswith("another process of the run has ended")
    os._exit(0)
os._exit(1)
"""


@pytest.mark.slow
def test_modules_in_distributed_data_parallel_stay_equal(tmp_path):
    """Two processes with half of the data each are one process with all of it."""
    script = tmp_path / "two.py"
    script.write_text(PROCESSES)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]


def test_saved_and_loaded_by_three():
    """A saved optimiser of three networks goes on to the same numbers."""
    nets = [nn.Linear(2, 2), nn.Linear(2, 1), nn.Linear(2, 1)]
    data = torch.randn(8, 2, generator=torch.Generator().manual_seed(0))

    def three(g, a, b):
        return -a(g(data)).mean() - b(g(data)).mean(), *(softplus(d(g(data))).mean() - d(data).mean() for d in (a, b))

    def make(nets):
        return gd.optim.for_modules(dict(zip("gab", nets, strict=True)), R.Adam(0.01))

    optimizer = make(nets)
    optimizer.step(three)
    twins = copy.deepcopy(nets)
    other = make(twins)
    other.load_state_dict(optimizer.state_dict())
    for _ in range(2):
        optimizer.step(three)
        other.step(three)
    assert np.array_equal(vector(nets), vector(twins))


@pytest.mark.parametrize("rule", [R.Alternating(R.Adam(0.05), repeats=(1, 2)), R.ExtraAdam(0.05)], ids=str)
def test_losses_that_are_told_which_one_is_wanted_leave_out_the_others(rule):
    """The same numbers, and in turns none of the work for the other network."""
    asked, pairs = [], (modules(), modules())

    def chosen(g, d, *, only):
        asked.append(only)
        first, second = losses(g, d)
        return first if only != "discriminator" else None, second if only != "generator" else None

    seen = [gd.optim.for_modules(*pair, rule).step(f) for pair, f in zip(pairs, (simple, chosen), strict=True)]
    torch.testing.assert_close(vector(pairs[0]), vector(pairs[1]), rtol=0, atol=0)
    assert seen[0][0] == seen[1][0]
    assert seen[1][1] is not None
    told = [None, None] if isinstance(rule, R.ExtraAdam) else ["generator", "discriminator", "discriminator"]
    assert asked == told
    with pytest.raises(gd.errors.ShapeError):
        gd.optim.for_modules(*modules(), rule).step(lambda g, d, *, only: (None, None))
