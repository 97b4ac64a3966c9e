"""speed_limit and recommend: closed forms, the equilibrium charge, schedules, and predictions that are run."""

import math
from fractions import Fraction

import numpy as np
import pytest

import gandyn as gd
from gandyn.analysis.optimal.given import hull
from gandyn.analysis.optimal.limits import _green, leja
from gandyn.errors import DomainError, ParameterError

R, C = gd.rules, gd.classes
BILINEAR, SEGMENT = C.Bilinear(0.5, 2), C.Spectrum(segment=(0.5, 2))
CROSS = C.Spectrum(cross=(1.37, 0.61, 2.3))


@pytest.mark.parametrize(
    ("over", "value"),
    [
        (BILINEAR, math.sqrt(3 / 5)),
        (SEGMENT, 1 / 3),
        (C.Spectrum(disc=(1, 0.5)), 0.5),
        (C.Spectrum(ellipse=(1.3, 0.4, 0.9)), 0.459411708156),
        (CROSS, math.sqrt(0.371535)),  # momentum extragradient per step of two gradients, Kim et al. 2022
        (C.Spectrum(points=[1, 2]), 0.0),
        (C.Spectrum(points=[0, 1]), 1.0),
        (C.Spectrum(polygon=[-1, 1, 1j]), 1.0),
    ],
    ids=str,
)
def test_limits_in_closed_form(over, value):
    assert gd.speed_limit(over).value == pytest.approx(value, abs=2e-6 if over is CROSS else 1e-11)


@pytest.mark.parametrize(
    "over", [C.Spectrum(disc=(1, 0.5)), C.Spectrum(ellipse=(1.3, 0.9, 0.4)), SEGMENT, CROSS], ids=str
)
def test_the_equilibrium_charge_meets_the_closed_forms(over):
    assert _green(over) == pytest.approx(gd.speed_limit(over).value, abs=2e-5)


def test_polynomials_of_small_degree_on_a_polygon_stay_above_the_limit():
    """min max |p| over random polynomials p(0) = 1 with real coefficients, improved by least squares on the border."""
    over = C.Spectrum(polygon=[0.3, 2, 1.5 + 1j])
    limit = gd.speed_limit(over).value
    z = np.concatenate([(lambda x, y, n: (x + 1j * y) / n)(*c(np.linspace(0, 1, 400))) for c in over.curves()])
    powers = np.stack([z ** (k + 1) for k in range(12)], -1)
    weights = np.ones(len(z))
    for _ in range(200):  # Lawson's iteration for the largest modulus
        rows = np.concatenate([powers.real, powers.imag]) * np.sqrt(np.tile(weights, 2))[:, None]
        right = -np.concatenate([np.ones(len(z)), np.zeros(len(z))]) * np.sqrt(np.tile(weights, 2))
        error = np.abs(1 + powers @ np.linalg.lstsq(rows, right, rcond=None)[0])
        weights = weights * error / (weights * error).sum()
    assert limit - 1e-5 < error.max() ** (1 / 12) < limit * 1.15


def test_a_finite_number_of_gradients():
    """leads: .882353 and .637394 for two and four gradients on bilinear games with condition 4."""
    assert gd.speed_limit(BILINEAR, 2).value ** 2 == pytest.approx(15 / 17, abs=1e-12)
    assert gd.speed_limit(BILINEAR, 4).value ** 4 == pytest.approx(0.637394, abs=1e-6)
    assert gd.speed_limit(BILINEAR, 1).value == 1.0
    assert gd.speed_limit(BILINEAR, 200).value == pytest.approx(math.sqrt(0.6), abs=5e-3)


