"""Penalties on the discriminator: one small file each, found by the registry. `gd.penalties.NAME(...)` builds one."""

from __future__ import annotations

from typing import Any

from ..errors import UnknownNameError
from ..registry import Registry

registry = Registry("penalty")

from .base import GradientPenalty, Penalty  # noqa: E402

registry.load(__name__, list(__path__))

__all__ = ["GradientPenalty", "Penalty", "registry"]


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    raise AttributeError(str(UnknownNameError.among("penalty", name, [entry.name for entry in registry])))


def __dir__() -> list[str]:
    return sorted([*__all__, *(entry.name for entry in registry)])
