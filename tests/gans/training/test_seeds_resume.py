"""Several seeds in a folder: killed at any moment, they go on to the numbers of runs that nobody disturbed."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

import pytest
import torch
from small_training import R, options, small, timeless
from test_training_resume import KillAt, KilledError, same

import gandyn as gd
from gandyn.gans.training.log import read_rows
from gandyn.results import Status
from gandyn.rules.schedule import Cosine

SEEDS, STEPS = (5, 0, 3), 18
RULES = {
    "alternating Adam": R.Alternating(R.Adam(1e-3, (0.0, 0.99))),
    "fresh extragradient": R.Extragradient(0.05, fresh=True),
}


def trained(rule: Any, steps: int = STEPS, game: Any = None, **changes: Any) -> Any:
    game = small(normed=True) if game is None else game
    return gd.gans.train(game, rule, steps, seeds=SEEDS, schedule=Cosine(STEPS), **options(**changes))


def same_members(one: Any, other: Any) -> None:
    assert one.seeds == other.seeds
    for k, (a, b) in enumerate(zip(one.runs, other.runs, strict=True)):
        assert a.status == b.status
        one.game.put(k)
        other.game.put(k)
        same(a, b)
    for a, b in zip(one.game.buffers, other.game.buffers, strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize(
    ("name", "at"),
    [("alternating Adam", 13), *(pytest.param(*case, marks=pytest.mark.slow) for case in (
        ("alternating Adam", 1), ("fresh extragradient", 13)))],
)  # fmt: skip
def test_killed_members_go_on_to_the_same_bits(tmp_path: Any, name: str, at: int) -> None:
    whole = trained(RULES[name])
    with pytest.raises(KilledError):
        trained(RULES[name], folder=tmp_path, progress=KillAt(at))
    parts = trained(RULES[name], folder=tmp_path)
    same_members(whole, parts)
    log = read_rows(tmp_path / "log.jsonl")
    for run in whole.runs:
        own = [{k: v for k, v in row.items() if k != "seed"} for row in log if row["seed"] == SEEDS[run.member]]
        assert timeless(own) == json.loads(json.dumps(timeless(run.rows)))
    same_members(parts, trained(RULES[name], folder=tmp_path))
    loaded = gd.gans.SeededRuns.load(tmp_path, small(normed=True), whole.rule)
    same_members(loaded, whole)
    assert loaded.steps == STEPS


def test_data_of_each_members_own_go_on_in_their_order(tmp_path: Any) -> None:
    def games() -> Any:
        points = gd.gans.ring().sample(50, torch.Generator().manual_seed(0))
        return gd.gans.Ensemble([small(k, data=gd.gans.Points("fifty", points).shuffled(seed=k)) for k in SEEDS])

    whole = trained(R.GDA(0.05), game=games(), metrics=None)
    with pytest.raises(KilledError):
        trained(R.GDA(0.05), game=games(), metrics=None, folder=tmp_path, progress=KillAt(15))
    same_members(whole, trained(R.GDA(0.05), game=games(), metrics=None, folder=tmp_path))


def test_members_that_fell_or_stopped_stay_so(tmp_path: Any) -> None:
    """One member overflows at the first step, one stops early; a kill later changes neither."""

    def games() -> Any:
        made = [small(k, loss="least_squares") for k in SEEDS]
        made[0].w0.mul_(1e2)
        made[0].load(made[0].w0)
        return gd.gans.Ensemble(made)

    def enough(rows: Any) -> str:
        return "so far" if len(rows) == 3 and rows[0]["losses"]["generator"] < 0.55 else ""

    whole = trained(R.GDA(0.05), game=games(), stop_when=enough)
    statuses = [run.status for run in whole.runs]
    assert statuses[0] is Status.DIVERGED
    assert Status.STOPPED in statuses, whole.rows[0]["losses"]
    with pytest.raises(KilledError):
        trained(R.GDA(0.05), game=games(), stop_when=enough, folder=tmp_path, progress=KillAt(16))
    same_members(whole, trained(R.GDA(0.05), game=games(), stop_when=enough, folder=tmp_path))


def test_a_signal_saves_all_members(tmp_path: Any) -> None:
    class Signals(KillAt):
        def step(self, done: int) -> None:
            if done == self.at:
                os.kill(os.getpid(), signal.SIGINT)

    rule = RULES["alternating Adam"]
    half = trained(rule, folder=tmp_path, progress=Signals(5))
    assert [run.status for run in half.runs] == [Status.INTERRUPTED] * 3
    assert (half.step, half.signal) == ([5, 5, 5], signal.SIGINT)
    loaded = gd.gans.SeededRuns.load(tmp_path, small(normed=True), half.rule)
    assert [run.status for run in loaded.runs] == [Status.INTERRUPTED] * 3
    same_members(trained(rule), trained(rule, folder=tmp_path))


@pytest.mark.slow
def test_a_longer_call_goes_on(tmp_path: Any) -> None:
    """12 steps, then 18: the numbers of 18 at once; the rows are as far apart as each call's last step wants."""
    rule = RULES["alternating Adam"]
    trained(rule, 12, folder=tmp_path)
    torch.testing.assert_close(trained(rule, folder=tmp_path).w, trained(rule).w, rtol=0, atol=0)


def test_another_run_and_another_kind_of_run_are_refused(tmp_path: Any) -> None:
    rule, several, one = R.GDA(0.05), tmp_path / "several", tmp_path / "one"
    gd.gans.train(small(), rule, 2, seeds=2, folder=several, metrics=None)
    gd.gans.train(small(), rule, 2, folder=one, metrics=None)
    for call in (
        lambda: gd.gans.train(small(), rule, 2, seeds=3, folder=several, metrics=None),
        lambda: gd.gans.train(small(), rule, 2, folder=several, metrics=None),
        lambda: gd.gans.train(small(), R.GDA(0.06), 2, seeds=2, folder=several, metrics=None),
        lambda: gd.gans.train(small(1), rule, 2, seeds=2, folder=several, metrics=None),
        lambda: gd.gans.train(small(), rule, 2, seeds=2, folder=one, metrics=None),
        lambda: gd.gans.SeededRuns.load(one, small(), rule),
        lambda: gd.gans.SeededRuns.load(tmp_path / "none", small(), rule),
        lambda: gd.gans.training.run.TrainingRun.load(several, small(), rule),
    ):
        with pytest.raises(gd.errors.GandynError) as error:
            call()
        assert "\n" not in str(error.value)
