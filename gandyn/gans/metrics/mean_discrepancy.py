"""Maximum mean discrepancy with a Gaussian kernel, and KID: the same with a cubic kernel on features."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from ...arguments import positive
from ...types import Array
from ..registries import metrics as registry
from .score import Score, both, distances

SUBSETS, LARGEST_SUBSET, BLOCK, MEDIAN_OF = 50, 1000, 1024, 1000
Kernel = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


@registry.register("mmd", examples=())
def mmd(
    real: Array,
    fake: Array,
    bandwidth: float | None = None,
    features: object = "coordinates",
    subsets: int = SUBSETS,
    seed: int = 0,
) -> Score:
    """The unbiased square of the MMD with k(x, y) = exp(-|x - y|^2 / (2 bandwidth^2)) (Gretton et al. 2012, eq. 3).

    Its expectation is 0 for perfect samples, so single values may be negative.

    Args:
        real, fake: points (N, ...). features: as for `frechet`.
        bandwidth: by default the median distance between real points and samples together.
        subsets, seed: of the error; see `kid`.
    """
    name, x, y = both(real, fake, features, least=4)
    if bandwidth is None:
        pooled = torch.cat([x[:MEDIAN_OF], y[:MEDIAN_OF]])
        bandwidth = float(torch.nn.functional.pdist(pooled).median())
    width = positive("bandwidth", bandwidth)

    def gaussian(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return (distances(a, b).square() / (-2 * width**2)).exp()

    value, error = squared_mmd(x, y, gaussian), _error(x, y, gaussian, subsets, seed)
    return Score(f"mmd2_{name}", value, error, len(y), len(x), name, 0.0, parts={"bandwidth": width})


@registry.register("kid", examples=())
def kid(real: Array, fake: Array, features: object, subsets: int = SUBSETS, seed: int = 0) -> Score:
    """The unbiased squared MMD with k(x, y) = (x . y / d + 1)^3 on d features (Binkowski et al. 2018, section 4).

    Unbiased at every N, unlike the Frechet distance: prefer it where N is less than about ten times d.

    The value is the U-statistic of all points. Its error is the standard deviation over random subsets of m points,
    times sqrt(m / N): the variance of such a statistic falls as 1/N, and faster for perfect samples, where the error
    stated is too large.

    Args:
        real, fake: points (N, ...). features: as for `frechet`; there is no default.
        subsets: how many; their size is half the points, at most 1 000. seed: of their choice.
    """
    name, x, y = both(real, fake, features, least=4)

    def cubic(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return (a @ b.T / a.shape[1] + 1) ** 3

    value, error = squared_mmd(x, y, cubic), _error(x, y, cubic, subsets, seed)
    return Score(f"kid_{name}", value, error, len(y), len(x), name, 0.0)


def squared_mmd(x: torch.Tensor, y: torch.Tensor, kernel: Kernel) -> float:
    """mean_{i != j} k(x_i, x_j) + mean_{i != j} k(y_i, y_j) - 2 mean k(x_i, y_j)."""
    return _mean_of_pairs(x, kernel) + _mean_of_pairs(y, kernel) - 2 * _total(x, y, kernel) / (len(x) * len(y))


def _mean_of_pairs(x: torch.Tensor, kernel: Kernel) -> float:
    diagonal = sum(float(kernel(part, part).diagonal().sum()) for part in torch.split(x, BLOCK))
    return (_total(x, x, kernel) - diagonal) / (len(x) * (len(x) - 1))


def _total(x: torch.Tensor, y: torch.Tensor, kernel: Kernel) -> float:
    """The sum over all pairs, block by block."""
    return sum(float(kernel(part, y).sum()) for part in torch.split(x, BLOCK))


def _error(x: torch.Tensor, y: torch.Tensor, kernel: Kernel, subsets: int, seed: int) -> float | None:
    n = min(len(x), len(y))
    m = min(n // 2, LARGEST_SUBSET)
    if subsets < 2 or m < 2:
        return None
    source = torch.Generator().manual_seed(seed)
    values = []
    for _ in range(subsets):
        a, b = (torch.randperm(len(z), generator=source)[:m].to(z.device) for z in (x, y))
        values.append(squared_mmd(x[a], y[b], kernel))
    return float(torch.tensor(values, dtype=torch.float64, device="cpu").std()) * math.sqrt(m / n)
