"""Sums of slopes over processes: in buckets, begun while the backward pass goes on, in one order everywhere."""

from __future__ import annotations

import torch
from drop_in_cases import modules, simple
from torch import nn

from gandyn.optim import processes
from gandyn.optim.losses_game import LossesGame


class Work:
    """A sum that ends when it is waited for: of two processes with the same slopes."""

    def __init__(self, tensor):
        self.tensor = tensor

    def wait(self):
        self.tensor.mul_(2)


def watched(monkeypatch, nets, least):
    """What happens in one field, and that field beside the one without sums."""
    events = []
    monkeypatch.setattr(processes, "BUCKET", least)
    monkeypatch.setattr(processes.dist, "all_reduce", lambda t, **options: events.append(len(t)) or Work(t))
    game = LossesGame(dict(zip("gd", nets, strict=True)), False)
    game.begin(simple, None)
    plain = game.field(game.w0)
    game.summed = processes.SummedSlopes()
    for name, net in zip("gd", nets, strict=True):
        next(net.parameters()).register_hook(lambda slope, name=name: events.append(name))
    return events, game.field(game.w0), plain, game


def test_sums_begin_before_the_backward_pass_ends(monkeypatch):
    """The discriminator's last layer is summed before its first layer is reached, and nothing is summed twice."""
    events, field, plain, game = watched(monkeypatch, modules(), 6)
    torch.testing.assert_close(field, 2 * plain, rtol=1e-12, atol=0)
    assert events == [12, "g", 15, 6, "d", 15]
    assert sum(e for e in events if isinstance(e, int)) == game.dim


def test_one_bucket_for_small_networks(monkeypatch):
    events, field, plain, _ = watched(monkeypatch, modules(), processes.BUCKET)
    torch.testing.assert_close(field, 2 * plain, rtol=1e-12, atol=0)
    assert events == ["g", 27, "d", 21]


class Tied(nn.Module):
    """One weight in two places, a frozen layer, and one that is never used."""

    def __init__(self):
        super().__init__()
        self.unused, self.body, self.frozen = nn.Linear(3, 3), nn.Linear(2, 2), nn.Linear(2, 2)
        self.frozen.requires_grad_(False)

    def forward(self, z):
        return self.frozen(self.body(self.body(z)))


def test_what_a_backward_pass_does_not_reach_comes_at_the_end(monkeypatch):
    torch.manual_seed(0)
    events, field, plain, _ = watched(monkeypatch, (Tied().double(), modules()[1]), 4)
    torch.testing.assert_close(field, 2 * plain, rtol=1e-12, atol=0)
    assert events == [6, 6, 12, 6, 5, "d", 10]
    assert plain[:12].abs().max() == 0 < plain[12:18].abs().min()
