"""What networks themselves keep, hooks, copies and optimisers that hold too little: a watch leaves it, or says it."""

from __future__ import annotations

import collections
import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

import gandyn as gd

LATENT, REAL = torch.randn(2, 8, 2, generator=torch.Generator().manual_seed(0))
CALLS: list[int] = []


def losses(g: Any, d: Any) -> Any:
    on_fake, on_real = d(g(LATENT)), d(REAL + 1)
    return softplus(-on_fake).mean(), (softplus(on_fake) + softplus(-on_real)).mean()


class Count:
    """An object of the user's."""

    def __init__(self) -> None:
        self.value = 0

    def up(self) -> None:
        self.value += 1


class Noted(nn.Module):
    """A network whose forward pass writes wherever one can write, and draws from streams of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.passes, self.by_name = nn.Linear(2, 2), 0, {"norms": [0.0]}
        self.mean, self.last, self.nested = np.zeros(2), collections.deque([0], maxlen=3), [[0]]
        self.numpy, self.torch, self.count = np.random.default_rng(0), torch.Generator().manual_seed(0), Count()

    def note(self) -> None:
        self.passes += 1
        self.by_name["norms"].append(1.0)
        self.mean += 1
        self.last.append(self.passes)
        self.nested[0][0] += 1
        self.count.up()
        CALLS.append(1)

    def forward(self, z: Any) -> Any:
        self.note()
        return self.body(z + 1e-3 * self.numpy.normal() + 1e-3 * torch.randn(z.shape, generator=self.torch))

    def seen(self) -> list[Any]:
        kept = [self.passes, len(self.by_name["norms"]), list(self.last), self.nested[0][0], self.count.value]
        streams = [self.numpy.bit_generator.state["state"], self.torch.get_state().tolist()]
        return [*kept, self.mean.tolist(), len(CALLS), *streams]


def pair() -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    return nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))


def test_what_a_forward_pass_writes_and_draws_is_put_back() -> None:
    g, d = Noted(), pair()[1]
    watch, before = gd.watch(g, d, losses, every=1, share=0.0), g.seen()
    watch.step()
    watch.measure(budget=20)
    assert "error" not in watch.rows[0]
    assert g.seen() == before
    losses(g, d)
    assert g.seen() != before


def test_what_hooks_record_is_put_back() -> None:
    g, d = pair()
    seen: list[str] = []
    d[0].register_forward_hook(lambda *given: seen.append("forward") and None)
    d[2].register_full_backward_hook(lambda *given: seen.append("backward") and None)
    watch = gd.watch(g, d, losses, every=1, share=0.0)
    watch.step()
    assert "error" not in watch.rows[0]
    assert seen == []


def test_a_network_that_reads_from_an_iterator_is_refused() -> None:
    noise = iter(range(100))

    class Reading(nn.Linear):
        def forward(self, z: Any) -> Any:
            return super().forward(z) + 0 * next(noise)

    with pytest.raises(gd.errors.ParameterError, match="losses or networks that read from the iterator `noise`"):
        gd.watch(Reading(2, 2), pair()[1], losses).step()
    assert next(noise) == 0


def test_parameters_that_no_optimiser_holds_are_named() -> None:
    g, d = pair()
    over = [torch.optim.SGD(net.parameters(), 0.1) for net in (g, d)]
    watch = gd.watch(g, d, losses, rule=tuple(over), every=1, share=0.0)
    watch.step()
    assert "not trained" not in watch.summary()
    d[2] = nn.Linear(4, 1)
    said = "not trained: 2.weight of discriminator, 2.bias of discriminator, which no optimiser holds"
    assert said in watch.summary().splitlines()
    d[2].requires_grad_(False)
    assert "not trained" not in watch.summary()
    assert "not trained" not in gd.watch(g, d, losses, rule=gd.rules.GDA(0.1)).summary()


def test_a_watch_follows_networks_to_another_type() -> None:
    g, d = (net.double() for net in pair())

    def own(g: Any, d: Any) -> Any:
        kind = g.weight.dtype
        return d(g(LATENT.to(kind))).mean(), d(REAL.to(kind)).mean() - d(g(LATENT.to(kind))).mean()

    watch = gd.watch(g, d, own, every=1, share=0.0)
    watch.step()
    with torch.no_grad():
        g.weight += 0.5
    g.float(), d.float()
    watch.step()
    assert watch.rows[-1]["moved"]["generator"] == pytest.approx(1.0, rel=1e-6)
    assert "path" in watch.measure(budget=None)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickle.dumps], ids=lambda f: f.__name__)
def test_a_watch_is_not_copied(copied: Any) -> None:
    with pytest.raises(gd.errors.ParameterError, match=r"a copy of a watch.*watch\.to_dict\(\)"):
        copied(gd.watch(*pair(), losses))
