"""Metrics of samples and discriminators: closed forms, planted faults, and a second way to every number."""

import itertools
import json
import math

import numpy as np
import pytest
import torch
from torch import nn

import gandyn as gd
from gandyn.errors import DomainError, ParameterError, ShapeError

metrics = gd.gans.metrics


def normal(n, d=2, seed=0, mean=0.0, std=1.0):
    source = torch.Generator().manual_seed(seed)
    return mean + std * torch.randn(n, d, generator=source, dtype=torch.float64)


def standardised(n, d, seed=0):
    """Points whose sample mean is exactly 0 and whose sample covariance is exactly the identity."""
    x = normal(n, d, seed)
    x = x - x.mean(0)
    values, vectors = torch.linalg.eigh(x.T @ x / (n - 1))
    return x @ vectors / values.sqrt() @ vectors.T


# --- Frechet ----------------------------------------------------------------------------------------------------------


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


# --- transport --------------------------------------------------------------------------------------------------------


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


# --- kernels ----------------------------------------------------------------------------------------------------------


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


# --- modes ------------------------------------------------------------------------------------------------------------


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


# --- manifolds --------------------------------------------------------------------------------------------------------


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


# --- memory, support --------------------------------------------------------------------------------------------------


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


# --- classifiers ------------------------------------------------------------------------------------------------------


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


# --- discriminators ---------------------------------------------------------------------------------------------------


class Slope(nn.Module):
    def __init__(self, weights):
        super().__init__()
        self.weights = nn.Parameter(torch.tensor(weights, dtype=torch.float64))

    def forward(self, x):
        return x @ self.weights


def test_generalisation_gap_is_the_difference_of_means():
    linear = Slope([2.0, 0.0])
    score = metrics.generalisation_gap(linear, normal(4000, 2, mean=0.25), normal(4000, 2, 1))
    assert score.value == pytest.approx(0.5, abs=4 * score.error)
    assert score.error == pytest.approx(2 * math.sqrt(2 / 4000), rel=0.05)
    tied = metrics.generalisation_gap(
        Slope([1.0, 0.0]), torch.tensor([[1.0, 0], [2, 0]]).double(), torch.eye(2).double()
    )
    assert tied.parts["order"] == (0.5 + 1 + 1 + 1) / 4
    # P(x + 1/4 > y) for unit normals.
    assert score.parts["order"] == pytest.approx(0.5 * (1 + math.erf(0.25 / 2)), abs=0.02)


def test_sensitivity_of_a_linear_and_of_a_quadratic_discriminator():
    """|w| r for a linear one; (|x| + r)^2 - |x|^2 for |x|^2, where the first order is 2 r |x|."""
    x, r = normal(50, 2, mean=1.0), 0.3
    linear = metrics.adversarial_sensitivity(Slope([3.0, -4.0]), x, r)
    assert linear.value == pytest.approx(5 * r, rel=1e-12)
    assert linear.parts["first_order"] == pytest.approx(5 * r, rel=1e-12)
    close = (x @ torch.tensor([3.0, -4.0]).double()).abs() < 5 * r
    assert linear.parts["turned"] == pytest.approx(float(close.double().mean()))

    class Square(nn.Module):
        def forward(self, x):
            return x.square().sum(1)

    lengths = x.norm(dim=1)
    square = metrics.adversarial_sensitivity(Square(), x, r, steps=20)
    assert square.value == pytest.approx(float(((lengths + r) ** 2 - lengths**2).mean()), rel=1e-9)
    assert square.parts["first_order"] == pytest.approx(2 * r * float(lengths.mean()), rel=1e-12)


def test_lipschitz_bounds_hold_and_meet_where_they_can():
    linear = metrics.lipschitz(nn.Linear(2, 1, bias=False).double(), normal(9), normal(9, 2, 1))
    assert linear.value == pytest.approx(linear.parts["upper"], rel=1e-12)
    architectures = gd.gans.architectures.registry
    for entry in architectures:
        if not entry.name.endswith("discriminator"):
            continue
        for options in entry.examples:
            network = entry.build(**options).double()
            shape, classes = options["shape"], options.get("classes", 0)
            points = [normal(20, math.prod(shape), seed).reshape(20, *shape) for seed in (0, 1)]
            labels = torch.arange(20) % classes if classes and options["condition"] != "auxiliary" else None
            score = metrics.lipschitz(network, *points, labels=labels)
            assert 0 < score.value <= score.parts["upper"], (entry.name, options)
    assert metrics.lipschitz(Slope([1.0, 1.0]), normal(5), normal(5, 2, 1)).parts["upper"] is None


def test_a_convolutions_bound_exceeds_its_exact_norm_by_little():
    """The exact norm is that of the dense matrix of the linear map; the bound is within the overlap's factor."""
    from gandyn.gans.metrics.lipschitz import upper_bound

    for options in (
        {"kernel_size": 4, "stride": 2, "padding": 1},
        {"kernel_size": 3, "padding": 1},
        {"kernel_size": 1},
    ):
        layer = nn.Conv2d(2, 3, **options).double()
        dense = torch.autograd.functional.jacobian(layer, torch.zeros(1, 2, 8, 8).double()).reshape(-1, 128)
        exact, bound = float(torch.linalg.matrix_norm(dense, 2)), upper_bound(layer, torch.zeros(1, 2, 8, 8).double())
        assert exact <= bound * (1 + 1e-12)
        assert bound < 3 * exact


# --- results and refusals ---------------------------------------------------------------------------------------------


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


# --- everything at once -----------------------------------------------------------------------------------------------


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
