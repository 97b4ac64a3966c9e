"""Fitted rates against planted ones; averages; escape times against counting by hand."""

import dataclasses

import numpy as np
import pytest
import sympy

import gandyn as gd
from gandyn.analysis.measured.oscillation import peaks
from gandyn.results import Status, Trajectory

BILINEAR = gd.games.bilinear()


def planted(distance, angle=0.0):
    """A trajectory with given distances to the origin, turning by `angle` a step."""
    t = np.arange(len(distance), dtype=float)
    w = np.asarray(distance)[:, None] * np.column_stack([np.cos(angle * t), np.sin(angle * t)])
    return Trajectory(w=w, t=t, status=Status.OK, steps=len(t) - 1, game=BILINEAR, rule=gd.rules.GDA(0.2))


@pytest.mark.parametrize("rho", [0.5, 0.9, 0.999, 1 - 1e-5, 1.01])
def test_planted_linear_rates(rho):
    found = gd.fit_rate(planted(0.7 * rho ** np.arange(601.0), 0.3))
    assert found.model == ("linear" if abs(np.log(rho)) * 300 > 1e-3 * 4 else found.model)
    assert found.rho == pytest.approx(rho, rel=1e-10)


@pytest.mark.parametrize("p", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("shift", [1.0, 40.0])
def test_planted_power_laws(p, shift):
    found = gd.fit_rate(planted((np.arange(2001.0) + shift) ** -p))
    assert found.model == "power"
    assert found.exponent == pytest.approx(p, abs=1e-3)


def test_an_oscillating_distance_is_fitted_at_its_peaks():
    t = np.arange(1500.0)
    found = gd.fit_rate(planted(0.99**t * np.abs(np.cos(0.13 * t))))
    assert found.envelope
    assert found.period == pytest.approx(np.pi / 0.13, rel=1e-2)
    assert found.rho == pytest.approx(0.99, abs=2e-5)
    assert found.model == "linear"


@pytest.mark.slow
@pytest.mark.parametrize("correlation", [0.0, 0.8])
def test_bands_hold_the_truth_under_correlated_noise(correlation):
    rng, inside, t = np.random.default_rng(3), 0, np.arange(600.0)
    for _ in range(60):
        noise = np.zeros(600)
        for k in range(1, 600):
            noise[k] = correlation * noise[k - 1] + 0.05 * rng.normal()
        found = gd.fit_rate(planted(np.exp(-0.01 * t + noise)), window=1.0)
        low, high = found.rho_band
        inside += low <= np.exp(-0.01) <= high
        assert high - low < 1e-3
    assert inside >= 48  # 95 % nominal; a bootstrap of short correlated series covers a little less


def test_the_band_of_an_exponent_holds_it_from_below_and_above():
    noise = 0.02 * np.random.default_rng(5).normal(size=800)
    found = gd.fit_rate(planted((np.arange(800.0) + 1) ** -1.0 * np.exp(noise)))
    low, high = found.exponent_band
    assert low < found.exponent < high
    assert 0.7 < low < 1.0 < high < 1.4


def test_a_short_noisy_series_is_left_undecided():
    rng = np.random.default_rng(0)
    d = (np.arange(40.0) + 40) ** -0.5 * np.exp(0.05 * rng.normal(size=40))
    assert gd.fit_rate(planted(d)).model in {"undecided", "no decay"}
    assert gd.fit_rate(gd.iterate(BILINEAR, gd.rules.AlternatingGD(0.3), [1.0, 0.0], 900)).model == "no decay"


@pytest.mark.parametrize(
    "rule", [gd.rules.GDA(0.2), gd.rules.Extragradient(0.2), gd.rules.OptimisticGD(0.2), gd.rules.ProximalPoint(0.2)]
)
def test_measured_moduli_agree_with_the_prediction(rule):
    found = gd.fit_rate(gd.iterate(BILINEAR, rule, [1.0, 0.5], 500))
    assert found.model == "linear"
    assert found.rho == pytest.approx(rule.bilinear_modulus(0.2), rel=1e-6)
    assert found.predicted == pytest.approx(found.rho, rel=1e-6)


def test_a_flow_s_rate_is_per_unit_of_time():
    game = gd.games.dirac_gan(penalty="R1(0.3)")
    found = gd.fit_rate(gd.flow(game, [0.01, 0.0], 200.0, samples=4001))
    assert found.predicted == pytest.approx(np.exp(-0.15), rel=1e-9)
    assert found.rho == pytest.approx(np.exp(-0.15), rel=1e-3)


@pytest.mark.slow
def test_the_nonsaturating_dirac_gan_comes_home_as_one_over_the_root_of_t():
    """r^2 ~ 8/t: marginal eigenvalues, decided by the next term; no linear rate exists."""
    run = gd.flow(gd.games.dirac_gan(loss="nonsaturating"), [1.0, 0.5], 4000.0, samples=40001)
    found = gd.fit_rate(run)
    assert found.model == "power"
    assert found.exponent == pytest.approx(0.5, abs=0.01)
    assert found.predicted == pytest.approx(1.0, abs=1e-12)
    assert np.square(found.distance[-1]) * found.t[-1] == pytest.approx(8, rel=0.02)


def test_averages_of_circling_play_converge_as_one_over_t():
    run = gd.iterate(BILINEAR, gd.rules.AlternatingGD(0.2), [1.0, 0.0], 4000)
    average = gd.ergodic_average(run)
    np.testing.assert_allclose(average.w[7], run.w[1:8].mean(0), rtol=1e-13)
    found = gd.fit_rate(average)
    assert (found.model, found.envelope, found.predicted) == ("power", True, None)
    assert found.exponent == pytest.approx(1, abs=0.01)
    flow = gd.ergodic_average(gd.flow(BILINEAR, [1.0, 0.0], 2 * np.pi, samples=2001))
    np.testing.assert_allclose(flow.w[-1], 0, atol=1e-6)


def test_escape_times():
    start = np.array([[0.1, 0.0], [0.0, 0.9], [2.0, 0.0], [0.0, 0.0]])
    found = gd.escape_time(BILINEAR, gd.rules.GDA(0.5), start, 15, radius=1.0)
    growth = np.log(np.sqrt(1.25))
    expected = [int(np.floor(np.log(1 / 0.9) / growth)) + 1, 0]
    assert found.steps.tolist() == [15, *expected, 15]
    assert found.escaped.tolist() == [False, True, True, False]
    assert "censored: 2 still inside after 15 steps" in found.summary()
    assert found.to_dict()["label"] == ["censored", "escaped", "escaped", "censored"]
    long = gd.escape_time(BILINEAR, gd.rules.GDA(0.5), start, 40, box=[(-1, 1), (-1, 1)])
    runs = gd.iterate(BILINEAR, gd.rules.GDA(0.5), start, 40).w
    assert long.steps[0] == int(np.argmax((np.abs(runs[:, 0]) > 1).any(-1)))
    assert long.escaped.tolist() == [True, True, True, False]
    _, inside = long.survival
    assert (np.diff(inside) < 0).all()
    assert inside[-1] == 0.25


def test_overflow_is_an_escape():
    game = gd.games.quadratic(-1, 0, -1)
    found = gd.escape_time(game, gd.rules.GDA(1e8), [[1.0, 1.0]], 60, radius=1e307, centre=[0, 0])
    assert found.escaped.all()
    unbounded = gd.escape_time(game, gd.rules.GDA(1e8), [[1.0, 1.0]], 60, radius=np.inf, centre=[0, 0])
    assert unbounded.steps.tolist() == [38]
    assert found.steps.tolist() == [38]  # 1e296 is below the ceiling of double precision, 1.7e302, and 1e304 is not


def test_mistakes():
    run = gd.iterate(BILINEAR, gd.rules.GDA(0.2), [[1.0, 0.0]], 50)
    with pytest.raises(gd.GandynError, match="one start"):
        gd.fit_rate(run)
    with pytest.raises(gd.GandynError, match="12 or more"):
        gd.fit_rate(dataclasses.replace(run, w=run.w[:9, 0], t=run.t[:9]))
    with pytest.raises(gd.GandynError, match="one region"):
        gd.escape_time(BILINEAR, gd.rules.GDA(0.1), [[1.0, 0.0]], 5)


def test_pictures_hold_the_numbers():
    fit = gd.fit_rate(gd.iterate(BILINEAR, gd.rules.Extragradient(0.2), [1.0, 0.5], 300))
    data = fit.plot().data
    np.testing.assert_allclose(data["linear"], data["distance"], rtol=1e-9)
    times = gd.escape_time(BILINEAR, gd.rules.GDA(0.5), [[0.1, 0.0], [0.0, 0.9], [0.0, 0.0]], 40, radius=1.0)
    picture = times.plot()
    assert picture.data["inside"][-1] == pytest.approx(1 / 3)
    assert picture.axes[0].lines[0].get_ydata()[-1] == pytest.approx(1 / 3)  # the curve runs on to the last step
    nobody = gd.escape_time(BILINEAR, gd.rules.GDA(0.5), [[0.0, 0.0]], 5, radius=1.0)
    assert nobody.plot().axes[0].lines[0].get_ydata().tolist() == [1.0, 1.0]
    data = gd.high_resolution(BILINEAR, gd.rules.GDA(0.1)).plot().data
    np.testing.assert_allclose(data["rule"], np.log(1 + data["lr"] ** 2) / 2 / data["lr"], rtol=1e-9)
    assert (data["equation"] > 0).all()


def test_nothing_is_predicted_of_a_target_that_is_no_fixed_point():
    """The field of x y is 0.2 long at (0.2, 0), so no linearisation there says how fast a run comes near."""
    run = gd.iterate(gd.games.quadratic(1, 1, 1), gd.rules.GDA(0.1), [1.0, 1.0], 200)
    assert gd.fit_rate(run, to=[0, 0]).predicted == pytest.approx(np.hypot(0.9, 0.1), rel=1e-9)
    assert gd.fit_rate(run, to=[0.2, 0.0]).predicted is None


def test_what_parabolas_miss_of_peaks_is_taken_up_by_four_columns_of_their_own():
    t = np.arange(400.0)
    found = peaks(t, np.cos(0.37 * t), lambda at: 0 * at)
    assert found.period == pytest.approx(2 * np.pi / 0.37, rel=1e-3)
    assert found.columns.shape[1] == np.linalg.matrix_rank(found.columns, tol=1e-12) == 3


def test_of_several_equilibria_the_one_nearest_to_the_end_is_meant():
    x, y = sympy.symbols("x y", real=True)
    game = gd.games.from_sympy([(x**2 - 1) ** 2 / 4, y**2 / 2], [x, y], equilibria=[(1, 0), (-1, 0)])
    for side in (1.0, -1.0):
        found = gd.fit_rate(gd.iterate(game, gd.rules.GDA(0.1), [0.5 * side, 1.0], 300))
        assert found.model == "linear"
        assert found.rho == pytest.approx(0.9, rel=1e-2)


@pytest.mark.parametrize("units", [sympy.Rational(1, 10**9), 1, 10**6])
def test_a_prediction_is_made_at_equilibria_only_in_any_units(units):
    """f = u (x^2 / 2 - y^2 / 2 + x^4) is at rest at 0 and not at (3, 1), however small u and with it the field."""
    x, y = sympy.symbols("x y", real=True)
    game = gd.games.from_sympy(units * (x**2 / 2 - y**2 / 2 + x**4), [x, y])
    run = gd.flow(game, [1.0, 1.0], 5 / float(units), samples=200)
    assert gd.fit_rate(run, to=[0, 0]).predicted == pytest.approx(np.exp(-float(units)), rel=1e-9)
    assert gd.fit_rate(run, to=[3, 1]).predicted is None
