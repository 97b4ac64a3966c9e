"""Descent on the duality gap: its relations to other rules as identities, and its gradients by finite differences."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
import torch
from nonlinear_game import GAME, START, ZERO_SUM

import gandyn as gd
from gandyn.errors import DomainError, ParameterError

DGD = gd.rules.DualityGapDescent
H, E, GAMMA = sympy.symbols("h e gamma", positive=True)


def map_of(game, rule):
    return sympy.Matrix(list(gd.update_map(game, rule).expression)).applyfunc(sympy.expand)


@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize("matrix", [None, ((1, 2), (-1, 3), (2, 0))], ids=["scalar", "3x2"])
def test_held_answers_on_a_bilinear_game_are_consensus(k, matrix):
    game = gd.games.bilinear(matrix)
    assert map_of(game, DGD("h", k, "e")) == map_of(game, gd.rules.Consensus("h", k * E))


@pytest.mark.parametrize("k", [1, 3])
def test_through_the_steps_the_coupling_vanishes(k):
    """x+ = (I - 2 h k e A A^T) x: no term of the other player, and the modulus 1 - 2 h k e sigma^2."""
    matrix = sympy.Matrix([[1, 2], [-1, 3]])
    found = gd.update_map(gd.games.bilinear(matrix.tolist()), DGD("h", k, "e", through=True)).jacobian
    x, y = sympy.eye(2) - 2 * H * k * E * matrix * matrix.T, sympy.eye(2) - 2 * H * k * E * matrix.T * matrix
    assert (found - sympy.diag(x, y)).applyfunc(sympy.expand) == sympy.zeros(4)


def test_one_held_step_is_extragradient_on_bilinear_games_and_on_no_other_quadratic_one():
    a, b, c = sympy.symbols("a b c", real=True)
    difference = map_of(gd.games.quadratic(a, b, c), DGD("h", 1, "h")) - map_of(
        gd.games.quadratic(a, b, c), gd.rules.Extragradient("h")
    )
    x, y = gd.games.quadratic().symbols
    # y' has answered y's own curvature but x' has not moved in f_x(x, y'): exactly these two terms part them.
    expected = sympy.Matrix([-(H**2) * a * (a * x + b * y), -(H**2) * c * (c * y - b * x)])
    assert (difference - expected).applyfunc(sympy.expand) == sympy.zeros(2, 1)
    assert difference.subs({a: 0, c: 0}) == sympy.zeros(2, 1)


@pytest.mark.parametrize("game", [GAME, ZERO_SUM], ids=["general-sum", "zero-sum"])
@pytest.mark.parametrize("k", [1, 4])
@pytest.mark.parametrize("through", [False, True])
def test_the_gradient_of_the_gap_against_finite_differences(game, k, through):
    """The same inner steps, differenced as they are or with the answers frozen."""
    rule = DGD(0.1, k, 0.07, through=through)
    frozen = rule.answers(game, START)

    def gap(w):
        answers = rule.answers(game, w)
        if not through:
            answers = [np.where(owned(game, i), y, w) for i, y in enumerate(frozen)]
        return sum(game.costs(w)[i] - game.costs(y)[i] for i, y in enumerate(answers))

    h = 1e-3
    steps = [(8 * (gap(START + h * e) - gap(START - h * e)) - gap(START + 2 * h * e) + gap(START - 2 * h * e)) / 12 / h
             for e in np.eye(game.dim)]  # fmt: skip
    np.testing.assert_allclose(rule.gap_gradient(game, START), steps, rtol=1e-9)


def owned(game, i):
    mask = np.zeros(game.dim, dtype=bool)
    mask[game.slices[i]] = True
    return mask


@pytest.mark.parametrize("game", [GAME, ZERO_SUM], ids=["general-sum", "zero-sum"])
def test_through_the_steps_the_field_is_a_gradient_and_held_it_is_not(game):
    """A gradient's Jacobian is symmetric: here by autograd through the adjoint recursion itself."""
    asymmetry = {}
    for through in (False, True):
        rule, w = DGD(0.1, 3, 0.07, through=through), torch.tensor(START)
        jacobian = torch.autograd.functional.jacobian(lambda z, r=rule: r.gap_gradient(game, z), w)
        asymmetry[through] = float((jacobian - jacobian.T).abs().max())
    assert asymmetry[True] < 1e-12
    assert asymmetry[False] > 1e-2


