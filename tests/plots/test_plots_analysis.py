"""Pictures of the analyses: the data behind them against closed forms; what has no picture says so."""

import numpy as np
import pytest
import sympy

import gandyn as gd


def test_the_map_of_two_parameters_is_where_the_spectral_radius_is_below_one():
    game = gd.games.dirac_gan(penalty=gd.penalties.R1("gamma"))
    region = gd.stability_region(game, gd.rules.GDA("lr"), ("lr", "gamma"))
    data = region.plot(ranges={"lr": (0, 4), "gamma": (0, 3)}).data
    lr, gamma = np.meshgrid(data["x"], data["y"])
    rows = [[np.ones_like(lr), -lr / 2], [lr / 2, 1 - lr * gamma]]
    radius = np.abs(np.linalg.eigvals(np.moveaxis(np.array(rows), (0, 1), (-2, -1)))).max(-1)
    clear = np.abs(radius - 1) > 1e-9
    assert clear.mean() > 0.99
    np.testing.assert_array_equal(data["stable"][clear], (radius < 1)[clear])


def test_the_curve_of_one_parameter_is_the_spectral_radius_and_marks_the_threshold():
    figure = gd.stability_region(gd.games.bilinear(), gd.rules.Extragradient("lr")).plot(ranges={"lr": (0, 1.2)})
    s = figure.data["values"]
    np.testing.assert_allclose(figure.data["size"], np.sqrt(1 - s**2 + s**4), rtol=1e-12)
    assert figure.data["critical"] == 1
    assert figure.axes[0].get_xlabel() == "step size lr"


def test_the_legend_of_the_curve_lies_below_the_axes():
    figure = gd.stability_region(gd.games.bilinear(), gd.rules.Extragradient("lr")).plot()
    figure.lay_out()
    (legend,), (axes,) = figure.legends, figure.axes
    assert axes.get_legend() is None
    assert legend.get_window_extent().y1 < axes.get_window_extent().y0


def test_a_radius_of_exactly_one_is_not_drawn_as_attracting():
    """Alternating steps on v = ab: |lambda| = 1 for every lr < 2, which floats put below 1 here and there."""
    region = gd.stability_region(gd.games.bilinear(), gd.rules.AlternatingGD("lr"))
    data = region.plot(ranges={"lr": (0, 1.9)}).data
    np.testing.assert_allclose(data["size"], 1, atol=1e-7)
    assert not data["stable"].any()


def test_parameters_of_another_sign_than_assumed_are_judged_by_their_eigenvalues():
    """The conditions, lr < 2/5, hold for negative steps too: lambda = 1 - lr (1 +- 2i), of modulus above 1 there."""
    region = gd.stability_region(gd.games.quadratic(1, 2, 1), gd.rules.GDA("lr"))
    data = region.plot(ranges={"lr": (-1, 1)}).data
    clear = np.minimum(np.abs(data["values"]), np.abs(data["values"] - 0.4)) > 1e-9
    expected = (data["values"] > 0) & (data["values"] < 0.4)
    np.testing.assert_array_equal(data["stable"][clear], expected[clear])
    tiny = gd.stability_region(gd.games.quadratic(1e-9, 2e-9, 1e-9), gd.rules.GDA("lr")).plot().data
    assert tiny["stable"].all()


def test_bifurcation_curves_bound_nothing_that_rounding_alone_makes_stable():
    scale = sympy.Symbol("s", positive=True)
    x, y = gd.games.bilinear().symbols
    game, rule = gd.games.from_sympy(scale * x * y, [x, y]), gd.rules.AlternatingGD("lr")
    found = gd.bifurcation_curves(game, rule, ("lr", "s"), [(0.1, 1.2), (0.1, 1.2)], at=(0, 0))
    assert not found.plot().data["stable"].any()


def test_basins_are_drawn_with_their_labels_in_the_legend():
    result = gd.basins(gd.games.bilinear(), gd.rules.AlternatingGD(0.1), [(-1, 1, 6), (-1, 1, 6)], steps=300)
    figure = result.plot()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["cycling", "to (0, 0)"]
    np.testing.assert_array_equal(figure.data["labels"], result.labels)
    loose = gd.basins(gd.games.bilinear(), gd.rules.AlternatingGD(0.1), np.ones((3, 2)), steps=10)
    with pytest.raises(gd.GandynError, match="rectangular grid"):
        loose.plot()


def test_comparisons_are_drawn_with_bands_that_hold_the_median():
    rules = [gd.rules.Extragradient(0.1), gd.rules.OptimisticGD(0.1)]
    figure = gd.compare(gd.games.bilinear(), rules, [1.0, 0.0], 60, step_sizes=None, seeds=3).plot()
    for series in figure.data.values():
        assert (series["low"] <= series["median"]).all()
        assert (series["median"] <= series["high"]).all()
    assert len(figure.legends[0].get_texts()) == 2


def test_a_result_without_a_picture_says_so():
    with pytest.raises(gd.GandynError, match="no picture"):
        gd.decompose(gd.games.bilinear()).plot()


def test_without_known_equilibria_the_calmest_run_sizes_the_picture():
    """3 x^2 - y^2 + 4 x y given by a user: one start, one run that comes to 0 and one that blows up."""
    x, y = sympy.symbols("x y", real=True)
    game = gd.games.from_sympy(3 * x**2 - y**2 + 4 * x * y, [x, y])
    runs = {str(lr): gd.iterate(game, gd.rules.GDA(lr), [3.0, 3.0], 60) for lr in (0.05, 0.5)}
    box = gd.plots.phase_portrait(game, trajectories=runs).data["box"]
    assert (box[:, 0] < 0).all()
    assert (box[:, 1] > 3).all()
    assert np.ptp(box, axis=1).max() < 30


def test_a_region_is_drawn_from_0_to_4_unless_told_otherwise():
    figure = gd.stability_region(gd.games.bilinear(), gd.rules.Extragradient("lr")).plot()
    assert figure.axes[0].get_xlim() == pytest.approx((0, 4), abs=0.25)
