"""The metrics of the literature against formulas written out again, on a stand-in network, and Inception's layers."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import scipy.linalg
import torch

import gandyn as gd
from gandyn.gans.features.inception import InceptionV3, as_bytes, resized

M = gd.gans.metrics
RNG = np.random.RandomState(0)
WEIGHTS = RNG.normal(size=(12, 6))
CLASSES = RNG.normal(size=(6, 4))
REAL = RNG.uniform(-1, 1, (60, 3, 2, 2))
FAKE = np.clip(RNG.normal(0.1, 0.5, (50, 3, 2, 2)), -1, 1)


class StandIn:
    """What the metrics ask of Inception: six features and four logits of twelve numbers."""

    name = "standin"

    def __call__(self, points):
        return torch.as_tensor(np.tanh(points.double().flatten(1).numpy() @ WEIGHTS))

    def logits(self, points):
        return self(points) @ torch.as_tensor(CLASSES)


def features(points):
    return np.tanh(points.reshape(len(points), -1) @ WEIGHTS)


def test_fid_is_the_formula_with_scipys_matrix_root():
    x, y = features(REAL), features(FAKE)
    root = scipy.linalg.sqrtm(np.cov(x, rowvar=False) @ np.cov(y, rowvar=False)).real
    traces = np.trace(np.cov(x, rowvar=False)) + np.trace(np.cov(y, rowvar=False)) - 2 * np.trace(root)
    by_hand = np.sum((x.mean(0) - y.mean(0)) ** 2) + traces
    assert M.fid(torch.tensor(REAL), torch.tensor(FAKE), StandIn()).value == pytest.approx(by_hand, rel=1e-9)


def test_the_inception_score_is_the_formula_over_the_same_splits():
    order = np.random.RandomState(2020).permutation(50)
    logits = (features(FAKE) @ CLASSES)[order]
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    scores = []
    for start, end in pairwise([i * 50 // 7 for i in range(8)]):
        q = p[start:end].mean(0)
        scores.append(
            np.exp(np.mean([sum(a * np.log(a / b) for a, b in zip(row, q, strict=True)) for row in p[start:end]]))
        )
    score = M.inception_score(torch.tensor(FAKE), StandIn(), splits=7)
    assert score.value == pytest.approx(np.mean(scores), rel=1e-12)
    assert score.parts["spread"] == pytest.approx(np.std(scores), rel=1e-9)


def test_kid_is_the_mean_over_the_same_subsets():
    x, y, rng, values = features(REAL), features(FAKE), np.random.RandomState(2020), []
    for _ in range(3):
        a, b = x[rng.choice(60, 20, replace=False)], y[rng.choice(50, 20, replace=False)]
        own = [sum((u @ v / 6 + 1) ** 3 for i, u in enumerate(z) for j, v in enumerate(z) if i != j) for z in (a, b)]
        across = sum((u @ v / 6 + 1) ** 3 for u in a for v in b)
        values.append(sum(own) / (20 * 19) - 2 * across / 400)
    score = M.kernel_inception_distance(torch.tensor(REAL), torch.tensor(FAKE), StandIn(), subsets=3, subset_size=20)
    assert score.value == pytest.approx(np.mean(values), rel=1e-9)
    assert score.parts["spread"] == pytest.approx(np.std(values), rel=1e-9)
    with pytest.raises(gd.errors.ParameterError, match="subset_size=51"):
        M.kernel_inception_distance(torch.tensor(REAL), torch.tensor(FAKE), StandIn(), subset_size=51)


def test_precision_and_recall_count_balls_to_the_third_neighbour():
    x, y = features(REAL), features(FAKE)

    def covered(points, centres):
        radii = [sorted(np.linalg.norm(c - o) for o in centres)[3] for c in centres]
        return np.mean([any(np.linalg.norm(p - c) <= r for c, r in zip(centres, radii, strict=True)) for p in points])

    score = M.precision_recall(torch.tensor(REAL), torch.tensor(FAKE), StandIn())
    p, r = covered(y, x), covered(x, y)
    assert (score.parts["precision"], score.parts["recall"]) == pytest.approx((p, r))
    assert score.value == pytest.approx(2 * p * r / (p + r))


def test_resizing_reads_where_tensorflow_reads():
    images = torch.tensor(RNG.uniform(0, 255, (1, 1, 3, 5)))
    found = resized(images, 7)[0, 0].numpy()
    source = images[0, 0].numpy()
    for i in range(7):
        for j in range(7):
            u, v = i * 3 / 7, j * 5 / 7
            a, b = int(u), int(v)
            c, d = min(a + 1, 2), min(b + 1, 4)
            top = source[a, b] * (1 - (v - b)) + source[a, d] * (v - b)
            low = source[c, b] * (1 - (v - b)) + source[c, d] * (v - b)
            assert found[i, j] == pytest.approx(top * (1 - (u - a)) + low * (u - a), rel=1e-12)
    assert as_bytes(torch.tensor([-1.0, 0.0, 1.0]).reshape(1, 1, 1, 3))[0, :, 0].tolist() == [[0, 128, 255]] * 3


def test_inception_keeps_the_sizes_of_its_paper():
    """A side of 299 loses 2 in each 3 x 3 convolution without padding; strides of 2 halve what is left."""
    with torch.device("meta"):
        network = InceptionV3().eval()
        sides = []
        for part in network.children():
            part.register_forward_hook(lambda _, __, output: sides.append(output.shape[-1]))
        network(torch.zeros(1, 3, 299, 299))
    assert sides == [149, 147, 147, 73, 71, 35, 35, 35, 17, 17, 17, 17, 17, 8, 8, 8]


@pytest.mark.slow
def test_inception_has_the_tensors_of_the_published_file_and_is_read_from_one(tmp_path):
    torch.manual_seed(0)
    network = InceptionV3()
    # torchvision's network of the same layers has 21 785 568 parameters before its last layer.
    assert sum(p.numel() for p in network.parameters()) == 21_785_568 + 2049 * 1008
    assert len([name for name in network.state_dict() if name.endswith("conv.weight")]) == 94
    assert network.Mixed_7c.branch3x3dbl_3a.conv.weight.shape == (384, 384, 1, 3)
    assert network.Mixed_6c.branch7x7dbl_5.conv.weight.shape == (192, 160, 1, 7)
    path = tmp_path / "weights.pth"
    torch.save(network.state_dict(), path)
    built = gd.gans.features.inception(str(path))
    pictures = torch.tensor(REAL[:2], dtype=torch.float32)
    assert built(pictures).shape == (2, 2048)
    probabilities = built.probabilities(pictures)
    assert torch.allclose(probabilities.sum(1), torch.ones(2, dtype=torch.double))
    bytes_ = as_bytes(pictures).float()
    with torch.no_grad():
        assert torch.allclose(built(pictures).float(), network.eval()(bytes_), atol=1e-5)
        assert network(bytes_, "192").shape == (2, 192)
        early = gd.gans.features.inception(str(path), layer="192")
        assert torch.allclose(early.differentiable(bytes_ / 127.5 - 1).double(), early(pictures), atol=1e-4)
    state = network.state_dict()
    state.pop("fc.bias")
    torch.save(state, path)
    with pytest.raises(gd.errors.ParameterError, match=r"without fc.bias of shape \(1008,\)"):
        gd.gans.features.inception(str(path))


def test_files_that_hold_no_weights_are_refused_in_one_line(tmp_path):
    for content, message in ((b"no weights", "cannot be read"), (None, "cannot be read")):
        path = tmp_path / "w.pth"
        if content is not None:
            path.write_bytes(content)
        else:
            path.unlink()
        with pytest.raises(gd.errors.ParameterError, match=message) as error:
            gd.gans.features.inception(str(path))
        assert "\n" not in str(error.value)
    with pytest.raises(gd.errors.ParameterError, match="one of 64"):
        gd.gans.features.inception("w.pth", layer="7")
