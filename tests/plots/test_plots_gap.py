"""Pictures of the duality gap: their data against closed forms, one optimum on both landscapes, labels that keep."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

import gandyn as gd

X, Y = sympy.symbols("x y", real=True)
SADDLE = gd.games.from_sympy(3 * X**2 - Y**2 + 4 * X * Y, [X, Y], equilibria=[(0, 0)])
BOX = [(-4, 4), (-4, 4)]


@pytest.mark.parametrize("surface", [False, True])
def test_both_landscapes_show_one_game_with_one_optimum(surface):
    runs = {"descent-ascent": gd.iterate(SADDLE, gd.rules.GDA(0.1), [3, 3], 30)}
    figure = gd.plots.landscapes(SADDLE, runs, box=BOX, surface=surface, grid=21)
    x, y = np.moveaxis(figure.data["grid"], -1, 0)
    np.testing.assert_allclose(figure.data["cost"], 3 * x**2 - y**2 + 4 * x * y, atol=1e-12)
    np.testing.assert_allclose(figure.data["gap"], 7 * x**2 + 7 * y**2 / 3, atol=1e-12)
    lowest = np.unravel_index(figure.data["gap"].argmin(), x.shape)
    np.testing.assert_allclose(figure.data["fixed_points"], [figure.data["grid"][lowest]], atol=1e-12)
    assert figure.data["kind"] == "exact"
    panels = [axes for axes in figure.axes if axes.get_title()]
    assert [axes.get_title() for axes in panels] == ["minimax: $f$", "duality gap (exact)"]
    assert [t.get_text() for t in figure.legends[0].get_texts()] == [
        "descent-ascent", "start", "equilibrium (attracting)"
    ]  # fmt: skip
    figure.draw_without_rendering()


def test_a_certified_landscape_in_the_picture_and_one_that_is_infinite():
    """Within |x|, |y| <= 1 the bilinear gap is |x| + |y|; without a box it is infinite off the saddle."""
    game = gd.games.bilinear()
    figure = gd.plots.landscapes(game, box=[(-1, 1), (-1, 1)], method="box", grid=9)
    np.testing.assert_allclose(figure.data["gap"], np.abs(figure.data["grid"]).sum(-1), atol=1e-12)
    endless = gd.plots.landscapes(game, box=[(-1, 1), (-1, 1)], grid=9)
    assert np.isinf(endless.data["gap"]).sum() == 80
    assert any("infinite" in text.get_text() for axes in endless.axes for text in axes.texts)
    with pytest.raises(gd.GandynError, match="infinite in places"):
        gd.plots.landscapes(game, box=[(-1, 1), (-1, 1)], grid=9, surface=True)
    with pytest.raises(gd.GandynError, match="4 coordinates"):
        gd.plots.landscapes(gd.games.bilinear([[1, 2], [3, 4]]))


def test_a_measurement_is_drawn_as_what_it_is():
    steps = gd.duality_gap(SADDLE, [3, 3], "gradient", k=8, inner_lr=0.01)
    figure = steps.plot()
    np.testing.assert_array_equal(figure.data["history"], steps.history)
    assert figure.axes[0].get_ylabel() == "gap (a lower bound)"
    shares = gd.duality_gap(SADDLE, [3, 3], "box", radius=10).plot()
    np.testing.assert_allclose(shares.data["terms"], [75, 9], rtol=1e-9)
    assert "exact" in shares.axes[0].get_xlabel()
    for bad in (gd.duality_gap(SADDLE, [[3, 3], [1, 1]]), gd.duality_gap(gd.games.bilinear(), [1, 1])):
        with pytest.raises(gd.GandynError, match="one finite gap"):
            bad.plot()


def test_gaps_along_runs_are_the_gaps_of_their_points():
    runs = [gd.iterate(SADDLE, rule, [3, 3], 40) for rule in (gd.rules.GDA(0.1), gd.rules.Extragradient(0.1))]
    result = gd.gap_along(runs, points=11)
    curve = result.curves["Extragradient"]
    w = runs[1].w[::4]
    np.testing.assert_array_equal(curve.t, np.arange(0, 41, 4))
    np.testing.assert_allclose(curve.gap, 7 * w[:, 0] ** 2 + 7 * w[:, 1] ** 2 / 3, rtol=1e-9)
    np.testing.assert_allclose(curve.distance, np.hypot(*w.T), rtol=1e-12)
    assert result.to_dict()["curves"]["SimultaneousGD"]["kind"] == "exact"
    assert "84 ->" in result.summary()
    figure = result.plot()
    np.testing.assert_array_equal(figure.data["Extragradient"]["gap"], curve.gap)
    assert [axes.get_xlabel() for axes in figure.axes] == ["step", "distance to the equilibrium"]
    with pytest.raises(gd.GandynError, match="one start"):
        gd.gap_along(gd.iterate(SADDLE, gd.rules.GDA(0.1), [[3, 3], [1, 1]], 5))
    nowhere = gd.games.from_sympy(X**2 + X * Y - Y**2, [X, Y])
    with pytest.raises(gd.GandynError, match="no known equilibrium"):
        gd.gap_along(gd.iterate(nowhere, gd.rules.GDA(0.1), [3, 3], 5))
    assert gd.gap_along(gd.iterate(nowhere, gd.rules.GDA(0.1), [3, 3], 5), equilibrium=[0, 0]).curves


def test_a_gap_flow_is_drawn_with_what_is_no_equilibrium_marked():
    flow = gd.gap_flow(gd.games.bilinear(), 2, 0.1)

    class Point:
        point = np.array([1.0, 1.0])

    figure = gd.plots.gap_flow(flow, stationary=[Point])
    texts = [t.get_text() for t in figure.legends[-1].get_texts()]
    assert texts == ["equilibrium (attracting)", "stationary, no equilibrium"]
    grid = figure.data["grid"]
    np.testing.assert_allclose(figure.data["descent_direction"], flow(grid), atol=1e-12)
