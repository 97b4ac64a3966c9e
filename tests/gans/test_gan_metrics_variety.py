"""Modes, density and coverage, memorisation and support size: what samples miss, repeat or copy."""

import math

import numpy as np
import pytest
import torch
from metric_cases import metrics, normal

import gandyn as gd


def test_planted_mode_drops_are_found():
    ring = gd.gans.ring()
    samples, which = ring.sample_labelled(8000, torch.Generator().manual_seed(0))
    kept = samples[which < 5]
    score = metrics.modes(ring, kept)
    assert (score.value, score.floor) == (5, 8)
    assert score.parts["high_quality"] == pytest.approx(score.parts["expected_high_quality"], abs=0.01)
    assert score.parts["near"] == 1.0
    divergence = metrics.reverse_kl(ring, kept)
    assert divergence.value == pytest.approx(math.log(8 / 5), abs=5e-3)
    far = kept.clone()
    far[: len(far) // 4] += 10 * ring.std
    assert metrics.modes(ring, far).parts["high_quality"] == pytest.approx(0.75 * (1 - math.exp(-4.5)), abs=0.01)


def test_reverse_kl_of_a_perfect_sampler_is_its_floor():
    mixture = gd.gans.Mixture("three", [[0.0, 0], [5, 0], [0, 5]], 0.1, weights=[1, 2, 5])
    scores = [metrics.reverse_kl(mixture, mixture.sample(500, torch.Generator().manual_seed(k))) for k in range(200)]
    values = [s.value for s in scores]
    assert scores[0].floor == 2 / (2 * 500)
    assert np.mean(values) == pytest.approx(scores[0].floor, abs=4 * np.std(values) / math.sqrt(200))
    skew = torch.cat([mixture.centers[:1].repeat(300, 1), mixture.centers[1:2].repeat(100, 1)])
    expected = 0.75 * math.log(0.75 * 8) + 0.25 * math.log(0.25 * 4)
    score = metrics.reverse_kl(mixture, skew)
    assert score.value == pytest.approx(expected, rel=1e-9)
    source = np.random.default_rng(0)
    draws = source.binomial(400, 0.75, 4000) / 400
    spread = np.std(draws * np.log(draws * 8) + (1 - draws) * np.log((1 - draws) * 4))
    assert score.error == pytest.approx(spread, rel=0.1)


def test_balls_are_their_loops():
    """Precision, recall, density and coverage again, ball by ball."""
    x, y, k = normal(30, 2), normal(25, 2, 1, mean=0.8), 3

    def radius(points, i):
        return sorted(float((points[i] - p).norm()) for j, p in enumerate(points) if j != i)[k - 1]

    real, fake = [radius(x, i) for i in range(30)], [radius(y, i) for i in range(25)]
    inside = np.array([[float((y[j] - x[i]).norm()) <= real[i] for i in range(30)] for j in range(25)])
    recalled = np.array([[float((y[j] - x[i]).norm()) <= fake[j] for i in range(30)] for j in range(25)])
    assert metrics.precision(x, y, k).value == pytest.approx(inside.any(1).mean())
    assert metrics.recall(x, y, k).value == pytest.approx(recalled.any(0).mean())
    assert metrics.recall(x, y, k).value == metrics.precision(y, x, k).value
    assert metrics.density(x, y, k).value == pytest.approx(inside.sum() / (k * 25))
    assert metrics.coverage(x, y, k).value == pytest.approx(inside.any(0).mean())


def test_density_and_coverage_of_perfect_samples_are_their_exact_expectations():
    """With few points, so that neighbouring formulas, N / (N - 1) or one factor more or less, would be told apart."""
    pairs = [(normal(9, 2, 2 * s), normal(12, 2, 2 * s + 1)) for s in range(1200)]
    for metric, k in ((metrics.density, 2), (metrics.coverage, 2)):
        scores = [metric(*pair, k=k) for pair in pairs]
        values = [score.value for score in scores]
        error = np.std(values) / math.sqrt(len(values))
        assert abs(np.mean(values) - scores[0].floor) < 4 * error
        assert error < 0.015
    assert metrics.coverage(*pairs[0], k=2).floor == pytest.approx(1 - (8 / 20) * (7 / 19))


def test_fidelity_and_variety_come_apart():
    ring = gd.gans.ring(std=0.1)
    real, which = ring.sample_labelled(600, torch.Generator().manual_seed(0))
    fake, kinds = ring.sample_labelled(1200, torch.Generator().manual_seed(1))
    half = fake[kinds < 4][:600]
    assert metrics.precision(real, half).value > 0.9
    assert metrics.recall(real, half).value == pytest.approx(0.5, abs=0.1)
    assert metrics.coverage(real, half).value == pytest.approx(0.5, abs=0.1)
    blurred = fake[:600] + normal(600, 2, 5, std=0.8)
    assert metrics.precision(real, blurred).value < 0.5
    assert metrics.density(real, blurred).value < 0.5
    assert metrics.precision(real, fake[:600]).value == pytest.approx(metrics.precision(real, half).floor, abs=0.06)
    assert len(which) == 600


def test_memorisation_finds_copies_and_only_copies():
    training, held_out, fresh = normal(300, 4), normal(200, 4, 1), normal(250, 4, 2)
    innocent = metrics.memorisation(training, held_out, fresh)
    assert abs(innocent.value - 0.5) < 3 * innocent.error
    assert innocent.parts["p_value"] > 0.01
    copies = fresh.clone()
    copies[:100] = training[:100] + 1e-3
    guilty = metrics.memorisation(training, held_out, copies)
    assert guilty.parts["p_value"] < 1e-6
    assert guilty.parts["closer_than_all"] >= 0.4
    distance = lambda z: np.array([min(float((p - t).norm()) for t in training) for p in z])  # noqa: E731
    below = distance(fresh[:50])[:, None] < distance(held_out)[None]
    assert metrics.memorisation(training, held_out, fresh[:50]).value == pytest.approx(below.mean(), rel=1e-12)


def test_p_values_of_innocent_samples_are_uniform():
    values = [
        metrics.memorisation(normal(60, 3, 3 * k), normal(50, 3, 3 * k + 1), normal(50, 3, 3 * k + 2)).parts["p_value"]
        for k in range(150)
    ]
    assert abs(np.mean(values) - 0.5) < 4 * math.sqrt(1 / 12 / 150)
    assert np.mean(np.array(values) < 0.1) < 0.2


def test_the_birthday_paradox_counts_a_planted_support():
    """1 000 points of which samples are drawn: each pair coincides with probability 1/1000."""
    support = normal(1000, 5)
    inside = 0
    for seed in range(20):
        drawn = support[torch.randint(1000, (300,), generator=torch.Generator().manual_seed(seed))]
        score = metrics.support_size(drawn + normal(300, 5, seed, std=1e-4), threshold=0.01)
        inside += score.parts["low"] <= 1000 <= score.parts["high"]
        assert score.value == pytest.approx(300 * 299 / 2 / score.parts["pairs"])
    assert inside >= 16
    half = score.parts["batch_for_half"]
    assert 1 - math.exp(-(half**2) / (2 * score.value)) == pytest.approx(0.5)


def test_fresh_points_never_coincide():
    score = metrics.support_size(normal(300, 6), real=normal(300, 6, 1))
    assert (score.value, score.parts["pairs"], score.parts["high"]) == (math.inf, 0, math.inf)
    assert score.parts["low"] == pytest.approx(300 * 299 / 2 / -math.log(0.025))
    planted = normal(300, 6)
    planted[7] = planted[3] + 1e-6
    assert metrics.support_size(planted, real=normal(300, 6, 1)).parts["pairs"] == 1
