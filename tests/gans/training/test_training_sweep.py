"""Sweeps: every cell is the config it says, resumes, and has the outcome that its findings and metrics say."""

from __future__ import annotations

import dataclasses
import json

import pytest
from typer.testing import CliRunner

import gandyn as gd
from gandyn.cli import app
from gandyn.errors import GandynError, ParameterError, UnknownNameError
from gandyn.gans.monitor import Finding
from gandyn.gans.training import sweep as module
from gandyn.gans.training.sweep import OUTCOMES, SHIPPED, Sweep, outcome
from gandyn.results import Status

R = gd.rules
NAMES = sorted(path.stem for path in SHIPPED.glob("*.toml"))
TINY = {
    "name": "tiny",
    "base": "ring-alternating-adam",
    "change": {"call": "Alternating(Adam({lr}, betas=({beta1}, 0.99)))", "steps": 2, "batch": 8, "samples": 50},
    "seeds": [0, 1],
    "axis": [{"name": "lr", "values": [0.001, 0.01]}, {"name": "beta1", "values": [0, 0.5]}],
}


def test_cells_are_the_configs_that_they_say():
    cells = list(Sweep.from_dict(TINY).cells())
    assert len(cells) == 8
    where, seed, config = cells[3]
    assert where == {"lr": "0.001", "beta1": "0.5"}
    assert (seed, config.game.seed, config.train.steps) == (1, 1, 2)
    assert config.rule.call == "Alternating(Adam(0.001, betas=(0.5, 0.99)))"
    assert len({config.sha256 for _, _, config in cells}) == 8


@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_sweep_builds(name):
    """Every cell makes a game and a rule; the whole quick sweep runs in the slow set."""
    sweep = Sweep.find(name)
    assert len(sweep.about) > 20
    for _, _, config in sweep.cells(quick=True):
        game, rule = config.build()
        rule.check(game)


def test_a_budget_buys_as_many_steps_as_the_oracle_counts():
    """Of 24 gradients: 24 alternating steps, 12 extrapolated ones, 8 with a Jacobian product, 4 with five answers."""
    calls = {
        "alternating": ("Alternating(Adam(0.001))", 24),
        "five to one": ("Alternating(Adam(0.001), repeats=(1, 5))", 8),
        "extragradient": ("Extragradient(0.01)", 12),
        "consensus": ("Consensus(0.01, 0.1)", 8),
        "gap descent": ("DualityGapDescent(0.01, 5, 0.01)", 4),
    }
    cases = [{"name": name, "loss": "minimax", "call": call} for name, (call, _) in calls.items()]
    small = {"architecture": "mlp", "hidden": [4]}
    change = {"batch": 4, "names": [], "generator": small, "discriminator": small, "log_every": 100}
    sweep = Sweep.from_dict(
        {**TINY, "change": change, "budget": 24, "seeds": [0], "axis": [{"name": "rule", "cases": cases}]}
    )
    assert {where["rule"]: config.train.steps for where, _, config in sweep.cells()} == {
        name: steps for name, (_, steps) in calls.items()
    }
    assert [row["gradients"] for row in sweep.run().rows] == [24, 24, 24, 8, 24]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_sweep_runs_quickly(name, tmp_path):
    sweep = Sweep.find(name)
    result = sweep.run(tmp_path, quick=True)
    assert len(result.rows) == len(list(sweep.cells()))
    assert all(row["step"] == 4 or row["status"] == "DIVERGED" for row in result.rows)
    assert {row["outcome"] for row in result.rows} <= set(OUTCOMES)
    assert result.plot().data["outcomes"]


def test_the_sources_rules_are_in_the_sweep():
    axes = {axis.name: dict(axis.cases) for axis in Sweep.find("gradient-centralization").axes}
    assert list(axes["rule"]) == ["SGD", "SGD-GC", "SGDM", "SGDM-GC", "Adam", "Adam-GC"]
    assert list(axes["loss"]) == ["WGAN", "LS-GAN", "GLS-GAN", "0-GP"]
    digits = dict(Sweep.find("gradient-centralization-digits").axes[0].cases)
    for name, case in (axes["rule"] | digits).items():
        rule = R.registry.from_text(case["call"])
        assert isinstance(rule, R.GradientCentralization) == ("GC" in name)
        assert getattr(rule, "convolutions_only", False) == name.endswith("GCC")


@pytest.mark.parametrize("rule", ["SGD", "SGDM", "Adam"])
def test_on_the_ring_centring_convolutions_is_the_rule_itself_and_centring_all_is_not(rule):
    """The ring's networks have no convolutions: the sweep leaves GCC out, because every digit would be the same."""
    cells = [config for where, seed, config in Sweep.find("gradient-centralization").cells(quick=True)
             if where["rule"] == rule and seed == 0]  # fmt: skip
    assert len(cells) == 4
    for config in cells:
        ends = [
            gd.gans.train(config.build()[0], R.registry.from_text(call), 3, seed=0, metrics=None).w
            for call in (
                config.rule.call,
                f"GradientCentralization({config.rule.call}, convolutions_only=True)",
                f"GradientCentralization({config.rule.call})",
            )
        ]
        assert (ends[0] == ends[1]).all()
        assert (ends[0] != ends[2]).any()


