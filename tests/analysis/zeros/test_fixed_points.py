"""Fixed points: as many as are proven, the same in all units and positions, on every face of the feasible set."""

import itertools

import numpy as np
import pytest
import sympy

import gandyn as gd
from gandyn.oracles.projections import Box, Product, Simplices

x, y, z, l = sympy.symbols("x y z l", real=True)
R = sympy.Rational
SQUARE = [(-1, 1), (-1, 1)]
CUBIC = x**4 / 4 - x**2 / 2 + x / 50


def _game(f, g=y**2 / 2):
    return gd.games.from_sympy([f, g], [x, y])


def _first(found):
    return [p.point[0] for p in found]


# --- units and position -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [R(1, 10**12), R(1, 10**11), 1, 10**12])
@pytest.mark.parametrize("at", [0, R(1, 3), 1000, 10**6])
def test_a_field_that_comes_close_to_zero_and_has_none(scale, at):
    cost = scale * sympy.expand((x - at) ** 3 / 3 + (x - at) / 10**11)
    found = gd.fixed_points(_game(cost, scale * y**2 / 2), box=[(at - 1, at + 1), (-1, 1)])
    assert (list(found), found.complete) == ([], True)


@pytest.mark.parametrize("scale", [R(1, 10**12), 1, 10**12])
@pytest.mark.parametrize("gap", [R(5, 10**5), R(1, 10**9), R(1, 10**13)])
@pytest.mark.parametrize("at", [0, 1000])
def test_zeros_are_told_apart_however_near(scale, gap, at):
    cost = scale * sympy.integrate(sympy.expand((x - at) * (x - at - gap)), x)
    found = gd.fixed_points(_game(cost), box=[(at - 1, at + 1), (-1, 1)])
    assert (len(found), found.complete) == (2, True), found.summary()
    assert at * gap < R(1, 10**11) or _first(found) == [at, float(at + gap)]
    assert gap < R(1, 10**9) or [p.kind for p in found] == ["saddle", "attracting"]


@pytest.mark.parametrize("size", [R(1, 10**6), 1, 10**6])
@pytest.mark.parametrize("at", [0, 10, 10**3, 10**6])
def test_three_irrational_roots_of_a_rational_cubic(size, at):
    """Roots of u^3 - u + 1/50: 1 / cos of a third of an angle, so radicals would need complex numbers."""
    u = (x - at) / size
    expected = np.sort(np.roots([1, 0, -1, 0.02]))
    game = _game(sympy.expand(CUBIC.subs(x, u)))
    for box in ([(at - 2 * size, at + 2 * size), (-1, 1)], None):
        found = gd.fixed_points(game, box=box)
        assert (len(found), found.complete) == (3, True), found.summary()
        np.testing.assert_allclose(
            (np.array(_first(found)) - at) / float(size), expected, atol=1e-12 + 4e-16 * float(at / size)
        )


def test_enclosures_hold_the_points_and_are_narrow():
    found = gd.fixed_points(_game(CUBIC), box=[(-2, 2), (-2, 2)])
    exact = sorted(sympy.Poly(x**3 - x + R(1, 50), x).nroots(30))
    for p, root in zip(found, exact, strict=True):
        assert p.proven
        assert p.enclosure.shape == (2, 2)
        assert p.enclosure[0, 0] <= root <= p.enclosure[0, 1]
        assert np.diff(p.enclosure).max() < 1e-14


# --- what is not proven says so ---------------------------------------------------------------------------------------


def test_degenerate_zeros_are_listed_and_leave_the_list_open():
    for scale in (R(1, 10**12), 1, 10**12):
        for at in (0, R(1, 3), 1000):
            cost = scale * sympy.expand((x - at) ** 3 / 3)
            found = gd.fixed_points(_game(cost), box=[(at - 1, at + 1), (-1, 1)])
            (point,) = found
            assert (point.exact[0], found.complete) == (at, False)
            assert "undecided near" in found.reason


@pytest.mark.slow
def test_a_proven_zero_where_the_field_cancels_its_digits_is_an_equilibrium():
    """tanh(50 x) - 1 + 1e-12: in floats Newton's method ends 2e-7 beside atanh(1 - 1e-12) / 50."""
    cost = x - sympy.log(sympy.tanh(50 * x) + 1) / 50 - (1 - sympy.Rational(1, 10**12)) * x
    found = gd.fixed_points(gd.games.from_sympy([cost, y**2 / 2], [x, y]), box=[(0.2, 0.3), (-1, 1)])
    expected = float(sympy.atanh(1 - sympy.Rational(1, 10**12)).evalf(30) / 50)
    assert found.complete
    assert (found[0].kind, found[0].point[0]) == ("attracting", pytest.approx(expected, rel=1e-12))


