"""Pixel and perceptual terms: samples close to the data that they stand beside, as pictures or as features."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import torch

from ..errors import ParameterError
from ..penalties import Penalty
from ..penalties.declaration import weight
from ..types import Array
from .critic import NetworkCritic
from .features.feature_map import Features

BESIDE = ("pair", "reconstruction")


@dataclasses.dataclass(frozen=True)
class Pixel(Penalty):
    """Adds weight E mean_j |x_j - y_j|^norm to the generator's cost (Isola et al. 2017, eq. 3, norm 1).

    y is the sample that stands beside x in the batch, `of="pair"`: a generator that is told something of x, such as a
    coarser picture of it, is paid for x itself. Without anything that ties the two it pulls all samples to the data's
    median. Or y = G(E(x)), `of="reconstruction"`, for a generator with an encoder. The mean is over coordinates, as in
    the authors' program. The game is not zero-sum.

    Args:
        weight: of the term, 100 in the paper.
        norm: 1 or 2.
        of: "pair" or "reconstruction".

    Raises:
        ParameterError: for another norm or another y.
    """

    weight: Any = weight()
    norm: int = 1
    of: str = "pair"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.norm not in (1, 2) or self.of not in BESIDE:
            raise ParameterError(f"{self!r}", f"norm 1 or 2, of one of {', '.join(BESIDE)}", "Pixel(100)")

    def generator_cost(self, critic: Any) -> Array:
        """The weighted mean over the batch."""
        real, near = _beside(critic, self.of)
        apart = (real - near).abs()
        return self.weight * (apart if self.norm == 1 else apart.square()).mean()


@dataclasses.dataclass(frozen=True)
class Perceptual(Penalty):
    """Adds weight E mean_j (phi_j(x) - phi_j(y))^2 to the generator's cost, phi a fixed network (Johnson et al. 2016).

    Args:
        weight: of the term.
        features: a name of `gd.gans.features`, such as "digits64".
        of: as in `Pixel`.

    Raises:
        ParameterError: for another y.
    """

    weight: Any = weight()
    features: str = "digits64"
    of: str = "pair"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.of not in BESIDE or not isinstance(self.features, str):
            raise ParameterError(f"{self!r}", f"of one of {', '.join(BESIDE)}, features by name", "Perceptual(1.0)")

    def generator_cost(self, critic: Any) -> Any:
        """The weighted mean over the batch."""
        real, near = _beside(critic, self.of)
        phi = _fixed(self.features, real.dtype, str(real.device)).differentiable
        return self.weight * (phi(real) - phi(near)).square().mean()


def _beside(critic: NetworkCritic, of: str) -> tuple[Array, Array]:
    """Data without a graph, and what stands beside them."""
    real = critic.real.detach()
    return real, critic.fake if of == "pair" else critic.reconstruct(real)


@functools.lru_cache(maxsize=8)
def _fixed(features: str, dtype: torch.dtype, device: str) -> Features:
    """Some features, whose network nothing trains."""
    import copy

    from .features import resolve

    found: Features = copy.deepcopy(resolve(features))
    found.network = found.network.to(device=device, dtype=dtype).eval().requires_grad_(False)
    return found
