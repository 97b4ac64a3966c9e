"""What rules and games declare about themselves, checked apart from the agreement of worlds.

A rule that is written wrongly agrees with itself in every world; it does not agree with the flow it claims to follow,
or with the spectral radius it claims to have.
"""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import gandyn as gd
from catalogue import (
    RULES,
    augmented,
    augmented_matrix,
    finite_differences,
    flat,
    label,
    rule,
    seeded,
    with_steps,
)

SHARES = (0.05, 0.2, 0.45, 0.7, 1.3)  # values of s on both sides of the thresholds
every_rule = pytest.mark.parametrize("case", RULES, ids=label)


# --- order ------------------------------------------------------------------------------------------------------------


@functools.cache
def nonlinear_game():
    """Smooth, nowhere special, and mild enough that 16 steps over unit time resolve it."""
    import sympy

    x, y = sympy.symbols("x y", real=True)
    f = x * y + sympy.sin(x) * y / 2 + x**2 / 5 - sympy.cos(x - y) / 3 - y**2 / 7 + x**3 * y / 20
    return gd.games.from_sympy(f, [x, y])


def integrated(game, start, time):
    """The gradient flow by SciPy's own integrator, called here so that a mistake in `gd.flow` cannot hide."""
    found = solve_ivp(lambda _, w: -game.field(w), (0, time), start, method="DOP853", rtol=1e-12, atol=1e-13)
    return found.y[:, -1]


def errors_at_unit_time(a_rule, counts):
    """Distance to the flow at time 1, for each number of steps; rules for quadratic games alone get one of those."""
    game, start = nonlinear_game(), np.array([0.8, -0.6])
    try:
        a_rule.check(game)
    except gd.GandynError:
        game = gd.games.quadratic(a=0.5, b=1.5, c=0.8)
    exact = integrated(game, start, 1.0)
    lasts = [gd.iterate(game, with_steps(a_rule, 1 / n), start, n, record="last").w for n in counts]
    return np.array([np.linalg.norm(w - exact) for w in lasts])


ORDERED = [case for case in RULES if rule(case).flow_order is not None]


@pytest.mark.parametrize("case", ORDERED, ids=label)
def test_the_order_is_the_slope_of_the_error_against_the_step(case):
    """log error against log lr has the declared slope to 0.05, after one extrapolation of the slope itself."""
    counts = np.array([16, 32, 64]) if rule(case).flow_order >= 3 else np.array([128, 256, 512])
    e = errors_at_unit_time(rule(case), counts)
    first, second = np.log2(e[0] / e[1]), np.log2(e[1] / e[2])
    slope = 2 * second - first
    assert abs(slope - rule(case).flow_order) < 0.05, (slope, e)
    assert e[-1] > 1e-13  # above rounding: the slope means something


def test_orders_one_two_and_four_are_all_there():
    assert {1, 2, 4} <= {rule(case).flow_order for case in ORDERED}
    assert len({case[0] for case in ORDERED}) >= 8


def test_the_flow_of_gandyn_is_the_flow():
    game, start = nonlinear_game(), np.array([0.8, -0.6])
    path = gd.flow(game, start, 3.0, rtol=1e-10)
    np.testing.assert_allclose(path.w[-1], integrated(game, start, 3.0), rtol=1e-8)
    np.testing.assert_allclose(path.w[0], start)


# --- spectral radius on bilinear games --------------------------------------------------------------------------------


def step_of(a_rule):
    """The rule's lr, its innermost one for wrappers; None when players have their own."""
    while not hasattr(a_rule, "lr"):
        a_rule = a_rule.inner[0] if isinstance(a_rule.inner, tuple) else a_rule.inner
    return a_rule.lr if isinstance(a_rule.lr, (int, float)) else None


def radius(game, a_rule):
    """LAPACK on the differenced Jacobian of the augmented map at the origin, late: the limit of rules that count."""
    origin = np.zeros(game.dim)
    state = a_rule.init(game, origin, np.random.default_rng(0))
    leaves, counts = [array for _, array in state.leaves()], [10**14 for _ in state.counter_leaves()]
    state = state.replace_leaves(iter(leaves), iter(counts))
    jacobian = finite_differences(augmented(game, a_rule, origin, state), flat(origin, state), h=1e-3)
    return float(np.abs(np.linalg.eigvals(jacobian)).max())


MODULI = [case for case in RULES if rule(case).bilinear_modulus(0.3) is not None and step_of(rule(case)) is not None]


