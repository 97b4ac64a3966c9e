"""GAN losses: one small file each, found by the registry. `gd.losses.NAME()` builds one."""

from __future__ import annotations

from typing import Any

from ..errors import UnknownNameError
from ..registry import Registry

registry = Registry("loss")

from .base import Loss  # noqa: E402

registry.load(__name__, list(__path__))

__all__ = ["Loss", "registry", "resolve"]


def resolve(loss: Loss | str) -> Loss:
    """A loss given as an object or by name."""
    if isinstance(loss, Loss):
        return loss
    built: Loss = registry[loss].build()
    return built


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    raise AttributeError(str(UnknownNameError.among("loss", name, [entry.name for entry in registry])))


def __dir__() -> list[str]:
    return sorted([*__all__, *(entry.name for entry in registry)])
