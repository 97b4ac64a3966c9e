"""Pictures of what training runs showed: series as they were logged, methods in the order of their medians."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import gandyn as gd
from gandyn.errors import ParameterError, UnknownNameError


def rows(gaps, distances, gradients=True):
    """A log whose modes and quality fall as the distance to the data grows."""
    found = []
    for k, (gap, w1) in enumerate(zip(gaps, distances, strict=True)):
        metrics = {"duality_gap": gap, "w1": w1, "near_modes": 8 - round(w1), "near_quality": 0.5, "w1_floor": 0.1}
        found += [{"step": 10 * k, "metrics": metrics, **({"gradients": 80.0 * k} if gradients else {})}, {"step": 5}]
    return found


def test_gap_during_training_shows_the_log_and_how_it_ranks_with_the_gap():
    runs = {"follows": rows([3.0, 2.0, 0.1, -0.2], [4.0, 3.0, 2.0, 1.0]), "opposes": rows([1, 2, 3, 4], [8, 6, 4, 2])}
    figure = gd.plots.gap_during_training(runs, title="two runs")
    found = figure.data["follows"]
    np.testing.assert_array_equal(found["at"], [0, 80, 160, 240])
    np.testing.assert_array_equal(found["duality_gap"], [3.0, 2.0, 0.1, -0.2])
    assert found["rank_correlation"]["w1"] == pytest.approx(1)
    assert found["rank_correlation"]["near_modes"] == pytest.approx(-1)
    assert np.isnan(found["rank_correlation"]["near_quality"])
    assert figure.data["opposes"]["rank_correlation"]["w1"] == pytest.approx(-1)
    assert figure.axes[-1].get_xlabel() == "gradients"
    figure.draw_without_rendering()
    plain = gd.plots.gap_during_training({"run": rows([1, 2], [1, 2], gradients=False)})
    assert plain.axes[-1].get_xlabel() == "step"
    np.testing.assert_array_equal(plain.data["run"]["at"], [0, 10])


def test_gap_during_training_says_what_a_run_lacks():
    with pytest.raises(ParameterError, match="without w1"):
        gd.plots.gap_during_training({"run": [{"step": 0, "metrics": {"duality_gap": 1.0}}]})


def test_the_numbers_along_a_logarithmic_axis_of_seeds_do_not_run_into_each_other():
    """Half a decade, and two decades and a half, in panels side by side at the width of a page."""
    panels = {"grid": {"a": [0.14, 0.6]}, "digits": {"a": [0.4, 90.0]}}
    with gd.plots.house_style("double"):
        figure = gd.plots.seeds(panels)
        figure.draw_without_rendering()
    for axes, least in zip(figure.axes, (2, 7), strict=True):
        ticks = [*axes.xaxis.get_major_ticks(), *axes.xaxis.get_minor_ticks()]
        low, high = axes.get_xlim()
        labels = [t.label1 for t in ticks if low <= t.get_loc() <= high and t.label1.get_text()]
        spans = sorted((box.x0, box.x1) for box in (label.get_window_extent() for label in labels))
        assert all(float(label.get_text()) > 0 for label in labels)
        assert len(spans) >= least
        assert all(end < start for (_, end), (start, _) in itertools.pairwise(spans))


def test_seeds_puts_the_best_median_first():
    panels = {"ring": {"a": [3.0, 1.0, 2.0], "b": [1.5, 1.6, 9.0]}, "grid": {"b": [0.5], "a": [0.4]}}
    figure = gd.plots.seeds(panels, {"ring": "$W_1$"}, {"ring": 0.1})
    assert figure.data["ring"]["methods"] == ["b", "a"]
    assert figure.data["ring"]["medians"] == [1.6, 2.0]
    assert figure.data["grid"]["methods"] == ["a", "b"]
    assert figure.axes[0].get_xlabel() == "$W_1$"
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["b", "a"]
    figure.draw_without_rendering()
    with pytest.raises(ParameterError, match="without numbers"):
        gd.plots.seeds({"ring": {"a": []}})


def test_a_square_of_a_sweep_says_how_many_seeds_agree_and_how_far_they_spread():
    from gandyn.gans.training.sweep import Sweep, SweepResult

    sweep = Sweep.find("heat-map")
    ends = [("covers", 0.92), ("covers", 0.97), ("oscillates", 0.4), ("covers", 0.95), ("partial", 0.8)]
    case, lone = {"lr": "0.01", "beta1": "0.5"}, {"lr": "0.001", "beta1": "0"}
    rows = [{"case": case, "outcome": outcome, "metrics": {"near_quality": share}} for outcome, share in ends]
    rows += [{"case": lone, "outcome": "diverged", "metrics": {}}]
    figure = gd.plots.sweep(SweepResult(sweep, rows))
    data, texts = figure.data, {text.get_text() for text in figure.axes[0].texts}
    i, j = data["rows"].index("0.5"), data["columns"].index("0.01")
    assert (data["outcomes"][i][j], data["agree"][i, j], data["quality"][i, j]) == ("covers", 0.6, 0.92)
    assert texts == {"covers 3 of 5\n92 %\n40 to 97", "diverged"}
    assert np.isnan(data["quality"]).sum() == 14


def test_a_sweep_along_one_axis_has_its_cases_one_below_the_other():
    from gandyn.gans.training.sweep import Sweep, SweepResult

    rows = [{"case": {"penalty": "R1 0.1"}, "outcome": "partial", "metrics": {"near_quality": x}} for x in (0.2, 0.4)]
    figure = gd.plots.sweep(SweepResult(Sweep.find("penalties"), rows))
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == figure.data["rows"]
    (text,) = figure.axes[0].texts
    assert text.get_text() == "partial 2 of 2, 30 %, 20 to 40"
    assert labels[round(text.get_position()[1])] == "R1 0.1"
    assert figure.axes[0].get_ylim()[0] > figure.axes[0].get_ylim()[1]


def test_squares_of_a_sweep_are_the_fuller_the_larger_the_share_near_a_mode():
    from gandyn.gans.training.sweep import Sweep, SweepResult

    shares = {"0.001": 0.2, "0.003": 0.8, "0.01": None}
    rows = [
        {"case": {"lr": lr, "beta1": "0"}, "outcome": "partial", "metrics": {"near_quality": share}}
        for lr, share in shares.items()
    ]
    squares = gd.plots.sweep(SweepResult(Sweep.find("heat-map"), rows)).axes[0].patches
    assert [square.get_alpha() for square in squares] == pytest.approx([0.33, 0.72, 0.85])


def small_runs(rule, seeds=5):
    networks = gd.gans.mlp_pair(hidden=(8,))
    game = gd.gans.GANGame(*networks, data="ring", batch_size=8)
    return gd.gans.train(game, rule, 6, seeds=seeds, log_every=2, metrics_every=2)


def test_a_training_of_several_seeds_is_drawn_with_its_bands():
    """The band in the picture is the one in words, and the lines are the medians of the members' own logs."""
    runs = small_runs(gd.rules.GDA(0.1))
    figure = runs.plot()
    losses = figure.data["losses/generator"]
    own = [[row["losses"]["generator"] for row in run.rows] for run in runs.runs]
    np.testing.assert_allclose(losses, np.transpose(own))
    (line, _), (filled, _) = figure.axes[0].get_lines(), figure.axes[0].collections
    np.testing.assert_allclose(line.get_ydata(), np.median(losses, axis=1))
    edge = filled.get_paths()[0].vertices
    assert edge[:, 1].max() == pytest.approx(np.percentile(losses, 90, axis=1).max())
    low, high = np.percentile(losses[-1], (10, 90))
    assert f"10 to 90 %: {low:.4g} to {high:.4g}" in runs.summary()
    assert [axes.get_ylabel() for axes in figure.axes[:2]] == ["loss", "gradient norm"]
    assert figure.axes[-1].get_xlabel() == "step"
    np.testing.assert_array_equal(figure.data["metrics/near_modes"].shape, (4, 5))
    figure.draw_without_rendering()
    one = runs.runs[0].plot()
    np.testing.assert_array_equal(one.data["losses/generator"], own[0])
    assert not one.axes[0].collections


