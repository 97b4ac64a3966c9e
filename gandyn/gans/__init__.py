"""Real GANs as games: `GANGame`, exact two-dimensional data with its metrics, and networks, one file each."""

from __future__ import annotations

import importlib
from typing import Any

_LAZY = {
    "GANGame": "game",
    "Token": "game",
    "Mixture": "data",
    "ring": "data",
    "grid": "data",
    "MLP": "mlp",
    "mlp_pair": "mlp",
}

__all__ = [*_LAZY]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}: it has {', '.join(_LAZY)}")


def __dir__() -> list[str]:
    return sorted(__all__)
