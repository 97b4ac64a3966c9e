"""Games whose players are distributions: Gaussians, parallel lines, densities on a finite support."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from scipy.special import rel_entr

import gandyn as gd
from gandyn.errors import ParameterError, ShapeError

MEAN, COVARIANCE = (1, -2), ((2, 1), (1, 3))


def gauss_hermite(mean, factor, function, n=8):
    """E function(mean + factor z) for a standard normal z in two dimensions, exact for low degrees."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(n)
    weights = weights / weights.sum()
    pairs = itertools.product(range(n), repeat=2)
    return sum(weights[i] * weights[j] * function(mean + factor @ [nodes[i], nodes[j]]) for i, j in pairs)


def test_the_gaussian_value_is_the_difference_of_expectations():
    game = gd.games.gaussian_wgan(MEAN, COVARIANCE)
    w = np.random.default_rng(0).normal(size=game.dim)
    (m, (l11, l21, l22)), (u, (w11, w12, w22)) = ((b[:2], b[2:]) for b in game.split(w))
    quadratic = np.array([[w11, w12], [w12, w22]])

    def critic(x):
        return u @ x + x @ quadratic @ x

    real = gauss_hermite(np.array(MEAN), np.linalg.cholesky(COVARIANCE), critic)
    fake = gauss_hermite(m, np.array([[l11, 0], [l21, l22]]), critic)
    assert game.costs(w)[0] == pytest.approx(real - fake, rel=1e-12)
    assert game.zero_sum


def test_gaussian_equilibria_have_the_data_s_moments():
    game = gd.games.gaussian_wgan(MEAN, COVARIANCE)
    point = np.array([float(v) for v in game.equilibria[0]])
    factor = np.array([[point[2], 0], [point[3], point[4]]])
    assert np.allclose(point[:2], MEAN)
    assert np.allclose(factor @ factor.T, COVARIANCE, atol=1e-14)
    assert not point[5:].any()


def test_mean_learning_diverges_simultaneously_and_converges_optimistically():
    game = gd.games.gaussian_wgan()
    start = game.facts.starts[0]
    assert np.linalg.norm(gd.iterate(game, gd.rules.GDA(0.1), start, 1000, record="last").w - [3, 4, 0, 0]) > 100
    last = gd.iterate(game, gd.rules.OptimisticGD(0.1), start, 3000, record="last").w
    assert np.allclose(last, [3, 4, 0, 0], atol=1e-4)


@pytest.mark.parametrize(
    ("mean", "covariance", "error", "match"),
    [
        (None, None, ParameterError, "neither"),
        ((1, 2), ((1,),), ShapeError, "covariance of shape"),
        (None, ((1, 2), (2, 1)), ParameterError, "positive definite"),
        (None, ((1, 2), (0, 1)), ParameterError, "symmetric"),
    ],
)
def test_gaussians_that_are_none_are_refused(mean, covariance, error, match):
    with pytest.raises(error, match=match):
        gd.games.gaussian_wgan(mean, covariance)


def test_the_divergences_between_lines_by_samples_and_cells():
    """W1 by optimal matching of equal samples, JS and TV from the two point masses across the lines."""
    lines = gd.games.parallel_lines()
    z = np.random.default_rng(0).random(40)
    for theta in (-0.7, 0.0, 1.3):
        cost = np.hypot(theta, z[:, None] - z[None])
        rows, columns = linear_sum_assignment(cost)
        assert lines.earth_mover(np.array(theta)) == pytest.approx(cost[rows, columns].mean(), abs=1e-12)
        p, q = (np.array([1.0, 0.0]), np.array([0.0, 1.0])) if theta else (np.ones(1), np.ones(1))
        middle = (p + q) / 2
        js = (rel_entr(p, middle).sum() + rel_entr(q, middle).sum()) / 2
        assert lines.jensen_shannon(theta) == pytest.approx(js, abs=1e-15)
        assert lines.total_variation(theta) == pytest.approx(np.abs(p - q).sum() / 2)
        assert lines.kullback_leibler(theta) == rel_entr(p, q).sum()


def test_the_best_clipped_critic_measures_the_earth_mover_distance():
    for bound in (1, 2.5):
        game = gd.games.parallel_lines(bound)
        theta = np.linspace(-2, 2, 9)
        best = np.max([game.costs(np.stack([theta, np.full(9, phi)], -1))[0] for phi in (-bound, bound)], axis=0)
        assert np.allclose(best, bound * game.earth_mover(theta), atol=1e-15)
        assert np.allclose(game.project(np.array([5.0, 5.0])), [5.0, bound])
    with pytest.raises(ParameterError, match="positive"):
        gd.games.parallel_lines(0)


