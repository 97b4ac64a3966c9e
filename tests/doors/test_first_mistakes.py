"""What a first hour gets wrong: boxes for grids, solutions for points, near names, a bracket, a number for a rule."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
import torch
from typer.testing import CliRunner

import gandyn as gd
from gandyn.cli import app
from gandyn.errors import GandynError, ParameterError, UnknownNameError, nearest

BOX = [(-2, 2), (-2, 2)]


def test_a_box_in_place_of_a_grid_is_refused_and_starts_are_not():
    game, rule = gd.games.quadratic(), gd.rules.GDA(0.1)
    for box in (BOX, tuple(BOX), [[-2, 2], [-1, 3]]):
        with pytest.raises(ParameterError, match=r"may be a box or two starts.*\(low, high, n\)"):
            gd.basins(game, rule, box)
    assert gd.basins(game, rule, np.array(BOX, float)).labels.shape == (2,)
    assert gd.basins(game, rule, [(2, -2), (1, 0.5)]).labels.shape == (2,)
    assert gd.basins(game, rule, [(-2, 2, 3), (-2, 2, 4)]).labels.shape == (3, 4)


def test_a_solution_is_a_point_and_stays_exact():
    game = gd.games.quadratic(1, 2, 1)
    (found,) = gd.fixed_points(game)
    assert gd.linearize(game, at=found).at == gd.linearize(game, at=(0, 0)).at
    assert gd.linearize(game, gd.rules.GDA("lr"), at=found).exact is not None
    assert gd.classify(game, at=found).label == gd.classify(game, at=(0, 0)).label
    assert gd.stability_region(game, gd.rules.GDA("lr"), at=found).critical("lr") == sympy.Rational(2, 1 + 4)
    assert gd.iterate(game, gd.rules.GDA(0.1), found, 3).w.tolist() == [[0.0, 0.0]] * 4
    with_points = gd.basins(game, gd.rules.GDA(0.1), [(-1, 1, 3), (-1, 1, 3)], attractors=gd.fixed_points(game))
    assert list(with_points.shares) == ["attractor (0, 0)"]


@pytest.mark.parametrize(
    ("given", "known", "meant"),
    [
        ("GD", ["GDA", "LEAD", "AlternatingGD"], "GDA"),
        ("linearise", ["analysis", "linearize"], "linearize"),
        ("triple", ["double", "single", "slide"], ""),
        ("R7", ["R1", "DRAGAN"], "R1"),
        ("nosuch", ["mescheder_2017", "Anchored"], ""),
        ("extra", ["ExtraAdam", "Extragradient"], "ExtraAdam"),
        ("EXTRAGRADENT", ["ExtraAdam", "Extragradient"], "Extragradient"),
    ],
)
def test_the_nearest_name(given, known, meant):
    assert nearest(given, known) == meant


def test_the_guess_comes_before_the_list():
    with pytest.raises(AttributeError, match=r"no attribute 'linearise', did you mean 'linearize'\? It has "):
        _ = gd.linearise
    with pytest.raises(AttributeError, match=r"no rule named 'GD': did you mean 'GDA'\? Needed: one of "):
        _ = gd.rules.GD
    with pytest.raises(UnknownNameError) as error:
        raise UnknownNameError.among("thing", "zzz", [f"n{k}" for k in range(500)] * 2)
    assert len(str(error.value)) < 200
    assert "one of 500 names" in str(error.value)


def test_a_missing_bracket_is_named():
    with pytest.raises(GandynError, match=r"a bracket is left open: \) is missing.*R1\(0\.3\)"):
        gd.games.dirac_gan(penalty="R1(0.3")


def test_a_number_in_place_of_a_rule():
    with pytest.raises(ParameterError, match=r"rule=0\.1.*an update rule.*gd\.rules\.GDA\(0\.1\)"):
        gd.optim.for_modules(torch.nn.Linear(1, 1), torch.nn.Linear(1, 1), 0.1)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("analyze bilinear --rule GDA --set lrr=0.1", "with lrr, which it does not have: did you mean lr?"),
        ("spectrum runs/none", "config runs/none is not there"),
        ("cite nosuch", "no rule, game, loss, penalty, claim, figure or paper named 'nosuch'"),
        ("spiral --width triple", "there is no width named 'triple'. Needed: one of double, single, slide"),
    ],
)
def test_the_command_line(line, said):
    result = CliRunner().invoke(app, line.split())
    assert result.exit_code == 2
    assert said in result.stderr
    assert len(result.stderr) < 500
