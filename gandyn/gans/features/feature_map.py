"""What features are, and the plainest: the coordinates themselves."""

from __future__ import annotations

import math
from typing import Any

import torch

from ...errors import DomainError
from ..registries import features as registry

AT_ONCE = 500


class Features:
    """Points (n, ...) to features (n, size), in evaluation mode, without a graph, in double precision.

    The name is printed beside every score.
    """

    accuracy: float | None = None

    def __init__(self, name: str, network: Any, size: int) -> None:
        self.name, self.network, self.size = name, network, size

    def __call__(self, points: torch.Tensor) -> torch.Tensor:
        """Features of the points, (n, size), float64, on the points' device."""
        with torch.no_grad():
            return torch.cat([self.network(part).double() for part in torch.split(points.detach(), AT_ONCE)])

    def differentiable(self, points: torch.Tensor) -> torch.Tensor:
        """The same features, (n, size), with a graph and in the network's own precision, for costs made of them."""
        answer: torch.Tensor = self.network(points)
        return answer

    def probabilities(self, points: torch.Tensor) -> torch.Tensor:
        """Probabilities of each class, (n, K). Raises DomainError where these features are not a classifier's."""
        raise DomainError(f"class probabilities from the features {self.name}", "a classifier", 'features="digits64"')

    def __repr__(self) -> str:
        return f"<features {self.name}: {self.size} numbers>"


@registry.register("coordinates", examples=({"shape": (2,)},))
def coordinates(shape: tuple[int, ...] = (2,)) -> Features:
    """The coordinates themselves, for points of the plane, or pixels where nothing better is known."""
    return Features("coordinates", torch.nn.Flatten(), math.prod(shape))
