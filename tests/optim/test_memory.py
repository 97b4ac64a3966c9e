"""Vectors of all parameters that live at the peak of a drop-in's step, and steps that write over their state."""

from __future__ import annotations

import gc
import time
from typing import Any

import pytest
import torch
from drop_in_cases import modules
from torch import nn
from torch.nn.functional import softplus

import gandyn as gd
from gandyn.rules import registry as rules

R = gd.rules
WIDTH = 256
ROUNDING = 0.1  # of a vector: batches and activations


def wide() -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)

    def net(n: int) -> nn.Module:
        return nn.Sequential(nn.Linear(2, WIDTH), nn.LeakyReLU(0.2), nn.Linear(WIDTH, WIDTH), nn.Tanh(),
                             nn.Linear(WIDTH, n))  # fmt: skip

    return net(2), net(1)


def losses(g: Any, d: Any) -> Any:
    value = softplus(-d(torch.ones(2, 2))).mean() + softplus(d(g(torch.ones(2, 2)))).mean()
    return -value, value


def peak(rule: Any) -> float:
    """Of the third step, networks included, by what torch's allocator notes."""
    activities = [torch.profiler.ProfilerActivity.CPU]
    gc.collect()
    with torch.profiler.profile(activities=activities, profile_memory=True) as profile:
        optimizer = gd.optim.for_modules(*wide(), rule, zero_sum=isinstance(rule, R.SGA))
        optimizer.step(losses)
        optimizer.step(losses)
        began = time.time_ns()
        optimizer.step(losses)
    assert profile.profiler is not None
    events = [e for e in profile.profiler.kineto_results.events() if e.name() == "[memory]"]
    alive = most = 0
    for event in events:
        alive += event.nbytes()
        most = max(most, alive) if event.start_ns() >= began else 0
    return most / 4 / sum(p.numel() for net in wide() for p in net.parameters())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rule", "most"),
    [
        (R.Alternating(R.Adam(1e-3, betas=(0.5, 0.999))), 6),
        (R.ExtraAdam(1e-3), 8),
        (R.Consensus(1e-3, 0.1), 8),
        (R.SGA(1e-3, 0.1), 9),
    ],
    ids=str,
)
def test_vectors_at_the_peak_of_a_step(rule: Any, most: float) -> None:
    """By hand, two of torch's Adams in turn need 5."""
    found = peak(rule)
    assert 2 < found <= most + ROUNDING, found


OVERWRITING = [rule for entry in rules for rule in entry.build.examples() if rule.overwrites]
OVERWRITING += [R.Alternating(rule) for rule in (R.Adam(0.1), R.AMSGrad(0.1), R.ExtraAdam(0.1), R.PastExtraAdam(0.1))]
OVERWRITING += [R.Alternating((R.RMSProp(0.1), R.OptimisticAdam(0.1)), order=(1, 0), repeats=(1, 2))]


@pytest.mark.parametrize("rule", OVERWRITING, ids=repr)
def test_a_step_that_writes_over_its_state_is_the_pure_one(rule: Any, monkeypatch: Any) -> None:
    """Bit for bit; without the declaration nothing is given away."""
    ends, objective = [], lambda g, d: losses(g, d)
    for pure in (False, True):
        with monkeypatch.context() as patched:
            if pure:
                patched.setattr(gd.optim.GameOptimizer, "_spare", lambda *args, **kwargs: [])
            pair = [net.to(torch.float32) for net in modules()]
            optimizer = gd.optim.for_modules(*pair, rule)
            for _ in range(3):
                optimizer.step(objective)
            ends.append(
                [*(p for net in pair for p in net.parameters()), *(a for _, a in optimizer.rule_state.leaves())]
            )
    for one, other in zip(*ends, strict=True):
        assert torch.equal(one, other)


def test_only_what_is_declared_is_written_over() -> None:
    """A rule whose state keeps the point, or reads old moments again, is given nothing."""
    kept = {
        name for name in ("Lookahead", "Averaging", "HeavyBall", "DualityGapDescent") if rules[name].build.overwrites
    }
    assert kept == set()
    assert R.Alternating(R.Adam(0.1)).overwrites
    assert not R.Alternating((R.Adam(0.1), R.HeavyBall(0.1, 0.5))).overwrites
