"""Modes of an exact mixture: how many are covered, and how their shares differ from the true ones."""

from __future__ import annotations

import math
from typing import Any

import torch

from ...errors import ParameterError
from ...types import Array
from ..registries import metrics as registry
from .score import Score, distances

NEAR = 0.5


@registry.register("modes", examples=())
def modes(mixture: Any, fake: Array, radius: float | None = None) -> Score:
    """The number of modes with at least 1 % of the samples within three standard deviations (or `radius`).

    `parts` hold the share of such samples, beside what a perfect sampler gets, and the looser share within 0.5.

    Args:
        mixture: a `Mixture`. fake: samples (n, 2). radius: a distance.
    """
    strict, near = _mixture(mixture).modes(fake, radius), mixture.modes(fake, NEAR)
    share = strict.high_quality
    parts = {
        "of": strict.modes,
        "high_quality": share,
        "high_quality_error": math.sqrt(share * (1 - share) / strict.samples),
        "expected_high_quality": strict.expected_high_quality,
        "near": near.high_quality,
        "modes_near": near.covered,
    }
    return Score(
        "modes_coordinates", strict.covered, None, strict.samples, 0, "coordinates", strict.modes, 0, "higher", parts
    )


@registry.register("reverse_kl", examples=())
def reverse_kl(mixture: Any, fake: Array) -> Score:
    """KL(q || p) in nats, q the samples' shares by nearest mode and p the mixture's weights.

    All samples count, near or far. The plug-in estimate of a perfect sampler's is about (k - 1) / (2 N), which is the
    floor; dropping modes of total weight 1 - c and keeping the others in proportion gives -log c. The error is by the
    delta method.

    Args:
        mixture: a `Mixture`. fake: samples (n, 2).

    Example:
        >>> import gandyn as gd
        >>> ring = gd.gans.ring()
        >>> round(gd.gans.metrics.reverse_kl(ring, ring.centers[:4]).value, 12)  # half the modes: log 2
        0.69314718056
    """
    points = torch.as_tensor(fake).detach().to(_mixture(mixture).centers)
    counts = torch.bincount(distances(points, mixture.centers).argmin(1), minlength=len(mixture.centers)).double()
    n, k = len(points), len(mixture.centers)
    q, p = counts / n, mixture.weights.to(counts)
    logs = torch.where(q > 0, (q.clamp(min=1 / n) / p).log(), 0)
    value = float((q * logs).sum())
    variance = float((q * logs.square()).sum()) - value**2
    error = math.sqrt(max(variance, 0.0) / n)
    return Score("reverse_kl_coordinates", value, error, n, 0, "coordinates", (k - 1) / (2 * n))


def _mixture(mixture: object) -> Any:
    if not hasattr(mixture, "modes"):
        raise ParameterError(f"modes of {mixture!r}", "an exact mixture", "gd.gans.ring()")
    return mixture
