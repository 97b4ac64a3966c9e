"""Figures: what the engine promises with small figures, and what every published figure must say and reproduce."""

from __future__ import annotations

import dataclasses
import json
import re
import time

import numpy as np
import pytest
from line_figure import FIGURE, NAMES, run
from matplotlib.text import Text

import gandyn as gd
from gandyn.errors import OutputError, ParameterError, UnknownNameError
from gandyn.figures import Expected, batch, store
from gandyn.figures import making as engine


def computed(folder, name="line"):
    return len((folder / f"{name}.count").read_text())


# --- the engine -------------------------------------------------------------------------------------------------------


def test_a_figure_is_computed_once_and_drawn_once_per_style(folder, tmp_path):
    out = tmp_path / "out"
    first = gd.figures.make("line", out=out, source=folder)
    assert (first.ok, first.computed, first.drawn) == (True, True, True)
    assert [check.found for check in first.checks] == [2.0, 101.0]
    again = gd.figures.make("line", out=out, source=folder)
    assert (again.computed, again.drawn, computed(folder)) == (False, False, 1)
    single = gd.figures.make("line", out=out, source=folder, style="single")
    assert (single.computed, single.drawn, computed(folder)) == (False, True, 1)
    names = {path.name for path in out.iterdir()}
    assert names == {"line.npz", "line.json", *(f"line{s}.{k}" for s in ("", "-single") for k in ("pdf", "png", "svg"))}
    assert gd.figures.make("line", out=out, source=folder, force=True).computed


def test_quick_settings_overwrite_nothing_and_check_what_holds_there(folder, tmp_path):
    full = gd.figures.make("line", out=tmp_path, source=folder)
    quick = gd.figures.make("line", quick=True, out=tmp_path, source=folder)
    assert [check.name for check in quick.checks] == ["slope"]
    assert full.paths["npz"] != quick.paths["npz"]
    sizes = [len(store.read(tmp_path / stem)["x"]) for stem in ("line", "line-quick")]
    assert sizes == [101, 11]


def test_only_what_changed_is_made_again(folder, tmp_path):
    def made():
        result = gd.figures.make("line", out=tmp_path, source=folder)
        return result.computed, result.drawn

    assert made() == (True, True)
    (folder / "line.py").write_text(FIGURE.replace("height", "altitude"))
    assert made() == (False, True)
    (folder / "line.py").write_text(FIGURE.replace("else 101", "else 100 + 1"))
    assert made() == (True, True)
    (tmp_path / "line.svg").unlink()
    assert made() == (False, True)
    (tmp_path / "line.npz").write_bytes((tmp_path / "line.npz").read_bytes()[:200])
    assert made() == (True, True)


def test_a_missed_number_is_reported_and_the_files_are_there(folder, tmp_path, capsys):
    (folder / "line.py").write_text(FIGURE.replace('"slope", 2.0', '"slope", 2.5'))
    status, out, _ = run(["figure", "line", "--from", folder, "--out", tmp_path / "out"], capsys)
    assert status == 1
    assert "MISS slope: found 2, expected 2.5 within 0 [by construction]" in out
    assert (tmp_path / "out" / "line.pdf").exists()
    record = json.loads((tmp_path / "out" / "line.json").read_text())
    assert [one["holds"] for one in record["expected"]] == [False, True]


@pytest.mark.parametrize(
    ("of", "reason"),
    [
        (lambda data: data["nothing"], "KeyError"),
        (lambda data: 1 / 0, "ZeroDivisionError"),
        (lambda data: np.nan, ""),
    ],
)
def test_a_number_that_cannot_be_had_is_a_miss(of, reason):
    found = Expected("n", 0.0, 1e9, "s", of).check({})
    assert not found.holds
    assert reason in found.summary()
    json.dumps(found.to_dict(), allow_nan=False)


