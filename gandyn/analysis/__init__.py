"""Exact and numerical analysis of games and rules."""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "linearize": "local.linearize",
    "fixed_points": "zeros.fixed_points",
    "stability_region": "parameters.stability",
    "decompose": "local.decomposition",
    "classify": "nash.classification",
    "limit_cycles": "closed_orbits.cycles",
    "bifurcation": "parameters.bifurcation",
    "lyapunov_exponents": "long_run.lyapunov_exponents",
    "recurrence": "long_run.recurrence",
    "multiplicative_weights": "long_run.recurrence",
    "replicator_in_logits": "long_run.recurrence",
    "basins": "long_run.basins",
    "compare": "measured.comparison",
    "duality_gap": "gap",
    "gap_flow": "gap",
    "gap_along": "gap",
    "worst_case": "certificates.worst_case",
    "certify": "certificates.certify",
    "lyapunov_function": "certificates.lyapunov_function",
    "critical_time_scale": "parameters.time_scale",
    "modified_flow": "backward_error.modified_flow",
    "high_resolution": "backward_error.high_resolution",
    "spectrum": "spectrum",
    "path_angle": "spectrum.path_angle",
    "toy_against_network": "spectrum.toy_against_network",
    "drift": "backward_error.drift_coefficients",
    "fit_rate": "measured.rates",
    "ergodic_average": "measured.averages",
    "escape_time": "long_run.escape",
    "conserved_quantities": "conserved.quantities",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"gandyn.analysis.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'gandyn.analysis' has no attribute {name!r}")
