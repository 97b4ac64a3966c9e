"""Gaps are of points that can be played, of one game, and of any scale."""

import numpy as np
import pytest
import sympy

import gandyn as gd


@pytest.mark.parametrize("method", ["exact", "gradient", "perturbed", "proximal"])
@pytest.mark.parametrize(
    ("game", "w"),
    [(gd.games.matching_pennies(), [0.5, 0.9, 0.5, 0.5]), (gd.games.boxed_bilinear(), [1.0, 5.0])],
    ids=["off the simplex", "outside the box"],
)
def test_a_point_that_cannot_be_played_is_refused(game, w, method):
    """Answers are projected and the point is not: their difference would be no gap, and no bound of one."""
    with pytest.raises(gd.GandynError, match="feasible set"):
        gd.duality_gap(game, w, method)
    nearest = game.project(np.array(w))
    here, beside = (float(gd.duality_gap(game, point, method, k=5)) for point in (nearest, nearest + 1e-12))
    assert here >= 0
    assert beside == pytest.approx(here, abs=1e-9)


def test_gaps_along_trajectories_are_of_one_game():
    rule = gd.rules.GDA(0.1)
    runs = [gd.iterate(gd.games.quadratic(a, 1, 1), rule, [1.0, 0.5], 5) for a in (2, 2, 3)]
    assert len(gd.gap_along(runs[:2]).curves) == 2
    with pytest.raises(gd.GandynError, match="different games"):
        gd.gap_along(runs)


def test_a_rotation_beside_a_stiff_coordinate_is_seen():
    """Held answers turn x and y; the third coordinate, alone in its terms, has curvatures up to 1e24."""
    x, y, z = sympy.symbols("x y z", real=True)
    for stiff in (1, 10**12):
        cost = stiff * z**2 / 2 + x * y
        game = gd.games.from_sympy([cost, -cost], [[x, z], [y]])
        step = sympy.Rational(1, 10)
        assert gd.gap_flow(game, k=2, inner_lr=step).rotates
        assert not gd.gap_flow(game, k=2, inner_lr=step, through=True).rotates


@pytest.mark.parametrize("units", [sympy.Rational(1, 10**12), 1, 10**9])
def test_points_that_the_gap_creates_do_not_depend_on_units_of_cost(units):
    """f = u (x^4 / 4 - x^2 / 2 + x y / 2 - y^2 / 4): the k-step gap is stationary where the field is not zero."""
    x, y = sympy.symbols("x y", real=True)
    game = gd.games.from_sympy(units * (x**4 / 4 - x**2 / 2 + x * y / 2 - y**2 / 4), [x, y])
    flow = gd.gap_flow(game, 1, sympy.Rational(1, 2) / units, through=True)
    box = [(-2, 2), (-2, 2)]
    created = flow.created(box)
    found = [p.point for p in flow.stationary_points(box)]
    still = [p for p in found if np.linalg.norm(game.field(p)) / float(units) < 1e-6]
    assert len(created) == len(found) - len(still) > 0