@pytest.mark.slow
def test_a_failing_figure_stops_no_other(folder, tmp_path, capsys):
    (folder / "bad.py").write_text(FIGURE.replace("points = 11", "raise RuntimeError('no data')\n    points = 11"))
    (folder / "dead.py").write_text(FIGURE.replace("points = 11", "import os; os._exit(9)\n    points = 11"))
    seen = []
    report = gd.figures.make_all(out=tmp_path / "out", source=folder, watch=lambda name, made: seen.append(name))
    by_name = {made.name: made for made in report.made}
    assert [by_name[n].ok for n in ("bad", "dead", "line")] == [False, False, True]
    assert "RuntimeError: no data" in by_name["bad"].error
    assert "status 9" in by_name["dead"].error
    assert sorted(seen) == ["bad", "bad", "dead", "dead", "line", "line"]
    assert not report.ok
    assert "of 3 figures: 1 reproduced, 2 failed" in report.summary()
    assert not (tmp_path / "out" / "bad.npz").exists()
    (folder / "dead.py").unlink()
    for _ in range(3):  # it goes on from what was finished, unless the package is being edited meanwhile
        status, out, _ = run(["figure", "--all", "--from", folder, "--out", tmp_path / "out", "--json"], capsys)
        answer = {one["name"]: one for one in json.loads(out)["figures"]}
        assert status == 1
        if not answer["line"]["computed"]:
            break
    assert answer["line"]["computed"] is False


def test_an_interrupted_batch_ends_its_processes(folder, tmp_path, monkeypatch):
    (folder / "line.py").write_text(FIGURE.replace("points = 11", "import time; time.sleep(60)\n    points = 11"))
    kept = []
    wait = batch.concurrent.futures.Future.result
    init = batch._Workers.__init__

    def remember(self, *arguments):
        init(self, *arguments)
        kept.append(self)

    def interrupted(future, timeout=None):
        while not (kept and kept[0].running):
            time.sleep(0.01)
        kept.extend(kept[0].running)
        raise KeyboardInterrupt

    monkeypatch.setattr(batch._Workers, "__init__", remember)
    monkeypatch.setattr(batch.concurrent.futures.Future, "result", interrupted)
    began = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        gd.figures.make_all(out=tmp_path / "out", source=folder, jobs=1)
    monkeypatch.setattr(batch.concurrent.futures.Future, "result", wait)
    assert time.perf_counter() - began < 30
    assert kept[1].poll() is not None


def test_a_failed_write_leaves_the_old_file(folder, tmp_path, monkeypatch):
    made = gd.figures.make("line", out=tmp_path, source=folder)
    before = (tmp_path / "line.pdf").read_bytes()

    def full(*arguments):
        raise OutputError("the disk is full", "space", "free some")

    monkeypatch.setattr(engine, "write_atomically", full)
    (folder / "line.py").write_text(FIGURE.replace("height", "depth"))
    with pytest.raises(OutputError, match="full"):
        gd.figures.make("line", out=tmp_path, source=folder)
    assert (tmp_path / "line.pdf").read_bytes() == before
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".part")]
    assert made.ok


def labelled(data):
    figure = gd.plots.Drawing()
    figure.add_subplot().set(xlabel="time", ylabel="$\\theta$", title="a picture")
    return figure


@pytest.mark.slow
def test_fonts_are_embedded_in_pictures_of_each_width():
    one = dataclasses.replace(gd.figures.find("goodfellow_2014_losses"), draw=labelled)
    for style, width in (("single", 3.3), ("double", 6.8), ("slide", 10.0)):
        files = gd.figures.making.render(one, {}, style)
        assert b"/FontFile2" in files["pdf"]
        assert b"/Type3" not in files["pdf"]
        assert abs(float(re.search(rb"/MediaBox \[ 0 0 ([\d.]+)", files["pdf"])[1]) / 72 - width) < 0.01
        assert files["png"][:4] == b"\x89PNG"
        assert b"<svg" in files["svg"]
    assert gd.figures.making.render(one, {}, "slide") == files


