"""Stationary laws: formulas of the field, a dense Kronecker solve, and simulation, for every rule that has a law."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import sympy
from analysis.stochastic.planted_sums import planted, rotations

import gandyn as gd
from catalogue import RULES, label, rule
from gandyn.errors import DomainError, GandynError, NotDifferentiableError, ParameterError, ShapeError

R = gd.rules
GAME = gd.games.quadratic(0.7, 1.9, 0.45)
CORRELATED = np.array([[0.4, 0.1], [0.1, 0.3]])
ROUND = gd.games.quadratic(0.37, 1.13, 0.37)
UNIT = 1.0
FAST = {("OptimisticGD", 0), ("Extragradient", 2)}
CASES = [pytest.param(c, id=label(c), marks=[] if c in FAST else pytest.mark.slow) for c in RULES]


@pytest.mark.parametrize(
    ("given", "floor"),
    [
        (R.GDA(0.19), 0.403073541828),  # lr / (2 mu - lr q)
        (R.Extragradient(0.19), 0.186276650),
        (R.Extragradient(0.19, fresh=True), 0.215043564),
        (R.OptimisticGD(0.19), 0.305530651),
        (R.HeavyBall(0.19, -0.4), 0.218057071),
        (R.AlternatingGD(0.19), 0.269446006),
    ],
    ids=lambda value: value.name if hasattr(value, "name") else "",
)
def test_floors_of_the_field(given, floor):
    """Unit noise on mu x^2/2 + b x y - mu y^2/2 with mu = .37, b = 1.13, each a closed form of its own."""
    law = gd.stationary(ROUND, given, noise=UNIT)
    np.testing.assert_allclose(np.diag(law.covariance), floor, rtol=2e-9)
    assert law.kind == "exact"
    assert law.exists is True
    np.testing.assert_allclose(law.mean_square_distance, 2 * floor, rtol=2e-9)


@pytest.mark.slow
def test_formulas_in_the_step():
    """GDA, both extragradients, optimism and heavy ball as rational functions of lr, mu and b."""
    lr, mu, b, beta = sympy.symbols("lr mu b beta", positive=True)
    q, z = mu**2 + b**2, mu + sympy.I * b
    modulus = sympy.expand(sympy.expand_complex(abs(1 - lr * z + lr**2 * z**2) ** 2))
    game = gd.games.quadratic(mu, b, mu)
    expected = {
        R.GDA("lr"): lr / (2 * mu - lr * q),
        R.Extragradient("lr"): lr**2 * (1 - 2 * lr * mu + lr**2 * q) / (1 - modulus),
        R.Extragradient("lr", fresh=True): lr**2 * (1 + lr**2 * q) / (1 - modulus),
        R.OptimisticGD("lr"): lr
        * (1 + 4 * lr * mu + 3 * lr**2 * q)
        / (2 * mu + lr * q - 4 * lr**2 * mu * q - 3 * lr**3 * q**2),
        R.HeavyBall("lr", "beta"): lr
        * (1 - beta**2)
        / (2 * mu * (1 - beta) ** 2 * (1 + beta) - lr * (b**2 * (1 + beta) ** 2 + mu**2 * (1 - beta) ** 2)),
    }
    for given, formula in expected.items():
        law = gd.stationary(game, given, noise=1, at=[0, 0])
        assert sympy.simplify(law.exact[0, 0] - formula) == 0, given
        assert law.exact[0, 1] == 0
        assert law.exists is None
        with pytest.raises(ParameterError, match="has no value"):
            law.covariance  # noqa: B018 - the attribute access is the test


def test_alternating_play_correlates_the_players():
    law = gd.stationary(gd.games.quadratic("mu", "b", "mu"), R.AlternatingGD("lr"), noise=1, at=[0, 0])
    lr, mu, b = sympy.symbols("lr mu b", positive=True)
    square = (2 - lr * mu) ** 2 - lr**2 * b**2
    assert sympy.simplify(law.exact[0, 0] - lr * (2 - lr * mu) / (mu * square)) == 0
    assert sympy.simplify(law.exact[0, 1] - b * lr**2 / (mu * square)) == 0


def test_unequal_curvatures():
    law = gd.stationary(gd.games.quadratic(0.37, 1.13, 0.21), R.GDA(0.19), noise=UNIT)
    np.testing.assert_allclose([np.trace(law.covariance), law.covariance[0, 1]], [1.18347032, -0.03980372], rtol=2e-7)


@pytest.mark.parametrize("given", [R.GDA(0.1), R.AlternatingGD(0.1), R.HeavyBall(0.1, -0.3)], ids=lambda r: r.name)
def test_no_law_on_a_bilinear_game(given):
    """GDA grows, alternating play circles for ever, joint heavy ball grows: whatever the noise, nothing settles."""
    law = gd.stationary(gd.games.bilinear([[1.3]]), given, noise=UNIT)
    assert law.exists is False
    assert "not below 1" in law.reason
    assert law.mean_square_distance == math.inf
    assert np.isinf(law.covariance).all()
    assert json.loads(json.dumps(law.to_dict(), allow_nan=False))["exists"] is False
    with pytest.raises(DomainError, match="does not exist"):
        law.plot()


def test_the_floor_of_a_bilinear_game_does_not_vanish_with_the_step():
    """Extragradient, optimism and proximal steps tend to sigma^2 / b^2; a longer exploration step is the remedy."""
    b, s2 = 1.3, 0.7
    game = gd.games.bilinear([[b]])
    for lr in (0.3, 0.03, 0.003):
        s = (lr * b) ** 2
        floors = {
            R.Extragradient(lr): (1 + s) / (1 - s),
            R.Extragradient(lr, fresh=True): (1 + s) / (1 - s),
            R.OptimisticGD(lr): (1 + 3 * s) / (1 - 3 * s),
            R.ProximalPoint(lr): 1,
        }
        for given, factor in floors.items():
            found = gd.stationary(game, given, noise=s2).covariance[0, 0]
            np.testing.assert_allclose(found, factor * s2 / b**2, rtol=1e-8)
    gamma, lr = 0.4, 0.003
    explored = gd.stationary(game, R.Extragradient(lr, extrapolation=gamma, fresh=True), noise=s2).covariance[0, 0]
    growth = lr * (1 + gamma**2 * b**2)
    np.testing.assert_allclose(explored, s2 * growth / (b**2 * (2 * gamma - growth)), rtol=1e-9)
    assert explored < 0.01 * s2 / b**2


def test_exploring_beyond_its_limit_has_no_law():
    b, gamma = 1.3, 0.4
    limit = 2 * gamma / (1 + gamma**2 * b**2)
    for factor, there in ((0.999, True), (1.001, False)):
        given = R.Extragradient(factor * limit, extrapolation=gamma, fresh=True)
        assert gd.stationary(gd.games.bilinear([[b]]), given, noise=1).exists is there


# --- every rule ------------------------------------------------------------------------------------------------------


def law_of(given, scale=1.0):
    try:
        law = gd.stationary(GAME, given, noise=(scale * CORRELATED).tolist(), at=[0, 0])
    except NotDifferentiableError:
        return None
    except DomainError as refused:
        known = ("deterministic", "has the eigenvalue 1 in the limit")
        assert any(word in str(refused) for word in known)  # noqa: PT017 - the other refusals
        return None
    return law


@pytest.mark.parametrize("case", CASES)
def test_covariance_solves_the_lyapunov_equation_by_another_route(case):
    """P from a dense Kronecker system with the matrix that `linearize` finds; B from finite differences of one step."""
    law = law_of(rule(case))
    if law is None or not law.exists:
        return
    a = gd.linearize(GAME, rule(case), at=[0, 0]).matrix
    b = law.step.numbers[2][0]
    covariance = np.array(law.step.covariance.tolist(), dtype=float)
    size = len(a)
    p = np.linalg.solve(np.eye(size**2) - np.kron(a, a), (b @ covariance @ b.T).ravel()).reshape(size, size)
    np.testing.assert_allclose(law.augmented, p, atol=1e-10 * np.abs(p).max())
    np.testing.assert_allclose(law.mean, 0, atol=1e-15)
    if law.exact is not None:
        np.testing.assert_allclose(np.array(law.exact.tolist(), dtype=float), law.covariance, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_covariance_is_that_of_simulated_runs(case):
    """Within five standard errors of the covariance of independent Gaussian runs, with small noise if it is local."""
    given = rule(case)
    law = law_of(given)
    if law is not None and law.kind == "local":
        law = law_of(given, 1e-6)
    if law is None or not law.exists:
        return
    members = 10_000
    steps = math.ceil(12 / (1 - law.spectral_radius))
    run = gd.iterate(law.step.game, given, np.zeros((members, 2)), steps, record="last", rng=7, kernel="eager")
    found, expected = np.cov(run.w.T), law.covariance
    error = np.sqrt((np.outer(np.diag(expected), np.diag(expected)) + expected**2) / members)
    assert (np.abs(found - expected) <= 5 * error).all(), (found, expected)  # none at all where a snapshot takes it out


# --- finite sums -----------------------------------------------------------------------------------------------------

ROWS = [(0.4, 1.0, 1.0, -0.5), (0.1, 0.5, -2.0, 0.25), (0.6, 1.5, 0.25, 1.0)]


@pytest.mark.parametrize("minibatch", [1, 2])
@pytest.mark.parametrize(
    "given",
    [R.GDA(0.3), R.Extragradient(0.3), R.Extragradient(0.2, fresh=True), R.OptimisticGD(0.15), R.AlternatingGD(0.3)],
    ids=repr,
)
def test_finite_sums_have_exact_moments(given, minibatch):
    """The multiplicative part, the affine mean and the covariance, by enumerating steps that are run on numbers."""
    game = planted(ROWS, minibatch)
    law = gd.stationary(game, given)
    assert law.kind == "exact"
    mean, second = _by_iteration(game, given, law)
    np.testing.assert_allclose(law.mean, mean, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(law.covariance, second - np.outer(mean, mean), rtol=1e-8, atol=1e-8)
    if law.exact is not None:
        np.testing.assert_allclose(np.array(law.exact.tolist(), dtype=float), law.covariance, rtol=1e-9)
        np.testing.assert_allclose(np.array(law.exact_mean.tolist(), dtype=float).ravel(), law.mean, rtol=1e-9)


class Scripted:
    """A generator whose draws are given: one tuple of rows for each draw of the step."""

    def __init__(self, rows):
        self.rows = iter(rows)

    def integers(self, n, size):
        return np.array(next(self.rows))


def _by_iteration(game, given, law):
    """The fixed point of (mean, second moment) of z under all equally likely steps, each run on a basis of numbers."""
    import itertools

    size, draws = law.step.matrix.rows, len(law.step.draws.choices) // game.minibatch
    batches = list(itertools.product(range(len(ROWS)), repeat=game.minibatch))
    points = np.vstack([np.zeros(size), np.eye(size)])
    template = given.init(game, points[:, :2])
    maps = []
    for script in itertools.product(batches, repeat=draws):
        leaves = iter([points[:, 2:]] if size > 2 else [])
        state = template.replace_leaves(leaves, iter([]))
        w, after, _ = given.step(game, points[:, :2], state, Scripted(script))
        moved = np.hstack([w, *(leaf for _, leaf in after.leaves())])
        maps.append(np.vstack([np.r_[1.0, np.zeros(size)], np.column_stack([moved[0], (moved[1:] - moved[0]).T])]))
    bordered = np.array(maps)
    second = np.eye(size + 1)[:, :1] @ np.eye(size + 1)[:1]
    for _ in range(600):
        second = np.einsum("nij,jk,nlk->il", bordered, second, bordered) / len(maps)
    return second[1:3, 0], second[1:3, 1:3]


def test_correlated_noise_moves_the_mean():
    """Extragradient on one summand has the bias lr^2 E[J_k v_k], so that its mean is not the saddle."""
    game, lr = planted(ROWS), 0.05
    law = gd.stationary(game, R.Extragradient(lr))
    own = gd.noise.of(game)
    at = np.array([float(x) for x in game.equilibria[0]])
    bias = np.einsum("nij,nj->i", own.jacobians(at), own.fields(at)) / len(ROWS)
    assert np.linalg.norm(law.mean - at) > 0.01
    predicted = at + lr * np.linalg.solve(game.mean().jacobian(at), bias)
    assert np.linalg.norm(law.mean - predicted) < 0.3 * np.linalg.norm(predicted - at)
    np.testing.assert_allclose(
        law.mean_square_distance, np.trace(law.covariance) + np.sum((law.mean - at) ** 2), rtol=1e-12
    )


def test_additive_noise_on_a_finite_sum_adds_to_its_own():
    game = planted(ROWS)
    own, both = gd.stationary(game, R.GDA(0.3)), gd.stationary(game, R.GDA(0.3), noise=0.5)
    step = own.step.second_moment_matrix
    added = np.linalg.solve(np.eye(4) - step, (0.3**2 * 0.5 * np.eye(2)).ravel()).reshape(2, 2)
    np.testing.assert_allclose(both.covariance, own.covariance + added, rtol=1e-9)


def test_a_heavy_minibatch_law_has_no_second_moment():
    law = gd.stationary(rotations(-0.4, 2.1), R.Extragradient(0.05, fresh=True))
    assert law.exists is False
    assert "E[M (x) M]" in law.reason


# --- averages, budgets, nonlinear games ------------------------------------------------------------------------------


def test_averages_forget_the_rule():
    """T Cov of the Polyak average is J^-1 S J^-T; fresh extragradient has (1 + lr^2 q)/|1 - lr z|^2 of it."""
    lr, z = 0.19, 0.37 + 1.13j
    j = np.array([[0.37, 1.13], [-1.13, 0.37]])
    expected = np.linalg.inv(j) @ np.linalg.inv(j).T
    for given in (R.GDA(lr), R.HeavyBall(lr, -0.4), R.OptimisticGD(lr), R.Extragradient(lr), R.ProximalPoint(lr)):
        found = gd.stationary(ROUND, given, noise=UNIT).average_covariance
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
    fresh = gd.stationary(ROUND, R.Extragradient(lr, fresh=True), noise=UNIT).average_covariance
    factor = (1 + lr**2 * abs(z) ** 2) / abs(1 - lr * z) ** 2
    np.testing.assert_allclose(fresh, factor * expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(factor, 1.15443, rtol=1e-5)


@pytest.mark.parametrize(
    ("steps", "lr", "error"), [(50, 0.125502, 0.666076), (500, 0.0194353, 0.0629387), (5000, 0.00255077, 0.00767117)]
)
def test_best_step_for_a_budget(steps, lr, error):
    found = gd.stationary(ROUND, R.GDA(0.1), noise=UNIT).best("lr", steps=steps, distance=3)
    np.testing.assert_allclose(found, [lr, error], rtol=6e-6)


def test_best_step_of_a_rule_with_memory_is_what_runs_do():
    """The error that it promises is the mean over simulated runs, the noisy first field of optimism included."""
    law = gd.stationary(ROUND, R.OptimisticGD(0.1), noise=0.5)
    lr, error = law.best("lr", steps=12, distance=2.0)
    angle = np.random.default_rng(1).uniform(0, 2 * np.pi, 20_000)
    starts = 2 * np.stack([np.cos(angle), np.sin(angle)], 1)
    run = gd.iterate(ROUND, R.OptimisticGD(lr), starts, 12, record="last", noise=0.5, rng=3)
    squared = (run.w**2).sum(1)
    assert abs(squared.mean() - error) < 4 * squared.std() / math.sqrt(len(starts))


def test_nonlinear_games_are_local_and_right_for_small_noise():
    game = gd.games.dirac_gan(penalty=gd.penalties.R1(0.8))
    law = gd.stationary(game, R.AlternatingGD(0.2), noise=1e-4)
    assert law.kind == "local"
    run = gd.iterate(game, R.AlternatingGD(0.2), np.zeros((8000, 2)), 300, record="last", noise=1e-4, rng=5)
    np.testing.assert_allclose(np.cov(run.w.T), law.covariance, atol=0.06 * law.covariance.max())


def test_the_implicit_step_of_a_nonlinear_game():
    game = gd.games.dirac_gan(penalty=gd.penalties.R1(0.8))
    law = gd.stationary(game, R.ProximalPoint(0.4), noise=1e-4)
    j = np.array([[float(e) for e in row] for row in game.jacobian([0, 0]).tolist()])
    inverse = np.linalg.inv(np.eye(2) + 0.4 * j)
    np.testing.assert_allclose(law.step.numbers[0][0], inverse, rtol=1e-12)
    np.testing.assert_allclose(law.step.numbers[2][0], -0.4 * inverse, rtol=1e-12)
    assert law.exists


def test_refusals_say_what_was_given():
    calls = {
        "does not vanish": lambda: gd.stationary(ROUND, R.GDA(0.1), noise=1, at=[1.0, 0.0]),
        "draws nothing": lambda: gd.stationary(ROUND, R.GDA(0.1)),
        "no derivative": lambda: gd.stationary(ROUND, R.Adam(0.1), noise=1),
        "one for each of the 2 players": lambda: gd.stationary(ROUND, R.GDA(0.1), noise=(1, 2, 3)),
        "on a bound": lambda: gd.stationary(
            gd.games.matrix_game([[1, 1], [1, 0]]), R.GDA(0.1), noise=1, at=[1, 0, 1, 0]
        ),
        "combinations": lambda: gd.stationary(rotations(*range(1, 11), minibatch=8), R.GDA(0.1)),
        "a whole number >= 1": lambda: gd.stationary(ROUND, R.GDA(0.1), noise=1).best("lr", steps=0, distance=1),
        "a positive number": lambda: gd.stationary(ROUND, R.GDA(0.1), noise=1).best("lr", steps=9, distance=0),
        "does not depend": lambda: gd.stationary(ROUND, R.GDA(0.1), noise=1).best("nothing", steps=5, distance=1),
        "no value has a stationary law": lambda: gd.stationary(gd.games.bilinear(), R.GDA(0.1), noise=1).best(
            "lr", steps=5, distance=1
        ),
    }
    for words, call in calls.items():
        with pytest.raises(GandynError) as refused:
            call()
        assert words in str(refused.value)
        assert "\n" not in str(refused.value)
    with pytest.raises(ShapeError):
        gd.stationary(ROUND, R.GDA(0.1), noise=np.eye(3))


def test_the_picture_holds_its_share_of_the_cloud():
    figure = gd.stationary(GAME, R.Extragradient(0.1), noise=CORRELATED).plot(members=2000)
    assert abs(figure.data["inside"] - 0.95) < 0.02
