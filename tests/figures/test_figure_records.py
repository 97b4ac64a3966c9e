"""What a figure's data say of themselves: keys, records, verdicts, and the saved data of the documentation."""

from __future__ import annotations

import json
import pathlib
import re
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
    assert "0 of 1 effects seen" in made.headline
    assert "not  the paper's slope: found 2, expected 7" in made.summary()
    record = json.loads((tmp_path / "out" / "line.json").read_text())
    assert record["outcome"] == "not reproduced at these settings"
    status, out, _ = run(["figure", "line", "--from", folder, "--out", tmp_path / "out"], capsys)
    assert status == 3
    status, out, _ = run(["figure", "line", "line", "--from", folder, "--out", tmp_path / "out"], capsys)
    assert status == 3
    assert "of 2 figures: 2 not reproduced at these settings" in out
    path.write_text(path.read_text().replace("effect=True)", "effect=True, contrary=3)"))
    status, out, _ = run(["figure", "line", "--from", folder, "--out", tmp_path / "out"], capsys)
    assert status == 6
    assert "numbers as expected" in out.splitlines()[0]
    assert out.splitlines()[0].endswith("; contradicted")


def test_a_wrong_number_outweighs_an_effect_and_a_seen_effect_reproduces():
    right, wrong, unseen = (
        gd.figures.Expected("n", 1, 0, "by construction", lambda data, found=found: found, effect=effect).check({})
        for found, effect in ((1, True), (2, False), (2, True))
    )
    assert gd.figures.outcome([right]) is gd.figures.Outcome.REPRODUCED
    assert gd.figures.outcome([right, unseen]) is gd.figures.Outcome.IN_PART
    assert gd.figures.outcome([unseen]) is gd.figures.Outcome.NOT_REPRODUCED
    assert gd.figures.outcome([wrong, unseen]) is gd.figures.Outcome.WRONG


def effect(found, short="", contrary=float("nan")):
    expected = gd.figures.Expected("modes", 8, 1, "figure 2", lambda data: found, effect=True, contrary=contrary)
    return expected.check({"short": short})


@pytest.mark.parametrize(
    ("found", "short", "contrary", "outcome"),
    [
        ([8, 8, 7, 8, 3], "", 3, "reproduced"),
        ([8, 8, 7, 3, 3], "", 3, "not settled"),
        ([8, 8, 8, 8], "", 3, "not settled"),
        ([3, 3, 3, 3, 8], "", 3, "contradicted"),
        ([3, 3, 3, 3, 8], "too few", 3, "not settled"),
        ([4, 4, 4, 3, 8], "", 3, "not reproduced at these settings"),
        ([12, 12, 12, 13, 12], "", 3, "not reproduced at these settings"),
        ([12, 12, 12, 13, 12], "", 12, "contradicted"),
        ([float("nan")] * 5, "", 3, "a number is wrong"),
        ([3, 3, 3, 3, float("nan")], "", 3, "contradicted"),
        (3.0, "", 3, "contradicted"),
        (5.0, "", 3, "not reproduced at these settings"),
        (8.0, "", 3, "reproduced"),
    ],
)
def test_an_effect_of_several_seeds_is_judged_by_all_of_them(found, short, contrary, outcome):
    assert str(effect(found, short, contrary).outcome) == outcome


def test_a_figure_of_seen_and_unseen_effects_is_reproduced_in_part_and_says_how_much():
    seen, unseen = effect([8.0] * 5), effect([0.0] * 5)
    assert gd.figures.outcome([seen, unseen]) is gd.figures.Outcome.IN_PART
    told = gd.figures.verdict([seen, unseen], {"seeds": [0, 1, 2, 3, 4]})
    assert told == "reproduced in part, 1 of 2 effects, the rest not reproduced at these settings; 5 seeds"
    assert gd.figures.verdict([unseen], {"settings": "batch 2"}) == "not reproduced at these settings: batch 2"
    assert gd.figures.verdict([effect([8.0])], {"gradients": 12000}) == "not settled at 12000 gradients"
    assert gd.figures.outcome([effect([float("nan")] * 5), seen]) is gd.figures.Outcome.WRONG


def test_each_verdict_has_its_exit_status():
    found = {str(one): one.exit_status for one in gd.figures.Outcome}
    assert found == {
        "reproduced": 0, "reproduced in part": 4, "not settled": 5, "not reproduced at these settings": 3,
        "contradicted": 6, "a number is wrong": 1, "failed": 1,
    }  # fmt: skip


