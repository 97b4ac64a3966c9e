"""The digits DCGAN against a hand-written loop: both ways are tuned alike, and the verdict is that of the rank test."""

from __future__ import annotations

import importlib
import json
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
        where = {"stage": stage, "way": way, "weights": way, "seed": seed, "lr": lr, "beta1": beta1}
        steps = script.STEPS if stage == "run" else script.TUNING_STEPS
        return {**where, "steps": steps, "distance": 10 + seed + lr + beta1 - (apart if way == "config" else 0)}

    written = []
    for what in script.planned(written):
        written.append(row(*what))
    return written


def test_both_ways_run_their_best_setting_on_every_seed(script):
    runs = [r for r in rows(script, 1.0) if r["stage"] == "run"]
    for way in script.WAYS:
        assert {(r["lr"], r["beta1"]) for r in runs if r["way"] == way} == {(0.001, 0.0)}, "the least of the tuning"
        assert [r["seed"] for r in runs if r["way"] == way] == [*script.SEEDS]
    alone = [what for what in script.planned(rows(script, 1.0), ("config",))]
    assert alone == [what for what in script.planned(rows(script, 1.0)) if what[1] == "config"]


@pytest.mark.slow
def test_both_ways_start_at_the_same_weights_and_are_scored_on_the_way(script, monkeypatch):
    monkeypatch.setattr(script, "TUNING_STEPS", 2)
    seen = []
    monkeypatch.setattr(script, "score", lambda game, w, seed: seen.append(w.clone()) or {"distance": 1.0})
    for way in script.WAYS:
        found = script.TRAIN[way](1, 1e-12, 0.5, 4)
        assert sorted({row["steps"] for row in found}) == [2, 4]
        assert [row["weights"] for row in found].count(way) == 2
    assert len(seen) == 10, "the config is scored at its start too"
    assert all(float((w - seen[0]).abs().max()) < 1e-9 for w in seen), "steps of 1e-12 lead nowhere"


@pytest.mark.slow
def test_a_divergence_is_an_infinite_distance(script, monkeypatch):
    monkeypatch.setattr(script, "TUNING_STEPS", 2)
    for way in script.WAYS:
        found = script.TRAIN[way](1, 1e30, 0.5, 4)
        assert {row["distance"] for row in found if row["weights"] == way and row["steps"] == 4} == {float("inf")}


@pytest.mark.parametrize(
    ("apart", "verdict"), [(9.0, "reproduced"), (-9.0, "contradicted"), (0.01, "not settled at 6000 updates")]
)
def test_the_verdict_is_that_of_the_rank_test(script, apart, verdict):
    assert script.settled(rows(script, apart))["verdict"] == verdict


def test_no_verdict_before_the_end(script):
    assert script.settled(rows(script, 9.0)[:-1])["verdict"] == "not run to its end"


def test_rows_of_another_process_are_taken_once(script, tmp_path, monkeypatch):
    every = rows(script, 9.0)
    monkeypatch.setattr(script, "trained", lambda *what: pytest.fail(f"{what} was done already"))
    digest = script.hashlib.sha256(Path(script.__file__).read_bytes()).hexdigest()
    for way in script.WAYS:
        own = {"script_sha256": digest, "rows": [r for r in every if r["way"] == way]}
        (tmp_path / f"{way}.json").write_text(json.dumps(own))
    given = ["--out", str(tmp_path / "config.json"), "--take", str(tmp_path / "by hand.json")]
    for _ in range(2):
        assert script.main(given) == 0
        merged = json.loads((tmp_path / "config.json").read_text())
        assert len(merged["rows"]) == len(every)
        assert merged["settled"]["verdict"] == "reproduced"
