"""Gaussian mixtures as data, exact, in NumPy: density, score, moments, samples; the usual test distributions."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from ..errors import ParameterError, ShapeError
from ..types import Array


@dataclasses.dataclass(frozen=True, eq=False)
class GaussianMixture:
    """sum_k weight_k N(mean_k, std_k^2 I) in p dimensions.

    Args:
        means: shape (K, p).
        std: one number, or K of them, positive.
        weights: K probabilities; equal by default.

    Raises:
        ShapeError: if the lengths do not fit. ParameterError: for weights or widths out of range.

    Example:
        >>> ring(8).covariance.round(4).tolist()
        [[2.0004, 0.0], [0.0, 2.0004]]
    """

    means: Array
    std: Array
    weights: Array = None

    def __post_init__(self) -> None:
        means = np.array(self.means, dtype=float)
        if means.ndim != 2 or not means.size:
            raise ShapeError(f"means of shape {means.shape}", "(K, p)", "one row for each component")
        k = len(means)
        weights = np.full(k, 1 / k) if self.weights is None else np.array(self.weights, dtype=float)
        std = np.array(self.std, dtype=float)
        if weights.shape != (k,) or std.shape not in ((), (k,)):
            raise ShapeError(
                f"{k} means, weights of shape {weights.shape}, std of shape {std.shape}",
                "as many weights and standard deviations as means",
                "give all three the length K",
            )
        std = np.broadcast_to(std, (k,)).copy()
        if not (weights >= 0).all() or abs(weights.sum() - 1) > 1e-12:
            raise ParameterError(f"weights {weights.tolist()}", "probabilities with sum 1", "divide by their sum")
        if not (std > 0).all():
            raise ParameterError(f"std {std.tolist()}", "positive numbers", "std=0.05")
        for name, value in (("means", means), ("std", std), ("weights", weights)):
            value.flags.writeable = False
            object.__setattr__(self, name, value)

    @property
    def dim(self) -> int:
        """The dimension p of a point."""
        return int(self.means.shape[1])

    @property
    def mean(self) -> np.ndarray:
        """E x, shape (p,)."""
        return np.asarray(self.weights @ self.means)

    @property
    def covariance(self) -> np.ndarray:
        """Within plus between components, shape (p, p)."""
        centred = self.means - self.mean
        within = (self.weights * self.std**2).sum() * np.eye(self.dim)
        return np.asarray((self.weights[:, None] * centred).T @ centred + within)

    def log_components(self, x: Array) -> np.ndarray:
        """log(weight_k N(x; mean_k, std_k^2 I)), shape (..., K)."""
        x = np.asarray(x, dtype=float)
        if x.shape[-1:] != (self.dim,):
            raise ShapeError(f"points of shape {x.shape}", f"(..., {self.dim})", "coordinates on the last axis")
        distance = ((x[..., None, :] - self.means) ** 2).sum(-1)
        with np.errstate(divide="ignore"):
            constant = np.log(self.weights) - self.dim * np.log(self.std * np.sqrt(2 * np.pi))
        return np.asarray(constant - distance / (2 * self.std**2))

    def log_density(self, x: Array) -> np.ndarray:
        """log p(x), shape (...), without underflow far away."""
        from scipy.special import logsumexp

        return np.asarray(logsumexp(self.log_components(x), axis=-1))

    def density(self, x: Array) -> np.ndarray:
        """p(x), shape (...)."""
        return np.asarray(np.exp(self.log_density(x)))

    def responsibilities(self, x: Array) -> np.ndarray:
        """Probability of each component given x, shape (..., K)."""
        return np.asarray(np.exp(self.log_components(x) - self.log_density(x)[..., None]))

    def score(self, x: Array) -> np.ndarray:
        """grad log p(x), shape (..., p)."""
        pull = (self.means - np.asarray(x, dtype=float)[..., None, :]) / self.std[:, None] ** 2
        return np.asarray((self.responsibilities(x)[..., None] * pull).sum(-2))

    def moment(self, *powers: int) -> float:
        """E x_1^a x_2^b ..., one power for each coordinate, from Gauss-Hermite nodes, exact up to rounding."""
        if len(powers) != self.dim:
            raise ShapeError(f"{len(powers)} powers", f"{self.dim}, one for each coordinate", "0 for none")
        nodes, weights = np.polynomial.hermite_e.hermegauss(max(powers) // 2 + 1)
        weights = weights / weights.sum()
        product = np.ones(len(self.means))
        for axis, power in enumerate(powers):
            product = product * ((self.means[:, axis, None] + self.std[:, None] * nodes) ** power @ weights)
        return float(self.weights @ product)

    def feature_mean(self, centers: Array, width: float) -> np.ndarray:
        """E exp(-|x - c|^2 / (2 width^2)) for each centre c, shape (C,): a Gaussian integral, in closed form.

        For one component it is (h^2 / (h^2 + s^2))^{p/2} exp(-|mean - c|^2 / (2 (h^2 + s^2))).
        """
        centers = np.asarray(centers, dtype=float)
        total = width**2 + self.std**2
        distance = ((self.means[:, None] - centers[None]) ** 2).sum(-1)
        values = (width**2 / total)[:, None] ** (self.dim / 2) * np.exp(-distance / (2 * total[:, None]))
        return np.asarray(self.weights @ values)

    def sample(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """n independent draws, shape (n, p)."""
        which = rng.choice(len(self.means), size=n, p=self.weights)
        return np.asarray(self.means[which] + self.std[which, None] * rng.normal(size=(n, self.dim)))


def ring(
    modes: int = 8, radius: float = 2.0, std: float = 0.02, weights: Sequence[float] | None = None
) -> GaussianMixture:
    """`modes` components on a circle, the first at angle 0 (Metz et al. 2017: 8, radius 2, std 0.02)."""
    angles = 2 * np.pi * np.arange(_count(modes)) / modes
    return GaussianMixture(radius * np.stack([np.cos(angles), np.sin(angles)], -1), std, weights)


def grid(
    side: int = 5, spacing: float = 2.0, std: float = 0.05, weights: Sequence[float] | None = None
) -> GaussianMixture:
    """side x side components around the origin; 4, spacing 1, std 0.02 are the 16 modes of Balduzzi et al. 2018."""
    places = spacing * (np.arange(_count(side)) - (side - 1) / 2)
    return GaussianMixture(np.stack(np.meshgrid(places, places, indexing="ij"), -1).reshape(-1, 2), std, weights)


def spiral(modes: int = 20, turns: float = 2.0, radius: float = 2.0, std: float = 0.02) -> GaussianMixture:
    """Components along an Archimedean spiral, evenly in angle from radius / modes out to radius."""
    share = np.arange(1, _count(modes) + 1) / modes
    angles = 2 * np.pi * turns * share
    return GaussianMixture(radius * share[:, None] * np.stack([np.cos(angles), np.sin(angles)], -1), std)


def line(
    means: Sequence[float] = (-1.0, 0.0, 1.0), std: float = 0.1, weights: Sequence[float] | None = None
) -> GaussianMixture:
    """A mixture in one dimension (Grnarova et al. 2021: -1, 0, 1 with std 0.1)."""
    return GaussianMixture(np.asarray(means, dtype=float)[:, None], std, weights)


def _count(modes: int) -> int:
    if modes < 1:
        raise ParameterError(f"{modes} modes", "at least one mode", "modes=8")
    return modes
