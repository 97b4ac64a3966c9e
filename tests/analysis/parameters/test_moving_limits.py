"""Analyses of one map refuse a limit that keeps every point, and say it of parameters that do not matter there."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

import gandyn as gd
from gandyn.analysis.long_run.basins import CYCLING, UNDECIDED
from gandyn.errors import DomainError
from gandyn.rules.schedule import Scheduled

GAME = gd.games.quadratic(0.7, 1.9, 0.45)
x, y = sp.symbols("x y", real=True)
KEEPS = [gd.rules.Averaging, gd.rules.Halpern, Scheduled]


@pytest.mark.parametrize("keeps", KEEPS)
def test_branches_of_a_limit_that_keeps_every_point_are_none(keeps):
    with pytest.raises(DomainError, match="eigenvalue 1 in the limit"):
        gd.bifurcation(GAME, keeps(gd.rules.GDA("lr")), "lr", [0.1, 0.5])


def test_a_limit_that_moves_has_its_threshold():
    rule = Scheduled(gd.rules.GDA("lr"), lambda t: 1 + 1 / (1 + t))
    (point,) = gd.bifurcation(GAME, rule, "lr", [0.01, 0.5]).points
    assert point.parameter == pytest.approx(46 / 157, abs=1e-9)  # 2 tr J / (2 det J), as for GDA


@pytest.mark.parametrize("keeps", KEEPS)
def test_circles_of_a_limit_that_keeps_every_point_are_none(keeps):
    game = gd.games.from_sympy([-(x**2) / 2 + x**4 / 12 + x * y, -x * y], [x, y])
    with pytest.raises(DomainError, match="eigenvalue 1 in the limit"):
        gd.limit_cycles(game, [(-3, 3)] * 2, rule=keeps(gd.rules.GDA(0.05)))


@pytest.mark.parametrize("over", [gd.classes.Bilinear(0.5, 2), gd.classes.StronglyMonotone(0.5, 2)])
def test_a_step_that_fades_is_not_designed(over):
    with pytest.raises(DomainError, match=r"over lr, on which its linear part .* does not depend"):
        gd.design(Scheduled(gd.rules.GDA("lr")), over)


def test_recommendations_leave_out_what_fades():
    found = gd.recommend(GAME, [Scheduled(gd.rules.GDA(0.1)), gd.rules.GDA(0.1)])
    assert "left out: Scheduled" in found.summary()


def test_a_lyapunov_function_of_the_limit_is_none_of_the_steps():
    # the first step has radius above 1, so that V grows there; the limit attracts
    rule = Scheduled(gd.rules.GDA(0.2), lambda t: 1 + 5 / (1 + t))
    assert gd.linearize(GAME, rule).spectral_radius < 1
    first = np.eye(2) - 1.2 * np.array([[0.7, 1.9], [-1.9, 0.45]])
    assert abs(np.linalg.eigvals(first)).max() > 2
    with pytest.raises(DomainError, match="changes with the step count"):
        gd.lyapunov_function(GAME, rule)


def test_averages_that_die_out_beside_their_middle_do_not_cycle():
    """Averages of van der Pol's cycle, which is symmetric, go to 0 as 1/t; the iterates themselves do cycle."""
    game = gd.games.from_sympy([-(x**2) / 2 + x**4 / 12 + x * y, -x * y], [x, y])
    grid = [(-2.5, 2.5, 6)] * 2
    averaged = gd.basins(game, gd.rules.Averaging(gd.rules.GDA(0.05)), grid)
    assert (averaged.labels == UNDECIDED).all()
    assert np.abs(averaged.end).max() < 0.1
    themselves = gd.basins(game, gd.rules.GDA(0.05), grid)
    assert (themselves.labels == CYCLING).all()
