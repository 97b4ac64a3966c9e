"""What is measured of a discriminator: generalisation gap, sensitivity, Lipschitz bounds."""

import math

import pytest
import torch
from metric_cases import Slope, metrics, normal
from torch import nn

import gandyn as gd
from gandyn.gans.architectures.heads import CLASSIFYING


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
            labels = torch.arange(20) % classes if classes and options["condition"] not in CLASSIFYING else None
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
