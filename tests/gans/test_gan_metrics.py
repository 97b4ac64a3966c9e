"""Distances between samples: Frechet, Wasserstein, MMD and KID; scores of classifiers; assessments and refusals."""

import itertools
import json
import math

import numpy as np
import pytest
import torch
from metric_cases import Slope, metrics, normal

import gandyn as gd
from gandyn.errors import DomainError, ParameterError, ShapeError
from gandyn.gans.metrics import mean_discrepancy


def standardised(n, d, seed=0):
    """Points whose sample mean is exactly 0 and whose sample covariance is exactly the identity."""
    x = normal(n, d, seed)
    x = x - x.mean(0)
    values, vectors = torch.linalg.eigh(x.T @ x / (n - 1))
    return x @ vectors / values.sqrt() @ vectors.T


def test_frechet_of_normals_is_exact():
    """Commuting covariances: |m|^2 + sum (a_i - b_i)^2 with a, b the standard deviations."""
    x = standardised(50, 3)
    a, b = torch.tensor([1.0, 2.0, 0.5]).double(), torch.tensor([3.0, 0.1, 0.5]).double()
    shift = torch.tensor([1.0, -2.0, 0.3]).double()
    score = metrics.frechet(x * a, x * b + shift, resamples=0)
    assert score.value == pytest.approx(float(shift.square().sum() + (a - b).square().sum()), rel=1e-12)
    assert score.metric == "frechet_coordinates"
    assert (score.samples, score.reference, score.floor_samples) == (50, 50, 25)


def test_frechet_of_covariances_that_do_not_commute():
    """Against SciPy's matrix root of the product of the covariances."""
    from scipy.linalg import sqrtm

    source = torch.Generator().manual_seed(3)
    mixing = [torch.randn(4, 4, generator=source, dtype=torch.float64) for _ in range(2)]
    x, y = (standardised(60, 4, seed) @ m for seed, m in enumerate(mixing))
    first, second = (m.T @ m for m in mixing)
    expected = np.trace(first + second) - 2 * np.trace(sqrtm((first @ second).numpy()).real)
    assert metrics.frechet(x, y, resamples=0).value == pytest.approx(float(expected), rel=1e-9)


def test_frechet_has_a_floor_and_an_error():
    """Of equal normals with N points a side the expectation is near (d + d (d + 1) / 4 ) 2 / N: means, covariances."""
    d, n = 3, 400
    values = [metrics.frechet(normal(n, d, 2 * k), normal(n, d, 2 * k + 1), resamples=0).value for k in range(30)]
    # |m1 - m2|^2 has mean 2 d / n; for covariances near 1 the rest is |C1 - C2|^2 / 4, of mean 2 d (d + 1) / (4 n).
    expected = (2 * d + d * (d + 1) / 2) / n
    assert np.mean(values) == pytest.approx(expected, abs=4 * np.std(values) / math.sqrt(30))
    far = metrics.frechet(normal(n, d), normal(n, d, 1, mean=1.0), other_real=normal(n, d, 2))
    assert far.floor_samples == n
    assert far.floor < 5 * expected
    spread = np.std([metrics.frechet(normal(n, d, k), normal(n, d, 99 + k, 1.0), resamples=0).value for k in range(30)])
    assert spread / 2 < far.error < 2 * spread


def test_frechet_draws_from_seed_0_unless_told_otherwise():
    """The error and the halves of the floor are drawn, the distance is not."""
    x, y = normal(40, 2), normal(40, 2, 1)
    first, same, other = (metrics.frechet(x, y, resamples=4, **seed) for seed in ({}, {"seed": 0}, {"seed": 1}))
    assert (first.value, first.error, first.floor) == (same.value, same.error, same.floor)
    assert first.value == other.value
    assert first.error != other.error
    assert first.floor != other.floor


def test_wasserstein_is_the_best_of_all_pairings():
    x, y = normal(6, 2, 0), normal(6, 2, 1, mean=0.4, std=2.0)
    for order in (1, 2):
        pairings = itertools.permutations(range(6))
        best = min(float(((x - y[list(p)]).norm(dim=1) ** order).mean()) for p in pairings) ** (1 / order)
        assert metrics.wasserstein(x, y, order).value == pytest.approx(best, rel=1e-12)


def test_wasserstein_of_a_shift_and_of_a_scaling():
    """A map x -> a x + m with a > 0 is optimal for W2: E|x|^2 (a - 1)^2 + |m|^2 for centred x. A shift also for W1."""
    x = standardised(40, 2)
    shift = torch.tensor([3.0, 4.0]).double()
    assert metrics.wasserstein(x, x + shift, 1).value == pytest.approx(5, rel=1e-12)
    second = float(x.square().sum(1).mean())
    expected = math.sqrt(second * 0.5**2 + 25)
    assert metrics.wasserstein(x, 1.5 * x + shift, 2).value == pytest.approx(expected, rel=1e-12)
    assert metrics.wasserstein(x, x + shift, 2).error == pytest.approx(0, abs=1e-7)


