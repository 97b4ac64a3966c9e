"""Exact gaps are of points that can be played."""

import numpy as np
import pytest

import gandyn as gd


@pytest.mark.parametrize(
    ("game", "w"),
    [(gd.games.matching_pennies(), [0.5, 0.9, 0.5, 0.5]), (gd.games.boxed_bilinear(), [1.0, 5.0])],
    ids=["off the simplex", "outside the box"],
)
def test_a_point_that_cannot_be_played_is_refused(game, w):
    with pytest.raises(gd.GandynError, match="feasible set"):
        gd.duality_gap(game, w)
    nearest = game.project(np.array(w))
    assert float(gd.duality_gap(game, nearest)) >= 0
    assert float(gd.duality_gap(game, nearest + 1e-12)) == pytest.approx(float(gd.duality_gap(game, nearest)), abs=1e-9)
