"""Rules of second order on a nonlinear general-sum game, against their definitions differentiated by torch.

Each definition below is a cost that somebody descends (a penalised, an unrolled, a foreseen cost), written as the
papers write it and differentiated by autograd: a factor 1/2, a transpose or a point of evaluation that is off shows.
"""

from __future__ import annotations

import numpy as np
import pytest
import sympy
import torch
from nonlinear_game import GAME, START, ZERO_SUM, costs

import gandyn as gd

LR, E = 0.1, 0.07


class Autograd:
    """The same game by automatic differentiation alone."""

    def __init__(self, zero_sum=False):
        self.zero_sum = zero_sum

    def costs(self, w):
        first, second = costs(w[:2], w[2:])
        return first, -first if self.zero_sum else second

    def own(self, i, w):
        """df_i/dx_i, kept differentiable."""
        g = torch.autograd.grad(self.costs(w)[i], w, create_graph=True)[0]
        return g[:2] if i == 0 else g[2:]

    def across(self, i, w):
        """df_i/dx_j, j the other player."""
        g = torch.autograd.grad(self.costs(w)[i], w, create_graph=True)[0]
        return g[2:] if i == 0 else g[:2]

    def field(self, w):
        return torch.cat([self.own(0, w), self.own(1, w)])

    def jacobian(self, w):
        return torch.autograd.functional.jacobian(self.field, w)


TORCH, TORCH_ZERO_SUM = Autograd(), Autograd(zero_sum=True)


def point():
    return torch.tensor(START, requires_grad=True)


def gradient(value, w):
    return torch.autograd.grad(value, w, allow_unused=True)[0]


def step(rule, zero_sum=False):
    """What one step of the rule subtracts, over lr."""
    a_game = ZERO_SUM if zero_sum else GAME
    moved, _, _ = rule.step(a_game, START, rule.init(a_game, START))
    return (START - moved) / LR


def close(found, expected):
    np.testing.assert_allclose(found, expected.detach().numpy(), rtol=1e-11, atol=1e-12)


def blocks(first, second):
    """Player 1's block of one gradient and player 2's of another."""
    return torch.cat([first[:2], second[2:]])


def test_consensus_descends_half_the_squared_field():
    w = point()
    v = TORCH.field(w)
    penalty = gradient((v @ v) / 2, w)
    close(step(gd.rules.Consensus(LR, 0.7)), v + 0.7 * penalty)
    close(step(gd.rules.HamiltonianGradient(LR)), penalty)
    assert penalty.norm() > 1


def test_symplectic_adjustment_by_the_dense_antisymmetric_part():
    w = point()
    v, j = TORCH.field(w), TORCH.jacobian(w)
    a = (j - j.T) / 2
    close(step(gd.rules.SGA(LR, 0.7, align=False)), v + 0.7 * a.T @ v)
    g = j.T @ v
    aligned = torch.sign((v @ g) * ((a.T @ v) @ g) / 3 + 0.1)
    close(step(gd.rules.SGA(LR, 0.7)), v + 0.7 * aligned * a.T @ v)


def test_alignment_turns_the_sign_and_divides_by_the_dimension():
    """f = -(x^2 + y^2)/2 + x y for both sides of the threshold: <v, g><A^T v, g>/d crosses -alignment with scale."""
    blocks_ = (((-1,), (2,)), ((-1,), (-1,)))
    a_game, w = gd.games.general_quadratic(blocks_), np.array([1.0, 0.4])
    j = np.array([[-1.0, 2.0], [-1.0, -1.0]])
    v = j @ w
    adjustment, g = (j.T - j) @ v / 2, j.T @ v
    agreement = (v @ g) * (adjustment @ g) / 2
    assert agreement < 0
    for factor, expected in ((0.99, -1), (1.01, 1)):
        rule = gd.rules.SGA(0.1, 0.5, alignment=-agreement * factor)
        moved, _, _ = rule.step(a_game, w, rule.init(a_game, w))
        np.testing.assert_allclose(moved, w - 0.1 * (v + 0.5 * expected * adjustment), rtol=1e-13)