def test_exact_answers_give_the_gradient_of_the_exact_gap():
    """f = 3 x^2 - y^2 + 4 x y has the gap 7 x^2 + 7 y^2 / 3: both coordinates descend, uncoupled."""
    x, y = sympy.symbols("x y", real=True)
    game = gd.games.from_sympy(3 * x**2 - y**2 + 4 * x * y, [x, y])
    assert map_of(game, DGD("h", None)) == sympy.Matrix([x - 14 * H * x, y - sympy.Rational(14, 3) * H * y])


def test_inner_steps_tend_to_the_exact_answer_on_strongly_convex_concave_games():
    game, w = gd.games.quadratic(((2, 0.5), (0.5, 1)), ((1, -1), (0, 2)), ((1, 0), (0, 3))), np.array([1.0, -2, 0.5, 1])
    exact = DGD(0.1, None).gap_gradient(game, w)
    errors = [np.abs(DGD(0.1, k, 0.3).gap_gradient(game, w) - exact).max() for k in (5, 20, 80)]
    assert errors[0] > 10 * errors[1] > 1e3 * errors[2]
    assert errors[2] < 1e-8


def test_exact_answers_of_matrix_games():
    """At (.3, .7), (.6, .4) in matching pennies: rows should play 2, columns 2, so v = (A y', -A^T x')."""
    game = gd.games.matching_pennies()
    np.testing.assert_allclose(DGD(0.1, None).gap_gradient(game, np.array([0.3, 0.7, 0.6, 0.4])), [-1, 1, 1, -1])


@pytest.mark.parametrize(
    "game",
    [gd.games.bilinear(), gd.games.quadratic(-1, 1, 1), gd.games.quadratic(1, 1, 0)],
    ids=["flat", "falling", "one flat"],
)
@pytest.mark.parametrize("world", ["numbers", "symbols", "tensors"])
def test_a_player_without_a_best_answer_is_refused_by_name(game, world):
    """The stationary point of a concave cost is where the player does worst, and must not be taken for an answer."""
    w = {"numbers": np.ones(2), "symbols": np.array([*game.symbols]), "tensors": torch.ones(2, dtype=torch.float64)}
    with pytest.raises(DomainError, match=r"best response of [xyab] in .* not strictly convex"):
        DGD(0.1, None).gap_gradient(game, w[world])


def test_rules_inside_and_outside_are_the_plain_steps_they_stand_for():
    plain = DGD(0.1, 3, 0.07)
    inside, outside = DGD(0.1, 3, inner=gd.rules.GDA(0.07)), DGD(None, 3, 0.07, outer=gd.rules.GDA(0.1))
    for other in (inside, outside):
        runs = [gd.iterate(GAME, rule, START, 5).w for rule in (plain, other)]
        np.testing.assert_allclose(*runs, rtol=1e-12)


def test_fresh_batches_differ_and_shared_ones_do_not():
    game = gd.games.stochastic_bilinear()
    w = np.full(game.dim, 0.7)

    def answers(fresh):
        rule, rng = DGD(0.1, 4, 0.2, fresh=fresh), np.random.default_rng(3)
        return rule.answers(game, w, game.draw(rng), rng)[0]

    assert np.abs(answers(True) - answers(False)).max() > 1e-3


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"k": 3}, "one of: inner_lr"),
        ({"k": 3, "inner_lr": 0.1, "inner": gd.rules.GDA(0.1)}, "one of: inner_lr"),
        ({"k": None, "inner_lr": 0.1}, "one of: inner_lr"),
        ({"k": 3, "inner": gd.rules.Adam(0.1), "through": True}, "adjoint"),
        ({"k": 0, "inner_lr": 0.1}, "whole number"),
        ({"k": 2, "inner_lr": -0.1}, "positive"),
        ({"k": 2, "inner_lr": 0.1, "outer": "Adam"}, "a rule"),
    ],
)
def test_what_cannot_be_is_refused(arguments, match):
    with pytest.raises(ParameterError, match=match):
        DGD(0.1, **arguments)


def test_games_outside_the_domain_are_refused_by_name():
    with pytest.raises(DomainError, match="through"):
        DGD(0.1, 2, 0.1, through=True).check(gd.games.matching_pennies())
    with pytest.raises(DomainError, match="best response"):
        gd.iterate(gd.games.dirac_gan(), DGD(0.1, None), [1.0, 1.0], 2)