def test_trainings_are_compared_in_bands_and_what_diverged_is_said():
    quantities = ["losses/generator", "metrics/near_quality"]
    figure = gd.plots.bands([small_runs(gd.rules.GDA(0.1)), small_runs(gd.rules.SGDM(0.1, 0.5), 3)], quantities)
    assert list(figure.data) == ["Simultaneous GD", "SGDM"]
    assert figure.data["SGDM"]["losses/generator"]["values"].shape[1] == 3
    np.testing.assert_array_equal(figure.data["SGDM"]["metrics/near_quality"]["at"], [0, 2, 4, 6])
    assert [axes.get_ylabel() for axes in figure.axes] == ["loss of generator", "near quality"]
    figure.draw_without_rendering()
    lost = gd.plots.bands({"far": small_runs(gd.rules.GDA(1e38))}, "losses/generator", title="too far")
    assert [text.get_text() for text in lost.legends[0].get_texts()] == ["far, 5 of 5 diverged"]
    assert lost.axes[0].get_title() == "too far"
    with pytest.raises(UnknownNameError, match="losses/generator"):
        gd.plots.bands(small_runs(gd.rules.GDA(0.1), 2), "losses/generater")
    with pytest.raises(ParameterError, match="quantities"):
        gd.plots.bands(small_runs(gd.rules.GDA(0.1), 2), [])
    with pytest.raises(ParameterError, match="without a log"):
        gd.plots.bands(gd.gans.ring().modes(gd.gans.ring().sample(8)), "losses/generator")
