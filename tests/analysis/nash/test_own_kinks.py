"""Minima of costs with kinks: planted ones, and random pieces held to a dense sample of the cost itself."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import sympy

import gandyn as gd
from gandyn.analysis.nash.one_sided import along_ray, dot, generators
from gandyn.analysis.nash.own_optimum import Optimum
from gandyn.oracles.projections import Box, Simplices

a, b, c, x, y = sympy.symbols("a b c x y", real=True)
R, Abs, Max = sympy.Rational, sympy.Abs, sympy.Max
STRICT, NONE, OPEN, GLOBAL = Optimum.STRICT, Optimum.NONE, Optimum.OPEN, Optimum.GLOBAL


def judged(cost, own, at=None, **options):
    """What the first of two players' own cost is at a point, by default the origin; the other's is y^2/2 - y/3."""
    game = gd.games.from_sympy([cost, y**2 / 2 - y / 3], {"p": list(own), "q": [y]}, **options)
    return gd.classify(game, [*(at or [0] * len(own)), R(1, 3)]).players[0]


@pytest.mark.parametrize(
    ("cost", "kind"),
    [
        (Abs(x) - x**2 + x * y, STRICT),  # slopes -2/3 and 4/3
        (Abs(x) - x**2 + 3 * x * y, OPEN),  # slopes 0 and 2, then the second derivative -2 on the flat side
        (Abs(x) / 3 - x**2 - x * y, NONE),  # slopes -2/3 and 0: it falls as -t^2
        (Abs(x) / 3 + x**2 - x**3 - x * y, STRICT),  # slopes -2/3 and 0: it rises as t^2
        (2 * Abs(x) + sympy.sin(x), STRICT),
        (Max(x, -2 * x) - x**4, STRICT),
        (x * Abs(x), NONE),
        (Abs(x) ** 3 - x**4, STRICT),
        (Abs(x**2 + x) - x**2, STRICT),
        (sympy.Piecewise((3 * x - x**2, x > 0), (-x - x**2, True)), STRICT),
        (sympy.Piecewise((-3 * x, x > 0), (x**2, True)), NONE),  # as the field sees it from the left, it rests
        (-Abs(x) + 5 * x**2, NONE),
        (sympy.Min(x, 2 * x) + x**2, None),
    ],
    ids=str,
)
def test_one_sided_slopes_decide_in_one_dimension(cost, kind):
    if kind is None:  # slopes 2 and 1: no solution of any kind
        with pytest.raises(gd.errors.ParameterError, match="field"):
            judged(cost, [x])
        return
    found = judged(cost, [x])
    assert found.kind is (NONE if kind is OPEN else kind), found.reason
    assert not found.convex


@pytest.mark.parametrize(
    ("cost", "kind"),
    [
        (Abs(a) + Abs(b) - a * b - 3 * a**2, STRICT),
        (Abs(a) + Abs(b) - R(1, 2) * a + b, GLOBAL),  # flat for b < 0
        (Abs(a) + Abs(b) - R(1, 2) * a + b - a**2, OPEN),
        (Abs(a) + Abs(b) - R(1, 2) * a + b - b**2, NONE),
        (Max(a, b, -a - b) - a**2, STRICT),
        (Max(a, b, -2 * a - b) - a**2, STRICT),  # the field's own value at the kink is (-1/2, 1/2)
        (Abs(a - b) - a**2, NONE),  # falls along (1, 1)
        (Abs(a + b) + Abs(a - b) - a**2, STRICT),
        (Abs(a) + b**2 - a**2, STRICT),  # uphill to first order but along b, where the second derivative decides
        (Abs(a) + b**2 - a**2 + 5 * a * b, STRICT),
        (Abs(a) - b**2, NONE),
        (Abs(a - b**2) - b**2 / 2, OPEN),  # the minimum over a is -b^2/2, on a curve that no ray follows
        (Abs(a) + b**4, GLOBAL),
        (Abs(a) + b**4 - a**2, STRICT),
        (Abs(a + b) + (a - b) ** 4 - a**2 * b**2, OPEN),
        (Abs(a) + Abs(b) + Abs(c) - a * b * c - c**2, STRICT),
        (Abs(a) + Abs(b) + c**2 - a * b + a * c, STRICT),
    ],
    ids=str,
)
def test_pieces_decide_in_several_dimensions(cost, kind):
    own = [s for s in (a, b, c) if s in cost.free_symbols]
    found = judged(cost, own)
    assert found.kind is kind, found.reason


def test_a_sum_of_slopes_that_vanishes_at_a_kink_is_no_subgradient():
    """Max(3x, 4x, 5x, 6x) - 9x has slopes -6 and -3; SymPy's derivative, half of each at 0, vanishes there."""
    found = judged(Max(3 * x, 4 * x, 5 * x, 6 * x, evaluate=False) - 9 * x, [x])
    assert (found.kind, found.reason) == (NONE, "the own cost falls along a direction from a kink")


