"""Lyapunov exponents of linear maps and of orbits with a known answer; the sum against log |det|."""

import numpy as np
import pytest
import sympy

import gandyn as gd

x, y = sympy.symbols("x y", real=True)


def test_a_planted_linear_map_has_the_logarithms_of_its_eigenvalues():
    # w+ = A w, A = [[0.9, 0.3], [0, 0.4]] by a gradient step of size 1.
    game = gd.games.from_sympy([x**2 / 20 - 3 * x * y / 10, 3 * y**2 / 10], [x, y])
    found = gd.lyapunov_exponents(game, gd.rules.GDA(1.0), [1.0, 1.0], steps=300)
    np.testing.assert_allclose(found.exponents, np.log([0.9, 0.4]), atol=1e-12)
    assert found.determinant == pytest.approx(np.log(0.36), abs=1e-12)
    assert found.chaotic is False


@pytest.mark.parametrize("s", [0.1, 0.5])
def test_gradient_steps_on_a_rotation_grow_by_the_half_logarithm(s):
    found = gd.lyapunov_exponents(gd.games.bilinear(), gd.rules.GDA(s), [1.0, 0.0], steps=200)
    np.testing.assert_allclose(found.exponents, np.log(1 + s**2) / 2, atol=1e-12)


def test_a_conservative_map_and_flow_have_none():
    found = gd.lyapunov_exponents(gd.games.bilinear(), gd.rules.AlternatingGD(0.5), [1.0, 0.0], steps=3000)
    assert np.abs(found.exponents).max() < 1e-3
    assert found.determinant == pytest.approx(0, abs=1e-14)
    assert found.chaotic is False
    flow = gd.lyapunov_exponents(gd.games.bilinear(), None, [1.0, 0.0], steps=50, settle=0)
    np.testing.assert_allclose(flow.exponents, 0, atol=1e-8)


@pytest.mark.parametrize("rule", [gd.rules.Extragradient(0.1), gd.rules.OptimisticGD(0.05)], ids=repr)
def test_their_sum_is_the_mean_logarithm_of_the_determinant(rule):
    found = gd.lyapunov_exponents(gd.games.forsaken(), rule, [1.0, 0.3], steps=400)
    assert found.exponents.sum() == pytest.approx(found.determinant, abs=1e-10)
    assert len(found.exponents) == (4 if "Optimistic" in rule.name else 2)


def test_on_an_attracting_cycle_one_is_zero_and_the_other_the_mean_divergence():
    radius, omega = 0.5, 2.0
    square = x**2 + y**2
    dx, dy = x * (radius**2 - square) - omega * y, y * (radius**2 - square) + omega * x
    game = gd.games.from_sympy([sympy.integrate(-dx, x), sympy.integrate(-dy, y)], [x, y])
    found = gd.lyapunov_exponents(game, None, [0.5, 0.0], steps=200, settle=20, time=1.0)
    np.testing.assert_allclose(found.exponents, [0, -2 * radius**2], atol=2e-3)
    assert found.exponents.sum() == pytest.approx(-2 * radius**2, abs=1e-8)


def test_exponents_of_a_flow_are_per_unit_of_time_however_often_it_is_factorised():
    game = gd.games.quadratic(1, 0, 3)
    found = gd.lyapunov_exponents(game, None, [1.0, 1.0], steps=40, settle=40, time=0.5)
    np.testing.assert_allclose(found.exponents, [-1, -3], atol=1e-6)
    assert found.determinant == pytest.approx(-4, abs=1e-8)


def test_the_band_is_that_of_the_mean_of_twenty_batches():
    found = gd.lyapunov_exponents(gd.games.forsaken(), gd.rules.GDA(0.3), [1.0, 0.3], steps=400, settle=0)
    rates = np.diff(found.running * np.arange(1, 401)[:, None], axis=0, prepend=0)
    batches = rates.reshape(20, 20, 2).mean(1)
    np.testing.assert_allclose(found.band, 2.093 * batches.std(0, ddof=1) / 20**0.5, rtol=1e-9)


def test_a_fully_chaotic_map_has_log_two():
    # w+ = 1 - 2 w^2, conjugate to the tent map; v = w - 1 + 2 w^2.
    game = gd.games.from_sympy([x**2 / 2 - x + 2 * x**3 / 3, y**2 / 4], [x, y])
    found = gd.lyapunov_exponents(game, gd.rules.GDA(1.0), [0.3, 0.1], steps=4000)
    assert abs(found.largest - np.log(2)) < 3 * found.band[0] + 1e-3
    assert found.chaotic


@pytest.mark.slow
def test_ties_in_rock_paper_scissors_make_it_chaotic_and_keep_the_volume():
    ties = [[0.5, 1, -1], [-1, 0.5, 1], [1, -1, 0.5]]  # eps_x = -eps_y = 1/2 of Sato, Akiyama & Farmer 2002
    game, start = gd.games.matrix_game(ties), np.log([0.5, 0.01, 0.49, 0.5, 0.25, 0.25])
    field = gd.replicator_in_logits(game)
    found = gd.lyapunov_exponents(game, None, start, steps=400, settle=10, time=4.0, field=field)
    assert found.largest > 0.01
    assert found.chaotic
    assert found.determinant == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(found.exponents + found.exponents[::-1], 0, atol=0.01)  # in pairs: Hamiltonian


def test_mistakes_are_named():
    with pytest.raises(gd.GandynError, match="finite"):
        gd.lyapunov_exponents(gd.games.bilinear(), gd.rules.GDA(0.1), [1.0])
    with pytest.raises(gd.GandynError, match="steps"):
        gd.lyapunov_exponents(gd.games.bilinear(), gd.rules.GDA(0.1), [1.0, 0.0], steps=3)


def test_the_band_is_never_below_the_integrators_error():
    """The rotation of v = ab has both exponents 0; the integrator shrinks it by 1e-11, which must not count."""
    found = gd.lyapunov_exponents(gd.games.bilinear(), None, [1.0, 0.0], steps=40, settle=0)
    assert found.chaotic is False
    assert np.abs(found.exponents).max() <= found.band.min()


def test_logits_move_away_from_costly_rows_and_towards_columns_that_pay():
    """Player 1 pays (1 2; 3 4): at even logits its rows cost 3/2 and 7/2, and the columns pay 2 and 3."""
    field = gd.replicator_in_logits(gd.games.matrix_game([[1, 2], [3, 4]]))
    np.testing.assert_allclose(field(np.zeros(4)), [-1.5, -3.5, 2.0, 3.0], rtol=1e-14)


@pytest.mark.parametrize("units", [1, 10**9, 10**14])
def test_small_units_of_another_coordinate_hide_no_chaos(units):
    """x+ = 3.9 x (1 - x) is chaotic; y+ = y / 2 + units x follows it. The exponents are those of x, and log 1/2.

    At 1e14 rounding loses the direction of x, which the sum of the exponents shows beside log |det|: undecided.
    """
    pull = -sympy.Rational(29, 20) * x**2 + sympy.Rational(13, 10) * x**3
    game = gd.games.from_sympy([pull, y**2 / 4 - units * x * y], [[x], [y]])
    found = gd.lyapunov_exponents(game, gd.rules.GDA(1), [0.3, 0.1], steps=1000)
    assert not found.linear
    if units > 1e10:
        assert found.chaotic is None
        return
    assert found.chaotic
    assert found.largest == pytest.approx(0.49, abs=0.03)
    assert found.exponents[1] == pytest.approx(-np.log(2), abs=0.03)  # the first turn of the frame: log(units) / 1000
