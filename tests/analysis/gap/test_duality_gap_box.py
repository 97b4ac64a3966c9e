"""Certified gaps over a box: against closed forms, dense grids and local searches, and labels that keep their word."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import gandyn as gd
from gandyn.analysis.gap.minimum import Enclosure, Minimum
from gandyn.errors import DomainError, ParameterError
from gandyn.oracles.projections import Box

X, Y = sympy.symbols("x y", real=True)
SADDLE = gd.games.from_sympy(3 * X**2 - Y**2 + 4 * X * Y, [X, Y])
MATRICES = gd.games.quadratic(((2, 0.5), (0.5, 1)), ((1, -1), (0, 2)), ((1, 0), (0, 3)))


def on_a_grid(game, w, bounds, count=200_001):
    """The gap with answers from a grid, and how much it may miss: half a spacing of the steepest slope seen."""
    total, missed = 0.0, 0.0
    for i, own in enumerate(game.slices):
        (low, high) = bounds[own.start]
        grid = np.repeat(np.asarray(w, dtype=float)[None], count, 0)
        grid[:, own.start] = np.linspace(low, high, count)
        total += float(game.costs(np.asarray(w, dtype=float))[i]) - game.costs(grid)[i].min()
        missed += np.abs(game.field(grid)[:, own.start]).max() * (high - low) / count
    return total, missed


def holds(gap, value, slack=0.0):
    low, high = gap.interval
    return low - slack <= value <= high + slack


# --- closed forms -----------------------------------------------------------------------------------------------------


def test_the_published_saddle_is_84_where_the_answers_fit_and_clamped_where_not():
    """At (3, 3) the free answers are x = -2 and y = 6: gap 84. Within 3, y stays and 75 is left; at (1, 1) within 1,
    x answers -2/3 and gains 25/3, y stays."""
    gap = gd.duality_gap(SADDLE, [3, 3], "box", radius=10)
    assert holds(gap, 84)
    assert gap.kind == "exact"
    assert float(gap) == pytest.approx(84, rel=1e-12)
    np.testing.assert_allclose(gap.answers, [[-2, 3], [3, 6]], atol=1e-6)
    clamped = gd.duality_gap(SADDLE, [3, 3], "box", radius=3)
    assert holds(clamped, 75)
    small = gd.duality_gap(SADDLE, [1, 1], "box", radius=1)
    assert small.interval[1] - small.interval[0] < 1e-12
    assert sympy.Rational(small.interval[0]) <= sympy.Rational(25, 3) <= sympy.Rational(small.interval[1])


@settings(max_examples=15)
@given(st.floats(-2, 2), st.floats(-1, 3), st.floats(-3, 3).filter(lambda c: abs(c) > 1e-3))
def test_a_boxed_bilinear_game(a, b, c):
    """f = c x y on [-2, 2] x [-1, 3]: max_y' c a y' - min_x' c x' b = max(-c a, 3 c a) + 2 |c b|."""
    game = gd.games.from_sympy(sympy.Rational(c) * X * Y, [X, Y], projection=Box(((-2, 2), (-1, 3))))
    gap = gd.duality_gap(game, [a, b], "box")
    a, b, c = map(sympy.Rational, (a, b, c))
    truth = sympy.Max(-c * a, 3 * c * a) + 2 * abs(c * b)
    assert sympy.Rational(gap.interval[0]) <= truth <= sympy.Rational(gap.interval[1])
    assert gap.kind == "exact"
    assert float(gap) == pytest.approx(float(gd.duality_gap(game, [a, b])), abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_two_coordinates_a_player_with_free_answers_inside(seed):
    w = np.random.default_rng(seed).normal(size=4)
    gap = gd.duality_gap(MATRICES, w, "box", radius=30)
    assert holds(gap, float(gd.duality_gap(MATRICES, w).value), slack=1e-12)
    assert gap.kind == "exact"
    np.testing.assert_allclose(gap.answers, gd.duality_gap(MATRICES, w).answers, atol=1e-5)


def test_three_coordinates_a_player_with_many_local_minima():
    """A rotation of sum_k (z_k^4 - z_k^2 + z_k / 5), whose minimum is three times that of one term."""
    z = sympy.Symbol("z", real=True)
    term = z**4 - z**2 + z / 5
    x = sympy.symbols("x1:4", real=True)
    third = sympy.Rational(1, 3)
    turned = [2 * x[0] - x[1] + 2 * x[2], 2 * x[0] + 2 * x[1] - x[2], -x[0] + 2 * x[1] + 2 * x[2]]
    cost = sum(term.subs(z, third * u) for u in turned)
    game = gd.games.from_sympy([cost + 0 * Y, (Y - 1) ** 2], {"many": x, "one": [Y]})
    gap = gd.duality_gap(game, np.zeros(4), "box", radius=2)
    lowest = min(term.subs(z, root) for root in sympy.Poly(sympy.diff(term, z)).nroots(30))
    assert holds(gap, float(-3 * lowest + 1))
    assert gap.kind == "exact"
    assert gap.parts < 20_000


def test_general_sums_of_three_players():
    u, v, t = sympy.symbols("u v t", real=True)
    game = gd.games.from_sympy([(u - v) ** 2 + t, (v + t) ** 2 - u, sympy.cos(t) + t * u / 2], [u, v, t])
    gap = gd.duality_gap(game, [0.5, -1.0, 0.25], "box", radius=4)
    lowest = min(np.cos(g) + g / 4 for g in np.linspace(-4, 4, 400_001))
    assert holds(gap, 2.25 + 0.75**2 + np.cos(0.25) + 0.0625 - lowest, slack=1e-9)


def test_own_boxes_and_given_ones_meet():
    game = gd.games.boxed_bilinear()  # x free, y in [-1, 1]
    with pytest.raises(ParameterError, match="finite intervals"):
        gd.duality_gap(game, [1.0, 0.5], "box")
    gap = gd.duality_gap(game, [1.0, 0.5], "box", radius=4)
    assert holds(gap, 1 + 0.5 * 4)
    np.testing.assert_array_equal(gap.box, [[-4, 4], [-1, 1]])
    given_ = gd.duality_gap(game, [1.0, 0.5], "box", box=[(-2, 3), (-9, 9)])
    assert holds(given_, 1 + 0.5 * 2)


# --- against grids ----------------------------------------------------------------------------------------------------

GRIDS = [
    (gd.games.dirac_gan(), 4.0),
    (gd.games.dirac_gan(loss="nonsaturating", penalty="R1(0.3)"), 4.0),
    (gd.games.dirac_gan(loss="least_squares"), 3.0),
    (gd.games.forsaken(), 1.5),
    (gd.games.almost_bilinear(0.1), 2.0),
    (gd.games.exponential(), 20.0),
    (gd.games.exponential(-1), 20.0),
]


@pytest.mark.parametrize(("game", "radius"), GRIDS, ids=lambda v: str(getattr(v, "name", v)))
def test_intervals_hold_what_a_dense_grid_finds(game, radius):
    rng = np.random.default_rng(5)
    for w in rng.uniform(-radius, radius, (3, 2)):
        gap = gd.duality_gap(game, w, "box", radius=radius)
        value, missed = on_a_grid(game, w, [(-radius, radius)] * 2)
        low, high = gap.interval
        assert gap.kind == "exact"
        assert high - low <= 1e-6 * low
        assert value <= high + 1e-12 * abs(value)
        assert low <= value + missed


def test_the_forsaken_equilibrium_is_stable_and_yet_far_from_nash():
    """Both players gain by leaving it: a positive gap, proven, where every gradient vanishes."""
    game = gd.games.forsaken()
    at = [float(v) for v in game.equilibria[0]]
    assert gd.duality_gap(game, at, "box", radius=1.5).interval[0] > 0.55
    assert float(gd.duality_gap(game, at, "gradient", k=100, inner_lr=0.1)) == pytest.approx(0, abs=1e-9)


@pytest.mark.slow
@settings(max_examples=10)
@given(st.integers(0, 10_000))
def test_random_polynomials_against_many_local_searches(seed):
    rng = np.random.default_rng(seed)
    x = sympy.symbols("x1 x2", real=True)
    powers = [p for p in itertools.product(range(5), repeat=2) if 0 < sum(p) <= 4]
    cost = sum(
        sympy.Rational(int(c), 7) * x[0] ** p * x[1] ** q
        for (p, q), c in zip(powers, rng.integers(-9, 9, 14), strict=True)
    )
    search = Minimum(Enclosure(cost, x, slice(0, 2)), np.zeros(2), np.array([[-1.5, 2.0], [-2.0, 1.0]]), 50_000)
    search.refine(1e-8)
    sides = np.stack(np.meshgrid(np.linspace(-1.5, 2, 351), np.linspace(-2, 1, 351)), -1).reshape(-1, 2)
    values = sympy.lambdify(x, cost)(*sides.T)
    assert search.low <= values.min() + 1e-12
    assert search.high <= values.min() + 1e-12
    assert search.high - search.low <= 1e-8 + 4 * search.noise
    assert float(cost.subs(dict(zip(x, search.point, strict=True)))) == pytest.approx(search.high, abs=1e-11)


def test_kinks_are_bounded_without_derivatives():
    game = gd.games.from_sympy(sympy.Abs(X - Y) + X / 2 - Y**2, [X, Y])
    gap = gd.duality_gap(game, [1.0, -0.5], "box", radius=2)
    value, missed = on_a_grid(game, [1.0, -0.5], [(-2, 2)] * 2)
    assert gap.interval[0] <= value + missed
    assert value <= gap.interval[1]
    assert gap.kind == "exact"


# --- labels -----------------------------------------------------------------------------------------------------------


def test_a_spent_budget_is_said_and_more_of_it_narrows_the_interval():
    game, w = gd.games.exponential(), [1.0, 2.0]
    best = gd.duality_gap(game, w, "box", radius=20, tolerance=1e-9)
    widths = []
    for parts in (1, 8, 32):
        gap = gd.duality_gap(game, w, "box", radius=20, tolerance=1e-9, parts=parts)
        assert gap.interval[0] <= best.interval[0] <= best.interval[1] <= gap.interval[1]
        widths.append(gap.interval[1] - gap.interval[0])
        assert gap.kind == "lower"
        assert float(gap) == gap.interval[0]
        assert "number of parts ran out" in gap.note
    assert widths[0] > 10 * widths[-1]
    assert best.kind == "exact"


def test_no_gap_is_no_artefact():
    """Zero at the equilibrium, however large the box, and where the gap is smaller than rounding can tell."""
    for at, radius in (([0, 0], 1), ([0, 0], 1e6), ([1e-12, 0], 5)):
        gap = gd.duality_gap(SADDLE, at, "box", radius=radius)
        assert gap.interval[0] <= 7 * at[0] ** 2 <= gap.interval[1]
        assert gap.interval[1] < 1e-20
    far = [(X + 1000) ** 2 - 2000 * X - 1000 + X * Y, Y**2 - X]  # X^2 + X Y up to a constant, from numbers of 1e6
    offset = gd.games.from_sympy(far, [X, Y])
    gap = gd.duality_gap(offset, [1e-9, 0.0], "box", radius=5)
    assert gap.interval[0] <= 1e-18 <= gap.interval[1] < 1e-8
    assert "or the rounding of costs" in gap.note


def test_ensembles_are_their_members():
    w = np.random.default_rng(0).uniform(-2, 2, (2, 3, 2))
    together = gd.duality_gap(gd.games.dirac_gan(), w, "box", radius=2)
    assert np.shape(together.value) == (2, 3)
    assert np.shape(together.terms) == (2, 2, 3)
    assert np.shape(together.answers) == (2, 2, 3, 2)
    for i, j in np.ndindex(2, 3):
        alone = gd.duality_gap(gd.games.dirac_gan(), w[i, j], "box", radius=2)
        assert together.interval[0][i, j] <= alone.interval[1]
        assert alone.interval[0] <= together.interval[1][i, j]
        np.testing.assert_allclose(together.answers[:, i, j], alone.answers, atol=1e-3)


def test_tensors_come_back_as_tensors():
    import torch

    gap = gd.duality_gap(SADDLE, torch.tensor([[3.0, 3.0], [0.0, 3.0]], dtype=torch.float64), "box", radius=10)
    assert isinstance(gap.value, torch.Tensor)
    np.testing.assert_allclose(gap.value, [84, 21], rtol=1e-12)


def test_results_are_data_and_say_where():
    gap = gd.duality_gap(SADDLE, [3, 3], "box", radius=10)
    data = json.loads(json.dumps(gap.to_dict()))
    assert data["box"] == [[-10, 10], [-10, 10]]
    assert data["interval"][0] <= 84 <= data["interval"][1]
    assert "|x_k| <= 10" in gap.summary()
    assert "none begun after 100000" in gap.summary()


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"radius": 2}, ParameterError, r"coordinate 1 of y is 3, outside \[-2, 2\]"),
        ({"radius": -1}, ParameterError, "radius=-1"),
        ({}, ParameterError, "finite intervals"),
        ({"box": [(-5, 5)]}, ParameterError, "2 pairs"),
        ({"box": [(5, -5), (-5, 5)]}, ParameterError, "low <= high"),
        ({"box": [(-5, 5)] * 2, "radius": 5}, ParameterError, "both"),
        ({"radius": 10, "budget": 0}, ParameterError, "budget=0"),
        ({"radius": 10, "parts": 0}, ParameterError, "parts=0"),
        ({"radius": 10, "tolerance": 0}, ParameterError, "tolerance=0"),
    ],
)
def test_what_cannot_be_is_refused(arguments, error, match):
    with pytest.raises(error, match=match):
        gd.duality_gap(SADDLE, [1.0, 3.0], "box", **arguments)


def test_games_that_cannot_be_enclosed_are_refused_by_name():
    with pytest.raises(DomainError, match="feasible set"):
        gd.duality_gap(gd.games.matching_pennies(), [0.5, 0.5, 0.5, 0.5], "box", radius=1)
    free = gd.games.dirac_gan(penalty=gd.penalties.R1("gamma"))
    with pytest.raises(gd.GandynError, match="gamma"):
        gd.duality_gap(free, [1.0, 1.0], "box", radius=2)
    smooth = gd.games.from_torch(lambda x, y: (x * y).sum(), {"x": 1, "y": 1})
    with pytest.raises(DomainError, match="no expressions"):
        gd.duality_gap(smooth, [1.0, 1.0], "box", radius=2)
    with pytest.raises(DomainError, match="symbols"):
        gd.duality_gap(SADDLE, np.array([X, Y]), "box", radius=2)
