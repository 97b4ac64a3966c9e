"""Fidelity and variety apart, by balls about points: precision and recall, density and coverage."""

from __future__ import annotations

import math

import torch

from ...types import Array
from ..registries import metrics as registry
from .score import Score, both, distances, halves, nearest


@registry.register("precision", examples=())
def precision(real: Array, fake: Array, k: int = 3, features: object = "coordinates", seed: int = 0) -> Score:
    """The share of samples within the union of balls about real points that reach to their k-th neighbour.

    Kynkaanniemi et al. 2019, eq. 1-2. One outlier among the real points covers much with its large ball: `density` is
    more robust.

    Args:
        real, fake: points (N, ...). k: neighbours. features: as for `frechet`. seed: of the halves for the floor.
    """
    name, x, y = both(real, fake, features)
    return _share(f"precision{k}", name, x, y, _inside(y, x, k), _of_halves(x, k, seed))


@registry.register("recall", examples=())
def recall(real: Array, fake: Array, k: int = 3, features: object = "coordinates", seed: int = 0) -> Score:
    """The share of real points within the balls about samples that reach to their k-th neighbour among samples.

    Arguments as for `precision`, with which it changes places when real and fake do.
    """
    name, x, y = both(real, fake, features)
    return _share(f"recall{k}", name, x, y, _inside(x, y, k), _of_halves(x, k, seed))


@registry.register("density", examples=())
def density(real: Array, fake: Array, k: int = 5, features: object = "coordinates") -> Score:
    """Real balls per sample, over k: (1 / (k M)) sum_j sum_i [y_j in the ball of x_i] (Naeem et al. 2020, eq. 3).

    Perfect samples have expectation 1: a sample is in the ball of x if its rank among the N other points, itself and
    N - 1 real ones, is at most k, so with probability k / N. It may be more, where samples crowd where data are dense.

    Args:
        real, fake: points (N, ...). k: neighbours. features: as for `frechet`.
    """
    name, x, y = both(real, fake, features)
    counts = (distances(y, x) <= nearest(x, k)).double().sum(1) / k
    error = float(counts.std()) / math.sqrt(len(y))
    return Score(f"density{k}_{name}", float(counts.mean()), error, len(y), len(x), name, 1.0, 0, "higher")


@registry.register("coverage", examples=())
def coverage(real: Array, fake: Array, k: int = 5, features: object = "coordinates") -> Score:
    """The share of real points whose ball to their k-th real neighbour holds a sample (Naeem et al. 2020, eq. 4).

    Perfect samples, M for N real points: the ball of x holds none if its k nearest among the other N - 1 + M points are
    all real, so the expectation is 1 - prod_{i<k} (N - 1 - i) / (N - 1 + M - i), which is the floor.

    Arguments as for `density`.
    """
    name, x, y = both(real, fake, features)
    held = (distances(x, y) <= nearest(x, k)[:, None]).any(1)
    n, m = len(x), len(y)
    missed = math.prod((n - 1 - i) / (n - 1 + m - i) for i in range(k))
    return _share(f"coverage{k}", name, x, y, held, (1 - missed, 0))


def _inside(points: Array, centers: torch.Tensor, k: int) -> torch.Tensor:
    """Which points lie in the ball of some center, (n,)."""
    return (distances(points, centers) <= nearest(centers, k)).any(1)


def _of_halves(x: torch.Tensor, k: int, seed: int) -> tuple[float | None, int]:
    a, b = halves(x, seed)
    return (float(_inside(a, b, k).double().mean()), len(a)) if len(a) > k else (None, 0)


def _share(
    metric: str, name: str, x: torch.Tensor, y: torch.Tensor, inside: torch.Tensor, floor: tuple[float | None, int]
) -> Score:
    """A share with its binomial error."""
    share = float(inside.double().mean())
    error = math.sqrt(share * (1 - share) / len(inside))
    return Score(f"{metric}_{name}", share, error, len(y), len(x), name, *floor, "higher")