@pytest.mark.parametrize("case", MODULI, ids=label)
def test_the_declared_modulus_is_the_spectral_radius_on_the_scalar_game(case):
    """At fixed lr and varied sigma, s = lr sigma, on both sides of the thresholds."""
    a_rule, lr = rule(case), step_of(rule(case))
    for s in SHARES:
        found = radius(gd.games.bilinear(s / lr), a_rule)
        assert math.isclose(found, a_rule.bilinear_modulus(s), rel_tol=1e-6), (s, found, a_rule.bilinear_modulus(s))


@pytest.mark.parametrize("case", MODULI, ids=label)
def test_the_declared_modulus_on_random_square_games(case):
    """The largest of the moduli of the singular values: nothing else happens in several dimensions."""
    a_rule, lr = rule(case), step_of(rule(case))
    rng = seeded("moduli", case)
    for _ in range(3):
        matrix = rng.normal(size=(2, 2)) * 0.5 / lr
        sigma = np.linalg.svd(matrix, compute_uv=False)
        expected = max(a_rule.bilinear_modulus(lr * x) for x in sigma)
        assert math.isclose(radius(gd.games.bilinear(matrix), a_rule), expected, rel_tol=1e-6)


def test_moduli_are_declared_by_most_families():
    assert len({case[0] for case in MODULI}) >= 12


# --- linearity and smoothness -----------------------------------------------------------------------------------------


class Tape(gd.types.Game):
    """A game whose field is a list of answers, whatever is asked: a step is then a function of points and answers."""

    name, worlds = "tape", frozenset({"numpy"})
    zero_sum = True

    def __init__(self, answers):
        self.players = (gd.types.Player("x", 1), gd.types.Player("y", 2))
        self.answers, self.used = answers, 0

    def _field(self, w, batch, only):
        self.used += 1
        return self.answers[self.used - 1] + 0 * w

    def _costs(self, w, batch):
        raise AssertionError("a rule that is linear in the field asks for the field alone")


@pytest.mark.parametrize("case", [c for c in RULES if rule(c).domain.linear_in_field], ids=label)
def test_rules_linear_in_the_field_superpose(case):
    """z+ is linear in (z, v_1, v_2, ...) jointly, and no other oracle is asked: performance estimation needs this."""
    a_rule, rng = rule(case), seeded("tape", case)
    answers = rng.normal(size=(2, 20, 3))
    state = a_rule.init(Tape(answers[0]), np.zeros(3))
    z = rng.normal(size=(2, flat(np.zeros(3), state).size))

    def step(weights):
        tape = Tape(np.tensordot(weights, answers, 1))
        a_rule_state = augmented(tape, a_rule, np.zeros(3), state)
        return a_rule_state(np.tensordot(weights, z, 1)), tape.used

    (first, used), (second, _) = step([1.0, 0.0]), step([0.0, 1.0])
    assert used >= 1
    np.testing.assert_allclose(step([2.0, -3.0])[0], 2 * first - 3 * second, rtol=1e-12, atol=1e-12)
    nothing = step([0.0, 0.0])[0]
    np.testing.assert_array_equal(nothing, 0 * nothing)


def test_rules_that_are_not_linear_in_the_field_do_not_all_superpose():
    """The test above can fail: Adam's normalisation breaks it."""
    tape, state = Tape(np.ones((20, 3))), None
    a_rule = gd.rules.Adam(0.1)
    state = a_rule.init(tape, np.zeros(3))
    once = a_rule.step(Tape(np.ones((20, 3))), np.zeros(3), state)[0]
    twice = a_rule.step(Tape(2 * np.ones((20, 3))), np.zeros(3), state)[0]
    assert np.abs(twice - 2 * once).max() > 0.05


@pytest.mark.parametrize("case", [c for c in RULES if rule(c).domain.smooth], ids=label)
def test_smooth_rules_have_a_derivative_at_the_equilibrium(case):
    """One-sided slopes at the equilibrium, from the initial state, to both sides and at two scales."""
    a_rule, game = rule(case), gd.games.quadratic(a=1, b=2, c=1)
    state = a_rule.init(game, np.zeros(2), np.random.default_rng(0))
    step, z = augmented(game, a_rule, np.zeros(2), state), flat(np.zeros(2), state)
    slopes = [np.stack([(step(z + h * e) - step(z)) / h for e in np.eye(len(z))]) for h in (1e-3, -1e-3, 1e-4, -1e-4)]
    for other in slopes[1:]:
        assert np.abs(other - slopes[0]).max() < 1e-2 * (1 + np.abs(slopes[0]).max())


def test_adam_has_no_derivative_at_the_equilibrium():
    """The slope of w - lr g / (|g| + eps) at 0 grows without bound as the difference shrinks: the flag is off."""
    game, a_rule = gd.games.bilinear(), gd.rules.Adam(0.1)
    state = a_rule.init(game, np.zeros(2))
    slopes = [a_rule.step(game, np.array([0.0, h]), state)[0][0] / h for h in (1e-3, 1e-4, 1e-5)]
    np.testing.assert_allclose(slopes, [-1e2, -1e3, -1e4], rtol=1e-2)
    assert not a_rule.domain.smooth


