"""What a metric returns, and what the metrics share: points to features, pairwise distances, checks of shapes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import torch

from ...errors import ParameterError, ShapeError
from ...results import Result
from ...types import Array
from ..features import resolve


@dataclasses.dataclass(frozen=True, repr=False)
class Score(Result):
    """One number about samples or a discriminator, with what is needed to compare it with another.

    Attributes:
        metric: its name, ending in the features that it was computed from: "frechet_digits64".
        value: the number.
        error: its standard error from sampling; None where it has none.
        samples: how many generated points it rests on. reference: how many real ones, 0 where it needs none.
        features: what was looked at.
        floor: what perfect samples would score: from real points against real ones, or exact. None where unknown.
        floor_samples: how many points a side the floor rests on, 0 for an exact one.
        better: "lower", "higher", or "" where neither end is good.
        parts: further numbers of the same computation.
    """

    metric: str
    value: float
    error: float | None
    samples: int
    reference: int
    features: str
    floor: float | None = None
    floor_samples: int = 0
    better: str = "lower"
    parts: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def summary(self) -> str:
        """The score, its error and what it was computed from, in one line."""
        error = "" if self.error is None else f" +- {self.error:.2g}"
        of = f"N = {self.samples}" + (f" against {self.reference}" if self.reference else "")
        floor = ""
        if self.floor is not None:
            how = f"N = {self.floor_samples}" if self.floor_samples else "exact"
            floor = f"; perfect samples: {self.floor:.4g} ({how})"
        parts = "".join(f", {name} {_short(value)}" for name, value in self.parts.items())
        return f"{self.metric} = {self.value:.4g}{error} ({of}{floor}){parts}"

    def __float__(self) -> float:
        return self.value


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def looked_at(points: Array, features: object, least: int = 2) -> tuple[str, torch.Tensor]:
    """(name of the features, the points' features (n, d) in double precision).

    `points`: (n, ...); `features`: a name, such as "digits64", an object, or "coordinates". Raises ShapeError for fewer
    than `least` points, or a single one without its first axis.
    """
    points = torch.as_tensor(points).detach()
    if points.ndim < 2 or len(points) < least:
        raise ShapeError(f"points of shape {tuple(points.shape)}", f"(n, ...) with n >= {least}", "more samples")
    if isinstance(features, str) and features == "coordinates":
        return features, points.double().flatten(1)
    found = resolve(features)
    return str(found.name), found(points)


def both(real: Array, fake: Array, features: object, least: int = 2) -> tuple[str, torch.Tensor, torch.Tensor]:
    """(name, features of the real points, features of the samples). Raises ShapeError if they do not fit."""
    name, x = looked_at(real, features, least)
    _, y = looked_at(fake, features, least)
    if x.shape[1] != y.shape[1]:
        given = f"real points with {x.shape[1]} {name} and samples with {y.shape[1]}"
        raise ShapeError(given, "points of one shape", "compare samples with the data that they were trained on")
    return name, x, y.to(x.device)


def distances(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """|x_i - y_j|, (n, m), without the cancellation of the expanded square."""
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")


def own_distances(x: torch.Tensor) -> torch.Tensor:
    """|x_i - x_j|, (n, n), infinite on the diagonal."""
    return distances(x, x).fill_diagonal_(float("inf"))


def halves(x: torch.Tensor, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Two random halves of equal size: real against real."""
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed)).to(x.device)
    half = len(x) // 2
    return x[order[:half]], x[order[half : 2 * half]]


def nearest(x: torch.Tensor, k: int) -> torch.Tensor:
    """The distance of each point to its k-th nearest other, (n,). Raises ParameterError for too few points."""
    if not 1 <= k < len(x):
        raise ParameterError(f"the {k}-th neighbour among {len(x)} points", "1 <= k < n", "k=3, or more points")
    return own_distances(x).kthvalue(k, 1).values
