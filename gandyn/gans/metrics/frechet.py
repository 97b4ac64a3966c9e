"""The Frechet distance of normals fitted to features: FID where they are Inception's (Heusel et al. 2017)."""

from __future__ import annotations

import torch

from ...types import Array
from ..registries import metrics as registry
from .score import Score, both, halves

RESAMPLES = 20


@registry.register("frechet", examples=())
def frechet(
    real: Array,
    fake: Array,
    features: object = "coordinates",
    other_real: Array = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Score:
    """|m_1 - m_2|^2 + tr(C_1 + C_2 - 2 (C_1^(1/2) C_2 C_1^(1/2))^(1/2)), means and covariances of the features.

    That is the squared 2-Wasserstein distance of the fitted normals (Dowson & Landau 1982, eq. 4). Its estimate is
    biased upwards by about a constant over N, so it is comparable only at equal N, and with the floor: the same
    distance between real points and other real points.

    Args:
        real, fake: points (N, ...).
        features: a name or an object; the score is named after it.
        other_real: further real points for the floor, best as many as samples; without, it is between two halves of
            `real`, at half the N, and so somewhat too high.
        resamples: bootstrap resamples of both sets for the error. seed: of the resamples and the halves.

    Example:
        >>> import torch, gandyn as gd
        >>> real = torch.randn(2000, 2, generator=torch.Generator().manual_seed(0))
        >>> score = gd.gans.metrics.frechet(real, real + 1.0, resamples=0)
        >>> round(score.value, 6), score.metric, score.floor < 0.05
        (2.0, 'frechet_coordinates', True)
    """
    name, x, y = both(real, fake, features)
    floor = halves(x, seed) if other_real is None else both(real, other_real, features)[1:]
    source = torch.Generator().manual_seed(seed)
    values = [distance(_resampled(x, source), _resampled(y, source)) for _ in range(resamples)]
    error = float(torch.tensor(values, device="cpu").std()) if resamples > 1 else None
    return Score(f"frechet_{name}", distance(x, y), error, len(y), len(x), name, distance(*floor), min(map(len, floor)))


def distance(x: torch.Tensor, y: torch.Tensor) -> float:
    """The Frechet distance between the normals fitted to two sets of features, (n, d) and (m, d)."""
    return between_normals(x.mean(0), _covariance(x), y.mean(0), _covariance(y))


def between_normals(m1: torch.Tensor, c1: torch.Tensor, m2: torch.Tensor, c2: torch.Tensor) -> float:
    """The formula itself; the root's trace is the sum of singular values of C_1^(1/2) C_2^(1/2), which is stable."""
    cross = torch.linalg.svdvals(_root(c1) @ _root(c2)).sum()
    return max(0.0, float((m1 - m2).square().sum() + c1.trace() + c2.trace() - 2 * cross))


def _covariance(x: torch.Tensor) -> torch.Tensor:
    centred = x - x.mean(0)
    return centred.T @ centred / (len(x) - 1)


def _root(matrix: torch.Tensor) -> torch.Tensor:
    """The symmetric root of a positive semidefinite matrix; rounding errors below zero are zero."""
    values, vectors = torch.linalg.eigh(matrix)
    root: torch.Tensor = vectors * values.clamp(min=0).sqrt() @ vectors.T
    return root


def _resampled(x: torch.Tensor, source: torch.Generator) -> torch.Tensor:
    return x[torch.randint(len(x), (len(x),), generator=source).to(x.device)]
