"""The update rules: one file per family, found by the registry. `gd.rules.NAME(lr, ...)` builds one."""

from __future__ import annotations

from typing import Any

from ..errors import UnknownNameError
from ..registry import Registry
from ..types import Rule

registry = Registry("rule")


registry.load(__name__, list(__path__))

__all__ = ["Rule", "register", "registry"]


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    raise AttributeError(str(UnknownNameError.among("rule", name, [entry.name for entry in registry])))


def __dir__() -> list[str]:
    return sorted([*__all__, *(entry.name for entry in registry)])
