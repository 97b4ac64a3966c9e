"""Cycles of planar flows against roots of r' known in closed form; near pairs, both directions of time, every unit."""

import numpy as np
import pytest
import sympy

import gandyn as gd
from gandyn.analysis.closed_orbits.closed_orbit import LimitCycle
from gandyn.analysis.closed_orbits.return_map import AWAY, LOST, RETURNED, ReturnMap
from gandyn.budget import Budget

x, y = sympy.symbols("x y", real=True)
R = sympy.Rational
SQUARE = x**2 + y**2
BOX = [(-1, 1)] * 2
SHIFTED = gd.games.from_sympy([(x - 100) * (y + 100), -(x - 100) * (y + 100)], [x, y])


def _game(dx, dy):
    """The game whose gradient flow is dx/dt, dy/dt."""
    return gd.games.from_sympy([sympy.integrate(sympy.expand(-dx), x), sympy.integrate(sympy.expand(-dy), y)], [x, y])


def _field(rate, omega):
    """r' = r * rate(r^2), angular speed omega, in Cartesian coordinates."""
    return sympy.expand(rate * x - omega * y), sympy.expand(rate * y + omega * x)


def _moved(field, matrix, shift, clock=1):
    """The same orbits seen through w = matrix z + shift, with time counted in units of 1/clock."""
    inverse = matrix.inv()
    old = inverse * (sympy.Matrix([x, y]) - shift)
    new = matrix * sympy.Matrix([e.subs({x: old[0], y: old[1]}, simultaneous=True) for e in field])
    return _game(*(clock * new))


def _van_der_pol(mu, clock=1):
    return _game(clock * (mu * (x - x**3 / 3) + y), -clock * x)


@pytest.mark.slow
def test_a_close_pair_is_told_apart():
    omega = R(129, 100)
    inner, outer = gd.limit_cycles(_game(*_field(-(SQUARE - R(1, 4)) * (SQUARE - R(13, 50)), omega)), BOX)
    period = 2 * np.pi / float(omega)
    for cycle, square, growth in ((inner, 0.25, 2 * 0.25 * 0.01), (outer, 0.26, -2 * 0.26 * 0.01)):
        np.testing.assert_allclose(cycle.radius, np.sqrt(square), rtol=1e-11)
        np.testing.assert_allclose(np.log(cycle.multipliers.real), growth * period, rtol=1e-9)
        assert cycle.period == pytest.approx(period, rel=1e-12)
    assert (inner.stable, outer.stable) == (False, True)
    assert (inner.kind, outer.kind) == ("repelling", "attracting")


@pytest.mark.parametrize("clock", [R(1, 100), 1, 100])
def test_van_der_pol_in_every_unit_of_time(clock):
    found = gd.limit_cycles(_van_der_pol(1, clock), [(-3, 3)] * 2)
    (cycle,) = found
    assert not found.complete
    assert cycle.stable
    assert cycle.period * float(clock) == pytest.approx(6.66328685932, rel=1e-10)
    x_of_t = cycle.points[:, 0]
    assert np.abs(x_of_t).max() == pytest.approx(2.00862, abs=1e-4)


def _plant(seed):
    """A rate with one to three known roots r^2, some of them close, and a random frame."""
    rng = np.random.default_rng(seed)
    first = R(int(rng.integers(100, 400)), 1000)
    squares = [first]
    if seed % 2:
        squares.append(first * (1 + R(int(rng.integers(2, 60)), 1000)))
    if seed % 3 == 0:
        squares.append(squares[-1] * R(3, 2))
    sign = R(int(rng.choice([-1, 1])))
    rate = sign * sympy.prod([SQUARE - s for s in squares])
    omega = R(int(rng.integers(5, 40)), 10)
    return squares, sign, rate, omega, rng


def _expected(squares, sign, omega):
    r = sympy.Symbol("r", positive=True)
    rate = sign * sympy.prod([r**2 - s for s in squares])
    slopes = [float((r * rate).diff(r).subs(r, sympy.sqrt(s))) for s in squares]
    return np.exp(np.array(slopes) * 2 * np.pi / abs(float(omega)))


@pytest.mark.parametrize("seed", [8, *(pytest.param(s, marks=pytest.mark.slow) for s in range(40) if s != 8)])
def test_planted_radii_are_found_in_every_frame(seed):
    squares, sign, rate, omega, rng = _plant(seed)
    angle = float(rng.uniform(0, 2 * np.pi))
    turn = sympy.Matrix([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]).applyfunc(sympy.Rational)
    size, clock = R(10) ** int(rng.integers(-3, 4)), R(10) ** int(rng.integers(-3, 4))
    shift = sympy.Matrix([R(int(rng.integers(-3, 4))), R(int(rng.integers(-3, 4)))]) * size * 10
    game = _moved(_field(rate, omega), size * turn, shift, clock)
    box = [(float(c - size), float(c + size)) for c in shift]
    found = gd.limit_cycles(game, box, budget=600)
    assert len(found) == len(squares), found.summary()
    expected = _expected(squares, sign, omega)
    for cycle, square, multiplier in zip(found, squares, expected, strict=True):
        np.testing.assert_allclose(cycle.radius, float(size * sympy.sqrt(square)), rtol=1e-7)
        assert cycle.multipliers[0].real == pytest.approx(multiplier, rel=1e-6)
        assert cycle.period == pytest.approx(2 * np.pi / float(omega * clock), rel=1e-9)
        assert cycle.stable == (multiplier < 1)
        assert isinstance(cycle, LimitCycle)


