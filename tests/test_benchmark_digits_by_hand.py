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

    written = []
    for what in script.planned(written):
        written.append(row(*what))
    return written


def test_every_way_runs_its_best_setting_on_every_seed(script):
    runs = [r for r in rows(script, 1.0) if r["stage"] == "run"]
    for way in (*script.WAYS, script.ABLATION):
        assert {(r["lr"], r["beta1"]) for r in runs if r["way"] == way} == {(0.001, 0.0)}, "the least of the tuning"
        assert [r["seed"] for r in runs if r["way"] == way] == [*script.SEEDS]


@pytest.mark.slow
def test_the_third_way_is_the_loop_with_torchs_schedule(script):
    assert script.by_hand(1, 0.002, 0.5, 0, annealed=True).keys() == {script.ABLATION}
    plain, annealed = (script.by_hand(1, 0.002, 0.5, 2, annealed=way).popitem()[1] for way in (False, True))
    assert plain["distance"] != annealed["distance"], "the second step is half as long"


@pytest.mark.parametrize(
    ("apart", "verdict"), [(9.0, "reproduced"), (-9.0, "contradicted"), (0.01, "not settled at 2000 updates")]
)
def test_the_verdict_is_that_of_the_rank_test(script, apart, verdict):
    assert script.settled(rows(script, apart))["verdict"] == verdict


def test_no_verdict_before_the_end(script):
    written = [r for r in rows(script, 9.0) if r["way"] in script.WAYS]
    assert script.settled(written)["verdict"] == "reproduced"
    assert script.settled(written[:-1])["verdict"] == "not run to its end"
