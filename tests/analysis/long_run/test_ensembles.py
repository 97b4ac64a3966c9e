"""Exponents and basins over parameters: each member has what its own parameters give."""

import numpy as np
import pytest

import gandyn as gd
from gandyn.errors import DomainError, ParameterError

LRS = np.array([0.1, 0.5, 0.9])


def test_exponents_of_an_ensemble_are_those_of_each_member():
    found = gd.lyapunov_exponents(gd.games.bilinear(), gd.rules.GDA(LRS), [1.0, 0.0], steps=200, settle=10)
    np.testing.assert_allclose(found.exponents, np.repeat(np.log(1 + LRS**2)[:, None] / 2, 2, axis=1), rtol=1e-12)
    game = gd.games.from_sympy("x**2/2 - x**4/4 + x*y - y**2/5", ["x", "y"])
    rule = gd.rules.HeavyBall(LRS * 0.3, np.array([0.2, -0.1, 0.4]))
    found = gd.lyapunov_exponents(game, rule, [0.3, 0.1], steps=3000, settle=500)
    for k in range(3):
        alone = gd.rules.HeavyBall(0.3 * LRS[k], [0.2, -0.1, 0.4][k])
        expected = gd.lyapunov_exponents(game, alone, [0.3, 0.1], steps=3000, settle=500)
        np.testing.assert_allclose(found.exponents[k], expected.exponents, rtol=1e-8)
    assert found.largest.shape == (3,)
    diverging = gd.lyapunov_exponents(game, gd.rules.GDA(np.array([0.1, 3.0])), [5.0, 0.1], steps=100)
    assert diverging.status[1] == gd.Status.DIVERGED
    with pytest.raises(DomainError, match="gradient flows"):
        gd.lyapunov_exponents(gd.games.bilinear(LRS), None, [1.0, 0.0])


def test_basins_of_an_ensemble_are_those_of_each_combination():
    game = gd.games.from_sympy("x**4/4 - c*x**2/2 + x*y/10 - y**2/2", ["x", "y"], {"c": np.array([[1.0], [0.25]])})
    starts = np.stack([np.linspace(-1.5, 1.5, 6), np.zeros(6)], -1)
    found = gd.basins(game, gd.rules.GDA(0.1), starts, box=[(-2, 2)] * 2)
    assert found.labels.shape == (2, 6)
    for row, c in enumerate((1.0, 0.25)):
        own = gd.games.from_sympy("x**4/4 - c*x**2/2 + x*y/10 - y**2/2", ["x", "y"], {"c": c})
        alone = gd.basins(own, gd.rules.GDA(0.1), starts, box=[(-2, 2)] * 2)
        ends = found.attractors[found.labels[row]]
        np.testing.assert_allclose(ends, alone.attractors[alone.labels], atol=1e-6)
    assert len(found.attractors) == 4
    assert "2 combinations" in found.reason
    with pytest.raises(ParameterError, match="refine"):
        gd.basins(game, gd.rules.GDA(0.1), starts, refine=True)
