"""Newton for closed curves, started beside planted ones: a cycle of a flow in space, a circle of periodic points."""

import numpy as np
import pytest
import sympy

import gandyn as gd
from gandyn.analysis.closed_orbits import circle_solver, flow_cycles, periodic_orbits, rational_circles
from gandyn.analysis.closed_orbits.scaled_field import ScaledField
from gandyn.analysis.parameters.system import system
from gandyn.budget import Budget

x, y, z = sympy.symbols("x y z", real=True)
CENTRE = np.array([5.0, -4.0])


def _game(field, symbols):
    """A game, one player a coordinate, whose flow is dw/dt = field."""
    costs = [sympy.integrate(sympy.expand(-f), s) for f, s in zip(field, symbols, strict=True)]
    return gd.games.from_sympy(costs, [[s] for s in symbols])


def test_shooting_closes_a_cycle_in_space_from_beside_it():
    """dr/dt = r (1 - r^2), dphi/dt = 1, dz/dt = -z: period 2 pi, multipliers exp(-4 pi) and exp(-2 pi)."""
    rate = 1 - x**2 - y**2
    flow = ScaledField(_game([rate * x - y, rate * y + x, -z], (x, y, z)), np.zeros(3), np.ones(3))
    cycle = flow_cycles._shoot(flow, np.array([1.01, 0.0, 0.01]), 6.3, Budget.of(None))
    assert cycle is not None
    assert cycle.period == pytest.approx(2 * np.pi, rel=1e-9)
    expected = np.exp([-4 * np.pi, -2 * np.pi])
    np.testing.assert_allclose(np.sort(cycle.multipliers.real), expected, rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize("n", [2, 3])
def test_many_systems_are_solved_in_any_units(n):
    matrices = np.random.default_rng(n).normal(size=(5, n, n)) * 1e-6
    solved = periodic_orbits.solve_many(matrices, np.ones((5, n)))
    np.testing.assert_allclose(np.einsum("kij,kj->ki", matrices, solved), 1, rtol=1e-9)
    with np.errstate(all="ignore"):
        assert not np.isfinite(periodic_orbits.solve_many(0 * matrices, np.ones((5, n)))).any()


def test_weights_of_an_average_fade_at_both_ends():
    """exp(-1/(t (1 - t))) at 1/4, 1/2, 3/4: exp(-16/3), exp(-4), exp(-16/3)."""
    sizes = np.exp([-16 / 3, -4, -16 / 3])
    np.testing.assert_allclose(circle_solver.fading_weights(3), sizes / sizes.sum(), rtol=1e-14)


def _around(turn):
    """The map that turns by `turn` about a centre off the origin and brings radii r to r (1 + (1 - r^2) / 4)."""
    u, v = x - int(CENTRE[0]), y - int(CENTRE[1])
    growth = 1 + (1 - u**2 - v**2) / 4
    c, s = sympy.cos(2 * sympy.pi * turn), sympy.sin(2 * sympy.pi * turn)
    image = [growth * (c * u - s * v) + int(CENTRE[0]), growth * (s * u + c * v) + int(CENTRE[1])]
    field = [e - w for e, w in zip(image, (x, y), strict=True)]
    return system(_game(field, (x, y)), gd.rules.GDA(1.0))


def _circle(theta):
    return CENTRE + np.stack([np.cos(2 * np.pi * theta), np.sin(2 * np.pi * theta)], axis=-1)


def test_a_circle_of_periodic_points_is_fitted_wherever_its_centre_is():
    starts, turns = np.linspace(0, 1, 40, endpoint=False), np.arange(4) / 4
    circle = rational_circles._fitted(_around(sympy.Rational(1, 4)), _circle(starts[None] + turns[:, None]))
    assert circle is not None
    assert circle.rotation_number == pytest.approx(0.25, abs=1e-14)
    np.testing.assert_allclose(np.linalg.norm(circle.points - CENTRE, axis=-1), 1.0, atol=1e-12)
    np.testing.assert_allclose(circle.multipliers, [0.5], rtol=1e-9)  # d/dr of r + r (1 - r^2) / 4 at 1


def test_newton_keeps_the_number_of_modes():
    """A circle has the modes -1, 0 and 1: five coefficients go in and come out, the planted ones."""
    planted = np.zeros((5, 2), dtype=complex)
    planted[2], planted[1], planted[3] = CENTRE, [0.5, 0.5j], [0.5, -0.5j]
    np.testing.assert_allclose(circle_solver.evaluate(planted, np.array([0.1]))[0], _circle(0.1), atol=1e-14)
    near = planted + 0.001 * np.array([[0, 0], [1, 1j], [0, 0], [1, -1j], [0, 0]])
    solved = circle_solver._newton(_around(sympy.Rational(381, 1000)), near, 0.381, held=False)
    assert solved is not None
    np.testing.assert_allclose(solved[0], planted, atol=1e-10)
    assert solved[1] == pytest.approx(0.381, abs=1e-12)


def test_a_point_of_a_cycle_in_space_returns_after_one_period():
    """The same cycle, from (1, 0, 0), where the orbit runs along y and its plane is y = 0."""
    rate = 1 - x**2 - y**2
    flow = ScaledField(_game([rate * x - y, rate * y + x, -z], (x, y, z)), np.zeros(3), np.ones(3))
    returned = flow_cycles._first_return(flow, np.array([1.0, 0.0, 0.0]), Budget.of(None))
    assert returned is not None
    assert returned[0] == pytest.approx(2 * np.pi, rel=1e-3)
    np.testing.assert_allclose(np.linalg.norm(returned[1], axis=-1), 1, rtol=1e-3)
