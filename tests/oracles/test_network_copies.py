"""Deep copies of games of networks: the same numbers, and nothing in common."""

from __future__ import annotations

import copy
import warnings

import pytest
import torch
from torch import nn

import gandyn as gd
from gandyn.errors import GameError

R = gd.rules


def gan(discriminator=None, penalties="R1(0.1)", data="ring", **options):
    generator, own = gd.gans.mlp_pair(hidden=(8,), seed=1)
    return gd.gans.GANGame(
        generator, discriminator or own, "nonsaturating", penalties, data, **{"batch_size": 16} | options
    )


def normalised():
    torch.manual_seed(0)
    layers = nn.Linear(2, 8), nn.BatchNorm1d(8), nn.LeakyReLU(0.2), nn.Dropout(0.3)
    return nn.Sequential(*layers, nn.utils.parametrizations.spectral_norm(nn.Linear(8, 1)))


def shuffled():
    points = torch.randn(40, 2, generator=torch.Generator().manual_seed(0))
    return gd.gans.Points("mine", points).shuffled(0)


GAMES = {
    "plain": gan,
    "buffers, norms, dropout": lambda: gan(normalised(), None),
    "data in order": lambda: gan(data=shuffled()),
    "three networks": lambda: gd.gans.systems.registry["vae_gan"].build(*gd.gans.mlp_pair(hidden=(8,)), data="ring"),
}


@pytest.mark.parametrize("name", GAMES)
def test_a_copy_goes_on_to_the_same_numbers_and_alone(name):
    game = GAMES[name]()
    rule = R.Alternating(R.Adam(1e-2))
    game.field(game.w0 * 1.1, game.draw())  # the streams have begun
    twin = copy.deepcopy(game)
    moved = gd.gans.train(twin, rule, 5, log_every=5)
    assert not torch.equal(moved.w, game.w0)
    kept = {id(t) for net in game.networks for t in (*net.parameters(), *net.buffers())}
    assert not kept & {id(t) for net in twin.networks for t in (*net.parameters(), *net.buffers())}
    again = gd.gans.train(game, rule, 5, log_every=5)
    assert torch.equal(moved.w, again.w)
    assert moved.rows[-1]["losses"] == again.rows[-1]["losses"]
    twin.load(game.w0)
    game.load(again.w)
    assert torch.equal(nn.utils.parameters_to_vector(twin.networks[0].parameters()), game.w0[twin.slices[0]])


def test_a_copy_after_a_product_and_at_another_point():
    game = gan()
    w, u = game.w0 * 1.2, torch.ones_like(game.w0)
    product = game.jvp(w, u)
    twin = copy.deepcopy(game)
    assert torch.equal(twin.jvp(w, u), product)
    assert torch.equal(twin.w0, game.w0)
    assert [p.name for p in twin.players] == ["generator", "discriminator"]


def test_of_a_copy_layers_that_are_replaced_are_named():
    twin = copy.deepcopy(gan())
    twin.networks[1].extra = nn.Linear(1, 1)
    with pytest.raises(GameError, match=r"extra\.weight, extra\.bias of discriminator, added"):
        twin.advance()


def test_what_torch_cannot_copy_is_named():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        old = nn.utils.weight_norm(nn.Linear(2, 1))
    game = gan(old, None)
    game.field(game.w0)
    with pytest.raises(GameError, match=r"a copy of GAN of ring of 8, which torch cannot make.*older form"):
        copy.deepcopy(game)
