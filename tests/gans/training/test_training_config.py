"""Configs and checkpoints: known keys, checked values, nothing that a hostile file can execute, reach or exhaust."""

from __future__ import annotations

import json
import math
import re
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import gandyn as gd
from gandyn.cli import app
from gandyn.errors import GandynError, ParameterError, UnknownNameError
from gandyn.gans.training import checkpoint
from gandyn.gans.training.config import SHIPPED, Config, shipped
from gandyn.gans.training.start import start
from gandyn.gans.training.untrusted_files import CheckpointError, digest

SMALL = """
about = "small"
[game]
generator = { architecture = "mlp", hidden = [8] }
discriminator = { architecture = "mlp", hidden = [8] }
data = "ring"
batch = 8
[rule]
call = "Alternating(Adam(0.001, betas=(0, 0.99)))"
[schedule]
kind = "cosine"
[train]
steps = 12
log_every = 4
checkpoint_every = 5
average = 0.9
"""


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return path


def gandyn(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


# --- what configs say -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_config_builds_and_trains(name):
    """Truncated to three steps, on small batches."""
    config = Config.find(name)
    assert config.name == name
    assert len(config.about) > 20
    assert Config.from_dict(config.to_dict()) == config
    names = [re.sub(r"k=\d+", "k=2", name) for name in config.metrics.names]
    run, signal = start(config.replace(steps=3, log_every=1, batch=8, samples=50, names=names))
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
    with pytest.raises(CheckpointError, match="not a file"):
        Config.find(tmp_path / "none.toml")
    with pytest.raises(CheckpointError, match="not a file"):
        Config.find("../../no/such/file")
    (tmp_path / "huge.toml").write_bytes(b"#" * 2**19)
    with pytest.raises(CheckpointError, match="at most"):
        Config.find(tmp_path / "huge.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ParameterError, match="no TOML"):
        Config.find(tmp_path / "binary.toml")


# --- hostile checkpoints ----------------------------------------------------------------------------------------------


@pytest.fixture
def folder(small, tmp_path):
    start(Config.find(small), tmp_path / "run")
    return tmp_path / "run"


def last(folder):
    return checkpoint.listed(folder)[-1]


def edited(folder, change):
    """Change the JSON of the last checkpoint."""
    record = json.loads(last(folder).read_text())
    change(record)
    last(folder).write_text(json.dumps(record))


def forged(folder, header, body):
    """Other arrays, with a digest to match."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    data = struct.pack("<Q", len(text)) + text + body
    last(folder).with_suffix(".safetensors").write_bytes(data)
    edited(folder, lambda record: record.update(tensors_sha256=digest(data)))


def parts(folder):
    data = last(folder).with_suffix(".safetensors").read_bytes()
    (n,) = struct.unpack("<Q", data[:8])
    return json.loads(data[8 : 8 + n]), data[8 + n :]


def poke(header, name, **changes):
    header[name] |= changes
    return header


JSON_ATTACKS = {
    "unknown key": lambda r: r.update(extra=1),
    "missing key": lambda r: r.pop("rng"),
    "negative step": lambda r: r.update(step=-1),
    "boolean step": lambda r: r.update(step=True),
    "another step": lambda r: r.update(step=11),
    "huge step": lambda r: r.update(step=10**400),
    "format": lambda r: r.update(format=99),
    "rng of another kind": lambda r: r["rng"].update(run={"bit_generator": "MT19937"}),
    "rng as text": lambda r: r["rng"].update(run="__import__('os')"),
    "rng out of range": lambda r: r["rng"]["run"]["state"].update(state=2**200),
    "rng missing": lambda r: r["rng"].pop("game"),
    "rng more": lambda r: r["rng"].update(data={"position": 1}),
    "counter as text": lambda r: r["counters"].update(steps="1"),
    "counter missing": lambda r: r["counters"].pop("steps"),
    "counts more": lambda r: r["counts"].update(evil=1),
    "identity": lambda r: r["identity"].update(rule="another"),
    "digest": lambda r: r.update(tensors_sha256="0" * 64),
    "seconds": lambda r: r.update(seconds="1"),
}


@pytest.mark.parametrize("attack", JSON_ATTACKS)
def test_hostile_records(folder, small, attack):
    edited(folder, JSON_ATTACKS[attack])
    with pytest.raises(CheckpointError) as caught:
        start(Config.find(small), folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"null",
        b"[]",
        b'{"step": NaN}',
        b'{"step": 1, "step": 2}',
        b"\xff\xfe",
        b"[" * 100_000,
        b"[" * 900 + b"]" * 900,
        b" " * (5 * 2**20),
        b"cos\nsystem\n(S'true'\ntR.",
        b'{"step": ' + b"9" * 10_000 + b"}",
    ],
    ids=["empty", "null", "list", "nan", "twice", "bytes", "open", "deep", "huge", "pickle", "digits"],
)
def test_hostile_json(folder, small, text):
    last(folder).write_bytes(text)
    with pytest.raises(CheckpointError):
        start(Config.find(small), folder)


def tensor_attacks():
    def header(change):
        def attack(folder):
            table, body = parts(folder)
            change(table)
            forged(folder, table, body)

        return attack

    def raw(make):
        def attack(folder):
            forged(folder, *make(*parts(folder)))

        return attack

    def nan(folder):
        table, body = parts(folder)
        a, _ = table["w"]["data_offsets"]
        forged(folder, table, body[:a] + struct.pack("<f", math.nan) + body[a + 4 :])

    def plain(data):
        def attack(folder):
            last(folder).with_suffix(".safetensors").write_bytes(data)
            edited(folder, lambda record: record.update(tensors_sha256=digest(data)))

        return attack

    return {
        "renamed": header(lambda t: t.update(v=t.pop("w"))),
        "one more": header(lambda t: t.update(evil=t["w"])),
        "one fewer": header(lambda t: t.pop("w")),
        "another shape": header(lambda t: poke(t, "w", shape=[1, *t["w"]["shape"]])),
        "another kind": header(lambda t: poke(t, "w", dtype="I32")),
        "an unknown kind": header(lambda t: poke(t, "w", dtype="PICKLE")),
        "offsets beyond the end": header(lambda t: poke(t, "w", data_offsets=[0, 10**9])),
        "offsets backwards": header(lambda t: poke(t, "w", data_offsets=[8, 0])),
        "offsets negative": header(lambda t: poke(t, "w", data_offsets=[-8, 0])),
        "overlapping": header(lambda t: poke(t, "w", data_offsets=t["average"]["data_offsets"])),
        "offsets as text": header(lambda t: poke(t, "w", data_offsets="all")),
        "an entry as text": header(lambda t: t.update(w="all")),
        "not finite": nan,
        "cut short": raw(lambda t, b: (t, b[:-4])),
        "longer": raw(lambda t, b: (t, b + b"\0" * 64)),
        "a header that is no JSON": raw(lambda t, b: (b"{" * 50, b)),
        "a header with a key twice": raw(lambda t, b: (b'{"w": 1, "w": 2}', b)),
        "a huge header": raw(lambda t, b: (b'{"__metadata__": {"x": "' + b"y" * 2**21 + b'"}}', b)),
        "a header longer than the file": plain(struct.pack("<Q", 2**62) + b"{}"),
        "empty": plain(b""),
        "a pickle": plain(
            b"\x80\x04\x95\x1c\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R."
        ),
        "far too big": plain(b"\0" * 2**22),
        "missing": lambda folder: last(folder).with_suffix(".safetensors").unlink(),
    }


@pytest.mark.parametrize("attack", tensor_attacks())
def test_hostile_arrays(folder, small, attack):
    tensor_attacks()[attack](folder)
    with pytest.raises(CheckpointError) as caught:
        start(Config.find(small), folder)
    assert "\n" not in str(caught.value)
    with pytest.raises(CheckpointError):
        gd.gans.TrainingRun.load(folder)


def test_names_that_are_no_checkpoints_are_not_read(folder, small):
    """Nothing in a checkpoint names a file, so nothing can lead out of the folder."""
    (folder / "checkpoint-999999999999.json").write_text("{}")
    (folder / "checkpoint-..-..-etc.json").write_text("{}")
    run, _ = start(Config.find(small), folder)
    assert run.step == 12
    outside = folder.parent / "outside"
    outside.mkdir()
    last(folder).rename(outside / last(folder).name)
    (folder / "checkpoint-000000012.json").symlink_to(outside / "checkpoint-000000012.json")
    run, _ = start(Config.find(small), folder)
    assert run.step == 12


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
