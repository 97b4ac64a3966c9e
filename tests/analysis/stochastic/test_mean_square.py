"""Mean-square stability: planted thresholds, the exponent of single runs, and what has no threshold."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy
from analysis.stochastic.planted_sums import planted, rotations

import gandyn as gd
from gandyn.errors import ParameterError

R = gd.rules


@pytest.mark.parametrize("couplings", [("0.9", "2.1"), ("0.3", "2.1"), ("-0.4", "2.1"), ("1", "1.5", "-0.25")])
def test_extragradient_on_bilinear_sums(couplings):
    """Same sample: lr^2 < E b^2 / E b^4. Fresh: lr^2 < (2 (E b)^2 - E b^2) / (E b^2)^2, never if E b^2 >= 2 (E b)^2."""
    b = [sympy.Rational(x) for x in couplings]
    first, second, fourth = (sum(x**k for x in b) / sympy.Integer(len(b)) for k in (1, 2, 4))
    game = rotations(*couplings)
    same = gd.mean_square(game, R.Extragradient("lr")).critical("lr")
    fresh = gd.mean_square(game, R.Extragradient("lr", fresh=True)).critical("lr")
    assert sympy.simplify(same**2 - second / fourth) == 0
    assert sympy.simplify(fresh**2 - max(2 * first**2 - second, 0) / second**2) == 0


def test_fresh_samples_may_be_the_more_stable_ones():
    """Numbers by a second route, and the deterministic limit 1 / E b."""
    game = rotations("0.9", "2.1")
    limits = [float(gd.mean_square(game, R.Extragradient(0.1, fresh=f)).critical("lr")) for f in (False, True)]
    np.testing.assert_allclose(limits, [0.509556, 0.526733], rtol=1e-6)
    np.testing.assert_allclose(float(gd.mean_square(game.mean(), R.Extragradient(0.1)).critical("lr")), 2 / 3)


@pytest.mark.parametrize("couplings", [(0.9, 2.1), (0.3, 2.1)])
def test_optimism_on_bilinear_sums(couplings):
    """The complex two by two map of optimism, ((1 - 2ihb, h), (ib, 0)), by its own Kronecker products."""

    def radius(h):
        maps = [np.array([[1 - 2j * h * b, h], [1j * b, 0]]) for b in couplings]
        return max(abs(np.linalg.eigvals(sum(np.kron(m, m.conj()) for m in maps) / len(maps))))

    critical = float(gd.mean_square(rotations(*couplings), R.OptimisticGD(0.1)).critical("lr"))
    np.testing.assert_allclose(radius(critical), 1, rtol=1e-10)
    assert radius(0.999 * critical) < 1 < radius(1.001 * critical)


def test_gradient_steps_on_rotations_with_damping():
    """lr < 2 E a / E(a^2 + b^2), against the deterministic threshold of the mean."""
    game = planted([("0.2", "1.9", 0, 0), (1, "0.4", 0, 0)])
    np.testing.assert_allclose(float(gd.mean_square(game, R.GDA("lr")).critical("lr")), 0.498960, rtol=2e-6)
    np.testing.assert_allclose(float(gd.mean_square(game.mean(), R.GDA("lr")).critical("lr")), 0.713224, rtol=2e-6)


def test_exploration_repairs_every_sum_whose_mean_turns():
    """lr < 2 g (E b)^2 / (E b^2 (1 + g^2 E b^2)) with a separate exploration step g on fresh samples."""
    b, g = [sympy.Rational(-2, 5), sympy.Rational(21, 10)], sympy.Rational(2, 5)
    first, second = sum(b) / 2, sum(x**2 for x in b) / 2
    found = gd.mean_square(rotations(*b), R.Extragradient("lr", extrapolation=g, fresh=True)).critical("lr")
    assert found == 2 * g * first**2 / (second * (1 + g**2 * second))


def test_the_registered_sum():
    game = gd.games.stochastic_bilinear(size=1, summands=4)
    assert gd.mean_square(game, R.Extragradient("lr")).critical("lr") ** 2 == sympy.Rational(5, 41)
    fresh = gd.mean_square(game, R.Extragradient(0.01, fresh=True))
    assert fresh.stable is False
    assert fresh.critical("lr") == 0
    np.testing.assert_allclose(fresh.spectral_radius, 1 + 3 * 0.01**2, atol=1e-6)


def test_single_runs_converge_beyond_the_mean_square_limit():
    """Almost surely (E log) the limits are larger: .515828 for the same sample, .596880 for fresh ones."""
    game = rotations("0.9", "2.1")
    for fresh, limit in ((False, 0.515828), (True, 0.596880)):
        below, above = (
            gd.mean_square(game, R.Extragradient(f * limit, fresh=fresh)).exponent(steps=1000, runs=300)
            for f in (0.99, 1.01)
        )
        assert below.value + below.band < 0 < above.value - above.band
    growing = gd.mean_square(game, R.Extragradient(0.512))
    assert growing.stable is False
    assert growing.exponent().value < 0


def test_additive_noise_leaves_it_alone():
    game = gd.games.quadratic(0.37, 1.13, 0.37)
    plain, noisy = gd.mean_square(game, R.OptimisticGD(0.1)), gd.mean_square(game, R.OptimisticGD(0.1), noise=3)
    assert plain.spectral_radius == noisy.spectral_radius
    np.testing.assert_allclose(plain.spectral_radius, plain.deterministic_radius)
    np.testing.assert_allclose(
        plain.spectral_radius, gd.linearize(game, R.OptimisticGD(0.1), at=[0, 0]).spectral_radius ** 2, rtol=1e-12
    )
    for given in (R.GDA(0.1), R.AlternatingGD(0.1), R.HeavyBall(0.1, -0.4), R.OptimisticGD(0.1)):
        expected = gd.stability_region(game, given, ("lr",)).critical("lr")
        assert float(gd.mean_square(game, given).critical("lr")) == pytest.approx(float(expected), rel=1e-12)
    assert gd.mean_square(game, R.ProximalPoint(0.1)).critical("lr") == sympy.oo


def test_minibatches_lift_the_threshold_to_the_deterministic_one():
    limits = [float(gd.mean_square(rotations("0.3", "2.1", minibatch=m), R.GDA(0.1)).critical("lr")) for m in (1, 2)]
    assert limits == [0, 0]  # gradient steps never converge on rotations
    damped = [
        float(gd.mean_square(planted([("0.2", "1.9", 0, 0), (1, "0.4", 0, 0)], m), R.GDA(0.1)).critical("lr"))
        for m in (1, 2, 4)
    ]
    spread = 0.16 + 0.5625  # variance of a and of b over the summands
    expected = [1.2 / (0.36 + 1.3225 + spread / m) for m in (1, 2, 4)]
    np.testing.assert_allclose(damped, expected, rtol=1e-9)


def test_exactly_at_the_threshold_it_is_not_stable():
    """The boundary itself, where floating point cannot tell, is decided in rational arithmetic."""
    game = planted([("0.2", "1.9", 0, 0), (1, "0.4", 0, 0)])
    critical = gd.mean_square(game, R.GDA(0.1)).critical("lr")
    assert gd.mean_square(game, R.GDA(critical)).stable is False
    assert gd.mean_square(game, R.GDA(critical - sympy.Rational(1, 10**12))).stable is True
    assert gd.mean_square(gd.games.bilinear(), R.AlternatingGD(0.3)).stable is False


def test_what_is_not_a_number_yet():
    found = gd.mean_square(gd.games.quadratic("mu", 1, "mu"), R.GDA("lr"), at=[0, 0])
    assert found.spectral_radius is None
    assert found.stable is None
    with pytest.raises(ParameterError, match="mu has no value"):
        found.critical("lr")
    with pytest.raises(ParameterError, match="steps"):
        gd.mean_square(rotations(1), R.GDA(0.1)).exponent(steps=1)
    figure = gd.mean_square(rotations("0.9", "2.1"), R.Extragradient(0.1)).plot()
    assert math.isclose(figure.data["critical"], 0.509556, rel_tol=1e-6)


@pytest.mark.parametrize("unit", [-9, 0, 9])
def test_a_threshold_in_floats_has_the_units_of_the_costs(unit):
    """sqrt(2)/2 x^2 + x y against y^2/2 - x y, times 10^k: no polynomial with rational coefficients, one threshold."""
    x, y = sympy.symbols("x y", real=True)
    costs = [sympy.sqrt(2) * x**2 / 2 + x * y, y**2 / 2 - x * y]
    game = gd.games.from_sympy([sympy.Integer(10) ** unit * c for c in costs], [x, y], equilibria=[(0, 0)])
    true = (
        10.0**-unit
    )  # complex eigenvalues: det(I - lr J) = 1 - lr tr J + lr^2 det J is 1 at tr / det, both 1 + sqrt(2)
    assert float(gd.mean_square(game, R.GDA(0.1)).critical("lr")) == pytest.approx(true, rel=1e-9)
