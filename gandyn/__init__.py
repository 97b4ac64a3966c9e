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
    "linearize": "analysis.local.linearize",
    "fixed_points": "analysis.zeros.fixed_points",
    "stability_region": "analysis.parameters.stability",
    "decompose": "analysis.local.decomposition",
    "classify": "analysis.nash.classification",
    "limit_cycles": "analysis.closed_orbits.cycles",
    "bifurcation": "analysis.parameters.bifurcation",
    "lyapunov_exponents": "analysis.long_run.lyapunov_exponents",
    "recurrence": "analysis.long_run.recurrence",
    "multiplicative_weights": "analysis.long_run.recurrence",
    "replicator_in_logits": "analysis.long_run.recurrence",
    "basins": "analysis.long_run.basins",
    "compare": "analysis.measured.comparison",
    "duality_gap": "analysis.gap",
    "gap_flow": "analysis.gap",
    "gap_along": "analysis.gap",
    "worst_case": "analysis.certificates.worst_case",
    "certify": "analysis.certificates.certify",
    "lyapunov_function": "analysis.certificates.lyapunov_function",
    "modified_flow": "analysis.backward_error.modified_flow",
    "high_resolution": "analysis.backward_error.high_resolution",
    "spectrum": "analysis.spectrum",
    "path_angle": "analysis.spectrum.path_angle",
    "toy_against_network": "analysis.spectrum.toy",
    "drift": "analysis.backward_error.drift",
    "fit_rate": "analysis.measured.rates",
    "ergodic_average": "analysis.measured.averages",
    "escape_time": "analysis.long_run.escape",
    "conserved_quantities": "analysis.conserved.quantities",
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
