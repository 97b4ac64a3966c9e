"""Checkpoints that were forged, damaged or renamed are refused by name, without running anything."""

from __future__ import annotations

import json
import math
import struct

import pytest

import gandyn as gd
from gandyn.gans.training import checkpoint
from gandyn.gans.training.config import Config
from gandyn.gans.training.start import start
from gandyn.gans.training.untrusted_files import CheckpointError, digest


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
