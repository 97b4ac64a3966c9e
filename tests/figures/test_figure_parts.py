"""Parts of a figure's data are kept as they are done; an interrupted run goes on with the one that it was in."""

from __future__ import annotations

import pytest
from line_figure import FIGURE

import gandyn as gd
from gandyn.figures import store

TWO = """
import gandyn as gd
FAILS = pathlib.Path(__file__).with_suffix(".fails")

def _slow(name, value):
    COUNTED.write_text((COUNTED.read_text() if COUNTED.exists() else "") + name)
    if name == "b" and FAILS.exists():
        raise KeyboardInterrupt
    return {name: np.full(3, value)}

def compute(quick):
    found = gd.figures.part("first, of two", lambda: _slow("a", 2.0))
    found |= gd.figures.part("second", lambda: _slow("b", 3.0))
    return {"slope": float(found["a"][0]), "x": np.zeros(101), "what": f"{found['b'].sum():.0f}"}
"""


@pytest.fixture
def two(folder):
    """A figure of two parts, the second of which is interrupted while a file is there."""
    path = folder / "line.py"
    path.write_text(FIGURE + TWO)
    (folder / "line.fails").write_text("")
    return folder


def counted(folder):
    return (folder / "line.count").read_text()


def test_an_interrupted_figure_loses_only_the_part_that_it_was_in(two, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        gd.figures.make("line", source=two, out=tmp_path)
    kept = tmp_path / "line.parts" / "first-of-two"
    seconds = store.read_record(kept)["seconds"]
    record = store.read_record(kept)
    store.write_record(kept, {**record, "seconds": seconds + 1000})
    (two / "line.fails").unlink()
    made = gd.figures.make("line", source=two, out=tmp_path)
    assert (made.ok, made.computed, counted(two)) == (True, True, "abb")
    assert store.read(tmp_path / "line")["what"] == "9"
    assert store.read_record(tmp_path / "line")["seconds"] > 1000  # those of the interrupted run count
    assert not (tmp_path / "line.parts").exists()


def test_parts_of_other_data_are_not_taken(two, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        gd.figures.make("line", source=two, out=tmp_path)
    (two / "line.fails").unlink()
    path = two / "line.py"
    path.write_text(path.read_text().replace('_slow("a", 2.0)', '_slow("a", 2.0 + 0.0)'))
    assert gd.figures.make("line", source=two, out=tmp_path).ok
    assert counted(two) == "abab"


def test_force_computes_every_part_again(two, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        gd.figures.make("line", source=two, out=tmp_path)
    (two / "line.fails").unlink()
    assert gd.figures.make("line", source=two, out=tmp_path, force=True).ok
    assert counted(two) == "abab"


def test_parts_whose_names_share_a_file_are_told_apart(tmp_path):
    with gd.figures.parts.keeping(tmp_path / "f", "key"):
        first = gd.figures.part("a b", lambda: {"n": 1})
        second = gd.figures.part("a-b", lambda: {"n": 2})
    assert (first, second) == ({"n": 1}, {"n": 2})


def test_without_a_folder_parts_are_computed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert [gd.figures.part("one", lambda k=k: {"k": k})["k"] for k in range(2)] == [0, 1]
    assert not list(tmp_path.iterdir())


STOPPED = """
import os, signal
import gandyn as gd

def _train():
    game = gd.gans.GANGame(*gd.gans.mlp_pair(hidden=(4,)), data="ring", batch_size=4)
    sent = []
    def look(game, w, rng):
        if not sent:
            sent.append(os.kill(os.getpid(), signal.SIGTERM))
        return {}
    run = gd.gans.train(game, gd.rules.GDA(0.01), 10, log_every=1, metrics_every=1, metrics=look)
    return {"slope": 2.0, "x": np.zeros(101), "what": str(run.status)}

def compute(quick):
    return CALL
"""


@pytest.mark.parametrize("call", ["_train()", 'gd.figures.part("training", _train)'])
def test_a_training_that_a_signal_has_stopped_is_no_data(folder, tmp_path, call):
    """The run returns what it has; neither the figure nor a part of it takes that for the whole."""
    path = folder / "line.py"
    path.write_text(FIGURE + STOPPED.replace("CALL", call))
    with pytest.raises(KeyboardInterrupt, match="stopped by a signal"):
        gd.figures.make("line", source=folder, out=tmp_path)
    assert not list(tmp_path.glob("**/*.json"))
