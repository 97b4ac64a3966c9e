"""The comparison at equal cost: tuned on the held-out seed alone, resumed, and judged by one gap for all."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest

import gandyn as gd

FOLDER = Path(__file__).parent.parent / "benchmarks"
SMALL = '{ architecture = "mlp", hidden = [4] }'
TINY = f"""
base = "ring-alternating-adam"
budget = 36
seeds = [0, 1]
[change]
generator = {SMALL}
discriminator = {SMALL}
batch = 8
names = []
[[axis]]
name = "lr"
values = [0.001, 0.01]
[[axis]]
name = "method"
cases = [
  {{ name = "alternating", call = "Alternating(Adam({{lr}}))" }},
  {{ name = "extragradient", call = "ExtraAdam({{lr}})" }},
]
"""


@pytest.fixture
def script(tmp_path, monkeypatch):
    """The script with one tiny data set and small samples."""
    monkeypatch.syspath_prepend(str(FOLDER))
    spec = importlib.util.spec_from_file_location("gan_comparison", FOLDER / "gan_comparison.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "gan_comparison", module)
    spec.loader.exec_module(module)
    (tmp_path / "tiny.toml").write_text(TINY)
    monkeypatch.setattr(module, "CASES", {"tiny": module.Case(str(tmp_path / "tiny.toml"), "ring(modes=4)")})
    monkeypatch.setattr(module, "SAMPLES", 60)
    monkeypatch.setattr(module, "POINTS", 30)
    monkeypatch.setattr(module, "INNER", {name: (3, rule) for name, (_, rule) in module.INNER.items()})
    return module


def test_every_method_is_tuned_alike_and_spends_the_same(script, tmp_path, capsys):
    out = tmp_path / "result.json"
    while script.main(["--data", "tiny", "--limit", "3", "--out", str(out)]) == script.MORE:
        pass
    data = json.loads(out.read_text())
    tuned = [row for row in data["cells"] if row["stage"] == "tune"]
    runs = [row for row in data["cells"] if row["stage"] == "run"]
    assert {row["seed"] for row in tuned} == {1000}
    assert {(row["method"], row["lr"], row["steps"]) for row in tuned} == {
        (method, lr, 20 // price)
        for method, price in (("alternating", 1), ("extragradient", 2))
        for lr in ("0.001", "0.01")
    }
    assert sorted((row["method"], row["seed"]) for row in runs) == [
        (method, seed) for method in ("alternating", "extragradient") for seed in (0, 1)
    ]
    for row in runs:
        tried = [one for one in tuned if one["method"] == row["method"]]
        assert row["lr"] == min(tried, key=lambda one: one["w1"])["lr"]
        assert row["fields"] + 2 * row["products"] == 36
        assert row["of"] == 4
        assert {"gap", "gap_plain", "gap_error", "w1_floor"} <= set(row)
    assert len(capsys.readouterr().out.splitlines()) == len(data["cells"]) == 8
    assert script.main(["--data", "tiny", "--limit", "1", "--out", str(out)]) == 0


def test_what_diverged_is_chosen_last(script):
    rows = [
        {"lr": "1", "status": "DIVERGED", "distance": 0.1},
        {"lr": "2", "status": "OK", "distance": float("nan")},
        {"lr": "3", "status": "OK", "distance": 9.0},
    ]
    assert script.best(rows) == "3"
    assert script.best(rows[:2]) == "2"


def test_the_gap_is_that_of_the_minimax_game_on_copies(script):
    """The networks of a Wasserstein GAN are judged by the minimax cost, and come back as they were."""
    game = gd.gans.GANGame(*gd.gans.mlp_pair(hidden=(4,)), "wasserstein", data=gd.gans.ring(), batch_size=8)
    run = gd.gans.train(game, gd.rules.AlternatingGD(0.05), 3)
    found = script.gaps(run, images=False)
    again = gd.gans.GANGame(*gd.gans.mlp_pair(hidden=(4,)), "minimax", data=gd.gans.ring(), batch_size=8)
    steps, rule = script.INNER["gap"]
    expected = gd.duality_gap(again, run.w, "gradient", k=steps, rule=rule, repeats=script.GAP_REPEATS, rng=0)
    assert found["gap"] == float(expected.value)
    assert script.gaps(run, images=False) == found
