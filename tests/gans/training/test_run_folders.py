"""The folder of a run: one process at a time, identity by content, statuses as they were, damage that is seen."""

from __future__ import annotations

import errno
import itertools
import json
import multiprocessing
import os
import random
import re
import shutil
import time
from pathlib import Path

import pytest
import torch

import gandyn as gd
from gandyn.budget import Budget
from gandyn.gans.training import log as logs
from gandyn.gans.training.lock import locked
from gandyn.gans.training.untrusted_files import CheckpointError

R = gd.rules


def game(std=0.02, seed=0, network=0, data=None, leak=0.2, hidden=(4,)):
    rng = torch.Generator().manual_seed(network)
    networks = gd.gans.MLP(2, 2, hidden, generator=rng), gd.gans.MLP(2, 1, hidden, leak=leak, generator=rng)
    return gd.gans.GANGame(*networks, data=gd.gans.ring(std=std) if data is None else data, batch_size=4, seed=seed)


def train(folder, made=None, steps=6, rule=None, **options):
    options = {"log_every": 2, "checkpoint_every": 3, "metrics": None, **options}
    return gd.gans.train(made or game(), rule or R.GDA(0.05), steps, folder=folder, **options)


def _train_in(folder, answer):
    try:
        train(folder, steps=4)
        answer.put("trained")
    except gd.GandynError as error:
        answer.put(str(error))


@pytest.mark.slow
def test_two_processes_do_not_share_a_folder(tmp_path):
    context = multiprocessing.get_context("spawn")
    answer = context.Queue()
    with locked(tmp_path):
        process = context.Process(target=_train_in, args=(tmp_path, answer))
        process.start()
        assert "another process trains" in answer.get(timeout=120)
        process.join()
        train(tmp_path, steps=2)  # the holder itself may
    assert train(tmp_path, steps=4).status is gd.Status.OK


CONTENT = torch.arange(40.0).reshape(20, 2) / 40
CHANGED = {
    "data std": {"std": 0.03},
    "game seed": {"seed": 1},
    "network seed": {"network": 1},
    "activation": {"leak": 0.3},
    "tensor data": {"data": CONTENT},
    "layers": {"hidden": (5,)},
}


@pytest.mark.parametrize("change", CHANGED.values(), ids=CHANGED)
def test_another_game_does_not_go_on(tmp_path, change):
    """Each of these printed alike."""
    train(tmp_path)
    with pytest.raises(CheckpointError, match="of another run"):
        train(tmp_path, game(**change), steps=8)
    assert train(tmp_path, steps=8).step == 8


def test_points_are_told_apart_by_their_content(tmp_path):
    train(tmp_path, game(data=CONTENT))
    other = CONTENT.clone()
    other[7, 1] += 1e-6
    with pytest.raises(CheckpointError, match="data"):
        train(tmp_path, game(data=other), steps=8)
    assert train(tmp_path, game(data=CONTENT.clone()), steps=8).step == 8


def half(t):
    return 0.5


def test_schedules_without_a_name_are_refused_before_the_run(tmp_path):
    for schedule in (lambda t: 0.5, type("Own", (), {"__call__": lambda self, t: 0.5})()):
        with pytest.raises(gd.GandynError, match="cannot recognise"):
            train(tmp_path, schedule=schedule)
    assert not list(tmp_path.glob("checkpoint*"))
    assert train(None, schedule=lambda t: 0.5).step == 6
    train(tmp_path, schedule=half)
    assert train(tmp_path, schedule=half, steps=8).step == 8


def test_a_run_that_was_stopped_stays_stopped(tmp_path):
    stop = lambda rows: "enough" if rows[-1]["step"] >= 4 else ""  # noqa: E731
    first = train(tmp_path, steps=20, stop_when=stop)
    assert (first.status, first.step) == (gd.Status.STOPPED, 4)
    again = train(tmp_path, steps=20, stop_when=stop)
    assert (again.status, again.step) == (gd.Status.STOPPED, 4)
    assert [row["step"] for row in logs.read_rows(tmp_path / "log.jsonl")] == [0, 2, 4]
    loaded = gd.gans.TrainingRun.load(tmp_path, game(), R.GDA(0.05))
    assert (loaded.status, loaded.step, loaded.steps) == (gd.Status.STOPPED, 4, 20)
    assert train(tmp_path, steps=20).status is gd.Status.OK


