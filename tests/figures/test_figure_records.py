"""What a figure's data say of themselves: keys, records, verdicts, and the saved data of the documentation."""

from __future__ import annotations

import json
import pathlib
import subprocess
from types import SimpleNamespace

import numpy as np
import pytest
from line_figure import NAMES, run

import gandyn as gd
from gandyn.errors import ParameterError
from gandyn.figures import keys, store
from gandyn.figures import making as engine

SAVED = sorted((pathlib.Path(__file__).parent.parent.parent / "docs" / "images" / "figures").glob("*.json"))


def test_keys_follow_what_compute_reaches():
    source = "import a\nimport b\nK = a.c\nL = 3\ndef compute(q):\n    return f() + K\ndef f():\n    return 1\n"
    source += "def draw(d):\n    return b.x + L\nif L:\n    pass\n"
    reached = keys.reached(source, "compute")
    assert "import a" in reached
    assert "def f" in reached
    assert "draw" not in reached
    assert "import b" not in reached
    assert "L = 3" in reached  # the statement `if L` binds nothing, so it counts always
    assert keys.reached(source.replace("b.x", "b.y"), "compute") == reached
    assert keys.reached(source.replace("return 1", "return 2"), "compute") != reached


def test_the_record_says_how_the_data_were_made(folder, tmp_path):
    made = gd.figures.make("line", out=tmp_path, source=folder)
    record = json.loads((tmp_path / "line.json").read_text(), parse_constant=lambda text: pytest.fail(text))
    assert record["values"] == {"slope": 2.0, "what": "a line"}
    assert record["arrays"]["x"] == {"shape": [101], "dtype": "float64"}
    assert {"commit", "versions", "seconds", "device", "quick", "system", "expected"} <= set(record)
    assert {"gandyn", "numpy", "matplotlib", "python"} <= set(record["versions"])
    assert record["figure"]["seed"] is None
    data = store.read(tmp_path / "line")
    assert data["far"] == np.inf
    assert json.loads(json.dumps(made.to_dict()))["ok"] is True
    assert "2 of 2 numbers as expected" in made.summary()


def test_a_figure_in_this_repository_names_its_commit():
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=gd.figures.folder(), capture_output=True, text=True)
    commit = store.made_by(gd.figures.folder())["commit"]
    assert commit is None if head.returncode else head.stdout.startswith(commit.rstrip("+"))


@pytest.mark.parametrize("value", [object(), [np.ones(2)], np.array([object()]), {"a": float("nan")}])
def test_data_that_cannot_be_saved_are_refused(value):
    with pytest.raises(ParameterError):
        store.split({"it": value})


def test_data_come_back_as_they_were(tmp_path):
    data = {"a": np.arange(3.0), "z": 1j, "n": float("nan"), "t": "x", "l": [1, "two", None], "i": np.int64(3)}
    store.write(tmp_path / "d", "key", data, {})
    back = store.read(tmp_path / "d", "key")
    assert back["a"].tolist() == [0, 1, 2]
    assert (back["z"], back["t"], back["l"], back["i"]) == (1j, "x", [1, "two", None], 3)
    assert np.isnan(back["n"])
    assert store.read(tmp_path / "d", "another key") is None


@pytest.mark.parametrize("path", SAVED, ids=lambda path: path.stem)
def test_the_saved_data_of_the_docs_agree_with_the_numbers(path):
    stem = path.with_suffix("")
    record, data = store.read_record(stem), store.read(stem)
    one = gd.figures.find(record["figure"]["name"])
    assert data is not None
    assert stem.name == one.name + "-quick" * record["quick"]
    missed = [found.summary() for found in gd.figures.check(one.expected, data, record["quick"]) if not found.holds]
    assert not missed


UNSEEN = """Expected("the paper's slope", 7, 0, "figure 1", lambda data: data["slope"], effect=True)"""


def test_an_effect_that_is_not_seen_is_a_verdict_of_its_own(folder, tmp_path, capsys):
    """Every number agrees, the paper's effect is not there: not wrong, not reproduced, and status 3."""
    path = folder / "line.py"
    text = path.read_text()
    start = text.index("EXPECTED = (") + len("EXPECTED = (")
    path.write_text(text[:start] + f"\n    {UNSEEN}," + text[start:])
    made = gd.figures.make("line", source=folder, out=tmp_path / "out")
    assert made.outcome is gd.figures.Outcome.NOT_REPRODUCED
    assert made.ok
    assert "not reproduced at these settings" in made.headline
    assert "not  the paper's slope: found 2, expected 7" in made.summary()
    record = json.loads((tmp_path / "out" / "line.json").read_text())
    assert record["outcome"] == "not reproduced at these settings"
    status, out, _ = run(["figure", "line", "--from", folder, "--out", tmp_path / "out"], capsys)
    assert status == 3
    status, out, _ = run(["figure", "line", "line", "--from", folder, "--out", tmp_path / "out"], capsys)
    assert status == 3
    assert "2 not reproduced at these settings" in out


def test_a_wrong_number_outweighs_an_effect_and_a_seen_effect_reproduces():
    right, wrong, unseen = (
        gd.figures.Expected("n", 1, 0, "by construction", lambda data, found=found: found, effect=effect).check({})
        for found, effect in ((1, True), (2, False), (2, True))
    )
    assert gd.figures.outcome([right]) is gd.figures.Outcome.REPRODUCED
    assert gd.figures.outcome([right, unseen]) is gd.figures.Outcome.NOT_REPRODUCED
    assert gd.figures.outcome([wrong, unseen]) is gd.figures.Outcome.WRONG


@pytest.mark.parametrize("path", SAVED, ids=lambda path: path.stem)
def test_saved_data_say_which_verdict_they_have(path):
    stem = path.with_suffix("")
    record, data = store.read_record(stem), store.read(stem)
    one = gd.figures.find(record["figure"]["name"])
    checks = (*gd.figures.check(one.expected, data, record["quick"]), *gd.figures.effects(one.expected, data))
    unseen = {"metz_2017_mode_collapse", "balduzzi_2018_sga", "grnarova_2021_mixture_1d", "yong_2020_centralization"}
    wanted = gd.figures.Outcome.NOT_REPRODUCED if one.name in unseen else gd.figures.Outcome.REPRODUCED
    assert gd.figures.outcome(checks) is wanted


def test_every_figure_has_saved_data():
    saved = {store.read_record(path.with_suffix(""))["figure"]["name"] for path in SAVED}
    missing = sorted(set(NAMES) - saved)
    assert not missing, f"save their data: gandyn figure {' '.join(missing)} --out docs/images/figures"
    assert saved == set(NAMES)


def test_the_seconds_that_the_data_took_are_kept_to_the_millisecond(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "time", SimpleNamespace(perf_counter=iter([0.0, 1.0, 3.23456, 4.0]).__next__))
    assert gd.figures.make("line", out=tmp_path, source=folder).error == ""
    assert store.read_record(tmp_path / "line")["seconds"] == 2.235
