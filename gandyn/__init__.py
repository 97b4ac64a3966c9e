"""gandyn: the dynamics and convergence of GANs and differentiable games, one rule for every world."""

from __future__ import annotations

import importlib
from typing import Any

from . import games, rules
from .errors import GandynError
from .results import Status

__version__ = "0.1.0"

_LAZY = {
    "iterate": "dynamics.iterate",
    "flow": "dynamics.flow",
    "update_map": "dynamics.trace",
    "linearize": "analysis.linearize",
    "fixed_points": "analysis.fixed_points",
    "stability_region": "analysis.stability",
    "decompose": "analysis.decomposition",
    "classify": "analysis.classification",
    "limit_cycles": "analysis.cycles",
    "bifurcation": "analysis.bifurcation",
    "lyapunov_exponents": "analysis.lyapunov_exponents",
    "recurrence": "analysis.recurrence",
    "multiplicative_weights": "analysis.recurrence",
    "replicator_in_logits": "analysis.recurrence",
    "basins": "analysis.basins",
    "compare": "analysis.comparison",
    "duality_gap": "analysis.gap",
    "gap_flow": "analysis.gap",
    "gap_along": "analysis.gap",
    "worst_case": "analysis.worst_case",
    "certify": "analysis.certify",
    "lyapunov_function": "analysis.lyapunov",
    "modified_flow": "analysis.modified",
    "high_resolution": "analysis.high_resolution",
    "spectrum": "analysis.spectrum",
    "path_angle": "analysis.path",
    "toy_against_network": "analysis.toy",
    "drift": "analysis.drift",
    "fit_rate": "analysis.rates",
    "ergodic_average": "analysis.averages",
    "escape_time": "analysis.escape",
    "conserved_quantities": "analysis.conserved",
}
_ROOMS = (
    *("losses", "penalties", "plots", "gans", "optim", "claims", "figures"),
    *("analysis", "dynamics", "types", "results", "worlds"),
)

__all__ = ["GandynError", "Status", "games", "rules", *_LAZY, *_ROOMS]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        value = getattr(importlib.import_module(f"gandyn.{_LAZY[name]}"), name)
        globals()[name] = value
        return value
    if name in _ROOMS:
        return importlib.import_module(f"gandyn.{name}")
    raise AttributeError(f"module 'gandyn' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
