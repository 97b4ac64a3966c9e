"""What a device must do: the numbers of the CPU, from fields to checkpoints, and one graph for a whole step."""

import time

import numpy as np
import pytest
import torch
from small_gans import gan, networks, token

import gandyn as gd
from gandyn.gans.capture import CapturedStep

DEVICE = "cuda"
pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]
CLOSE = {"rtol": 1e-9, "atol": 1e-11}


def on_device(loss="nonsaturating", penalties=(), dtype=torch.float64, **options):
    return gan(loss, penalties, networks(dtype), device=DEVICE, **options)


def moved(batch):
    return gd.gans.Token(batch.real.to(DEVICE), batch.latent.to(DEVICE), batch.seed)


@pytest.mark.parametrize("loss", ["nonsaturating", "minimax"])
def test_fields_and_products_are_those_of_the_cpu(loss):
    here, there = gan(loss, "R1(0.3)"), on_device(loss, "R1(0.3)")
    batch, w = token(here), here.w0
    u = torch.linspace(-1, 1, here.dim, dtype=w.dtype)
    far = moved(batch)
    assert there.field(w.to(DEVICE), far).device.type == DEVICE
    for _ in range(2):
        torch.testing.assert_close(there.field(w.to(DEVICE), far).cpu(), here.field(w, batch), **CLOSE)
        for name in ("jvp", "vjp"):
            found = getattr(there, name)(w.to(DEVICE), u.to(DEVICE), far)
            torch.testing.assert_close(found.cpu(), getattr(here, name)(w, u, batch), **CLOSE)


@pytest.mark.parametrize(
    "rule",
    [gd.rules.GDA(0.1), gd.rules.ExtraAdam((0.01, 0.02)), gd.rules.Consensus(0.1, 0.1), gd.rules.CompetitiveGD(0.1)],
    ids=lambda rule: rule.name,
)
def test_steps_are_those_of_the_cpu(rule):
    ends = []
    for game, enter in ((gan(), lambda b: b), (on_device(), moved)):
        tokens = [enter(token(gan(), k)) for k in range(8)]
        game.draw = lambda rng=None, tokens=tokens: tokens.pop(0)
        w, state = game.w0, rule.init(game, game.w0)
        for _ in range(3):
            w, state, _ = rule.step(game, w, state)
        ends.append(w.cpu())
    torch.testing.assert_close(ends[1], ends[0], rtol=1e-7, atol=1e-9)
    assert (ends[0] - gan().w0).abs().max() > 1e-3


@pytest.mark.parametrize("capture", [False, True])
def test_a_run_goes_on_from_its_checkpoint(tmp_path, capture):
    def run(steps, folder):
        return gd.gans.train(
            on_device(), gd.rules.Alternating(gd.rules.Adam(1e-3)), steps, folder=tmp_path / folder,
            checkpoint_every=5, metrics=None, log_every=5, capture=capture,
        )  # fmt: skip

    whole = run(20, "whole")
    run(10, "parts")
    assert whole.w.device.type == DEVICE
    torch.testing.assert_close(run(20, "parts").w, whole.w, rtol=1e-7, atol=1e-9)


def test_torch_kernels_run_where_their_tensors_are():
    game, rule = gd.games.dirac_gan("minimax"), gd.rules.Extragradient(0.2)
    start = np.random.default_rng(0).normal(size=(1000, 2))
    found = gd.iterate(game, rule, torch.tensor(start, device=DEVICE), 50, record="last", kernel="torch")
    assert found.w.device.type == DEVICE
    expected = gd.iterate(game, rule, start, 50, record="last")
    np.testing.assert_allclose(found.w.cpu().numpy(), expected.w, rtol=1e-9, atol=1e-12)


def test_krylov_vectors_stay_on_the_device():
    game = on_device()
    found = gd.spectrum(game, game.w0, 2, "LM", batch=token(game))["LM"]
    assert found.vectors.device.type == DEVICE
    dense = np.linalg.eigvals(game.jacobian(game.w0, token(game)).cpu().numpy())
    np.testing.assert_allclose(np.abs(found.eigenvalues), np.sort(np.abs(dense))[::-1][:2], rtol=1e-6)


RULES = [
    gd.rules.GDA(0.1),
    gd.rules.Extragradient(0.1, fresh=True),
    gd.rules.Alternating(gd.rules.Adam(0.01)),
    gd.rules.ExtraAdam((0.01, 0.02)),
    gd.rules.Consensus(0.1, 0.1),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_replayed_graph_gives_the_numbers_of_the_plain_loop(rule):
    plain, fed = on_device(penalties="R1(0.3)"), on_device(penalties="R1(0.3)")
    one, other = np.random.default_rng(3), np.random.default_rng(3)
    w, state = plain.w0.clone(), rule.init(plain, plain.w0, one)
    step = CapturedStep(fed, rule, fed.w0, rule.init(fed, fed.w0, other))
    for _ in range(8):
        w, state, _ = rule.step(plain, w, state, one)
        plain.advance()
        step.step(other)
        torch.testing.assert_close(step.w, w, rtol=1e-8, atol=1e-10)
    assert dict(step.state.counter_leaves()) == dict(state.counter_leaves())
    assert fed.counts.fields == plain.counts.fields
    assert fed.counts.vjps == plain.counts.vjps


def test_a_graph_is_twice_as_fast_as_the_plain_loop_on_the_ring():
    """Three layers of 128, where launching the kernels is nearly everything; medians of interleaved rounds."""
    rule = gd.rules.Alternating(gd.rules.Adam(1e-3))
    games = [gd.gans.GANGame(*gd.gans.mlp_pair(), data=gd.gans.ring(device=DEVICE), device=DEVICE) for _ in range(2)]
    rng = np.random.default_rng(0)
    step = CapturedStep(games[0], rule, games[0].w0, rule.init(games[0], games[0].w0, rng))
    at = [games[1].w0, rule.init(games[1], games[1].w0, rng)]

    def plain():
        at[0], at[1], _ = rule.step(games[1], at[0], at[1], rng)
        games[1].advance()

    def seconds(run):
        torch.cuda.synchronize()
        began = time.perf_counter()
        for _ in range(50):
            run()
        torch.cuda.synchronize()
        return time.perf_counter() - began

    contestants = (lambda: step.step(rng)), plain
    for run in contestants:
        seconds(run)
    rounds = [[seconds(run) for run in contestants] for _ in range(9)]
    assert np.median([slow / fast for fast, slow in rounds]) >= 2
