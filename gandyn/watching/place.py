"""Where samples lie relative to data: spread, centre, and which of the data's clusters they miss."""

from __future__ import annotations

import torch

from ..gans.monitor import Row
from ..types import Array

AXES = 8
MOST_MODES = 25
MOST_SEEN = 256  # points in which modes are looked for
ROUNDS = 6
APART = 6.0  # distance of the nearest modes over the spread within one, from which clusters count as modes
LEAST = 6  # points a mode


class Place:
    """Mean, spread, principal axes and clusters of the first batch of data, to which samples are compared from then on.

    Args:
        real: the batch, (n, ...).
    """

    def __init__(self, real: Array) -> None:
        points = real.flatten(1).double()
        self._mean = points.mean(0)
        apart = points - self._mean
        self.scale = float(apart.square().sum(1).mean().sqrt()) or 1.0
        self._axes = torch.linalg.svd(apart, full_matrices=False)[2][:AXES]
        self._seen = apart @ self._axes.T
        self._modes = _modes(self._seen[:MOST_SEEN])

    def row(self, real: Array, fake: Array) -> Row:
        """Spread and centre of samples relative to the data, as the monitor's detectors read them.

        `real` and `fake` are batches of data and samples, (n, ...). Lengths are in units of the data's spread: "spread"
        is the root mean square distance of samples from the data's mean, "own_spread" that from their own mean,
        "center" their mean along the data's first two principal axes, and "center_noise" its standard error along one
        axis in a batch of this size. Where the data seen first fall into clusters that are well apart, "metrics" holds
        the shares of samples and of data in each cluster, and the share of samples that lie near one.
        """
        apart = fake.flatten(1).double() - self._mean
        if apart.shape[1:] != self._mean.shape or not bool(torch.isfinite(apart).all()):
            return {"spread": float("nan")} if apart.shape[1:] == self._mean.shape else {}
        mean = apart.mean(0)
        own = float((apart - mean).square().sum(1).mean().sqrt()) / self.scale
        axes = self._axes[:2]
        noise = float((apart @ axes.T).var(0).mean().sqrt()) / len(apart) ** 0.5 if len(apart) > 1 else 0.0
        return {
            "spread": float(apart.square().sum(1).mean().sqrt()) / self.scale,
            "own_spread": own,
            "center": [float(x) for x in axes @ mean / self.scale],
            "center_noise": noise / self.scale,
            **self._metrics(real, apart),
        }

    def _metrics(self, real: Array, apart: torch.Tensor) -> Row:
        if self._modes is None:
            return {}
        fresh = (real.flatten(1).double() - self._mean) @ self._axes.T
        data, _ = _shares(torch.cat([self._seen, fresh]), *self._modes)
        found, near = _shares(apart @ self._axes.T, *self._modes)
        return {"metrics": {"shares": found, "data_shares": data, "near_quality": near, "of": len(data)}}


def _shares(points: Array, centres: torch.Tensor, distance: float) -> tuple[list[float], float]:
    """Shares of the modes among the points near one, within half the distance of the nearest modes; their share."""
    nearest, mode = torch.cdist(points, centres).min(1)
    near = nearest <= distance / 2
    counts = torch.bincount(mode[near], minlength=len(centres)).double()
    return (counts / counts.sum().clamp(min=1)).tolist(), float(near.double().mean())


def _modes(points: Array) -> tuple[torch.Tensor, float] | None:
    """(centres (k, axes), distance of the nearest two) of clusters that stand well apart; None where there are none."""
    best: tuple[torch.Tensor, float] | None = None
    largest, most = APART, min(MOST_MODES, len(points) // LEAST)
    far = _far_apart(points, most) if most >= 2 else points
    for k in range(2, most + 1):
        centres = _clusters(points, far[:k])
        nearest, mode = torch.cdist(points, centres).min(1)
        within = float(nearest.square().mean().sqrt())
        between = float(torch.pdist(centres).min())
        if int(torch.bincount(mode, minlength=k).min()) >= 3 and between > largest * within:
            best, largest = (centres, between), between / max(within, 1e-300)
    return best


def _far_apart(points: Array, k: int) -> torch.Tensor:
    """k of the points, each the one that is farthest from those before it, (k, axes)."""
    chosen, distance = [points[0]], (points - points[0]).norm(dim=1)
    for _ in range(k - 1):
        chosen.append(points[distance.argmax()])
        distance = torch.minimum(distance, (points - chosen[-1]).norm(dim=1))
    return torch.stack(chosen)


def _clusters(points: Array, centres: torch.Tensor) -> torch.Tensor:
    """Centres by Lloyd's iterations from the given ones, (k, axes)."""
    for _ in range(ROUNDS):
        member = torch.nn.functional.one_hot(torch.cdist(points, centres).argmin(1), len(centres)).T.to(points)
        count = member.sum(1, keepdim=True)
        centres = torch.where(count > 0, member @ points / count.clamp(min=1), centres)
    return centres
