"""Pictures of the global analyses show the numbers of their results; results go into JSON."""

import json

import numpy as np
import pytest
import sympy

import gandyn as gd
from gandyn.plots.data_plane import MARGIN, _around

x, y = sympy.symbols("x y", real=True)
QUARTIC = gd.games.from_sympy([x**2 / 2 - x**4 / 8, y**2 / 4], [x, y])


def test_a_bifurcation_diagram_shows_branches_points_and_long_run_values():
    result = gd.bifurcation(QUARTIC, gd.rules.GDA(0.1), "lr", np.linspace(1.5, 2.4, 10), box=[(-0.5, 0.5)] * 2)
    figure = result.plot()
    assert [t.get_text() for t in figure.legends[0].get_texts()] == [
        "attracting", "not attracting", "long-run values", "flip"
    ]  # fmt: skip
    np.testing.assert_array_equal(figure.data["attractor"], result.attractor)
    assert figure.data["points"][0]["parameter"] == pytest.approx(2)
    solid = [line for line in figure.axes[0].lines if line.get_linestyle() == "-"]
    drawn = np.concatenate([line.get_xdata()[np.isfinite(line.get_ydata())] for line in solid])
    assert drawn.max() < 2.05  # nothing that does not attract is drawn solid
    assert figure.axes[0].get_xlabel() == "step size lr"
    json.dumps(result.to_dict())
    assert "flip at 2" in result.summary()
    with pytest.raises(gd.GandynError, match="coordinate"):
        result.plot(coordinate=2)


def test_exponents_are_drawn_with_their_bands():
    result = gd.lyapunov_exponents(gd.games.bilinear(), gd.rules.OptimisticGD(0.3), [1.0, 0.0], steps=100, settle=10)
    figure = result.plot()
    np.testing.assert_array_equal(figure.data["running"], result.running)
    assert len(figure.legends[0].get_texts()) == 4
    json.dumps(result.to_dict())


@pytest.mark.parametrize(
    ("game", "start"),
    [
        (gd.games.matching_pennies(), [0.7, 0.3, 0.5, 0.5]),
        (gd.games.rock_paper_scissors(), [0.5, 0.25, 0.25, 0.2, 0.5, 0.3]),
    ],
    ids=["pennies", "rock paper scissors"],
)
def test_returns_are_marked(game, start):
    result = gd.recurrence(game, start, time=25.0, radius=0.1)
    figure = result.plot()
    assert len(figure.axes) == 3
    marks = next(line for line in figure.axes[1].lines if line.get_marker() == "v")
    np.testing.assert_array_equal(marks.get_xdata(), result.returns)
    assert len(result.returns) > 0
    for axes in figure.axes[1:]:
        assert axes.get_xlim() == (0, 25)
    json.dumps(result.to_dict())


def test_circles_and_periodic_orbits_are_drawn_in_the_phase_portrait():
    found = gd.limit_cycles(QUARTIC, [(-0.7, 0.7)] * 2, rule=gd.rules.GDA(2.2), periods=2)
    orbit = next(c for c in found if c.period == 2 and c.stable)
    figure = orbit.plot()
    assert "attracting orbit of period 2" in figure.paths
    json.dumps(orbit.to_dict())
    assert "period 2" in orbit.summary()


def test_a_box_around_points_is_a_fifth_wider_than_they_are_and_has_their_middle():
    box = _around(np.array([[3.0, -10.0], [13.0, 10.0]]))
    np.testing.assert_allclose(box, [[8 - 5 * MARGIN, 8 + 5 * MARGIN], [-10 * MARGIN, 10 * MARGIN]])
