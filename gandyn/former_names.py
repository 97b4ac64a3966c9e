"""Modules with public names under the paths at which they stood before: `from gandyn.games.projections import Box`."""

from __future__ import annotations

import importlib
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from .public_names import ANALYSES

# Analyses once stood beside each other: those of public functions under the last part of their path.
FORMER = {f"analysis.{home.rpartition('.')[2]}": f"analysis.{home}" for home in ANALYSES.values() if "." in home} | {
    "analysis.drift": "analysis.backward_error.drift_coefficients",
    "analysis.lyapunov": "analysis.certificates.lyapunov_function",
    "analysis.modified": "analysis.backward_error.modified_flow",
    "analysis.path": "analysis.spectrum.path_angle",
    "analysis.toy": "analysis.spectrum.toy_against_network",
    "doors.values": "arguments.values",
    "types.faces": "types.feasible",
    "types.restricted": "types.game",
    "games.autograd": "oracles.autograd",
    "games.composite": "oracles.composite",
    "games.facts": "oracles.known_facts",
    "games.field_graph": "oracles.field_graph",
    "games.flat": "oracles.flat",
    "games.functional": "oracles.functional",
    "games.module_state": "oracles.module_state",
    "games.network": "oracles.network",
    "games.network_view": "oracles.network_view",
    "games.product_check": "oracles.product_check",
    "games.projections": "oracles.projections",
    "games.symbolic": "oracles.symbolic",
    "games.mixtures": "oracles.gaussian_mixture",
    "gans.game": "gans.gan_game",
    "analysis.spectrum.toy": "analysis.spectrum.toy_against_network",
    "analysis.gap.flow": "analysis.gap.gradient_flow",
    "rules.base": "rules.declaration",
    "losses.base": "losses.loss",
    "penalties.base": "penalties.penalty",
    "gans.metrics.base": "gans.metrics.score",
    "gans.features.base": "gans.features.feature_map",
    "figures.engine": "figures.making",
    "analysis.backward_error.drift": "analysis.backward_error.drift_coefficients",
    "analysis.gap.proximal": "analysis.gap.proximal_gap",
    "analysis.conserved.search": "analysis.conserved.invariant_search",
    "analysis.gap.exact": "analysis.gap.exact_gap",
    "analysis.gap.result": "analysis.gap.measured_gap",
    "analysis.closed_orbits.invariant_sets": "analysis.closed_orbits.closed_orbit",
    "analysis.local.exact": "analysis.local.exact_linearization",
    "analysis.spectrum.result": "analysis.spectrum.network_spectrum",
}

# Public names that have left the module in which they stood: the module's former name, the name, where it stands now.
PARTED = {
    "analysis.classification": {"critical_time_scale": "analysis.parameters.time_scale"},
    "analysis.rates": {"ergodic_average": "analysis.measured.averages"},
}


class FormerNames:
    """Finds a module under its former name."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> Any:
        """A spec for a name of `FORMER`."""
        loader: Any = self
        name = fullname.removeprefix("gandyn.")
        return ModuleSpec(fullname, loader) if fullname != name and name in FORMER else None

    def create_module(self, spec: Any) -> ModuleType:
        """The module itself, under its present name."""
        module = importlib.import_module(f"gandyn.{FORMER[spec.name.removeprefix('gandyn.')]}")
        for name, home in PARTED.get(spec.name.removeprefix("gandyn."), {}).items():
            setattr(module, name, getattr(importlib.import_module(f"gandyn.{home}"), name))
        self.own = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Run nothing: the module has run under its new name. Put back the specification that the import replaced."""
        module.__spec__ = self.own


def install() -> None:
    """Let imports of this process find modules under their former names."""
    sys.meta_path.append(FormerNames())
