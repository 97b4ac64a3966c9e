"""Exact two-dimensional mixtures: samplers on any device, and how many of their modes a set of samples covers."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import torch

from ...doors import door
from ...errors import ParameterError, ShapeError
from ...results import Result
from ...types import Array
from ..registries import datasets as registry

STRICT, LEAST_SHARE = 3.0, 0.01
MOST_MODES = 10**6


@dataclasses.dataclass(frozen=True, repr=False)
class ModeReport(Result):
    """Which modes a set of samples covers.

    Attributes:
        shares: fraction of all samples within `radius` standard deviations of each mode (nearest mode), shape (k,).
        covered: modes with at least 1 % of the samples.
        modes: how many there are.
        high_quality: fraction of samples within the radius of any mode.
        expected_high_quality: the same for a perfect sampler, 1 - exp(-radius^2 / 2) in two dimensions.
        samples: their number.
    """

    shares: Array
    covered: int
    modes: int
    high_quality: float
    expected_high_quality: float
    samples: int

    def summary(self) -> str:
        """How many modes are covered, as one line of text."""
        return (
            f"{self.covered} of {self.modes} modes, {100 * self.high_quality:.1f} % of {self.samples} samples near one "
            f"(a perfect sampler: {100 * self.expected_high_quality:.1f} %)"
        )


class Mixture:
    """A mixture of k isotropic normals in the plane with a common standard deviation.

    Args:
        name: what pictures call it.
        centers: (k, 2).
        std: standard deviation of each coordinate about a center.
        weights: (k,), positive; they are divided by their sum. Equal by default.
        device, dtype: where and in what samples are made.
    """

    def __init__(
        self,
        name: str,
        centers: Array,
        std: float,
        weights: Array | None = None,
        device: Any = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.name, self.std = name, float(std)
        self.centers = torch.as_tensor(centers, dtype=dtype, device=device)
        if self.centers.ndim != 2 or self.centers.shape[-1] != 2:
            raise ShapeError(f"centers of shape {tuple(self.centers.shape)}", "(k, 2)", "one row for each mode")
        k = len(self.centers)
        weights = [1.0] * k if weights is None else weights
        self.weights = torch.as_tensor(weights, dtype=torch.float64, device=device)
        if self.weights.shape != (k,) or not bool((self.weights > 0).all()) or not self.std > 0:
            given = f"{name} with std {std} and weights {weights}"
            raise ParameterError(given, f"{k} positive weights and a positive std", "std=0.02")
        self.equal = bool((self.weights == self.weights[0]).all())
        self.weights = self.weights / self.weights.sum()

    def to(self, device: object = None, dtype: torch.dtype | None = None) -> Mixture:
        """A copy of this mixture on another device, or in another floating-point type."""
        device, dtype = device or self.centers.device, dtype or self.centers.dtype
        return Mixture(self.name, self.centers, self.std, self.weights, device, dtype)

    def sample(self, n: int, generator: torch.Generator | None = None) -> torch.Tensor:
        """n independent points, (n, 2). The generator must live on the mixture's device."""
        return self._about(self._which(n, generator), generator)

    def _which(self, n: int, generator: torch.Generator | None) -> torch.Tensor:
        """The mode of each of n points."""
        if self.equal:
            return torch.randint(self.centers.shape[0], (n,), generator=generator, device=self.centers.device)
        return torch.multinomial(self.weights, n, replacement=True, generator=generator)

    def _about(self, which: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
        noise = torch.randn(
            which.shape[0], 2, generator=generator, device=self.centers.device, dtype=self.centers.dtype
        )
        return self.centers[which].add_(noise, alpha=self.std)

    def sample_labelled(self, n: int, generator: torch.Generator | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """The points that `sample` gives, and which mode each was drawn from, (n,)."""
        which = self._which(n, generator)
        return self._about(which, generator), which

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one point, (2,)."""
        return (2,)

    @property
    def classes(self) -> int:
        """The number of modes: each mode counts as one class."""
        return len(self.centers)

    @property
    def features(self) -> str:
        """The name of the features in which metrics compare points: the coordinates themselves."""
        return "coordinates"

    @property
    def held_out(self) -> Mixture:
        """The mixture itself: every sample is fresh."""
        return self

    @property
    def mean(self) -> torch.Tensor:
        """Exact mean, (2,)."""
        return self.weights.to(self.centers.dtype) @ self.centers

    @property
    def covariance(self) -> torch.Tensor:
        """Exact covariance, (2, 2): that of the centers plus std^2 I."""
        apart = self.centers - self.mean
        between = (self.weights.to(apart.dtype)[:, None] * apart).T @ apart
        return between + self.std**2 * torch.eye(2, dtype=apart.dtype, device=apart.device)

    def log_density(self, points: torch.Tensor) -> torch.Tensor:
        """Natural logarithm of the density at the points, (...)."""
        squares = (points[..., None, :] - self.centers).square().sum(-1)
        logs = self.weights.log().to(points.dtype) - squares / (2 * self.std**2)
        return logs.logsumexp(-1) - math.log(2 * math.pi * self.std**2)

    def modes(self, points: torch.Tensor, radius: float | None = None, least: float = LEAST_SHARE) -> ModeReport:
        """Count modes: a sample belongs to its nearest mode if it lies within `radius` of it.

        Args:
            points: (n, 2). radius: a distance, 3 standard deviations by default; a looser one counts "near" samples.
            least: share of all samples that makes a mode covered.
        """
        radius = STRICT * self.std if radius is None else radius
        points = points.detach().to(self.centers)
        distance, nearest = torch.cdist(points, self.centers).min(-1)
        counts = torch.bincount(nearest[distance <= radius], minlength=len(self.centers))
        shares = counts.double().cpu() / max(len(points), 1)
        return ModeReport(
            shares=shares.numpy(),
            covered=int((shares >= least).sum()),
            modes=len(self.centers),
            high_quality=float(shares.sum()),
            expected_high_quality=-math.expm1(-((radius / self.std) ** 2) / 2),
            samples=len(points),
        )

    def __repr__(self) -> str:
        return f"<{self.name}: {len(self.centers)} modes, std {self.std:g}>"


@registry.register("ring", examples=({}, {"modes": 3, "std": 0.1}))
@door
def ring(modes: int = 8, radius: float = 2.0, std: float = 0.02, **options: Any) -> Mixture:
    """Data: a mixture of equal Gaussians in the plane, their means on a circle, the first at angle 0.

    Args:
        modes: how many.
        radius: of the circle.
        std: of each mode.
        options: of `Mixture`.

    Raises:
        ParameterError: as `Mixture`.

    Example:
        >>> import torch, gandyn as gd
        >>> ring = gd.gans.ring()
        >>> ring.modes(ring.sample(10_000, torch.Generator().manual_seed(0))).covered
        8
    """
    _check_layout("modes", modes, modes, radius=radius, std=std)
    angles = 2 * math.pi * torch.arange(modes, dtype=torch.float64, device="cpu") / modes
    return Mixture(f"ring of {modes}", radius * torch.stack([angles.cos(), angles.sin()], -1), std, **options)


@registry.register("grid")
@door
def grid(side: int = 5, spacing: float = 2.0, std: float = 0.05, **options: Any) -> Mixture:
    """Data: a mixture of side x side equal Gaussians in the plane, their means on a grid about the origin.

    Args:
        side: modes in a row.
        spacing: between neighbours.
        std: of each mode.
        options: of `Mixture`.

    Raises:
        ParameterError: as `Mixture`.
    """
    _check_layout("side", side, side**2, spacing=spacing, std=std)
    line = spacing * (torch.arange(side, dtype=torch.float64, device="cpu") - (side - 1) / 2)
    return Mixture(f"grid of {side * side}", torch.cartesian_prod(line, line), std, **options)


def _check_layout(name: str, given: int, modes: int, **lengths: float) -> None:
    """Refuse mixtures without modes or with too many, and lengths that are not finite."""
    if not (given >= 1 and modes <= MOST_MODES):
        raise ParameterError(f"{name}={given}", f"at least 1, and at most {MOST_MODES} modes", f"{name}=8")
    for key, value in lengths.items():
        if not math.isfinite(value):
            raise ParameterError(f"{key}={value}", "a finite number", f"{key}=2.0")
