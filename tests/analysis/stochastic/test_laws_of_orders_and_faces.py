"""Laws under rows in order, noise that depends on the point, and bounds: each against a dense solve of its own."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import sympy
from analysis.stochastic.planted_sums import planted

import gandyn as gd
from gandyn.errors import DomainError, ParameterError

R = gd.rules
ROWS = [(0.4, 1.0, 1.0, -0.5), (0.1, 0.5, -2.0, 0.25), (0.6, 1.5, 0.25, 1.0)]
SUM = planted(ROWS, 1)
J = np.array([[0.7, 1.9], [-1.9, 0.45]])
GAME = gd.games.quadratic(0.7, 1.9, 0.45)
MULTIPLICATIVE = gd.noise.Additive(("0.36*x**2", "0.25*y**2"))  # (J + diag(.6 u1, .5 u2)) w
SCALES = np.array([0.6, 0.5])


def lifted(outcomes):
    """(mean, covariance) of the stationary law of z -> M z + c over equally likely (M, c), by a Kronecker solve."""
    m, c = (np.mean([pair[k] for pair in outcomes], axis=0) for k in (0, 1))
    size = len(c)
    mean = np.linalg.solve(np.eye(size) - m, c)
    second = np.mean([np.kron(a, a) for a, _ in outcomes], axis=0)
    crossed = np.mean([np.outer(b, b) + np.outer(a @ mean, b) + np.outer(b, a @ mean) for a, b in outcomes], axis=0)
    p = np.linalg.solve(np.eye(size**2) - second, crossed.ravel()).reshape(size, size)
    return mean, p - np.outer(mean, mean)


@pytest.mark.parametrize("order", ["shuffled", "flip-flop"])
def test_the_law_at_the_ends_of_epochs(order):
    """Gradient steps composed by hand over every order of three rows."""
    lr, at = 0.3, np.array([float(e) for e in SUM.equilibria[0]])
    fields, slopes = gd.noise.of(SUM).fields(at), gd.noise.of(SUM).jacobians(at)
    outcomes = []
    for rows in itertools.permutations(range(3)):
        whole, moved = np.eye(2), np.zeros(2)
        for k in (*rows, *rows[::-1]) if order == "flip-flop" else rows:
            step = np.eye(2) - lr * slopes[k]
            whole, moved = step @ whole, step @ moved - lr * fields[k]
        outcomes.append((whole, moved))
    mean, covariance = lifted(outcomes)
    law = gd.stationary(gd.noise.shuffled(SUM, order), R.GDA(lr))
    np.testing.assert_allclose(law.mean - at, mean, rtol=1e-10)
    np.testing.assert_allclose(law.covariance, covariance, rtol=1e-9)
    assert law.kind == "exact"
    assert law.exact is None
    assert law.step.period == (6 if order == "flip-flop" else 3)


@pytest.mark.parametrize("rule", [R.GDA(0.3), R.Extragradient(0.3), R.OptimisticGD(0.15)], ids=lambda r: r.name)
def test_rows_in_one_order_end_on_one_cycle(rule):
    """No spread is left, and the point of the cycle is the one that a run reaches."""
    game = gd.noise.shuffled(SUM, "fixed")
    law = gd.stationary(game, rule)
    first = 1 if rule.name == "OptimisticGD" else 0  # its memory takes the first row
    run = gd.iterate(game, rule, [0.0, 0.0], 600 - first, record="last")
    np.testing.assert_allclose(law.mean, run.w, atol=1e-10)
    np.testing.assert_allclose(law.covariance, 0, atol=1e-14)


@pytest.mark.slow
def test_shuffling_cures_noise_and_not_bias():
    """Rows without replacement leave a far smaller error after the same steps; the threshold is another one."""
    shuffled = gd.noise.shuffled(SUM)
    best = [gd.stationary(game, R.GDA(0.3)).best("lr", steps=300, distance=1.0) for game in (SUM, shuffled)]
    assert best[1][1] < best[0][1] / 20
    radius = gd.mean_square(shuffled, R.GDA(float(gd.mean_square(shuffled, R.GDA(0.3)).critical("lr"))))
    assert radius.spectral_radius == pytest.approx(1, abs=1e-9)


def test_a_run_takes_every_row_once_an_epoch():
    game, rng = gd.noise.shuffled(planted(ROWS, 2)), np.random.default_rng(0)
    for _ in range(5):
        rows = [game.draw(rng), game.draw(rng)]
        assert [len(r) for r in rows] == [2, 1]
        assert sorted(np.concatenate(rows)) == [0, 1, 2]
    flip = gd.noise.shuffled(SUM, "flip-flop")
    seen = [int(flip.draw(rng)[0]) for _ in range(6)]
    assert seen[3:] == seen[2::-1]
    batch = gd.noise.of(gd.noise.shuffled(planted(ROWS, 3)))
    np.testing.assert_allclose(batch.covariance([0.3, 0.1]), 0, atol=1e-14)  # a batch of all rows


def test_what_has_no_order():
    with pytest.raises(DomainError, match="a finite sum"):
        gd.noise.shuffled(GAME)
    with pytest.raises(ParameterError, match="flip-flop"):
        gd.noise.shuffled(SUM, "backwards")
    with pytest.raises(DomainError, match="in steps of"):
        gd.stationary(gd.noise.shuffled(SUM), R.Extragradient(0.1, fresh=True))
    with pytest.raises(DomainError, match="orders of 8 summands"):
        gd.stationary(gd.noise.shuffled(gd.games.stochastic_bilinear()), R.GDA(0.1))


# --- noise that depends on the point ----------------------------------------------------------------------------------


def by_quadrature(step):
    """E[M (x) M] for M = step(J + diag(scales u)), u Gaussian, by 12 x 12 Gauss-Hermite nodes."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(12)
    weights = weights / weights.sum()
    total = np.zeros((4, 4))
    for (a, p), (b, q) in itertools.product(zip(nodes, weights, strict=True), repeat=2):
        m = step(J + np.diag(SCALES * [a, b]))
        total += p * q * np.kron(m, m)
    return np.abs(np.linalg.eigvals(total)).max()


