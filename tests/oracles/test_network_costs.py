"""Every loss and every penalty of the catalogue on networks, or the reason why not."""

import copy

import pytest
import torch
from small_gans import gan, networks, token

import gandyn as gd
from gandyn.errors import DomainError


@pytest.mark.parametrize("entry", list(gd.losses.registry), ids=lambda entry: entry.name)
def test_every_loss_trains_networks_or_says_why_not(entry):
    loss = entry.build(**entry.examples[0])
    if "classes" in loss.needs:
        with pytest.raises(DomainError, match=type(loss).__name__):
            gan(loss)
        return
    game = gan(loss, pair=networks(hidden=(4,)))
    batch, w = token(game), game.w0
    gradients = game.cost_gradients(w, batch)
    own = torch.cat([gradients[i, block] for i, block in enumerate(game.slices)])
    torch.testing.assert_close(game.field(w, batch), own, rtol=1e-11, atol=1e-14)
    split = sum(game.field(w, batch, only=i) for i in range(2))
    torch.testing.assert_close(split, own, rtol=1e-11, atol=1e-14)


def test_the_mode_regulariser_reconstructs_through_the_generators_encoder():
    """By the formula with the modules themselves; the encoder plays with the generator, in every kind of evaluation."""
    penalty = gd.penalties.ModeRegularizer(0.1, 0.3)
    pair = networks(hidden=(4,))
    pair[0].encoder = torch.nn.Linear(2, gan(pair=networks(hidden=(4,))).reference.latent.shape[1]).double()
    game = gan(penalties=penalty, pair=pair)
    plain = gan(pair=networks(hidden=(4,)))
    assert game.players[0].size == plain.players[0].size + sum(p.numel() for p in pair[0].encoder.parameters())
    batch, w = token(game), game.w0
    v, gradients = game.field(w, batch), game.cost_gradients(w, batch)
    own = torch.cat([gradients[i, block] for i, block in enumerate(game.slices)])
    torch.testing.assert_close(v, own, rtol=1e-10, atol=1e-13)
    torch.testing.assert_close(sum(game.field(w, batch, only=i) for i in range(2)), own, rtol=1e-10, atol=1e-13)
    unit = torch.randn(game.dim, generator=torch.Generator().manual_seed(0), dtype=w.dtype)
    h = 1e-5
    slope = (game.field(w + h * unit, batch) - game.field(w - h * unit, batch)) / (2 * h)
    torch.testing.assert_close(game.jvp(w, unit, batch), slope, rtol=1e-6, atol=1e-7)
    game.load(w)
    near, fake = pair[0](pair[0].encoder(batch.real)), pair[0](batch.latent)
    error = (batch.real - near).square().sum(1).mean()
    surprise, fooled = (-torch.log(torch.sigmoid(pair[1](points))).mean() for points in (near, fake))
    costs = game.costs(w, batch)
    torch.testing.assert_close(costs[0], fooled + 0.1 * error + 0.3 * surprise, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("entry", list(gd.penalties.registry), ids=lambda entry: entry.name)
def test_every_penalty_regularises_networks_or_says_why_not(entry):
    """Plain and differentiable evaluations, whole and player by player, agree; projections are feasible."""
    for example in entry.examples:
        penalty = entry.build(**example)
        if entry.name == "ModeRegularizer":
            with pytest.raises(DomainError, match="encoder"):
                gan(penalties=penalty)
            continue
        game = gan("wasserstein", penalty, pair=networks(hidden=(4,)))
        batch, w = token(game), game.project(3 * game.w0)
        torch.testing.assert_close(game.project(w), w, rtol=0, atol=0)
        v = game.field(w, batch)
        torch.testing.assert_close(game.field(w, token(game)), v, rtol=0, atol=0)
        gradients = game.cost_gradients(w, batch)
        own = torch.cat([gradients[i, block] for i, block in enumerate(game.slices)])
        torch.testing.assert_close(v, own, rtol=1e-10, atol=1e-13)
        torch.testing.assert_close(sum(game.field(w, batch, only=i) for i in range(2)), own, rtol=1e-10, atol=1e-13)
        plain = gan("wasserstein", pair=networks(hidden=(4,)))
        assert game.constrained or not torch.allclose(v, plain.field(w, batch))


def test_wgan_gp_is_its_formula():
    """(gamma/2) mean (|slope| - 1)^2 at interpolates, from the token's own uniforms, point by point."""
    pair = networks()
    game = gan("wasserstein", "WGANGP(0.7)", pair=copy.deepcopy(pair))
    batch = token(game)
    start = (batch.seed + 4 * 0x9E3779B97F4A7C15) % 2**63
    u = torch.rand((8, 1), generator=torch.Generator().manual_seed(start), dtype=torch.float64)
    points = batch.real + u * (pair[0](batch.latent).detach() - batch.real)
    slopes = [torch.autograd.functional.jacobian(lambda x: pair[1](x).sum(), x).norm() for x in points]
    expected = 0.35 * (torch.stack(slopes) - 1).square().mean()
    plain = gan("wasserstein", pair=pair)
    excess = game.costs(game.w0, batch)[1] - plain.costs(plain.w0, batch)[1]
    assert excess.item() == pytest.approx(expected.item(), rel=1e-12)
