"""Features by name: what a metric looks at. A score without the name of its features is not a number one can compare.

Every entry builds an object with `name`, `size` (how many), a call points (n, ...) -> features (n, size) in double
precision, and, where it is a classifier, `probabilities(points)` -> (n, K) and its stated `accuracy`.
"""

from __future__ import annotations

from typing import Any

from ...errors import UnknownNameError
from ...registry import Registry

registry: Registry = Registry("set of features")


def resolve(features: Any) -> Any:
    """Features given by name, "digits64", or as an object with a name and a call."""
    return registry.from_text(features) if isinstance(features, str) else features


from .base import Features  # noqa: E402

registry.load(__name__, list(__path__))

__all__ = ["Features", "registry", "resolve"]


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    raise AttributeError(str(UnknownNameError.among("set of features", name, [entry.name for entry in registry])))


def __dir__() -> list[str]:
    return sorted([*__all__, *(entry.name for entry in registry)])
