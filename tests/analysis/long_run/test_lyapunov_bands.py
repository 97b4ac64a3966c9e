"""Bands of Lyapunov exponents: they hold known values, and decide about chaos only where growth is exponential."""

import numpy as np
import pytest
import sympy as sp

import gandyn as gd
from gandyn.analysis.long_run.lyapunov_exponents import _band

x, y = sp.symbols("x y", real=True)
STEP = gd.rules.GDA(1.0)


def planar(first, second):
    """The map (x, y) -> (first, second) as a gradient step of size 1."""
    return gd.games.from_sympy([sp.integrate(x - first, x), sp.integrate(y - second, y)], [x, y])


LOGISTIC = gd.games.from_sympy([sp.integrate(x - 4 * x * (1 - x), x), y**2 / 4], [x, y])
HENON = planar(1 - sp.Rational(7, 5) * x**2 + y, sp.Rational(3, 10) * x)


def kicked(k):
    return planar(x + y + k * sp.sin(x), y + k * sp.sin(x))


@pytest.mark.parametrize(
    ("game", "start", "truth", "slack"),
    [
        (LOGISTIC, [0.3, 0.1], np.log(2), 0.0),
        (HENON, [0.1, 0.1], 0.4192, 0.002),
        (kicked(5.0), [3.0, 0.3], np.log(2.5), 0.1),  # Chirikov: about log(k / 2) for large k
    ],
    ids=["logistic, r = 4", "Henon", "standard map"],
)
def test_chaotic_maps_with_known_exponents(game, start, truth, slack):
    found = gd.lyapunov_exponents(game, STEP, start, steps=4000)
    assert abs(found.largest - truth) <= 1.5 * found.band[0] + slack
    assert found.band[0] < 0.05
    assert found.chaotic is True
    assert "chaotic" in found.summary()


@pytest.mark.slow
def test_the_band_covers_the_exponent_of_the_logistic_map_as_often_as_it_says():
    starts = np.random.default_rng(1).uniform(0.05, 0.95, 200)
    runs = [gd.lyapunov_exponents(LOGISTIC, STEP, [s, 0.1], steps=1000, settle=50) for s in starts]
    inside = np.mean([abs(r.largest - np.log(2)) <= r.band[0] for r in runs])
    assert inside >= 0.9


@pytest.mark.parametrize(
    "rule", [gd.rules.AlternatingGD(0.3), gd.rules.AlternatingGD(0.5), gd.rules.AlternatingGD(1.1)], ids=str
)
def test_linear_dynamics_are_not_chaotic(rule):
    found = gd.lyapunov_exponents(gd.games.bilinear(), rule, [1.0, 0.0])
    assert found.chaotic is False
    assert found.linear
    assert (np.abs(found.exponents) <= found.band).all()
    assert "the derivative is constant along the orbit" in found.summary()


def test_an_expanding_linear_map_is_not_chaotic_though_its_exponent_is_positive():
    found = gd.lyapunov_exponents(gd.games.bilinear(), gd.rules.GDA(0.5), [1.0, 0.0], steps=400)
    assert found.largest > 0.1
    assert found.chaotic is False


def test_regular_orbits_of_nonlinear_maps_are_left_open():
    """Quasi-periodic: growth by a power of time, whose rate log(n) / n is above 0 at any finite n."""
    found = gd.lyapunov_exponents(kicked(0.5), STEP, [3.0, 0.3])
    assert found.chaotic is None
    assert not found.linear
    assert abs(found.largest) <= found.band[0]
    assert found.resolution == pytest.approx(np.log(5000) / 5000)


def test_an_attracting_point_is_certainly_not_chaotic():
    found = gd.lyapunov_exponents(gd.games.from_sympy([x**2 / 4 + x**4, y**2 / 3], [x, y]), STEP, [0.2, 0.1])
    np.testing.assert_allclose(found.exponents, np.log([0.5, 1 / 3]), atol=1e-9)
    assert found.chaotic is False


