"""Circles and periodic orbits are the same in other units of length and cost, and far from the origin."""

import pytest
import sympy

import gandyn as gd

x, y = sympy.symbols("x y", real=True)
R = sympy.Rational
BILLION, TRILLION = sympy.Integer(10) ** 9, sympy.Integer(10) ** 12
UNITS = {
    "as it is": (1, 0, 1),
    "short": (1 / BILLION, 0, 1),
    "long": (BILLION, 0, 1),
    "far": (1, 1000, 1),
    "cheap": (1, 0, 1 / TRILLION),
    "dear": (1, 0, TRILLION),
}


def _restated(field, scale, shift, cost):
    """A game whose field in u = (w - shift) / scale is `field`, times scale * cost, written out in powers of w."""
    u = [(s - shift) / scale for s in (x, y)]
    rows = [sympy.expand(cost * scale * e.subs(dict(zip((x, y), u, strict=True)), simultaneous=True)) for e in field]
    return gd.games.from_sympy([sympy.integrate(e, s) for e, s in zip(rows, (x, y), strict=True)], [x, y])


def _found(field, units, rule, step):
    scale, shift, cost = UNITS[units]
    box = [(shift - 2 * scale, shift + 2 * scale)] * 2
    (orbit,) = gd.limit_cycles(_restated(field, scale, shift, cost), box, rule=rule(step / cost))
    return orbit, float(scale)


HENON = (x - (1 - R(9, 10) * x**2 + y), y - R(3, 10) * x)
CIRCLE = (-(x * (1 - x**2 - y**2) - y), -(y * (1 - x**2 - y**2) + x))


@pytest.mark.parametrize("units", UNITS)
@pytest.mark.parametrize("rule", [gd.rules.GDA, lambda lr: gd.rules.HeavyBall(lr, R(1, 10))], ids=["GDA", "heavy ball"])
def test_a_periodic_orbit_is_found_in_every_unit(units, rule):
    orbit, scale = _found(HENON, units, rule, sympy.Integer(1))
    same, _ = _found(HENON, "as it is", rule, sympy.Integer(1))
    assert orbit.period == 2
    assert orbit.multipliers == pytest.approx(same.multipliers, rel=1e-6, abs=1e-9)
    assert [r / scale for r in orbit.radius] == pytest.approx(same.radius, rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("units", UNITS)
def test_a_circle_is_found_in_every_unit(units):
    orbit, scale = _found(CIRCLE, units, gd.rules.GDA, R(1, 10))
    same, _ = _found(CIRCLE, "as it is", gd.rules.GDA, R(1, 10))
    assert orbit.rotation_number == pytest.approx(same.rotation_number, rel=1e-9)
    assert [r / scale for r in orbit.radius] == pytest.approx(same.radius, rel=1e-6)
    there = orbit(0.25)  # on the augmented state, in the game's own coordinates
    assert abs(there - orbit.points[len(orbit.points) // 4]).max() < 1e-6 * scale


@pytest.mark.slow
@pytest.mark.parametrize("half", [1.5, 2.0])
def test_repelling_circles_are_found_backwards_whatever_the_box(half):
    found = gd.limit_cycles(gd.games.forsaken(), [(-half, half)] * 2, rule=gd.rules.GDA(0.05))
    assert [circle.stable for circle in found] == [False, True]
