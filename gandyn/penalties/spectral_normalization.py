"""Spectral normalisation: each weight is divided by its largest singular value (Miyato et al. 2018, eq. 8)."""

from __future__ import annotations

import sys

import numpy as np

from .. import worlds
from ..errors import DomainError, WorldError
from ..types import Parameter
from ..worlds import SYMBOLS, TORCH, Array, number, world_of
from .declaration import register, weight
from .penalty import Penalty


@register(
    "SpectralNormalization",
    examples=({"soft": True}, {"bound": 2.0, "soft": True}),
    aliases=("spectral_normalization",),
)
class SpectralNormalization(Penalty):
    """The logit uses bound W / sigma(W) for W, sigma being the largest singular value of W as (outputs x rest).

    The gradient is taken through sigma, and is orthogonal to W: scaling W changes nothing. So a single weight
    would be left with no direction to move in (W/sigma is its sign), and the Dirac-GAN is refused. `soft` only
    shrinks what is too large, W / max(1, sigma/bound): on the Dirac-GAN the logit is then -x phi / max(1, |phi|/bound),
    the same near 0 as without, and without gradient in phi beyond the bound.

    Args:
        bound: the largest singular value allowed.
        soft: leave weights below the bound alone.

    Raises:
        DomainError: for a single weight, unless soft.
    """

    bound: Parameter = weight(default=1.0)
    soft: bool = False

    def transform(self, weight: Array) -> Array:
        """The weight as the logit uses it, in its own shape."""
        matrix = weight.reshape(weight.shape[0], -1)
        if not self.soft and tuple(matrix.shape) == (1, 1):
            raise DomainError(
                "spectral normalisation of a single weight, of which only the sign would be left",
                "a matrix with more than one entry",
                "SpectralNormalization(soft=True)",
            )
        return self.scaled(weight, _spectral_norm(matrix))

    def scaled(self, weight: Array, sigma: Array) -> Array:
        """The weight as `transform` gives it, from a given spectral norm sigma, such as power iteration's."""
        bound = number(self.bound, weight)
        return weight / worlds.maximum(sigma / bound, 1) if self.soft else weight * (bound / sigma)


def power_iteration(matrix: Array, u: Array, steps: int = 1) -> tuple[Array, Array]:
    """Estimate the largest singular value from a left vector kept between calls (Miyato et al. 2018, algorithm 1).

    The vector u, (m,), is not zero; on a network it is a detached buffer, refreshed once per step by `game.advance`.
    The error falls by (sigma_2/sigma_1)^2 in each step. Returns the estimate u^T W v of sigma, a lower bound, and the
    next left vector.
    """
    for _ in range(steps):
        v = matrix.T @ u
        v = v / worlds.norm(v)
        image = matrix @ v
        u = image / worlds.norm(image)
    return (u * image).sum(), u


def _spectral_norm(matrix: Array) -> Array:
    """The largest singular value of a matrix; on symbols, of a matrix with one row or one column."""
    world = world_of(matrix)
    if world == TORCH:
        return sys.modules["torch"].linalg.matrix_norm(matrix, 2)
    if world == SYMBOLS:
        if 1 not in matrix.shape:
            raise WorldError(
                f"the spectral norm of a matrix of symbols of shape {matrix.shape}",
                "one row or one column",
                "put numbers in first",
            )
        return worlds.norm(matrix.ravel())[0]
    return np.linalg.norm(matrix, 2)
