"""Style, files and colours: what every figure shares."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from plot_cases import BILINEAR, LR, RULES, legend_labels

import gandyn as gd
from gandyn.errors import OutputError, ParameterError, UnknownNameError


@pytest.fixture(scope="module")
def study():
    return gd.plots.compute_spiral(BILINEAR, RULES, LR, (1, 0), 40)


@pytest.mark.parametrize(("width", "inches"), [("single", 3.3), ("double", 6.8), ("slide", 10.0)])
def test_style_sets_the_width_and_leaks_nothing(width, inches):
    before = dict(matplotlib.rcParams)
    with gd.plots.house_style(width):
        figure = gd.plots.phase_portrait(BILINEAR)
    assert figure.get_size_inches()[0] == pytest.approx(inches)
    with pytest.raises(ZeroDivisionError), gd.plots.house_style(width):
        raise ZeroDivisionError
    assert dict(matplotlib.rcParams) == before


def test_style_is_single_column_without_asking():
    before = dict(matplotlib.rcParams)
    assert gd.plots.phase_portrait(BILINEAR).get_size_inches()[0] == pytest.approx(3.3)
    assert dict(matplotlib.rcParams) == before


def test_an_unknown_width_is_refused_by_name():
    with pytest.raises(UnknownNameError, match=r"'singel'.*did you mean 'single'"), gd.plots.house_style("singel"):
        pass


def test_two_flows_in_one_picture_are_told_apart():
    """The first in ink, as everywhere; the second in a colour that no other series has."""
    flows = {f"from {x}": gd.flow(BILINEAR, [x, 0], 1) for x in (1.0, 0.5)}
    runs = {**flows, "steps": gd.iterate(BILINEAR, gd.rules.GDA(0.1), [1, 0], 5)}
    paths = gd.plots.phase_portrait(BILINEAR, trajectories=runs).paths
    colours = {label: path.lines[0].get_color() for label, path in paths.items()}
    assert (
        colours["from 1.0"]
        == gd.plots.phase_portrait(BILINEAR, trajectories=flows).paths["from 1.0"].lines[0].get_color()
    )
    assert len(set(colours.values())) == 3


def test_series_colours_differ_under_colour_blindness():
    """Every two series stay apart, for both kinds of red-green blindness (Viénot et al. 1999)."""
    matrices = {
        "protanopia": [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
        "deuteranopia": [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
    }
    linear = np.array([matplotlib.colors.to_rgb(c) for c in gd.plots.SERIES]) ** 2.2
    for matrix in matrices.values():
        seen = np.clip(linear @ np.array(matrix).T, 0, 1) ** (1 / 2.2)
        assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 0.1


@pytest.mark.slow
def test_nothing_global_is_touched(tmp_path):
    code = (
        "import sys, gandyn as gd; g = gd.games.bilinear();"
        "gd.plots.phase_portrait(g, trajectories=gd.iterate(g, gd.rules.GDA(0.1), [1, 0], 5)).save('x.png');"
        "assert 'matplotlib.pyplot' not in sys.modules; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)


@pytest.mark.slow
def test_files_by_suffix_with_embedded_fonts_and_no_date(tmp_path):
    figures = [gd.plots.spectrum([gd.linearize(BILINEAR, RULES[0])]) for _ in range(2)]
    figure = figures[0]
    assert isinstance(figure, Figure)
    for suffix in ("pdf", "png", "svg"):
        first, second = (f.save(tmp_path / f"{k}.{suffix}").read_bytes() for k, f in enumerate(figures))
        assert first == second
        assert len(first) > 5000
    pdf = (tmp_path / "0.pdf").read_bytes()
    assert b"/CIDFontType2" in pdf
    assert b"/Type3" not in pdf
    with Image.open(tmp_path / "0.png") as image:
        assert image.size[0] == round(3.3 * 300)
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_the_numbers_behind_a_picture_are_written_as_json(tmp_path):
    run = gd.iterate(BILINEAR, gd.rules.GDA(0.5), [1.0, 0.0], 2)
    written = gd.plots.phase_portrait(BILINEAR, trajectories={"GDA": run}).save(tmp_path / "portrait.json")
    assert json.loads(written.read_text())["trajectories"]["GDA"]["w"][1] == [1.0, 0.5]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("x.jpg", r"suffix '.jpg'.*one of .pdf, .png, .svg"),
        ("x", r"no suffix"),
        ("missing/x.png", r"there is no folder"),
        ("folder.png", r"cannot write"),
    ],
)
def test_output_paths_that_cannot_be(tmp_path, path, message):
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(OutputError, match=message):
        gd.plots.phase_portrait(BILINEAR).save(tmp_path / path)


def test_what_the_system_refuses_is_one_line():
    with pytest.raises(OutputError, match="cannot write") as caught:
        gd.plots.phase_portrait(BILINEAR, field="none").save("/proc/picture.png")
    assert "\n" not in str(caught.value)


def test_fixed_points_draw_themselves():
    (point,) = gd.fixed_points(BILINEAR)
    assert list(point.plot().data["fixed_points"]) == ["marginal"]
    (point,) = gd.fixed_points(gd.games.bilinear([[1, 2], [3, 4]]))
    assert "spectral_abscissa" in point.plot().data["Gradient flow"]


def test_the_trajectory_climbs_on_the_surface(study):
    figure = gd.plots.surface(BILINEAR, study.trajectories)
    a, b = figure.data["grid"][..., 0], figure.data["grid"][..., 1]
    np.testing.assert_allclose(figure.data["cost"], a * b, atol=1e-14)
    for path in figure.paths.values():
        for points in path.points:
            np.testing.assert_allclose(points[:, 2], points[:, 0] * points[:, 1], atol=1e-14)
    np.testing.assert_allclose(figure.data["fixed_points"]["marginal"], [[0, 0, 0]], atol=1e-14)
    assert "equilibrium (marginal)" in legend_labels(figure)
    axes = figure.axes[0]
    assert [axes.get_xlabel(), axes.get_ylabel(), axes.get_zlabel()] == ["$a$", "$b$", "$f$"]


def test_more_than_two_coordinates_become_curves():
    game = gd.games.bilinear([[1, 2], [3, 4]])
    run = gd.iterate(game, gd.rules.Extragradient(0.1), [1.0, 0, 0, 1.0], 20)
    figure = run.plot()
    a, b = run.w[:, :2], run.w[:, 2:]
    m = np.array([[1, 2], [3, 4]])
    expected = np.linalg.norm(np.concatenate([b @ m.T, -a @ m], axis=-1), axis=-1)
    np.testing.assert_allclose(figure.data["field_norm"][:, 0], expected, rtol=1e-12)
    assert legend_labels(figure) == ["$x_{1}$", "$x_{2}$", "$y_{1}$", "$y_{2}$"]
    assert figure.axes[1].get_xlabel() == "step"


@pytest.mark.parametrize("surface", [False, True])
def test_animation_replays_and_restores(study, tmp_path, surface):
    figure = gd.plots.draw_spiral(study, surface=surface)
    seen = []

    def shown():
        read = "get_data_3d" if surface else "get_data"
        return [np.array(getattr(line, read)()) for path in figure.paths.values() for line in path.lines]

    before = shown()
    count = len(figure.axes[0].lines)

    def watched(numbers):
        seen.extend(numbers)
        assert all(
            line.get_animated() for path in figure.paths.values() for line in path.lines
        )  # not of the background
        return numbers

    path = gd.plots.animate(figure, tmp_path / "s.gif", frames=12, dpi=60, progress=watched)
    assert seen == list(range(12))
    with Image.open(path) as movie:
        assert movie.n_frames == 12
    for old, new in zip(before, shown(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert len(figure.axes[0].lines) == count
    assert not any(line.get_animated() for line in figure.axes[0].lines)


def test_animations_that_cannot_be(study, tmp_path):
    figure = gd.plots.draw_spiral(study)
    with pytest.raises(OutputError, match=r"suffix '\.mp4'"):
        gd.plots.animate(figure, tmp_path / "x.mp4")
    with pytest.raises(ParameterError, match=">= 2"):
        gd.plots.animate(figure, tmp_path / "x.gif", frames=1)
    with pytest.raises(ParameterError, match="without trajectories"):
        gd.plots.animate(gd.plots.phase_portrait(BILINEAR), tmp_path / "x.gif")
