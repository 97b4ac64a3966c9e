"""Failure modes are named where they were planted, at the step where they begin, and nowhere else."""

from __future__ import annotations

import math

import numpy as np
import pytest

import gandyn as gd
from gandyn.gans.monitor import (
    DETECTORS,
    Divergence,
    ModeCollapse,
    Monitor,
    Oscillation,
    Saturation,
    VanishingGradient,
    diagnose,
)
from gandyn.gans.training.start import start

NAMES = {detector.name for detector in DETECTORS}


def shares(covered):
    """Equal shares of some of eight modes."""
    return [0.9 / covered] * covered + [0.0] * (8 - covered)


def healthy(k, rng):
    """A row of a run that learns: the discriminator stays undecided, all modes are there, the mean wanders a little."""
    row = {
        "step": 50 * k,
        "losses": {"generator": 0.7 + 0.05 * rng.normal(), "discriminator": 1.38 + 0.02 * rng.normal()},
        "gradient_norms": {"generator": 0.5 * math.exp(0.3 * rng.normal()), "discriminator": 1.0},
        "order": 0.5 + 0.4 * math.exp(-k / 10),
        "doubt": 0.48 - 0.3 * math.exp(-k / 10),
        "spread": 1 + 0.5 * math.exp(-k / 5),
        "own_spread": 1.0,
        "center": (0.02 * rng.normal(size=2)).tolist(),
    }
    if k % 2 == 0:
        covered = min(8, max(k, 1))
        row["metrics"] = {"shares": shares(covered), "near_quality": min(1.0, k / 16)}
    return row


def log(change=None, rows=80, begin=40, end=10**9):
    """A healthy log with rows from `begin` to `end` changed."""
    rng = np.random.default_rng(0)
    result = [healthy(k, rng) for k in range(rows)]
    for k in range(begin, min(end, rows)):
        if change is not None:
            change(result[k], k)
    return result


def vanish(row, k):
    row["gradient_norms"]["generator"] *= math.exp(-0.5 * (k - 39))
    row["order"] = 0.999


def saturate(row, k):
    row["doubt"] = 0.4 * math.exp(-0.5 * (k - 39))


def collapse(row, k):
    if "metrics" in row:
        row["metrics"]["shares"] = shares(3)


def one_point(row, k):
    row["own_spread"] = 0.01
    row.pop("metrics", None)


def hop(row, k):
    row["center"] = [0.7 * (-1) ** k, 0.0]


def leave(row, k):
    row["spread"] = 1.5 ** (k - 39)


def overflow(row, k):
    row["losses"]["generator"] = math.nan


def steepen(row, k):
    row["gradient_norms"]["discriminator"] = 10.0 ** (k - 39)


PLANTED = {
    "vanishing generator gradient": (vanish, 40 + 6, 40 + 10),
    "discriminator saturation": (saturate, 40 + 6, 40 + 14),
    "mode collapse": (collapse, 44, 44),
    "oscillation": (hop, 41, 46),
    "divergence": (leave, 45, 45),
}


def test_a_healthy_log_is_silent():
    assert diagnose(log()) == []


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_failure_is_named_once_where_it_begins(name):
    change, first, last = PLANTED[name]
    (found,) = diagnose(log(change))
    assert found.name == name
    assert 50 * first <= found.step <= 50 * last
    assert found.ended is None
    detector = next(d for d in DETECTORS if d.name == name)
    beyond = found.statistic < found.threshold if detector.below else found.statistic > found.threshold
    assert beyond
    assert found.threshold == detector.threshold
    assert name in str(found)
    assert set(PLANTED) == NAMES


@pytest.mark.parametrize(("change", "step"), [(one_point, 45), (overflow, 40), (steepen, 44)])
def test_other_faces_of_failures(change, step):
    (found,) = diagnose(log(change))
    assert found.step == 50 * step
    assert found.name == ("mode collapse" if change is one_point else "divergence")
    assert (found.to_dict()["statistic"] is None) == (change is overflow)


@pytest.mark.parametrize("name", PLANTED)
def test_a_failure_that_passes_is_over(name):
    (found,) = diagnose(log(PLANTED[name][0], rows=120, end=65))
    assert 50 * 65 <= found.ended <= 50 * 80
    assert "over at step" in str(found)


def test_findings_are_a_function_of_the_rows():
    rows = log(hop)
    monitor = Monitor()
    begun = [finding for row in rows for finding in monitor.update(row)]
    assert begun == monitor.findings == diagnose(rows)


def test_small_gradients_beside_an_undecided_discriminator_are_an_equilibrium():
    def settle(row, k):
        row["gradient_norms"]["generator"] *= 1e-4

    assert diagnose(log(settle)) == []


def test_an_untrained_generator_has_not_collapsed():
    def far(row, k):
        if "metrics" in row:
            row["metrics"] |= {"shares": shares(1), "near_quality": 0.4}

    assert diagnose(log(far, begin=0)) == []


