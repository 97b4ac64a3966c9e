"""decompose and modified_flow: promised orders measured, known first corrections, planted parts recovered."""

import numpy as np
import pytest
import sympy
from scipy.integrate import solve_ivp

import gandyn as gd
from gandyn.analysis.backward_error.expansion import step_sizes, with_steps

X, Y = sympy.symbols("x y", real=True)
GENERAL = gd.games.from_sympy([X**2 + 2 * X * Y - Y**3 * X + X**3 / 2, Y**2 / 2 - X * Y + X**2 * Y**2 / 3], [X, Y])
ZERO_SUM = gd.games.from_sympy(X**2 * Y - Y**3 / 3 + X * Y + X**3 * Y**2, [X, Y])
DIRAC = gd.games.dirac_gan()
BILINEAR = gd.games.bilinear()
START = np.array([0.7, 0.4])


def _local_error(game, rule, modified, h):
    sizes = [h * size / step_sizes(game, rule)[0] for size in step_sizes(game, rule)]
    step = gd.iterate(game, with_steps(game, rule, sizes), START, 1).w[-1]
    right = modified.at(h)
    flow = solve_ivp(lambda t, w: right(w), (0, h), START, method="DOP853", rtol=1e-13, atol=1e-16).y[:, -1]
    return np.linalg.norm(step - flow)


def _slope(game, rule, order, h):
    modified = gd.modified_flow(game, rule, order=order)
    errors = [_local_error(game, rule, modified, step) for step in (h, h / 2)]
    return np.log2(errors[0] / errors[1])


INNER = gd.rules.GDA((0.1, 0.05))
STATELESS = [
    gd.rules.GDA(0.1),
    gd.rules.GDA((0.1, 0.2)),
    gd.rules.AlternatingGD(0.1),
    gd.rules.AlternatingGD((0.1, 0.03), order=(1, 0), repeats=(3, 2)),
    gd.rules.Alternating((gd.rules.GDA(0.1), gd.rules.Extragradient(0.2)), repeats=(1, 2)),
    gd.rules.Extragradient(0.1),
    gd.rules.Extragradient((0.1, 0.05), extrapolation=0.2),
    gd.rules.ExtragradientPlus(0.1),
    gd.rules.RungeKutta(0.1, 2),
    gd.rules.RungeKutta((0.1, 0.3), 2),
    gd.rules.ProximalPoint(0.1),
    gd.rules.CompetitiveGD((0.1, 0.05)),
    gd.rules.LinearizedCGD(0.1),
    gd.rules.Consensus(0.1, 0.5),
    gd.rules.SGA(0.1, 0.5, align=False),
    gd.rules.Drift(0.1, 0.1, 0.2, -0.3, held=False),
    gd.rules.LOLA(0.1),
    gd.rules.OpponentLookahead((0.1, 0.05)),
    gd.rules.Unrolled(0.1, 2),
    gd.rules.Lookahead(INNER, 3, 0.4),
    gd.rules.Lookahead(gd.rules.AlternatingGD(0.1), 2, 0.5),
    gd.rules.TimeScale(gd.rules.GDA(0.1), 3),
]


@pytest.mark.parametrize("rule", STATELESS, ids=repr)
def test_the_local_error_falls_at_the_promised_order(rule):
    game = ZERO_SUM if rule.domain.zero_sum or rule.domain.two_player else GENERAL
    slope = _slope(game, rule, 1, 2e-3)
    assert 2.9 < slope < 4.2, slope  # a wrong term stops at order 2


@pytest.mark.parametrize(
    "rule", [gd.rules.AlternatingGD((0.1, 0.03), repeats=(2, 1)), gd.rules.Extragradient(0.1)], ids=repr
)
@pytest.mark.parametrize("order", [0, 2, pytest.param(3, marks=pytest.mark.slow)])
def test_higher_orders_too(rule, order):
    slope = _slope(GENERAL, rule, order, 0.02)
    assert order + 1.8 < slope < order + 2.3, slope


@pytest.mark.slow
@pytest.mark.parametrize(("order", "stages"), [(2, 2), (4, 4)])
def test_runge_kutta_steps_leave_the_flow_alone_up_to_their_order(order, stages):
    game = gd.games.from_sympy(X * Y + X**2 * Y / 2, [X, Y])
    modified = gd.modified_flow(game, gd.rules.RungeKutta(0.1, stages), order=order)
    assert all(not any(modified.expression(i)) for i in range(1, order))
    assert any(modified.expression(order))


