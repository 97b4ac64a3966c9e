"""The duality-gap flow: closed forms, who rotates and who does not, and stationary points that are no equilibria."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
import torch
from scipy.optimize import brentq

import gandyn as gd
from gandyn.analysis.gap import gap_flow
from gandyn.errors import DomainError, ParameterError

X, Y = sympy.symbols("x y", real=True)
A, C = sympy.symbols("a c", positive=True)
B = sympy.Symbol("b", real=True)
E = sympy.Symbol("e", positive=True)
SADDLE = gd.games.from_sympy(3 * X**2 - Y**2 + 4 * X * Y, [X, Y], equilibria=[(0, 0)])
GENERAL = gd.games.from_sympy(
    [X**2 + X * Y + sympy.cos(X) / 3, Y**2 - 2 * X * Y + sympy.exp(X / 4)], [X, Y], name="general sum"
)


# --- closed forms -----------------------------------------------------------------------------------------------------


def test_the_exact_flow_of_a_quadratic_game_falls_apart_into_its_coordinates():
    """G = (a + b^2 / c) x^2 / 2 + (c + b^2 / a) y^2 / 2: no coupling is left, whatever b."""
    flow = gap_flow(gd.games.quadratic(A, B, C))
    x, y = flow.game.symbols
    left = [-(A + B**2 / C) * x, -(C + B**2 / A) * y]
    assert all(sympy.simplify(e - g) == 0 for e, g in zip(flow.expression, left, strict=True))
    assert sympy.simplify(flow.gap + (left[0] * x + left[1] * y) / 2) == 0
    assert list(gap_flow(SADDLE).expression) == [-14 * X, -sympy.Rational(14, 3) * Y]


@pytest.mark.parametrize("k", [1, 4])
def test_on_a_bilinear_game_held_rotates_with_the_game_and_through_only_contracts(k):
    held, through = (gap_flow(gd.games.bilinear(), k, 0.05, through=t) for t in (False, True))
    np.testing.assert_allclose(np.sort_complex(held.eigenvalues()), [-0.05 * k - 1j, -0.05 * k + 1j], rtol=1e-14)
    np.testing.assert_allclose(through.eigenvalues(), [-0.1 * k] * 2, rtol=1e-14)
    assert (held.rotates, through.rotates) == (True, False)
    np.testing.assert_allclose(held.rotation([0.3, 0.7]), [[0, -1], [1, 0]], rtol=1e-14)
    assert not through.rotation([0.3, 0.7]).any()
    assert held.linearize().verdict == through.linearize().verdict == "attracting"


@pytest.mark.parametrize("through", [False, True])
def test_it_is_a_field_that_gd_flow_integrates(through):
    """w(t) = e^{-k e t} R(t) w(0) held, e^{-2 k e t} w(0) through."""
    flow = gap_flow(gd.games.bilinear(), 3, 0.1, through=through)
    t, start = 2.0, np.array([[1.0, 0.5], [-2.0, 1.0]])
    end = gd.flow(flow.game, start, t, field=flow).w[-1]
    turn = np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]])
    expected = np.exp(-0.6 * t) * start if through else np.exp(-0.3 * t) * start @ turn.T
    np.testing.assert_allclose(end, expected, rtol=1e-8)


GAMES = [SADDLE, GENERAL, gd.games.dirac_gan(), gd.games.forsaken()]


@pytest.mark.parametrize("game", GAMES, ids=lambda g: g.name)
@pytest.mark.parametrize("through", [False, True])
def test_the_flow_is_the_descent_rule_with_its_step_taken_out(game, through):
    """w+ = w + lr * flow(w), exactly, for one of the rule's steps."""
    flow, w = gap_flow(game, 2, (0.1, 0.2), through=through), np.array([[0.3, -0.4], [0.2, 0.6]])
    stepped = gd.iterate(game, gd.rules.DualityGapDescent(0.5, 2, (0.1, 0.2), through=through), w, 1).w[-1]
    np.testing.assert_allclose(w + 0.5 * flow(w), stepped, rtol=1e-12)
    symbolic = -gd.analysis.gap.gradient_flow.GapGame.field(flow.gap_game, w)
    np.testing.assert_allclose(flow(w), symbolic, rtol=1e-11)


