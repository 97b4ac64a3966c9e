"""What the literature says of the rules: identities, moduli, rates, and where each of them fails."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import sympy

import gandyn as gd
from gandyn.types import State

R = gd.rules


def move(rule, game, w, steps=1):
    state = rule.init(game, w)
    for _ in range(steps):
        w, state, _ = rule.step(game, w, state)
    return w


def same(first, second, game, steps=5, tolerance=1e-12):
    w = np.random.default_rng(0).normal(size=(4, game.dim)) * 0.5
    np.testing.assert_allclose(move(first, game, w, steps), move(second, game, w, steps), rtol=tolerance, atol=1e-14)


def traced_radius(game, rule):
    """Spectral radius of the traced augmented map at the origin, counters at infinity: exact matrix, LAPACK values."""
    traced = gd.update_map(game, rule)
    _, slope = traced.jacobian_at([0] * len(traced.symbols))
    return np.abs(np.linalg.eigvals(np.array(slope.evalf(30).tolist(), dtype=float))).max()


BILINEAR = gd.games.bilinear(((0.5, -1.25), (0.75, 2)))
SIGMA = np.linalg.svd(np.array([[0.5, -1.25], [0.75, 2]]), compute_uv=False)
SCALAR = [
    (entry.name, k)
    for entry in R.registry
    for k, rule in enumerate(entry.build.examples())
    if rule.bilinear_modulus(0.3) is not None
]


def uniform_lr(rule):
    while not hasattr(rule, "lr"):
        rule = rule.inner
    return rule.lr if isinstance(rule.lr, (int, float)) else None


@pytest.mark.parametrize(("name", "k"), SCALAR)
def test_the_traced_map_has_the_declared_modulus(name, k):
    """To 1e-10, through the symbols, on a game with two singular values."""
    rule = list(R.registry[name].build.examples())[k]
    lr = uniform_lr(rule)
    if lr is None:  # the declaration speaks of equal steps: make them equal
        inner = dataclasses.replace(rule.inner, lr=0.1) if hasattr(rule, "inner") and not hasattr(rule, "lr") else None
        rule, lr = dataclasses.replace(rule, **({"inner": inner} if inner else {"lr": 0.1})), 0.1
    expected = [rule.bilinear_modulus(lr * s) for s in SIGMA]
    if None in expected:  # other parameters are the players' own
        return
    defective = name in {"Averaging", "Anchored", "Halpern"}  # eigenvalues at 1 that may coincide
    assert traced_radius(BILINEAR, rule) == pytest.approx(max(expected), abs=1e-8 if defective else 1e-10)


@pytest.mark.parametrize(
    ("rule", "modulus"),
    [
        (R.RungeKutta(0.4, 2), lambda s: math.sqrt(1 + s**4 / 4)),
        (R.CompetitiveGD(0.4), lambda s: 1 / math.sqrt(1 + s**2)),
        (R.ProximalPoint(0.4), lambda s: 1 / math.sqrt(1 + s**2)),
        (R.LinearizedCGD(0.4), lambda s: math.sqrt(1 - s**2 + s**4)),
        (R.Consensus(0.4, 0.7), lambda s: math.hypot(1 - 0.7 * s**2 / 0.4, s)),
        (R.SGA(0.4, 0.7), lambda s: math.hypot(1 - 0.7 * s**2 / 0.4, s)),
        (R.Lookahead(R.GDA(0.4), 5, 0.3), lambda s: abs(0.7 + 0.3 * (1 - 1j * s) ** 5)),
        (R.ExtragradientPlus(0.4, 0.5), lambda s: math.hypot(1 - 2 * s**2, s)),
        (R.LOLA(0.4), lambda s: math.hypot(1 - 2 * s**2, s)),
        (R.PID(0.4, 1, 0, 1), lambda s: R.OptimisticGD(1).bilinear_modulus(s)),
    ],
)
def test_published_moduli_typed_out_again(rule, modulus):
    """The formulas of the papers, not those of the classes."""
    assert traced_radius(BILINEAR, rule) == pytest.approx(max(modulus(0.4 * s) for s in SIGMA), abs=1e-10)


def test_runge_kutta_is_stable_up_to_two_root_two():
    limit = 2 * math.sqrt(2)
    assert R.RungeKutta(1, 4).bilinear_modulus(0.999 * limit) < 1 < R.RungeKutta(1, 4).bilinear_modulus(1.001 * limit)
    assert R.RungeKutta(1, 4).bilinear_modulus(limit) == pytest.approx(1, abs=1e-14)


def test_runge_kutta_of_one_player_at_a_time_is_euler_in_turn():
    """On v = ab the stages of a player alone all see the same field: nothing of the method is left."""
    same(R.Alternating(R.RungeKutta(0.1, 4)), R.AlternatingGD(0.1), gd.games.bilinear(), steps=20)
    w = move(R.RungeKutta(0.1, 4), gd.games.bilinear(), np.array([1.0, 1.0]), 1000)
    modulus = abs(sum((-0.1j) ** k / math.factorial(k) for k in range(5)))
    assert np.linalg.norm(w) == pytest.approx(math.sqrt(2) * modulus**1000)


# --- identities between rules -----------------------------------------------------------------------------------------

SUM_ZERO = gd.games.quadratic(a=((2, 0.5), (0.5, 1)), b=((1, -1), (0, 2)), c=((1, 0), (0, 3)))
GENERAL = gd.games.general_quadratic(((((2, 0), (0, 1)), ((1,), (-1,))), (((-1, 1),), ((1.5,),))))


def nonlinear(zero_sum):
    x, y = sympy.symbols("x y", real=True)
    f = x * y + sympy.sin(x) * y / 2 + x**2 / 5 - sympy.cos(x - y) / 3 - y**2 / 7 + x**3 * y / 20
    g = y**2 / 4 - x * y * sympy.cos(y) + sympy.sin(2 * x + y) / 3
    return gd.games.from_sympy([f, -f if zero_sum else g], [x, y])


WAVY, WAVY_GENERAL = nonlinear(True), nonlinear(False)


def test_identities_on_bilinear_games():
    same(R.SGA(0.1, 0.5), R.Consensus(0.1, 0.5), BILINEAR)
    same(R.CompetitiveGD(0.1), R.ProximalPoint(0.1), BILINEAR)
    same(R.LinearizedCGD(0.1), R.Extragradient(0.1), BILINEAR)
    same(R.Unrolled(0.1, 1), R.Unrolled(0.1, 1, inner_lr=0.1), BILINEAR)


def test_bilinear_identities_break_elsewhere():
    """Extragradient is its look-ahead's linearisation with own curvature left in; SGA is not consensus."""
    w = np.array([0.5, -0.4])
    for first, second in (
        (R.SGA(0.1, 0.5), R.Consensus(0.1, 0.5)),
        (R.CompetitiveGD(0.1), R.ProximalPoint(0.1)),
        (R.LinearizedCGD(0.1), R.Extragradient(0.1)),
    ):
        assert np.abs(move(first, WAVY, w) - move(second, WAVY, w)).max() > 1e-4