def test_a_game_that_is_no_polynomial():
    assert 2.9 < _slope(DIRAC, gd.rules.Extragradient(0.1), 1, 0.04) < 3.1
    corrections = gd.modified_flow(DIRAC, gd.rules.RungeKutta(0.1, 2), order=1).expression(1)
    assert not any(corrections)  # recognised as zero, whatever it is made of


def test_the_first_correction_of_gradient_steps_is_minus_half_jacobian_times_field():
    modified = gd.modified_flow(DIRAC, gd.rules.GDA(0.1), order=1)
    points = np.random.default_rng(0).normal(size=(50, 2))
    np.testing.assert_allclose(modified.correction(0)(points), -DIRAC.field(points), rtol=1e-13)
    expected = -DIRAC.jvp(points, DIRAC.field(points)) / 2
    np.testing.assert_allclose(modified.correction(1)(points), expected, rtol=1e-12, atol=1e-15)


def test_playing_in_turn_leaves_the_bilinear_energy_alone_where_playing_at_once_feeds_it():
    a, b = BILINEAR.symbols
    growth = {}
    for rule in (gd.rules.GDA(0.1), gd.rules.AlternatingGD(0.1)):
        c = gd.modified_flow(BILINEAR, rule, order=1).expression(1)
        growth[rule.name] = sympy.expand(2 * a * c[0] + 2 * b * c[1])
    assert growth["SimultaneousGD"] == a**2 + b**2
    assert growth["AlternatingGD"] == a**2 - b**2  # averages out over a turn


def test_rules_with_memory_and_bad_orders_are_refused():
    with pytest.raises(gd.GandynError, match="memory"):
        gd.modified_flow(BILINEAR, gd.rules.OptimisticGD(0.1))
    with pytest.raises(gd.GandynError, match="step count"):
        gd.modified_flow(BILINEAR, gd.rules.Averaging(gd.rules.GDA(0.1)))
    with pytest.raises(gd.GandynError, match="without kinks"):
        gd.modified_flow(BILINEAR, gd.rules.Clipped(gd.rules.GDA(0.1), 1.0))
    with pytest.raises(gd.GandynError, match="order"):
        gd.modified_flow(BILINEAR, gd.rules.GDA(0.1), order=-1)
    with pytest.raises(gd.GandynError, match="0 to 1"):
        gd.modified_flow(BILINEAR, gd.rules.GDA(0.1), order=1).expression(2)


def test_planted_symmetric_and_antisymmetric_parts_are_recovered():
    s, a = np.array([[2.0, 0.5], [0.5, -1.0]]), np.array([[0.0, 3.0], [-3.0, 0.0]])
    j = (s + a).tolist()
    parts = gd.decompose(
        gd.games.general_quadratic([[[[j[0][0]]], [[j[0][1]]]], [[[j[1][0]]], [[j[1][1]]]]]), [1.0, 2.0]
    )
    np.testing.assert_allclose(parts.S, s, atol=1e-15)
    np.testing.assert_allclose(parts.A, a, atol=1e-15)
    assert parts.kind == "mixed"


def test_potential_and_hamiltonian_games_are_named_identically():
    x, y = sympy.symbols("x y", real=True)
    assert gd.decompose(gd.games.bilinear([[1, 2], [3, 4]])).kind == "Hamiltonian"
    assert gd.decompose(gd.games.from_sympy([x**4 + x * y, y**2 + x * y], [x, y])).kind == "potential"
    assert gd.decompose(gd.games.dirac_gan(penalty="R1(1)")).kind == "mixed"


def test_an_ensemble_is_decomposed_point_by_point():
    game = gd.games.forsaken()
    points = np.random.default_rng(0).normal(size=(4, 3, 2))
    parts = gd.decompose(game, points)
    assert parts.S.shape == parts.A.shape == (4, 3, 2, 2)
    np.testing.assert_array_equal(parts.S[2, 1], gd.decompose(game, points[2, 1]).S)
    np.testing.assert_array_equal(parts.A[2, 1], gd.decompose(game, points[2, 1]).A)
    assert parts.kind == "mixed"
    assert gd.decompose(BILINEAR, np.ones((3, 2))).kind == "Hamiltonian"


def test_a_modified_flow_is_itself_a_field():
    modified = gd.modified_flow(BILINEAR, gd.rules.GDA(0.1), order=3)
    reached = gd.flow(BILINEAR, [1.0, 0.0], 1.0, field=modified).w[-1]
    np.testing.assert_allclose(reached, gd.iterate(BILINEAR, gd.rules.GDA(0.1), [1.0, 0.0], 10).w[-1], atol=3e-5)
    with pytest.raises(gd.GandynError, match="no value"):
        gd.modified_flow(BILINEAR, gd.rules.GDA("lr"))([1.0, 0.0])
