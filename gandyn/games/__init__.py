"""The games: one file each, found by the registry. `gd.games.NAME(...)` builds one."""

from __future__ import annotations

import importlib
from typing import Any

from ..errors import UnknownNameError
from ..former_names import FORMER
from ..oracles.symbolic import SymbolicGame, from_sympy
from ..registry import Registry
from ..types import Game

registry = Registry("game")

registry.load(__name__, list(__path__))

__all__ = ["Game", "SymbolicGame", "from_sympy", "from_torch", "registry"]


def __getattr__(name: str) -> Any:
    if name == "from_torch":
        from ..oracles.autograd import from_torch

        return from_torch
    if f"games.{name}" in FORMER:
        return importlib.import_module(f"{__name__}.{name}")
    if name.startswith("_"):
        raise AttributeError(name)
    raise AttributeError(str(UnknownNameError.among("game", name, [entry.name for entry in registry])))


def __dir__() -> list[str]:
    return sorted([*__all__, *(entry.name for entry in registry)])
