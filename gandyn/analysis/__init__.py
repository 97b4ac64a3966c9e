"""Exact and numerical analysis of games and rules."""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "linearize": "linearize",
    "fixed_points": "fixed_points",
    "stability_region": "stability",
    "decompose": "decomposition",
    "classify": "classification",
    "limit_cycles": "cycles",
    "bifurcation": "bifurcation",
    "lyapunov_exponents": "lyapunov_exponents",
    "recurrence": "recurrence",
    "multiplicative_weights": "recurrence",
    "replicator_in_logits": "recurrence",
    "basins": "basins",
    "compare": "comparison",
    "duality_gap": "gap",
    "gap_flow": "gap",
    "gap_along": "gap",
    "worst_case": "worst_case",
    "certify": "certify",
    "lyapunov_function": "lyapunov",
    "critical_time_scale": "time_scale",
    "modified_flow": "modified",
    "high_resolution": "high_resolution",
    "spectrum": "spectrum",
    "path_angle": "path",
    "toy_against_network": "toy",
    "drift": "drift",
    "fit_rate": "rates",
    "ergodic_average": "averages",
    "escape_time": "escape",
    "conserved_quantities": "conserved",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"gandyn.analysis.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'gandyn.analysis' has no attribute {name!r}")
