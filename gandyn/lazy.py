"""SymPy and torch as modules name them, `from .lazy import sympy, torch`, loaded when first used."""

from __future__ import annotations

import importlib
import types
from typing import TYPE_CHECKING, Any


class Deferred(types.ModuleType):
    """A module that is imported at the first use of one of its attributes, and keeps those that were used."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__version__":  # asked by inspection, which shall not load anything
            raise AttributeError(name)
        value = getattr(importlib.import_module(self.__name__), name)
        setattr(self, name, value)
        return value


if TYPE_CHECKING:
    import scipy as scipy
    import sympy as sympy
    import torch as torch
else:
    scipy, sympy, torch = map(Deferred, ("scipy", "sympy", "torch"))