@pytest.mark.slow
def test_a_semistable_cycle_is_possible_and_a_near_miss_is_none():
    found = gd.limit_cycles(_game(*_field(-((SQUARE - R(1, 4)) ** 2), 1)), BOX)
    assert found == []
    assert not found.complete
    assert "semistable" in found.reason
    (possible,) = found.possible
    assert possible.kind == "semistable"
    np.testing.assert_allclose(possible.radius, 0.5, atol=1e-4)
    missed = gd.limit_cycles(_game(*_field(-((SQUARE - R(1, 4)) ** 2) - R(1, 10**6), 1)), BOX)
    assert (missed, missed.possible) == ([], [])


@pytest.mark.slow
def test_a_cycle_that_attracts_without_a_rate():
    (cycle,) = gd.limit_cycles(_game(*_field(-((SQUARE - R(1, 4)) ** 3), 1)), BOX)
    assert cycle.stable
    np.testing.assert_allclose(cycle.radius, 0.5, atol=1e-4)
    np.testing.assert_allclose(cycle.multipliers, 1, atol=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize(("mu", "period"), [(50, 82.508333), (100, 162.837071), (1000, 1614.401126)])
def test_relaxation_cycles_are_found(mu, period):
    for box in ([(-3, 3)] * 2, [(-3, 3), (-mu, mu)]):
        (cycle,) = gd.limit_cycles(_van_der_pol(mu), box, budget=300)
        assert cycle.period == pytest.approx(period, rel=1e-7)
        assert cycle.stable
    # (3 - 2 log 2) mu + 3 * 2.33811 mu^(-1/3) + ..., the known expansion
    assert period == pytest.approx((3 - 2 * np.log(2)) * mu + 7.01432 * mu ** (-1 / 3), rel=2e-3)


@pytest.mark.slow
def test_a_repelling_relaxation_cycle_is_found_backwards_in_time():
    (cycle,) = gd.limit_cycles(_game(-100 * (x - x**3 / 3) - y, x), [(-3, 3)] * 2, budget=300)
    assert cycle.period == pytest.approx(162.837071, rel=1e-7)
    assert cycle.kind == "repelling"


@pytest.mark.parametrize(
    ("game", "box", "argument"),
    [
        (SHIFTED, [(99, 101), (-101, -99)], "affine"),
        (gd.games.dirac_gan(penalty=gd.penalties.R1(1.0)), BOX, "Bendixson"),
        (gd.games.from_sympy([x**4 / 4 - x**2 / 2 + x * y, y**2 / 2 + x * y], [x, y]), BOX, "gradient"),
        (gd.games.from_sympy([x**4 - x**2 + 3 * x * y, y**4 - y**2 + 2 * x * y], [x, y]), BOX, "factor"),
        (gd.games.from_sympy([x**4 + x**2 + x * y, y**2 + y**4 - x * y], [x, y]), BOX, "monotone"),
        (_game(y, -x - x**3), BOX, "area"),
        (_game(1 + x**2 - y**2, x * y + y / 3 + x), [(-1, 1), (-R(1, 2), R(1, 2))], "no equilibrium"),
        (_game(y + x**2, x + y**2 * x), [(-R(1, 2), R(1, 2))] * 2, "saddles"),
    ],
    ids=["affine", "divergence", "gradient", "weighted gradient", "monotone", "area", "no equilibrium", "saddles"],
)  # fmt: skip
def test_none_is_proven(game, box, argument):
    found = gd.limit_cycles(game, [(float(a), float(b)) for a, b in box])
    assert found == []
    assert found.complete, found.reason
    assert argument in found.reason
    assert "complete" in found.summary()


def test_a_symmetric_jacobian_around_a_hole_proves_nothing():
    # dw/dt = (-y, x)/r^2 + (1 - r^2) (x, y): the first part has a symmetric Jacobian, and r = 1 is a limit cycle.
    from gandyn.analysis.closed_orbits.no_cycles import excluded

    game = gd.games.from_sympy(
        [sympy.atan(x / y) - SQUARE / 2 + SQUARE**2 / 4, -sympy.atan(y / x) - SQUARE / 2 + SQUARE**2 / 4], [x, y]
    )
    assert excluded(game, np.array([(-2.0, 2.0)] * 2)) is None


def test_a_divergence_that_vanishes_in_the_box_and_has_a_sign_beyond_excludes_nothing():
    """Circles fill the box; only from x = 2 on the flow draws together."""
    from gandyn.analysis.closed_orbits.no_cycles import excluded

    beyond = sympy.Piecewise((0, x <= 2), ((x - 2) ** 4 / 4, True))
    for sign in (1, -1):
        game = gd.games.from_sympy([sign * beyond - x * y, x * y], [x, y])
        assert excluded(game, np.array(BOX, dtype=float)) is None
        assert "Bendixson" in excluded(game, np.array([(2.5, 3.5), (-1.0, 1.0)]))


def test_kinks_are_refused_by_name():
    game = gd.games.dirac_gan("wasserstein", penalty=gd.penalties.WGANGP(0.37))
    with pytest.raises(gd.GandynError, match="sign"):
        gd.limit_cycles(game, [(-2, 2)] * 2)


def test_a_spent_budget_is_said():
    found = gd.limit_cycles(gd.games.forsaken(), [(-1.5, 1.5)] * 2, budget=0.01)
    assert found == []
    assert not found.complete
    assert found.reason.startswith("undecided: out of time")


def test_the_return_map_has_its_derivative():
    game = _game(*_field(-(SQUARE - R(1, 4)) + x / 3, 2))
    map_ = ReturnMap(game, np.zeros(2), np.array([1.0, 2.0]), np.array([np.cos(0.6), np.sin(0.6)]))
    step = 1e-5
    s = np.array([0.1, 0.3, 0.6])
    middle, low, high = (map_.shoot(s + k * step, Budget(None)) for k in (0, -1, 1))
    np.testing.assert_allclose(middle.slope, (high.image - low.image) / (2 * step), rtol=1e-6)


def test_an_orbit_that_has_left_is_followed_no_farther_and_is_not_lost():
    """r' = 10 r is 10^8 away long before it has turned once; one that had too few steps is another matter."""
    out, around = (
        ReturnMap(_game(*_field(rate, 1)), np.zeros(2), np.ones(2), np.array([1.0, 0.0])) for rate in (10, 0)
    )
    left = out.shoot(np.array([0.1, 1.0]), Budget(None), most=200)
    assert set(left.status) == {AWAY}
    assert AWAY != LOST
    assert left.steps < 200
    assert set(around.shoot(np.array([0.1, 1.0]), Budget(None), most=3).status) == {LOST}
    assert set(around.shoot(np.array([0.1, 1.0]), Budget(None)).status) == {RETURNED}


@pytest.mark.slow
@pytest.mark.parametrize("shift", [0.0, 100.0])
def test_a_cycle_in_three_dimensions_in_every_unit(shift):
    u, v, z = sympy.symbols("u v z", real=True)
    a, b = u - R(shift), v
    square = a**2 + b**2
    rate = (R(1, 4) - square) / 100
    field = [rate * a - b / 100, rate * b + a / 100, -z / 50 + a**2 / 100]
    costs = [sympy.integrate(sympy.expand(-f), s) for f, s in zip(field, (u, v, z), strict=True)]
    game = gd.games.from_sympy(costs, [[u], [v], [z]])
    found = gd.limit_cycles(game, [(shift - 1, shift + 1), (-1, 1), (-1, 1)])
    (cycle,) = found
    period = 2 * np.pi * 100
    assert cycle.period == pytest.approx(period, rel=1e-8)
    expected = np.sort(np.exp([-2 * 0.25 / 100 * period, -period / 50]))
    np.testing.assert_allclose(np.sort(cycle.multipliers.real), expected, rtol=1e-5, atol=1e-9)
    assert not found.complete
    assert "saddle" in found.reason


def test_what_was_left_open_is_not_said_where_a_root_found_backwards_lies_there():
    from types import SimpleNamespace

    from gandyn.analysis.closed_orbits.planar_cycles import PlanarSearch, _remark
    from gandyn.analysis.closed_orbits.return_scan import Found

    for roots, count in (([0.5], 0), ([1.0], 0), ([0.7], 0), ([0.49], 1), ([1.01], 1), ([], 1)):
        into = PlanarSearch()
        _remark(SimpleNamespace(sign=1.0), Found(open=[(0.5, 1.0)]), roots, "(0, 0)", into)
        assert len(into.remarks) == count


@pytest.mark.parametrize("size", [R(1, 100), R(-1, 100), R(100)])
def test_a_divergence_of_both_signs_excludes_nothing_however_small_it_is(size):
    """The field of the unit circle's cycle in slow time: its divergence, (1 - 2 r^2) times a hundredth, is below 1."""
    from gandyn.analysis.closed_orbits.no_cycles import _bendixson

    slow = _game(*_field(size * (1 - SQUARE), size))
    assert _bendixson(slow, np.array([(-2.0, 2.0)] * 2)) is None
    assert _bendixson(slow, np.array([(-0.4, 0.4)] * 2)) is not None
