"""Spectra and verdicts of constrained and stochastic games, against long simulations of the projected dynamics."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import sympy

import gandyn as gd
from gandyn.analysis.local.linearize import Verdict
from gandyn.oracles.projections import Box, Product, Simplices

x, y, l = sympy.symbols("x y l", real=True)
a, b, c = sympy.symbols("a b c", real=True)
R = sympy.Rational
LAGRANGIAN = gd.games.from_sympy(
    x**2 + l * (-1 - x), {"x": [x], "lam": [l]}, projection=Box((None, (0, None)))
)  # fmt: skip


def ends(game, rule, at, size, steps=3000, starts=40):
    """The farthest that starts near the point end up from it."""
    rng = np.random.default_rng(0)
    w = game.project(np.array(at, dtype=float) + size * rng.uniform(-1, 1, (starts, game.dim)))
    return float(np.linalg.norm(gd.iterate(game, rule, w, steps, record="last").w - np.array(at, float), axis=1).max())


def test_on_the_simplex_every_direction_of_matching_pennies_repels():
    lin = gd.linearize(gd.games.matching_pennies(), gd.rules.GDA(0.1))
    assert lin.verdict is Verdict.REPELLING
    np.testing.assert_allclose(lin.eigenvalues, [1 + 0.2j, 1 - 0.2j], atol=1e-14)
    assert lin.symbols == ("x1/2 - x2/2", "y1/2 - y2/2")
    assert gd.linearize(gd.games.matrix_game([[3, -1], [-2, 1]]), gd.rules.GDA(0.1)).settled
    flow = gd.linearize(gd.games.matching_pennies())
    assert (flow.verdict, sorted(flow.eigenvalues.imag)) == (Verdict.MARGINAL, [-2, 2])


@pytest.mark.parametrize("size", [(2, 2), (3, 3), (4, 5)])
def test_interior_spectra_are_those_of_the_tangent_space(size):
    """An independent basis of the tangent space: the null space of the sums."""
    import scipy.linalg

    game = gd.games.random_matrix_game(size, seed=3)
    at = np.array(game.equilibria[0], dtype=float)
    sums = scipy.linalg.block_diag(np.ones((1, size[0])), np.ones((1, size[1])))
    held = np.vstack([sums, np.eye(sum(size))[at < 1e-12]])
    basis = scipy.linalg.null_space(held)
    expected = np.linalg.eigvals(-basis.T @ game.jacobian(at) @ basis)
    np.testing.assert_allclose(np.sort_complex(gd.linearize(game).eigenvalues), np.sort_complex(expected), atol=1e-9)


@pytest.mark.parametrize(
    "rule", [gd.rules.GDA(0.1), gd.rules.Extragradient(0.1), gd.rules.OptimisticGD(0.1), gd.rules.AlternatingGD(0.1)]
)
def test_the_multiplier_of_an_inactive_constraint_attracts(rule):
    """min x^2 subject to x >= -1: the solution is (0, 0), where the multiplier's bound presses; not (-1, -2)."""
    lin = gd.linearize(LAGRANGIAN, rule, at=(0, 0))
    assert lin.verdict is Verdict.ATTRACTING
    assert lin.constraints.strong == ("l",)
    assert ends(LAGRANGIAN, rule, (0, 0), 0.1) < 1e-9
    wrong = gd.linearize(LAGRANGIAN, rule, at=(-1, -2))
    assert wrong.verdict is Verdict.NO_EQUILIBRIUM
    assert "not an equilibrium" in wrong.reason


def test_corners_are_reached_in_finite_time():
    """A dominated strategy is given up: the corner has no spectrum, and the rule arrives exactly."""
    game = gd.games.matrix_game([[1, 2], [3, 4]])
    for rule in (None, gd.rules.GDA(0.1), gd.rules.HeavyBall(0.1, 0.5)):
        lin = gd.linearize(game, rule)
        assert lin.verdict is Verdict.ATTRACTING
        assert set(lin.constraints.strong) == {"x2", "y1"}
        assert lin.to_dict()["verdict"] == "attracting"
        assert "corner" in lin.summary() or rule is not None
    assert gd.linearize(game).spectral_abscissa == -np.inf
    assert ends(game, gd.rules.GDA(0.1), game.equilibria[0], 0.2) == 0


def test_momentum_rests_at_the_multiplier():
    """At a pressed bound v does not vanish, and HeavyBall's momentum rests at -v / (1 - beta)."""
    game = gd.games.from_sympy([x**2 / 2 + x * y, y], [x, y], projection=Box((None, (0, None))))
    lin = gd.linearize(game, gd.rules.HeavyBall(0.1, 0.5), at=(0, 0))
    assert (lin.verdict, lin.settled) == (Verdict.ATTRACTING, True)
    assert lin.residual == 0


