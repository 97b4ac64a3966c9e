"""The comparison at equal cost: tuned on held-out seeds alone, resumed, merged, and judged by one gap for all."""

from __future__ import annotations

import importlib.util
import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest

import gandyn as gd
from gandyn.gans.training.start import start

FOLDER = Path(__file__).parent.parent / "benchmarks"
SMALL = '{ architecture = "mlp", hidden = [4] }'
TINY = f"""
base = "ring-alternating-adam"
budget = 48
seeds = [0, 1]
[change]
generator = {SMALL}
discriminator = {SMALL}
batch = 8
names = []
[[axis]]
name = "lr"
values = [0.001, 0.003, 0.01]
[[axis]]
name = "method"
cases = [
  {{ name = "minimax", loss = "minimax", call = "Alternating(Adam({{lr}}, betas=(0, 0.99)))" }},
  {{ name = "WGAN-GP", loss = "wasserstein", penalties = ["WGANGP(0.1)"], call = "ExtraAdam({{lr}})" }},
]
"""


@pytest.fixture
def script(tmp_path, monkeypatch):
    """The script with two tiny data sets and small samples."""
    monkeypatch.syspath_prepend(str(FOLDER))
    spec = importlib.util.spec_from_file_location("gan_comparison", FOLDER / "gan_comparison.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "gan_comparison", module)
    spec.loader.exec_module(module)
    (tmp_path / "tiny.toml").write_text(TINY)
    cases = {"ring": module.Case("ring(modes=4)"), "grid": module.Case("grid(side=2)", 0.25, 1)}
    monkeypatch.setattr(module, "GROUPS", {"points": module.Group(str(tmp_path / "tiny.toml"), cases)})
    monkeypatch.setattr(module.gan_scores, "SAMPLES", 60)
    monkeypatch.setattr(module.gan_scores, "POINTS", 30)
    monkeypatch.setattr(module.gan_scores, "GAP_STEPS", 3)
    return module


@pytest.mark.slow
def test_every_method_is_tuned_alike_and_spends_the_same(script, tmp_path, capsys):
    """A whole comparison in pieces: what is chosen is what came nearest on the held-out seeds, cell by cell."""
    parts = [tmp_path / "a.json", tmp_path / "b.json"]
    for part, method in zip(parts, ("minimax", "WGAN-GP"), strict=True):
        while script.main(["--methods", method, "--limit", "4", "--out", str(part)]) == script.MORE:
            pass
    out = tmp_path / "result.json"
    assert script.main(["--merge", *map(str, parts), "--out", str(out)]) == 0
    data = json.loads(out.read_text())
    stages = {stage: [row for row in data["cells"] if row["stage"] == stage] for stage in ("tune", "run", "half")}
    assert {(row["data"], row["seed"]) for row in stages["tune"]} == {("ring", 1000), ("grid", 1100)}
    where = [("ring", 0), ("ring", 1), ("grid", 100)]
    for method in ("minimax", "WGAN-GP"):
        tried: dict = {}
        for row in stages["tune"]:
            if row["method"] == method:
                tried.setdefault((row["lr"], row["own"]), []).append(row)
        distance = {key: math.prod(row["w1"] for row in rows) for key, rows in tried.items()}
        assert all([row["data"] for row in rows] == ["ring", "grid"] for rows in tried.values())
        steps = sorted({float(lr) for lr, _ in tried})
        own = {value for _, value in tried}
        assert (len(own), len(tried)) == (3, len(steps) + 2)
        assert 3 <= len(steps) <= 3 + script.EXTENSIONS
        whole, half = ([r for r in stages[stage] if r["method"] == method] for stage in ("run", "half"))
        assert [(r["data"], r["seed"]) for r in whole] == [(r["data"], r["seed"]) for r in half] == where
        assert {(r["lr"], r["own"]) for r in whole + half} == {min(distance, key=distance.get)}
        assert {r["fields"] + 2 * r["products"] for r in whole} == {48}
        assert {r["fields"] + 2 * r["products"] for r in half} == {24}
        assert all(("gap" in r) and r["of"] == 4 for r in whole)
    assert [data["settled"][name]["pairs"][0]["seeds"] for name in ("ring", "grid")] == [2, 1]
    assert set(data["settled"]["ring"]["endings"]) == {"minimax", "WGAN-GP"}
    assert len(capsys.readouterr().out.splitlines()) == len(data["cells"])
    assert script.main(["--methods", "minimax", "WGAN-GP", "--limit", "0", "--out", str(out)]) == 0
    assert script.main(["--merge", str(out), *map(str, parts), "--out", str(tmp_path / "again.json")]) == 0
    assert json.loads((tmp_path / "again.json").read_text())["cells"] == data["cells"], "no cell is counted twice"
    lacking = {**data, "cells": [row for row in data["cells"] if (row["stage"], row["seed"]) != ("run", 1)]}
    out.write_text(json.dumps(lacking))
    assert script.main(["--methods", "minimax", "WGAN-GP", "--limit", "2", "--out", str(out)]) == 0
    ran = [(row["method"], row["seed"]) for row in map(json.loads, capsys.readouterr().out.splitlines())]
    assert ran == [("minimax", 1), ("WGAN-GP", 1)], "a member that is missing is run, and no other"
    assert len(json.loads(out.read_text())["cells"]) == len(data["cells"])
    data["script_sha256"] = "another"
    out.write_text(json.dumps(data))
    with pytest.raises(SystemExit, match="another"):
        script.main(["--out", str(out)])


def test_a_member_has_the_numbers_of_a_run_of_its_own(script):
    """Every row of a stage is that of its config alone, to rounding, and differs from its neighbours' by far more."""
    group, setting = script.GROUPS["points"], script.Setting("WGAN-GP", "0.003")
    rows = script.training(group, "run", setting, script.members(group, "run"))
    for row, data, seed in zip(rows, ("ring(modes=4)", "ring(modes=4)", "grid(side=2)"), (0, 1, 100), strict=True):
        config = setting.config(group, 1.0).replace(seed=seed, data=data)
        alone, _ = start(config)
        again = script.gan_scores.points(alone, 0.5, np.random.default_rng((seed, 9)))
        assert (row["sha256"], row["seed"]) == (config.sha256, seed)
        assert row["w1"] == pytest.approx(again["w1"], abs=1e-4)
    assert abs(rows[0]["w1"] - rows[1]["w1"]) > 1e-2


@pytest.mark.parametrize(
    ("values", "best", "further"),
    [
        (["0.001", "0.003", "0.01"], "0.003", None),
        (["0.001", "0.003", "0.01"], "0.01", "0.03"),
        (["0.001", "0.003", "0.01"], "0.001", "0.0003"),
        (["0.001", "0.003", "0.01", "0.0003"], "0.001", None),
        (["0.001", "0.003", "0.01", "0.03"], "0.03", "0.09"),
    ],
)
def test_a_grid_whose_best_lies_at_an_edge_is_extended_there(script, values, best, further):
    assert script.beyond(values, best) == further


def test_what_diverged_is_chosen_last(script):
    good = [{"status": "OK", "distance": 9.0}, {"status": "OK", "distance": 4.0}]
    assert script.score(good) == pytest.approx(math.log(6))
    assert script.score([{"status": "DIVERGED", "distance": 0.1}, *good]) == math.inf
    assert script.score([{"status": "OK", "distance": math.nan}, *good]) == math.inf


@pytest.mark.parametrize(
    ("method", "before", "tried", "text"),
    [
        ("minimax", "0", ["0.5", "0.9"], "betas=(0.9, 0.99)"),
        ("extragradient", "0.5", ["0", "0.9"], "betas=(0.9, 0.9)"),
        ("WGAN, clipped", "0.1", ["0.03", "0.3"], "WeightClipping(0.3)"),
        ("WGAN-GP", "0.1", ["0.03", "0.3"], "WGANGP(0.3)"),
        ("R1", "0.003", ["0.001", "0.009"], "R1(0.009)"),
        ("consensus", "0.03", ["0.01", "0.09"], ", 0.09)"),
        ("gap descent", "0.001", ["0.0003", "0.003"], "inner=Adam(0.003, betas=(0, 0.99))"),
    ],
)
def test_each_method_has_three_values_of_its_own(script, monkeypatch, method, before, tried, text):
    """Of the shipped sweep's methods; nothing else of the config changes with them."""
    shipped = script.Group("comparison", {"8-ring": script.Case()})
    own, config = script.OWN[method], script.Setting(method, "0.003").config(shipped, 0.001)
    assert (own.of(config), own.tried(config)) == (before, tried)
    other = own.put(config, tried[-1])
    assert text in " ".join([other.rule.call, *other.game.penalties])
    assert own.of(other) == tried[-1]
    assert own.put(other, before).to_dict() == config.to_dict()


def test_the_gap_is_that_of_the_minimax_game_on_copies(script):
    """The networks of a Wasserstein GAN are judged by the minimax cost, and come back as they were."""
    scores = script.gan_scores
    game = gd.gans.GANGame(*gd.gans.mlp_pair(hidden=(4,)), "wasserstein", data=gd.gans.ring(), batch_size=8)
    run = gd.gans.train(game, gd.rules.AlternatingGD(0.05), 3)
    found = scores.gap(run, images=False)
    again = gd.gans.GANGame(*gd.gans.mlp_pair(hidden=(4,)), "minimax", data=gd.gans.ring(), batch_size=8)
    expected = gd.duality_gap(again, run.w, "gradient", k=3, rule=scores.GAP_RULE, repeats=scores.GAP_REPEATS, rng=0)
    assert found["gap"] == float(expected.value)
    assert scores.gap(run, images=False) == found
