"""Features by name: what a metric looks at. A score without the name of its features is not a number one can compare.

Every entry builds an object with `name`, `size` (how many), a call points (n, ...) -> features (n, size) in double
precision, and, where it is a classifier, `probabilities(points)` -> (n, K) and its stated `accuracy`.
"""

from __future__ import annotations

from typing import Any

from ..registries import features as registry
from .feature_map import Features


def resolve(features: object) -> Any:
    """Features given by name, "digits64", or as an object with a name and a call."""
    return registry.from_text(features) if isinstance(features, str) else features


registry.load(__name__, list(__path__))

__all__ = ["Features", "registry", "resolve"]
__getattr__, __dir__ = registry.face(__all__)
