"""Training: a run is a function of game, rule and seed; killed at any moment it goes on to the same numbers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import torch

import gandyn as gd
from gandyn.errors import DomainError, GandynError, MissingDependencyError, ParameterError
from gandyn.gans.training import checkpoint
from gandyn.gans.training.display import Bar, Lines
from gandyn.gans.training.hostile import CheckpointError
from gandyn.gans.training.log import TensorBoard, read_rows, scalars
from gandyn.gans.training.observe import Observer
from gandyn.results import Status
from gandyn.rules.schedule import Cosine

R = gd.rules
STEPS = 24
RULES = {
    "alternating adam": lambda: R.Alternating(R.Adam(1e-3, (0.0, 0.99))),
    "optimistic": lambda: R.OptimisticAdam(1e-3),
    "extragradient, fresh": lambda: R.Extragradient(0.05, fresh=True),
    "lookahead": lambda: R.Lookahead(R.SGDM(0.05), 3, 0.5),
    "consensus": lambda: R.Consensus(0.02, 0.1),
    "averaging": lambda: R.Averaging(R.SimultaneousGD(0.05)),
}


class Normed(torch.nn.Sequential):
    """A discriminator with running statistics."""

    def __init__(self, seed):
        torch.manual_seed(seed)
        super().__init__(torch.nn.Linear(2, 8), torch.nn.BatchNorm1d(8), torch.nn.Dropout(0.2), torch.nn.Linear(8, 1))


def small(seed=0, penalties=None, normed=False, data=None, loss="nonsaturating"):
    generator, discriminator = gd.gans.mlp_pair(hidden=(8, 8), seed=seed)
    if normed:
        with torch.random.fork_rng([]):
            discriminator = Normed(seed)
    data = gd.gans.ring() if data is None else data
    return gd.gans.GANGame(generator, discriminator, loss, penalties, data=data, batch_size=16, seed=seed)


def options(**changes):
    return {"log_every": 4, "checkpoint_every": 6, "metrics_every": 8, "average": 0.9, **changes}


def timeless(rows):
    return [{k: v for k, v in row.items() if k != "seconds"} for row in rows]


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
    assert timeless(a.rows) == timeless(b.rows)
    assert a.findings == b.findings
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


# --- the numbers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RULES)
def test_training_is_the_plain_loop(name):
    """Observation, metrics and saving change nothing: the hand-written loop gets the same parameters, bit for bit."""
    game, rule = small(normed=True), RULES[name]()
    run = gd.gans.train(game, rule, STEPS, **options())
    other = small(normed=True)
    rng = np.random.default_rng((0, 0))
    w = other.w0
    state = rule.init(other, w, rng)
    for _ in range(STEPS):
        w, state, _ = rule.step(other, w, state, rng)
        other.advance()
    assert torch.equal(run.w, w)
    assert run.counts.fields == other.counts.fields
    assert run.counts.samples == other.counts.samples
    for network, theirs in zip(game.networks, other.networks, strict=True):
        for mine, their in zip(network.buffers(), theirs.buffers(), strict=True):
            assert torch.equal(mine, their)


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

    whole = gd.gans.train(small(data=data()), R.GDA(0.05), STEPS, **options())
    with pytest.raises(KilledError):
        gd.gans.train(small(data=data()), R.GDA(0.05), STEPS, folder=tmp_path, progress=KillAt(15), **options())
    same(whole, gd.gans.train(small(data=data()), R.GDA(0.05), STEPS, folder=tmp_path, **options()))


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


def test_training_in_another_thread_listens_for_no_signals():
    found = []
    thread = threading.Thread(target=lambda: found.append(gd.gans.train(small(), R.GDA(0.05), 3)))
    thread.start()
    thread.join()
    assert found[0].status is Status.OK


# --- divergence -------------------------------------------------------------------------------------------------------


def test_a_diverging_run_stops_at_its_last_finite_point(tmp_path):
    run = gd.gans.train(small(loss="wasserstein"), R.GDA(30.0), 400, folder=tmp_path, log_every=1)
    assert run.status is Status.DIVERGED
    assert 0 < run.step < 400
    assert run.w.isfinite().all()
    assert run.findings[-1].name == "divergence"
    rows = read_rows(tmp_path / "log.jsonl")
    assert rows[-1]["losses"] == {"generator": None, "discriminator": None}
    assert "diverged" in run.summary()
    run.plot()


# --- what is logged ---------------------------------------------------------------------------------------------------


def test_rows_agree_with_the_oracle():
    game = small()
    run = gd.gans.train(game, R.GDA(0.05), 8, **options(average=None))
    assert [row["step"] for row in run.rows] == [0, 4, 8]
    assert ["metrics" in row for row in run.rows] == [True, False, True]
    observer = Observer(game, 0)
    row = observer.row(run.w, game.field(run.w, observer.token))
    costs = [float(c) for c in game.costs(run.w, observer.token)]
    assert list(row["losses"].values()) == costs == list(run.rows[-1]["losses"].values())
    field = game.field(run.w, observer.token)
    assert list(row["gradient_norms"].values()) == [float(b.norm()) for b in game.split(field)]
    real, fake = (
        game.discriminator(x).detach().double()[:, 0]
        for x in (observer.token.real, game.generator(observer.token.latent))
    )
    wins = sum(float((r > fake).double().mean()) for r in real) / len(real)
    assert row["order"] == pytest.approx(wins, abs=1e-12)
    doubt = (1 / (1 + real.exp())).mean() / 2 + (1 / (1 + (-fake).exp())).mean() / 2
    assert row["doubt"] == pytest.approx(float(doubt), rel=1e-6)
    assert "doubt" not in Observer(small(loss="wasserstein"), 0).row(run.w, None)


def test_places_are_in_units_of_the_data():
    """A generator that answers with data moved by its own scale: spread sqrt 2, own spread 1, center of length 1."""
    game = small()
    observer = Observer(game, 0)
    real = observer.token.real
    direction = torch.tensor([0.6, 0.8], dtype=real.dtype)
    place = observer._place(real + observer.scale * direction)
    assert place["spread"] == pytest.approx(2**0.5, rel=1e-5)
    assert place["own_spread"] == pytest.approx(1, rel=1e-5)
    assert np.hypot(*place["center"]) == pytest.approx(1, rel=1e-5)
    assert observer.scale == pytest.approx(float((real - real.mean(0)).norm() / len(real) ** 0.5), rel=1e-6)


def test_a_log_survives_a_torn_line(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text('{"step": 0}\n{"step": 5}\n{"step": 10, "los')
    assert read_rows(path) == [{"step": 0}, {"step": 5}]
    assert read_rows(path, until=4) == [{"step": 0}]
    path.write_text('{"step": 0}\n[1]\n')
    with pytest.raises(CheckpointError, match="line 2"):
        read_rows(path)


def test_writers_take_every_row():
    class Keep:
        def __init__(self):
            self.rows, self.closed = [], False

        def write(self, row):
            self.rows.append(row)

        def close(self):
            self.closed = True

    writer = Keep()
    run = gd.gans.train(small(), R.GDA(0.05), 8, log_every=4, writers=[writer])
    assert writer.closed
    assert writer.rows == run.rows
    names = dict(scalars(run.rows[-1]))
    assert names["losses/generator"] == run.rows[-1]["losses"]["generator"]
    assert "step" not in names


def test_tensorboard_is_an_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(MissingDependencyError, match="tensorboard"):
        TensorBoard(tmp_path)


def test_plain_lines_and_a_bar(capsys):
    game = small()
    gd.gans.train(game, R.GDA(0.05), 8, log_every=4, progress=Lines(0, 8))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("step 0/8")
    assert "steps/s" in lines[1]
    assert "0 s left" in lines[1]
    gd.gans.train(small(), R.GDA(0.05), 8, log_every=4, progress=Bar(0, 8))
    assert "8/8" in capsys.readouterr().err


def test_sample_pictures(tmp_path):
    gd.gans.train(small(), R.GDA(0.05), 4, folder=tmp_path, log_every=2, samples_every=2)
    pictures = sorted((tmp_path / "samples").iterdir())
    assert [p.name for p in pictures] == [f"step-{k:09d}.png" for k in (0, 2, 4)]
    assert all(p.read_bytes().startswith(b"\x89PNG") for p in pictures)
    assert pictures[0].read_bytes() != pictures[2].read_bytes()


# --- the result -------------------------------------------------------------------------------------------------------


def test_the_result_loads_plots_and_speaks(tmp_path):
    run = gd.gans.train(small(), R.Alternating(R.Adam(1e-3)), STEPS, folder=tmp_path, **options())
    loaded = gd.gans.TrainingRun.load(tmp_path, small(), R.Alternating(R.Adam(1e-3)))
    assert torch.equal(loaded.w, run.w)
    assert torch.equal(loaded.average, run.average)
    assert timeless(loaded.rows) == json.loads(json.dumps(timeless(run.rows)))
    assert torch.equal(loaded.samples, run.samples)
    assert run.samples.shape == (64, 2)
    assert "step 24 of 24" in run.summary()
    assert json.loads(json.dumps(run.to_dict()))["metrics"]["of"] == 8
    figure = run.plot()
    assert list(figure.data["step"]) == [row["step"] for row in run.rows]
    assert torch.equal(run.best_w, run.average)


# --- precision and compilation ----------------------------------------------------------------------------------------


def test_bfloat16_evaluates_where_the_rule_asks():
    """Weights cast once for a whole step would give extragradient the field of its first point twice."""
    game = small()
    rule = R.Extragradient(0.3)
    single = gd.gans.train(small(), rule, 5, seed=1)
    mixed = gd.gans.train(small(), rule, 5, seed=1, precision="bfloat16")
    plain_gd = gd.gans.train(small(), R.SimultaneousGD(0.3), 5, seed=1)
    moved = (single.w - game.w0).norm()
    assert 0 < (mixed.w - single.w).norm() < 0.05 * moved
    assert (plain_gd.w - single.w).norm() > 3 * (mixed.w - single.w).norm()
    assert mixed.w.dtype == torch.float32


@pytest.mark.parametrize(
    ("keywords", "error", "match"),
    [
        ({"precision": "float16"}, ParameterError, "float32 or bfloat16"),
        ({"steps": -1}, ParameterError, "steps=-1"),
        ({"log_every": 0}, ParameterError, "log_every=0"),
        ({"average": 1.5}, ParameterError, "decay=1.5"),
        ({"metrics": "fid"}, ParameterError, "auto"),
        ({"keep": True}, ParameterError, "keep=True"),
    ],
)
def test_refusals(keywords, error, match):
    steps = keywords.pop("steps", 1)
    with pytest.raises(error, match=match):
        gd.gans.train(small(), R.GDA(0.1), steps, **keywords)


def test_compilation_is_refused_where_something_differentiates_twice():
    with pytest.raises(DomainError, match="Consensus"):
        gd.gans.train(small(), R.Consensus(0.1, 0.1), 1, compile=True)
    with pytest.raises(DomainError, match="R1"):
        gd.gans.train(small(penalties="R1(0.1)"), R.GDA(0.1), 1, compile=True)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")  # torch.compile's own imports
def test_compiled_networks_give_the_same_numbers():
    plain_run = gd.gans.train(small(), R.Alternating(R.Adam(1e-3)), 5)
    compiled = gd.gans.train(small(), R.Alternating(R.Adam(1e-3)), 5, compile=True)
    torch.testing.assert_close(compiled.w, plain_run.w, rtol=1e-4, atol=1e-6)


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