def test_the_regularised_runge_kutta_step_penalises_the_others_gradient():
    """rho |df_1/dx|^2 in player 2's cost, without a half, at the start of the step."""
    w = point()
    penalty = gradient((TORCH.own(0, w) ** 2).sum(), w)
    plain, regularised = step(gd.rules.RungeKutta(LR, 4)), step(gd.rules.RungeKutta(LR, 4, (0, 0.3)))
    close(regularised - plain, blocks(0 * w, 0.3 * penalty))


def test_runge_kutta_stages_are_joint():
    """Order 2 is the explicit midpoint; a player at a time is not it."""
    v = GAME.field
    np.testing.assert_allclose(step(gd.rules.RungeKutta(LR, 2)), v(START - LR / 2 * v(START)), rtol=1e-12)
    one_by_one = step(gd.rules.Alternating(gd.rules.RungeKutta(LR, 2)))
    assert np.abs(one_by_one - step(gd.rules.RungeKutta(LR, 2))).max() > 1e-3


def test_explicit_penalties_are_gradients_of_the_named_costs():
    """Each coefficient by itself, for each player, held and not."""
    w = point()
    v = TORCH.field(w)
    norms = [(TORCH.own(i, w) ** 2).sum() for i in (0, 1)]
    own = blocks(*(torch.autograd.grad(n, w, retain_graph=True)[0] for n in norms))
    others = blocks(*(torch.autograd.grad(n, w, retain_graph=True)[0] for n in norms[::-1]))
    free, held = [], []
    for i in (0, 1):
        other = TORCH.own(1 - i, w)
        free.append(torch.autograd.grad(TORCH.across(i, w) @ other, w, retain_graph=True)[0])
        held.append(torch.autograd.grad(TORCH.across(i, w) @ other.detach(), w, retain_graph=True)[0])
    close(step(gd.rules.Drift(LR, self_norm=0.3)), v + 0.3 * own)
    close(step(gd.rules.Drift(LR, other_norm=0.3)), v + 0.3 * others)
    close(step(gd.rules.Drift(LR, other_dot=0.3)), v + 0.3 * blocks(*held))
    close(step(gd.rules.Drift(LR, other_dot=0.3, held=False)), v + 0.3 * blocks(*free))
    assert (blocks(*free) - blocks(*held)).norm() > 0.1


def test_opponent_lookahead_holds_the_others_step_and_lola_does_not():
    """To first order in e: f_i - e <df_i/dx_j, df_j/dx_j>, the second factor fixed or free."""
    w = point()
    v = TORCH.field(w)
    fixed, free = [], []
    for i in (0, 1):
        others = TORCH.own(1 - i, w)
        fixed.append(torch.autograd.grad(TORCH.across(i, w) @ others.detach(), w, retain_graph=True)[0])
        free.append(torch.autograd.grad(TORCH.across(i, w) @ others, w, retain_graph=True)[0])
    close(step(gd.rules.OpponentLookahead(LR, E)), v - E * blocks(*fixed))
    close(step(gd.rules.LOLA(LR, E)), v - E * blocks(*free))


def test_stable_opponent_shaping_by_its_published_algorithm():
    w = point()
    v, j = TORCH.field(w).detach(), TORCH.jacobian(w)
    same = torch.tensor([[1.0, 1, 0], [1, 1, 0], [0, 0, 1]], dtype=torch.float64)
    off = j * (1 - same)
    gradients = torch.stack([torch.autograd.grad(c, w, retain_graph=True)[0] for c in TORCH.costs(w)])
    for scale in (0.05, 0.4, 3.0):
        chi = scale * blocks(off.T @ gradients[0], off.T @ gradients[1])
        xi = v - scale * off @ v
        inner = -chi @ xi
        p1 = 1.0 if inner > 0 else min(1.0, float(-0.5 * (xi @ xi) / inner))
        p2 = 1.0 if v.norm() >= 0.1 else float(v @ v)
        close(step(gd.rules.StableOpponentShaping(LR, scale)), xi - min(p1, p2) * chi)