def test_a_pressed_edge_with_an_unstable_tangent_is_a_saddle():
    """x leaves along the edge y = 0, onto which y is pressed."""
    game = gd.games.from_sympy([-(x**2) / 2, y], [x, y], projection=Box((None, (0, None))))
    for rule in (None, gd.rules.GDA(0.1)):
        lin = gd.linearize(game, rule, at=(0, 0))
        assert (lin.verdict, lin.constraints.strong) == (Verdict.SADDLE, ("y",))


@pytest.mark.parametrize(
    ("costs", "verdict"),
    [
        ([x**2 / 2 + x * y, y**2 / 2 - x * y], Verdict.ATTRACTING),
        ([x**2 / 2 + 5 * x * y, y**2 / 2], Verdict.UNDECIDED),
        ([x**2 / 2, -(y**2) / 2], Verdict.UNDECIDED),
    ],
    ids=["contracts", "not monotone", "leaves"],
)
def test_bounds_that_are_touched_and_do_not_press_are_judged_one_sidedly(costs, verdict):
    game = gd.games.from_sympy(costs, [x, y], projection=Box((None, (0, None))))
    for rule in (None, gd.rules.GDA(0.1)):
        lin = gd.linearize(game, rule, at=(0, 0))
        assert lin.constraints.weak == ("y",)
        assert lin.verdict is verdict
        assert "multiplier zero" in lin.reason
        if verdict is Verdict.ATTRACTING and rule is not None:
            assert ends(game, rule, (0, 0), 0.3) < 1e-9


def test_one_feasible_side_decides_alone():
    for sign, verdict in ((1, Verdict.ATTRACTING), (-1, Verdict.REPELLING)):
        game = gd.games.from_sympy([sign * x**2 / 2, y**2 / 2], [x, y], projection=Box(((0, None), (0, 0))))
        assert gd.linearize(game, at=(0, 0)).verdict is verdict
        assert gd.linearize(game, gd.rules.GDA(0.1), at=(0, 0)).verdict is verdict


def test_points_that_are_no_solutions_say_so():
    game = gd.games.matching_pennies()
    for at in ((1, 0, 1, 0), (2, -1, 0.5, 0.5), (0.4, 0.4, 0.5, 0.5), (1, 0, 0.5, 0.5)):
        lin = gd.linearize(game, gd.rules.GDA(0.1), at=at)
        assert lin.verdict is Verdict.NO_EQUILIBRIUM
        assert lin.residual > 0


def test_an_unknown_projection_is_named():
    game = gd.games.from_sympy(
        [x**2 / 2, y**2 / 2], [x, y], projection=lambda w: w / gd.worlds.maximum(gd.worlds.norm(w), 1)
    )
    lin = gd.linearize(game, gd.rules.GDA(0.1), at=(0, 0))
    assert lin.verdict is Verdict.UNDECIDED
    assert "not one whose faces are known" in lin.reason


def test_decimals_of_a_constrained_solution_are_good_enough():
    third = float(R(1, 3))
    lin = gd.linearize(gd.games.rock_paper_scissors(), gd.rules.GDA(0.1), at=[third] * 6)
    assert lin.verdict is Verdict.REPELLING


@pytest.mark.parametrize("scale", [R(1, 10**12), 1, 10**12])
def test_units_of_the_costs_do_not_matter(scale):
    game = gd.games.from_sympy(
        [scale * (x**2 / 2 + x * y), scale * (y - y * x / 3)], [x, y], projection=Box((None, (0, None)))
    )
    lin = gd.linearize(game, at=(0.0, 0.0))
    assert (lin.verdict, lin.constraints.strong) == (Verdict.ATTRACTING, ("y",))
    off = gd.linearize(game, at=(1e-3, 0.0))
    assert off.verdict is Verdict.NO_EQUILIBRIUM
    irrational = gd.games.from_sympy([scale * (sympy.cos(x) + x * y), scale * y**2 / 2], [x, y])
    assert gd.linearize(irrational, at=(float(np.pi), 0.0)).verdict is Verdict.ATTRACTING


def test_the_mean_of_a_stochastic_game_is_linearised_and_named():
    game = gd.games.stochastic_bilinear(size=1, summands=4)
    lin = gd.linearize(game, gd.rules.GDA(0.1))
    assert lin.residual == 0
    np.testing.assert_allclose(lin.eigenvalues, [1 + 0.1j, 1 - 0.1j], atol=1e-15)
    assert "mean game" in lin.reason
    assert game.mean() is game.full
    assert gd.games.bilinear().mean().name == "bilinear"