def test_a_run_is_loaded_as_it_ended(tmp_path):
    finished, diverged, killed = (tmp_path / name for name in ("finished", "diverged", "killed"))
    train(finished)
    assert gd.gans.TrainingRun.load(finished, game(), R.GDA(0.05)).status is gd.Status.OK
    assert train(diverged, steps=400, rule=R.GDA(1e4)).status is gd.Status.DIVERGED
    assert gd.gans.TrainingRun.load(diverged, game(), R.GDA(1e4)).status is gd.Status.DIVERGED
    train(killed)
    (killed / "result.json").unlink()
    assert gd.gans.TrainingRun.load(killed, game(), R.GDA(0.05)).status is gd.Status.INTERRUPTED
    train(finished, steps=8)
    shutil.copy(killed / "log.jsonl", finished / "log.jsonl")
    with pytest.raises(CheckpointError, match="log"):
        gd.gans.TrainingRun.load(finished, game(), R.GDA(0.05))


def test_a_full_disk_and_things_in_the_way_are_errors_of_ours(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "run" / "log.jsonl").mkdir(parents=True)
    for folder in (tmp_path / "file", tmp_path / "file" / "below", tmp_path / "run"):
        with pytest.raises(gd.GandynError) as caught:
            train(folder)
        assert "\n" not in str(caught.value)

    class Full:
        def write(self, text):
            raise OSError(errno.ENOSPC, "No space left on device")

        def close(self):
            raise OSError(errno.ENOSPC, "No space left on device")

    opened = logs.JsonLines.__init__

    def full(self, path):
        opened(self, path)
        self._file.close()
        self._file = Full()

    monkeypatch.setattr(logs.JsonLines, "__init__", full)
    with pytest.raises(gd.GandynError, match="no space left"):
        train(tmp_path / "full")


@pytest.mark.parametrize("count", [60, pytest.param(1000, marks=pytest.mark.slow)])
def test_flipped_bits_are_seen(tmp_path, count):
    """Each flip of a bit in a file that is read is refused, or changes nothing that is read."""
    folder = tmp_path / "run"
    whole = train(folder, steps=9)
    draws = random.Random(0)
    files = sorted(path for path in folder.iterdir() if path.suffix in (".json", ".jsonl", ".safetensors"))
    before = whole.to_dict(), whole.rows
    seen = 0
    for _ in range(count):
        path = draws.choice(files)
        content = path.read_bytes()
        place, bit = draws.randrange(len(content)), draws.randrange(8)
        path.write_bytes(content[:place] + bytes([content[place] ^ (1 << bit)]) + content[place + 1 :])
        try:
            loaded = gd.gans.TrainingRun.load(folder, game(), R.GDA(0.05))
        except gd.GandynError:
            seen += 1
        else:
            assert bool((loaded.w == whole.w).all()), path
            assert json.dumps(loaded.rows) == json.dumps(before[1]), path
            assert (loaded.status, loaded.steps) == (whole.status, whole.steps), path
        finally:
            path.write_bytes(content)
    assert seen >= 0.97 * count
    assert gd.gans.TrainingRun.load(folder, game(), R.GDA(0.05)).step == 9


class Meanwhile:
    """A display that does something once, after a step."""

    def __init__(self, at, act):
        self.at, self.act = at, act

    def step(self, done):
        if done == self.at:
            self.act()

    def row(self, row):
        pass

    finding = row

    def close(self):
        pass


def deleted(folder):
    shutil.rmtree(folder)


def moved(folder):
    folder.rename(folder.with_name("elsewhere"))


def replaced(folder):
    moved(folder)
    shutil.copytree(folder.with_name("another"), folder)


