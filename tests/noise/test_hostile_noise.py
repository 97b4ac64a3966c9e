"""Noise that used to be answered wrongly in silence: units that differ, batches across epochs, laws beyond bounds."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import sympy

import gandyn as gd
from gandyn.errors import DomainError, ParameterError
from gandyn.games.finite_sum import FiniteSumGame
from gandyn.oracles.projections import Box

GAME = gd.games.quadratic(0.37, 1.13, 0.37)
ROWS = gd.games.stochastic_bilinear(size=1, summands=4, seed=2)


@pytest.mark.parametrize("units", [(1, 1), (1e6, 1e-6), (1e-9, 1e9)])
def test_a_covariance_is_judged_without_its_units(units):
    """A correlation of 2 is none in any unit, and one of 1/2 is drawn with both variances right."""
    a, b = units
    with pytest.raises(ParameterError, match="not positive semidefinite"):
        gd.noise.Additive([[a**2, 2 * a * b], [2 * a * b, b**2]])
    with pytest.raises(ParameterError, match="not symmetric"):
        gd.noise.Additive([[a**2, 0.5 * a * b], [0.4 * a * b, b**2]])
    noise = gd.noise.Additive([[a**2, 0.5 * a * b], [0.5 * a * b, b**2]])
    drawn = noise.sample(GAME, (40_000,), np.random.default_rng(0)) / np.array(units)
    np.testing.assert_allclose(np.cov(drawn.T), [[1, 0.5], [0.5, 1]], atol=0.03)


def test_a_coordinate_without_variance_has_no_covariance():
    with pytest.raises(ParameterError, match="no variance"):
        gd.noise.Additive([[0, 0.5], [0.5, 1]])
    gd.noise.Additive([[0, 0], [0, 1]])


def test_infinitely_many_degrees_are_refused():
    with pytest.raises(ParameterError, match="finitely many"):
        gd.noise.Additive(1, law="student", degrees=float("inf"))


def in_order(batch, order):
    return FiniteSumGame("sum", ROWS.summand, ROWS.rows, ROWS.parameters, batch, ROWS.equilibria, order=order)


@pytest.mark.parametrize("batch", [1, 2, 4])
def test_the_covariance_of_batches_in_order_is_that_of_all_orders(batch):
    """Over every order and every place in it; with a fixed order, over the batches of that order."""
    fields = gd.noise.of(ROWS).fields([0.3, 0.7])
    for order, orders in (("fixed", [tuple(range(4))]), ("shuffled", list(itertools.permutations(range(4))))):
        batches = [fields[list(o[k : k + batch])].mean(0) for o in orders for k in range(0, 4, batch)]
        found = gd.noise.of(in_order(batch, order)).covariance([0.3, 0.7])
        np.testing.assert_allclose(found, np.cov(np.array(batches).T, bias=True), atol=1e-14)


@pytest.mark.parametrize("batch", [3, 5])
def test_batches_across_epochs_have_no_one_covariance(batch):
    """It had negative variances."""
    with pytest.raises(DomainError, match="next epoch"):
        gd.noise.of(in_order(batch, "shuffled")).covariance([0.3, 0.7])


def held(cost, at, noise):
    game = gd.games.from_sympy([cost, "(y-1/2)**2"], [["x"], ["y"]], projection=Box([(0, 1), (0, 1)]))
    return game, lambda: gd.stationary(game, gd.rules.GDA(0.1), noise=noise, at=[at, sympy.Rational(1, 2)])


def test_laws_that_bounds_cut_off_are_undecided():
    """A force of 1 on the bound against noise of 10; and an equilibrium at 0.01 from a bound, in a cloud of 0.17."""
    game, law = held("x + x**2", 0, 100)
    with pytest.raises(DomainError, match=r"undecided.*0\.1 standard deviations"):
        law()
    runs = gd.iterate(game, gd.rules.GDA(0.1), np.full((2000, 2), 0.5), 100, "last", noise=100, rng=0).w
    assert runs[:, 0].var() > 0.1  # the face's law had a variance of 0
    game, law = held("(x-1/100)**2", sympy.Rational(1, 100), 1)
    with pytest.raises(DomainError, match="outside the feasible set"):
        law()
    runs = gd.iterate(game, gd.rules.GDA(0.1), np.full((4000, 2), 0.5), 100, "last", noise=1, rng=0).w
    assert runs[:, 0].var() < 0.6 * 0.0278 < 0.0278 * 0.9 < runs[:, 1].var() * 1.1  # that of y is not cut off
    _, law = held("(x-1/2)**2", sympy.Rational(1, 2), 0.01)
    assert law().covariance[0, 0] == pytest.approx(0.01 / 36)


def test_the_mean_at_a_corner_is_the_corner():
    """It ended in an error of NumPy's."""
    law = gd.stationary(gd.games.matrix_game([[2, 1], [1, 0]]), gd.rules.GDA(0.1), noise=1e-4)
    np.testing.assert_allclose(law.mean, [float(x) for x in law.at])


def test_steps_are_whole_numbers():
    law = gd.stationary(GAME, gd.rules.GDA(0.1), noise=1)
    for call in (lambda: law.best("lr", steps=50.7, distance=3), lambda: law.after(2.5)):
        with pytest.raises(ParameterError, match="whole number"):
            call()
    with pytest.raises(ParameterError, match="whole number"):
        gd.mean_square(ROWS, gd.rules.Extragradient(0.1)).exponent(steps=50.5)
    with pytest.raises(ParameterError, match="an epoch of 4"):
        gd.stationary(gd.noise.shuffled(ROWS), gd.rules.Extragradient(0.1)).after(3)