SETS = (
    Box(((0, 1), (0, None), (None, 1))),
    Box(((-1, 1),) * 3),
    Product((Simplices((2,)), Box(((0, 1),)))),
    Product((Box(((0, None),)), Simplices((2,)))),
)


def _random_games(count):
    """Random quadratic games on random feasible sets, with integer coefficients: many ties and active bounds."""
    symbols, rng = (a, b, c), np.random.default_rng(1)
    monomials = [s * t for s, t in itertools.combinations_with_replacement(symbols, 2)] + list(symbols)
    for _ in range(count):
        projection = SETS[rng.integers(len(SETS))]
        players = ([a], [b, c]) if projection is SETS[3] else ([a, b], [c])
        costs = [sum(int(q) * m for q, m in zip(rng.integers(-2, 3, 9), monomials, strict=True)) for _ in players]
        try:
            yield gd.games.from_sympy(costs, players, projection=projection)
        except gd.GandynError:
            continue


def _solutions(game):
    """Isolated solutions face by face: a linear system, then the signs of the multipliers."""
    feasible, d = game.feasible_set(), game.dim
    jacobian = sympy.Matrix(game.field_exprs).jacobian(game.symbols)
    for face in feasible.faces():
        basis = sympy.Matrix(d, face.dimension, [column[i] for i in range(d) for column in face.columns])
        matrix = basis.T * jacobian * basis
        if face.dimension and matrix.det() == 0:
            continue
        there = sympy.Matrix(game.field_exprs).subs(dict(zip(game.symbols, face.anchor, strict=True)))
        moved = basis * matrix.LUsolve(-basis.T * there) if face.dimension else sympy.zeros(d, 1)
        point = list(sympy.Matrix(face.anchor) + moved)
        v = [e.subs(dict(zip(game.symbols, point, strict=True))) for e in game.field_exprs]
        inside = feasible.contains(point) and feasible.face(point) == face
        if inside and all(m > 0 for m in face.multipliers(v).values()):
            yield point


@pytest.mark.slow
@pytest.mark.parametrize("count", [8, pytest.param(60, marks=pytest.mark.slow)])
def test_verdicts_agree_with_long_runs_of_the_projected_map(count):
    """Independent: solutions from linear algebra face by face, and the fate of starts 1e-3 away."""
    seen = {}
    for game in _random_games(count):
        for point in _solutions(game):
            rule = gd.rules.GDA(0.05)
            lin = gd.linearize(game, rule, at=point)
            assert lin.equilibrium, (game.exprs, point)
            assert lin.settled, (game.exprs, point)
            assert not any(game.natural_residual(np.array([*point, None], dtype=object)[:-1]))
            seen[lin.verdict] = seen.get(lin.verdict, 0) + 1
            with np.errstate(over="ignore", invalid="ignore"):
                far = ends(game, rule, point, 1e-3)
            if lin.verdict is Verdict.ATTRACTING:
                assert far < 1e-3 * lin.spectral_radius**2000 + 1e-9, (game.exprs, point)
            elif lin.verdict in (Verdict.REPELLING, Verdict.SADDLE) and lin.spectral_radius > 1.005:
                assert not far < 1e-2, (game.exprs, point)
    assert seen[Verdict.ATTRACTING] > count / 10
    assert sum(seen.values()) > count / 2


@pytest.mark.parametrize("scale", [R(1, 10**12), 10**12])
def test_units_do_not_matter_where_entries_are_irrational(scale):
    costs = [scale * (sympy.sqrt(2) * x**2 / 2 + sympy.pi * x * y), scale * (sympy.E * y**2 / 2 - x * y)]
    assert gd.linearize(gd.games.from_sympy(costs, [x, y]), at=(0, 0)).verdict is Verdict.ATTRACTING
    turning = gd.games.from_sympy(scale * sympy.pi * x * y, [x, y])
    assert gd.linearize(turning, gd.rules.GDA(0.1), at=(0, 0)).verdict is Verdict.REPELLING


def test_a_running_maximum_at_a_constrained_equilibrium_keeps_the_memory_that_it_was_given():
    """AMSGrad's memory enters its map by a maximum, at pressed bounds too: no linear system says where it rests."""
    lin = gd.linearize(gd.games.random_matrix_game((3, 2)), gd.rules.AMSGrad(0.1))
    assert lin.verdict is Verdict.UNDECIDED
    assert "the one-sided slopes of a term are 0, 999/1000" in lin.reason
