"""The digits DCGAN against a hand-written loop: both ways are tuned alike, and the verdict is that of the rank test."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("digits_by_hand")


def rows(script, apart):
    """What the whole plan would have written, were the config nearer by `apart` at every setting."""

    def row(stage, way, seed, lr, beta1):
        distance = 10 + seed + lr + beta1 - (apart if way == "config" else 0)
        return {
            "stage": stage,
            "way": way,
            "weights": way,
            "seed": seed,
            "lr": lr,
            "beta1": beta1,
            "distance": distance,
        }

    tuned = [row("tune", way, script.HELD_OUT_SEED, *at) for at in script.GRID for way in script.WAYS]
    return [*tuned, *(row(*what) for what in script.planned(tuned) if what[0] == "run")]


def test_both_ways_run_their_best_settings_on_every_seed(script):
    runs = [r for r in rows(script, 1.0) if r["stage"] == "run"]
    for way in script.WAYS:
        where = {(r["lr"], r["beta1"]) for r in runs if r["way"] == way}
        assert where == {(0.001, 0.0), (0.002, 0.0)}, "the two least distances of the tuning"
        assert sorted(r["seed"] for r in runs if r["way"] == way) == sorted([*script.SEEDS] * 2)


@pytest.mark.parametrize(
    ("apart", "verdict"), [(9.0, "reproduced"), (-9.0, "contradicted"), (0.01, "not settled at 2000 updates")]
)
def test_the_verdict_is_that_of_the_rank_test(script, apart, verdict):
    assert script.settled(rows(script, apart))["verdict"] == verdict


def test_no_verdict_before_the_end(script):
    assert script.settled(rows(script, 9.0)[:-1])["verdict"] == "not run to its end"
