"""gandyn: the dynamics and convergence of GANs and differentiable games, one rule for every world."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from . import games, results, rules
from .errors import GandynError
from .results import Status

if TYPE_CHECKING:  # what `__getattr__` finds when it is asked for, so that editors complete it
    from . import analysis as analysis
    from . import claims as claims
    from . import dynamics as dynamics
    from . import figures as figures
    from . import gans as gans
    from . import losses as losses
    from . import optim as optim
    from . import penalties as penalties
    from . import plots as plots
    from . import results as results
    from . import types as types
    from . import worlds as worlds
    from .analysis.backward_error.drift_coefficients import drift as drift
    from .analysis.backward_error.high_resolution import high_resolution as high_resolution
    from .analysis.backward_error.modified_flow import modified_flow as modified_flow
    from .analysis.certificates.certify import certify as certify
    from .analysis.certificates.lyapunov_function import lyapunov_function as lyapunov_function
    from .analysis.certificates.worst_case import worst_case as worst_case
    from .analysis.closed_orbits.cycles import limit_cycles as limit_cycles
    from .analysis.conserved.quantities import conserved_quantities as conserved_quantities
    from .analysis.gap import duality_gap as duality_gap
    from .analysis.gap import gap_along as gap_along
    from .analysis.gap import gap_flow as gap_flow
    from .analysis.local.decomposition import decompose as decompose
    from .analysis.local.linearize import linearize as linearize
    from .analysis.long_run.basins import basins as basins
    from .analysis.long_run.escape import escape_time as escape_time
    from .analysis.long_run.lyapunov_exponents import lyapunov_exponents as lyapunov_exponents
    from .analysis.long_run.recurrence import (
        multiplicative_weights as multiplicative_weights,
    )
    from .analysis.long_run.recurrence import (
        recurrence as recurrence,
    )
    from .analysis.long_run.recurrence import (
        replicator_in_logits as replicator_in_logits,
    )
    from .analysis.measured.averages import ergodic_average as ergodic_average
    from .analysis.measured.comparison import compare as compare
    from .analysis.measured.rates import fit_rate as fit_rate
    from .analysis.nash.classification import classify as classify
    from .analysis.parameters.bifurcation import bifurcation as bifurcation
    from .analysis.parameters.stability import stability_region as stability_region
    from .analysis.spectrum import spectrum as spectrum
    from .analysis.spectrum.path_angle import path_angle as path_angle
    from .analysis.spectrum.toy_against_network import toy_against_network as toy_against_network
    from .analysis.zeros.fixed_points import fixed_points as fixed_points
    from .dynamics.flow import flow as flow
    from .dynamics.iterate import iterate as iterate
    from .dynamics.trace import update_map as update_map

__version__ = "0.1.0"

results.version = __version__
results.pictures = lambda: importlib.import_module("gandyn.plots")

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
    "toy_against_network": "analysis.spectrum.toy_against_network",
    "drift": "analysis.backward_error.drift_coefficients",
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
