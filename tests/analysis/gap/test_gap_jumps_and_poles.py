"""Box gaps of costs with jumps, kinks, poles and edges of their domain, in any units: right, infinite, or undecided."""

import numpy as np
import pytest
import sympy as sp

import gandyn as gd
from gandyn.analysis.gap.enclosure import Enclosure
from gandyn.analysis.gap.minimum import Minimum
from gandyn.symbolic.intervals import IntervalFunction

x, y = sp.symbols("x y", real=True)
BOX = [(-3, 3), (-3, 3)]
AT = [0.2, 0.3]
Y_SHARE = 0.045  # of y^2 / 2 at y = .3


def gap(cost, at=AT, **options):
    game = gd.games.from_sympy([cost, y**2 / 2], [x, y])
    return gd.duality_gap(game, at, "box", **({"box": BOX} | options))


# The infimum of each over [-3, 3], where it exists, by hand.
E = sp.exp(-1)
CASES = [
    (x**2 / 2 - sp.Heaviside(x - 1), -sp.Rational(1, 2)),  # approached from above 1, attained nowhere
    (sp.Piecewise((x**2 / 2 - 1, x > 1), (x**2 / 2, True)), -sp.Rational(1, 2)),
    (sp.sign(x - 1) * x, -sp.Integer(1)),  # x -> 1 from below
    (sp.sign(x) * sp.sign(x - 1), -1),
    (sp.Abs(x - 1) - sp.Abs(x) / 2, -sp.Rational(1, 2)),
    (sp.Max(x, -x / 2, x**2 - 3), 0),
    (sp.Min(x**2, (x - 2) ** 2 - 1), -1),
    (sp.Max(0, x) ** 2 - x, -sp.Rational(1, 4)),
    (sp.Abs(x) ** sp.Rational(1, 3), 0),
    (x ** sp.Rational(3, 2) + x, 0),  # no value below 0, where its formula would fall further
    (sp.sqrt(x) + x, 0),
    (x * sp.log(x), -E),
    (x**2 / 2 - sp.log(1 - x), None),
    (x**2 / 2 + 1 / (x - 1) ** 2, None),
    (sp.atan(1 / x), -sp.pi / 2),  # a jump at 0 that its derivative does not show
    (x**2 / 2 + sp.exp(1 / x), 0),
    (sp.sin(1 / x), -1),
]


@pytest.mark.parametrize(("cost", "least"), CASES, ids=str)
def test_the_infimum_of_the_values_that_exist(cost, least):
    known = least is not None
    if not known:
        grid = np.linspace(-3, 0.999, 400_001)
        least = np.nanmin(sp.lambdify(x, cost)(grid))
    truth = float(cost.subs(x, sp.Rational(1, 5)).evalf()) - float(least) + Y_SHARE
    found = gap(cost)
    assert found.kind == "exact"
    sides = 1e-14 if known else 1e-9
    assert found.interval[0] - sides <= truth <= found.interval[1] + sides
    assert float(found) == pytest.approx(truth, rel=2e-12 if known else 1e-9)


def test_beside_a_jump_along_a_line_the_gap_is_a_bound():
    """Two coordinates: too many parts lie along x + z = 1 to come near the infimum 1/2 - 1 over x + z > 1."""
    z = sp.Symbol("z", real=True)
    costs = [x**2 + z**2 - sp.Heaviside(x + z - 1), y**2 / 2]
    found = gd.duality_gap(gd.games.from_sympy(costs, {"x": [x, z], "y": [y]}), [0.2, 0.3, 0.4], "box", box=BOX[:1] * 3)
    assert found.kind == "lower"
    assert found.interval[0] < 0.13 + 0.5 + 0.08 < found.interval[1]


@pytest.mark.parametrize("unit", [1e-12, 1e12])
@pytest.mark.parametrize("cost", [CASES[0][0], CASES[6][0], CASES[11][0]], ids=str)
def test_other_units_are_other_numbers_of_the_same_gap(cost, unit):
    scaled = gd.games.from_sympy([sp.Rational(unit) * cost, sp.Rational(unit) * y**2 / 2], [x, y])
    found = gd.duality_gap(scaled, AT, "box", box=BOX)
    assert found.kind == "exact"
    assert float(found) / unit == pytest.approx(float(gap(cost)), rel=3e-6)


def test_what_only_the_others_decide_is_no_part_of_a_gap():
    """Terms of 1e14 that no answer changes neither widen the interval nor make a wide one look narrow."""
    plain = gd.games.from_sympy([x**2 / 2 - x, y**2 / 2], [x, y])
    laden = gd.games.from_sympy([x**2 / 2 - x + 10**9 * y + 10**12, y**2 / 2 + 10**14 * x], [x, y])
    a, b = (gd.duality_gap(game, AT, "box", box=BOX) for game in (plain, laden))
    assert a.kind == b.kind == "exact"
    assert b.interval[0] <= 0.365 <= b.interval[1]
    assert b.interval[1] - b.interval[0] < 1e-9


