"""Solutions at kinks of a player's own cost: 0 lies between the one-sided slopes, and no derivative vanishes."""

import pytest
import sympy

import gandyn as gd
from gandyn.errors import ParameterError
from gandyn.oracles.projections import Box

x, y = sympy.symbols("x y", real=True)
R = sympy.Rational
ROOT = sympy.sqrt(2)


@pytest.mark.parametrize(
    ("own", "other", "points", "kinks"),
    [
        (sympy.Max(x, -2 * x), y**2 / 2, [(0, 0)], ["x"]),
        (10**9 * sympy.Max(x, -2 * x), y**2 / 2, [(0, 0)], ["x"]),
        (sympy.Abs(x) + x / 2 + x * y / 5, y**2 / 2 - y, [(0, 1)], ["x"]),  # slopes -3/10 and 17/10
        (sympy.Abs(x - 1) + sympy.Abs(x) / 2, y**2 / 2, [(1, 0)], ["x"]),  # at 0 the slopes are -3/2 and -1/2
        (sympy.Max(x**2 - 1, 1 - x**2) + x / 10, y**2 / 2, [(-1, 0), (R(1, 20), 0), (1, 0)], ["x", "", "x"]),
        (sympy.Abs(x - ROOT) + x * y / 5, y**3 / 3 - y / 4, [(ROOT, -R(1, 2)), (ROOT, R(1, 2))], ["x", "x"]),
        (sympy.Abs(x), sympy.Max(y, -3 * y), [(0, 0)], ["xy"]),
        (sympy.Piecewise((x, x > 0), (-2 * x, True)), y**2 / 2, [(0, 0)], ["x"]),
    ],
    ids=str,
)
def test_a_minimum_at_a_kink_is_a_proven_solution(own, other, points, kinks):
    found = gd.fixed_points(gd.games.from_sympy([own, other], [x, y]), box=[(-3, 3), (-2, 2)])
    assert found.complete, found.reason
    assert [float(e) for p in found for e in p.point] == pytest.approx([float(e) for p in points for e in p], abs=1e-12)
    assert ["".join(p.kinks) for p in found] == kinks
    assert all(p.proven for p in found)


@pytest.mark.parametrize(
    "own",
    [
        -sympy.Max(x, -2 * x),  # a maximum: the player wants to move either way
        sympy.Max(x, -2 * x) + 2 * x + x**2,  # the left slope is 0: the argument is strict
        sympy.Piecewise((-x, x > 0), (-2 * x + 1, True)) + 3 * x / 2,  # slopes -1/2 and 1/2, but the cost jumps
        sympy.Max(x - y, 0) - x / 3,  # the kink moves with the other player
    ],
    ids=str,
)
def test_what_the_argument_does_not_decide_stays_undecided(own):
    found = gd.fixed_points(gd.games.from_sympy([own, y**2 / 2], [x, y]), box=[(-3, 3), (-2, 2)])
    assert not any(p.proven for p in found)
    assert not found.complete
    assert "undecided near (0, 0)" in found.reason


@pytest.mark.parametrize(
    ("own", "side", "multiplier"),
    [
        (sympy.Max(x, -2 * x), (0, None), 1.0),  # v is -1/2 at 0 itself, by SymPy's step; x >= 0 sees the slope 1
        (sympy.Abs(x) + x / 2, (0, None), 1.5),
        (sympy.Max(-x, 2 * x), (None, 0), 1.0),
        (sympy.Piecewise((3 * x, x > 0), (5 * x, True)), (0, None), 3.0),
    ],
    ids=str,
)
def test_at_a_bound_the_slope_from_inside_counts(own, side, multiplier):
    game = gd.games.from_sympy([own, y**2 / 2], [x, y], projection=Box((side, (None, None))))
    (point,) = found = gd.fixed_points(game, box=[(-3, 3), (-3, 3)])
    assert (point.exact, point.multipliers, found.complete) == ((0, 0), {"x": multiplier}, True)
    assert gd.linearize(game, at=(0, 0)).verdict == "attracting"
    assert gd.classify(game, (0, 0)).nash in {"global Nash", "strict local Nash"}


def test_a_bound_from_which_the_player_wants_to_leave_is_no_solution():
    """-|x| + x/2 has the slope 1/2 at 0 by SymPy's sign(0) = 0, and -1/2 where x >= 0."""
    game = gd.games.from_sympy([-sympy.Abs(x) + x / 2, y**2 / 2], [x, y], projection=Box(((0, None), (None, None))))
    assert not gd.fixed_points(game, box=[(-3, 3), (-3, 3)])
    assert gd.linearize(game, at=(0, 0)).verdict == "not an equilibrium"
    with pytest.raises(ParameterError):
        gd.classify(game, (0, 0))


def test_a_field_that_is_not_the_costs_own_is_not_taken_for_a_kink():
    game = gd.games.from_sympy([x**2, y**2 / 2], [x, y])
    game.field_exprs = (sympy.sign(x) + R(1, 2), y)
    found = gd.fixed_points(game, box=[(-1, 1), (-1, 1)])
    assert (list(found), found.complete) == ([], False)


def test_an_unproven_point_does_not_read_as_no_equilibrium():
    """x^3 - sqrt(2) x^2 + x/2 = x (x - 1/sqrt(2))^2: the double zero is found in floats, where the field is not 0."""
    game = gd.games.from_sympy([10**9 * (x**4 / 4 - ROOT * x**3 / 3 + x**2 / 4), y**2 / 2], [x, y])
    found = gd.fixed_points(game, box=[(-1, 1), (-1, 1)])
    assert not found.complete
    assert [p.proven for p in found] == [True, False]
    assert found[1].kind in {"undecided", "marginal"}
    assert "unproven" in found[1].summary()


@pytest.mark.parametrize("own", [x**2 - sympy.Heaviside(x), x**2 + sympy.sign(x)], ids=str)
def test_where_a_cost_jumps_nothing_is_proven(own):
    """The derivative holds a delta at 0: v is 2 x on both sides, and 0 is no minimum of the first."""
    found = gd.fixed_points(gd.games.from_sympy([own, y**2 / 2], [x, y]), box=[(-3, 3), (-3, 3)])
    assert [(p.proven, p.kind) for p in found] == [(False, "undecided")]
    assert "undecided near (0, 0): a cost jumps" in found.reason


def test_an_infinite_slope_at_a_bound_is_undecided_and_raises_nothing():
    game = gd.games.from_sympy([x * sympy.log(x), y**2 / 2], [x, y], projection=Box(((0, None), (None, None))))
    edge, inside = found = gd.fixed_points(game, box=[(-3, 3), (-3, 3)])
    assert (edge.proven, edge.kind, inside.proven, found.complete) == (False, "undecided", True, False)
    assert inside.point[0] == pytest.approx(float(sympy.exp(-1)), abs=1e-12)