@pytest.mark.parametrize(
    ("rule", "step"),
    [
        (R.GDA(0.2), lambda a: np.eye(2) - 0.2 * a),
        (R.Extragradient(0.3), lambda a: np.eye(2) - 0.3 * a @ (np.eye(2) - 0.3 * a)),
    ],
    ids=["GDA", "Extragradient"],
)
def test_multiplicative_noise_enters_second_moments(rule, step):
    found = gd.mean_square(GAME, rule, noise=MULTIPLICATIVE)
    assert found.kind == "exact"
    assert found.spectral_radius == pytest.approx(by_quadrature(step), rel=1e-11)


def test_its_threshold_is_exact():
    """x' = x - lr (x + k u x): lr < 2 / (1 + k^2), on a player alone."""
    game = gd.games.quadratic(1, 0, 1)
    found = gd.mean_square(game, R.GDA(0.1), noise=gd.noise.Additive(("x**2/2", 0)))
    assert found.critical("lr") == sympy.Rational(4, 3)
    law = gd.stationary(game, R.GDA(0.1), noise=gd.noise.Additive(("x**2", "y**2")))
    np.testing.assert_allclose(law.covariance, 0, atol=1e-15)  # no noise at the equilibrium


def test_the_covariance_is_taken_where_the_field_is():
    noise = gd.noise.Additive([["1 + x**2", "x*y/2"], ["x*y/2", "1 + y**2"]])
    noisy, points = noise.applied(GAME), np.array([[1.0, 2.0], [0.5, -3.0]])
    w = np.broadcast_to(points, (20_000, 2, 2))
    xi = noisy.field(w, noisy.draw(np.random.default_rng(3))) - GAME.field(w)
    for k, (x, y) in enumerate(points):
        expected = np.array([[1 + x**2, x * y / 2], [x * y / 2, 1 + y**2]])
        np.testing.assert_allclose(np.cov(xi[:, k].T), expected, rtol=0.05, atol=0.1)
    law = gd.stationary(GAME, R.GDA(0.01), noise=noise)
    assert law.kind == "local"
    assert gd.stochastic_flow(GAME, R.GDA("lr"), noise=("1 + x**2", 1)).diffusion[0, 0].has(*GAME.symbols[:1])


def test_where_it_is_no_covariance():
    with pytest.raises(ParameterError, match="negative where the field"):
        gd.iterate(GAME, R.GDA(0.1), [2.0, 0.0], 5, noise=gd.noise.Additive(("1 - x**2", 1)))
    with pytest.raises(ParameterError, match="not symmetric"):
        gd.noise.Additive([["x**2", "x"], ["y", "1"]])
    with pytest.raises(DomainError, match="Student noise that depends on the point"):
        gd.stationary(GAME, R.GDA(0.1), noise=gd.noise.Additive(("x**2", 1), law="student"))
    with pytest.raises(DomainError, match="degree above 2"):
        gd.mean_square(GAME, R.RungeKutta(0.1, 4), noise=MULTIPLICATIVE)


# --- bounds -----------------------------------------------------------------------------------------------------------


def test_mixed_strategies_have_a_floor_along_the_simplices():
    """Matching pennies in unit coordinates along both simplices is f = 2 s t: (1 + h^2) / (4 (1 - h^2)), h = 2 lr."""
    along = np.array([[1, -1], [-1, 1]]) / 2
    floor = 1e-4 * (1 + 0.2**2) / (4 * (1 - 0.2**2))
    pennies = gd.stationary(gd.games.matrix_game([[1, -1], [-1, 1]]), R.Extragradient(0.1), noise=1e-4)
    np.testing.assert_allclose(pennies.covariance, np.kron(np.eye(2), along) * floor, rtol=1e-10, atol=1e-18)
    assert pennies.kind == "local"
    dominated = gd.games.matrix_game([[1, -1, -3], [-1, 1, -3], [3, 3, -3]])
    faced = gd.stationary(dominated, R.Extragradient(0.1), noise=1e-4, at=[0.5, 0.5, 0, 0.5, 0.5, 0])
    inside = [0, 1, 3, 4]
    np.testing.assert_allclose(faced.covariance[np.ix_(inside, inside)], pennies.covariance, rtol=1e-10, atol=1e-18)
    np.testing.assert_allclose(faced.covariance[[2, 5]], 0)
    assert "standard deviations" in faced.summary()
    assert faced.step.margin == pytest.approx(300)


def test_a_corner_that_presses_holds_everything():
    law = gd.stationary(gd.games.matrix_game([[2, 1], [1, 0]]), R.GDA(0.1), noise=1e-4)
    np.testing.assert_allclose(law.covariance, 0)
    assert law.exists


def test_a_bound_that_does_not_press_is_undecided():
    touched = gd.games.matrix_game([[1, -1], [-1, 1], [0, 0]])
    with pytest.raises(DomainError, match=r"undecided.*touches a bound"):
        gd.stationary(touched, R.Extragradient(0.1), noise=1e-4, at=[0.5, 0.5, 0, 0.5, 0.5])
