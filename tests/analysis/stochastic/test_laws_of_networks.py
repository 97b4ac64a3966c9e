"""The stationary law of networks from measured batches: against games of two numbers whose law is known exactly."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import gandyn as gd
from gandyn.errors import DomainError, ParameterError

SPREAD, SIZE = 0.5, 16
TURN = np.diag([1, -1])  # the critic of `dirac_gan` is high on fakes, that of networks on data
TOY = gd.games.dirac_gan("wasserstein", penalty="R1(0.6)")


class Point(nn.Module):
    """The generator of a point mass."""

    def __init__(self):
        super().__init__()
        self.theta = nn.Parameter(torch.tensor([0.3], dtype=torch.float64))

    def forward(self, z):
        return self.theta.expand(len(z), 1)


def dirac(size=SIZE):
    """The Dirac-GAN as networks on minibatches of N(0, 1/4)."""

    def data(n, source):
        return SPREAD * torch.randn(n, 1, generator=source, dtype=torch.float64)

    critic = nn.Linear(1, 1, bias=False).double()
    return gd.gans.GANGame(Point(), critic, "wasserstein", "R1(0.6)", data=data, batch_size=size, latent=1)


RULES = [
    gd.rules.GDA(0.1),
    gd.rules.AlternatingGD((0.1, 0.05)),
    gd.rules.Extragradient(0.1),
    gd.rules.Extragradient(0.1, fresh=True),
    gd.rules.OptimisticGD(0.1),
    gd.rules.HeavyBall(0.1, -0.3),
    gd.rules.Consensus(0.1, 0.5),
    gd.rules.RungeKutta(0.1, 4),
    gd.rules.Lookahead(gd.rules.GDA(0.1), 5, 0.5),
]


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_the_law_of_the_dirac_gan_is_that_of_two_numbers(rule):
    """With the measured variance in its place the two routes agree to rounding: slopes and noise are constant here."""
    noise = gd.noise.Measured(dirac(), 40)
    law = gd.stationary(noise.game, rule, noise, at=[0.0, 0.0])
    toy = gd.stationary(TOY, rule, noise=(0, float(law.step.spread[1, 1])))
    np.testing.assert_allclose(TURN @ law.covariance @ TURN, toy.covariance, rtol=1e-8, atol=1e-16)
    for steps in (1, 7, 200):
        ours, theirs = law.after(steps)[1], toy.after(steps)[1]
        np.testing.assert_allclose(TURN @ ours @ TURN, theirs, rtol=1e-8, atol=1e-16)
    j = np.array([[0, 1], [-1, 0.6]])
    left = law.step.field + law.step.slopes @ law.bias
    assert np.abs(left).max() < 1e-12  # the law's mean is where the mean field vanishes
    assert law.mean_square_field() == pytest.approx(float(np.trace(j @ toy.covariance @ j.T)), rel=1e-8)
    assert toy.mean_square_field() == pytest.approx(law.mean_square_field(), rel=1e-8)
    assert law.kind == "local"


def test_the_measured_variance_is_that_of_the_data():
    noise = gd.noise.Measured(dirac(), 800)
    found, error = noise.covariance([0.0, 0.0]), noise.error([0.0, 0.0])
    assert abs(found[1, 1] - SPREAD**2 / SIZE) < 4 * error[1, 1]
    np.testing.assert_allclose(noise.jacobian([0.0, 0.0]), [[0, -1], [1, 0.6]], atol=1e-15)


@pytest.mark.slow
def test_networks_end_in_the_cloud_of_the_law():
    """48 runs of the networks: E|w|^2 within sampling error of the exact law, which a factor 1/2 would fail."""
    game, rule = dirac(), gd.rules.GDA(0.1)
    game.load(torch.zeros(2, dtype=torch.float64))
    law = gd.stationary(TOY, rule, noise=(0, SPREAD**2 / SIZE))
    runs = gd.gans.train(game, rule, 150, seeds=48, metrics=None)
    found = float((runs.w**2).sum(1).mean())
    assert found == pytest.approx(law.mean_square_distance, rel=0.45)
    assert law.after(150)[1][0, 0] == pytest.approx(law.covariance[0, 0], rel=1e-3)


def test_moments_after_some_steps_without_a_stationary_law():
    """On x y with unit noise E|w_T|^2 = 2 lr^2 (q^T - 1) / (q - 1), q = 1 + lr^2; the field is as long as w."""
    law = gd.stationary(gd.games.bilinear(), gd.rules.GDA(0.1), noise=1.0)
    q = 1.01
    assert not law.exists
    assert law.mean_square_field() == np.inf
    for steps in (1, 2, 31, 64):
        expected = 2 * 0.01 * (q**steps - 1) / (q - 1)
        assert float(np.trace(law.after(steps)[1])) == pytest.approx(expected, rel=1e-12)
        assert law.mean_square_field(steps) == pytest.approx(expected, rel=1e-12)


def test_moments_by_squaring_are_those_of_the_kronecker_power():
    """Means, offsets and covariances after T steps, for a start that is not at rest: step by step."""
    step = gd.stationary(gd.games.quadratic(0.3, 1.0, 0.5), gd.rules.OptimisticGD(0.2), noise=0.3).step
    rng = np.random.default_rng(1)
    m, first, root = step.numbers[0][0], rng.normal(size=step.size), rng.normal(size=(step.size,) * 2)
    second = root @ root.T + np.outer(first, first)
    mean, covariance = first, second - np.outer(first, first)
    for _ in range(11):
        mean, covariance = m @ mean, m @ covariance @ m.T + step.added
    found = step.moments_after(11, first, second)
    np.testing.assert_allclose(found[0], mean, rtol=1e-12)
    np.testing.assert_allclose(found[1], covariance + np.outer(mean, mean), rtol=1e-12)


@pytest.mark.parametrize("rule", [gd.rules.Adam(0.1), gd.rules.SVRE(0.1)], ids=repr)
def test_rules_that_are_not_linear_are_refused(rule):
    with pytest.raises(DomainError, match="not linear"):
        gd.stationary(dirac(), rule, at=[0.0, 0.0])


def test_other_refusals():
    with pytest.raises(ParameterError, match="no equilibrium"):
        gd.stationary(dirac(), gd.rules.GDA(0.1))
    with pytest.raises(ParameterError, match="whole number"):
        gd.stationary(TOY, gd.rules.GDA(0.1), noise=0.1).after(0)
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Linear(1, 3), nn.BatchNorm1d(3), nn.Tanh(), nn.Linear(3, 1)).double()

    def data(n, source):
        return torch.randn(n, 1, generator=source, dtype=torch.float64)

    game = gd.gans.GANGame(nn.Linear(1, 1).double(), critic, "nonsaturating", data=data, batch_size=4, latent=1)
    with pytest.raises(DomainError, match="act on each other"):
        gd.stationary(game, gd.rules.GDA(0.1), gd.noise.Measured(game, 200), at=game.w0)
