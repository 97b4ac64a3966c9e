"""Properties of the bilinear game that hold for every draw, each with an example just outside its hypotheses.

With singular triples (sigma, u, v) of M the game x^T M y splits into planes with coordinates (u.x, v.y), on each of
which it is the scalar game with s = lr sigma. Thresholds come from the characteristic polynomials derived in each test.
"""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import gandyn as gd
from catalogue import augmented_matrix, spectral_radius

SEEDS = st.integers(0, 2**32 - 1)


@st.composite
def bilinear_games(draw, low=0.2, high=2.0, square=False):
    """(game, U, sigma, V): M = U diag(sigma) V^T with planted singular values in [low, high], all of M's rank."""
    rows = draw(st.integers(1, 3))
    columns = rows if square else draw(st.integers(1, 3))
    rank = min(rows, columns)
    sigma = np.array(draw(st.lists(st.floats(low, high), min_size=rank, max_size=rank)))
    rng = np.random.default_rng(draw(SEEDS))
    u = np.linalg.qr(rng.normal(size=(rows, rows)))[0][:, :rank]
    v = np.linalg.qr(rng.normal(size=(columns, columns)))[0][:, :rank]
    return gd.games.bilinear((u * sigma) @ v.T), u, sigma, v


def planes(game, w, u, v):
    """Coordinates (u_k.x, v_k.y) of w in each singular plane, shape (..., rank, 2)."""
    x, y = game.split(w)
    return np.stack([x @ u, y @ v], axis=-1)


def off_the_solutions(game, w, u, v):
    """Distance to the set {M y = 0, M^T x = 0} of equilibria: what lies in the singular planes."""
    return np.linalg.norm(planes(game, w, u, v), axis=(-2, -1))


# --- simultaneous -----------------------------------------------------------------------------------------------------


@given(bilinear_games(), st.floats(0.01, 2.0), SEEDS)
def test_simultaneous_steps_expand_every_singular_plane(drawn, lr, seed):
    """I - lr J is a rotation times sqrt(1 + s^2) on each plane, and the identity on the kernels."""
    game, u, sigma, v = drawn
    w = np.random.default_rng(seed).normal(size=(5, game.dim))
    after = gd.iterate(game, gd.rules.SimultaneousGD(lr), w, 1, record="last").w
    grown = np.linalg.norm(planes(game, after, u, v), axis=-1) / np.linalg.norm(planes(game, w, u, v), axis=-1)
    np.testing.assert_allclose(grown, np.broadcast_to(np.sqrt(1 + (lr * sigma) ** 2), grown.shape), rtol=1e-11)


def test_simultaneous_outside_a_little_curvature_or_unequal_singular_values():
    """With any own curvature a a step 0 < lr < 2a / (a^2 + b^2) contracts: the expansion belongs to a = 0 alone."""
    a = 0.01
    game = gd.games.quadratic(a=a, b=1, c=a)
    edge = 2 * a / (a**2 + 1)
    assert spectral_radius(game, gd.rules.GDA(0.5 * edge)) < 1 - 1e-6
    assert math.isclose(spectral_radius(game, gd.rules.GDA(edge)), 1, rel_tol=1e-12)
    assert spectral_radius(game, gd.rules.GDA(1.01 * edge)) > 1 + 1e-8


# --- alternating ------------------------------------------------------------------------------------------------------


@given(bilinear_games(), st.floats(0.01, 3.0))
def test_alternating_steps_preserve_volume(drawn, lr):
    """Each half-step is a shear, so the determinant is 1 at every step size and for either order."""
    game = drawn[0]
    for order in (None, (1, 0)):
        matrix = augmented_matrix(game, gd.rules.AlternatingGD(lr, order=order))
        assert math.isclose(np.linalg.det(matrix), 1, rel_tol=1e-9)
    assert np.linalg.det(augmented_matrix(game, gd.rules.GDA(lr))) > 1 + 1e-6  # simultaneous steps do not


def test_alternating_outside_own_curvature_contracts_volume():
    """With costs a x^2/2 - c y^2/2 beside the coupling the determinant is (1 - lr a)(1 - lr c)."""
    matrix = augmented_matrix(gd.games.quadratic(a=1, b=2, c=3), gd.rules.AlternatingGD(0.1))
    assert math.isclose(np.linalg.det(matrix), 0.9 * 0.7, rel_tol=1e-12)


