"""Bands of measured rates on planted families; runs that follow neither law, diverge, or were recorded sparsely."""

import json

import numpy as np
import pytest
from rate_families import FAMILIES, autoregression

import gandyn as gd
from gandyn.analysis.measured.oscillation import period
from gandyn.analysis.measured.rates import DOUBT
from gandyn.analysis.measured.regression import Regression
from gandyn.results import Status, Trajectory

BILINEAR = gd.games.bilinear()


def planted(t, distance, status=Status.OK):
    w = np.column_stack([distance, 0 * np.asarray(distance)])
    return Trajectory(w=w, t=np.asarray(t), status=status, steps=len(t) - 1, game=BILINEAR, rule=gd.rules.Adam(0.2))


def coverage(family, draws, **options):
    """The share of bands that hold the truth."""
    _, draw, rho, exponent = family
    inside = 0
    for seed in range(draws):
        found = gd.fit_rate(planted(*draw(np.random.default_rng(seed))), to=[0, 0], **options)
        (low, high), truth = (found.rho_band, rho) if rho is not None else (found.exponent_band, exponent)
        inside += low <= truth <= high
    return inside / draws


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES, ids=[f[0] for f in FAMILIES])
def test_bands_cover_as_often_as_they_say(family):
    """95 % nominal. Without noise there is nothing random: the band is to hold the truth, and may do so always."""
    share = coverage(family, 400)
    assert share >= (0.90 if "short" in family[0] else 0.92)
    if "noise" not in family[0] and "quiet" not in family[0] and "oscillating and" not in family[0]:
        assert share <= 0.985


@pytest.mark.parametrize("family", [FAMILIES[k] for k in (0, 2, 4, 6, 8, 12, 15)], ids=lambda f: f[0])
def test_a_few_bands_cover(family):
    assert coverage(family, 8) >= 6 / 8


@pytest.mark.parametrize(
    "curve",
    [
        lambda t: -np.sqrt(t),
        lambda t: -(t**0.7),
        lambda t: -3 * t**0.3,
        lambda t: -np.log(np.log(t + 2)),
        lambda t: -((t / 300) ** 2),
    ],
    ids=["exp(-sqrt t)", "exp(-t^.7)", "exp(-3 t^.3)", "1 / log t", "exp(-(t / 300)^2)"],
)
def test_what_is_neither_linear_nor_a_power_law_is_called_neither(curve):
    t = np.arange(2000.0)
    found = gd.fit_rate(planted(t, np.exp(curve(t + 1))), to=[0, 0])
    assert found.model == "neither"
    assert "smooth curve" in found.reason
    if curve(2000.0) > -3:
        return  # 1 / log t is too close to a small power for noise of 2 % to tell
    noisy = np.exp(curve(t + 1) + 0.02 * np.random.default_rng(0).normal(size=2000))
    assert gd.fit_rate(planted(t, noisy), to=[0, 0], window=0.9).model == "neither"


@pytest.mark.slow
@pytest.mark.parametrize("memory", [0.0, 0.7])
def test_neither_is_rarely_said_of_what_is_linear_or_a_power_law(memory):
    t, wrong = np.arange(500.0), 0
    for seed in range(12):
        noise = autoregression(np.random.default_rng(seed), 500, memory, 0.03)
        wrong += gd.fit_rate(planted(t, np.exp(-0.02 * t + noise)), to=[0, 0]).model == "neither"
        wrong += gd.fit_rate(planted(t, np.exp(noise) / (t + 2)), to=[0, 0]).model == "neither"
    assert wrong <= 2


def test_a_transient_widens_the_band_to_where_it_leads():
    t = np.arange(2000.0)
    found = gd.fit_rate(planted(t, 0.99**t + 0.985**t), to=[0, 0])
    assert found.model == "linear"
    assert found.linear.doubt < DOUBT
    assert found.rho_band[0] <= 0.99 <= found.rho_band[1]


@pytest.mark.parametrize("stride", ["all", 7])
def test_a_run_that_diverged_has_its_growth_and_no_rate(stride):
    run = gd.iterate(BILINEAR, gd.rules.GDA(5.0), [1.0, 0.0], 2000, record=stride)
    found = gd.fit_rate(run)
    assert found.model == "diverged"
    assert found.rho == pytest.approx(np.sqrt(26), rel=1e-9)
    assert found.rho_band[0] <= np.sqrt(26) <= found.rho_band[1]
    assert "diverged" in found.summary()
    assert json.loads(json.dumps(found.to_dict()))["model"] == "diverged"


def test_how_often_a_run_was_recorded_changes_nothing():
    runs = [gd.iterate(BILINEAR, gd.rules.Extragradient(0.2), [1.0, 0.5], 3000, record=r) for r in ("all", 7, 31)]
    for run in runs:
        assert gd.fit_rate(run).rho == pytest.approx((1 - 0.04 + 0.0016) ** 0.5, rel=1e-10)
    t = np.arange(20_000.0)
    swing = (1 + 0.5 * np.cos(0.01 * t)) / (t + 1)
    found = [gd.fit_rate(planted(t[::k], swing[::k]), to=[0, 0]) for k in (5, 20)]
    for one in found:
        assert one.period == pytest.approx(2 * np.pi / 0.01, rel=1e-2)
        assert one.exponent == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("memory", [0.0, 0.5, 0.8])
def test_the_correlation_of_noise_is_found_without_bias(memory):
    t, sums = np.arange(150.0, 450.0), []
    for seed in range(40):
        noise = autoregression(np.random.default_rng(seed), 300, memory, 0.05)
        sums.append(Regression(t, noise - 0.01 * t).noise.coefficients.sum())
    assert np.mean(sums) == pytest.approx(memory, abs=0.03)


def test_whitening_by_hand():
    """y_n - .5 y_{n-1}: a line a + b n becomes a / 2 + b (n + 1) / 2."""
    from gandyn.analysis.measured.regression import Noise

    line = 3 + 2 * np.arange(6.0)
    np.testing.assert_allclose(Noise(np.array([0.5])).whiten(line[:, None])[:, 0], 1.5 + (np.arange(1, 6) + 1.0))


def test_a_period_is_found_under_noise_and_not_in_noise():
    rng, t = np.random.default_rng(0), np.arange(100.0, 500.0)
    y = -0.01 * t + 0.5 * np.cos(0.23 * t) + 0.1 * rng.normal(size=400)
    assert period(t, y)[0] == pytest.approx(2 * np.pi / 0.23, rel=1e-3)
    assert period(t, -0.01 * t + autoregression(rng, 400, 0.9, 0.3)) is None
    assert period(t, -0.01 * t) is None