@pytest.mark.parametrize(
    "cost",
    [
        x**2 / 2 + sp.log(1 - x),
        x**2 / 2 + 1 / (x - 1),
        x**2 / 2 + sp.tan(x),
        sp.log(sp.Abs(x)),
        sp.log(x**2) + sp.Abs(x),
        x - 1 / (x + 1) ** 2,
        sp.sign(1 - x) * sp.log(x),
    ],
    ids=str,
)
def test_poles_make_it_infinite_and_that_is_proven(cost):
    found = gap(cost)
    assert (found.value, found.kind, found.answers) == (np.inf, "exact", None)
    assert "gains without limit" in found.note
    assert "exact" in found.summary()


def test_two_own_coordinates_have_poles_off_the_lines_through_the_point():
    a, b = sp.symbols("a b", real=True)
    for cost, endless in (
        (sp.log(a**2 + b**2) + a**2, True),
        (1 / (a - b), True),
        (a - sp.log(1 - a**2 - b**2), False),
    ):
        game = gd.games.from_sympy([cost, (y - a) ** 2], {"one": [a, b], "two": [y]})
        found = gd.duality_gap(game, [0.2, -0.1, 0.3], "box", radius=2)
        assert np.isinf(found.value) == endless
        assert found.kind == "exact"


def test_a_pole_that_is_not_proven_is_undecided():
    """-1 / (e^x - 1 - x) has a pole at 0 that no polynomial shows."""
    found = gap(-1 / (sp.exp(x) - 1 - x), budget=3000)
    assert found.kind == "lower"
    assert found.interval[1] == np.inf
    assert "undecided: a cost has no known lower bound near a pole" in found.note


def test_points_without_a_cost_and_functions_without_values_are_refused():
    with pytest.raises(gd.GandynError, match="no finite value"):
        gap(x**2 / 2 - sp.log(1 - x), [2, 0.3])
    with pytest.raises(gd.GandynError, match="DiracDelta"):
        gap(x**2 * sp.DiracDelta(x - 1))
    with pytest.raises(gd.GandynError, match="floor"):
        gap(sp.floor(x) + x**2 / 2)
    with pytest.raises(gd.GandynError, match="seconds"):
        gap(x**2, budget=0)


def test_out_of_time_is_said():
    found = gap(sp.sin(50 * x) * sp.cos(31 * x) + x**2 / 100, tolerance=1e-15, budget=1e-9)
    assert found.kind == "lower"
    assert "out of time" in found.note


@pytest.mark.parametrize("seed", range(12))
def test_random_costs_with_kinks_and_jumps_against_a_grid(seed):
    rng = np.random.default_rng(seed)
    pieces = [
        sp.Abs,
        sp.sign,
        sp.Heaviside,
        lambda u: sp.Max(u, -u / 3),
        lambda u: sp.Piecewise((u, u > 1), (u**2, True)),
    ]
    cost = sp.Integer(0)
    for _ in range(3):
        p, q, c = (sp.Rational(int(v), 7) for v in rng.integers(-9, 9, 3))
        cost += c * pieces[rng.integers(len(pieces))](x + p) * (1 + q * x)
    cost += x**2 / 3
    search = Minimum(Enclosure(cost, (x, y), slice(0, 1)), np.array(AT), np.array([[-3.0, 3.0]]), 20_000)
    search.refine(1e-7)
    grid = np.linspace(-3, 3, 600_001)
    dropped = cost.as_independent(x, as_Add=True)[0]
    values = np.asarray(
        sp.lambdify(x, cost, [{"Heaviside": lambda u, *_: np.heaviside(u, 0.5)}, "numpy"])(grid), dtype=float
    )
    values = np.broadcast_to(values - float(dropped), grid.shape)
    assert search.low <= values.min() + 1e-12
    assert search.high <= values.min() + 1e-3  # jumps hide from a grid
    if search.high - search.low <= 1e-7:
        assert search.low >= values.min() - 2e-4


def test_intervals_of_the_values_that_exist():
    function = IntervalFunction([x], [sp.log(x), 1 / x, x ** sp.Rational(3, 2)], where_defined=True)
    low, high = function(np.array([[-1.0], [0.0]]), np.array([[2.0], [2.0]]))
    assert low[0, 0] == -np.inf
    assert high[0, 0] == pytest.approx(np.log(2))
    assert (low[0, 1], high[0, 1]) == (-np.inf, np.inf)
    assert low[1, 1] == pytest.approx(0.5)
    assert high[1, 1] == np.inf
    assert (low[0, 2], high[0, 2]) == pytest.approx((0, 2**1.5))
    strict = IntervalFunction([x], [sp.log(x)])(np.array([[-1.0]]), np.array([[2.0]]))
    assert (strict[0][0, 0], strict[1][0, 0]) == (-np.inf, np.inf)


def test_a_jump_makes_a_game_not_smooth():
    assert not gd.games.from_sympy([x**2 - sp.Heaviside(x), y**2], [x, y]).smooth
