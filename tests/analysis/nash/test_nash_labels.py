"""Nash labels: planted kinds, constrained corners, kinks, and a brute-force checker that needs no derivatives."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

import gandyn as gd
from gandyn.analysis.nash.convexity import is_convex
from gandyn.analysis.nash.own_optimum import Optimum
from gandyn.oracles.projections import Box, Simplices

x, y, z = sympy.symbols("x y z", real=True)
R = sympy.Rational


def S(costs, players=(x, y), **options):
    return gd.games.from_sympy(costs, list(players), **options)


@pytest.mark.parametrize(
    ("costs", "nash"),
    [
        ([-(x**4), y**2 / 2], "not a local Nash equilibrium"),
        ([x**4, y**2 / 2], "global Nash"),
        ([x**4 - x**6, y**2 / 2], "strict local Nash"),
        ([x**3 + x * y, y**2 / 2], "not a local Nash equilibrium"),
        ([x**4 * (y - 1), y**2 / 2], "not a local Nash equilibrium"),
        ([x**2 / 2 + x * y, y**2 / 2 - 3 * x * y], "strict local Nash"),
        ([sympy.exp(x) - x + y * x, y**4 - x * y], "global Nash"),
        ([sympy.exp(-1 / (1 + x**2)) * 0 + x * y, -x * y + y**3], "not a local Nash equilibrium"),
        ([sympy.cos(x) - 1, y**2], "not a local Nash equilibrium"),
        ([1 - sympy.cos(x), y**2], "strict local Nash"),
    ],
    ids=str,
)
def test_planted_kinds_in_one_dimension(costs, nash):
    found = gd.classify(S(costs), (0, 0))
    assert found.nash == nash
    assert not ("Nash" in found.label and "possibly" in found.label)


def test_affine_and_convex_costs_are_global_nash():
    for game in (
        gd.games.bilinear(),
        gd.games.matching_pennies(),
        gd.games.gaussian_wgan(),
        gd.games.rock_paper_scissors(),
    ):
        found = gd.classify(game)
        assert (found.nash, found.global_nash) == ("global Nash", True), game.name
    assert gd.classify(gd.games.quadratic(1, 2, 1)).global_nash
    assert not gd.classify(S([x**2 - x**4, y**2 / 2]), (0, 0)).global_nash


def test_corners_of_matrix_games_are_global_nash():
    for shape, seed in (((2, 2), 1), ((3, 3), 0), ((4, 5), 2)):
        assert gd.classify(gd.games.random_matrix_game(shape, seed=seed)).nash == "global Nash"
    found = gd.classify(gd.games.matrix_game([[1, 2], [3, 4]]))
    assert (found.nash, found.label) == ("global Nash", "global Nash, attracting")


def test_second_order_conditions_on_the_critical_cone():
    """A pressed bound closes a concave direction; a touched one leaves half of it open."""
    box = Box((None, (0, None)))
    pressed = gd.classify(S([x**2 / 2, y - y**2], projection=box), (0, 0))
    assert pressed.players[1].reason == "every feasible direction is uphill to first order"
    assert pressed.nash == "strict local Nash"
    touched = gd.classify(S([x**2 / 2, -(y**2)], projection=box), (0, 0))
    assert touched.nash == "not a local Nash equilibrium"
    one_sided = gd.classify(S([x**2 / 2, y**3], projection=box), (0, 0))
    assert one_sided.nash == "strict local Nash"
    other_side = gd.classify(S([x**2 / 2, -(y**3)], projection=box), (0, 0))
    assert other_side.nash == "not a local Nash equilibrium"


def test_two_dimensional_blocks():
    players = ([x, y], [z])
    half = gd.classify(S([x**2 + y**4, z**2], players), (0, 0, 0))
    assert half.nash == "global Nash"
    down = gd.classify(S([x**2 - y**4, z**2], players), (0, 0, 0))
    assert down.nash == "not a local Nash equilibrium"
    open_ = gd.classify(S([(x - y**2) * (x - 2 * y**2), z**2], players), (0, 0, 0))  # Peano: falls along no line
    assert open_.nash.startswith("undecided")
    assert open_.players[0].kind is Optimum.OPEN
    saddle = gd.classify(S([x * y, z**2], players), (0, 0, 0))
    assert saddle.nash == "not a local Nash equilibrium"


def test_kinks_are_judged_by_convexity_or_from_both_sides():
    assert gd.classify(S([sympy.Abs(x), y**2]), (0, 0)).nash == "global Nash"
    assert gd.classify(S([-sympy.Abs(x), y**2]), (0, 0)).nash == "not a local Nash equilibrium"


def test_a_point_that_solves_nothing_is_refused():
    with pytest.raises(gd.GandynError, match="w - P"):
        gd.classify(gd.games.matching_pennies(), (1, 0, 1, 0))


@pytest.mark.parametrize("scale", [R(1, 10**12), 10**12])
def test_nothing_changes_with_units_order_dummies_or_what_others_pay(scale):
    base = [x**2 / 2 + x * y, -(y**4) / 4 - x * y]
    costs = {
        "scaled": ([scale * base[0], scale * base[1]], [x, y]),
        "one scaled": ([scale * base[0], base[1]], [x, y]),
        "permuted": (base[::-1], [y, x]),
        "dummy": ([*base, z**2], [x, y, z]),
        "others' terms": ([base[0] + y**7 - 3 * y, base[1] + sympy.exp(x)], [x, y]),
        "expanded": ([sympy.expand(base[0]), sympy.factor(base[1])], [x, y]),
    }
    for costs_, players in costs.values():
        assert gd.classify(S(costs_, players), (0,) * len(players)).nash == "not a local Nash equilibrium"
    irrational = S([scale * (sympy.cos(x) + x * y), scale * y**2 / 2])
    assert gd.classify(irrational, (float(np.pi), 0.0)).nash == "strict local Nash"
    for size, sign in ((1, "strict local Nash"), (-1, "not a local Nash equilibrium")):
        game = S([scale * size * (x - sympy.sqrt(2)) ** 2, y**2])
        assert gd.classify(game, (float(sympy.sqrt(2)), 0.0)).nash == sign


def test_convexity_is_proved_where_it_is_there():
    convex = [x**4, sympy.exp(x + 2 * y), x**2 + 2 * x * y + y**2, -3 * x, sympy.Max(x, 1 - y), sympy.Abs(x - 3)]
    assert all(is_convex(e, [x, y]) for e in convex)
    assert is_convex(x**4 + x**2 * 6 + x, [x])
    assert is_convex(x**4 - 4 * x**3 + 6 * x**2, [x])  # second derivative 12 (x - 1)^2
    for e in (x**3, -(x**2), x * y, x**4 - x**2, sympy.sin(x), -sympy.exp(x), -sympy.Abs(x), 1 / x):
        assert not is_convex(e, [x, y]), e


def _falls(game, i, point, radius):
    """The least own cost on a fine grid of feasible points of the own block, below the cost at the point."""
    block, rng = game.slices[i], np.random.default_rng(0)
    around = np.repeat(point[None], 4000, axis=0)
    around[:, block] += radius * rng.uniform(-1, 1, (4000, block.stop - block.start)) * rng.uniform(0, 1, (4000, 1))
    around = game.project(around)
    return float((game.costs(around)[i] - game.costs(point)[i]).min())


@pytest.mark.parametrize("count", [25, pytest.param(400, marks=pytest.mark.slow)])
def test_labels_agree_with_a_search_of_the_own_cost(count):
    """Random polynomial costs on random sets with a solution planted at the origin, or at a corner."""
    rng, seen = np.random.default_rng(5), {}
    sets = (None, Box(((0, None), None)), Box(((0, 1), (-1, 1))), Box(((0, None), (0, None))))
    for _ in range(count):
        projection = sets[rng.integers(len(sets))]
        costs = []
        for own, other in ((x, y), (y, x)):
            pressed = projection is not None and (own is x or projection == sets[3]) and rng.random() < 0.5
            tied = [own**2, own**3, own**4, own * other, own**2 * other, other**2]
            terms = (int(q) * t for q, t in zip(rng.integers(-2, 3, 6), tied, strict=True))
            costs.append(int(pressed) * own + sum(terms))
        try:
            game = S(costs, projection=projection)
            found = gd.classify(game, (0, 0))
        except gd.GandynError:
            continue
        point = np.zeros(2)
        for i, own in enumerate(found.players):
            seen[own.kind] = seen.get(own.kind, 0) + 1
            near, far = _falls(game, i, point, 1e-2), _falls(game, i, point, 10.0)
            if own.kind is Optimum.NONE:
                assert near < 0, (costs, own)
            elif own.kind is Optimum.STRICT:
                assert near >= -1e-15, (costs, own)
            if own.kind is Optimum.GLOBAL or own.convex:
                assert far >= -1e-12, (costs, own)
    assert seen[Optimum.NONE] > count / 10
    assert seen[Optimum.STRICT] + seen[Optimum.GLOBAL] > count / 10


def test_a_simplex_that_is_touched():
    """v is constant on the simplex: every point of it is a solution, and every bound is weakly active at a corner."""
    game = S([x + y + z * 0, z**2], ([x, y], [z]), projection=Simplices((2,), free=1))
    assert gd.classify(game, (1, 0, 0)).nash == "global Nash"


@pytest.mark.parametrize(
    ("own", "side", "minimum"),
    [
        (sympy.Piecewise((x**2 - 1, x > 0), (x**2, True)), None, False),  # no derivative sees that it falls by 1
        (sympy.Piecewise((x**2, x >= 0), (x**2 - 1, True)), None, False),
        (sympy.Piecewise((x**2 + 1, x > 0), (x**2, True)), None, True),
        (sympy.Piecewise((5, sympy.Eq(x, 0)), (x**2, True)), None, False),
        (sympy.Piecewise((3 * x - 1, x > 0), (0, True)), 0, False),
        (sympy.Piecewise((3 * x + 1, x > 0), (0, True)), 0, True),
        (sympy.Piecewise((3 * x + 1, x >= 0), (0, True)), 0, True),  # what is left of the bound does not count
    ],
    ids=str,
)
def test_a_cost_that_jumps_down_beside_the_point_has_no_minimum_there(own, side, minimum):
    bounds = {} if side is None else {"projection": Box(((side, None), (None, None)))}
    found = gd.classify(S([own, y**2 / 2], **bounds), (0, 0)).players[0]
    assert (found.kind is Optimum.STRICT) == minimum
    assert ("jumps down" in found.reason) != minimum


@pytest.mark.parametrize("real", [True, None], ids=["real", "plain"])
def test_a_minimum_at_a_kink_between_the_own_slopes_is_a_global_nash_point_of_convex_costs(real):
    """x^2/10 + 2xy + 3|x + 1|/4 at (-1, -3/20): own slopes -5/4 and 1/4; also for symbols that were not called real."""
    x, y = sympy.symbols("x y", real=real)
    costs = [x**2 / 10 + 2 * x * y + 3 * sympy.Abs(x + 1) / 4, x * y / 2 + (y + sympy.Rational(2, 5)) ** 2]
    game = gd.games.from_sympy(costs, [x, y])
    found = gd.classify(game, at=[-1, sympy.Rational(-3, 20)])
    assert found.nash == "global Nash"
    assert found.label == "global Nash, stability undecided"
    for beside in ([-1, 1], [sympy.Rational(-9, 10), sympy.Rational(-3, 20)]):
        with pytest.raises(gd.errors.ParameterError, match="field of"):
            gd.classify(game, at=beside)


def test_a_maximum_at_a_kink_is_no_nash_point():
    x, y = sympy.symbols("x y", real=True)
    game = gd.games.from_sympy([x / 2 - sympy.Abs(x), y**2], [x, y])
    with pytest.raises(gd.errors.ParameterError, match="field of"):
        gd.classify(game, at=[0, 0])