def test_a_schedule_in_leja_order_keeps_its_digits():
    """Condition 100, 64 steps, on a dense matrix: Leja's order ends near 1/T_64, the sorted one far above the start."""
    found = gd.speed_limit(C.Spectrum(segment=(1, 100)), 64)
    bound = found.value**64
    assert bound == pytest.approx(5.28955e-6, rel=1e-5)
    rng = np.random.default_rng(0)
    q = np.linalg.qr(rng.normal(size=(60, 60)))[0]
    matrix = q @ np.diag(np.linspace(1, 100, 60)) @ q.T
    ends = {}
    for name, steps in (
        ("leja", found.steps),
        ("sorted", np.sort(found.steps)),
        ("reversed", np.sort(found.steps)[::-1]),
    ):
        w = q @ np.ones(60) / math.sqrt(60)
        for h in steps:
            w = w - h * matrix @ w
        ends[name] = np.linalg.norm(w)
    assert ends["leja"] <= bound * (1 + 1e-3)
    assert max(ends["sorted"], ends["reversed"]) > 1
    assert sorted(leja(np.array([1.0, 2.0, 3.0]))) == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    "rule",
    [
        R.Extragradient("lr"),
        R.OptimisticGD("lr"),
        pytest.param(R.HeavyBall("lr", "m", alternating=True), marks=pytest.mark.slow),
    ],
)
def test_no_rule_that_uses_fields_alone_passes_the_limit(rule):
    found = gd.design(rule, BILINEAR)
    assert found.rate ** (1 / rule.cost.fields) >= gd.speed_limit(BILINEAR).value


# --- recommend --------------------------------------------------------------------------------------------------------


def test_momentum_is_recommended_on_a_segment():
    found = gd.recommend(SEGMENT, [R.GDA("lr"), R.HeavyBall("lr", "m"), R.Extragradient("lr")])
    assert [c.design.rule.name for c in found.choices] == ["HeavyBall", "SimultaneousGD", "Extragradient"]
    assert found.choices[2].per_gradient == pytest.approx(math.sqrt(0.84), abs=1e-12)
    assert found.limit == pytest.approx(found.choices[0].per_gradient, abs=1e-12)
    assert "recommended: HeavyBall" in found.summary()
    assert found.to_dict()["rules"][0]["kind"] == "exact"


def test_what_is_recommended_for_a_game_contracts_as_predicted():
    game = gd.games.quadratic(0.37, 1.13, 0.37)
    found = gd.recommend(game, [R.GDA("lr"), R.Extragradient("lr"), R.Adam(0.1)])
    assert found.refused[0][0] == R.Adam(0.1)
    best = found.choices[0]
    assert best.design.rule.name == "Extragradient"
    run = gd.iterate(game, found.best, [1.0, 0.5], 40).w
    sizes = np.linalg.norm(run, axis=-1)
    assert (sizes[40] / sizes[20]) ** (1 / 20) == pytest.approx(best.design.rate, abs=1e-9)
    steps = run[:-1, 0] + 1j * run[:-1, 1], run[1:, 0] + 1j * run[1:, 1]
    assert abs(np.angle(steps[1][5] / steps[0][5])) == pytest.approx(best.rotation, abs=1e-6)
    law = gd.stationary(game, found.best, noise=1.0)
    assert best.noise_floor == pytest.approx(law.mean_square_distance)


def test_a_game_whose_jacobian_is_not_normal_says_so():
    game = gd.games.quadratic(0.2, 1.0, 1.4)
    assert "not normal" in gd.recommend(game, [R.GDA("lr")]).reason


@pytest.mark.slow
def test_all_candidates_on_bilinear_games():
    found = gd.recommend(BILINEAR)
    assert found.best.name == "Lookahead"
    assert all(c.per_gradient >= found.limit for c in found.choices)
    assert found.plot().data["limit"] == found.limit
    none = [c.design.rule.name for c in found.choices if not c.design.attained]
    assert "SimultaneousGD" in none


def test_a_measured_spectrum_is_designed_for():
    game = gd.games.planted_quadratic([1 + 0.5j, 1.5 - 0.2j, 2 + 0.1j])
    found = gd.spectrum(game, [0.0] * game.dim, 2, ("LM", "SR"))
    design = gd.design(R.GDA("lr"), over=found)
    values = np.array([1 + 0.5j, 1.5 - 0.2j, 2 + 0.1j])
    assert np.abs(1 - design.values["lr"] * values).max() <= design.rate + 1e-9
    assert design.rate < 1
    assert "Ritz" in gd.recommend(found, [R.GDA("lr")]).reason
    with pytest.raises(DomainError):
        gd.design(R.GDA("lr"), over=gd.spectrum(game, [0.0] * game.dim, rule=R.GDA(0.1)))


