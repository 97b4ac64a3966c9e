"""What a watch costs, on a clock that only the loop and its losses move."""

from __future__ import annotations

import types

import pytest
import torch
from torch import nn

import gandyn as gd
from gandyn.watching.words import about

STEP, STEPS = 0.01, 4000
NOW = {"time": 0.0, "cost": 0.0}
WORK = {}  # what an evaluation does, found by a name that no code has, so that a watch does not put it back


class Slow(nn.Linear):
    """A layer that takes its time."""

    def forward(self, z):
        globals()["WORK"]["now"]()
        return super().forward(z)


def losses(g, d):
    value = d(g(torch.ones(1, 1))).sum()
    return value, -value


def looked_at(monkeypatch, cost, **options):
    """The watch of a loop whose steps take a hundredth of a second, and whose losses take `cost`."""
    clock = types.SimpleNamespace(perf_counter=lambda: NOW["time"], process_time=lambda: NOW["time"])
    monkeypatch.setattr("gandyn.watching.clock.time", clock)
    NOW.update(time=0.0, cost=cost)
    WORK["now"] = lambda: NOW.update(time=NOW["time"] + NOW["cost"])
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


class Clocked:
    """A machine that gives this process one second of computing in `LOAD` of the wall clock."""

    LOAD = 50.0

    def __init__(self):
        self.wall = self.cpu = 0.0

    def work(self, seconds):
        self.cpu += seconds
        self.wall += self.LOAD * seconds

    def perf_counter(self):
        return self.wall

    def process_time(self):
        return self.cpu


def gan(clock, cost):
    """A game of two scalars, each evaluation of which takes cost["cost"] seconds of computing, and a watch of it."""
    WORK["now"] = lambda: clock.work(cost["cost"])
    return gd.watch(Slow(1, 1, bias=False), nn.Linear(1, 1, bias=False), losses)


def test_a_loaded_machine_and_a_cold_start_do_not_keep_a_watch_from_measuring(monkeypatch):
    """At the first step an evaluation takes a hundred times what it takes later, and all is slowed 50 times."""
    clock = Clocked()
    monkeypatch.setattr("gandyn.watching.clock.time", clock)
    torch.manual_seed(0)
    cold = {"cost": 0.1}
    watch = gan(clock, cold)
    for _ in range(STEPS):
        clock.work(STEP)
        watch.step()
        cold["cost"] = 0.001
    assert {"rotation", "spectrum", "gap"} <= {key for row in watch.rows for key in row}
    assert watch.share <= 0.05


def test_what_the_budget_leaves_out_says_that_it_was_the_budget(monkeypatch):
    clock = Clocked()
    monkeypatch.setattr("gandyn.watching.clock.time", clock)
    torch.manual_seed(0)
    watch = gan(clock, {"cost": 0.01})
    watch.step()
    for why in watch.unmeasured().values():
        assert "the watch has 5 % of the time" in why
        assert "e+" not in why
    watch.measure(budget=1.0)
    reasons = watch.unmeasured()
    assert reasons
    for why in reasons.values():
        assert "of the 1 s allowed were left; watch.measure(budget=None) does it now" in why
    watch.measure(budget=None)
    assert set(watch.unmeasured()) <= {"noise", "path"}  # nothing is drawn, and nothing has moved
    assert set(watch.unmeasured().values()) <= {"nothing to see"}
    assert "converged? not yet: the duality gap at step 1 is" in watch.summary()


@pytest.mark.parametrize(("seconds", "text"), [(0.0312, "0.03"), (7.4, "7"), (104, "100"), (2.2e5, "200000")])
def test_seconds_are_written_out(seconds, text):
    assert about(seconds) == text


def test_a_short_loop_gets_looks_too(monkeypatch):
    """The first look is a cold one, of fifty times the time: the ones after it are not priced by it."""
    clock = Clocked()
    clock.LOAD = 1.0
    monkeypatch.setattr("gandyn.watching.clock.time", clock)
    torch.manual_seed(0)
    cost = {"cost": 0.0002}
    watch = gan(clock, cost)
    for step in range(1, 601):
        clock.work(0.003)
        cost["cost"] = 0.01 if step == 100 else 0.0002
        watch.step()
    assert [row["step"] for row in watch.rows] == [100, 200, 300, 400, 500, 600]
    assert watch.share <= 0.05


@pytest.mark.parametrize(("seconds", "most"), [(1.0, 20), (0.2, 60)])
def test_a_loop_of_slow_steps_is_looked_at_by_the_clock(seconds, most, monkeypatch):
    """Before the hundredth step, when its share has allowed a look for five seconds; and never beyond the share."""
    clock = Clocked()
    monkeypatch.setattr("gandyn.watching.clock.time", clock)
    torch.manual_seed(0)
    watch = gan(clock, {"cost": seconds / 10})
    for _ in range(90):
        clock.work(seconds)
        watch.step()
        assert watch.share <= 0.05 or watch.count < most
    assert 1 <= len(watch.rows) <= 90 * seconds / 5
    assert watch.rows[0]["step"] <= most


def test_one_look_is_not_several(monkeypatch):
    watch = looked_at(monkeypatch, 0.002, every=STEPS)
    assert f"{STEPS} steps, 1 look;" in watch.summary()
    assert f"{STEPS} steps, 1 look>" in repr(watch)
    assert "undecided: 1 look so far, and 8 are needed" in watch.summary()
