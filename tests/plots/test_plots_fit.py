"""Nothing written in a picture is cut off: boxes of legends and labels against the page, over a grid of options."""

from __future__ import annotations

import functools
import itertools

import numpy as np
import pytest
from matplotlib.legend import Legend
from matplotlib.text import Text

import gandyn as gd

SLACK = 1.0  # pixels


def cut_off(figure):
    """Texts and legends whose box leaves the page, by their words."""
    figure.draw_without_rendering()
    page, renderer = figure.bbox, figure.canvas.get_renderer()
    ticks = {id(label) for axes in figure.axes for axis in axes._axis_map.values() for label in axis.get_ticklabels()}
    found = []
    for artist in [*figure.findobj(Text), *figure.findobj(Legend)]:
        words = artist.get_text() if isinstance(artist, Text) else "legend"
        if not artist.get_visible() or not words.strip() or id(artist) in ticks:
            continue
        box = artist.get_window_extent(renderer)
        inside = (
            box.x0 >= -SLACK and box.y0 >= -SLACK and box.x1 <= page.width + SLACK and box.y1 <= page.height + SLACK
        )
        if not inside and box.width > 0:
            found.append(words)
    return found


GAMES = {"bilinear": gd.games.bilinear, "dirac": gd.games.dirac_gan}


@functools.cache
def study(game, lr):
    """Computed once, drawn at each width."""
    return gd.plots.compute_spiral(GAMES[game](), lr=lr)


OPTIONS = list(itertools.product(GAMES, (0.2, 1.2, 3.0), ("single", "double", "slide")))
FAST = {("bilinear", 1.2, "double"), ("bilinear", 3.0, "single")}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("game", "lr", "width"), [pytest.param(*o, marks=[] if o in FAST else pytest.mark.slow) for o in OPTIONS]
)
def test_no_label_of_a_spiral_is_cut_off(game, lr, width):
    with gd.plots.house_style(width):
        assert cut_off(gd.plots.draw_spiral(study(game, lr))) == []


@pytest.mark.parametrize("width", ["single", "double"])
def test_no_label_of_a_surface_is_cut_off(width):
    with gd.plots.house_style(width):
        figure = gd.plots.draw_spiral(study("bilinear", 0.2), surface=True)
        assert cut_off(figure) == []
    assert "equilibrium (marginal)" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_a_legend_that_is_too_wide_takes_fewer_columns_then_smaller_type():
    with gd.plots.house_style("single"):
        figure = gd.plots.Drawing()
        axes = figure.subplots()
        for k in range(6):
            axes.plot([0, 1], label=f"a rather long name of a curve, number {k}")
        made = figure.legend(loc="outside lower center", ncols=6)
        assert cut_off(figure) == []
        assert made._ncols == 1
        other = gd.plots.Drawing()
        other.subplots().plot([0, 1], label="a name that is a whole sentence and a half " * 2)
        small = other.legend(loc="outside lower center")
        assert small.get_texts()[0].get_fontsize() < made.get_texts()[0].get_fontsize()


@pytest.mark.slow
@pytest.mark.parametrize("style", ["single", "double", "slide"])
@pytest.mark.parametrize("name", sorted(gd.figures.figures()))
def test_no_label_of_a_published_figure_is_cut_off(name, style):
    """From the data that the docs are built from."""
    import pathlib

    from gandyn.figures import store

    folder = pathlib.Path(__file__).parent.parent.parent / "docs" / "images" / "figures"
    data = next((d for stem in (name, f"{name}-quick") if (d := store.read(folder / stem)) is not None), None)
    assert data is not None
    one = gd.figures.find(name)
    figure = gd.figures.picture(one, data, style, one.verdict)
    with gd.plots.house_style(style):
        assert cut_off(figure) == []


# --- the spiral ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lr", [0.2, 3.0])
def test_the_flow_is_a_curve_and_no_polygon(lr):
    """It turns by less than six degrees between samples, and stays on the circle between them."""
    flow = next(iter(study("bilinear", lr).trajectories.values()))
    moves = np.diff(np.asarray(flow.w, dtype=float), axis=0)
    headings = np.unwrap(np.arctan2(moves[:, 1], moves[:, 0]))
    assert np.abs(np.diff(headings)).max() < np.deg2rad(6)
    middle = (np.asarray(flow.w)[1:] + np.asarray(flow.w)[:-1]) / 2
    assert np.linalg.norm(middle, axis=-1).min() > 0.998


def test_the_default_spiral_makes_more_than_a_turn():
    for game in ("bilinear", "dirac"):
        flow = np.asarray(next(iter(study(game, 0.2).trajectories.values())).w, dtype=float)
        angle = np.unwrap(np.arctan2(flow[:, 1], flow[:, 0]))
        assert abs(angle[-1] - angle[0]) > 2.5 * np.pi
    assert len(next(run for run in study("bilinear", 0.2).trajectories.values() if run.rule).w) == 61


@pytest.mark.slow
def test_no_eigenvalue_label_lies_across_the_unit_circle():
    """No point of the circle is inside a label's box."""
    angles = np.linspace(0, 2 * np.pi, 2000)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    for lr in (0.2, 1.2, 3.0):
        with gd.plots.house_style("double"):
            figure = gd.plots.draw_spiral(study("bilinear", lr))
            figure.draw_without_rendering()
        axes = figure.axes[1]
        pixels, renderer = axes.transData.transform(circle), figure.canvas.get_renderer()
        for text in axes.texts:
            box = Text.get_window_extent(text, renderer)
            x, y = pixels.T
            assert not ((x > box.x0) & (x < box.x1) & (y > box.y0) & (y < box.y1)).any(), (lr, text.get_text())
