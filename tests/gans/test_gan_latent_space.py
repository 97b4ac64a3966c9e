"""Kernels, walks between latents and arithmetic with them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import gandyn as gd
from gandyn.errors import DomainError, ParameterError
from gandyn.gans.latent_space import arithmetic, interpolation, kernels, made_of


@pytest.fixture(scope="module")
def game():
    pair = gd.gans.architectures.pair("dcgan", (1, 8, 8), generator={"latent": 5, "norm": "none"}, width=2)
    return gd.gans.GANGame(*pair, data=torch.zeros(8, 1, 8, 8), batch_size=4)


def test_walks_keep_the_ends_and_spherical_ones_the_lengths(game):
    ends = [np.array([2.0, 0, 0, 0, 0]), np.array([0, 2.0, 0, 0, 0])]
    round_, straight = (interpolation(game, game.w0, ends, 5, spherical=s) for s in (True, False))
    whole = made_of(game, game.w0, torch.tensor(np.stack(ends)))
    for walk in (round_, straight):
        assert walk.points.shape == (5, 1, 8, 8)
        np.testing.assert_allclose(walk.points[[0, -1]], whole.numpy(), atol=1e-6)
    middle = made_of(game, game.w0, torch.tensor([[2**0.5, 2**0.5, 0, 0, 0], [1.0, 1, 0, 0, 0]]))
    np.testing.assert_allclose(round_.points[2], middle[0].numpy(), atol=1e-6)
    np.testing.assert_allclose(straight.points[2], middle[1].numpy(), atol=1e-6)
    with pytest.raises(ParameterError):
        interpolation(game, game.w0, ends[:1])


def test_arithmetic_is_of_means(game):
    groups = [torch.randn(3, 5, generator=torch.Generator().manual_seed(k)) for k in range(3)]
    found = arithmetic(game, game.w0, [groups[0], groups[2]], [groups[1]])
    total = groups[0].mean(0) - groups[1].mean(0) + groups[2].mean(0)
    np.testing.assert_allclose(found.points, made_of(game, game.w0, total[None]).numpy(), atol=1e-6)
    assert arithmetic(game, game.w0, [groups[0]], around=0.25).points.shape == (9, 1, 8, 8)
    with pytest.raises(ParameterError, match="no group"):
        arithmetic(game, game.w0, [])


def test_kernels_are_the_weights_in_units_of_their_largest(game):
    weight = next(m for m in game.discriminator.modules() if isinstance(m, torch.nn.Conv2d)).weight.detach()
    grid = kernels(game.discriminator)
    assert grid.points.shape == (2, 1, 4, 4)
    np.testing.assert_allclose(grid.points[0], weight[0] / weight[0].abs().max(), rtol=1e-6)
    assert kernels(game.generator).points.shape[1:] == (1, 4, 4)
    with pytest.raises(DomainError, match="layer 7 of"):
        kernels(game.discriminator, 7)
    assert grid.plot().axes
