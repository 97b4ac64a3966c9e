"""Exact mixtures: moments, density, and mode counts against closed forms."""

import importlib.util
import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import gandyn as gd
from gandyn.errors import ParameterError, ShapeError
from gandyn.oracles.gaussian_mixture import GaussianMixture

N = 20_000


def source(seed=0):
    return torch.Generator().manual_seed(seed)


def test_a_perfect_sampler_meets_its_exact_expectation():
    """Distances to the own center are Rayleigh: 1 - exp(-r^2 / 2) lie within r standard deviations."""
    ring = gd.gans.ring()
    report = ring.modes(ring.sample(N, source()))
    expected = 1 - math.exp(-4.5)
    assert report.expected_high_quality == pytest.approx(expected, rel=1e-12)
    assert abs(report.high_quality - expected) < 4 * math.sqrt(expected * (1 - expected) / N)
    assert (report.covered, report.modes) == (8, 8)
    share = expected / 8
    assert np.abs(report.shares - share).max() < 5 * math.sqrt(share * (1 - share) / N)


def test_centers_and_moments():
    ring = gd.gans.ring(dtype=torch.float64)
    angles = np.arange(8) * np.pi / 4
    np.testing.assert_allclose(ring.centers, 2 * np.stack([np.cos(angles), np.sin(angles)], -1), atol=1e-15)
    points = ring.sample(N, source(1))
    assert points.mean(0).abs().max() < 5 * math.sqrt(2.0 / N)
    np.testing.assert_allclose(ring.covariance, np.eye(2) * (2 + 0.02**2), atol=1e-15)
    np.testing.assert_allclose(np.cov(points.T), ring.covariance, atol=5 * 2 / math.sqrt(N))
    grid = gd.gans.grid(side=5, spacing=2.0)
    assert grid.centers.shape == (25, 2)
    assert grid.centers.abs().max() == 4
    np.testing.assert_allclose(grid.covariance, np.eye(2) * (8 + 0.05**2), rtol=1e-6)


def test_density_integrates_to_one():
    mixture = gd.gans.Mixture("two", [[0.0, 0.0], [1.0, 0.5]], 0.2, weights=[1, 3], dtype=torch.float64)
    line = torch.linspace(-2, 3, 401, dtype=torch.float64)
    density = mixture.log_density(torch.cartesian_prod(line, line)).exp()
    assert float(density.sum()) * (5 / 400) ** 2 == pytest.approx(1, abs=1e-12)
    torch.testing.assert_close(mixture.mean, torch.tensor([0.75, 0.375], dtype=torch.float64))


def test_weights_are_honoured():
    mixture = gd.gans.Mixture("two", [[0.0, 0.0], [9.0, 0.0]], 0.1, weights=[1, 3])
    shares = mixture.modes(mixture.sample(N, source(2)), radius=1.0).shares
    assert abs(shares[1] - 0.75) < 4 * math.sqrt(0.75 * 0.25 / N)


def test_what_counts_as_covered():
    """Exactly 1 % of the samples within three standard deviations covers a mode; one sample less does not."""
    ring = gd.gans.ring()
    far = torch.full((1000, 2), 50.0)
    far[:10] = ring.centers[3] + torch.tensor([0.0, 0.0599])
    assert ring.modes(far).covered == 1
    far[0] = ring.centers[3] + torch.tensor([0.0, 0.0601])
    report = ring.modes(far)
    assert report.covered == 0
    assert report.high_quality == pytest.approx(0.009)
    assert ring.modes(far, radius=0.5).covered == 1
    assert "0 of 8 modes" in report.summary()
    assert report.to_dict()["samples"] == 1000


def test_seeds_fix_samples():
    ring = gd.gans.ring()
    torch.testing.assert_close(ring.sample(9, source(3)), ring.sample(9, source(3)), rtol=0, atol=0)
    assert not torch.equal(ring.sample(9, source(3)), ring.sample(9, source(4)))


def test_refusals():
    with pytest.raises(ShapeError, match=r"\(k, 2\)"):
        gd.gans.Mixture("flat", [0.0, 1.0], 0.1)
    with pytest.raises(ParameterError, match="positive"):
        gd.gans.ring(std=0.0)


def test_the_example_trains_every_rule_and_draws(tmp_path, capsys):
    path = Path(__file__).parent.parent.parent / "examples" / "rules_on_a_real_gan.py"
    spec = importlib.util.spec_from_file_location("rules_on_a_real_gan", path)
    example = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = example
    spec.loader.exec_module(example)
    runs = example.main(["--quick", "--device", "cpu", "--out", str(tmp_path / "picture.png")])
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
    numbers = json.loads((tmp_path / "picture.json").read_text())["rules"]
    assert set(numbers) == set(runs) == set(example.rules(1))
    for name, run in runs.items():
        assert np.isfinite(run.norms).all(), name
        assert run.steps[-1] == 40
        assert np.isfinite(run.samples).all()
        assert run.gradients == {"extragradient": 80, "optimistic": 41}.get(name, 40)
    assert "extragradient" in capsys.readouterr().out


def test_densities_of_a_grid_are_those_of_its_points():
    mixture = GaussianMixture(np.array([[0.0, 1], [1, 0], [-1, 2]]), 0.3)
    grid = np.random.default_rng(0).standard_normal((3, 4, 2))
    each = [[float(mixture.log_density(x)) for x in row] for row in grid]
    np.testing.assert_allclose(mixture.log_density(grid), each, rtol=1e-13)
