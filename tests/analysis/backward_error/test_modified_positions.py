"""Modified flows and their kin do not depend on where the game lies, on the form of its costs, or on units."""

import numpy as np
import pytest
import sympy

import gandyn as gd

X, Y = sympy.symbols("x y", real=True)
R = sympy.Rational
RULES = [
    gd.rules.GDA(0.1),
    gd.rules.Extragradient(0.1),
    gd.rules.AlternatingGD((0.1, 0.2)),
    gd.rules.RungeKutta(0.1, 2),
]
MOVE = np.array([1024, -2048])
COSTS = [
    lambda x, y: [x**4 / 4, y**2 / 2],
    lambda x, y: [x**4 / 4 + x * y, y**4 / 8 - x * y],
    lambda x, y: [(x - y) ** 4 / 4, y**2 / 2 - x * y],
    lambda x, y: [x**6 / 6 - x**2 * y, y**2 / 2 + x**2 * y],
]
NEAR = np.array([0.25, -0.125])


def _game(costs, shift=0, scale=1):
    return gd.games.from_sympy([scale * c for c in costs(X - shift, Y + 2 * shift)], [X, Y])


@pytest.mark.parametrize("costs", COSTS)
@pytest.mark.parametrize("rule", RULES, ids=str)
def test_the_modified_flow_moves_with_the_game(rule, costs):
    here = gd.modified_flow(_game(costs), rule, order=2)
    there = gd.modified_flow(_game(costs, 1024), rule, order=2)
    for i in range(3):
        moved = there.correction(i)(NEAR + MOVE)
        assert moved == pytest.approx(here.correction(i)(NEAR), rel=1e-10, abs=1e-12)


def test_the_published_fault():
    game = gd.games.from_sympy([(X - 1000) ** 4 / 4, Y**2 / 2], [X, Y])
    flow = gd.modified_flow(game, gd.rules.GDA(0.1), order=2)
    u, h = 0.3, 0.1
    right = -(u**3) - h * 1.5 * u**5 - h**2 * 3.5 * u**7  # of x -> x - h x^3, by hand
    assert flow([1000.3, 0.1])[0] == pytest.approx(right, rel=1e-11)


@pytest.mark.parametrize("rule", [gd.rules.GDA(0.1), gd.rules.OptimisticGD(0.1), gd.rules.HeavyBall(0.1, 0.3)], ids=str)
@pytest.mark.parametrize("costs", COSTS)
def test_high_resolution_moves_with_the_game(rule, costs):
    here, there = (gd.high_resolution(_game(costs, shift), rule) for shift in (0, 1024))
    z = np.array([*NEAR, 0.3, -0.2])
    moved = there.at(0.1)(z + np.array([*MOVE, 0, 0]))
    assert moved == pytest.approx(here.at(0.1)(z), rel=1e-9, abs=1e-10)
    slow = there.slow_velocity(NEAR + MOVE, 0.1)
    assert slow == pytest.approx(here.slow_velocity(NEAR, 0.1), rel=1e-9, abs=1e-11)


@pytest.mark.parametrize("scale", [R(1, 10**12), 10**12])
def test_units_of_the_costs_change_the_time_alone(scale):
    """Costs times s with steps over s: the same map, and c_i times s^(i + 1)."""
    costs = COSTS[1]
    here = gd.modified_flow(_game(costs), gd.rules.GDA(R(1, 10)), order=2)
    there = gd.modified_flow(_game(costs, 0, scale), gd.rules.GDA(R(1, 10) / scale), order=2)
    for i in range(3):
        expected = float(scale) ** (i + 1) * here.correction(i)(NEAR)
        assert there.correction(i)(NEAR) == pytest.approx(expected, rel=1e-12)
    game, moved = (_game(costs, 0, s) for s in (1, scale))
    assert gd.drift(game, gd.rules.GDA(0.1)).products == gd.drift(moved, gd.rules.GDA(0.1)).products


@pytest.mark.slow
def test_a_high_order_answers_with_what_it_has():
    game = gd.games.from_sympy([X**4 / 4 + X * Y, Y**4 / 8 - X * Y], [X, Y])
    flow = gd.modified_flow(game, gd.rules.GDA(0.1), order=50, budget=1.5)
    assert "out of time" in flow.reason
    assert "out of time" in flow.summary()
    assert 1 <= flow.order < 50
    short = gd.modified_flow(game, gd.rules.GDA(0.1), order=flow.order)
    assert short.terms == flow.terms
    assert not short.reason


# --- conserved quantities ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [0.3, R(3, 10), 0.3e-9, 3e12, 7])
def test_one_invariant_is_listed_once_in_any_units(factor):
    (found,) = gd.conserved_quantities(gd.games.from_sympy([factor * X * Y, -factor * X * Y], [X, Y]))
    assert found.expression == X**2 + Y**2


@pytest.mark.parametrize("factor", [0.3, 1e-9, 1e9])
def test_invariants_of_larger_games_are_independent_functions(factor):
    a, b, c, d = sympy.symbols("a b c d", real=True)
    game = gd.games.from_sympy([factor * (a * c + 2 * b * d)], [(a, b), (c, d)])
    found = gd.conserved_quantities(game, degree=2)
    gradients = sympy.Matrix([[sympy.diff(q.expression, s) for s in (a, b, c, d)] for q in found])
    assert gradients.subs({a: 2, b: 3, c: 5, d: 7}).rank() == len(found) == 2


def test_decompositions_and_lyapunov_functions_follow_units_and_position():
    for scale in (R(1, 10**12), 1, 10**12):
        game = gd.games.from_sympy([scale * ((X - 9) ** 2 + (X - 9) * Y), scale * (Y**2 - (X - 9) * Y)], [X, Y])
        parts = gd.decompose(game, (9, 0))
        assert parts.kind == "mixed"
        assert np.array(parts.S, dtype=float) / float(scale) == pytest.approx(2 * np.eye(2), abs=1e-12)
        v = gd.lyapunov_function(game, None, (9, 0))
        w = gd.lyapunov_function(game, gd.rules.GDA(R(1, 10) / scale), (9, 0))
        assert v.verified
        assert w.verified
        assert v.matrix * scale == sympy.eye(2) / 5
        assert w.matrix == gd.lyapunov_function(_plain(), gd.rules.GDA(0.1), (0, 0)).matrix


def _plain():
    return gd.games.from_sympy([X**2 + X * Y, Y**2 - X * Y], [X, Y])