@pytest.mark.parametrize("what", [deleted, moved, replaced])
@pytest.mark.parametrize("at", [1, 3, 4])
def test_a_folder_that_is_moved_ends_the_run_and_takes_it_along(tmp_path, what, at):
    """Nothing is written into a folder that stands in its place, and the run goes on where the folder is now."""
    folder, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    train(tmp_path / "another", steps=2)
    with pytest.raises(gd.GandynError, match="moved or deleted while a run trains in it"):
        train(folder, steps=9, progress=Meanwhile(at, lambda: what(folder)))
    whole = train(None, steps=9)
    if what is replaced:
        assert gd.gans.TrainingRun.load(folder, game(), R.GDA(0.05)).step == 2
        assert [row["step"] for row in logs.read_rows(folder / "log.jsonl")] == [0, 2]
    if what is not deleted:
        assert bool((train(elsewhere, steps=9).w == whole.w).all())
        assert [row["step"] for row in logs.read_rows(elsewhere / "log.jsonl")] == [row["step"] for row in whole.rows]
    else:
        assert not folder.exists()


def test_a_program_may_change_its_working_folder(tmp_path, monkeypatch):
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path)
    run = train("run", steps=6, progress=Meanwhile(2, lambda: monkeypatch.chdir(tmp_path / "other")))
    assert run.folder == tmp_path / "run"
    assert {path.name for path in tmp_path.iterdir()} == {"run", "other"}
    assert not list((tmp_path / "other").iterdir())


def test_a_clock_that_jumps_changes_nothing(tmp_path, monkeypatch):
    """A day back and forth at every look, and files of yesterday and tomorrow."""
    looks = itertools.count()
    real = time.time()
    monkeypatch.setattr(time, "time", lambda: real + (-1) ** next(looks) * 86400)
    stop = gd.gans.EarlyStopping("near_quality", patience=3, largest=True)
    options = {"metrics": "auto", "metrics_every": 2, "stop_when": stop, "steps": 40}
    whole = train(None, **options)
    with pytest.raises(ZeroDivisionError):
        train(tmp_path, progress=Meanwhile(4, lambda: 1 / 0), **options)
    for k, path in enumerate(sorted(tmp_path.iterdir())):
        os.utime(path, (real + (-1) ** k * 86400,) * 2)
    parts = train(tmp_path, **options)
    assert (parts.status, parts.step) == (whole.status, whole.step) == (gd.Status.STOPPED, parts.step)
    assert [row["step"] for row in parts.rows] == [row["step"] for row in whole.rows]
    assert all(0 <= row["seconds"] < 600 for row in parts.rows)
    budget = Budget(100)
    assert (budget.out, budget.left > 50) == (False, True)


def test_no_clock_that_people_set_is_looked_at():
    for path in Path(gd.__file__).parent.rglob("*.py"):
        assert not re.search(r"\btime\.time\b|\bdatetime\b|\b(gm|local)time\(", path.read_text()), path


def test_other_threads_are_told(tmp_path):
    """The number of threads is named where a run goes on with another; the numbers then agree to rounding."""
    whole = train(None, steps=6)
    train(tmp_path, steps=3)
    torch.set_num_threads(2)
    try:
        with pytest.warns(UserWarning, match="written with threads 1 there, 2 here"):
            parts = train(tmp_path, steps=6)
    finally:
        torch.set_num_threads(1)
    torch.testing.assert_close(parts.w, whole.w, rtol=1e-6, atol=1e-7)


def test_a_config_fixes_its_threads(tmp_path):
    """So a run of a config gives the same bits whatever the machine's number of cores."""
    small = {"architecture": "mlp", "hidden": [4]}
    config = gd.gans.Config.find("ring-alternating-adam").replace(
        steps=4, batch=4, log_every=2, checkpoint_every=2, generator=small, discriminator=small, names=[]
    )
    whole = gd.gans.Run.of(config).start()
    gd.gans.Run.of(config, folder=tmp_path, progress=Meanwhile(3, lambda: os.kill(os.getpid(), 15))).start()
    torch.set_num_threads(2)
    parts = gd.gans.Run.of(config, folder=tmp_path).start()
    assert torch.get_num_threads() == 1
    assert bool((parts.w == whole.w).all())
