"""Spectra in the plane and the spiral study: labels that do not overlap, exact radii, complete pages."""

from __future__ import annotations

import itertools
import json

import matplotlib
import numpy as np
import pytest
import sympy
from matplotlib.text import Text
from plot_cases import BILINEAR, LR, RULES, legend_labels

import gandyn as gd
from gandyn.errors import DomainError, ParameterError
from gandyn.plots.eigenvalues import dark, formula
from gandyn.plots.labels import ANGLES


def test_places_of_labels_are_tried_on_all_sides_alike():
    angles = np.rad2deg(ANGLES).round(9)
    for mirrored in (-angles, 180 - angles):
        assert {a % 360 for a in mirrored} == {a % 360 for a in angles}


@pytest.fixture(scope="module")
def study():
    return gd.plots.compute_spiral(BILINEAR, RULES, LR, (1, 0), 40)


def boxes(artists, figure):
    renderer = figure.canvas.get_renderer()
    return [Text.get_window_extent(artist, renderer) for artist in artists]


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


@pytest.mark.slow
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
    with pytest.raises(ParameterError, match="not finite"):
        gd.plots.spiral(start=(np.nan, 0))
    with pytest.raises(gd.GandynError, match=r"\(3,\)|3 coordinates"):
        gd.plots.spiral(start=(1, 0, 0))
    x, y = sympy.symbols("x y", real=True)
    with pytest.raises(ParameterError, match="no equilibrium within 10"):
        gd.plots.spiral(gd.games.from_sympy([x, y], [x, y], name="slope"))


def test_a_zoom_shows_the_leading_eigenvalue_of_a_map_and_no_zoom_the_circle():
    lin = gd.linearize(BILINEAR, gd.rules.GDA(0.1))
    near, whole = (gd.plots.spectrum(lin, zoom=zoom).axes[0].get_xlim() for zoom in (True, False))
    assert whole[0] < -1 < 1 < whole[1]
    assert 0.5 < near[0] < 1 < near[1] < 1.5


def test_the_title_of_one_network_spectrum_stands_over_its_panel_and_of_two_over_the_figure():
    game = gd.games.from_torch(lambda x, y: (x * y).sum(-1), {"x": 1, "y": 1})
    found = gd.spectrum(game, [0.3, 0.4], confirm=False)
    one = gd.plots.network_spectrum(found, title="alone")
    assert [axes.get_title() for axes in one.axes] == ["alone"]
    assert one.get_suptitle() == ""
    two = gd.plots.network_spectrum({"a": found, "b": found}, title="together")
    assert [axes.get_title() for axes in two.axes] == ["a", "b"]
    assert two.get_suptitle() == "together"


@pytest.mark.parametrize(
    "game",
    [BILINEAR, gd.games.quadratic(1, 2, 0.5), gd.games.quadratic(2, 1, 0), gd.games.quadratic(-0.3, 0.7, 2)],
    ids=["rotation", "spiral", "defective", "saddle"],
)
def test_the_flow_of_an_affine_field_in_closed_form_is_what_an_integrator_finds(game):
    study = gd.plots.compute_spiral(game, [gd.rules.GDA(0.1)], 0.1, (0.7, -0.4), 50)
    drawn = study.trajectories["Gradient flow"]
    integrated = gd.flow(game, (0.7, -0.4), drawn.t, rtol=1e-12)
    assert (drawn.kernel, drawn.status, drawn.t[-1]) == ("closed form", integrated.status, pytest.approx(5.0))
    assert np.abs(drawn.w - integrated.w).max() < 1e-10 * np.abs(drawn.w).max()


def test_a_fraction_of_seven_characters_is_told_exactly_and_a_longer_one_in_decimals_too():
    for number, exact in (("-12345/7", True), ("-123456/7", False)):
        text = formula(gd.linearize(gd.games.quadratic(sympy.Rational(number), 0, sympy.Rational(number))))
        assert (r"\approx" not in text) == exact


def test_a_colour_that_is_dark_enough_for_small_type_stays_as_it_is():
    assert dark("#123456") == "#123456"
    red, green, blue = matplotlib.colors.to_rgb(dark("#ffee00"))
    assert 0.2126 * red + 0.7152 * green + 0.0722 * blue == pytest.approx(0.42, abs=5e-3)
