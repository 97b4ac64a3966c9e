"""Modified stochastic equations: their moments against the exact moments of the steps, and what they refuse."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import sympy
from analysis.stochastic.planted_sums import planted
from scipy.linalg import expm

import gandyn as gd
from gandyn.errors import DomainError, ParameterError

R = gd.rules
GAME = gd.games.quadratic(0.7, 1.9, 0.45)
NOISE = [[0.4, 0.1], [0.1, 0.3]]
START, TIME = np.array([1.0, 0.5]), 0.8
SUM = planted([(0.4, 1.0, 1.0, -0.5), (0.1, 0.5, -2.0, 0.25), (0.6, 1.5, 0.25, 1.0)])
RULES = {
    "gda": R.GDA,
    "alternating": R.AlternatingGD,
    "same": R.Extragradient,
    "fresh": lambda lr: R.Extragradient(lr, fresh=True),
    "longer": lambda lr: R.Extragradient(lr, extrapolation=3 * lr, fresh=True),
    "two steps": lambda lr: R.GDA((lr, 2 * lr)),
    "consensus": lambda lr: R.Consensus(lr, 0.3),
    "lookahead": lambda lr: R.Lookahead(R.GDA(lr), 2, 0.3),
    "proximal": R.ProximalPoint,
}


def flow_moments(drift, diffusion, symbols):
    """(E w, E w w^T) at TIME from START: the generator acts on the monomials up to degree two as a matrix."""
    monomials = [sympy.Integer(1), *symbols, *(a * b for a, b in itertools.combinations_with_replacement(symbols, 2))]
    rows = []
    for g in monomials:
        first = sum(f * g.diff(s) for f, s in zip(drift, symbols, strict=True))
        second = sum(diffusion[i, j] * g.diff(a, b) / 2 for i, a in enumerate(symbols) for j, b in enumerate(symbols))
        poly = sympy.Poly(first + second, *symbols)
        rows.append([float(poly.coeff_monomial(m)) for m in monomials])
    values = [float(m.subs(dict(zip(symbols, START, strict=True)))) if m != 1 else 1.0 for m in monomials]
    return (expm(TIME * np.array(rows)) @ values)[1:]


def step_moments(game, rule, noise, steps):
    """The same after so many steps, exactly."""
    step = gd.stationary(game, rule, noise).step
    at = np.array([float(x) for x in step.at])
    d = START - at
    first, second = step.moments_after(steps, d, np.outer(d, d))
    whole = second + np.outer(at, first) + np.outer(first, at) + np.outer(at, at)
    return np.array([*(first + at), whole[0, 0], whole[0, 1], whole[1, 1]])


def errors(game, make, noise, order, corrected=False):
    found = []
    for steps in (64, 128):
        rule = make(TIME / steps)
        flow = gd.stochastic_flow(game, rule, noise, order)
        rate = flow.diffusion + flow.correction if corrected else flow.diffusion
        moments = flow_moments(list(flow.drift), sympy.Matrix(rate), flow.drift.symbols)
        found.append(np.abs(moments - step_moments(game, rule, noise, steps)).max())
    return found


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[] if n in ("alternating", "longer") else pytest.mark.slow) for n in RULES]
)
def test_the_weak_error_falls_at_its_order(name, order):
    """Halving the step divides the error of means and second moments over a fixed time by 2^order."""
    coarse, fine = errors(GAME, RULES[name], NOISE, order)
    assert abs(np.log2(coarse / fine) - order) < 0.15, (coarse, fine)


@pytest.mark.parametrize(
    "name", ["same", *(pytest.param(n, marks=pytest.mark.slow) for n in ("gda", "alternating", "fresh", "two steps"))]
)
def test_the_weak_error_of_minibatches(name):
    """Multiplicative noise: a diffusion that is quadratic in w, and the bias of extragradient on one summand."""
    for order in (1, 2):
        coarse, fine = errors(SUM, RULES[name], None, order)
        assert abs(np.log2(coarse / fine) - order) < 0.2, (order, coarse, fine)


def test_stationary_covariance_of_gradient_steps():
    """Numbers by a second route: errors -7.1e-3, -1.5e-3, and -1.4e-4 with the diffusion's correction."""
    game, rule = gd.games.quadratic(0.37, 1.13, 0.37), R.GDA(0.05)
    exact = gd.stationary(game, rule, 1).covariance[0, 0]
    np.testing.assert_allclose(exact, 0.0747038, rtol=1e-6)
    flows = [gd.stochastic_flow(game, rule, 1, order) for order in (1, 2)]
    found = [flows[0].covariance([0, 0]), flows[1].covariance([0, 0]), flows[1].covariance([0, 0], corrected=True)]
    np.testing.assert_allclose([p[0, 0] - exact for p in found], [-7.136e-3, -1.497e-3, -1.430e-4], rtol=1e-3)