def test_shaping_fades_at_a_fixed_point_and_creates_none():
    """Near an equilibrium the dose is |v|^2; at it the step is zero, and the map has a derivative."""
    a_game, rule = gd.games.quadratic(1, 2, 1), gd.rules.StableOpponentShaping(0.1)
    for size in (1e-3, 1e-2):
        w = size * np.array([1.0, 0.5])
        _, _, info = rule.step(a_game, w, rule.init(a_game, w))
        assert info["dose"] == pytest.approx((a_game.field(w) ** 2).sum(), rel=1e-12)
    ensemble = np.array([[0.0, 0.0], [0.3, -0.2]])
    moved, _, _ = rule.step(a_game, ensemble, rule.init(a_game, ensemble))
    assert np.isfinite(moved).all()
    np.testing.assert_array_equal(moved[0], 0)


@pytest.mark.parametrize("k", [0, 1, 4])
def test_unrolled_steps_differentiate_through_the_inner_steps(k):
    w = point()
    x, y = w[:2], w[2:]
    for _ in range(k):
        joint = torch.cat([x, y])
        y = y - E * torch.autograd.grad(TORCH.costs(joint)[1], y, create_graph=True)[0]
    surrogate = TORCH.costs(torch.cat([x, y]))[0]
    expected = blocks(gradient(surrogate, w), TORCH.field(point()))
    close(step(gd.rules.Unrolled(LR, k, E)), expected)


def test_unrolled_player_1_agrees_with_differences_of_the_unrolled_cost():
    """The same by central differences of the number f_1(x, y_k(x)): no derivative of ours in it but the inner steps."""

    def unrolled_cost(x):
        w = np.array([*x, START[2]])
        for _ in range(3):
            w = w - E * GAME.field(w, only=1)
        return GAME.costs(w)[0]

    h = 1e-5
    slopes = [(unrolled_cost(START[:2] + h * e) - unrolled_cost(START[:2] - h * e)) / (2 * h) for e in np.eye(2)]
    np.testing.assert_allclose(step(gd.rules.Unrolled(LR, 3, E))[:2], slopes, rtol=1e-8)


def test_competitive_steps_solve_the_local_game():
    """Each player's move is the best answer to the other's in the bilinear model with a proximity term."""
    j, v = TORCH.jacobian(point()).numpy(), GAME.field(START)
    move = -LR * step(gd.rules.CompetitiveGD(LR))
    np.testing.assert_allclose(move[:2], -LR * (v[:2] + j[:2, 2:] @ move[2:]), rtol=1e-11)
    np.testing.assert_allclose(move[2:], -LR * (v[2:] + j[2:, :2] @ move[:2]), rtol=1e-11)


def test_the_ridge_is_followed():
    """The follower's correction keeps v_y, to first order, under the leader's move alone."""
    rule = gd.rules.FollowTheRidge(LR)
    j, v = TORCH_ZERO_SUM.jacobian(point()).numpy(), ZERO_SUM.field(START)
    move = -LR * step(rule, zero_sum=True)
    assert move[:2] == pytest.approx(-LR * v[:2], rel=1e-12)
    correction = move[2:] + LR * v[2:]
    np.testing.assert_allclose(j[2:, :2] @ move[:2] + j[2:, 2:] @ correction, 0, atol=1e-13)
    assert np.abs(correction).max() > 1e-3