@pytest.mark.parametrize("memory", [0.0, 0.6])
def test_bands_of_correlated_rates_cover_their_mean(memory):
    """200 first-order autoregressions of 2000 rates around 0."""
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(2000, 200))
    rates = noise.copy()
    for n in range(1, 2000):
        rates[n] = memory * rates[n - 1] + noise[n]
    inside = np.abs(rates.mean(0)) <= _band(rates, 0.0)
    assert 0.92 <= inside.mean() <= 0.99


def test_rock_paper_scissors_with_ties_is_chaotic_far_out_in_logits():
    """Sato, Akiyama & Farmer 2002, eps = 1/2, k = 1: logits run to hundreds, and neither values nor slopes overflow."""
    game, start = (
        gd.games.matrix_game([[-0.5, 1, -1], [-1, -0.5, 1], [1, -1, -0.5]]),
        [0.5, 0.01, 0.49, 0.5, 0.25, 0.25],
    )
    field = gd.replicator_in_logits(game)
    symbols = np.array([*sp.symbols("u1:4 v1:4", real=True), None], dtype=object)[:-1]
    slopes = sp.Matrix(list(field(symbols))).jacobian(list(symbols))
    there = sp.lambdify(
        list(symbols),
        slopes,
        [{"sigmoid": lambda z: 1 / (1 + np.exp(-z)), "softplus": lambda z: np.logaddexp(0, z)}, "numpy"],
    )
    with np.errstate(over="ignore"):
        assert np.isfinite(there(900.0, -900.0, 0.0, 400.0, -400.0, 0.0)).all()
    found = gd.lyapunov_exponents(game, None, np.log(start), steps=150, settle=0, time=2.0, field=field)
    assert np.isfinite(found.exponents).all()
    assert found.determinant == pytest.approx(0, abs=1e-12)


@pytest.mark.slow
def test_sato_akiyama_farmer():
    game, start = (
        gd.games.matrix_game([[-0.5, 1, -1], [-1, -0.5, 1], [1, -1, -0.5]]),
        [0.5, 0.01, 0.49, 0.5, 0.25, 0.25],
    )
    field = gd.replicator_in_logits(game)
    found = gd.lyapunov_exponents(game, None, np.log(start), steps=1200, time=2.0, field=field)
    assert abs(found.largest - 0.055) <= found.band[0]
    assert 0.02 < found.largest < 0.1
    assert found.chaotic is True


def test_a_budget_that_runs_out_is_said():
    hurried = gd.lyapunov_exponents(HENON, STEP, [0.1, 0.1], steps=10**6, settle=0, budget=0.5)
    assert "out of time" in hurried.status
    assert "out of time" in hurried.summary()
    assert 20 <= hurried.steps < 10**6
    with pytest.raises(gd.GandynError, match="20 or more"):
        gd.lyapunov_exponents(HENON, STEP, [0.1, 0.1], steps=10**6, settle=10**6, budget=0.1)
    with pytest.raises(gd.GandynError, match="budget=0"):
        gd.lyapunov_exponents(HENON, STEP, [0.1, 0.1], budget=0)


def test_an_orbit_that_overflows_is_said_to_diverge():
    flow = gd.games.from_sympy([-(x**4), y**2], [x, y])
    for found, what in (
        (gd.lyapunov_exponents(HENON, STEP, [10.0, 0.1]), "diverged: 0 of"),
        (gd.lyapunov_exponents(flow, None, [1.0, 0.0], steps=40, time=5.0), "stalled"),
    ):
        assert found.status.startswith(what)
        assert found.status in found.summary()
        assert np.isnan(found.exponents).all()
        assert found.chaotic is None
        assert np.isfinite(found.end).all()
        found.plot()


def test_an_orbit_that_overflows_late_keeps_what_was_counted():
    """x' = 6 x for 60 steps, then a cubic takes over: w doubles its digits at every step."""
    game = gd.games.from_sympy([-5 * x**2 / 2 - x**4 / 10**90, y**2 / 4], [x, y])
    found = gd.lyapunov_exponents(game, STEP, [1e-5, 0.0], steps=200, settle=0)
    assert 20 <= found.steps < 200
    assert found.status == f"diverged: {found.steps} of 200 steps computed"
    assert found.largest > 1.7
    assert found.chaotic is None
