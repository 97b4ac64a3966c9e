"""Exact and numerical analysis of games and rules."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import sys
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
    "toy_against_network": "spectrum.toy",
    "drift": "backward_error.drift",
    "fit_rate": "measured.rates",
    "ergodic_average": "measured.averages",
    "escape_time": "long_run.escape",
    "conserved_quantities": "conserved.quantities",
}

# Where modules with public names stood before each question had a folder; `from gandyn.analysis.linearize import
# Verdict` still works.
_MOVED = {
    "averages": "measured.averages",
    "basins": "long_run.basins",
    "bifurcation": "parameters.bifurcation",
    "certify": "certificates.certify",
    "classification": "nash.classification",
    "comparison": "measured.comparison",
    "cycles": "closed_orbits.cycles",
    "decomposition": "local.decomposition",
    "drift": "backward_error.drift",
    "escape": "long_run.escape",
    "fixed_points": "zeros.fixed_points",
    "high_resolution": "backward_error.high_resolution",
    "linearize": "local.linearize",
    "lyapunov": "certificates.lyapunov_function",
    "lyapunov_exponents": "long_run.lyapunov_exponents",
    "modified": "backward_error.modified_flow",
    "path": "spectrum.path_angle",
    "rates": "measured.rates",
    "recurrence": "long_run.recurrence",
    "stability": "parameters.stability",
    "time_scale": "parameters.time_scale",
    "toy": "spectrum.toy",
    "worst_case": "certificates.worst_case",
}

__all__ = [*_HOMES]


class _Moved(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds a module under its former name."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        """A spec for `gandyn.analysis.NAME` where NAME has moved."""
        name = fullname.removeprefix(f"{__name__}.")
        return importlib.util.spec_from_loader(fullname, self) if name in _MOVED else None

    def create_module(self, spec: Any) -> Any:
        """The module itself, under its present name."""
        module = importlib.import_module(f"{__name__}.{_MOVED[spec.name.removeprefix(f'{__name__}.')]}")
        self.own = module.__spec__
        return module

    def exec_module(self, module: Any) -> None:
        """It has run: only its own specification, which the import has replaced, is put back."""
        module.__spec__ = self.own


sys.meta_path.append(_Moved())


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"gandyn.analysis.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'gandyn.analysis' has no attribute {name!r}")