@pytest.mark.parametrize("game", GAMES, ids=lambda g: g.name)
def test_through_the_steps_the_field_is_the_derivative_of_the_expression_of_the_gap(game):
    """The adjoint recursion against SymPy's derivative of G: two routes to one gradient."""
    flow = gap_flow(game, 2, sympy.Rational(1, 7), through=True)
    point = {s: sympy.Rational(k, 10) for s, k in zip(game.symbols, (3, -4), strict=True)}
    for s, e in zip(game.symbols, flow.expression, strict=True):
        assert abs(float(sympy.diff(flow.gap, s).xreplace(point) + e.xreplace(point))) < 1e-13


@pytest.mark.parametrize("game", GAMES, ids=lambda g: g.name)
@pytest.mark.parametrize(("k", "through"), [(1, False), (2, False), (2, True)])
def test_its_jacobian_is_that_of_automatic_differentiation(game, k, through):
    flow, w = gap_flow(game, k, 0.2, through=through), torch.tensor([0.3, -0.4], dtype=torch.float64)
    expected = torch.autograd.functional.jacobian(flow, w)
    np.testing.assert_allclose(flow.jacobian(w.numpy()), expected, rtol=1e-10, atol=1e-13)
    assert flow.rotates is not through


def test_three_players_of_a_general_sum_move_together():
    game = gd.games.general_quadratic(
        (
            (((2,),), ((1,),), ((0.5,),)),
            (((-1,),), ((1.5,),), ((-2,),)),
            (((1,),), ((2,),), ((3,),)),
        )
    )
    flow = gap_flow(game)
    gap = gd.duality_gap(game).value
    for s, e in zip(game.symbols, flow.expression, strict=True):
        assert sympy.simplify(sympy.diff(gap, s) + e) == 0
    assert not flow.rotates


# --- minimisers -------------------------------------------------------------------------------------------------------


def test_the_minimisers_of_the_gap_are_the_equilibria():
    """Of f = a x^2/2 + b x y - c y^2/2 + p x + q y, a, c > 0: grad G = 0 and v = 0 have the same one solution, where G
    vanishes, and the Hessian of G is positive definite."""
    p, q = sympy.symbols("p q", real=True)
    game = gd.games.from_sympy(A * X**2 / 2 + B * X * Y - C * Y**2 / 2 + p * X + q * Y, [X, Y])
    flow = gap_flow(game)
    (rest,) = sympy.solve(list(flow.expression), [X, Y], dict=True)
    (nash,) = sympy.solve(game.field_exprs, [X, Y], dict=True)
    assert all(sympy.simplify(rest[s] - nash[s]) == 0 for s in (X, Y))
    assert sympy.simplify(flow.gap.subs(nash)) == 0
    hessian = -sympy.Matrix(flow.jacobian())
    assert sympy.simplify(hessian[0, 1]) == 0
    assert all(sympy.factor(hessian[k, k]).is_positive for k in range(2))


def test_a_planted_equilibrium_is_the_only_stationary_point():
    game = gd.games.from_sympy(X**2 - 2 * (X - 1) * (Y + 2) - 2 * X - Y**2 - 4 * Y, [X, Y])
    assert not any(e.subs({X: 1, Y: -2}) for e in game.field_exprs)
    for flow in (gap_flow(game), gap_flow(game, 3, 0.1), gap_flow(game, 3, 0.1, through=True)):
        found = flow.stationary_points()
        assert [tuple(map(float, p.exact)) for p in found] == [(1.0, -2.0)]
        assert found.complete
        assert flow.created() == []


# --- stationary points that the gap creates ---------------------------------------------------------------------------


