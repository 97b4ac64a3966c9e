"""What speaks of the flow of a game does not speak of the unconstrained flow of a constrained one."""

from __future__ import annotations

import pytest
import sympy as sp

import gandyn as gd
from gandyn.errors import DomainError
from gandyn.oracles.projections import Box

PENNIES = gd.games.matrix_game([[1, -1], [-1, 1]])
x, m = sp.symbols("x m", real=True)
PRESSED = gd.games.from_sympy(x**2 + m * (-1 - x), {"x": [x], "m": [m]}, projection=Box((None, (0, None))))


@pytest.mark.parametrize("game", [PENNIES, PRESSED])
def test_flows_that_leave_the_feasible_set_are_refused(game):
    with pytest.raises(DomainError, match="constrained"):
        gd.conserved_quantities(game)
    with pytest.raises(DomainError, match="constrained"):
        gd.stochastic_flow(game, gd.rules.GDA(0.1), noise=1e-4)


def test_a_drift_says_where_the_projection_acts():
    assert "the projection acts as well" in gd.drift(PENNIES, gd.rules.GDA(0.1)).summary()
    assert "projection" not in gd.drift(gd.games.bilinear(), gd.rules.GDA(0.1)).summary()


def test_a_lyapunov_function_needs_all_directions():
    with pytest.raises(DomainError, match="feasible directions are 1 of 2"):
        gd.lyapunov_function(PRESSED, gd.rules.GDA(0.1), at=[0, 0])
    # inside the box nothing presses: V of GDA on x^2 - m^2 in one box, F = 0.8 I, P = I / (1 - 0.64) before rounding
    free = gd.games.from_sympy([x**2, m**2], [x, m], projection=Box(((-1, 1), (-1, 1))))
    found = gd.lyapunov_function(free, gd.rules.GDA(0.1), at=[0, 0])
    assert found.verified
    assert float(found.matrix[0, 0]) == pytest.approx(1 / 0.36, rel=0.2)


def test_no_law_of_the_linear_part_is_not_no_law():
    game = gd.games.from_sympy([x**4 / 4, m**2 / 2], [x, m])
    found = gd.stationary(game, gd.rules.GDA(0.1), noise=gd.noise.Additive([[0, 0], [0, 1]]), at=[0, 0])
    # x rests at 0, and m is autoregressive, with variance 0.01 / (1 - 0.81): there is a law
    assert found.exists is False
    assert "of the linear part" in found.summary()
    assert "whatever the size" not in found.summary()
    assert "whatever the size" in gd.stationary(gd.games.bilinear(), gd.rules.GDA(0.1), noise=1.0).summary()


def test_a_spectrum_of_the_field_says_that_bounds_are_left_out():
    """J = ((2, -1), (1, 0)) has the double eigenvalue 1; on the face m = 0 the flow has the eigenvalue -2 alone."""
    found = gd.spectrum(PRESSED, [0.0, 0.0])
    assert found["LM"].eigenvalues[0].real == pytest.approx(1, abs=1e-6)
    assert "of the field alone" in found.summary()
    assert gd.linearize(PRESSED, at=[0, 0]).eigenvalues.tolist() == [-2]
    assert "of the field alone" not in gd.spectrum(gd.games.bilinear(), [0.0, 0.0]).summary()