@pytest.mark.parametrize(
    "name",
    [
        "gda",
        "alternating",
        pytest.param("fresh", marks=pytest.mark.slow),
        "consensus",
        pytest.param("proximal", marks=pytest.mark.slow),
    ],
)
def test_the_correction_gains_one_order_of_the_covariance(name):
    """Relative errors of the stationary covariance fall by 2, and with the correction by 4."""
    ratios = []
    for corrected in (False, True):
        apart = []
        for lr in (0.005, 0.0025):
            rule = RULES[name](lr)
            exact = gd.stationary(GAME, rule, NOISE).covariance
            found = gd.stochastic_flow(GAME, rule, NOISE, 2).covariance([0, 0], corrected)
            apart.append(np.abs(found - exact).max() / np.abs(exact).max())
        ratios.append(apart[0] / apart[1])
    np.testing.assert_allclose(ratios, [2, 4], rtol=0.05)


def test_formulas():
    """Drift and diffusion of GDA and of alternating play, whose drift has J v - 2 L v in place of J v."""
    lr, mu, b = sympy.symbols("lr mu b", positive=True)
    game = gd.games.quadratic(mu, b, mu)
    w, j = sympy.Matrix(game.symbols), game.jacobian_expr
    lower = sympy.Matrix([[0, 0], [j[1, 0], 0]])
    plain = gd.stochastic_flow(game, R.GDA("lr"), 1, 2)
    assert (sympy.Matrix(plain.drift) + j * w + lr / 2 * j * j * w).applyfunc(sympy.expand) == sympy.zeros(2, 1)
    assert sympy.Matrix(plain.diffusion) == lr * sympy.eye(2)
    assert (sympy.Matrix(plain.correction) - lr**2 / 2 * (j + j.T)).applyfunc(sympy.expand) == sympy.zeros(2)
    turns = gd.stochastic_flow(game, R.AlternatingGD("lr"), 1, 2)
    expected = -j * w - lr / 2 * (j * j * w - 2 * lower * j * w)
    assert (sympy.Matrix(turns.drift) - expected).applyfunc(sympy.expand) == sympy.zeros(2, 1)
    assert sympy.Matrix(gd.stochastic_flow(game, R.GDA("lr"), 1).drift) == (-j * w).applyfunc(sympy.expand)


def test_coefficients_are_functions_too():
    flow = gd.stochastic_flow(GAME, R.GDA(0.1), NOISE)
    points = np.array([[1.0, 0.0], [0.5, -2.0], [0.0, 0.0]])
    np.testing.assert_allclose(flow.drift(points), -GAME.field(points))
    np.testing.assert_allclose(flow.diffusion(points), np.broadcast_to(0.1 * np.array(NOISE), (3, 2, 2)))
    assert flow.diffusion(points[0]).shape == (2, 2)
    with pytest.raises(ParameterError, match="lr has no value"):
        gd.stochastic_flow(GAME, R.GDA("lr"), NOISE).diffusion(points)


def test_simulated_flows_have_its_moments():
    flow = gd.stochastic_flow(GAME, R.GDA(0.05), NOISE, 2)
    ends = flow.simulate(np.tile(START, (8000, 1)), TIME, 40, rng=1)
    expected = flow_moments(list(flow.drift), sympy.Matrix(flow.diffusion), flow.drift.symbols)
    found = np.column_stack([ends, ends[:, 0] ** 2, ends[:, 0] * ends[:, 1], ends[:, 1] ** 2])
    assert (np.abs(found.mean(0) - expected) < 5 * found.std(0) / np.sqrt(8000) + 1e-4).all()


def test_refusals():
    for rule, words in ((R.OptimisticGD(0.1), "memory"), (R.Scheduled(R.GDA(0.1)), "memory or counts")):
        with pytest.raises(DomainError, match=words):
            gd.stochastic_flow(GAME, rule, 1)
    with pytest.raises(DomainError, match="smooth"):
        gd.stochastic_flow(gd.games.from_sympy("Abs(x) + x*y - y**2", ["x", "y"]), R.GDA(0.1), 1)
    with pytest.raises(ParameterError, match="1 or 2"):
        gd.stochastic_flow(GAME, R.GDA(0.1), 1, order=3)
    with pytest.raises(DomainError, match="draws nothing"):
        gd.stochastic_flow(GAME, R.GDA(0.1))
    with pytest.raises(DomainError, match="does not attract"):
        gd.stochastic_flow(gd.games.bilinear(), R.GDA(0.1), 1).covariance([0, 0])