@given(bilinear_games(), st.floats(0.05, 0.98), SEEDS)
def test_alternating_conserves_a_form_and_is_bounded_below_two(drawn, share, seed):
    """x+ = x - s y, y+ = y + s x+ conserves x^2 + y^2 - s x y, positive definite for s < 2: an ellipse."""
    game, u, sigma, v = drawn
    lr = share * 2 / sigma.max()
    w = np.random.default_rng(seed).normal(size=game.dim)
    x, y = np.moveaxis(planes(game, gd.iterate(game, gd.rules.AlternatingGD(lr), w, 200).w, u, v), -1, 0)
    form = x**2 + y**2 - lr * sigma * x * y
    size = (x**2 + y**2).max()
    np.testing.assert_allclose(form, np.broadcast_to(form[0], form.shape), atol=1e-11 * size)
    # The form lies between (1 - s/2)|.|^2 and (1 + s/2)|.|^2, which bounds the orbit.
    ratio = (1 + lr * sigma / 2) / (1 - lr * sigma / 2)
    assert np.all(x**2 + y**2 <= ratio * (x[0] ** 2 + y[0] ** 2) * (1 + 1e-9))


def test_alternating_outside_grows_linearly_at_two_and_exponentially_beyond():
    """At s = 2 the matrix is [[1, -2], [2, -3]]: eigenvalue -1 with one eigenvector, so (-A)^t = I - t (A + I)."""
    game = gd.games.bilinear()
    at = gd.iterate(game, gd.rules.AlternatingGD(2.0), [1.0, 0.0], 1000).w
    t = np.arange(1001)
    np.testing.assert_allclose(at, (-1.0) ** t[:, None] * np.stack([1 - 2 * t, -2 * t], -1), rtol=1e-12)
    beyond = gd.iterate(game, gd.rules.AlternatingGD(2.02), [1.0, 0.0], 400).w
    s2 = 2.02**2
    root = (s2 - 2 + math.sqrt((s2 - 2) ** 2 - 4)) / 2
    lengths = np.linalg.norm(beyond, axis=-1)
    assert root > 1.2
    assert math.isclose((lengths[-1] / lengths[-101]) ** 0.01, root, rel_tol=1e-9)


# --- extragradient and optimism ---------------------------------------------------------------------------------------


@given(bilinear_games(square=True), st.floats(0.05, 0.97))
def test_extragradient_contracts_below_one_and_not_above(drawn, share):
    """I - lr J + lr^2 J^2 has modulus sqrt(1 - s^2 + s^4) on a plane: below 1 exactly for s < 1."""
    game, _, sigma, _ = drawn
    lr = share / sigma.max()
    expected = np.sqrt(1 - (lr * sigma) ** 2 + (lr * sigma) ** 4).max()
    assert math.isclose(spectral_radius(game, gd.rules.Extragradient(lr)), expected, rel_tol=1e-10)
    assert expected < 1
    assert spectral_radius(game, gd.rules.Extragradient(1.02 / sigma.max())) > 1 + 1e-3
    assert math.isclose(spectral_radius(gd.games.bilinear(), gd.rules.Extragradient(1.0)), 1, rel_tol=1e-12)


@given(bilinear_games(square=True), st.floats(0.05, 0.97))
def test_optimistic_contracts_below_one_over_root_three_and_not_above(drawn, share):
    """z^2 - z (1 - 2is) - is = 0 has a root on the unit circle only at s = 0 and s = 1/sqrt(3)."""
    game, _, sigma, _ = drawn
    edge = 1 / math.sqrt(3)
    for rule in (gd.rules.OptimisticGD, gd.rules.PastExtragradient):
        lr = share * edge / sigma.max()
        roots = [abs(np.roots([1, -(1 - 2j * s), -1j * s])).max() for s in lr * sigma]
        assert math.isclose(spectral_radius(game, rule(lr)), max(roots), rel_tol=1e-9)
        assert max(roots) < 1
        assert spectral_radius(game, rule(1.01 * edge / sigma.max())) > 1 + 1e-3
        assert math.isclose(spectral_radius(gd.games.bilinear(), rule(edge)), 1, rel_tol=1e-9)


@settings(max_examples=10)  # a thousand steps each
@given(bilinear_games(low=1.0), SEEDS)
def test_both_approach_the_set_of_solutions_of_any_shape(drawn, seed):
    """Of a matrix that is not square and regular whole subspaces rest: what falls is the distance to the solutions."""
    game, u, sigma, v = drawn
    w = np.random.default_rng(seed).normal(size=game.dim)
    for rule in (gd.rules.Extragradient(0.5 / sigma.max()), gd.rules.OptimisticGD(0.4 / sigma.max())):
        path = gd.iterate(game, rule, w, 1000).w
        assert off_the_solutions(game, path[-1], u, v) < 1e-6 * off_the_solutions(game, w, u, v)
        moved = np.linalg.norm(path[-1] - path[0])  # only inside the planes: the kernels' components stay
        assert math.isclose(moved, off_the_solutions(game, w, u, v), rel_tol=1e-5)


