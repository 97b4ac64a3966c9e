"""Wasserstein distances between samples: exact by assignment for small N, sliced for large."""

from __future__ import annotations

import math

import torch

from ...errors import ParameterError, ShapeError
from ...types import Array
from ..registries import metrics as registry
from .score import Score, both, distances, halves

LARGEST = 3000


@registry.register("wasserstein", examples=())
def wasserstein(
    real: Array,
    fake: Array,
    order: int = 1,
    features: object = "coordinates",
    other_real: Array | None = None,
    seed: int = 0,
) -> Score:
    """W_p = min over pairings pi of (mean_i |x_i - y_pi(i)|^p)^(1/p), exactly, for p = 1 or 2.

    Its estimate from N points exceeds that of the distributions, in d dimensions by about N^(-1/d): read it beside the
    floor, the same between real points. The error is that of the mean over the optimal pairs.

    Args:
        real, fake: equally many points (N, ...), at most 3 000: the cost grows as N^3.
        order: p. features: as for `frechet`.
        other_real: N further real points for the floor; without, two halves of `real`.
        seed: of the halves.

    Raises:
        ShapeError: for unequal or too many points.
    """
    name, x, y = both(real, fake, features)
    if order not in (1, 2):
        raise ParameterError(f"order={order}", "1 or 2", "order=1")
    pairs = _paired(x, y, order)
    value = float(pairs.mean()) ** (1 / order)
    # The delta method: the slope of the root at the mean.
    spread = float(pairs.std()) / math.sqrt(len(pairs))
    error = spread / (order * value ** (order - 1)) if value > 0 else 0.0
    floor = halves(x, seed) if other_real is None else both(real, other_real, features)[1:]
    against = float(_paired(*floor, order).mean()) ** (1 / order)
    return Score(f"w{order}_{name}", value, error, len(y), len(x), name, against, len(floor[0]))


def _paired(x: torch.Tensor, y: torch.Tensor, order: int) -> torch.Tensor:
    """|x - y|^order of the pairs that make its mean smallest."""
    from scipy.optimize import linear_sum_assignment

    if len(x) != len(y) or len(x) > LARGEST:
        given = f"{len(x)} real points and {len(y)} samples"
        raise ShapeError(given, f"equally many, at most {LARGEST}", "cut both to 1000, or use sliced_wasserstein")
    cost = (distances(x, y) ** order).cpu()
    rows, columns = linear_sum_assignment(cost.numpy())
    return cost[rows, columns]


@registry.register("sliced_wasserstein", examples=())
def sliced_wasserstein(
    real: Array,
    fake: Array,
    directions: int = 200,
    features: object = "coordinates",
    other_real: Array = None,
    seed: int = 0,
) -> Score:
    """(E_u W_2^2(u . x, u . y))^(1/2) over random directions u, each a sort (Rabin et al. 2012; Bonneel et al. 2015).

    For distributions that differ by a shift m it is |m| / sqrt(d). The error is that over the directions.

    Args:
        real, fake: points (N, ...); where the counts differ, quantiles are compared.
        directions: how many. seed: of them, and of the halves for the floor.
        features, other_real: as for `frechet`.
    """
    name, x, y = both(real, fake, features)
    source = torch.Generator().manual_seed(seed)
    u = torch.randn(directions, x.shape[1], generator=source, dtype=torch.float64).to(x.device)
    u = u / u.norm(dim=1, keepdim=True)
    squares = _sliced(x, y, u)
    value = math.sqrt(float(squares.mean()))
    error = float(squares.std()) / math.sqrt(directions) / (2 * value) if value and directions > 1 else None
    floor = halves(x, seed) if other_real is None else both(real, other_real, features)[1:]
    against, of = math.sqrt(float(_sliced(*floor, u).mean())), min(map(len, floor))
    parts = {"directions": directions}
    return Score(f"sliced_w2_{name}", value, error, len(y), len(x), name, against, of, parts=parts)


def _sliced(x: torch.Tensor, y: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
    """W_2^2 of the projections on each direction, (directions,)."""
    a, b = (x @ u.T).sort(0).values, (y @ u.T).sort(0).values
    if len(a) == len(b):
        return (a - b).square().mean(0)
    n, m = len(a), len(b)
    # Quantile functions are constant between the merged levels i/n and j/m: the integral is a finite sum.
    steps = (torch.arange(1, size + 1, dtype=torch.float64, device="cpu") / size for size in (n, m))
    levels = torch.cat([*steps]).sort().values
    widths = levels.diff(prepend=torch.zeros(1, dtype=torch.float64, device="cpu")).to(x.device)
    middle = (levels - widths.cpu() / 2).to(x.device)
    i, j = (middle * n).long().clamp(max=n - 1), (middle * m).long().clamp(max=m - 1)
    return ((a[i] - b[j]).square() * widths[:, None]).sum(0)
