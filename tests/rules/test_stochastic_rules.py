"""DSEG, variance reduction and Hamiltonian gradients on batches: exact rates and floors, and what runs do."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

import gandyn as gd
from gandyn.errors import ParameterError

R = gd.rules
SUM = gd.games.stochastic_bilinear(size=1, summands=4)


@pytest.mark.slow
def test_variance_reduction_ends_at_the_saddle():
    """Constant steps without a floor, at the rate of the exact second moment; fresh extragradient diverges."""
    law = gd.stationary(SUM, R.SVRE(0.04, restart=0.25))
    assert law.exists
    assert law.mean_square_distance == 0
    assert law.mean.tolist() == [1.0, -1.0]
    assert not gd.stationary(SUM, R.Extragradient(0.04, fresh=True)).exists
    run = gd.iterate(SUM, R.SVRE(0.04, restart=0.25), [0.0, 0.0], 8000, record="last", rng=2)
    assert np.linalg.norm(run.w - [1, -1]) < 1e-2


def test_variance_reduction_is_not_stable_at_every_step():
    radii = [gd.mean_square(SUM, R.SVRE(lr, restart=0.25)).spectral_radius for lr in (0.02, 0.05, 0.1, 0.3)]
    assert radii[0] < 1
    assert radii[1] < 1 < radii[2] < radii[3]


def test_without_batches_it_is_extragradient():
    game = gd.games.quadratic(0.7, 1.9, 0.45)
    for noise in (None, 0.1):
        runs = [
            gd.iterate(game, rule, [1.0, 0.5], 20, noise=noise, rng=1).w for rule in (R.SVRE(0.1), R.Extragradient(0.1))
        ]
        if noise is None:
            np.testing.assert_allclose(*runs, rtol=1e-12)
    with pytest.raises(ParameterError, match="restart"):
        R.SVRE(0.1, restart=0)


def test_the_coin_has_its_share():
    """On numbers and on symbols a snapshot moves with the same probability."""
    moved = 0
    rule, generator = R.SVRE(1e-9, restart=0.3), np.random.default_rng(0)
    state = rule.init(SUM, np.zeros(2))
    for _ in range(2000):
        w = generator.normal(size=2)
        _, after, _ = rule.step(SUM, w, state, generator)
        moved += bool((after["snapshot"] == w).all())
    assert abs(moved / 2000 - 0.3) < 5 * np.sqrt(0.21 / 2000)
    m = gd.stationary(SUM, rule).step.numbers[0].mean(0)
    np.testing.assert_allclose(m[2:4, :2], 0.3 * np.eye(2), atol=1e-12)
    np.testing.assert_allclose(m[2:4, 2:4], 0.7 * np.eye(2), atol=1e-12)


def test_double_steps_repair_extragradient_on_a_sum():
    """lr < 2 g (E b)^2 / (E b^2 (1 + g^2 E b^2)), E b = 1, E b^2 = 5; it is `Extragradient` with two samples."""
    g = sympy.Rational(1, 5)
    assert gd.mean_square(SUM, R.DSEG("lr", g)).critical("lr") == 2 * g / (5 * (1 + 5 * g**2))
    pair = [R.DSEG(0.05, 0.2), R.Extragradient(0.05, extrapolation=0.2, fresh=True)]
    runs = [gd.iterate(SUM, rule, [0.5, 0.5], 50, rng=3).w for rule in pair]
    assert (runs[0] == runs[1]).all()


@pytest.mark.slow
def test_decaying_double_steps_converge_at_the_rate_of_the_paper():
    """t E|w|^2 tends to 2 (1 + g^2 b^2) c^2 / (2 g b^2 c - 1) for h = c/t and g fixed: b = 1.3, g = .4, c = 2."""
    b, g, c, steps = 1.3, 0.4, 2.0, 6000
    rule = R.DSEG(c / 20, g, power=1, scale=20)  # c / (20 + t)
    run = gd.iterate(gd.games.bilinear([[b]]), rule, np.ones((3000, 2)), steps, record="last", noise=1.0, rng=5)
    squared = (run.w**2).sum(1)
    expected = 2 * (1 + (g * b) ** 2) * c**2 / (2 * g * b**2 * c - 1)
    np.testing.assert_allclose(expected, 5.9643, rtol=1e-4)
    assert abs((steps + 20) * squared.mean() / expected - 1) < 5 * squared.std() / squared.mean() / np.sqrt(3000) + 0.02


def test_two_batches_make_the_hamiltonian_gradient_unbiased():
    law = [gd.stationary(SUM, R.HamiltonianGradient(0.02, fresh=f)) for f in (False, True)]
    assert np.linalg.norm(law[0].mean - [1, -1]) > 0.1
    np.testing.assert_allclose(law[1].mean, [1, -1], atol=1e-12)