def test_hulls():
    square = np.array([1, 2, 1 + 1j, 2 + 1j, 1.5 + 0.5j])
    assert set(hull(square).polygon) == {1, 2, 1 + 1j, 2 + 1j}
    assert hull(np.array([1, 2, 3])).segment == (1, 3)
    assert hull(np.array([1 + 1j, 1 - 1j])).kind == "segment"
    assert hull(np.array([2.0 + 0j])).kind == "points"


@pytest.mark.parametrize(
    "bad",
    [
        lambda: gd.speed_limit(BILINEAR, 0),
        lambda: gd.speed_limit(BILINEAR, True),
        lambda: gd.speed_limit(3),
        lambda: gd.recommend("bilinear"),
        lambda: gd.recommend(SEGMENT, rules=3),
        lambda: gd.recommend(SEGMENT, rules=[3]),
        lambda: gd.recommend(SEGMENT, rules=[]),
    ],
)
def test_bad_calls_are_refused(bad):
    with pytest.raises(ParameterError):
        bad()


@pytest.mark.parametrize(
    "bad", [lambda: gd.speed_limit(C.StronglyMonotone(0.1, 1)), lambda: gd.speed_limit(C.Spectrum(disc=(1, 0.5)), 3)]
)
def test_limits_that_are_not_known_are_refused(bad):
    with pytest.raises(DomainError):
        bad()


def test_the_floor_of_a_curved_game_has_no_bias_in_it():
    game = gd.games.from_sympy(["exp(x) - x + x*y", "y**2/2 - x*y"], [["x"], ["y"]], equilibria=[(0, 0)])
    choice = gd.recommend(game, [gd.rules.GDA("lr")]).choices[0]
    law = gd.stationary(game, choice.design.best, noise=1e-6)
    assert choice.noise_floor == pytest.approx(1e6 * np.trace(law.covariance), rel=1e-9)


def test_the_linear_border_of_monotone_fields_has_its_corner_where_line_and_circle_meet():
    arc, edge = C.StronglyMonotone(0.3, 2).curves()
    ends = [complex(*map(float, edge.point(Fraction(k)))) for k in (0, 1)]
    assert ends[0] == pytest.approx(0.3)
    assert abs(ends[1]) == pytest.approx(2, rel=1e-12)
    assert ends[1].real == pytest.approx(0.3, abs=1e-12)
    assert complex(*map(float, arc.point(Fraction(1)))) == pytest.approx(ends[1])


def test_an_ellipse_holds_what_its_equation_says():
    """|Re (z - c)| / p and |Im z| / q: squares that sum to 1."""
    ellipse = C.Spectrum(ellipse=(3, 2, 1))
    for z, inside in ((3 + 0.9j, True), (3 + 1.1j, False), (4.9, True), (4.4 + 0.7j, True), (4.5 + 0.75j, False)):
        assert ellipse.holds(z) == inside, z


@pytest.mark.parametrize("unit", [1e-13, 1e-9, 1e9])
def test_hulls_and_limits_do_not_depend_on_units(unit):
    """Time in other units multiplies the spectrum by a number, and leaves every factor per gradient as it was."""
    corners = [1 - 1j, 3 - 0.5j, 3 + 0.5j, 1 + 1j]
    points = np.array([*corners, 2, 2.5 + 0.2j, 2.5 - 0.2j])
    found = [complex(*map(float, z)) / unit for z in hull(points * unit).exact]
    np.testing.assert_allclose(found, corners, rtol=1e-9)
    here = gd.speed_limit(C.Spectrum(polygon=[z * unit for z in corners])).value
    assert here == pytest.approx(gd.speed_limit(C.Spectrum(polygon=corners)).value, rel=1e-9)
