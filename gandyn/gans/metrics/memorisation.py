"""Does the generator copy its training data? Nearest neighbours of samples against those of held-out data."""

from __future__ import annotations

import math

import torch

from ...types import Array
from ..registries import metrics as registry
from .score import Score, both, distances, looked_at

BLOCK = 4096


@registry.register("memorisation", examples=())
def memorisation(training: Array, held_out: Array, fake: Array, features: object = "coordinates") -> Score:
    """P(a sample is closer to the training data than a held-out point is), with a one-sided p-value.

    For samples as new as held-out data it is 1/2; copies bring it to 1. This is the data-copying test of Meehan et al.
    2020 (section 3) without its cells: the rank statistic U / (n m) of the distances to the nearest training point,
    ties counted half. Low values mean samples farther from the data than data are from each other: poor, not original.
    A generator that leaves out regions can hide copies, so look at coverage too.

    Args:
        training: the points trained on. held_out: real points not trained on. fake: samples.
        features: as for `frechet`; copies with small changes are found better in features than in pixels.

    Returns:
        A score with `parts`: p_value of "as new as held-out data" against "closer", by Mann-Whitney's test; the median
        distances; the share of samples closer than every held-out point.
    """
    from scipy.stats import mannwhitneyu

    name, x, y = both(training, fake, features)
    _, apart = looked_at(held_out, features)
    of_fake, of_held_out = (_nearest(points.to(x), x).cpu() for points in (y, apart))
    n, m = len(of_fake), len(of_held_out)
    test = mannwhitneyu(of_fake.numpy(), of_held_out.numpy(), alternative="less")
    value = 1 - float(test.statistic) / (n * m)
    parts = {
        "p_value": float(test.pvalue),
        "median_of_samples": float(of_fake.median()),
        "median_of_held_out": float(of_held_out.median()),
        "closer_than_all": float((of_fake < of_held_out.min()).double().mean()),
        "held_out": m,
    }
    error = math.sqrt((n + m + 1) / (12 * n * m))
    return Score(f"memorisation_{name}", value, error, n, len(x), name, 0.5, 0, "", parts)


def _nearest(points: Array, others: torch.Tensor) -> torch.Tensor:
    """The distance of each point to the nearest of the others, (n,), block by block: training sets may be large."""
    blocks = [distances(points, part).min(1).values for part in torch.split(others, BLOCK)]
    return torch.stack(blocks).min(0).values
