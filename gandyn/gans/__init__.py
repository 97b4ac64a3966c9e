"""Real GANs as games: `GANGame`, data sets, architectures, features and metrics, each of them by name."""

from __future__ import annotations

import importlib
from typing import Any

_LAZY = {
    "GANGame": "gan_game",
    "Token": "gan_game",
    "EMA": "ema",
    "Mixture": "datasets.mixtures",
    "ModeReport": "datasets.mixtures",
    "Points": "datasets.points",
    "Shuffled": "datasets.points",
    "ring": "datasets.mixtures",
    "grid": "datasets.mixtures",
    "MLP": "architectures.mlp",
    "mlp_pair": "architectures.mlp",
    "train": "training.start",
    "Run": "training.start",
    "Stepping": "training.options",
    "Watching": "training.options",
    "Saving": "training.options",
    "TrainingRun": "training.run",
    "Config": "training.config",
    "Sweep": "training.sweep",
    "DistributedGame": "training.distributed",
    "EarlyStopping": "training.early",
    "gap_metrics": "training.measures",
    "TensorBoard": "training.log",
    "Monitor": "monitor",
    "Finding": "monitor",
    "diagnose": "monitor",
}
_ROOMS = ("architectures", "datasets", "features", "metrics")

__all__ = [*_LAZY, *_ROOMS]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
    if name in _ROOMS:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}: it has {', '.join([*_LAZY, *_ROOMS])}")


def __dir__() -> list[str]:
    return sorted(__all__)
