"""Limit cycles: planted radius, period and multiplier recovered to 1e-8, the two of the forsaken game, none false."""

import numpy as np
import pytest
import sympy

import gandyn as gd

x, y = sympy.symbols("x y", real=True)


def _planted(radius, omega):
    """dx/dt = x (R^2 - r^2) - omega y, dy/dt = y (R^2 - r^2) + omega x, as the descent of two costs."""
    square = x**2 + y**2
    dx, dy = x * (radius**2 - square) - omega * y, y * (radius**2 - square) + omega * x
    return gd.games.from_sympy([sympy.integrate(-dx, x), sympy.integrate(-dy, y)], [x, y])


def test_a_planted_cycle_is_recovered_with_its_multiplier():
    radius, omega = 0.5, 2.0
    (cycle,) = gd.limit_cycles(_planted(sympy.Rational(1, 2), 2), [(-1, 1)] * 2)
    np.testing.assert_allclose(cycle.radius, radius, atol=1e-9)
    assert cycle.period == pytest.approx(2 * np.pi / omega, rel=1e-10)
    assert cycle.multipliers[0] == pytest.approx(np.exp(-2 * radius**2 * cycle.period), rel=1e-8)
    assert cycle.stable
    assert cycle.points.shape[1] == 2


@pytest.mark.slow
def test_the_forsaken_game_has_a_repelling_cycle_inside_an_attracting_one():
    inner, outer = gd.limit_cycles(gd.games.forsaken(), [(-1.5, 1.5)] * 2)
    assert not inner.stable
    assert outer.stable
    assert inner.radius[1] < outer.radius[0]
    (point,) = gd.fixed_points(gd.games.forsaken(), box=[(-1.5, 1.5)] * 2)
    assert point.kind == "attracting"


def test_a_continuum_of_closed_orbits_is_not_a_limit_cycle():
    assert gd.limit_cycles(gd.games.bilinear(), [(-1, 1)] * 2) == []


def test_a_box_that_does_not_fit_is_refused():
    with pytest.raises(gd.GandynError, match="pairs"):
        gd.limit_cycles(gd.games.bilinear(), [(-1, 1)])