def test_the_orders_pair_differently():
    """On a line, W1 does not care who goes far: only the second order forbids 0 -> 3, 1 -> 1 + ... crossings."""
    x, y = torch.tensor([[0.0, 0.0], [1.0, 0.2]]).double(), torch.tensor([[1.0, 0.0], [2.0, 0.0]]).double()
    one, two = metrics.wasserstein(x, y, 1).value, metrics.wasserstein(x, y, 2).value
    straight = [1.0, math.hypot(1.0, 0.2)]
    crossed = [2.0, 0.2]
    assert one == pytest.approx(min(sum(straight), sum(crossed)) / 2)
    squares = [sum(a * a for a in lengths) / 2 for lengths in (straight, crossed)]
    assert two == pytest.approx(math.sqrt(min(squares)))


def test_sliced_wasserstein():
    """A shift m gives |m| / sqrt(d) in expectation; in one dimension it is W2 itself, for unequal counts too."""
    x = normal(300, 4)
    shift = torch.tensor([2.0, 0.0, 0.0, 0.0]).double()
    score = metrics.sliced_wasserstein(x, x + shift, directions=4000)
    assert score.value == pytest.approx(1.0, abs=4 * score.error)
    line, other = normal(12, 1), normal(18, 1, 1, mean=1.0)
    exact = metrics.wasserstein(line.repeat_interleave(3, 0), other.repeat_interleave(2, 0), 2).value
    assert metrics.sliced_wasserstein(line, other, directions=3).value == pytest.approx(exact, rel=1e-12)
    assert metrics.sliced_wasserstein(x, x).value == 0


def test_squared_mmd_is_its_double_loop():
    x, y = normal(7, 3), normal(5, 3, 1)
    cubic = lambda a, b: float((a @ b / 3 + 1) ** 3)  # noqa: E731
    gaussian = lambda a, b: math.exp(-float((a - b).square().sum()) / (2 * 0.7**2))  # noqa: E731
    for kernel, score in ((cubic, metrics.kid(x, y, "coordinates")), (gaussian, metrics.mmd(x, y, bandwidth=0.7))):
        own = [np.mean([kernel(z[i], z[j]) for i in range(len(z)) for j in range(len(z)) if i != j]) for z in (x, y)]
        cross = np.mean([kernel(a, b) for a in x for b in y])
        assert score.value == pytest.approx(sum(own) - 2 * cross, rel=1e-11)


def test_mmd_of_normals_has_a_closed_form():
    """E k for N(0, 1) and N(m, 1) with width h: (h^2 / (h^2 + 2))^(d/2) exp(-m^2 / (2 (h^2 + 2)))."""
    n, shift, h = 1000, 1.0, 1.3
    score = metrics.mmd(normal(n, 1), normal(n, 1, 1, mean=shift), bandwidth=h, subsets=20)
    scale = math.sqrt(h**2 / (h**2 + 2))
    expected = 2 * scale * (1 - math.exp(-(shift**2) / (2 * (h**2 + 2))))
    assert abs(score.value - expected) < 4 * score.error
    assert score.error < 0.1 * expected


def test_kid_is_unbiased_and_its_error_is_honest():
    values = [
        metrics.kid(normal(60, 3, 2 * k), normal(60, 3, 2 * k + 1), "coordinates", subsets=0).value for k in range(80)
    ]
    assert abs(np.mean(values)) < 4 * np.std(values) / math.sqrt(80)
    apart = [metrics.kid(normal(200, 2, k), normal(200, 2, 500 + k, 0.7), "coordinates", subsets=40) for k in range(40)]
    spread, stated = np.std([s.value for s in apart]), np.mean([s.error for s in apart])
    assert 0.6 < stated / spread < 1.7


class Corners:
    """A classifier that is told its probabilities."""

    name, accuracy = "corners", 1.0

    def probabilities(self, points):
        return points.double()