def test_a_number_of_several_seeds_holds_in_every_one_and_comes_back_from_its_record():
    expected = gd.figures.Expected("n", 1, 0.1, "theory", lambda data: data["n"])
    assert expected.check({"n": np.array([1.0, 1.05])}).holds
    found = expected.check({"n": np.array([1.0, np.nan, 1.0])})
    assert not found.holds
    assert repr(gd.figures.Checked.of(json.loads(json.dumps(found.to_dict(), allow_nan=False)))) == repr(found)


@pytest.mark.parametrize("wrong", [{"tolerance": float("inf")}, {"contrary": 1.0, "effect": True}, {"contrary": 9.0}])
def test_a_number_that_cannot_come_out_otherwise_is_refused(wrong):
    with pytest.raises(ParameterError):
        gd.figures.Expected(**{"name": "n", "value": 1, "tolerance": 0, "source": "s", "of": float, **wrong})


def spoilt(value, how):
    """Numbers otherwise, truths turned, lists of texts empty; other values as they are."""
    if isinstance(value, list):
        return [spoilt(one, how) for one in value] if how is not len else []
    kind = np.asarray(value).dtype.kind
    if kind == "b":
        return ~np.asarray(value)
    return how(np.asarray(value) + 0.0) if kind in "iufc" and how is not len else value


def blur(seed):
    """Each array by a factor of its own that grows along it, and away from 0."""
    factors = np.random.default_rng(seed)

    def how(values):
        times, moved = factors.uniform(1.5, 6.0, 2)
        noise = factors.uniform(1.0, 2.0, np.shape(values))
        ramp = np.linspace(1.0, 5.0, np.shape(values)[-1]) if np.ndim(values) else 1.0
        return times * ramp * noise * (values + moved * (1.0 + np.abs(values)))

    return how


@pytest.mark.parametrize("path", SAVED, ids=lambda path: path.stem)
def test_every_number_can_come_out_otherwise(path):
    """Of other data than the figure's each number and effect is missed at least once: none holds whatever is found."""
    record, data = store.read_record(path.with_suffix("")), store.read(path.with_suffix(""))
    expected = gd.figures.find(record["figure"]["name"]).expected
    with np.errstate(all="ignore"):
        ways = (blur(0), lambda a: 1.37 * a + 0.41, lambda a: -a - 0.3, len)
        tries = [{key: spoilt(value, how) for key, value in data.items() if key != "short"} for how in ways]
        always = [one.name for one in expected if all(one.check(other).holds for other in tries)]
    assert always == []


TRAINS = re.compile(r"gans\.train\(")


@pytest.mark.parametrize("path", SAVED, ids=lambda path: path.stem)
def test_saved_data_come_out_as_their_figure_states(path):
    """The verdict in the file, which `gandyn figure --list` shows, is that of the saved data; networks name seeds."""
    stem = path.with_suffix("")
    record, data = store.read_record(stem), store.read(stem)
    one = gd.figures.find(record["figure"]["name"])
    checks = (*gd.figures.check(one.expected, data, record["quick"]), *gd.figures.effects(one.expected, data))
    verdict = gd.figures.verdict(checks, data)
    assert one.verdict == verdict, f'its saved data say otherwise: write VERDICT = "{verdict}" in {one.path.name}'
    if TRAINS.search(one.path.read_text()):
        assert len(data["seeds"]) >= 5 or "not settled" in one.verdict
        assert any(len(check.each) == len(data["seeds"]) for check in checks)
        assert int(data["gradients"]) > 0
        assert "seed" in one.about


def test_a_verdict_in_a_file_begins_with_an_outcome(folder):
    path = folder / "line.py"
    path.write_text(path.read_text() + 'VERDICT = "reproduced in part, 1 of 2 effects"\n')
    assert gd.figures.find("line", folder).outcome is gd.figures.Outcome.IN_PART
    path.write_text(path.read_text() + 'VERDICT = "decides nothing"\n')
    with pytest.raises(ParameterError, match="VERDICT that begins with reproduced"):
        gd.figures.find("line", folder)


def test_every_figure_has_saved_data():
    saved = {store.read_record(path.with_suffix(""))["figure"]["name"] for path in SAVED}
    missing = sorted(set(NAMES) - saved)
    assert not missing, f"save their data: gandyn figure {' '.join(missing)} --out docs/images/figures"
    assert saved == set(NAMES)


def test_the_seconds_that_the_data_took_are_kept_to_the_millisecond(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "time", SimpleNamespace(perf_counter=iter([0.0, 1.0, 3.23456, 4.0]).__next__))
    assert gd.figures.make("line", out=tmp_path, source=folder).error == ""
    assert store.read_record(tmp_path / "line")["seconds"] == 2.235