def test_identities_on_zero_sum_games():
    for game in (WAVY, SUM_ZERO):
        same(R.LinearizedCGD(0.1), R.SGA(0.1, 0.1, align=False), game)
        same(R.Drift.symplectic(0.1, 0.6), R.SGA(0.1, 0.6, align=False), game)
        same(R.Drift(0.1, self_norm=-0.025, other_norm=0.025), R.Drift.cancelling(0.1), game)
    w = np.array([0.5, -0.4])
    first, second = R.LinearizedCGD(0.1), R.SGA(0.1, 0.1, align=False)
    assert np.abs(move(first, WAVY_GENERAL, w) - move(second, WAVY_GENERAL, w)).max() > 1e-4


def test_identities_on_every_game():
    for game in (WAVY, WAVY_GENERAL, GENERAL):
        same(R.Drift.consensus(0.1, 0.6), R.Consensus(0.1, 0.6), game)
        same(R.Drift(0.1, other_dot=-0.1), R.OpponentLookahead(0.1), game)
        same(R.Drift(0.1, other_dot=-0.2, held=False), R.LOLA(0.1, 0.2), game)
        same(R.OpponentLookahead(0.1), R.LinearizedCGD(0.1), game)
        same(R.PID(0.1, 1, 0, 1), R.OptimisticGD(0.1), game)
        same(R.PID(0.1, 1, 0, 0), R.GDA(0.1), game)
        same(R.SGDM(0.1, 0.4), R.HeavyBall(0.06, 0.4), game)
        same(R.LEAD(0.1, 0, 0.4), R.HeavyBall(0.1, 0.4), game)
        same(R.Unrolled(0.1, 0), R.GDA(0.1), game)
        same(R.ExtragradientPlus(0.1, 1), R.Extragradient(0.1), game)
        same(R.ExtragradientPlus(0.1, 0.5), R.Extragradient(0.1, extrapolation=0.2), game)
        same(R.Lookahead(R.GDA(0.1), 1, 1), R.GDA(0.1), game)
        same(R.TimeScale(R.OptimisticGD(0.1), 3), R.OptimisticGD((0.1, 0.3)), game)
        same(R.TimeScale(R.Alternating(R.Adam(0.1)), 3), R.Alternating(R.Adam((0.1, 0.3))), game)
        same(R.TakagiSugeno(0.1, 0.5, 0.5), R.GDA(0.05), game)
        same(R.Clipped(R.OptimisticGD(0.1), norm=1e6, value=1e6), R.OptimisticGD(0.1), game)


