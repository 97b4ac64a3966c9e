"""Phase portraits: fields, trajectories, equilibria, runs that leave."""

from __future__ import annotations

import json

import numpy as np
import pytest
import sympy
from plot_cases import BILINEAR, LR, RULES, legend_labels

import gandyn as gd
from gandyn.errors import DomainError, ParameterError, UnknownNameError
from gandyn.plots.drawable import inside
from gandyn.results import Status, Trajectory


def test_portrait_shows_the_descent_direction():
    data = gd.plots.phase_portrait(BILINEAR, [(-1, 1), (-2, 2)]).data
    a, b = data["grid"][..., 0], data["grid"][..., 1]
    assert a.shape == (17, 17)
    np.testing.assert_allclose(data["descent_direction"], np.stack([-b, a], -1), rtol=0, atol=1e-15)
    assert np.abs(a).max() < 1
    assert np.abs(b).max() < 2
    assert list(data["fixed_points"]) == ["marginal"]


def test_portrait_keeps_trajectories_and_labels_them():
    runs = [gd.iterate(BILINEAR, rule, [1.0, 0.0], 30) for rule in (gd.rules.GDA(0.1), gd.rules.GDA(0.3))]
    figure = gd.plots.phase_portrait(BILINEAR, trajectories=runs)
    drawn = figure.data["trajectories"]
    assert list(drawn) == ["Simultaneous GD (lr=0.1)", "Simultaneous GD (lr=0.3)"]
    for lr, entry in zip((0.1, 0.3), drawn.values(), strict=True):
        radii = np.linalg.norm(entry["w"], axis=-1)
        np.testing.assert_allclose(radii, (1 + lr**2) ** (np.arange(31) / 2), rtol=1e-13)
    assert legend_labels(figure) == [*drawn, "start", "equilibrium (marginal)"]
    json.dumps(figure.to_dict())


def test_portrait_marks_equilibria_by_kind():
    x, y = sympy.symbols("x y", real=True)
    wells = gd.games.from_sympy([x**4 / 4 - x**2 / 2, y**2 / 2], [x, y])
    figure = gd.plots.phase_portrait(wells, [(-2, 2), (-2, 2)], nullclines=True)
    np.testing.assert_allclose(figure.data["fixed_points"]["attracting"], [[-1, 0], [1, 0]], atol=1e-9)
    np.testing.assert_allclose(figure.data["fixed_points"]["saddle"], [[0, 0]], atol=1e-9)
    nullclines = figure.data["nullclines"]
    crossed = np.concatenate(nullclines["$x$"])[:, 0]
    assert np.abs(crossed**3 - crossed).max() < 1e-3
    np.testing.assert_allclose(np.concatenate(nullclines["$y$"])[:, 1], 0, atol=1e-9)
    assert {"equilibrium (attracting)", "equilibrium (saddle)", "$v_{x} = 0$"} <= set(legend_labels(figure))


def test_a_run_that_leaves_is_said_to_leave_and_not_drawn_at_infinity():
    fast = gd.iterate(BILINEAR, gd.rules.GDA(5.0), [1.0, 0.0], 2000)
    assert fast.diverged
    figure = gd.plots.phase_portrait(BILINEAR, trajectories=fast)
    assert "Simultaneous GD (leaves the picture)" in legend_labels(figure)
    (shown,) = figure.paths["Simultaneous GD"].points
    assert np.isfinite(shown).all()
    assert np.abs(shown).max() < 20
    assert figure.data["box"].max() < 5


def test_the_last_point_drawn_lies_on_its_segment():
    run = np.array([[0.0, 0.0], [1e300, 2e300]])
    shown, row = inside(run, np.array([[-1.0, 1.0], [-1.0, 1.0]]))
    assert row == 1
    np.testing.assert_allclose(shown[1], [1.5, 3.0])


def test_nan_is_never_plotted():
    w = np.array([[1.0, 0.0], [np.nan, 0.0], [0.5, 0.0]])
    bad = Trajectory(w=w, t=np.arange(3), status=Status.OK, steps=2, game=BILINEAR, rule=RULES[0])
    for draw in (gd.plots.phase_portrait, gd.plots.surface):
        with pytest.raises(ParameterError, match=r"'Simultaneous GD' is not finite from row 1 on"):
            draw(BILINEAR, trajectories=bad)
    x, y = sympy.symbols("x y", real=True)
    holed = gd.games.from_sympy(x * y + sympy.log(x), [x, y], name="holed")
    note = [t.get_text() for t in gd.plots.phase_portrait(holed, [(-1, 1.3), (-1, 1)], fixed_points=()).axes[0].texts]
    assert not any("not finite" in text for text in note)  # v = y + 1/x is finite on the grid
    with pytest.raises(ParameterError, match="cost of holed is not finite"):
        gd.plots.surface(holed, box=[(-1, 1), (-1, 1)], fixed_points=())
    root = gd.games.from_sympy(y * sympy.sqrt(x), [x, y], name="root")
    figure = gd.plots.phase_portrait(root, [(-1, 1), (-1, 1)], fixed_points=())
    assert any("field not finite at" in text.get_text() for text in figure.axes[0].texts)


@pytest.mark.parametrize("field", ["arrows", "stream", "none"])
def test_ways_to_draw_the_field(field):
    figure = gd.plots.phase_portrait(BILINEAR, field=field)
    assert ("grid" in figure.data) == (field != "none")


def test_portraits_that_cannot_be():
    matrix = gd.games.bilinear([[1, 2], [3, 4]])
    with pytest.raises(DomainError, match="4 coordinates"):
        gd.plots.phase_portrait(matrix)
    for box in ([(-1, 1)], [(1, -1), (-1, 1)], [(-1, np.inf), (-1, 1)], "box"):
        with pytest.raises(ParameterError, match=r"2 (finite )?pairs"):
            gd.plots.phase_portrait(BILINEAR, box)
    with pytest.raises(UnknownNameError, match=r"'arows'.*did you mean 'arrows'"):
        gd.plots.phase_portrait(BILINEAR, field="arows")
    last = gd.iterate(BILINEAR, RULES[0], [1, 0], 5, record="last")
    with pytest.raises(ParameterError, match="recorded one point"):
        gd.plots.phase_portrait(BILINEAR, trajectories=last)


def test_large_ensembles_are_thinned():
    starts = np.random.default_rng(0).normal(size=(500, 2))
    run = gd.iterate(BILINEAR, RULES[2], starts, 10)
    figure = run.plot()
    assert len(figure.paths["Extragradient"].lines) == 64
    assert figure.data["trajectories"]["Extragradient"]["w"].shape == (11, 500, 2)


def test_torch_trajectories_and_games_are_drawn():
    torch = pytest.importorskip("torch")
    run = gd.iterate(BILINEAR, RULES[0], torch.tensor([1.0, 0.0], dtype=torch.float64), 10)
    (points,) = run.plot().paths["Simultaneous GD"].points
    np.testing.assert_allclose(np.linalg.norm(points, axis=-1), (1 + LR**2) ** (np.arange(11) / 2))


@pytest.mark.parametrize("noise", [None, 0.01, 0.1])
def test_a_spiral_is_not_cut_off_for_a_few_steps(noise):
    """With noise 0.1 a run reached 4.6 in a frame of 4.3."""
    study = gd.plots.compute_spiral(noise=noise)
    figure = gd.plots.draw_spiral(study)
    low, high = figure.data["box"].T
    for run in study.trajectories.values():
        assert ((run.w > low) & (run.w < high)).all()
