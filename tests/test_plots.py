"""Pictures: the numbers behind them against closed forms, what they must show, and what they must leave alone."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
import sympy
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

import gandyn as gd
from gandyn.errors import DomainError, OutputError, ParameterError, UnknownNameError
from gandyn.plots.points import inside
from gandyn.plots.spectrum import formula
from gandyn.results import Status, Trajectory

LR = 0.2
BILINEAR = gd.games.bilinear()
RULES = [gd.rules.GDA(LR), gd.rules.AlternatingGD(LR), gd.rules.Extragradient(LR), gd.rules.OptimisticGD(LR)]


@pytest.fixture(scope="module")
def study():
    return gd.plots.compute_spiral(BILINEAR, RULES, LR, (1, 0), 40)


def legend_labels(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def boxes(artists, figure):
    renderer = figure.canvas.get_renderer()
    return [Text.get_window_extent(artist, renderer) for artist in artists]


# --- style ------------------------------------------------------------------------------------------------------------


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


def test_nothing_global_is_touched(tmp_path):
    code = (
        "import sys, gandyn as gd; g = gd.games.bilinear();"
        "gd.plots.phase_portrait(g, trajectories=gd.iterate(g, gd.rules.GDA(0.1), [1, 0], 5)).save('x.png');"
        "assert 'matplotlib.pyplot' not in sys.modules; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)


# --- drawings ---------------------------------------------------------------------------------------------------------


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


# --- phase portraits --------------------------------------------------------------------------------------------------


def test_portrait_shows_the_descent_direction():
    data = gd.plots.phase_portrait(BILINEAR, [(-1, 1), (-2, 2)]).data
    a, b = data["grid"][..., 0], data["grid"][..., 1]
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
        with pytest.raises(ParameterError, match="2 finite pairs"):
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


# --- spectra ----------------------------------------------------------------------------------------------------------


def linearized(game, *rules):
    return [gd.linearize(game, rule) for rule in rules]


CROWDED = {
    "the spiral's": linearized(BILINEAR, *RULES),
    "one": linearized(BILINEAR, RULES[0]),
    "five on one game": linearized(
        gd.games.dirac_gan(),
        gd.rules.GDA(0.1),
        *(rule(lr) for lr in (0.1, 0.5) for rule in (gd.rules.Extragradient, gd.rules.OptimisticGD)),
    ),
    "real and spread": linearized(gd.games.quadratic(1, 0, 2), *(gd.rules.GDA(lr) for lr in (0.1, 0.5, 0.9))),
    "the same twice": linearized(BILINEAR, gd.rules.OptimisticGD(0.3), gd.rules.PastExtragradient(0.3)),
    "beyond two": linearized(BILINEAR, gd.rules.AlternatingGD(2.5), gd.rules.GDA(2.5)),
    "flows": {k: gd.linearize(gd.games.dirac_gan(penalty=f"R1({k})")) for k in (0.3, 1.0, 1.5)},
}


@pytest.mark.parametrize("width", ["single", "double"])
@pytest.mark.parametrize("case", CROWDED)
def test_annotations_do_not_overlap(case, width):
    with gd.plots.house_style(width):
        figure = gd.plots.spectrum(CROWDED[case])
        figure.draw_without_rendering()
        axes = figure.axes[0]
        labels = [t for t in axes.texts if (t.get_gid() or "").startswith("radius of")]
        assert len(labels) == len(CROWDED[case])
        for (first, a), (second, b) in itertools.combinations(
            zip(axes.texts, boxes(axes.texts, figure), strict=True), 2
        ):
            assert not a.overlaps(b), (first.get_text(), second.get_text())
        frame = axes.get_window_extent()
        for box in boxes(labels, figure):
            assert frame.x0 <= box.x0 < box.x1 <= frame.x1
            assert frame.y0 <= box.y0 < box.y1 <= frame.y1


def test_more_than_five_radii_go_to_the_legend():
    figure = gd.plots.spectrum(linearized(BILINEAR, *(gd.rules.GDA(k / 10) for k in range(1, 9))))
    labels = legend_labels(figure)
    assert len(labels) == 8
    assert labels[1] == r"Simultaneous GD (lr=0.2): $\rho = \sqrt{26} / 5 \approx 1.0198$"
    rules = [gd.rules.Extragradient(k / 10) for k in range(1, 7)]
    figure = gd.plots.compute_spiral(rules=rules, steps=5).plot()
    assert r"Extragradient (lr=0.2): $\rho = \sqrt{601} / 25 \approx 0.9806$" in legend_labels(figure)
    figure.draw_without_rendering()
    for box in boxes([text for text in figure.legends[0].get_texts()], figure):
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1


def test_spectral_radii_are_exact():
    data = gd.plots.spectrum(CROWDED["the spiral's"]).data
    s = sympy.Rational(1, 5)
    expected = {
        "Simultaneous GD": sympy.sqrt(1 + s**2),
        "Alternating GD": sympy.Integer(1),
        "Extragradient": sympy.sqrt(1 - s**2 + s**4),
        "Optimistic GD": sympy.sqrt((1 + sympy.sqrt(1 - 4 * s**2)) / 2),
    }
    assert list(data) == list(expected)
    for label, radius in expected.items():
        assert sympy.simplify(sympy.sympify(data[label]["exact"]) - radius) == 0
        assert data[label]["spectral_radius"] == pytest.approx(float(radius), rel=1e-14)
        assert np.abs(data[label]["eigenvalues"]).max() == pytest.approx(float(radius), rel=1e-12)


def test_formulas():
    assert formula(gd.linearize(BILINEAR, RULES[0])) == r"$\rho = \sqrt{26} / 5 \approx 1.0198$"
    assert formula(gd.linearize(BILINEAR, RULES[1])) == r"$\rho = 1$"
    assert formula(gd.linearize(gd.games.quadratic(1, 0, 2))) == r"$\max\,\mathrm{Re}\,\lambda = -1$"
    heavy = gd.linearize(BILINEAR, gd.rules.HeavyBall(0.1, -0.5, alternating=True))
    assert formula(heavy).startswith(r"$\rho \approx 0.99")


def test_flows_are_drawn_against_the_axis_and_not_among_maps():
    figure = gd.linearize(gd.games.dirac_gan(penalty="R1(0.3)")).plot()
    ((label, entry),) = figure.data.items()
    assert label == "Gradient flow"
    assert entry["exact"] == "-3/20"
    with pytest.raises(DomainError, match="maps and flows"):
        gd.plots.spectrum(linearized(BILINEAR, None, RULES[0]))
    with pytest.raises(ParameterError, match="no linearisation"):
        gd.plots.spectrum([])


def test_fixed_points_draw_themselves():
    (point,) = gd.fixed_points(BILINEAR)
    assert list(point.plot().data["fixed_points"]) == ["marginal"]
    (point,) = gd.fixed_points(gd.games.bilinear([[1, 2], [3, 4]]))
    assert "spectral_abscissa" in point.plot().data["Gradient flow"]


# --- surfaces, curves, animation --------------------------------------------------------------------------------------


def test_the_trajectory_climbs_on_the_surface(study):
    figure = gd.plots.surface(BILINEAR, study.trajectories)
    a, b = figure.data["grid"][..., 0], figure.data["grid"][..., 1]
    np.testing.assert_allclose(figure.data["cost"], a * b, atol=1e-14)
    for path in figure.paths.values():
        for points in path.points:
            np.testing.assert_allclose(points[:, 2], points[:, 0] * points[:, 1], atol=1e-14)
    np.testing.assert_allclose(figure.data["fixed_points"]["marginal"], [[0, 0, 0]], atol=1e-14)
    assert "optimum (marginal)" in legend_labels(figure)
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
    path = gd.plots.animate(figure, tmp_path / "s.gif", frames=12, dpi=60, progress=lambda f: (seen.extend(f), f)[1])
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
    with pytest.raises(ParameterError, match="at least 2"):
        gd.plots.animate(figure, tmp_path / "x.gif", frames=1)
    with pytest.raises(ParameterError, match="without trajectories"):
        gd.plots.animate(gd.plots.phase_portrait(BILINEAR), tmp_path / "x.gif")


# --- the spiral -------------------------------------------------------------------------------------------------------


def test_the_spiral_obeys_its_closed_forms(study):
    runs = study.trajectories
    steps = np.arange(41)
    radii = {label: np.linalg.norm(run.w, axis=-1) for label, run in runs.items()}
    np.testing.assert_allclose(radii["Gradient flow"], 1, rtol=1e-7)
    np.testing.assert_allclose(radii["Simultaneous GD"], (1 + LR**2) ** (steps / 2), rtol=1e-13)
    np.testing.assert_allclose(radii["Extragradient"], (1 - LR**2 + LR**4) ** (steps / 2), rtol=1e-12)
    a, b = runs["Alternating GD"].w.T
    np.testing.assert_allclose(a**2 + b**2 - LR * a * b, 1, rtol=1e-12)  # the ellipse that alternating steps conserve
    optimistic = study.linearizations["Optimistic GD"].spectral_radius
    late = radii["Optimistic GD"][20:]
    assert (late[-1] / late[0]) ** (1 / 20) == pytest.approx(optimistic, abs=1e-6)


def test_the_table(study):
    rows = {row["rule"]: row for row in study.rows()}
    assert rows["Simultaneous GD"]["spectral_radius_exact"] == "sqrt(26)/5"
    assert [row["verdict"] for row in rows.values()] == [
        "marginal",
        "repelling",
        "marginal",
        "attracting",
        "attracting",
    ]
    assert rows["Simultaneous GD"]["final_distance"] == pytest.approx(1.04**20, rel=1e-13)
    lines = study.summary().splitlines()
    assert len(lines) == 6
    assert "sqrt(26)/5" in lines[2]
    assert "1.019804" in lines[2]
    data = json.loads(json.dumps(study.to_dict()))
    assert data["start"] == [1.0, 0.0]
    assert np.shape(data["rules"][1]["w"]) == (41, 2)


@pytest.mark.parametrize("width", ["single", "double", "slide"])
def test_the_picture_is_complete_and_stays_inside_its_page(study, width):
    with gd.plots.house_style(width):
        figure = study.plot()
        figure.draw_without_rendering()
    labels = legend_labels(figure)
    assert labels == [*study.trajectories, "start", "equilibrium (marginal)"]
    portrait, spectrum = figure.axes[:2]
    assert all(axes.get_xlabel() and axes.get_ylabel() and axes.get_title() for axes in (portrait, spectrum))
    notes = [t for t in spectrum.texts if (t.get_gid() or "").startswith("radius of")]
    assert any(r"\sqrt{26} / 5" in t.get_text() for t in notes)
    page = figure.bbox
    for box in boxes([portrait.title, spectrum.title, portrait.xaxis.label, *notes], figure):
        assert page.x0 <= box.x0 < box.x1 <= page.x1
        assert page.y0 <= box.y0 < box.y1 <= page.y1
    curves = {line.get_label(): line.get_color() for line in portrait.lines}
    for points in spectrum.collections:
        assert matplotlib.colors.to_hex(points.get_facecolor()[0]) == curves[points.get_label()].lower()


def test_a_rule_without_derivative_is_shown_without_spectrum():
    study = gd.plots.compute_spiral(rules=[gd.rules.Adam(0.1)], lr=0.1, steps=20)
    (row,) = study.rows()[1:]
    assert row["spectral_radius"] is None
    assert row["verdict"] == "undecided"
    assert "no derivative" in study.summary()
    texts = [t.get_text() for t in study.plot().axes[1].texts]
    assert texts == ["no update map has a derivative here"]


def test_spirals_that_cannot_be():
    with pytest.raises(DomainError, match="4 coordinates"):
        gd.plots.spiral(gd.games.bilinear([[1, 2], [3, 4]]))
    with pytest.raises(ParameterError, match="two finite numbers"):
        gd.plots.spiral(start=(np.nan, 0))
    with pytest.raises(gd.GandynError, match=r"\(3,\)"):
        gd.plots.spiral(start=(1, 0, 0))
    x, y = sympy.symbols("x y", real=True)
    with pytest.raises(ParameterError, match="no equilibrium within 10"):
        gd.plots.spiral(gd.games.from_sympy([x, y], [x, y], name="slope"))
