"""The update rules: one file per family, found by the registry. `gd.rules.NAME(lr, ...)` builds one."""

from __future__ import annotations

import importlib

from ..registry import Registry
from ..types import Rule

registry = Registry("rule")


registry.load(__name__, list(__path__))
register = importlib.import_module(".declaration", __name__).register  # a file that itself asks for the registry

__all__ = ["Rule", "register", "registry"]
__getattr__, __dir__ = registry.face(__all__)