def test_what_solvers_ask_for_is_what_their_costs_say():
    """nan in the declared cost stands for these counts, which depend on the point and the dimension."""
    rule, before = gd.rules.ProximalPoint(LR), GAME.counts * 1
    _, _, info = rule.step(GAME, START, rule.init(GAME, START))
    spent = GAME.counts - before
    assert (spent.fields, spent.jvps) == (1 + info["iterations"], 3 * info["iterations"])
    rule = gd.rules.FollowTheRidge(LR)
    state, before = rule.init(ZERO_SUM, START), ZERO_SUM.counts * 1
    rule.step(ZERO_SUM, START, state)
    spent = ZERO_SUM.counts - before
    assert (spent.fields, spent.jvps) == (1, 1 + ZERO_SUM.players[1].size)
    quadratic = gd.games.general_quadratic((((2,), (1,)), ((-0.5,), (1,))))
    rule, before = gd.rules.ConsistentShaping(0.1, 2), quadratic.counts * 1
    rule.step(quadratic, np.array([0.7, -0.4]), gd.types.State())
    assert (quadratic.counts - before).fields == 3


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_consistent_shaping_is_the_nested_total_derivative(order):
    """h^n_i = -lr d/dx_i f_i(x_i, x_j + h^{n-1}_j), by autograd through all levels, on a quadratic game."""
    rng = np.random.default_rng(3)
    hessians = torch.tensor(np.round(rng.normal(size=(2, 3, 3)), 2))
    symbols = sympy.symbols("x1 x2", real=True), sympy.symbols("y1:2", real=True)
    w_symbols = sympy.Matrix([*symbols[0], *symbols[1]])
    exprs = [(w_symbols.T * sympy.Matrix(h.numpy()).applyfunc(sympy.nsimplify) * w_symbols)[0] for h in hessians]
    a_game = gd.games.from_sympy(exprs, symbols)

    def h(level, w):
        if level < 0:
            return torch.zeros(3, dtype=torch.float64)
        model, moves = h(level - 1, w), []
        for i, mask in enumerate(torch.tensor([[1.0, 1, 0], [0, 0, 1]], dtype=torch.float64)):
            at = w + (1 - mask) * model
            total = torch.autograd.grad(at @ hessians[i] @ at, w, create_graph=True)[0]
            moves.append(-LR * mask * total)
        return sum(moves)

    rule = gd.rules.ConsistentShaping(LR, order)
    moved, _, _ = rule.step(a_game, START, rule.init(a_game, START))
    close(moved - START, h(order, point()))


def test_consistent_shaping_ends_where_the_models_are_true():
    """Without a limit on reasoning, one more level changes nothing; large steps never get there, and say so."""
    a_game = gd.games.general_quadratic((((2,), (1,)), ((-0.5,), (1,))))
    w = np.array([0.7, -0.4])
    found = {n: gd.rules.ConsistentShaping(0.1, n).step(a_game, w, gd.types.State())[0] for n in (None, 40, 41, 1)}
    np.testing.assert_allclose(found[None], found[40], rtol=1e-13)
    np.testing.assert_allclose(found[41], found[40], rtol=1e-14)
    assert np.abs(found[None] - found[1]).max() > 1e-4
    with pytest.raises(gd.errors.ConvergenceError, match="smaller lr"):
        gd.rules.ConsistentShaping(5.0).step(a_game, w, gd.types.State())
    with pytest.raises(gd.errors.DomainError, match=r"ConsistentShaping.*not quadratic"):
        gd.rules.ConsistentShaping(0.1).check(GAME)


def test_surgery_has_a_symmetric_linear_part():
    """D(step) at an equilibrium is (J + J^T)/2: nothing rotates."""
    a_game = gd.games.general_quadratic((((2,), (3,)), ((-1,), (0.5,))))
    traced = gd.update_map(a_game, gd.rules.LocalSymplecticSurgery("lr"))
    _, slope = traced.jacobian_at([0, 0])
    j = sympy.Matrix([[2, 3], [-1, sympy.Rational(1, 2)]])
    lr = sympy.Symbol("lr", positive=True)
    assert (slope - (sympy.eye(2) - lr * (j + j.T) / 2)).applyfunc(sympy.simplify) == sympy.zeros(2)
