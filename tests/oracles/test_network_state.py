"""What an evaluation of networks may not touch: random state, buffers, parameters outside the one flat vector."""

import itertools

import numpy as np
import pytest
import torch
from small_gans import gan, token
from torch import nn

import gandyn as gd
from gandyn.oracles.streams import fresh_seed


def noisy_pair():
    torch.manual_seed(0)
    generator = nn.Sequential(nn.Linear(2, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Linear(6, 2))
    discriminator = nn.Sequential(nn.Linear(2, 9), nn.Dropout(0.5), nn.Tanh(), nn.Linear(9, 1))
    return generator.double(), discriminator.double()


def test_a_token_fixes_everything_and_fresh_tokens_differ():
    game = gan(pair=noisy_pair())
    assert game.stochastic
    assert not gan().stochastic
    w, batch, other = game.w0, token(game), token(game, 1)
    state = torch.get_rng_state()
    v = game.field(w, batch)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(123)
    assert torch.equal(game.field(w, batch), v)
    assert torch.equal(game.field(w, token(game)), v)
    torch.testing.assert_close(game.field(w.clone().requires_grad_(), batch).detach(), v, rtol=1e-12, atol=1e-14)
    assert not torch.allclose(game.field(w, other), v)
    assert not torch.equal(batch.real, other.real)
    assert not torch.equal(batch.latent, other.latent)
    reseeded = gd.gans.Token(batch.real, batch.latent, batch.seed + 1)
    assert not torch.allclose(game.field(w, reseeded), v)


def test_evaluations_leave_buffers_and_advance_moves_them_once():
    """BatchNorm's running mean after `advance` is 0.9 old + 0.1 batch mean, of the step's last field alone."""
    game = gan(pair=noisy_pair())
    norm, batch, w = game.generator[1], token(game), game.w0
    before = {name: b.clone() for name, b in game.generator.named_buffers()}
    for evaluate in (game.field, game.costs, lambda w, b: game.jvp(w, w, b), lambda w, b: game.sample(w, 5)):
        evaluate(w, batch)
        assert all(torch.equal(b, before[name]) for name, b in game.generator.named_buffers())
    game.field(w, token(game, 5))
    game.field(w, batch)
    game.costs(w, token(game, 6))
    game.advance()
    mean = game.generator[0](batch.latent).mean(0)
    torch.testing.assert_close(norm.running_mean, 0.1 * mean, rtol=1e-12, atol=1e-14)
    assert int(norm.num_batches_tracked) == 1
    game.advance()
    assert int(norm.num_batches_tracked) == 1


def test_parameters_are_views_of_one_buffer():
    game = gan()
    parameters = [p for network in (game.generator, game.discriminator) for p in network.parameters()]
    first = parameters[0].data_ptr()
    places = [(p.data_ptr() - first) // p.element_size() for p in parameters]
    assert places == list(itertools.accumulate((p.numel() for p in parameters[:-1]), initial=0))
    assert all(p.untyped_storage().nbytes() == p.nbytes for p in parameters)  # saved alone, each is its own size
    w = torch.arange(game.dim, dtype=torch.float64)
    game.load(w)
    assert torch.equal(torch.cat([p.detach().reshape(-1) for p in parameters]), w)
    assert torch.equal(game.initial, game.w0)
    assert not torch.equal(game.w0, w)
    assert game.generator.in_features if hasattr(game.generator, "in_features") else game.generator[0].in_features == 2


@pytest.mark.parametrize("words", [np.random.PCG64, np.random.PCG64DXSM, np.random.MT19937, np.random.Philox])
def test_a_seed_is_the_number_that_numpy_draws_below_two_to_the_62(words):
    rng, same = (np.random.Generator(words(7)) for _ in range(2))
    drawn = [fresh_seed(rng) for _ in range(500)]
    assert drawn == [int(same.integers(2**62)) for _ in range(500)]
    assert rng.random() == same.random()
