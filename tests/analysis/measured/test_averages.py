"""Averages, returns and escape times do not depend on how often a trajectory was recorded, and read its status."""

import dataclasses

import numpy as np
import pytest

import gandyn as gd

BILINEAR = gd.games.bilinear()


@pytest.mark.parametrize("rule", [gd.rules.AlternatingGD(0.2), gd.rules.OptimisticGD(0.3)], ids=repr)
def test_averages_of_a_rule_do_not_depend_on_the_stride(rule):
    every = gd.ergodic_average(gd.iterate(BILINEAR, rule, [1.0, 0.0], 4000))
    coarse = gd.ergodic_average(gd.iterate(BILINEAR, rule, [1.0, 0.0], 4000, record=31))
    np.testing.assert_allclose(coarse.w, every.w[coarse.t], atol=1e-14)
    run = gd.iterate(BILINEAR, rule, [1.0, 0.0], 3999).w
    np.testing.assert_allclose(coarse.w[-1], run[1:].mean(0), atol=1e-14)


def test_averages_of_an_ensemble_do_not_depend_on_the_stride():
    starts = np.random.default_rng(0).normal(size=(3, 4, 2))
    coarse = gd.ergodic_average(gd.iterate(BILINEAR, gd.rules.AlternatingGD(0.2), starts, 120, record=40))
    every = gd.iterate(BILINEAR, gd.rules.AlternatingGD(0.2), starts, 120).w
    np.testing.assert_allclose(coarse.w[2], every[1:81].mean(0), atol=1e-14)


@pytest.mark.parametrize("samples", [2, 3, 50])
def test_averages_of_a_flow_are_integrals(samples):
    run = gd.flow(BILINEAR, [1.0, 0.0], 40.0, samples=samples)
    average = gd.ergodic_average(run)
    t = run.t[1:]  # a' = -b, b' = a: w = (cos t, sin t)
    expected = np.stack([np.sin(t) / t, (1 - np.cos(t)) / t], -1)
    np.testing.assert_allclose(average.w[1:], expected, atol=1e-8)


def test_a_diverged_run_has_no_average():
    game = gd.games.quadratic(-1, 0, -1)
    run = gd.iterate(game, gd.rules.GDA(1e8), [[1.0, 1.0], [0.0, 0.0]], 60)
    average = gd.ergodic_average(run)
    assert np.isnan(average.w[-1, 0]).all()
    np.testing.assert_array_equal(average.w[-1, 1], 0)
    with pytest.raises(gd.GandynError, match="diverged"):
        gd.ergodic_average(gd.iterate(game, gd.rules.GDA(1e8), [1.0, 1.0], 60))


def test_what_cannot_be_computed_again_is_refused():
    run = gd.iterate(BILINEAR, gd.rules.AlternatingGD(0.2), [1.0, 0.0], 400, record=31)
    with pytest.raises(gd.GandynError, match="computed again"):
        gd.ergodic_average(dataclasses.replace(run, rule=gd.rules.AlternatingGD(0.21)))
    with pytest.raises(gd.GandynError, match="only the last"):
        gd.ergodic_average(gd.iterate(BILINEAR, gd.rules.AlternatingGD(0.2), [1.0, 0.0], 400, record="last"))


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("rate", [1.0, 1e4])
def test_every_return_to_a_small_ball_is_counted(scale, rate):
    period = 2 * np.pi / rate
    turn = rate * np.array([[0.0, -1.0], [1.0, 0.0]])
    start = np.array([scale, 0.0])
    found = gd.recurrence(BILINEAR, start, 10.2 * period, radius=0.005 * scale, field=lambda w: w @ turn.T, rtol=1e-12)
    entry = 2 * np.arcsin(0.0025) / (2 * np.pi)  # chord 2 sin(angle / 2) = radius
    np.testing.assert_allclose(found.returns, (np.arange(1, 11) - entry) * period, rtol=1e-8)
    assert found.closest.max() < 1e-8 * scale


def test_the_last_return_counts_though_it_does_not_end():
    found = gd.recurrence(BILINEAR, [1.0, 0.0], 2 * np.pi, radius=0.005, field=lambda w: -BILINEAR.field(w))
    assert len(found.returns) == 1


def test_the_median_is_the_step_by_which_half_have_left():
    start = np.array([[0.9, 0.0], [0.8, 0.0], [0.0, 0.0], [0.0, 0.0]])
    found = gd.escape_time(BILINEAR, gd.rules.GDA(0.5), start, 40, radius=1.0)
    assert found.escaped.tolist() == [True, True, False, False]
    assert found.median == found.steps[:2].max()
    fewer = gd.escape_time(BILINEAR, gd.rules.GDA(0.5), start[1:], 40, radius=1.0)
    assert fewer.median == np.inf


def test_the_integral_of_a_flow_is_refined_within_the_numbers_that_memory_holds(monkeypatch):
    """A rotation between two records far apart: one pass of Gauss's rule is not enough, and no other is allowed."""
    flow = gd.flow(gd.games.bilinear(), [1.0, 0.0], 40.0, samples=2)
    assert np.abs(gd.ergodic_average(flow).w[-1]).max() < 0.05
    monkeypatch.setattr("gandyn.analysis.measured.averages.NUMBERS", 20)
    with pytest.raises(gd.errors.ParameterError, match="turns too often"):
        gd.ergodic_average(flow)
