"""The law of rules with memory where a bound presses: that of the free coordinate alone, and nothing off the face."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

import gandyn as gd
from gandyn.oracles.projections import Box

x, y = sp.symbols("x y", real=True)
GAME = gd.games.from_sympy(
    [x**2 / 2 - 2 * x + x * y / 2, -x * y / 2 + y**2 / 2], [x, y], projection=Box(((-1, 1), (-1, 1)))
)
AT = [1, sp.Rational(1, 2)]  # v_x = -3/4 presses x onto 1; v_y = y - x/2
RULES = [
    gd.rules.GDA(0.5),
    gd.rules.HeavyBall(0.5, 0.5),
    gd.rules.HeavyBall(0.5, 0.5, alternating=True),
    gd.rules.OptimisticGD(0.3),
    gd.rules.PastExtragradient(0.3),
    gd.rules.Averaging(gd.rules.GDA(0.5), "exponential", 0.9),
]


def alone(rule, variance):
    """The law of the same rule on y^2/2 beside a player who rests at 0 without noise."""
    game = gd.games.from_sympy([x**2 / 2, y**2 / 2], [x, y])
    return gd.stationary(game, rule, noise=gd.noise.Additive([[0, 0], [0, variance]]), at=[0, 0]).covariance[1, 1]


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_the_law_is_that_of_the_free_coordinate(rule):
    found = gd.stationary(GAME, rule, noise=1e-6, at=AT).covariance
    np.testing.assert_allclose(found, [[0, 0], [0, alone(rule, 1e-6)]], rtol=1e-9, atol=1e-20)


@pytest.mark.parametrize("rule", RULES[1:4], ids=repr)
def test_the_law_is_what_many_runs_do(rule):
    noisy = gd.noise.Additive(1e-6).applied(GAME)
    w = gd.iterate(noisy, rule, np.tile(np.array(AT, dtype=float), (20000, 1)), 60, record="last").w
    assert w[:, 1].var() == pytest.approx(gd.stationary(GAME, rule, noise=1e-6, at=AT).covariance[1, 1], rel=0.05)
    assert (w[:, 0] == 1).all()
