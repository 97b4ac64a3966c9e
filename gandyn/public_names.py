"""Where the functions of `gd.NAME` and `gd.analysis.NAME` are defined; a module is loaded when its name is first used.

A new public function is one line of `HOMES`, and one import in `gandyn/__init__.py` from which editors complete it.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .errors import MissingDependencyError

HOMES = {
    "iterate": "dynamics.iterate",
    "flow": "dynamics.flow",
    "update_map": "dynamics.trace",
    "explore": "explorer.page",
    "linearize": "analysis.local.linearize",
    "fixed_points": "analysis.zeros.fixed_points",
    "stability_region": "analysis.parameters.stability",
    "decompose": "analysis.local.decomposition",
    "classify": "analysis.nash.classification",
    "limit_cycles": "analysis.closed_orbits.cycles",
    "bifurcation": "analysis.parameters.bifurcation",
    "bifurcation_curves": "analysis.parameters.curves",
    "sweep": "analysis.parameters.sweep",
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
    "stationary": "analysis.stochastic.stationary",
    "mean_square": "analysis.stochastic.mean_square",
    "stochastic_flow": "analysis.stochastic.stochastic_flow",
    "rate": "analysis.optimal.rate",
    "watch": "watching",
    "design": "analysis.optimal.design",
    "recommend": "analysis.optimal.recommend",
    "speed_limit": "analysis.optimal.limits",
}
# Those of `gd.analysis`: the same functions, and one that `gd` does not offer.
ANALYSES = {name: home.removeprefix("analysis.") for name, home in HOMES.items() if home.startswith("analysis.")} | {
    "critical_time_scale": "parameters.time_scale"
}


def _loaded(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise MissingDependencyError.of(error) from error


def face(
    package: str, homes: Mapping[str, str], rooms: Sequence[str] = ()
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of a package that loads what it offers when it is asked for.

    Args:
        package: its full name.
        homes: each name that it offers, with the module below it in which the name is defined.
        rooms: modules of the package that it offers themselves.
    """

    def missing(name: str) -> Any:
        if name in homes:
            value = getattr(_loaded(f"{package}.{homes[name]}"), name)
            if not hasattr(sys.modules.get(f"{package}.{name}"), "__path__"):  # a folder of this name keeps its place
                setattr(sys.modules[package], name, value)
            return value
        if name in rooms:
            return _loaded(f"{package}.{name}")
        raise AttributeError(f"module {package!r} has no attribute {name!r}: it has {', '.join([*homes, *rooms])}")

    return missing, lambda: sorted(sys.modules[package].__all__)
