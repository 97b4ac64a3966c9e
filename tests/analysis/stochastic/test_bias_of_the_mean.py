"""Where curvature moves the mean of a noisy rule: against formulas, the stationary density of one step, and runs."""

import math

import numpy as np
import pytest
import sympy

import gandyn as gd
from gandyn.games.finite_sum import FiniteSumGame

R = gd.rules


def bent(coupling):
    """e^x - x + b x y against y^2/2 - b x y: only player 1 is curved."""
    costs = [f"exp(x) - x + {coupling}*x*y", f"y**2/2 - {coupling}*x*y"]
    return gd.games.from_sympy(costs, [["x"], ["y"]])


def law(rule, coupling="1/2", noise=0.1):
    return gd.stationary(bent(coupling), rule, noise=noise, at=[0, 0])


def density_of(step, deviation, width):
    """(points, weights) of the law of x+ = step(x) + deviation xi, by Nystrom's method on Gauss-Legendre points."""
    x, weights = np.polynomial.legendre.leggauss(300)
    x, weights = width * x, width * weights
    kernel = np.exp(-(((x[:, None] - step(x)[None]) / deviation) ** 2) / 2) / (deviation * math.sqrt(2 * math.pi))
    p = np.full(len(x), 1 / (2 * width))
    for _ in range(400):
        p = kernel @ (weights * p)
        p /= weights @ p
    return x, weights * p


def test_gradient_steps_solve_the_equation_of_the_covariance():
    found = law(R.GDA(0.1))
    pull = -np.array([found.covariance[0, 0], 0]) / 2
    np.testing.assert_allclose(found.bias, np.linalg.solve([[1, 0.5], [-0.5, 1]], pull), rtol=1e-12)
    assert found.kind == "local"
    assert "mean with the curvature's part" in found.summary()
    squared = np.trace(found.covariance) + found.bias @ found.bias
    assert found.mean_square_distance == pytest.approx(squared, rel=1e-14)
    formula = gd.stationary(bent("1/2"), R.GDA("lr"), noise="s2", at=[0, 0]).exact_mean
    values = {s: {"lr": 0.1, "s2": 0.1}[str(s)] for s in formula.free_symbols}
    np.testing.assert_allclose([float(e) for e in formula.xreplace(values)], found.bias, rtol=1e-12)


def test_the_error_of_the_mean_falls_one_order_faster_than_the_bias():
    errors, left = [], []
    for lr in (0.2, 0.1, 0.05):
        x, p = density_of(lambda x, lr=lr: x - lr * (np.exp(x) - 1), lr * math.sqrt(0.5), 12 * math.sqrt(lr / 4))
        true, found = float(x @ p), law(R.GDA(lr), coupling=0, noise=0.5)
        assert found.bias[0] == pytest.approx(-lr * 0.5 / (4 - 2 * lr), rel=1e-12)
        errors.append(abs(found.mean[0] - true))
        left.append(true)
    assert np.diff(np.log2(errors)) == pytest.approx([-2, -2], abs=0.25)
    richardson = [2 * left[1] - left[0], 2 * left[2] - left[1]]
    assert richardson[0] / richardson[1] == pytest.approx(4, rel=0.15)
    assert abs(richardson[1]) < abs(left[2]) / 10


def test_two_runs_cancel_the_first_order():
    whole, half = law(R.GDA(0.1)), law(R.GDA(0.05))
    mean, spread = whole.extrapolated()
    np.testing.assert_allclose(mean, 2 * half.mean - whole.mean, rtol=1e-12)
    np.testing.assert_allclose(spread, 4 * half.average_covariance + whole.average_covariance, rtol=1e-12)
    assert np.abs(mean).max() < 0.06 * np.abs(whole.bias).max()
    sums = gd.games.stochastic_bilinear(size=1, summands=4)  # affine: the bias of one sample in two evaluations
    one, other = (gd.stationary(sums, R.Extragradient(lr)) for lr in (0.02, 0.01))
    assert np.linalg.norm(one.extrapolated()[0] - [1, -1]) < np.linalg.norm(other.bias)


@pytest.mark.slow
@pytest.mark.parametrize(
    "rule",
    [
        R.Extragradient(0.1, fresh=True),
        R.OptimisticGD(0.1),
        R.HeavyBall(0.1, 0.5, alternating=True),
        R.ProximalPoint(0.1),
        R.Lookahead(R.GDA(0.1), 3, 0.5),
    ],
    ids=repr,
)
def test_runs_have_this_mean(rule):
    found, implicit = law(rule), rule.name == "ProximalPoint"
    start = np.zeros((4_000 if implicit else 30_000, 2))
    run = gd.iterate(bent("1/2"), rule, start, 60, record="last", noise=0.1, rng=2).w
    control = gd.iterate(gd.games.from_sympy(["x**2/2 + x*y/2", "y**2/2 - x*y/2"], [["x"], ["y"]]), rule, start, 60,
                         record="last", noise=0.1, rng=2).w  # the linear part with the same noise  # fmt: skip
    difference = run - control
    error = difference.std(0) / math.sqrt(len(run))
    assert (np.abs(difference.mean(0) - found.bias) < 4 * error + 0.06 * np.abs(found.bias).max()).all()
    assert (error < 0.12 * np.abs(found.bias).max()).all()


def curved_sum():
    """Summands e^x - x + a x + b x y, (a, b) one of (1, 1), (-1, 2)."""
    x, y, a, b = sympy.symbols("x y a b", real=True)
    costs = [sympy.exp(x) - x + a * x + b * x * y, y**2 / 2 - b * x * y]
    summand = gd.games.from_sympy(costs, [[x], [y]])
    return FiniteSumGame("curved sum", summand, [(1, 1), (-1, 2)], (a, b), 1, [(0, 0)])


def test_draws_enter_with_their_rows():
    found = gd.stationary(curved_sum(), R.Extragradient(0.05))
    m, c, _ = found.step.numbers
    p = found.covariance + np.outer(found._moments[0], found._moments[0])
    h = 1e-3

    def step(x, y, a, b):
        ahead = x - 0.05 * (np.exp(x) - 1 + a + b * y), y - 0.05 * (y - b * x)
        return np.array([x - 0.05 * (np.exp(ahead[0]) - 1 + a + b * ahead[1]), y - 0.05 * (ahead[1] - b * ahead[0])])

    bent = 0
    for value, vector in zip(*eigen(p), strict=True):
        for row in ((1, 1), (-1, 2)):
            second = step(*(h * vector), *row) - 2 * step(0, 0, *row) + step(*(-h * vector), *row)
            bent = bent + value * second / h**2 / 2 / 2
    np.testing.assert_allclose(found.bias, np.linalg.solve(np.eye(2) - m.mean(0), c.mean(0) + bent), rtol=1e-5)


def eigen(p):
    values, vectors = np.linalg.eigh(p)
    return values, vectors.T


def test_where_it_is_not_known_it_is_said():
    found = gd.stationary(gd.noise.shuffled(curved_sum()), R.GDA(0.05))
    assert np.isfinite(found.mean).all()
    assert "without the curvature's part" in found.summary()
