"""How good samples and discriminators are: one metric a file, each with its error, its N and the features it looks at.

Metrics of samples take `(real, fake, ..., features="coordinates")`, points (N, ...) of each; those of discriminators
take the module and points. All return a frozen `Score`; `assess(data, fake)` makes all that fit the data.
"""

from __future__ import annotations

from typing import Any

from ...errors import UnknownNameError
from ...registry import Registry

registry: Registry = Registry("metric")

from .assessment import Assessment, assess  # noqa: E402
from .base import Score  # noqa: E402

registry.load(__name__, list(__path__))

__all__ = ["Assessment", "Score", "assess", "registry"]


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    raise AttributeError(str(UnknownNameError.among("metric", name, [entry.name for entry in registry])))


def __dir__() -> list[str]:
    return sorted([*__all__, *(entry.name for entry in registry)])