def test_the_density_value_is_the_minimax_gan_value():
    data = np.array([0.2, 0.5, 0.3])
    game = gd.games.density_game(data)
    p, s = np.array([0.6, 0.1, 0.3]), np.array([0.4, -1.0, 2.0])
    d = 1 / (1 + np.exp(-s))
    expected = (data * np.log(d) + p * np.log(1 - d)).sum()
    assert game.costs(np.concatenate([p, s]))[0] == pytest.approx(expected, rel=1e-14)
    best = np.log(data / p)
    m = (p + data) / 2
    js = (rel_entr(p, m).sum() + rel_entr(data, m).sum()) / 2
    assert game.costs(np.concatenate([p, best]))[0] == pytest.approx(2 * js - np.log(4), rel=1e-13)


@pytest.mark.parametrize("data", [(0.25, 0.5, 0.25), (0, 1, 0), (0.1, 0.2, 0.3, 0.4)])
def test_gradient_play_converges_on_densities(data):
    game, n = gd.games.density_game(data), len(data)
    start = np.concatenate([np.arange(1, n + 1) / sum(range(1, n + 1)), np.linspace(1, -1, n)])
    last = gd.iterate(game, gd.rules.GDA(0.1), start, 3000, record="last").w
    assert np.allclose(last[:n], data, atol=1e-3)
    assert np.abs(last[n:][np.array(data) > 0]).max() < 5e-3


def test_the_same_game_in_parameters_circles():
    game = gd.games.density_game_in_parameters()
    w = gd.iterate(game, gd.rules.AlternatingGD(0.05), [1.0, 0.0], 3000).w
    radius = np.linalg.norm(w, axis=-1)
    assert radius.min() > 0.95
    assert radius[-2000:].min() > 0.95
    assert w[-2000:, 0].min() < -0.9 < 0.9 < w[-2000:, 0].max()
    spread = gd.games.density_game_in_parameters((0.5, 0, 0.5))
    assert np.abs(gd.iterate(spread, gd.rules.GDA(0.05), [1.0, 0.0], 4000, record="last").w).max() < 1e-6
    eigenvalues = np.linalg.eigvals(-spread.jacobian(np.zeros(2)))
    assert np.allclose(
        np.sort_complex(eigenvalues), np.sort_complex(np.array(spread.facts.flow_eigenvalues[0], complex))
    )


def test_parameters_and_densities_give_the_same_value_on_the_support():
    """theta at a support point, s = phi x: the two games' costs agree."""
    d, x = np.array([0.0, 1.0, 0.0]), np.array([-1.0, 0.0, 1.0])
    for theta, phi in ((1.0, 0.7), (-1.0, 0.7), (0.0, -2.0)):
        density = np.concatenate([(x == theta).astype(float), phi * x])
        assert gd.games.density_game_in_parameters().costs(np.array([theta, phi]))[0] == pytest.approx(
            gd.games.density_game(tuple(d)).costs(density)[0], rel=1e-14
        )


def test_density_arguments_are_checked():
    with pytest.raises(ParameterError, match="sum 1"):
        gd.games.density_game((0.5, 0.6))
    with pytest.raises(ShapeError, match="one for each point"):
        gd.games.density_game_in_parameters((0.5, 0.5))
    assert gd.games.density_game((0.25,) * 4).worlds == {"numpy", "torch"}
    w = torch.rand(8, dtype=torch.float64)
    game = gd.games.density_game((0.25,) * 4)
    assert np.allclose(game.field(w).numpy(), game.field(w.numpy()), atol=1e-14)


@pytest.mark.parametrize(
    ("mean", "covariance"), [(None, [[2, 0], [0, 3]]), ((3,), [[2]]), (None, [[2]]), ((3, 4), None)]
)
def test_declared_eigenvalues_are_those_of_the_flow_or_are_not_declared(mean, covariance):
    game = gd.games.gaussian_wgan(mean, covariance)
    for declared, at in zip(game.facts.flow_eigenvalues, game.equilibria, strict=False):
        found = np.sort_complex(gd.linearize(game, at=at).eigenvalues)
        assert np.sort_complex(np.array(declared, dtype=complex)) == pytest.approx(found, abs=1e-7)
    assert bool(game.facts.flow_eigenvalues) == (covariance is None or (mean is None and len(covariance) == 1))