def test_a_field_that_jumps_has_no_slope_there():
    """x^2/2 - x on the right and x^2/2 on the left: both second derivatives are 1, and it falls to the right."""
    found = judged(sympy.Piecewise((x**2 / 2 - x, x > 0), (x**2 / 2, True)), [x])
    assert (found.kind, found.hessian) == (NONE, "not defined at a kink")


def test_bounds_close_directions_at_a_kink():
    half = Box(((0, None), (None, None)))
    assert judged(Abs(x) - x / 2 - x**2, [x], projection=half).kind is STRICT
    with pytest.raises(gd.errors.ParameterError, match="leads away from"):  # the only feasible slope is -1
        judged(2 * x - 3 * Abs(x), [x], projection=half)
    quarter = Box(((0, None), (0, None), (None, None)))
    assert judged(Abs(a - b) + a - b**2 + b, [a, b], projection=quarter).kind is STRICT
    simplex = Simplices((2,), free=1)
    assert judged(Abs(a - b) - a * b, [a, b], projection=simplex, at=[R(1, 2), R(1, 2)]).kind is STRICT
    assert judged(-Abs(a - b), [a, b], projection=simplex, at=[R(1, 2), R(1, 2)]).kind is NONE


def test_coordinates_given_in_decimals_are_as_good_as_fractions():
    """y = 1/3 to sixteen digits leaves a slope of 1e-17 beside slopes of -2/3 and 4/3."""
    game = gd.games.from_sympy([Abs(x) - x**2 + x * y, y**2 / 2 - y / 3], [x, y])
    assert gd.classify(game, (0.0, 1 / 3)).nash == "strict local Nash"
    flat = gd.games.from_sympy([Abs(x) - x**2 + 3 * x * y, y**2 / 2 - y / 3], [x, y])
    assert gd.classify(flat, (0, R(1, 3))).players[0].kind is NONE
    assert gd.classify(flat, (0.0, 1 / 3)).players[0].kind is OPEN


@pytest.mark.parametrize("scale", [R(1, 10**12), 10**12])
def test_units_do_not_matter_at_a_kink(scale):
    for cost, kind in ((Abs(x) - x**2 + x * y, STRICT), (Abs(x) / 3 - x**2 - x * y, NONE)):
        assert judged(scale * cost, [x]).kind is kind
        assert judged(cost.subs(x, scale * x), [x]).kind is kind


def test_a_norm_has_no_smooth_pieces_and_is_named():
    with pytest.raises(gd.errors.ParameterError, match="not defined at this point"):
        judged(sympy.sqrt(a**2 + b**2) - a * b, [a, b])


def test_who_has_no_kink_keeps_the_own_hessian():
    game = gd.games.from_sympy([Abs(x) - x**2, y**2 / 2 - y**4 + x * y], [x, y])
    assert gd.classify(game, (0, 0)).own == ("not defined at a kink", "positive definite")


def test_generators_of_a_cone_span_it_and_nothing_else():
    rng = np.random.default_rng(3)
    for _ in range(40):
        dim = int(rng.integers(1, 4))
        rows = [tuple(map(sympy.Integer, row.tolist())) for row in rng.integers(-2, 3, (rng.integers(1, 5), dim))]
        lines, rays = generators(rows, dim)
        assert all(dot(row, ray) >= 0 for row in rows for ray in rays)
        assert all(dot(row, line) == 0 for row in rows for line in lines)
        ways = np.array([*lines, *(tuple(-q for q in line) for line in lines), *rays], float).reshape(-1, dim)
        for point in itertools.product((-2, -1, 0, 1, 2), repeat=dim):
            inside = all(dot(row, point) >= 0 for row in rows)
            assert inside == _spanned(ways, np.array(point, float)), (rows, point)


