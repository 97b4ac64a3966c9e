"""Pixel and perceptual terms: distances of pictures and of a fixed network's features, with their slopes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import gandyn as gd
from gandyn.errors import ShapeError
from gandyn.gans.architectures.encoders import Encoder, WithEncoder


def pictures(side=28, *terms):
    torch.manual_seed(0)
    data = torch.rand(12, 1, side, side, dtype=torch.double) * 2 - 1
    maker = nn.Sequential(
        nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, side**2), nn.Tanh(), nn.Unflatten(1, (1, side, side))
    )
    judge = nn.Sequential(nn.Flatten(), nn.Linear(side**2, 1))
    both = WithEncoder(maker, Encoder((1, side, side), 2, (3,), seed=1))
    return gd.gans.GANGame(both.double(), judge.double(), penalties=[*terms], data=data, batch_size=3, latent=2)


def added(*terms, side=28):
    """What the terms add to the generator's cost, and the batch with its samples and reconstructions."""
    game, plain = pictures(side, *terms), pictures(side)
    token = game.draw(np.random.default_rng(0))
    costs = [g.costs(g.w0, token) for g in (game, plain)]
    assert float(costs[0][1]) == float(costs[1][1])
    with torch.no_grad():
        near = game.generator(game.generator.encoder(token.real))
        return float(costs[0][0] - costs[1][0]), token.real, game.generator(token.latent), near


@pytest.mark.parametrize("side", [28, 32])
def test_a_perceptual_term_is_the_distance_of_the_features_that_scores_use(side):
    features = gd.gans.features.registry["digits64"].build()
    for of in ("pair", "reconstruction"):
        found, real, fake, near = added(f"Perceptual(2, of={of})", side=side)
        apart = features(real) - features(fake if of == "pair" else near)
        assert apart.shape == (3, 64)
        assert found == pytest.approx(2 * float(apart.square().mean()), rel=1e-4)  # the features are in float32


def test_a_pixel_term_is_the_mean_distance_of_pixels():
    for norm in (1, 2):
        found, real, fake, near = added(f"Pixel(3, norm={norm})", f"Pixel(2, norm={norm}, of=reconstruction)")
        mean = [float(((real - made).abs() ** norm).mean()) for made in (fake, near)]
        assert found == pytest.approx(3 * mean[0] + 2 * mean[1], rel=1e-9)


def test_the_slope_of_a_perceptual_term_is_that_of_differences():
    game = pictures(28, "Perceptual(5)", "Perceptual(3, of=reconstruction)")
    rng = np.random.default_rng(1)
    token, w = game.draw(rng), game.w0
    v, own = game.field(w, token), game.slices[0]
    for _ in range(3):
        unit = torch.zeros_like(w)
        unit[own] = torch.tensor(rng.normal(size=own.stop - own.start))
        unit /= unit.norm()
        step = 1e-6
        slope = (game.costs(w + step * unit, token)[0] - game.costs(w - step * unit, token)[0]) / (2 * step)
        assert float(v @ unit) == pytest.approx(float(slope), rel=1e-5)


def test_it_trains_through_three_rules_and_resumes_exactly(tmp_path):
    rules = [gd.rules.GDA(0.01), gd.rules.Extragradient(0.01), gd.rules.Alternating(gd.rules.Adam(1e-3))]
    for k, rule in enumerate(rules):
        options = {"metrics": None, "folder": tmp_path / str(k)}
        gd.gans.train(pictures(28, "Perceptual(1)"), rule, 1, **options)
        resumed = gd.gans.train(pictures(28, "Perceptual(1)"), rule, 2, **options)
        assert torch.equal(resumed.w, gd.gans.train(pictures(28, "Perceptual(1)"), rule, 2, metrics=None).w)


def test_features_with_a_graph_are_those_without_one():
    points = torch.rand(4, 1, 28, 28) * 2 - 1
    for name in ("digits64", "coordinates"):
        features = gd.gans.features.registry[name].build()
        torch.testing.assert_close(features.differentiable(points).double(), features(points), rtol=1e-5, atol=1e-5)
    with pytest.raises(ShapeError, match="digits64"):
        gd.gans.features.registry["digits64"].build().differentiable(torch.zeros(2, 1, 8, 8))