def test_a_cell_says_what_it_cost_unless_a_part_of_it_was_run_before(tmp_path):
    """Of a cell that goes on only the last part could be counted: a small number that looks like the whole price."""
    sweep = Sweep.from_dict({**TINY, "seeds": [0]})
    assert all(row["cpu_seconds"] >= 0 for row in sweep.run(tmp_path).rows)
    (tmp_path / "sweep.json").unlink()
    assert [row["cpu_seconds"] for row in sweep.run(tmp_path).rows] == [None] * 4


def test_a_sweep_goes_on_with_what_is_missing(tmp_path, monkeypatch):
    sweep = Sweep.from_dict(TINY)
    seen = []

    def stop(row):
        seen.append(row)
        if len(seen) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep.run(tmp_path, progress=stop)
    started, real = [], module.start
    monkeypatch.setattr(module, "start", lambda config, cell: started.append(config) or real(config, cell))
    result = sweep.run(tmp_path)
    assert len(started) == 5
    assert len(result.rows) == 8
    assert result.rows[:3] == seen
    assert [row["case"] for row in result.rows] == [where for where, _, _ in sweep.cells()]
    assert json.loads((tmp_path / "sweep.json").read_text())["cells"] == result.to_dict()["cells"]
    assert "lr 0.001, beta1 0, seed 0" in result.summary()
    figure = result.plot()
    assert figure.data["columns"] == ["0.001", "0.01"]
    assert figure.data["quality"].shape == (2, 2)


def test_outcomes():
    game = gd.gans.GANGame(*gd.gans.mlp_pair(hidden=(4,)), "nonsaturating", data=gd.gans.ring(), batch_size=4)
    run = gd.gans.train(game, R.GDA(0.1), 1)

    def ended(status=Status.OK, findings=(), **metrics):
        found = [Finding(name, 1, 0.0, 0.0, "", ended) for name, ended in findings]
        rows = [{**run.rows[-1], "metrics": {"of": 8, **metrics}}]
        return outcome(dataclasses.replace(run, status=status, findings=found, rows=rows))

    good = {"near_modes": 8, "near_quality": 0.95}
    assert ended(**good) == "covers"
    assert ended(near_modes=7, near_quality=0.95) == "partial"
    assert ended(near_modes=8, near_quality=0.8) == "partial"
    assert ended(status=Status.DIVERGED, **good) == "diverged"
    assert ended(findings=[("oscillation", None)], **good) == "oscillates"
    assert ended(findings=[("oscillation", 7)], **good) == "covers"
    assert ended(findings=[("oscillation", None), ("mode collapse", None)]) == "collapsed"
    assert ended(findings=[("discriminator saturation", None)]) == "vanished"
    assert {module.BY_FINDING[name] for name in module.BY_FINDING} < set(OUTCOMES)


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"base": "nothing"}, UnknownNameError, "nothing"),
        ({"bsae": "x"}, UnknownNameError, "'base'"),
        ({"axis": []}, ParameterError, "axis"),
        ({"axis": [{"name": "lr"}]}, ParameterError, "cases or values"),
        ({"axis": [{"name": "lr", "values": list(range(200))}] * 2}, ParameterError, "too many"),
        ({"axis": [{"name": "r", "cases": [{"call": "GDA(0.1)"}]}]}, ParameterError, "a name"),
        ({"seeds": [-1]}, ParameterError, "seeds"),
        ({"name": "../x"}, ParameterError, "plain name"),
        ({"change": {"stpes": 3}}, UnknownNameError, "'steps'"),
    ],
)
def test_refusals(change, error, match):
    with pytest.raises(error, match=match):
        Sweep.from_dict({**TINY, **change})


def test_damaged_results_are_refused(tmp_path):
    (tmp_path / "sweep.json").write_text('{"cells": [1]}')
    with pytest.raises(GandynError, match="without cells"):
        Sweep.from_dict(TINY).run(tmp_path)


def test_the_command(tmp_path):
    listed = CliRunner().invoke(app, ["sweep"])
    assert set(NAMES) <= set(listed.stdout.split())
    path = tmp_path / "pair.toml"
    path.write_text(
        'base = "ring-alternating-adam"\n[change]\nsteps = 2\nbatch = 8\ncall = "GDA({lr})"\n'
        '[[axis]]\nname = "lr"\nvalues = [0.1, 0.2]\n'
    )
    done = CliRunner().invoke(app, ["sweep", str(path), "--out", str(tmp_path / "out"), "--json"])
    assert done.exit_code == 0, done.output
    assert [row["case"]["lr"] for row in json.loads(done.stdout)["cells"]] == ["0.1", "0.2"]
    assert (tmp_path / "out" / "sweep.png").exists()
