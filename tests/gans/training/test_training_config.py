"""Configs and checkpoints: known keys, checked values, nothing that a hostile file can execute, reach or exhaust."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from config_cases import SMALL
from typer.testing import CliRunner

import gandyn as gd
from gandyn.cli import app
from gandyn.errors import GandynError, ParameterError, UnknownNameError
from gandyn.gans.training.config import SHIPPED, Config, shipped
from gandyn.gans.training.start import start
from gandyn.gans.training.untrusted_files import CheckpointError


def gandyn(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


# --- what configs say -------------------------------------------------------------------------------------------------


LARGE = {"digits-lapgan-fine", "digits-dcgan", "digits-tuned", "digits-patch", "digits-rotation"}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in LARGE else ()) for name in shipped()]
)
def test_every_shipped_config_builds_and_trains(name):
    """Truncated to three steps, on small batches."""
    config = Config.find(name)
    assert config.name == name
    assert len(config.about) > 20
    assert Config.from_dict(config.to_dict()) == config
    names = [re.sub(r"k=\d+", "k=2", name) for name in config.metrics.names]
    batch = max(8, config.game.options.get("pack", 0))
    run, signal = start(config.replace(steps=3, log_every=1, batch=batch, samples=50, names=names))
    assert signal is None
    assert run.step == 3
    assert np.isfinite([*run.rows[-1]["losses"].values()]).all()
    assert repr(run.rule) == repr(config.replace(steps=3).build()[1])


def test_a_config_builds_what_it_says(small):
    config = Config.find(small)
    game, rule = config.replace(seed=3, batch=9, penalties=["R1(0.25)"], loss="hinge").build()
    assert game.size == 9
    assert game.penalties == (gd.penalties.R1(0.25),)
    assert type(game.loss).__name__ == "Hinge"
    assert rule == gd.rules.Scheduled(
        gd.rules.Alternating(gd.rules.Adam(0.001, (0, 0.99))), gd.rules.schedule.Cosine(12)
    )
    again, _ = config.replace(seed=3).build()
    other, _ = config.replace(seed=4).build()
    assert torch.equal(game.w0, again.w0)
    assert not torch.equal(game.w0, other.w0)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("constant", 1.0), ("cosine", 0.5), ("step", 0.1**6), ("power", 7**-0.5), ("warmup", 0.07)],
)
def test_schedules(small, kind, expected):
    """The factor of step 6 of 12."""
    rule = Config.find(small).replace(kind=kind, **{"schedule.every": 1}).build()[1]
    factor = 1.0 if kind == "constant" else rule.schedule(6)
    assert factor == pytest.approx(expected, rel=1e-12)


def test_digests_tell_configs_apart(small):
    config = Config.find(small)
    assert config.sha256 == Config.from_dict(json.loads(json.dumps(config.to_dict()))).sha256
    assert config.sha256 != config.replace(seed=1).sha256
    assert len({Config.read(path).sha256 for path in shipped().values()}) == len(shipped())


@pytest.mark.parametrize(
    ("old", "new", "error", "words"),
    [
        ("[train]", "[training]", UnknownNameError, ("'training'", "'train'")),
        ("log_every", "log_evry", UnknownNameError, ("log_evry", "'log_every'")),
        ("steps = 12", "steps = '12'", ParameterError, ("train.steps = '12'", "kind int")),
        ("steps = 12", "steps = true", ParameterError, ("train.steps = True", "kind int")),
        ("steps = 12", "steps = -1", ParameterError, ("train.steps = -1", "0 to")),
        ("steps = 12\n", "", ParameterError, ("[train] without steps",)),
        ("average = 0.9", "average = nan", ParameterError, ("train.average = nan",)),
        ("batch = 8", "batch = 0", ParameterError, ("game.batch = 0", "1 to")),
        ('data = "ring"', 'data = "rign"', UnknownNameError, ("'rign'", "'ring'")),
        ('data = "ring"', 'data = "ring(modes=0)"', GandynError, ("",)),
        ('data = "ring"', 'data = "ring(0x10000000000)"', GandynError, ("",)),
        ('"mlp", hidden = [8] }\nd', '"mpl", hidden = [8] }\nd', UnknownNameError, ("'mpl'", "'mlp'")),
        ("hidden = [8] }\nd", "hiden = [8] }\nd", UnknownNameError, ("'hiden'", "'hidden'")),
        ("hidden = [8] }\nd", "hidden = [99999999] }\nd", ParameterError, ("65536",)),
        ("hidden = [8] }\nd", "hidden = [[8]] }\nd", ParameterError, ("generator.hidden",)),
        ('kind = "cosine"', 'kind = "cosin"', UnknownNameError, ("'cosin'", "'cosine'")),
        ("Adam(0", "Adma(0", UnknownNameError, ("'Adma'", "'Adam'")),
        ("Adam(0.001", "Adam(-0.001", ParameterError, ("positive",)),
        ("Adam(0.001", "__import__('os').system('true'", GandynError, ("rule",)),
        ("0.001, betas=(0, 0.99)", "(lambda: 1)()", GandynError, ("rule",)),
        ("0.001, betas=(0, 0.99)", "[x for x in (1,)]", GandynError, ("rule",)),
        ("0.001, betas=(0, 0.99)", "exec", ParameterError, ("exec",)),
        ("Alternating(Adam(", "Alternating(Adam.__class__(", GandynError, ("rule",)),
        ("betas=(0, 0.99)", "betas=" + "(" * 300 + ")" * 300, GandynError, ("",)),
        ("betas=(0, 0.99)", "betas=(0, " + "9" * 2000 + ")", ParameterError, ("letters",)),
        ('about = "small"', 'name = "../../etc/passwd"', ParameterError, ("letters, digits",)),
        ('about = "small"', 'name = "a/b"', ParameterError, ("letters, digits",)),
        ('about = "small"', 'name = ""', ParameterError, ("letters, digits",)),
        ('about = "small"', "about = 7", ParameterError, ("kind str",)),
        ("[game]", "[game]\npenalties = 'R1(1)'", ParameterError, ("list of texts",)),
        ("[game]", "[game]\npenalties = ['R9(1)']", UnknownNameError, ("'R9'", "'R2'")),
        ("[train]", "[train]\ndevice = 'warp'", ParameterError, ("warp",)),
        ("[train]", "[train]\nprecision = 'float8'", ParameterError, ("float8",)),
        ("[rule]", "[rule", ParameterError, ("no TOML",)),
        ("[rule]", "x = " + "[" * 5000 + "]" * 5000 + "\n[rule]", GandynError, ("",)),
        ('about = "small"', "game = 3", ParameterError, ("",)),
    ],
)
def test_mistakes_and_attacks_are_named(small, old, new, error, words):
    text = SMALL.replace(old, new, 1)
    assert text != SMALL
    small.write_text(text)
    with pytest.raises(error) as caught:
        start(Config.find(small).replace(steps=1) if "steps" not in old else Config.find(small))
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_no_configs(tmp_path):
    with pytest.raises(UnknownNameError, match="did you mean 'ring-wgan-gp'"):
        Config.find("ring-wgangp")
    with pytest.raises(CheckpointError, match=r"none\.toml is not there"):
        Config.find(tmp_path / "none.toml")
    with pytest.raises(CheckpointError, match="is not there"):
        Config.find("../../no/such/file")
    (tmp_path / "huge.toml").write_bytes(b"#" * 2**19)
    with pytest.raises(CheckpointError, match="at most"):
        Config.find(tmp_path / "huge.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ParameterError, match="no TOML"):
        Config.find(tmp_path / "binary.toml")


# --- hostile checkpoints ----------------------------------------------------------------------------------------------


# --- the command line -------------------------------------------------------------------------------------------------


def test_the_command_trains_goes_on_and_reports(small, tmp_path):
    out = tmp_path / "run"
    first = gandyn("train", small, "--out", out, "--json", "--picture")
    assert first.exit_code == 0, first.output
    data = json.loads(first.stdout)
    assert (data["status"], data["step"]) == ("OK", 12)
    assert {p.name for p in out.iterdir()} >= {"log.jsonl", "config.json", "result.json", "training.png"}
    before = (out / "log.jsonl").read_text()
    again = gandyn("train", small, "--out", out)
    assert "step 12 of 12" in again.stdout
    assert (out / "log.jsonl").read_text() == before
    other = gandyn("train", small, "--out", out, "--seed", "5")
    assert other.exit_code == 2
    assert "game.seed: 0 there, 5 here" in other.stderr
    fresh = gandyn("train", small, "--out", out, "--seed", "5", "--fresh", "--steps", "4")
    assert fresh.exit_code == 0
    assert "step 4 of 4" in fresh.stdout
    run = gd.gans.TrainingRun.load(out)
    assert run.step == 4
    assert run.best_w is run.average


def test_the_command_lists_and_refuses(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    listed = gandyn("train")
    assert listed.exit_code == 0
    assert set(shipped()) <= set(listed.stdout.split())
    wrong = gandyn("train", "ring-alternating-adm")
    assert wrong.exit_code == 2
    assert "did you mean 'ring-alternating-adam'" in wrong.stderr
    assert not (tmp_path / "runs").exists()


def test_configs_are_shipped_with_the_package():
    assert SHIPPED.is_relative_to(Path(gd.__file__).parent)
    assert len(shipped()) >= 7


def test_the_tuned_digits_are_those_of_the_comparison_with_a_loop_by_hand():
    results = Path(__file__).parents[3] / "benchmarks" / "results" / "digits_by_hand.json"
    data = json.loads(results.read_text())
    [(lr, beta1)] = {(r["lr"], r["beta1"]) for r in data["rows"] if (r["stage"], r["way"]) == ("run", "config")}
    config = Config.find("digits-tuned")
    assert config.rule.call == f"Alternating(Adam({lr}, betas=({beta1}, 0.99)))"
    assert config.train.steps == max(r["steps"] for r in data["rows"])
    base = Config.find("digits-dcgan").replace(generator=config.game.generator, discriminator=config.game.discriminator)
    assert base.game == config.game
