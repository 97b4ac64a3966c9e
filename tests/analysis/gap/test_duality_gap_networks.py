"""The duality gap on networks: a lower bound of the same kind, on held-out data, that disturbs nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import gandyn as gd


def ring_game(batch_norm=False, seed=0, **options):
    generator, discriminator = gd.gans.mlp_pair(hidden=(12,), seed=seed)
    if batch_norm:
        torch.manual_seed(seed)
        discriminator = nn.Sequential(
            discriminator[0], nn.BatchNorm1d(12), nn.ReLU(), nn.Dropout(0.2), nn.Linear(12, 1)
        )
    options = {"loss": "minimax", "data": gd.gans.ring(), "batch_size": 32, **options}
    return gd.gans.GANGame(generator.double(), discriminator.double(), **options)


def everything(game):
    """All that an estimate could disturb."""
    tensors = [t.clone() for network in game.networks for t in network.state_dict().values()]
    return tensors, torch.get_rng_state(), str(game._rng.bit_generator.state), [n.training for n in game.networks]


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("method", ["gradient", "perturbed", "proximal"])
def test_an_estimate_disturbs_nothing(batch_norm, method):
    game = ring_game(batch_norm)
    w = game.w0.clone()
    for _ in range(3):
        w, _, _ = gd.rules.GDA(0.1).step(game, w, gd.types.State(), np.random.default_rng(0))
        game.advance()
    game.field(w, game.draw())
    before = everything(game)
    gap = gd.duality_gap(game, w, method, k=3, inner_lr=0.05)
    after = everything(game)
    assert np.isfinite(float(gap.value))
    assert all(torch.equal(a, b) for a, b in zip(before[0], after[0], strict=True))
    assert torch.equal(before[1], after[1])
    assert before[2:] == after[2:]


def test_a_run_with_estimates_is_the_run_without_bit_for_bit():
    ends = []
    for watched in (False, True):
        game = ring_game(True)
        rule, rng = gd.rules.Alternating(gd.rules.Adam(0.01)), np.random.default_rng(5)
        w, state = game.w0.clone(), None
        state = rule.init(game, w)
        for _ in range(4):
            w, state, _ = rule.step(game, w, state, rng)
            if watched:
                gd.duality_gap(game, w, "gradient", k=2, inner_lr=0.1)
            game.advance()
        ends.append((w, [b.clone() for n in game.networks for b in n.buffers()]))
    assert torch.equal(ends[0][0], ends[1][0])
    assert all(torch.equal(a, b) for a, b in zip(ends[0][1], ends[1][1], strict=True))


def test_the_steps_on_networks_are_the_steps_by_hand():
    """k plain steps of each network alone on one fixed batch, with torch.optim on copies of the modules."""
    import copy

    game = ring_game()
    token = game.draw(np.random.default_rng(1))
    game.draw = game.draw_held_out = lambda rng=None: token
    gap = gd.duality_gap(game, game.w0, "gradient", k=5, inner_lr=0.1)
    logit = nn.functional.softplus
    value = lambda g, d: -(logit(-d(token.real)).mean() + logit(d(g(token.latent))).mean())  # noqa: E731
    here = value(*game.networks).item()
    shares = []
    for i, sign in ((0, 1.0), (1, -1.0)):
        players = [copy.deepcopy(n) for n in game.networks]
        optimizer = torch.optim.SGD(players[i].parameters(), lr=0.1)
        for _ in range(5):
            optimizer.zero_grad()
            (sign * value(*players)).backward()
            optimizer.step()
        shares.append(sign * (here - value(*players).item()))
    assert float(gap.value) == pytest.approx(sum(shares), rel=1e-10)
    np.testing.assert_allclose(gap.terms.numpy(), shares, rtol=1e-9)
    assert gap.kind == "estimate"


def test_repeats_give_an_error_bar_and_seeds_repeat():
    game = ring_game()
    gaps = [gd.duality_gap(game, game.w0, "gradient", k=5, inner_lr=0.1, repeats=4, rng=s) for s in (0, 0, 1)]
    assert float(gaps[0].value) == float(gaps[1].value) != float(gaps[2].value)
    assert 0 < float(gaps[0].error) < 1


def test_held_out_data_are_used_where_there_are_some():
    points = torch.randn(64, 2, dtype=torch.float64)
    data = gd.gans.Points("two clouds", points, dtype=torch.float64).split(0.5)
    game = ring_game(data=data)
    rng = np.random.default_rng(0)
    apart = {tuple(p) for p in data.held_out.points.tolist()}
    assert all(tuple(p) in apart for p in game.draw_held_out(rng).real.tolist())
    assert not any(tuple(p) in apart for p in game.draw(rng).real.tolist())


@pytest.mark.parametrize("through", [False, True])
def test_descent_on_the_gap_runs_on_networks_and_its_gradient_is_right(through):
    """Against autograd through explicit inner steps on the functional form of the same costs."""
    game = ring_game()
    token = game.draw(np.random.default_rng(1))
    rule, w = gd.rules.DualityGapDescent(0.1, 3, 0.05, through=through), game.w0.clone()
    masks = [torch.zeros_like(w) for _ in range(2)]
    for mask, block in zip(masks, game.slices, strict=True):
        mask[block] = 1

    def gap(z):
        total = 0
        for i, mask in enumerate(masks):
            y = z
            for _ in range(3):
                if through:
                    y = y - 0.05 * mask * game.field(y, token)
                else:
                    y = (y - 0.05 * mask * game.field(y.detach(), token)).detach()
            if not through:
                y = mask * y + (1 - mask) * z
            total = total + game.costs(z, token)[i] - game.costs(y, token)[i]
        return total

    leaf = w.clone().requires_grad_()
    expected = torch.autograd.grad(gap(leaf), leaf)[0]
    found = rule.gap_gradient(game, w, token)
    assert float((found - expected).abs().max()) < 1e-10 * float(expected.abs().max())


def test_the_gap_is_a_metric_of_training_and_stops_it():
    """The run with the metric is the run without, up to where it stops; the cost of a measurement is stated."""
    runs = []
    metric = gd.gans.gap_metrics(k=4, inner_lr=0.05, repeats=2)
    for options in ({}, {"metrics": metric}, {"metrics": metric, "stop_when": gd.gans.EarlyStopping(below=1e9)}):
        options = {"metrics": None, **options}
        run = gd.gans.train(ring_game(), gd.rules.AlternatingGD(0.05), 6, log_every=2, metrics_every=2, **options)
        runs.append(run)
    assert torch.equal(runs[0].w, runs[1].w)
    found = runs[1].rows[-1]["metrics"]
    assert {"duality_gap", "gap_error"} < set(found)
    assert found["gap_gradients"] == 2 * 2 * 4 + 2 * 2  # two repeats of four inner steps each, and residuals
    assert runs[2].status is gd.Status.STOPPED
    assert runs[2].rows[-1]["step"] == 2


def test_early_stopping_waits_and_names_what_it_lacks():
    rows = [{"step": k, "metrics": {"quality": q}} for k, q in enumerate([0.1, 0.5, 0.4, 0.45])]
    assert gd.gans.EarlyStopping("quality", patience=3, largest=True)(rows) == ""
    assert "of step 1" in gd.gans.EarlyStopping("quality", patience=2, largest=True)(rows)
    with pytest.raises(gd.GandynError, match="quality"):
        gd.gans.EarlyStopping("duality_gap")(rows)
    with pytest.raises(gd.GandynError, match="patience"):
        gd.gans.EarlyStopping(patience=0)