def test_cancelling_drift_gains_an_order():
    """v - lr/2 J v follows the flow to second order, on zero-sum and general-sum games; half of it does not."""
    from scipy.integrate import solve_ivp

    w = np.array([0.8, -0.6])
    for game in (WAVY, WAVY_GENERAL):
        exact = solve_ivp(lambda _, z, g=game: -g.field(z), (0, 1), w, rtol=1e-12, atol=1e-13, method="DOP853").y[:, -1]

        def slope(build, game=game, exact=exact):
            e = [np.linalg.norm(move(build(1 / n), game, w, n) - exact) for n in (64, 128, 256)]
            return 2 * math.log2(e[1] / e[2]) - math.log2(e[0] / e[1])

        assert slope(R.Drift.cancelling) == pytest.approx(2, abs=0.05)
        assert slope(lambda lr: R.Drift(lr, self_norm=-lr / 8, other_dot=-lr / 4)) == pytest.approx(1, abs=0.05)
        assert slope(lambda lr: R.RungeKutta(lr, 2)) == pytest.approx(2, abs=0.05)
        assert slope(lambda lr: R.Alternating(R.RungeKutta(lr, 4))) == pytest.approx(1, abs=0.05)


# --- rates and places of convergence ----------------------------------------------------------------------------------


def test_extra_anchored_gradient_has_its_rate():
    """|v(w_t)|^2 <= 260 L^2 |w_0 - w*|^2 / ((t+1)(t+2)) at lr = 1/(8L), and nothing faster."""
    game, w0 = gd.games.bilinear(), np.array([1.0, 0.5])
    path = gd.iterate(game, R.Anchored(1 / 8), w0, 2000).w
    t = np.arange(2001)
    squared = (game.field(path) ** 2).sum(-1)
    assert (squared <= 260 * (w0 @ w0) / ((t + 1) * (t + 2))).all()
    scaled = squared[500:] * t[500:] ** 2
    assert scaled.max() / scaled.min() < 1.5
    assert scaled.min() > 1


