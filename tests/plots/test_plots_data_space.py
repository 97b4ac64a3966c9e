"""The picture of the mixture game in data space: it shows the discriminator that the game plays with."""

from __future__ import annotations

import numpy as np
import pytest

import gandyn as gd
from catalogue import finite_differences

GAME = gd.games.mixture_game()
START = np.array([0.5, 0.5, -0.5, 0.2, 0.4, -0.3, 0.2, 0.1])


def test_the_contours_and_the_pull_are_the_games_own():
    """s from its definition, and grad s by differences of it: in the direction in which samples gain."""
    data = gd.plots.data_space(GAME, START).data
    x = data["coarse_grid"].reshape(-1, 2)

    def logit(points):
        distance = ((points[:, None] - GAME.centers) ** 2).sum(-1)
        return (START[4:] * np.exp(-distance / (2 * GAME.width**2))).sum(-1)

    fine = data["grid"].reshape(-1, 2)
    np.testing.assert_allclose(data["logit"].ravel(), logit(fine), rtol=1e-12, atol=1e-14)
    slopes = finite_differences(lambda p: logit(p.reshape(-1, 2)), x[17])[0]
    np.testing.assert_allclose(data["pull"].reshape(-1, 2)[17], slopes, rtol=1e-8)
    assert np.abs(data["pull"]).max() > 0.1
    np.testing.assert_array_equal(data["means"], START[:4].reshape(2, 2))
    np.testing.assert_array_equal(data["modes"], [[-1, 0], [1, 0]])


def test_a_path_ends_where_it_ends_and_nothing_pulls_at_the_equilibrium():
    run = gd.iterate(GAME, gd.rules.Extragradient(0.1), START, 20)
    figure = gd.plots.data_space(GAME, run.w, title="on the way")
    np.testing.assert_array_equal(figure.data["means"].ravel(), run.w[-1, :4])
    equilibrium = [float(value) for value in GAME.equilibria[0]]
    assert np.abs(gd.plots.data_space(GAME, equilibrium).data["pull"]).max() == 0


def test_other_games_and_shapes_are_refused():
    with pytest.raises(gd.errors.DomainError, match="bilinear in data space"):
        gd.plots.data_space(gd.games.bilinear(), [0.0, 0.0])
    with pytest.raises(gd.errors.ShapeError, match=r"8\)"):
        gd.plots.data_space(GAME, [0.0, 0.0])


def test_no_module_of_a_picture_that_is_loaded_later_has_its_name():
    """Whoever imports such a module puts it in the function's place."""
    later = {name for name, home in gd.plots.HOMES.items() if name == home}
    assert not later