def test_a_mean_that_travels_does_not_oscillate():
    def travel(row, k):
        row["center"] = [0.3 * k, 0.0]

    assert diagnose(log(travel)) == []


def in_one_mode(row, k, measured=4):
    """All samples in one mode, another one at each row: its own spread is beyond that of one point."""
    place = 2 * math.pi * (k * 3 % 8) / 8
    row |= {"center": [math.cos(place), math.sin(place)], "own_spread": 0.06}
    row.pop("metrics", None)
    if k % measured == 0:
        one = [0.0] * 8
        one[k * 3 % 8] = 0.95
        row["metrics"] = {"shares": one, "near_quality": 0.95}


@pytest.mark.parametrize("measured", [1, 2, 4, 6, 10])
def test_a_collapse_that_hops_is_named_before_its_oscillation(measured):
    """However rarely it is measured, if it is within the rows that show the oscillation."""
    found = diagnose(log(lambda row, k: in_one_mode(row, k, measured)))
    assert [one.name for one in found] == ["mode collapse", "oscillation"]
    third = [k for k in range(40, 80) if k % measured == 0][2]
    assert found[0].step == 50 * third
    assert found[1].step >= found[0].step


def test_an_oscillation_waits_for_no_measurement_that_is_not_made_and_for_none_that_clears():
    def unmeasured(row, k):
        in_one_mode(row, k)
        row.pop("metrics", None)

    (found,) = diagnose(log(unmeasured))
    assert (found.name, found.step <= 50 * 46) == ("oscillation", True)

    def once(row, k):
        in_one_mode(row, k, 2)
        if k == 44:
            row["metrics"] = {"shares": shares(8), "near_quality": 0.95}

    found = diagnose(log(once))
    assert [one.name for one in found] == ["oscillation", "mode collapse"]
    assert found[0].step == 50 * 44


# --- each statistic by hand -------------------------------------------------------------------------------------------


def test_statistics_by_hand():
    norms = [1, 2, 8, 4, 3, 2, 1, 0.5]
    rows = [{"gradient_norms": {"generator": n}, "order": 1.0} for n in norms]
    # Medians of at most five rows: 1, 1.5, 2, 3, 3, 3, 3, 2; the last over the largest.
    assert VanishingGradient().statistic(rows) == pytest.approx(2 / 3)
    assert VanishingGradient().statistic([{**row, "order": 0.98} for row in rows]) is None
    doubts = [{"doubt": d} for d in (0.9, 0.1, 0.2, 0.3, 0.4, 0.5)]
    assert Saturation().statistic(doubts) == pytest.approx(0.3)
    assert Saturation().statistic(doubts[:3]) is None
    metrics = [{"metrics": {"shares": shares(n), "near_quality": 0.9}} for n in (2, 4, 6)]
    assert ModeCollapse().statistic(metrics) == pytest.approx(0.25)
    metrics[2]["metrics"]["shares"] = [0.5, 0.25, 0.25, 0.0]  # H = (3/2) log 2
    assert ModeCollapse().statistic(metrics) == pytest.approx(1 - 2**1.5 / 4)
    square = [{"center": c} for c in [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]] * 4]
    assert Oscillation(window=12).statistic(square) == pytest.approx((12 - 0) / 12)
    assert Oscillation(window=13).statistic(square) == pytest.approx((13 - 2 * 1) / 13)
    steady = [{"gradient_norms": {"g": 2.0}, "losses": {"g": 1.0}, "spread": 1.0} for _ in range(9)]
    steep = [*steady, {"gradient_norms": {"g": 50_000.0}, "losses": {"g": 1.0}, "spread": 1.0}]
    assert Divergence().statistic(steep) == pytest.approx(25)
    assert Divergence().statistic(steady) == pytest.approx(1)


# --- real runs --------------------------------------------------------------------------------------------------------

FAILING = {
    "failure-vanishing-gradient": "vanishing generator gradient",
    "failure-saturated-discriminator": "discriminator saturation",
    "failure-mode-collapse": "mode collapse",
    "failure-oscillation": "oscillation",
    "failure-divergence": "divergence",
}


@pytest.mark.slow
@pytest.mark.parametrize("config", FAILING)
def test_a_failing_run_is_named(config):
    run, _ = start(gd.gans.Config.find(config))
    assert FAILING[config] in {finding.name for finding in run.findings}


@pytest.mark.slow
def test_a_healthy_run_is_silent_and_learns():
    """The shipped ring, its decay compressed into fewer steps."""
    run, _ = start(gd.gans.Config.find("ring-alternating-adam").replace(steps=1500))
    assert run.findings == []
    assert run.metrics["near_modes"] >= 7
    assert run.metrics["near_quality"] > 0.8
