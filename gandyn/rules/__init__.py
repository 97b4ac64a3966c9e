"""The update rules: one file per family, found by the registry. `gd.rules.NAME(lr, ...)` builds one."""

from __future__ import annotations

from ..registry import Registry
from ..types import Rule

registry = Registry("rule")


registry.load(__name__, list(__path__))

__all__ = ["Rule", "register", "registry"]
__getattr__, __dir__ = registry.face(__all__)
