"""The long run of stochastic flows: densities, times of exit and phases against closed forms and simulation."""

from __future__ import annotations

import types

import numpy as np
import pytest
import sympy

import gandyn as gd
from gandyn.analysis.stochastic.final_error import GRID, smallest
from gandyn.errors import DomainError, GandynError

x, y = sympy.symbols("x y", real=True)


def double_well(turn):
    """v = grad U - turn R grad U with U = (x^2 - 1)^2/4 + y^2/2: the density is exp(-2 U / s^2) whatever the turn."""
    return gd.games.from_sympy([x**4 / 4 - x**2 / 2 + turn * x * y, y**2 / 2 - turn * y * (x**3 - x)], [[x], [y]])


def flow_of(game, rate):
    return gd.stochastic_flow(game, gd.rules.GDA(0.01), noise=rate / 0.01)


@pytest.mark.parametrize("turn", [pytest.param(0.0, marks=pytest.mark.slow), 1.5])
def test_rotation_leaves_the_density_alone(turn):
    rate = 0.3
    plane = flow_of(double_well(turn), rate).plane([(-2.2, 2.2), (-2.4, 2.4)], cells=60)
    u = (plane.points[..., 0] ** 2 - 1) ** 2 / 4 + plane.points[..., 1] ** 2 / 2
    expected = np.exp(-2 * u / rate)
    expected /= expected.sum() * np.prod(plane.sizes)
    np.testing.assert_allclose(plane.density(), expected, atol=0.01 * expected.max())


@pytest.mark.slow
def test_the_density_of_a_game_is_the_histogram_of_its_runs():
    game = gd.games.from_sympy([x**2 / 2 + x * y + x**4 / 8, y**2 / 4 - 2 * x * y + y**3 / 9 + y**4 / 8], [[x], [y]])
    flow = flow_of(game, 0.4)
    plane = flow.plane([(-3, 3), (-3.5, 3.5)], cells=60)
    runs = flow.simulate(np.zeros((8000, 2)), 10.0, 250, rng=1)
    edges = [np.linspace(*side, 13) for side in plane.box]
    counts, *_ = np.histogram2d(*runs.T, bins=edges)
    mass = (plane.density() * np.prod(plane.sizes)).reshape(12, 5, 12, 5).sum((1, 3))
    expected = mass * 8000
    assert (np.abs(counts - expected) <= 5 * np.sqrt(expected) + 0.015 * counts.max() + 3).all()


@pytest.mark.slow
@pytest.mark.parametrize(("turn", "asymptotic", "simulated", "error"), [(0.0, 1149, 1277, 74), (1.5, 637, 656, 38)])
def test_rotation_hastens_the_escape(turn, asymptotic, simulated, error):
    """Mean times from one well to x = .9 at s = .3, against simulations and Eyring and Kramers' law with rotation."""
    plane = flow_of(double_well(turn), 0.09).plane([(-2, 2), (-1.6, 1.6)], cells=160)
    times = plane.exit_time(lambda w: w[..., 0] < 0.9)
    k = np.unravel_index(np.argmin(((plane.points - [-1, 0]) ** 2).sum(-1)), (160, 160))
    assert abs(times[k] - simulated) < 3 * error
    assert times[k] == pytest.approx(asymptotic, rel=0.2)


@pytest.mark.parametrize(("q", "speed"), [(0.8, 2.0), pytest.param(0.0, 1.0, marks=pytest.mark.slow)])
def test_phases_diffuse(q, speed):
    """z' = z (1 + i w - (1 + i q) |z|^2): D = s^2 (1 + q^2) / 2."""
    square = x**2 + y**2
    u, v = x * (1 - square) - y * (speed - q * square), y * (1 - square) + x * (speed - q * square)
    game = gd.games.from_sympy([-sympy.integrate(sympy.expand(u), x), -sympy.integrate(sympy.expand(v), y)], [[x], [y]])
    cycle = types.SimpleNamespace(
        points=np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]]), period=2 * np.pi / (speed - q)
    )
    assert flow_of(game, 0.01).phase_diffusion(cycle) == pytest.approx(0.01 * (1 + q**2) / 2, rel=1e-8)
    with pytest.raises(DomainError, match="does not follow"):
        flow_of(game, 0.01).phase_diffusion(types.SimpleNamespace(points=cycle.points, period=1.0))


def test_refusals_are_one_line():
    flow = flow_of(double_well(0), 0.1)
    correlated = gd.stochastic_flow(double_well(0), gd.rules.GDA(0.1), noise=[[1, 0.5], [0.5, 1]])
    calls = {
        "a box of shape": lambda: flow.plane([(-1, 1)]),
        "low < high": lambda: flow.plane([(1, -1), (0, 1)]),
        "cells=": lambda: flow.plane([(-1, 1), (0, 1)], cells=2),
        "correlated": lambda: correlated.plane([(-1, 1), (0, 1)]),
        "without noise": lambda: (
            gd.stochastic_flow(double_well(0), gd.rules.GDA(0.1), noise=(1, 0))
            .plane([(-1, 1), (0, 1)], cells=8)
            .density()
        ),
        "all of the box": lambda: flow.plane([(-1, 1), (0, 1)], cells=8).exit_time(lambda w: w[..., 0] < 9),
    }
    for words, call in calls.items():
        with pytest.raises(GandynError) as refused:
            call()
        assert words in str(refused.value)
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize("side", [1, -1])
def test_the_minimum_of_a_grid_is_refined_between_its_neighbours(side):
    """The valley beside the grid's best value is found, not the lower dip that lies one cell farther on."""
    grid, asked = np.geomspace(1e-6, 1e2, GRID), []

    def error(x):
        asked.append(x)
        u = side * np.log(x / grid[20]) / np.log(grid[1] / grid[0])
        return min(max(0.85 - u, 7 * (u - 0.85)), 50 * abs(u - 1.3) - 1)

    found, least = smallest(error, 1.0, "a test")
    assert found == pytest.approx(grid[20] * (grid[1] / grid[0]) ** (0.85 * side), rel=1e-6)
    assert least < 1e-6
    assert all(grid[19] <= x <= grid[21] for x in asked[GRID:])