# --- conserved quantities ---------------------------------------------------------------------------------------------


def test_the_bilinear_flow_conserves_the_distance_to_the_equilibrium():
    """d|w|^2/dt = -2 <w, Jw> = 0, as J is antisymmetric; with both singular values at their own frequency."""
    game = gd.games.bilinear([[1, 2], [3, -1]])
    start = np.array([1.0, -0.5, 0.3, 2.0])
    path = gd.flow(game, start, 20.0, rtol=1e-11).w
    np.testing.assert_allclose((path**2).sum(-1), (start**2).sum(), rtol=1e-9)
    assert np.linalg.norm(path[-1] - start) > 0.3


def test_the_minimax_dirac_gan_flow_conserves_the_radius_and_the_nonsaturating_one_loses_it():
    """f = L(theta phi): theta' = -phi L', phi' = theta L', so theta^2 + phi^2 stays. Without saturation
    d(r^2)/dt = 2t (L'(t) - L'(-t)) < 0 with t = theta phi; averaged over a turn r^2 -> 8 / time."""
    start = np.array([1.0, 0.5])
    orbit = gd.flow(gd.games.dirac_gan(), start, 60.0, rtol=1e-11).w
    np.testing.assert_allclose((orbit**2).sum(-1), 1.25, rtol=1e-8)
    decay = gd.flow(gd.games.dirac_gan(loss="nonsaturating"), start, 2000.0, rtol=1e-9)
    r2 = (decay.w**2).sum(-1)
    assert (np.diff(r2) <= 1e-12).all()
    assert math.isclose(r2[-1] * 2000.0, 8, rel_tol=0.05)


def test_the_wasserstein_dirac_gan_circles_and_r1_makes_it_converge():
    """f = theta phi is the bilinear game; R1 adds damping: eigenvalues -gamma/2 +- sqrt(gamma^2/4 - 1)."""
    orbit = gd.flow(gd.games.dirac_gan(loss="wasserstein"), [1.0, 1.0], 2 * math.pi, rtol=1e-11).w
    np.testing.assert_allclose(orbit[-1], [1, 1], atol=1e-8)
    jacobian = gd.games.dirac_gan(loss="wasserstein", penalty="R1(0.3)").jacobian(np.zeros(2))
    expected = [-0.15 + 1j * math.sqrt(1 - 0.0225), -0.15 - 1j * math.sqrt(1 - 0.0225)]
    np.testing.assert_allclose(np.sort_complex(np.linalg.eigvals(-jacobian)), np.sort_complex(expected), rtol=1e-12)


def test_dirac_gan_eigenvalues_at_the_equilibrium():
    """+-i L'(0) = +-i/2, saturating or not; with R1 -gamma/2 +- sqrt(gamma^2/4 - 1/4): critical at gamma = 1."""
    for loss in ("minimax", "nonsaturating"):
        eigenvalues = np.linalg.eigvals(-gd.games.dirac_gan(loss=loss).jacobian(np.zeros(2)))
        np.testing.assert_allclose(np.sort(eigenvalues.imag), [-0.5, 0.5], rtol=1e-12)
        np.testing.assert_allclose(eigenvalues.real, 0, atol=1e-15)
        for gamma in (0.3, 1.5):
            damped = gd.games.dirac_gan(loss=loss, penalty=f"R1({gamma})").jacobian(np.zeros(2))
            root = np.sqrt(gamma**2 / 4 - 0.25 + 0j)
            expected = np.sort_complex([-gamma / 2 + root, -gamma / 2 - root])
            np.testing.assert_allclose(np.sort_complex(np.linalg.eigvals(-damped).astype(complex)), expected)


def test_alternating_steps_conserve_a_modified_radius_and_the_area():
    """On f = x y: determinant 1 and the form x^2 + y^2 - lr x y, as matrices."""
    lr = 0.3
    matrix = augmented_matrix(gd.games.bilinear(), gd.rules.AlternatingGD(lr))
    form = np.array([[1, -lr / 2], [-lr / 2, 1]])
    assert math.isclose(np.linalg.det(matrix), 1, rel_tol=1e-14)
    np.testing.assert_allclose(matrix.T @ form @ matrix, form, atol=1e-15)


