"""A hundred kills over ten kinds of run, in fresh processes: nothing is lost and nothing doubled."""

from __future__ import annotations

import functools
import itertools
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import killed_runs
import pytest

from gandyn.gans.training import checkpoint
from gandyn.gans.training.log import read_rows

KILLS = 2
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL)
# Each kind five times, each time killed twice: by every signal, in every order that the five make.
CHAINS = [
    (kind, (SIGNALS[(k + turn) % 5], SIGNALS[(2 * k + 3 * turn) % 5]))
    for turn, (k, kind) in itertools.product(range(5), enumerate(killed_runs.KINDS))
]


def process(kind, folder, step):
    command = [sys.executable, killed_runs.__file__, kind, str(folder), str(step)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@functools.cache
def alone(kind, folder):
    """How the run comes out that nobody kills."""
    return killed_runs.outcome(killed_runs.KINDS[kind](folder / "alone"))


def newest(folder):
    return max((int(path.name[11:-5]) for path in checkpoint.listed(folder)), default=0)


def killed(kind, folder, number, rng):
    """Begin or go on, and kill at a random moment; whether the kill came before the end."""
    before = newest(folder) if folder.is_dir() else 0
    running = process(kind, folder, min(before + rng.randrange(16), killed_runs.STEPS - 8))
    first = running.stdout.readline()
    time.sleep(rng.uniform(0, 0.04))
    running.send_signal(number)
    out, errors = running.communicate(timeout=600)
    if first.strip() != "now":
        assert json.loads(first)
        return False
    if number == signal.SIGKILL:
        assert running.returncode in (0, -number)
    assert newest(folder) >= before, "a checkpoint was lost"
    steps = [row["step"] for row in read_rows(folder / "log.jsonl")]
    assert steps == sorted(set(steps)), "rows doubled"
    if out.strip() and kind != "sweep":
        ended = json.loads(out.splitlines()[-1])
        assert newest(folder) == ended["step"], "what a signal ended was not saved"
        return ended["status"] == "INTERRUPTED"
    assert "Traceback" not in errors or "KeyboardInterrupt" in errors, errors
    return running.returncode != 0


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "numbers"), CHAINS, ids=[f"{k}-{a.name}-{b.name}" for k, (a, b) in CHAINS])
def test_a_killed_run_goes_on_as_if_nothing_had_been(tmp_path, kind, numbers, request):
    """Killed twice at random moments, then left alone: weights, state, averages, rows and streams are bit-equal."""
    rng, folder, kills = random.Random(request.node.name), tmp_path / "killed", 0
    for number in numbers:
        kills += killed(kind, folder, number, rng)
    out, errors = process(kind, folder, 0).communicate(timeout=600)
    assert out, errors
    whole = alone(kind, request.getfixturevalue("tmp_path_factory").getbasetemp() / kind.replace(" ", "-"))
    assert json.loads(out.splitlines()[-1]) == whole
    assert kills >= 1, "both runs ended before they could be killed"
    request.node.user_properties.append(("kills", kills))
    for path in Path(folder).rglob("*"):
        assert not path.name.endswith(".part"), path
    if kind != "sweep":
        rows = [{k: v for k, v in row.items() if k != "seconds"} for row in read_rows(folder / "log.jsonl")]
        assert rows == whole["rows"]