def test_halpern_around_the_proximal_step_has_its_rate():
    """|w_t - T(w_t)| <= 2 |w_0 - w*| / (t + 1) for a nonexpansive T."""
    game, inner, w0 = gd.games.bilinear(), R.ProximalPoint(0.5), np.array([1.0, 0.5])
    path = gd.iterate(game, R.Halpern(inner), w0, 300).w
    gaps = np.linalg.norm(path - move(inner, game, path), axis=-1)
    t = np.arange(301)
    assert (gaps <= 2 * np.linalg.norm(w0) / (t + 1)).all()
    assert (gaps * (t + 1))[100:].min() > 0.1


def test_the_uniform_average_of_alternating_steps_converges_like_one_over_t():
    game, w0 = gd.games.bilinear(), np.array([1.0, 0.5])
    path = gd.iterate(game, R.Averaging(R.AlternatingGD(0.3)), w0, 4000).w
    t = np.arange(1, 4001)
    assert (np.linalg.norm(path[1:], axis=-1) * t).max() < 12
    assert np.linalg.norm(path[-1]) < 3e-3


def test_lookahead_turns_the_spiral_inwards():
    """k = 2: |1 - alpha s^2 - 2 i alpha s| < 1 iff s^2 < 2/alpha - 4, so never for alpha >= 1/2."""
    for alpha in (0.2, 0.4, 0.5, 0.8):
        for s in np.linspace(0.05, 3, 60):
            modulus = R.Lookahead(R.GDA(1), 2, alpha).bilinear_modulus(s)
            assert (modulus < 1) == (s**2 < 2 / alpha - 4)
            assert modulus == pytest.approx(math.hypot(1 - alpha * s**2, 2 * alpha * s), rel=1e-12)


def test_follow_the_ridge_finds_the_local_minimax_point_that_gradients_leave():
    """f = -3x^2 - y^2 + 4xy (Wang et al. 2019): the origin is the local minimax point; GDA runs away from it."""
    x, y = sympy.symbols("x y", real=True)
    game = gd.games.from_sympy(-3 * x**2 - y**2 + 4 * x * y, [x, y])
    start = np.array([5.0, 7.0])
    assert np.linalg.norm(move(R.FollowTheRidge(0.05), game, start, 1000)) < 1e-12
    assert np.linalg.norm(move(R.GDA(0.05), game, start, 300)) > 1e3
    other = gd.games.from_sympy(3 * x**2 + y**2 + 4 * x * y, [x, y])  # the origin is not one: it is left
    assert traced_radius(other, R.FollowTheRidge(0.05)) > 1


def test_the_hamiltonian_gradient_is_caught_by_a_point_that_everybody_dislikes():
    """f_i = -x_i^2/2: both players flee the origin; descending |v|^2 goes there."""
    game = gd.games.general_quadratic((((-1,), (0,)), ((0,), (-1,))))
    w = np.array([0.5, -0.3])
    assert np.linalg.norm(move(R.HamiltonianGradient(0.5), game, w, 100)) < 1e-12
    assert np.linalg.norm(move(R.GDA(0.5), game, w, 20)) > 100
    assert np.linalg.norm(move(R.SGA(0.5, 1.0), game, w, 20)) > 100


def test_shaping_preserves_stable_opponents_lola_does_not():
    """The tandem game (Letcher et al. 2019): LOLA settles where x + y = (1 - 2e)/(1 - 4e), SOS where it is 1."""
    x, y = sympy.symbols("x y", real=True)
    game = gd.games.from_sympy([(x + y) ** 2 - 2 * x, (x + y) ** 2 - 2 * y], [x, y])
    start = np.array([0.3, 0.2])
    lola = move(R.LOLA(0.1), game, start, 400)
    sos = move(R.StableOpponentShaping(0.1), game, start, 400)
    assert np.abs(game.field(sos)).max() < 1e-6
    assert lola.sum() == pytest.approx(0.8 / 0.6, rel=1e-12)
    assert np.abs(game.field(lola)).max() > 0.6