def test_a_line_of_zeros_is_said_to_be_one():
    cost = (x - y) ** 2 / 2
    game = gd.games.from_sympy([cost, cost], [x, y])
    for box in (SQUARE, None):
        found = gd.fixed_points(game, box=box)
        assert not found.complete
        assert all(p.exact[0] == p.exact[1] for p in found)
    assert "line" in gd.fixed_points(game).reason
    apart = gd.fixed_points(game, box=[(0, 1), (3, 4)])
    assert (list(apart), apart.complete) == ([], True)


def test_an_irrational_double_zero_is_marked_as_unproven():
    found = gd.fixed_points(_game(sympy.integrate((x**2 - 2) ** 2, x)), box=[(0, 2), (-1, 1)])
    (point,) = found
    assert point.point[0] == pytest.approx(np.sqrt(2), abs=1e-6)
    assert not point.proven
    assert "unproven" in point.summary()
    assert not found.complete


@pytest.mark.slow
def test_networks_of_numbers_are_searched_without_proof():
    game = gd.games.from_torch(
        [lambda a, b: ((a**2 - 1) ** 2).sum() + (a * b).sum(), lambda a, b: (b**2).sum()], [1, 1]
    )
    found = gd.fixed_points(game, box=[(-2, 2), (-2, 2)])
    np.testing.assert_allclose(sorted(_first(found)), [-1, 0, 1], atol=1e-7)
    assert not found.complete
    assert not any(p.proven for p in found)


def test_a_spent_budget_is_said():
    found = gd.fixed_points(_game(CUBIC + y * x), box=[(-2, 2), (-2, 2)], budget=1e-6)
    assert not found.complete
    assert "undecided: out of time" in found.reason


@pytest.mark.slow
def test_the_budget_ends_the_search():
    rng, w = np.random.default_rng(0), sympy.symbols("w1:5", real=True)
    powers = [m for m in itertools.product(range(6), repeat=4) if 0 < sum(m) <= 5]
    costs = [
        sum(R(int(rng.integers(-9, 10)), 10) * sympy.prod([s**k for s, k in zip(w, m, strict=True)]) for m in powers)
        for _ in w
    ]
    found = gd.fixed_points(gd.games.from_sympy(costs, list(w)), box=[(-1, 1)] * 4, budget=1)
    assert not found.complete
    assert "undecided: out of time" in found.reason


def test_a_wrong_known_equilibrium_is_not_repeated():
    game = gd.games.from_sympy([x**2 / 2 - x, y**2 / 2], [x, y], equilibria=[(0, 0)])
    for box in (None, SQUARE):
        assert [p.exact for p in gd.fixed_points(game, box=box)] == [(1, 0)]


# --- fields that are not polynomials, edges, kinks, poles -------------------------------------------------------------


@pytest.mark.parametrize(
    ("v", "roots"),
    [
        (sympy.exp(x) - 2, [np.log(2)]),
        (sympy.log(x) + 1, [np.exp(-1)]),
        (sympy.sqrt(x) - R(1, 2), [0.25]),
        (x ** R(3, 2) - R(1, 8), [0.25]),
        (1 / x - 2, [0.5]),
        (1 / x + x, []),
        (x / (x**2 + 1) - R(2, 5), [0.5]),
        (sympy.tan(2 * x) - 1, [np.pi / 8]),
        (sympy.Abs(x) - R(1, 4), [-0.25, 0.25]),
        (sympy.Abs(x) + R(1, 10**9), []),
        (sympy.Max(x, 2 * x - R(1, 2)) - R(3, 4), [0.625]),
        (sympy.Min(x, R(1, 2)) + R(1, 4), [-0.25]),
        (sympy.sign(x) * x**2 - R(1, 16), [0.25]),
        (x * (x - 1), [0, 1]),
        (x * (x**2 - 1), [-1, 0, 1]),
    ],
    ids=str,
)
def test_one_dimensional_fields_with_known_zeros(v, roots):
    for field, box in ((v, [(-1, 1), (-1, 1)]), (3 * v, [(-1, 1.3), (-2, 1)])):
        game = gd.games.from_sympy([x**2, y**2 / 2], [x, y])
        game.field_exprs = (field, y)
        found = gd.fixed_points(game, box=box)
        inside = [r for r in roots if r <= box[0][1]]
        assert _first(found) == pytest.approx(inside, abs=1e-12), found.summary()
        assert found.complete, found.reason


def test_a_jump_is_no_zero_and_no_proof():
    for v in (sympy.sign(x) + R(1, 2), sympy.Piecewise((x + 1, x > 0), (x - 1, True))):
        game = gd.games.from_sympy([x**2, y**2 / 2], [x, y])
        game.field_exprs = (v, y)
        found = gd.fixed_points(game, box=[(-R(1, 2), R(1, 2)), (-1, 1)])
        assert not any(p.proven for p in found)
        assert not found.complete
        beside = gd.fixed_points(game, box=[(0.1, 0.5), (-1, 1)])
        assert (list(beside), beside.complete) == ([], True)


# --- constraints ------------------------------------------------------------------------------------------------------


