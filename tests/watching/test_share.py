"""What a watch costs, on a clock that only the loop and its losses move."""

from __future__ import annotations

import types

import pytest
import torch
from torch import nn

import gandyn as gd

STEP, STEPS = 0.01, 4000
NOW = {"time": 0.0, "cost": 0.0}


class Slow(nn.Linear):
    """A layer that takes its time, where a watch does not put it back: the code of modules is not read."""

    def forward(self, z):
        NOW["time"] += NOW["cost"]
        return super().forward(z)


def losses(g, d):
    value = d(g(torch.ones(1, 1))).sum()
    return value, -value


def looked_at(monkeypatch, cost, **options):
    """The watch of a loop whose steps take a hundredth of a second, and whose losses take `cost`."""
    clock = types.SimpleNamespace(perf_counter=lambda: NOW["time"])
    monkeypatch.setattr("gandyn.watching.clock.time", clock)
    NOW.update(time=0.0, cost=cost)
    torch.manual_seed(0)
    watch = gd.watch(Slow(1, 1, bias=False), nn.Linear(1, 1, bias=False), losses, **options)
    for _ in range(STEPS):
        NOW["time"] += STEP
        watch.step()
    return watch


@pytest.mark.parametrize("cost", [0.3, 0.1, 0.02])
def test_by_default_a_watch_keeps_to_its_share(cost, monkeypatch):
    """Looks come a hundred steps apart, or as many hundreds as twenty times their own cost takes."""
    watch = looked_at(monkeypatch, cost)
    steps = [row["step"] for row in watch.rows]
    assert watch.share <= 0.05
    assert steps[0] == 100
    assert all(step % 100 == 0 for step in steps)
    assert len(steps) > 0.5 * min(STEPS / 100, 0.05 * STEP * STEPS / (5 * cost))


def test_cheap_looks_are_all_made_and_so_are_those_asked_for(monkeypatch):
    every = list(range(100, STEPS + 1, 100))
    assert [row["step"] for row in looked_at(monkeypatch, 0.002, share=0.01).rows] == every
    dear = looked_at(monkeypatch, 0.3, every=100)
    assert [row["step"] for row in dear.rows] == every
    assert dear.share > 0.05
