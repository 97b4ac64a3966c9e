"""A step that lives in tensors that never move gives the numbers of a plain loop, for every rule that may be captured.

Here without a graph; `test_cuda.py` replays one where there is a device.
"""

import numpy as np
import pytest
import torch
from small_gans import gan, networks
from torch import nn

import gandyn as gd
from gandyn.errors import DomainError
from gandyn.gans.capture import CapturedStep

STEPS = 3
RULES = [
    pytest.param(rule, id=entry.name)
    for entry in gd.rules.registry
    for rule in entry.build.examples()[:1]
    if rule.domain.capturable and not rule.domain.deterministic
]


def plain(game, rule):
    rng = np.random.default_rng(3)
    w = game.w0.clone()
    state = rule.init(game, w, rng)
    for _ in range(STEPS):
        w, state, info = rule.step(game, w, state, rng)
        game.advance()
    return w, state, info.get("field"), game.counts * 1


def captured(game, rule):
    rng = np.random.default_rng(3)
    state = rule.init(game, game.w0, rng)
    step = CapturedStep(game, rule, game.w0, state)
    for _ in range(STEPS):
        step.step(rng)
    return step.w, step.state, step.field, game.counts * 1


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_that_may_be_captured_runs_in_fixed_tensors(rule):
    loss = "minimax" if rule.domain.zero_sum else "nonsaturating"
    (w, state, v, counts), (found, after, field, asked) = (
        run(gan(loss, pair=networks(hidden=(4,)), batch_size=4), rule) for run in (plain, captured)
    )
    torch.testing.assert_close(found, w, rtol=1e-12, atol=1e-13)
    assert (w - gan(loss, pair=networks(hidden=(4,))).w0).abs().max() > 1e-4
    for (name, a), (other, b) in zip(state.leaves(), after.leaves(), strict=True):
        assert name == other
        torch.testing.assert_close(b, a, rtol=1e-11, atol=1e-13)
    assert dict(after.counter_leaves()) == dict(state.counter_leaves())
    assert (v is None) == (field is None)
    assert (asked.fields, asked.jvps, asked.vjps, asked.samples) == (
        counts.fields, counts.jvps, counts.vjps, counts.samples,
    )  # fmt: skip


def normed():
    torch.manual_seed(0)
    generator = nn.Sequential(nn.Linear(2, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Linear(6, 2))
    return generator.double(), nn.Sequential(nn.Linear(2, 9), nn.Tanh(), nn.Linear(9, 1)).double()


def test_running_statistics_move_as_in_a_plain_loop():
    rule = gd.rules.AlternatingGD(0.2)
    games = [gan(pair=normed(), penalties="R1(0.3)") for _ in range(2)]
    (w, *_), (found, *_) = (run(game, rule) for run, game in zip((plain, captured), games, strict=True))
    torch.testing.assert_close(found, w, rtol=1e-12, atol=1e-13)
    for a, b in zip(*(game.generator.buffers() for game in games), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-13)
    assert games[0].generator[1].running_mean.abs().max() > 0.01


def test_training_in_fixed_tensors_is_training(tmp_path):
    """Rows, averages, counts and checkpoints, from which a captured run goes on to the same numbers bit for bit."""

    def train(steps, folder, capture):
        rule = gd.rules.Alternating(gd.rules.Adam(1e-3))
        return gd.gans.train(
            gan(), rule, steps, folder=tmp_path / folder, checkpoint_every=3, metrics=None, log_every=3, average=0.9,
            capture=capture,
        )  # fmt: skip

    plainly, whole = train(6, "plain", False), train(6, "whole", True)
    train(3, "parts", True)
    parts = train(6, "parts", True)
    torch.testing.assert_close(whole.w, plainly.w, rtol=1e-13, atol=1e-15)
    torch.testing.assert_close(whole.average, plainly.average, rtol=1e-13, atol=1e-15)
    assert torch.equal(parts.w, whole.w)
    assert parts.counts == whole.counts == plainly.counts
    for row, other in zip(whole.rows, plainly.rows, strict=True):
        assert row["losses"] == pytest.approx(other["losses"], rel=1e-12)


def test_what_cannot_be_captured_is_refused_by_name():
    def make(game, rule=None):
        rule = rule or gd.rules.GDA(0.1)
        return CapturedStep(game, rule, game.w0, rule.init(game, game.w0))

    with pytest.raises(DomainError, match=r"CompetitiveGD.*branches"):
        make(gan(), gd.rules.CompetitiveGD(0.1))
    dropout = nn.Sequential(nn.Linear(2, 9), nn.Dropout(0.5), nn.Linear(9, 1)).double()
    with pytest.raises(DomainError, match="layers that draw"):
        make(gan(pair=(networks()[0], dropout)))
    with pytest.raises(DomainError, match="penalty that draws"):
        make(gan("wasserstein", "WGANGP(1.0)")).step(np.random.default_rng(0))
    bilinear = gd.games.bilinear()
    with pytest.raises(DomainError, match="one GANGame"):
        CapturedStep(bilinear, gd.rules.GDA(0.1), torch.ones(2), gd.types.State())
