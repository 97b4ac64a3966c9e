"""classify and the critical time scale: planted kinds, both routes, and the published four-dimensional example."""

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import gandyn as gd
from gandyn.errors import DomainError, ParameterError

x, y = sympy.symbols("x y", real=True)


@pytest.mark.parametrize(
    ("f", "label", "minimax"),
    [
        (x**2 + x * y - y**2, "strict local Nash, attracting", "strict local minimax"),
        (-(x**2) / 4 + 2 * x * y - y**2 / 2, "stable but not Nash", "strict local minimax"),
        (x**2 - 3 * x * y + y**2 / 4, "stable but not Nash", "not a strict local minimax point"),
        (x**2 + y**2, "saddle, not Nash", "not a strict local minimax point"),
        (x * y, "Nash but marginal: global Nash", "not a strict"),
    ],
    ids=str,
)
def test_zero_sum_points_of_every_kind(f, label, minimax):
    found = gd.classify(gd.games.from_sympy(f, [x, y]), at=(0, 0))
    assert found.label == label
    assert found.minimax.startswith(minimax)


@pytest.mark.parametrize(
    ("bend", "fate", "label"),
    [
        (-1, "attracting", "global Nash, attracting"),
        (0, "conservative", "Nash but marginal: global Nash"),
        (1, "repelling", "Nash but unstable, repelling: global Nash"),
    ],
)
def test_a_label_says_what_nonlinear_terms_decide_and_the_verdict_stays_of_the_linear_part(bend, fate, label):
    """x' = -y, y' = x + bend x^2 y: at x = 0 both own costs are flat, and r^2 changes by 2 bend x^2 y^2."""
    game = gd.games.from_sympy([x * y, -x * y - bend * x**2 * y**2 / 2], [x, y])
    found = gd.classify(game, at=(0, 0))
    assert found.label == label
    lin = found.linearization
    assert (lin.verdict.value, lin.fate.value, lin.to_dict()["fate"]) == ("marginal", fate, fate)
    first, second = lin.summary().splitlines()[-2:]
    told = lin.worded(fate)
    assert told == {-1: "attracting locally", 0: "conservative", 1: "repelling"}[bend]
    assert first.startswith(f"verdict: {told}: ")
    assert second.startswith("linear part: marginal (")
    assert f"flow: {'marginal' if bend == 0 else told} (" in found.summary()


def test_a_strict_nash_point_of_a_general_sum_game_may_be_unstable():
    """J = [[1, 3], [3, 1]] has the eigenvalues 4 and -2: both players sit at minima, and the flow leaves."""
    game = gd.games.from_sympy([x**2 / 2 + 3 * x * y, y**2 / 2 + 3 * x * y], [x, y])
    assert gd.classify(game, at=(0, 0)).label == "Nash but unstable, saddle: strict local Nash"


def test_three_players_are_decomposed_and_classified():
    j = [[2, 1, 0], [-1, 1, 1], [0, -1, 3]]
    game = gd.games.general_quadratic([[[[e]] for e in row] for row in j])
    parts = gd.decompose(game, (0.0, 0.0, 0.0))
    np.testing.assert_array_equal(parts.S + parts.A, j)
    np.testing.assert_array_equal(parts.S, np.diag([2, 1, 3]))
    np.testing.assert_array_equal(parts.A, -parts.A.T)
    found = gd.classify(game)
    assert found.label == "strict local Nash, attracting"
    assert "two-player" in found.minimax
    potential = gd.games.general_quadratic([[[[e]] for e in row] for row in [[1, 2, 0], [2, 1, 1], [0, 1, 1]]])
    assert gd.decompose(potential).kind == "potential"


@pytest.mark.slow
@given(st.integers(0, 2**31))
def test_exact_and_floating_classifications_agree_on_random_quadratics(seed):
    rng = np.random.default_rng(seed)
    a, b, c = (rng.integers(-4, 5, (2, 2)) for _ in range(3))
    a, c = a + a.T, c + c.T
    game = gd.games.quadratic(a.tolist(), b.tolist(), c.tolist()) if a.any() and c.any() else None
    if game is None:
        return
    found = gd.classify(game)
    for kind, hessian in zip(found.own, (a, c), strict=True):
        values = np.linalg.eigvalsh(hessian)
        if np.abs(values).min() > 1e-9:
            expected = "positive definite" if values.min() > 0 else "negative definite"
            assert kind == (expected if values.min() * values.max() > 0 else "indefinite")
    if np.linalg.eigvalsh(c).min() > 1e-9:
        schur = np.linalg.eigvalsh(a + b @ np.linalg.solve(c, b.T))
        if np.abs(schur).min() > 1e-9:
            assert found.stackelberg is bool(schur.min() > 0)


def test_a_point_that_is_not_critical_is_refused():
    with pytest.raises(gd.GandynError, match="zero of the field"):
        gd.classify(gd.games.bilinear(), at=(1, 0))


def test_the_published_four_dimensional_example_has_critical_time_scale_two():
    v = 4
    j = [[-v, 0, -v, 0], [0, v / 2, 0, v / 2], [v, 0, v / 2, 0], [0, -v / 2, 0, v]]
    blocks = [[np.array(j)[r : r + 2, c : c + 2].tolist() for c in (0, 2)] for r in (0, 2)]
    game = gd.games.general_quadratic(blocks)
    np.testing.assert_array_equal(game.jacobian(np.zeros(4)), j)
    assert gd.analysis.critical_time_scale(game) == 2
    for tau in (1.99, 2.01):
        values = np.linalg.eigvals(-np.diag([1, 1, tau, tau]) @ np.array(j))
        assert bool(values.real.max() < 0) is (tau > 2)


def test_the_time_scale_of_a_scalar_game_is_its_trace_condition():
    # J = [[-a, b], [-b, tau c]] attracts iff tau c > a and b^2 > a c: here a = 1, b = 2, c = 3.
    assert gd.analysis.critical_time_scale(gd.games.quadratic(-1, 2, 3)) == sympy.Rational(1, 3)
    assert gd.analysis.critical_time_scale(gd.games.quadratic(-1, 1, 3)) is sympy.oo
    assert gd.analysis.critical_time_scale(gd.games.quadratic(1, 1, 3)) == 0


def test_a_game_with_free_parameters_is_refused_by_their_names():
    with pytest.raises(DomainError, match="the free parameters c of bilinear"):
        gd.classify(gd.games.bilinear("c"), at=[0, 0])


def test_probabilities_that_are_all_zero_lie_on_no_face():
    with pytest.raises(ParameterError, match="none of them positive"):
        gd.linearize(gd.games.matching_pennies(), gd.rules.GDA(0.1), at=[0, 0, 0, 0])
