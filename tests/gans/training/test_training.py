"""Training: the plain loop, rows that agree with the oracle, logs, pictures, precision and refusals."""

from __future__ import annotations

import json
import sys
import threading

import numpy as np
import pytest
import torch
from small_training import RULES, STEPS, R, options, small, timeless

import gandyn as gd
from gandyn.errors import DomainError, MissingDependencyError, ParameterError
from gandyn.gans.training.display import Bar, Lines
from gandyn.gans.training.log import TensorBoard, read_rows, scalars
from gandyn.gans.training.observe import Observer
from gandyn.gans.training.untrusted_files import CheckpointError
from gandyn.results import Status


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


def test_training_in_another_thread_listens_for_no_signals():
    found = []
    thread = threading.Thread(target=lambda: found.append(gd.gans.train(small(), R.GDA(0.05), 3)))
    thread.start()
    thread.join()
    assert found[0].status is Status.OK


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


def test_bfloat16_evaluates_where_the_rule_asks():
    """Weights cast once for a whole step would give extragradient the field of its first point twice."""
    game = small()
    rule = R.Extragradient(0.3)
    single = gd.gans.train(small(), rule, 5, seed=1)
    mixed = gd.gans.train(small(), rule, 5, seed=1, precision="bfloat16")
    plain_gd = gd.gans.train(small(), R.SimultaneousGD(0.3), 5, seed=1)
    moved = (single.w - game.w0).norm()
    assert 0 < (mixed.w - single.w).norm() < 0.08 * moved
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


@pytest.mark.parametrize("option", ["stop_when", "monitor", "writers", "progress", "identity"])
@pytest.mark.parametrize("value", [3, "text", [1], float("nan"), object()])
def test_listeners_of_the_wrong_kind_are_refused_before_the_run(option, value, tmp_path):
    with pytest.raises(ParameterError, match=option):
        gd.gans.train(small(), R.GDA(0.1), 1, folder=tmp_path / "run", **{option: value})
    assert not (tmp_path / "run").exists()


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