# --- mistakes ---------------------------------------------------------------------------------------------------------


def test_mistakes_are_one_line_with_the_nearest_match(folder, tmp_path, capsys):
    status, _, err = run(["figure", "goodfellow_2016_orbitt"], capsys)
    assert status == 2
    assert "did you mean 'goodfellow_2016_orbit'" in err
    for arguments in (["figure"], ["figure", "line", "--all"], ["figure", "line", "--from", tmp_path / "nowhere"]):
        status, _, err = run(arguments, capsys)
        assert (status, err.count("\n")) == (2, 1), arguments
    with pytest.raises(UnknownNameError, match="double"):
        gd.figures.make("line", source=folder, style="duoble", out=tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        gd.figures.make("line", source=folder, out=tmp_path / "file")


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("def draw", "def paint", "draw"),
        ('SOURCE = "Nobody 1999", "A line", "figure 1"', 'SOURCE = "Nobody 1999", "A line", ""', "SOURCE"),
        ("EXPECTED =", "WANTED =", "EXPECTED"),
        ("import pathlib", "import pathlibb", "pathlibb"),
        (FIGURE.splitlines()[0], "", "docstring"),
    ],
)
def test_a_file_that_is_no_figure_says_what_it_lacks(folder, old, new, named):
    (folder / "line.py").write_text(FIGURE.replace(old, new, 1))
    with pytest.raises(ParameterError, match=named) as error:
        gd.figures.find("line", folder)
    assert "line.py" in str(error.value)


def test_an_installation_without_figures_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(gd.figures.catalogue, "__file__", str(tmp_path / "gandyn" / "figures" / "catalogue.py"))
    with pytest.raises(gd.GandynError, match="no folder of figures"):
        gd.figures.figures()
    (tmp_path / "gandyn" / "paper_figures").mkdir(parents=True)
    (tmp_path / "gandyn" / "paper_figures" / "one.py").write_text(FIGURE)
    assert list(gd.figures.figures()) == ["one"]


# --- every published figure ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_says_what_was_shown_and_what_is_found(name):
    one = gd.figures.find(name)
    assert re.fullmatch(r"[a-z]+_(19|20)\d\d_[a-z0-9_]+", name)
    assert re.search(r"(19|20)\d\d", one.paper)
    for part in (r"\*\*The (paper|sources)\b", r"\*\*Settings\.\*\*", r"\*\*What we find\.\*\*"):
        assert re.search(part, one.about), f"{name} lacks {part}"
    assert len({check.name for check in one.expected}) == len(one.expected), f"{name}: two numbers of one name"
    assert len(one.expected) >= 2, f"{name}: EXPECTED has {len(one.expected)} number; give a second that can be wrong"
    assert len(one.path.read_text().splitlines()) <= 350
    assert one.summary().startswith(name)


def test_there_are_figures_of_many_papers(capsys):
    status, out, _ = run(["figure", "--list"], capsys)
    assert status == 0
    lines = {line.partition(":")[0]: line for line in out.splitlines()}
    assert all(lines[name].endswith(f"[{gd.figures.find(name).verdict}]") for name in NAMES)
    assert sum(int(number) for number in re.findall(r"(\d+) [a-z]", out.splitlines()[-1])) == len(NAMES)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_figure_reproduces_its_numbers_and_is_drawn(name, tmp_path):
    made = gd.figures.make(name, quick=True, style="single", out=tmp_path)
    assert made.ok, made.summary()
    one = gd.figures.find(name)
    data = store.read(tmp_path / f"{name}-quick")
    for style in ("double", "slide"):
        with gd.plots.house_style(style):
            figure = one.draw(data)
        figure.draw_without_rendering()
        texts = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
        assert min(text.get_fontsize() for text in texts) >= 5
        assert any(axes.get_xlabel() for axes in figure.axes)
        assert any(axes.get_ylabel() for axes in figure.axes)


# --- the third verdict -----------------------------------------------------------------------------------------------
