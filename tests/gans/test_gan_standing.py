"""Running statistics of BatchNorm at a point of choice, beside torch's own `update_bn`; nothing stays changed."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

import gandyn as gd

BATCHES = 7


def conditional_generator():
    return gd.gans.architectures.dcgan_generator((1, 16, 16), latent=3, width=2, classes=3)


def plain_game():
    torch.manual_seed(0)
    generator = torch.nn.Sequential(
        torch.nn.Linear(2, 5),
        torch.nn.BatchNorm1d(5, momentum=0.3),
        torch.nn.Tanh(),
        torch.nn.Linear(5, 4),
        torch.nn.BatchNorm1d(4),
        torch.nn.Linear(4, 2),
    ).double()
    discriminator = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1)).double()
    return gd.gans.GANGame(generator, discriminator, data=gd.gans.ring(), batch_size=16, latent=2)


def norms(network):
    return [m for m in network.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]


def state_of(game):
    return {name: value.clone() for name, value in game.generator.state_dict().items()}


def test_statistics_are_those_of_torchs_update_bn_at_the_point():
    game = plain_game()
    w = game.w0 + 0.3 * torch.randn(game.dim, generator=torch.Generator().manual_seed(1), dtype=game.dtype)
    other = copy.deepcopy(game)
    other.load(w)
    rng = np.random.default_rng(5)
    torch.optim.swa_utils.update_bn([other.draw(rng).latent for _ in range(BATCHES)], other.generator)
    with gd.gans.standing_statistics(game, w, BATCHES, seed=5):
        for mine, theirs in zip(norms(game.generator), norms(other.generator), strict=True):
            torch.testing.assert_close(mine.running_mean, theirs.running_mean, rtol=1e-12, atol=1e-14)
            torch.testing.assert_close(mine.running_var, theirs.running_var, rtol=1e-12, atol=1e-14)


def test_the_first_layers_mean_and_variance_are_those_of_a_linear_map_of_normals():
    game = plain_game()
    weight, bias = game.generator[0].weight.detach(), game.generator[0].bias.detach()
    with gd.gans.standing_statistics(game, game.w0, 4000):
        layer = game.generator[1]
        torch.testing.assert_close(layer.running_mean, bias, rtol=0, atol=0.02)
        torch.testing.assert_close(layer.running_var, weight.square().sum(1), rtol=0.03, atol=0)


def test_everything_is_as_it_was_afterwards_also_after_an_error():
    game = plain_game()
    game.field(game.w0)
    game.advance()
    before, stream = state_of(game), copy.deepcopy(game._rng.bit_generator.state)
    with gd.gans.standing_statistics(game, game.w0 + 1):
        game.sample(game.w0 + 1, 4)
    with pytest.raises(KeyError), gd.gans.standing_statistics(game, game.w0 + 1):
        raise KeyError
    for name, value in state_of(game).items():
        assert torch.equal(value, before[name]), name
    assert game._rng.bit_generator.state == stream
    assert [layer.momentum for layer in norms(game.generator)] == [0.3, 0.1]


def test_the_next_field_and_step_are_those_of_an_undisturbed_game():
    games = [plain_game(), plain_game()]
    with gd.gans.standing_statistics(games[0], games[0].w0):
        pass
    for game in games:
        game.field(game.w0, game.draw(np.random.default_rng(2)))
        game.advance()
    assert all(torch.equal(a, b) for a, b in zip(*(state_of(game).values() for game in games), strict=True))


def test_a_conditional_generator_sees_labels_and_one_without_batchnorm_is_left_alone():
    data = gd.gans.Points("pictures", torch.rand(12, 1, 16, 16), torch.arange(12) % 3)
    discriminator = gd.gans.architectures.dcgan_discriminator((1, 16, 16), width=2)
    game = gd.gans.GANGame(conditional_generator(), discriminator, data=data, batch_size=6, latent=3)
    before = norms(game.generator)[0].running_var.clone()
    with gd.gans.standing_statistics(game, game.w0, 2):
        assert not torch.equal(norms(game.generator)[0].running_var, before)
    without = gd.gans.GANGame(*gd.gans.mlp_pair(hidden=(8,)), data=gd.gans.ring())
    with gd.gans.standing_statistics(without, without.w0):
        assert torch.equal(without.sample(without.w0, 3, np.random.default_rng(0)),
                           without.sample(without.w0, 3, np.random.default_rng(0)))  # fmt: skip


def test_refusals():
    game = plain_game()
    with pytest.raises(gd.errors.ParameterError, match="batches=0"), gd.gans.standing_statistics(game, game.w0, 0):
        pass
    with pytest.raises(gd.errors.ShapeError), gd.gans.standing_statistics(game, game.w0[1:]):
        pass