@pytest.mark.slow
def test_the_gap_of_one_step_has_saddles_that_are_no_equilibria():
    """On the Dirac-GAN G / e tends to |v|^2 = r^2 sigma(-theta phi)^2 as e falls: it vanishes at the equilibrium and
    again far out along theta = phi, where the discriminator saturates, so that a saddle must lie between: at
    theta^2 = u with u sigma(u) = 1/2. With held answers there is none: that is proven in the same box."""
    game, box = gd.games.dirac_gan(), [(-1.3, 1.3), (-1.3, 1.3)]
    u = brentq(lambda z: z / (1 + np.exp(-z)) - 0.5, 0, 2)
    apart = []
    for e in (sympy.Rational(1, 4), sympy.Rational(1, 100)):
        created = gap_flow(game, 1, e, through=True).created(box)
        assert [str(p.kind) for p in created] == ["saddle", "saddle"]
        np.testing.assert_allclose(created[0].point, -created[1].point, rtol=1e-9)
        assert np.linalg.norm(game.field(created[0].point)) > 0.3
        apart.append(np.abs(created[1].point - np.sqrt(u)).max())
    assert apart[1] < apart[0] / 20 < 0.002
    held = gap_flow(game, 1, sympy.Rational(1, 4))
    assert held.created(box) == []
    assert held.stationary_points(box).complete


def test_beyond_that_saddle_descent_runs_away_from_the_equilibrium():
    """The gap goes to zero at both ends, and only one of them is an equilibrium."""
    game, flow = gd.games.dirac_gan(), gap_flow(gd.games.dirac_gan(), 1, 0.25, through=True)
    inside, outside = gd.flow(game, [[0.8, 0.8], [1.0, 1.0]], 200.0, field=flow).w[-1]
    assert np.linalg.norm(inside) < 1e-6
    assert np.linalg.norm(outside) > 2
    rule = flow.rule
    gaps = [float(sum(game.costs(outside)[i] - game.costs(y)[i] for i, y in enumerate(rule.answers(game, z))))
            for z in (np.array([1.0, 1.0]), outside)]  # fmt: skip
    assert gaps[0] > 0.03
    both_held = gd.flow(game, [[0.8, 0.8], [1.0, 1.0]], 200.0, field=gap_flow(game, 1, 0.25)).w[-1]
    assert np.linalg.norm(both_held, axis=-1).max() < 1e-3


# --- what it says, and what it refuses --------------------------------------------------------------------------------


def test_it_speaks():
    flow = gap_flow(SADDLE, 2, 0.1)
    assert "rotates" in flow.summary()
    assert "attracting" in flow.summary()
    assert flow.to_dict()["rotates"] is True
    assert r"\dot w" in flow.latex()
    assert "2 steps, held" in repr(flow)
    assert "e" in gap_flow(gd.games.bilinear(), 2, "e").summary()


def test_games_of_tensors_flow_without_expressions():
    game = gd.games.from_torch(lambda x, y: (x * y).sum(), {"x": 1, "y": 1})
    flow = gap_flow(game, 2, 0.1, through=True)
    w = torch.tensor([0.3, 0.7], dtype=torch.float64)
    np.testing.assert_allclose(flow(w), gap_flow(gd.games.bilinear(), 2, 0.1, through=True)(w.numpy()), rtol=1e-14)
    with pytest.raises(DomainError, match="call the flow at points"):
        flow.expression  # noqa: B018 - the attribute access is the test


@pytest.mark.parametrize(
    ("game", "arguments", "match"),
    [
        (gd.games.matching_pennies(), (2, 0.1), "constrained"),
        (gd.games.stochastic_bilinear(), (2, 0.1), "stochastic"),
        (gd.games.dirac_gan(), (), "best response"),
        (gd.games.bilinear(), (), "not strictly convex"),
    ],
    ids=["constrained", "stochastic", "no closed form", "unbounded"],
)
def test_games_without_a_gap_flow_are_refused_by_name(game, arguments, match):
    with pytest.raises(DomainError, match=match):
        gap_flow(game, *arguments)


def test_parameters_that_do_not_go_together_are_refused():
    with pytest.raises(ParameterError, match="one of"):
        gap_flow(SADDLE, 3)