def test_alternating_steps_on_the_minimax_dirac_gan_are_two_shears_with_curvature():
    """x moves with y held, then y with the new x: det = (1 - lr J_11(w)) (1 - lr J_22(x+, y))."""
    lr, game = 0.3, gd.games.dirac_gan()
    a_rule = gd.rules.AlternatingGD(lr)
    for w in seeded("area").normal(size=(5, 2)):
        state = a_rule.init(game, w)
        slope = finite_differences(augmented(game, a_rule, w, state), flat(w, state))
        moved = np.array([w[0] - lr * game.field(w)[0], w[1]])
        expected = (1 - lr * game.jacobian(w)[0, 0]) * (1 - lr * game.jacobian(moved)[1, 1])
        assert abs(expected - 1) > 1e-4
        assert math.isclose(np.linalg.det(slope), expected, rel_tol=1e-9)


# --- identities between rules -----------------------------------------------------------------------------------------


def test_rules_agree_with_their_special_cases():
    """Each pair is written in different files; no world can know that they should agree."""
    game, start = nonlinear_game(), [0.8, -0.6]
    close = functools.partial(np.testing.assert_allclose, rtol=1e-12, atol=1e-13)

    def run(a_rule):
        return gd.iterate(game, a_rule, start, 30).w

    close(run(gd.rules.HeavyBall(0.1, 0.0)), run(gd.rules.GDA(0.1)))
    close(run(gd.rules.HeavyBall(0.1, 0.0, alternating=True)), run(gd.rules.AlternatingGD(0.1)))
    close(run(gd.rules.AlternatingGD(0.1)), run(gd.rules.Alternating(gd.rules.GDA(0.1))))
    close(run(gd.rules.AlternatingGD(0.1, repeats=1)), run(gd.rules.AlternatingGD(0.1)))
    assert np.abs(run(gd.rules.AlternatingGD(0.1, order=(1, 0))) - run(gd.rules.AlternatingGD(0.1))).max() > 1e-3


def test_memory_rules_satisfy_their_two_step_recursions():
    """Momentum without its buffer, optimism without its stored field, and past extragradient's look-ahead points."""
    game, start, lr = nonlinear_game(), [0.8, -0.6], 0.1
    v = game.field
    w = gd.iterate(game, gd.rules.HeavyBall(lr, -0.4), start, 30).w
    np.testing.assert_allclose(w[2:], w[1:-1] - lr * v(w[1:-1]) - 0.4 * (w[1:-1] - w[:-2]), rtol=1e-12)
    w = gd.iterate(game, gd.rules.OptimisticGD(lr), start, 30).w
    np.testing.assert_allclose(w[1], w[0] - lr * v(w[0]), rtol=1e-12)  # w_{-1} = w_0
    np.testing.assert_allclose(w[2:], w[1:-1] - 2 * lr * v(w[1:-1]) + lr * v(w[:-2]), rtol=1e-12)
    w = gd.iterate(game, gd.rules.PastExtragradient(lr), start, 30).w
    ahead = w[0] - lr * v(w[0])
    for t in range(30):
        np.testing.assert_allclose(w[t + 1], w[t] - lr * v(ahead), rtol=1e-12)
        ahead = w[t + 1] - lr * v(ahead)


def test_alternating_adam_keeps_idle_moments():
    """Two turns for y and one for x: each player's moments count its own steps, by the algorithm written out."""
    game, lr, (b1, b2) = nonlinear_game(), 0.05, (0.5, 0.9)
    inner = gd.rules.Adam(lr, betas=(b1, b2))
    w = gd.iterate(game, gd.rules.Alternating(inner, repeats=(1, 2)), [0.8, -0.6], 5).w
    at, m, s, t = np.array([0.8, -0.6]), np.zeros(2), np.zeros(2), np.zeros(2)
    for expected in w[1:]:
        for i in (0, 1, 1):
            g = game.field(at)[i]
            t[i] += 1
            m[i] = b1 * m[i] + (1 - b1) * g
            s[i] = b2 * s[i] + (1 - b2) * g**2
            at[i] -= lr * (m[i] / (1 - b1 ** t[i])) / (math.sqrt(s[i] / (1 - b2 ** t[i])) + 1e-8)
        np.testing.assert_allclose(at, expected, rtol=1e-12)


def test_complex_momentum_is_the_complex_recursion():
    """m+ = beta m - v in complex arithmetic, w+ = w + lr Re m+ (Lorraine et al. 2022)."""
    game, beta, lr = nonlinear_game(), 0.5 + 0.4j, 0.1
    w = gd.iterate(game, gd.rules.HeavyBall(lr, beta), [0.8, -0.6], 20).w
    at, m = np.array([0.8, -0.6]), np.zeros(2, complex)
    for expected in w[1:]:
        m = beta * m - game.field(at)
        at = at + lr * m.real
        np.testing.assert_allclose(at, expected, rtol=1e-12)
