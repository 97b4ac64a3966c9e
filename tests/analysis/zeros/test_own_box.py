"""The box in which a game keeps its players is the box that is searched, where no other is given."""

import numpy as np
import pytest
import sympy

import gandyn as gd
from gandyn.oracles.projections import Box

x, y = sympy.symbols("x y", real=True)
COSTS = [sympy.sin(3 * x) / 3 + x * y, y**2 / 2 - x * y + sympy.exp(y) / 9]


def boxed(bounds):
    return gd.games.from_sympy(COSTS, [x, y], projection=Box(bounds))


def test_a_bounded_game_needs_no_other_box():
    """Every solution is where a projected step stands still; the second route is a grid of starts of that step."""
    game = boxed(((-1, 2), (-1, 1)))
    found = gd.fixed_points(game)
    assert found.complete
    given = gd.fixed_points(game, [(-1, 2), (-1, 1)])
    np.testing.assert_allclose([p.point for p in found], [p.point for p in given])
    grid = np.stack(np.meshgrid(np.linspace(-1, 2, 25), np.linspace(-1, 1, 25)), -1).reshape(-1, 2)
    ends = gd.iterate(game, gd.rules.Extragradient(0.1), grid, 4000, record="last").w
    still = ends[np.linalg.norm(ends - game.project(ends - game.field(ends)), axis=-1) < 1e-9]
    assert len(still) > 100
    assert max(min(np.linalg.norm(end - p.point) for p in found) for end in still) < 1e-6


@pytest.mark.parametrize("bounds", [((-1, 2), (None, 1)), ((-1, 2), None), ((-1, 2), (-float("inf"), 1))])
def test_a_box_that_is_open_on_a_side_is_none(bounds):
    with pytest.raises(gd.GandynError, match="a box to search"):
        gd.fixed_points(boxed(bounds))
