"""What losses reach beside their networks and change: a look leaves it as it was, or is refused."""

from __future__ import annotations

import contextlib
import itertools
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

import gandyn as gd

STEPS = 4


def networks() -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 2)), nn.Linear(2, 1)


def pair(g: Any, d: Any) -> tuple[Any, Any]:
    on_fake, on_real = d(g(torch.randn(8, 2))), d(1 + torch.randn(8, 2))
    return softplus(-on_fake).mean(), (softplus(on_fake) + softplus(-on_real)).mean()


class Average:
    """An average of a generator's weights, a module that losses update."""

    def __init__(self, g: Any) -> None:
        self.model = torch.optim.swa_utils.AveragedModel(g)

    def losses(self, g: Any, d: Any) -> Any:
        self.model.update_parameters(g)
        return pair(g, d)

    def seen(self) -> list[Any]:
        return list(self.model.state_dict().values())


class Hand:
    """The same by hand, through `.data`."""

    def __init__(self, g: Any) -> None:
        self.kept = [p.detach().clone() for p in g.parameters()]

    def losses(self, g: Any, d: Any) -> Any:
        for kept, p in zip(self.kept, g.parameters(), strict=True):
            kept.data.mul_(0.9).add_(p.data, alpha=0.1)
        return pair(g, d)

    def seen(self) -> list[Any]:
        return self.kept


class Temperature:
    """A number with an optimiser, a scheduler and a scaler of its own, all inside the losses."""

    def __init__(self, g: Any) -> None:
        self.x = nn.Parameter(torch.ones(1))
        self.optimizer = torch.optim.Adam([self.x], 0.1)
        self.schedule = torch.optim.lr_scheduler.ExponentialLR(self.optimizer, 0.9)
        self.scaler = torch.amp.GradScaler("cpu", init_scale=4.0, growth_interval=2)

    def losses(self, g: Any, d: Any) -> Any:
        self.scaler.scale(self.x.sum()).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.schedule.step()
        return pair(g, d)

    def seen(self) -> list[Any]:
        state = [v for v in self.optimizer.state[self.x].values()]
        return [self.x, self.x.grad, *state, self.optimizer.param_groups[0]["lr"], self.scaler.get_scale()]


class Counted:
    """Counts kept where one does not look first: on a class, and on a function."""

    calls = 0

    def __init__(self, g: Any) -> None:
        type(self).calls = 0

        def losses(g: Any, d: Any) -> Any:
            losses.calls += 1  # type: ignore[attr-defined]
            Counted.calls += 1
            return pair(g, d)

        losses.calls = 0  # type: ignore[attr-defined]
        self.losses = losses

    def seen(self) -> list[Any]:
        return [Counted.calls, self.losses.calls]  # type: ignore[attr-defined]


class Plain:
    """Nothing beside the networks."""

    losses = staticmethod(pair)

    def __init__(self, g: Any) -> None:
        pass

    def seen(self) -> list[Any]:
        return []


def trained(kind: Any, watched: bool, around: Any = contextlib.nullcontext) -> list[Any]:
    """All that is there after a few steps."""
    nets = networks()
    beside = kind(nets[0])
    optimizers = [torch.optim.Adam(net.parameters(), 0.02) for net in nets]
    watch = gd.watch(*nets, beside.losses, every=1, share=0.0) if watched else None
    torch.manual_seed(1)
    with around():
        for _ in range(STEPS):
            for i in (1, 0):
                optimizers[i].zero_grad()
                beside.losses(*nets)[i].backward()
                optimizers[i].step()
            if watch is not None:
                watch.step()
    assert watch is None or not any("error" in row for row in watch.rows)
    return [*(p for net in nets for p in net.parameters()), torch.get_rng_state(), *beside.seen()]


def half() -> Any:
    return torch.autocast("cpu", dtype=torch.bfloat16)


@pytest.mark.parametrize(
    ("kind", "around"),
    [(kind, contextlib.nullcontext) for kind in (Average, Hand, Temperature, Counted)] + [(Plain, half)],
    ids=["average", "by hand", "optimiser", "counts", "autocast"],
)
def test_a_look_leaves_it_as_it_was(kind: Any, around: Any) -> None:
    found, expected = trained(kind, True, around), trained(kind, False, around)
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert torch.equal(torch.as_tensor(a), torch.as_tensor(b))


def test_a_large_tensor_that_is_written_through_data_is_refused(monkeypatch: Any) -> None:
    monkeypatch.setattr("gandyn.watching.surroundings.LARGEST_COPY", 0)
    nets = networks()
    with pytest.raises(gd.errors.GandynError, match="write into a tensor"):
        gd.watch(*nets, Hand(nets[0]).losses).step()


def test_an_iterator_behind_its_own_method_is_refused() -> None:
    read = itertools.count().__next__

    def losses(g: Any, d: Any) -> Any:
        first, second = pair(g, d)
        return first * read(), second

    with pytest.raises(gd.errors.ParameterError, match="read from the iterator"):
        gd.watch(*networks(), losses).step()


def test_half_precision_inside_the_losses_is_measured() -> None:
    def losses(g: Any, d: Any) -> Any:
        with half():
            return pair(g, d)

    watch = gd.watch(*networks(), losses, every=1, share=0.0)
    watch.step()
    assert "gap" in watch.measure(budget=20)