def test_outside_a_singular_matrix_keeps_its_distance_to_the_origin():
    """A 1 x 2 game: the component of y in the kernel stays, so the spectral radius is 1 at every step size."""
    game = gd.games.bilinear([[3.0, 4.0]])
    for rule in (gd.rules.Extragradient(0.1), gd.rules.OptimisticGD(0.1)):
        assert math.isclose(spectral_radius(game, rule), 1, rel_tol=1e-9)
        last = gd.iterate(game, rule, [1.0, 4.0, -3.0], 500, record="last").w
        np.testing.assert_allclose(last, [0, 4, -3], atol=1e-9)


# --- heavy ball -------------------------------------------------------------------------------------------------------


@given(bilinear_games(low=0.5, square=True), st.floats(0.1, 0.97))
def test_negative_momentum_in_turn_converges_below_its_threshold(drawn, share):
    """With x_t ~ z^t: (z - 1)^2 (z - b1)(z - b2) + s^2 z^3 = 0. At b1 = b2 = -1/2 a root meets z = -1 when s = 1; with
    b2 = 0, when s = sqrt(2). Both are where stability ends, from s = 0."""
    game, _, sigma, _ = drawn
    for momentum, edge in ((-0.5, 1.0), ((-0.5, 0.0), math.sqrt(2))):
        b1, b2 = momentum if isinstance(momentum, tuple) else (momentum, momentum)
        lr = share * edge / sigma.max()
        polynomials = [np.polyadd(np.poly([1, 1, b1, b2]), [(lr * s) ** 2, 0, 0, 0]) for s in sigma]
        radius = max(abs(np.roots(p)).max() for p in polynomials)
        found = spectral_radius(game, gd.rules.HeavyBall(lr, momentum, alternating=True))
        assert math.isclose(found, radius, rel_tol=1e-8)
        assert found < 1
        beyond = gd.rules.HeavyBall(1.02 * edge / sigma.max(), momentum, alternating=True)
        assert spectral_radius(game, beyond) > 1 + 1e-3


def test_negative_momentum_outside_its_thresholds():
    """On the edge a root is exactly -1; positive momentum in turn does not converge at all."""
    game = gd.games.bilinear()
    for momentum, edge in ((-0.5, 1.0), ((-0.5, 0.0), math.sqrt(2))):
        eigenvalues = np.linalg.eigvals(augmented_matrix(game, gd.rules.HeavyBall(edge, momentum, alternating=True)))
        assert np.abs(eigenvalues + 1).min() < 1e-7
    for lr in (0.01, 0.1, 0.5, 1.0):
        assert spectral_radius(game, gd.rules.HeavyBall(lr, 0.3, alternating=True)) > 1


@given(bilinear_games(square=True), st.floats(0.001, 3.0), st.floats(-1.5, 1.5))
def test_simultaneous_real_momentum_never_converges(drawn, lr, beta):
    """(z - 1)(z - beta) = -+ i s z always has a root on or outside the unit circle."""
    game, _, sigma, _ = drawn
    radius = spectral_radius(game, gd.rules.HeavyBall(lr, beta))
    roots = [abs(np.roots([1, -(1 + beta) + 1j * s, beta])).max() for s in lr * sigma]
    assert math.isclose(radius, max(roots), rel_tol=1e-7)
    assert radius >= 1 - 1e-12


def test_simultaneous_momentum_outside_marginal_at_minus_one_and_convergent_for_complex():
    """beta = -1 lies on the edge while s < 2: z^2 -+ isz - 1 = 0 has |z| = 1. A complex beta converges."""
    game = gd.games.bilinear()
    assert math.isclose(spectral_radius(game, gd.rules.HeavyBall(0.5, -1.0)), 1, rel_tol=1e-9)
    assert spectral_radius(game, gd.rules.HeavyBall(2.1, -1.0)) > 1.1
    beta = 0.9 * complex(math.cos(math.pi / 8), math.sin(math.pi / 8))
    assert spectral_radius(game, gd.rules.HeavyBall(0.05, beta)) < 0.99
    assert spectral_radius(game, gd.rules.HeavyBall(0.1, beta)) > 1.01
