"""What is said of points that are decimals, of regions without an edge, and of where a point is to be had."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

import gandyn as gd
from gandyn.errors import DomainError, ParameterError

x, y = sp.symbols("x y", real=True)
g = sp.Symbol("g", positive=True)


def test_a_region_without_an_edge_has_no_conditions():
    found = gd.stability_region(gd.games.from_sympy([g * x**2 / 2, y**2 / 2], [x, y]), None, ("g",), at=[0, 0])
    assert found.conditions == ()
    assert found.critical("g") == sp.oo
    assert "for all g" in found.summary()
    assert found.contains(g=7)


def test_time_scales_at_a_decimal_are_decimals():
    game = gd.games.forsaken()
    (point,) = [p.point for p in gd.fixed_points(game, box=[(-2, 2)] * 2)]
    ((low, high),) = gd.analysis.attracting_time_scales(game, at=point)
    assert low == 0
    assert isinstance(high, sp.Float)
    j = np.array(game.jacobian(point), dtype=float)
    assert float(high) == pytest.approx(-j[0, 0] / j[1, 1], rel=1e-12)  # the trace J_11 + tau J_22 vanishes there


def test_the_advice_of_an_error_can_be_followed():
    game = gd.games.from_sympy([sp.cos(x) + x * y, y**2 / 2 + x * y / 7], [x, y])
    with pytest.raises(ParameterError) as refused:
        gd.stability_region(game, gd.rules.GDA("lr"))
    with pytest.raises(DomainError) as moving:
        gd.stability_region(game, gd.rules.GDA("lr"), at=[1, 1])
    for error in (refused, moving):
        at = error.value.fix.removeprefix("at=")
        assert len(eval(at, {"gd": gd, "game": game})) == 2


def test_exponents_across_a_face_are_minus_infinity():
    """GDA on matching pennies inside the simplices: log sqrt(1 + 4 lr^2) twice, and nothing off them."""
    found = gd.lyapunov_exponents(gd.games.matrix_game([[1, -1], [-1, 1]]), gd.rules.GDA(0.1), [0.5] * 4, steps=100)
    np.testing.assert_allclose(found.exponents[:2], np.log(1.04) / 2, rtol=1e-12)
    assert (found.exponents[2:] == -np.inf).all()


def test_a_power_law_that_grows_has_one_sign():
    run = gd.iterate(gd.games.bilinear(), gd.rules.Averaging(gd.rules.GDA(0.05)), [1.0, 0.0], 3000)
    said = gd.fit_rate(run, to=[0, 0]).summary()
    assert "power law: t^4.1" in said
    assert "t^--" not in said
