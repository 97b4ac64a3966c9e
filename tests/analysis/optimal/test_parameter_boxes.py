"""A limit of several parameters: below what was found, and never above what a dense grid of values reaches."""

from fractions import Fraction

import numpy as np
import pytest

import gandyn as gd
from gandyn.analysis.optimal import parameter_boxes
from gandyn.analysis.optimal.companion import companion
from gandyn.analysis.optimal.minimax import Range
from gandyn.budget import Budget

R, C = gd.rules, gd.classes
HEAVY, SEGMENT = R.HeavyBall("lr", "momentum"), C.Spectrum(segment=(0.5, 2))


def limit(rule, over, ranges, point, rate):
    matrix = companion(rule, "a test")
    order = [next(r for r in ranges if r.name == str(p)) for p in matrix.parameters]
    games = [curve.point(Fraction(k, 8)) for curve in over.curves() for k in range(9)]
    return parameter_boxes.proven_limit(matrix, games, order, np.array(point), rate, Budget.of(20))


def test_polyaks_momentum_is_nearly_the_best():
    ranges = [Range("lr", 0.0, np.inf), Range("momentum", -2.0, 2.0)]
    assert limit(HEAVY, SEGMENT, ranges, (8 / 9, 1 / 9), 1 / 3) == pytest.approx(0.333, abs=1e-9)


def test_a_rate_that_values_pass_is_not_proven():
    """Twice the best rate is claimed: values with less than 95 % of it exist, and no box around them may be decided."""
    ranges = [Range("lr", 0.01, 2.0), Range("momentum", -0.9, 0.9)]
    assert limit(HEAVY, SEGMENT, ranges, (8 / 9, 1 / 9), 0.37) is None


def test_a_design_says_how_much_could_be_left():
    over = C.Bilinear(0.5, 2)
    found = gd.design(R.Extragradient("lr", "ahead"), over, bounds={"ahead": (0.1, 1)})
    assert found.kind == "upper"
    assert 0.99 * found.rate < found.limit < found.rate
    assert f"{found.limit:.6g}" in found.summary()
    z = 1j * np.linspace(0.5, 2, 41)
    matrix = companion(R.Extragradient("lr", "ahead"), "a test")
    a, h = np.meshgrid(np.linspace(0.1, 1, 60), np.linspace(0.01, 2, 200))
    grid = {"ahead": a[..., None], "lr": h[..., None]}
    radii = matrix.radius(z, [grid[str(p)] for p in matrix.parameters]).max(-1)
    assert radii.min() > found.limit
    assert gd.design(R.GDA("lr"), C.Spectrum(points=[0.4 + 1j])).limit is None


def test_bounds_hold_everything_on_their_boxes():
    rng = np.random.default_rng(1)
    for _ in range(40):
        p = parameter_boxes.Polynomial(rng.integers(0, 4, (6, 2)), rng.normal(size=6))
        middle, half = rng.normal(size=(5, 2)), rng.uniform(0.01, 0.5, 2)
        u = middle[:, None] + half * rng.uniform(-1, 1, (200, 2))
        values = (p.factors * np.prod(u[:, :, None, :] ** p.powers, axis=-1)).sum(-1)
        assert (values.max(1) <= p.above(middle, half) + 1e-12).all()


def test_the_bound_of_a_constant_is_the_constant_but_for_its_rounding():
    polynomial = parameter_boxes.Polynomial(np.array([[0, 0]]), np.array([3.0]))
    (found,) = polynomial.above(np.array([[0.3, 5.0]]), np.array([[1.0, 2.0]]))
    assert found == 3.0 + 3.0 * parameter_boxes.ROUNDING