def test_a_multiplier_is_a_half_line():
    game = gd.games.from_sympy(x**2 + l * (-1 - x), {"x": [x], "lam": [l]}, projection=Box((None, (0, None))))
    for box in (None, [(-3, 3), (-3, 3)]):
        (point,) = found = gd.fixed_points(game, box=box)
        assert point.exact == (0, 0)
        assert point.active == ("l = 0",)
        assert point.multipliers == {"l": 1.0}
        assert found.complete
        assert point.residual == 0


@pytest.mark.parametrize("scale", [R(1, 10**12), 1, 10**12])
def test_matrix_games_are_solved_on_their_simplices(scale):
    a = [[3 * scale, -scale], [-2 * scale, scale]]
    for box in (None, [(-1, 2)] * 4, [(0, 1)] * 4):
        (point,) = found = gd.fixed_points(gd.games.matrix_game(a), box=box)
        assert point.exact == (R(3, 7), R(4, 7), R(2, 7), R(5, 7))
        assert found.complete
        (corner,) = gd.fixed_points(gd.games.matrix_game([[scale, 2 * scale], [3 * scale, 4 * scale]]), box=box)
        assert corner.exact == (1, 0, 0, 1)
        assert corner.multipliers == {"x2": 2 * float(scale), "y1": float(scale)}


def test_corners_edges_and_the_interior_of_a_coordination_game():
    a, b, c, d = sympy.symbols("a b c d", real=True)
    costs = [-(2 * a * c + b * d), -(a * c + 2 * b * d)]
    game = gd.games.from_sympy(costs, {"x": [a, b], "y": [c, d]}, projection=Simplices((2, 2)))
    found = gd.fixed_points(game)
    assert [p.exact for p in found] == [(0, 1, 0, 1), (R(2, 3), R(1, 3), R(1, 3), R(2, 3)), (1, 0, 1, 0)]
    assert found.complete
    assert found[0].multipliers == {"a": 1.0, "c": 2.0}


def test_a_zero_multiplier_is_called_degenerate():
    for bound, box in ((0, [(-1, 1), (-1, 1)]), (sympy.sqrt(2), None)):
        costs = [(x - bound) ** 2 / 2, y**2 / 2]
        game = gd.games.from_sympy(costs, [x, y], projection=Box(((bound, bound + 1), None)))
        (point,) = found = gd.fixed_points(game, box=box)
        assert point.exact == (bound, 0)
        assert point.multipliers == {"x": 0.0}
        assert "degenerate" in point.summary()
        assert found.complete


def test_non_affine_games_on_a_mixture_of_sets():
    projection = Product((Simplices((2,)), Box(((0, 1),))))
    f = x**4 / 4 - x * z / 3 + y**2
    game = gd.games.from_sympy([f, z**2 / 2 - 2 * z + x], {"p": [x, y], "q": [z]}, projection=projection)
    (point,) = found = gd.fixed_points(game)
    # z sits at 1; on the segment x + y = 1: x^3 - 1/3 = 2 (1 - x).
    root = next(r.real for r in np.roots([1, 0, 2, -7 / 3]) if abs(r.imag) < 1e-12)
    np.testing.assert_allclose(point.point, [root, 1 - root, 1], atol=1e-14)
    assert point.active == ("z = 1",)
    assert point.multipliers["z"] == pytest.approx(1)
    assert found.complete


def test_the_mean_game_of_a_finite_sum_is_solved():
    game = gd.games.stochastic_bilinear()
    (point,) = found = gd.fixed_points(game)
    assert point.exact == tuple(game.equilibria[0])
    assert (point.residual, found.complete) == (0, True)


def test_a_box_is_searched_once_and_another_game_box_or_known_point_anew(monkeypatch):
    from gandyn.analysis.zeros import fixed_points as room

    searched = []
    monkeypatch.setattr(room, "_PROVEN", {})
    monkeypatch.setattr(
        room, "solve", lambda problem, found, solve=room.solve: (searched.append(1), solve(problem, found))
    )
    games = [gd.games.from_sympy(x**3 / 3 - c * x + y**2 / 2, [x, y], name="same") for c in (1, 1, 2)]
    for game, box in ((games[0], SQUARE), (games[1], SQUARE), (games[2], SQUARE), (games[0], [(-2, 2), (-2, 2)])):
        found = gd.fixed_points(game, box=box)
        assert found.complete
        assert _first(found) == pytest.approx([] if game is games[2] else [-1, 1])
    assert len(searched) == 3


def test_a_search_that_ran_out_of_time_is_not_kept(monkeypatch):
    from gandyn.budget import Budget

    game = gd.games.from_sympy(x**3 / 3 - x / 7 + y**2 / 2, [x, y])
    with monkeypatch.context() as late:
        late.setattr(Budget, "out", property(lambda self: True))
        late.setattr(Budget, "run", lambda self, function, task="": function())
        assert not gd.fixed_points(game, box=SQUARE).complete
    assert gd.fixed_points(game, box=SQUARE).complete
