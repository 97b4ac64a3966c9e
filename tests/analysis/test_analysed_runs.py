"""What is measured on runs prints the game, the rule with its step per player, and the point that it is about."""

import json

import numpy as np
import pytest
import sympy

import gandyn as gd

GAME = gd.games.quadratic(0.7, 1.9, 0.45)
RULE = gd.rules.GDA((0.1, 0.4))
RUN = gd.iterate(GAME, RULE, [1.0, 0.5], 60)


def _basins():
    return gd.basins(GAME, RULE, [(-1, 1, 3)] * 2)


def _exponents():
    return gd.lyapunov_exponents(GAME, RULE, [1.0, 0.5], steps=40, settle=0)


def _rate():
    return gd.fit_rate(RUN, to=[0.0, 0.0])


@pytest.mark.parametrize("analyse", [_basins, _exponents])
def test_game_and_rule_are_printed(analyse):
    result = analyse()
    data, text = result.to_dict(), result.summary()
    json.dumps(data)
    assert (data["game"], data["rule"]) == (GAME.name, repr(RULE))
    assert GAME.name in text
    assert repr(RULE) in text


def test_numbers_are_those_of_the_rule_that_was_given():
    """Each player's own step, and not one of them for both: exact exponents, rate and images say which."""
    lin = gd.linearize(GAME, RULE, [0, 0])
    sizes = np.sort(np.abs(lin.eigenvalues))[::-1]
    assert _exponents().exponents == pytest.approx(np.log(sizes), abs=1e-3)
    assert _rate().rho == pytest.approx(lin.spectral_radius, rel=2e-3)
    assert _basins().shares == {"attractor (0, 0)": 1.0}
    assert gd.basins(GAME, gd.rules.GDA((0.1, 20.0)), [(-1, 1, 3)] * 2, 4000).shares != {"attractor (0, 0)": 1.0}


def test_a_comparison_prints_every_contender_and_its_steps():
    other = gd.rules.AlternatingGD((0.1, 0.4))
    result = gd.compare(GAME, [RULE, other], [1.0, 0.5], budget=40, step_sizes=None, seeds=2)
    data = result.to_dict()
    assert data["game"] == GAME.name
    assert GAME.name in result.summary()
    assert {row["rule"] for row in data["contenders"]} == {repr(RULE), repr(other)}


def test_the_orbits_of_a_bifurcation_diagram_are_those_of_the_rule_that_it_prints():
    x, y = sympy.symbols("x y", real=True)
    game = gd.games.from_sympy([x**2 / 2 + x**4 / 4, y**2 / 2], [x, y])
    found = gd.bifurcation(game, gd.rules.GDA((0.1, 0.4)), "lr", np.linspace(0.1, 0.3, 5))
    assert repr(found.rule) in found.summary()
    assert found.to_dict()["rule"] == repr(found.rule)
