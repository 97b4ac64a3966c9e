"""The double zero of a flow (Takens-Bogdanov), decided by its non-linear terms and held to long simulations."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from scipy.integrate import solve_ivp

import gandyn as gd
from gandyn.analysis.local.fate import Fate
from gandyn.analysis.local.linearize import Verdict

x, y, z = sympy.symbols("x y z", real=True)
R = sympy.Rational


def planar(p, q, scale=1, extra=None):
    """The game whose flow is x' = p, y' = q."""
    costs = [-scale * sympy.integrate(p, x), -scale * sympy.integrate(q, y)]
    players = [x, y]
    if extra is not None:
        costs, players = [*costs, extra], [*players, z]
    return gd.games.from_sympy(costs, players)


CASES = [
    (y, -(x**3) - y**3, Fate.ATTRACTING),
    (y, -(x**3) + y**3, Fate.REPELLING),
    (y, -(x**3) - x**2 * y, Fate.ATTRACTING),
    (y, -(x**5) - x**2 * y, Fate.ATTRACTING),
    (y, -(x**5) - 5 * x**2 * y, Fate.ATTRACTING),
    (y, -(x**5) + 5 * x**2 * y, Fate.REPELLING),
    (y, x**2 + x * y, Fate.SADDLE),
    (y, x**3 - x**2 * y, Fate.SADDLE),
    (y, -(x**5) - 3 * x * y, Fate.SADDLE),
    (y + x * y, -(x**3) - x**2 * y + x * y**2, Fate.ATTRACTING),
    (y - x**3, -(x**3), Fate.ATTRACTING),
]


@pytest.mark.parametrize(("p", "q", "fate"), CASES, ids=str)
def test_the_fate_is_that_of_a_long_run(p, q, fate):
    lin = gd.linearize(planar(p, q), at=(0, 0))
    assert (lin.verdict, lin.nonlinear.verdict) == (Verdict.MARGINAL, fate)
    assert "Takens-Bogdanov" in lin.reason
    f, ratios = sympy.lambdify((x, y), (p, q)), []
    for angle in np.arange(6) * np.pi / 3 + 0.1:
        start = 0.4 * np.array([np.cos(angle), 0.3 * np.sin(angle)])
        run = solve_ivp(lambda _, w: f(*w), (0, 400), start, rtol=1e-8, atol=1e-12, events=_left())
        stayed = run.t[-1] == 400
        ratios.append(np.abs(run.y[0, run.t > 300]).max() / np.abs(run.y[0, run.t < 100]).max() if stayed else np.inf)
    assert bool(max(ratios) < 0.97) is (fate is Fate.ATTRACTING), ratios


def _left():
    def away(_, w):
        return np.hypot(*w) - 2

    away.terminal = True
    return away


@pytest.mark.parametrize("scale", [R(1, 10**12), 10**12])
def test_units_order_and_dummies_change_nothing(scale):
    p, q = y, -(x**3) - y**3
    assert gd.linearize(planar(p, q, scale), at=(0, 0)).nonlinear.verdict is Fate.ATTRACTING
    swapped = gd.games.from_sympy([x**3 * y + y**4 / 4, -x * y], [y, x])
    assert gd.linearize(swapped, at=(0, 0)).nonlinear.verdict is Fate.ATTRACTING
    dummy = planar(p, q, extra=z**2 / 2 - z * x**2)
    assert gd.linearize(dummy, at=(0, 0, 0)).nonlinear.verdict is Fate.ATTRACTING
    moved = gd.games.from_sympy([-(x - 3) * y, (x - 3) ** 3 * y + y**4 / 4], [x, y])
    assert gd.linearize(moved, at=(3, 0)).nonlinear.verdict is Fate.ATTRACTING


def test_the_centre_manifold_carries_what_other_directions_feed_back():
    """z follows x^2 and returns as friction: z y = x^2 y + ..., so the sign of its factor decides."""
    for sign, fate in ((-1, Fate.ATTRACTING), (1, Fate.SADDLE)):
        game = planar(y, -(x**3) + sign * z * y, extra=z**2 / 2 - z * x**2)
        assert gd.linearize(game, at=(0, 0, 0)).nonlinear.verdict is fate


@pytest.mark.parametrize(
    ("game", "rule", "name"),
    [
        (planar(y, -(x**3) - y**3), gd.rules.GDA(0.1), "the resonance 1:1"),
        (planar(y + x**2, -(x**3)), None, "centre or focus"),
        (gd.games.from_sympy([-x * y + x**4 * z, x * y + y**2 * z**2, z**4], [x, y, z]), None, "zero-Hopf"),
    ],
    ids=["1:1", "reversible", "zero-Hopf"],
)
def test_what_is_not_decided_is_named(game, rule, name):
    lin = gd.linearize(game, rule, at=(0,) * game.dim)
    assert lin.verdict is Verdict.MARGINAL
    assert lin.nonlinear.verdict is Fate.UNDECIDED
    assert name in lin.reason


def test_a_linear_map_is_still_decided_by_its_jordan_block():
    assert gd.linearize(gd.games.bilinear(), gd.rules.AlternatingGD(2)).verdict is Verdict.DEFECTIVE
