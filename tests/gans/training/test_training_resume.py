"""Runs that are killed, interrupted or repeated go on from their checkpoints to the same numbers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from small_training import RULES, STEPS, R, options, small, timeless

import gandyn as gd
from gandyn.errors import GandynError
from gandyn.gans.training import checkpoint
from gandyn.gans.training.log import finite, read_rows
from gandyn.results import Status
from gandyn.rules.schedule import Cosine


def same(a, b):
    """Two runs agree in every bit."""
    assert a.step == b.step
    assert torch.equal(a.w, b.w)
    for (name, x), (_, y) in zip(a.state.leaves(), b.state.leaves(), strict=True):
        assert torch.equal(x, y), name
    assert list(a.state.counter_leaves()) == list(b.state.counter_leaves())
    assert (a.average is None) == (b.average is None)
    assert a.average is None or torch.equal(a.average, b.average)
    for p, q in zip(a.game.networks, b.game.networks, strict=True):
        for (name, x), (_, y) in zip(p.named_buffers(), q.named_buffers(), strict=True):
            assert torch.equal(x, y), name
    assert finite(timeless(a.rows)) == finite(timeless(b.rows))
    assert [found.to_dict() for found in a.findings] == [found.to_dict() for found in b.findings]
    assert a.counts.fields == b.counts.fields


class KilledError(Exception):
    """Stands for a kill: nothing of the run's own code runs after it."""


class KillAt:
    """A display that dies at a step."""

    def __init__(self, step):
        self.at = step

    def step(self, done):
        if done == self.at:
            raise KilledError

    def row(self, row):
        pass

    def finding(self, finding):
        pass

    def close(self):
        pass


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("at", [1, 13])
def test_a_killed_run_goes_on_to_the_same_numbers(tmp_path, name, at):
    schedule = Cosine(STEPS)
    whole = gd.gans.train(small(normed=True), RULES[name](), STEPS, schedule=schedule, **options())
    with pytest.raises(KilledError):
        gd.gans.train(
            small(normed=True),
            RULES[name](),
            STEPS,
            schedule=schedule,
            folder=tmp_path,
            progress=KillAt(at),
            **options(),
        )
    parts = gd.gans.train(small(normed=True), RULES[name](), STEPS, schedule=schedule, folder=tmp_path, **options())
    same(whole, parts)
    assert timeless(read_rows(tmp_path / "log.jsonl")) == json.loads(json.dumps(timeless(whole.rows)))


def test_shuffled_data_go_on_in_their_order(tmp_path):
    def data():
        points = gd.gans.ring().sample(50, torch.Generator().manual_seed(0))
        return gd.gans.Points("fifty", points).shuffled(seed=3)

    whole = gd.gans.train(small(data=data()), R.GDA(0.05), STEPS, **options(metrics=None))
    with pytest.raises(KilledError):
        gd.gans.train(
            small(data=data()), R.GDA(0.05), STEPS, folder=tmp_path, progress=KillAt(15), **options(metrics=None)
        )
    same(whole, gd.gans.train(small(data=data()), R.GDA(0.05), STEPS, folder=tmp_path, **options(metrics=None)))


def test_a_finished_run_is_not_repeated(tmp_path):
    first = gd.gans.train(small(), R.GDA(0.05), STEPS, folder=tmp_path, **options())
    again = gd.gans.train(small(), R.GDA(0.05), STEPS, folder=tmp_path, **options())
    same(first, again)
    fresh = gd.gans.train(small(), R.GDA(0.05), 3, folder=tmp_path, resume=False, **options())
    assert fresh.step == 3
    assert [path.name for path in checkpoint.listed(tmp_path)] == ["checkpoint-000000003.json"]


def test_the_last_checkpoints_stay(tmp_path):
    gd.gans.train(small(), R.GDA(0.05), STEPS, folder=tmp_path, **options(keep=3))
    assert [path.name[11:-5] for path in checkpoint.listed(tmp_path)] == ["000000012", "000000018", "000000024"]
    assert len(list(tmp_path.glob("*.safetensors"))) == 3
    assert not list(tmp_path.glob(".*"))


SCRIPT = """
import sys, torch
torch.set_num_threads(1)
import gandyn as gd
game = gd.gans.GANGame(*gd.gans.mlp_pair(hidden=(8,)), "nonsaturating", data=gd.gans.ring(), batch_size=8)
print("ready", flush=True)
run = gd.gans.train(game, gd.rules.Alternating(gd.rules.Adam(1e-3)), {steps}, folder=sys.argv[1], log_every=5,
                    checkpoint_every=7, metrics_every=50)
print(run.status.name, run.step, float(run.w.double().sum()).hex())
"""


def started(folder, steps):
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(steps=steps), str(folder)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert process.stdout.readline().strip() == "ready"
    return process


def wait_for(condition, seconds=60):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def newest(folder):
    """The name of the last checkpoint, if there is one."""
    return checkpoint.listed(folder)[-1].name if checkpoint.listed(folder) else None


@pytest.mark.slow
def test_sigkill_again_and_again(tmp_path):
    """Killed three times, each some moment after a new checkpoint; then its numbers are those of a run left alone."""
    folder, rng, kills = tmp_path / "killed", np.random.default_rng(0), 0
    for _ in range(3):
        seen, process = newest(folder), started(folder, 400)
        wait_for(lambda seen=seen, process=process: process.poll() is not None or newest(folder) != seen)
        time.sleep(float(rng.uniform(0, 0.05)))
        kills += process.poll() is None
        process.kill()
        process.communicate()
    assert kills == 3
    found = started(folder, 400).communicate(timeout=300)[0].split()
    assert found == started(tmp_path / "alone", 400).communicate(timeout=300)[0].split()
    assert found[:2] == ["OK", "400"]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_and_ends_cleanly(tmp_path, number):
    alone = started(tmp_path / "alone", 300).communicate(timeout=300)[0].split()
    process = started(tmp_path / "run", 300)
    wait_for(lambda: checkpoint.listed(tmp_path / "run"))
    process.send_signal(number)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    status, step, _ = out.split()
    assert status == "INTERRUPTED"
    assert checkpoint.listed(tmp_path / "run")[-1].name == f"checkpoint-{int(step):09d}.json"
    assert json.loads((tmp_path / "run" / "result.json").read_text())["status"] == "INTERRUPTED"
    assert started(tmp_path / "run", 300).communicate(timeout=300)[0].split() == alone


def test_a_signal_from_within(tmp_path):
    class Signals(KillAt):
        def step(self, done):
            if done == self.at:
                os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    run = gd.gans.train(small(), R.GDA(0.05), STEPS, folder=tmp_path, progress=Signals(5), **options())
    assert (run.status, run.step, run.signal) == (Status.INTERRUPTED, 5, signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
    whole = gd.gans.train(small(), R.GDA(0.05), STEPS, **options())
    same(whole, gd.gans.train(small(), R.GDA(0.05), STEPS, folder=tmp_path, **options()))


def test_another_run_is_refused(tmp_path):
    gd.gans.train(small(), R.GDA(0.05), 6, folder=tmp_path, **options())
    for game, rule, more in (
        (small(), R.GDA(0.06), {}),
        (small(), R.GDA(0.05), {"seed": 1}),
        (small(penalties="R2(0.1)"), R.GDA(0.05), {}),
        (small(), R.GDA(0.05), {"average": None}),
    ):
        with pytest.raises(GandynError, match="another run"):
            gd.gans.train(game, rule, 9, folder=tmp_path, **options(**more))