def test_the_time_scale_is_a_free_parameter():
    traced = gd.update_map(gd.games.quadratic(1, 2, 1), R.TimeScale(R.GDA("lr"), "tau"))
    lr, tau = sympy.symbols("lr tau", positive=True)
    x, y = traced.symbols
    assert sympy.expand(traced.expression[1] - (y - lr * tau * (y - 2 * x))) == 0
    assert sympy.expand(traced.expression[0] - (x - lr * (x + 2 * y))) == 0


# --- adaptive rules against torch's own optimisers --------------------------------------------------------------------


def torch_run(make, steps=20):
    import torch

    w = torch.tensor([0.8, -0.6], dtype=torch.float64, requires_grad=True)
    optimiser = make([w])
    for _ in range(steps):
        w.grad = WAVY.field(w.detach())
        optimiser.step()
    return w.detach().numpy()


def test_adaptive_rules_are_torchs():
    import torch

    start = np.array([0.8, -0.6])
    for rule, make in (
        (R.Adam(0.03, (0.5, 0.9)), lambda p: torch.optim.Adam(p, 0.03, (0.5, 0.9))),
        (R.AMSGrad(0.03, (0.5, 0.9)), lambda p: torch.optim.Adam(p, 0.03, (0.5, 0.9), amsgrad=True)),
        (
            R.AdamW(0.03, (0.5, 0.9), weight_decay=0.2),
            lambda p: torch.optim.AdamW(p, 0.03, (0.5, 0.9), weight_decay=0.2),
        ),
        (R.RMSProp(0.03), lambda p: torch.optim.RMSprop(p, 0.03)),
        (R.HeavyBall(0.03, 0.7), lambda p: torch.optim.SGD(p, 0.03, momentum=0.7)),
        (R.SGDM(0.03, 0.7), lambda p: torch.optim.SGD(p, 0.009, momentum=0.7)),
    ):
        np.testing.assert_allclose(move(rule, WAVY, start, 20), torch_run(make), rtol=1e-10)
    larger, adam = (move(rule(0.03, (0.5, 0.9)), WAVY, start, 20) for rule in (R.AMSGrad, R.Adam))
    assert np.abs(larger - adam).max() > 1e-3


def test_a_first_adaptive_step_is_a_sign_step():
    """After one field, mean / root is the sign whatever the betas; the first optimistic step is twice as long."""
    w = np.array([0.8, -0.6])
    signs = np.sign(WAVY.field(w))
    np.testing.assert_allclose(move(R.Adam(0.1, eps=1e-12), WAVY, w), w - 0.1 * signs, rtol=1e-9)
    np.testing.assert_allclose(move(R.OptimisticAdam(0.1, eps=1e-12), WAVY, w), w - 0.2 * signs, rtol=1e-9)


def test_state_free_forms_are_kept_when_nothing_is_left():
    assert R.CompetitiveGD(0.1).init(WAVY, np.zeros(2)) == State()
    assert set(R.CompetitiveGD(0.1, solver="krylov").init(WAVY, np.zeros(2)).arrays) == {"move"}


def test_surgery_on_the_bilinear_game_leaves_a_small_share_of_the_field():
    """J^T J = I and J^T J^T = -I there: the bracket is (1 - 1/(1 + r)) v, r = 1 - exp(-|v|^2)."""
    w, v = np.array([1.0, 2.0]), np.array([2.0, -1.0])
    r = 1 - np.exp(-5.0)
    moved = gd.iterate(gd.games.bilinear(), gd.rules.LocalSymplecticSurgery(0.1), w, 1).w[-1]
    np.testing.assert_allclose(moved, w - 0.05 * r / (1 + r) * v, rtol=1e-14)


def test_looking_ahead_by_a_step_of_its_own_has_no_closed_modulus():
    """On f = x y with step s: sqrt(1 - s^2 + s^4) where the opponents' step is s too, nothing known elsewhere."""
    known = gd.rules.OpponentLookahead(0.1).bilinear_modulus(0.3)
    assert known == pytest.approx(math.sqrt(1 - 0.09 + 0.0081), rel=1e-14)
    assert gd.rules.OpponentLookahead(0.1, opponent_lr=0.2).bilinear_modulus(0.3) is None