def _spanned(ways, point):
    """Whether a point is a sum of ways with coefficients of at least 0, by nonnegative least squares."""
    from scipy.optimize import nnls

    return np.abs(point).max() < 1e-12 if not len(ways) else nnls(ways.T, point)[1] < 1e-9


def _random_cost(rng, own):
    """Kinks of linear forms, of a few kinds, and a quadratic or cubic rest; every part vanishes at the origin."""

    def form():
        return sum(int(q) * s for q, s in zip(rng.integers(-2, 3, len(own)), own, strict=True))

    kinks = [
        lambda: Abs(form()),
        lambda: Max(form(), form()),
        lambda: Max(form(), form(), form()),
        lambda: -Abs(form()),
        lambda: Abs(form() + own[0] ** 2),
        lambda: sympy.Piecewise((2 * own[0], own[0] > 0), (-own[0], True)),
    ]
    cost = sum(kinks[rng.choice(6, p=[0.3, 0.2, 0.2, 0.05, 0.15, 0.1])]() for _ in range(rng.integers(1, 4)))
    products = list(itertools.combinations_with_replacement(own, 2))
    return cost + R(int(rng.integers(0, 2))) * form() / 2 + sum(int(rng.integers(-1, 2)) * p * q for p, q in products)


def _found_below(value, ways, rng, radius=1e-2):
    """The least cost on the sphere that a random search finds, which narrows around the best fifty directions."""
    width, least = 1.0, np.inf
    for _ in range(40):
        costs = np.broadcast_to(value(*(radius * ways).T), len(ways))
        least, width = min(least, costs.min()), 0.7 * width
        best = ways[np.argsort(costs)[:50]]
        ways = np.vstack([best, np.repeat(best, 40, 0) + width * rng.standard_normal((2000, ways.shape[1]))])
        ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    return least


@pytest.mark.parametrize("count", [60, pytest.param(600, marks=pytest.mark.slow)])
def test_verdicts_agree_with_a_dense_sample_of_the_cost(count):
    """No derivative here: the cost on rings of three radii, which are finer in angle than a cone of these slopes."""
    rng, seen = np.random.default_rng(11), dict.fromkeys((STRICT, NONE, OPEN, GLOBAL), 0)
    for _ in range(count):
        own = [a, b, c][: rng.integers(1, 4)]
        cost = _random_cost(rng, own)
        if not set(own) <= cost.free_symbols:
            continue
        try:
            found = judged(cost, own)
        except gd.errors.ParameterError:
            continue
        seen[found.kind] += 1
        ways = rng.standard_normal((20000, len(own)))
        ways = np.vstack([ways, np.array(list(itertools.product((-1, -0.5, 0, 0.5, 1), repeat=len(own))))])
        ways = ways[np.abs(ways).max(1) > 0]
        ways /= np.linalg.norm(ways, axis=1, keepdims=True)
        value = sympy.lambdify(own, cost, "numpy")
        least = [np.min(np.broadcast_to(value(*(r * ways).T), len(ways))) for r in (1e-2, 1e-4, 1e-6)]
        if found.kind is NONE:
            assert _found_below(value, ways, rng) < 0, (cost, found)
        elif found.kind in (STRICT, GLOBAL):
            assert min(least[1:]) >= -1e-15, (cost, found, least)
    assert seen[STRICT] > count / 8
    assert seen[NONE] > count / 30


def test_a_ray_meets_kinks_of_higher_order_and_flat_costs():
    t = {x: sympy.Integer(1)}
    at = {x: sympy.sqrt(2)}
    assert along_ray(Abs(x**2 - 2) - 3 * (x - sympy.sqrt(2)), t, at) == -1  # 2 sqrt(2) - 3 < 0
    assert along_ray(Abs(x**2 - 2) - 2 * (x - sympy.sqrt(2)), t, at) == 1
    assert along_ray(sympy.Integer(5) + 0 * x, t, at) == 0
    assert along_ray(sympy.exp(-1 / x**2), t, {x: sympy.Integer(0)}) is None
