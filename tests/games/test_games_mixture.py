"""Gaussian mixtures against quadrature, differences and samples; the mixture game against them."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

import gandyn as gd
from catalogue import finite_differences
from gandyn.errors import ParameterError, ShapeError
from gandyn.oracles import gaussian_mixture as mixtures

UNEVEN = mixtures.GaussianMixture([[0.0, 1.0], [-1.5, 0.5], [1.0, -1.0]], [0.3, 0.5, 0.4], [0.5, 0.2, 0.3])


def integrate(function, span=6.0, n=601):
    """The trapezium rule over the plane, accurate to rounding for Gaussians that fade inside the box."""
    x = np.linspace(-span, span, n)
    points = np.stack(np.meshgrid(x, x, indexing="ij"), -1).reshape(-1, 2)
    values = function(points)
    return np.tensordot(np.full(len(points), (x[1] - x[0]) ** 2), values, axes=(0, 0))


def test_moments_are_integrals_of_the_density():
    assert integrate(UNEVEN.density) == pytest.approx(1, abs=1e-12)
    mean = integrate(lambda x: UNEVEN.density(x)[:, None] * x)
    assert np.allclose(UNEVEN.mean, mean, atol=1e-12)
    second = integrate(lambda x: UNEVEN.density(x)[:, None, None] * (x - mean)[:, :, None] * (x - mean)[:, None])
    assert np.allclose(UNEVEN.covariance, second, atol=1e-12)
    for powers in ((0, 0), (1, 0), (2, 1), (4, 3)):
        expected = integrate(lambda x, p=powers: UNEVEN.density(x) * x[:, 0] ** p[0] * x[:, 1] ** p[1])
        assert UNEVEN.moment(*powers) == pytest.approx(expected, abs=1e-11)


def test_feature_means_are_integrals_too():
    centers = np.array([[0.2, 0.3], [-1.0, 1.0]])
    expected = [
        integrate(lambda x, c=c: UNEVEN.density(x) * np.exp(-((x - c) ** 2).sum(-1) / (2 * 0.7**2))) for c in centers
    ]
    assert np.allclose(UNEVEN.feature_mean(centers, 0.7), expected, atol=1e-12)


def test_the_score_is_the_slope_of_the_log_density():
    x = np.random.default_rng(0).normal(size=(20, 2))
    slope = finite_differences(lambda z: UNEVEN.log_density(z)[..., None], x)[:, 0]
    assert np.allclose(UNEVEN.score(x), slope, atol=1e-8)
    far = np.array([[300.0, 400.0]])
    assert np.isfinite(UNEVEN.log_density(far)).all()
    assert np.isfinite(UNEVEN.score(far)).all()
    assert UNEVEN.responsibilities(x).sum(-1) == pytest.approx(1)


def test_samples_have_the_moments():
    x = UNEVEN.sample(np.random.default_rng(0), 200_000)
    error = np.sqrt(np.diag(UNEVEN.covariance) / len(x))
    assert (np.abs(x.mean(0) - UNEVEN.mean) < 4 * error).all()
    assert np.allclose(np.cov(x.T), UNEVEN.covariance, atol=0.02)
    assert np.array_equal(x, UNEVEN.sample(np.random.default_rng(0), 200_000))


def test_the_usual_distributions_are_where_they_are_drawn():
    ring = mixtures.ring()
    assert np.allclose(np.linalg.norm(ring.means, axis=-1), 2)
    assert np.allclose(np.linalg.norm(np.diff(ring.means, axis=0), axis=-1), 4 * np.sin(np.pi / 8))
    assert np.allclose(ring.covariance, (2 + 0.02**2) * np.eye(2))
    sixteen = mixtures.grid(4, 1.0, 0.02)
    assert {tuple(m) for m in sixteen.means} == {(a, b) for a in (-1.5, -0.5, 0.5, 1.5) for b in (-1.5, -0.5, 0.5, 1.5)}
    spiral = mixtures.spiral(20, turns=2, radius=2)
    radii = np.linalg.norm(spiral.means, axis=-1)
    assert np.allclose(np.diff(radii), 0.1)
    assert np.allclose(spiral.means[-1], [2, 0])
    line = mixtures.line(weights=(0.2, 0.3, 0.5))
    assert line.mean == pytest.approx([0.3])
    assert line.moment(2) == pytest.approx(0.7 + 0.01)
    weighted = mixtures.ring(2, weights=(0.9, 0.1))
    assert np.allclose(weighted.mean, [1.6, 0])


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        (([1.0, 2.0], 1), ShapeError, r"\(K, p\)"),
        (([[0.0]], 1, [0.5, 0.5]), ShapeError, "as many weights"),
        (([[0.0], [1.0]], 1, [0.5, 0.6]), ParameterError, "sum 1"),
        (([[0.0]], 0), ParameterError, "positive"),
    ],
)
def test_mixtures_that_are_none_are_refused(arguments, error, match):
    with pytest.raises(error, match=match):
        mixtures.GaussianMixture(*arguments)


def test_wrong_shapes_are_refused():
    with pytest.raises(ShapeError, match="last axis"):
        UNEVEN.density([1.0, 2.0, 3.0])
    with pytest.raises(ShapeError, match="powers"):
        UNEVEN.moment(1)
    with pytest.raises(ParameterError, match="at least one"):
        mixtures.ring(0)


def test_the_mixture_game_is_the_difference_of_expectations():
    game = gd.games.mixture_game()
    w = np.random.default_rng(0).normal(size=game.dim)
    heights = game.split(w)[1]
    real = integrate(lambda x: game.data.density(x) * game.discriminator(w, x), span=9, n=401)
    fake = integrate(lambda x: game.generator(w).density(x) * game.discriminator(w, x), span=9, n=401)
    assert game.costs(w)[0] == pytest.approx(real - fake - 0.3 * (heights**2).sum() / 2, abs=1e-11)
    gap = game.data.feature_mean(game.centers, 1) - game.generator(w).feature_mean(game.centers, 1)
    assert np.allclose(game.field(w)[4:], 0.3 * heights - gap, atol=1e-14)


def test_samples_are_pulled_along_the_discriminator_s_gradient():
    """d(-E_gen s)/dm_k is minus the mean gradient over component k, an integral over data space."""
    game = gd.games.mixture_game()
    w = np.random.default_rng(1).normal(size=game.dim)
    first = mixtures.GaussianMixture(w[None, :2], game.std)
    pull = integrate(lambda x: first.density(x)[:, None] * game.discriminator_gradient(w, x), span=9, n=401)
    assert np.allclose(game.field(w)[:2], -pull / 2, atol=1e-11)
    points = np.random.default_rng(2).normal(size=(10, 2))
    slope = finite_differences(lambda x: game.discriminator(w, x.reshape(-1, 2)).reshape(*x.shape[:-1], 1), points)[
        :, 0
    ]
    assert np.allclose(game.discriminator_gradient(w, points), slope, atol=1e-9)
    with pytest.raises(ShapeError, match="plane"):
        game.discriminator(w, np.zeros(2))


def test_the_modes_attract_when_the_centres_see_every_movement():
    game = gd.games.mixture_game()
    spectrum = np.array(game.facts.flow_eigenvalues[0])
    assert spectrum.real.max() < 0
    start = [float(v) + 0.1 for v in game.equilibria[0]]
    last = gd.iterate(game, gd.rules.GDA(0.3), start, 800, record="last").w
    assert np.allclose(last[:4], [-1, 0, 1, 0], atol=1e-3)
    blind = gd.games.mixture_game(centers=((0, 0),))
    assert (np.abs(np.array(blind.facts.flow_eigenvalues[0])) < 1e-12).sum() == 3


def test_the_weight_decay_may_be_free_and_decides_whether_simultaneous_steps_stay():
    """|1 + lr x|^2 = 1 - lr rho + lr^2 sigma^2 for x = -rho/2 +- i sqrt(sigma^2 - rho^2/4)."""
    free = gd.games.mixture_game(rho=sympy.Symbol("rho", positive=True))
    assert free.facts.flow_eigenvalues == ()
    assert [str(s) for s in free.parameters] == ["rho"]
    largest = np.abs(np.array(gd.games.mixture_game(rho=1e-9).facts.flow_eigenvalues[0]).imag).max() ** 2
    assert largest == pytest.approx(0.0883, abs=5e-5)
    for above in (0.9, 1.1):
        game = gd.games.mixture_game(rho=above * largest * 0.2)
        radius = gd.linearize(game, gd.rules.GDA(0.2), at=game.equilibria[0]).spectral_radius
        assert (radius < 1) == (above > 1)


def test_mixture_game_arguments_are_checked():
    with pytest.raises(ParameterError, match="std"):
        gd.games.mixture_game(std=sympy.Symbol("s", positive=True))
    with pytest.raises(ShapeError, match="rows of 2"):
        gd.games.mixture_game(modes=((1, 2, 3),))
    with pytest.raises(ParameterError, match="rho"):
        gd.games.mixture_game(rho=0)