def test_classifier_score_is_between_one_and_the_number_of_classes():
    sure = torch.eye(4, dtype=torch.float64).repeat(25, 1)
    order = torch.randperm(100, generator=torch.Generator().manual_seed(0))
    assert metrics.classifier_score(sure, Corners(), splits=1).value == pytest.approx(4)
    assert metrics.classifier_score(torch.full((50, 4), 0.25), Corners()).value == pytest.approx(1)
    one = torch.tensor([[1.0, 0, 0, 0]]).repeat(50, 1)
    assert metrics.classifier_score(one, Corners()).value == pytest.approx(1)
    mixed = torch.tensor([[0.7, 0.1, 0.1, 0.1]] * 3 + [[0.1, 0.7, 0.1, 0.1]])
    mean = mixed.mean(0)
    expected = math.exp(float((mixed * (mixed / mean).log()).sum(1).mean()))
    assert metrics.classifier_score(mixed, Corners(), splits=1).value == pytest.approx(expected, rel=1e-6)
    split = metrics.classifier_score(sure[order], Corners(), real=sure[order], splits=5)
    assert split.value == split.floor
    assert split.error > 0


def test_class_coverage_counts_shares():
    shares = torch.tensor([0] * 97 + [1] * 2 + [2] * 1)
    score = metrics.class_coverage(torch.nn.functional.one_hot(shares, 4), Corners())
    assert (score.value, score.floor) == (2, 4)
    assert score.parts["shares"] == (0.97, 0.02, 0.01, 0.0)
    p = np.array([0.97, 0.02, 0.01])
    assert score.parts["kl_from_equal"] == pytest.approx(float((p * np.log(4 * p)).sum()))


def test_scores_speak_to_people_and_to_json():
    score = metrics.frechet(normal(20), normal(20, 2, 1))
    assert "frechet_coordinates = " in score.summary()
    assert "perfect samples" in score.summary()
    assert json.loads(json.dumps(score.to_dict()))["features"] == "coordinates"
    assert float(score) == score.value
    with pytest.raises(AttributeError):
        score.value = 1.0


def test_refusals():
    with pytest.raises(ShapeError, match="equally many"):
        metrics.wasserstein(normal(5), normal(6))
    with pytest.raises(ShapeError, match="2 coordinates and samples with 3"):
        metrics.frechet(normal(5), normal(5, 3))
    with pytest.raises(ShapeError, match="n >= 2"):
        metrics.frechet(normal(5), normal(1))
    with pytest.raises(ParameterError, match="neighbour"):
        metrics.precision(normal(3), normal(3), k=3)
    with pytest.raises(ParameterError, match="scale"):
        metrics.support_size(normal(5))
    with pytest.raises(ParameterError, match="mixture"):
        metrics.reverse_kl("ring", normal(5))
    with pytest.raises(ParameterError, match="radius"):
        metrics.adversarial_sensitivity(Slope([1.0, 1.0]), normal(5), 0.0)
    with pytest.raises(DomainError, match="classifier"):
        metrics.classifier_score(normal(5), "coordinates")
    with pytest.raises(AttributeError, match="frechet"):
        metrics.frechett  # noqa: B018 - the attribute access is the test


def test_an_assessment_holds_what_fits_the_data():
    ring = gd.gans.ring()
    perfect = metrics.assess(ring, ring.sample(400, torch.Generator().manual_seed(5)))
    assert perfect["modes"].value == 8
    assert perfect["frechet"].value < 5 * perfect["frechet"].floor
    assert "memorisation" not in perfect.scores
    assert "frechet_coordinates = " in perfect.summary()
    assert perfect.values()["kid_coordinates"] == perfect["kid"].value
    assert json.loads(json.dumps(perfect.to_dict()))["data"] == "ring of 8"
    again = metrics.assess(ring, ring.sample(400, torch.Generator().manual_seed(5)))
    assert again.values() == perfect.values()
    with pytest.raises(ParameterError, match="at least 20 points of shape"):
        metrics.assess(ring, normal(100, 3))


def test_an_assessment_of_points_looks_for_copies_in_all_of_them():
    data = gd.gans.Points("blob", normal(9000, 3)).split(0.2)
    copies = metrics.assess(data, data.points[-60:] + 1e-4)
    assert copies["memorisation"].parts["p_value"] < 1e-12
    assert copies["memorisation"].reference == 7200
    assert metrics.assess(data, normal(200, 3, 9))["memorisation"].parts["p_value"] > 0.01
    assert "class_coverage" not in copies.scores


def test_a_floor_without_samples_of_its_own_is_exact():
    from gandyn.gans.metrics.score import Score

    score = Score("distance", 1.0, None, 10, 10, "pixels", floor=0.25)
    assert "perfect samples: 0.25 (exact)" in score.summary()


def test_the_error_is_of_subsets_of_at_most_1000_points():
    sizes, x = set(), normal(2100, 1)

    def product(a, b):
        sizes.add(len(b))
        return a @ b.T

    mean_discrepancy._error(x, x, product, 2, 0)
    assert sizes == {1000}
