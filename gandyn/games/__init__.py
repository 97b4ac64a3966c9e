"""The games: one file each, found by the registry. `gd.games.NAME(...)` builds one."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from ..former_names import FORMER
from ..oracles.symbolic import SymbolicGame, from_sympy
from ..registry import Registry
from ..types import Game

quadratic: Callable[..., SymbolicGame]  # for type checkers: the game, not the file of that name

registry = Registry("game")

registry.load(__name__, list(__path__))

__all__ = ["Game", "SymbolicGame", "from_sympy", "from_torch", "registry"]
_missing, __dir__ = registry.face(__all__)


def __getattr__(name: str) -> Any:
    if name == "from_torch":
        from ..oracles.autograd import from_torch

        return from_torch
    return importlib.import_module(f"{__name__}.{name}") if f"games.{name}" in FORMER else _missing(name)
