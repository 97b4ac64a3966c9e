"""Pictures: they take results and return matplotlib figures that keep their data. matplotlib is imported only here.

A picture's module, with the analysis whose results it takes, is loaded when its name is first used; those that are
called as their modules are loaded at once, because a module would take the name's place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..public_names import face
from .drawing import Drawing
from .samples import samples
from .seeds import seeds
from .style import MARKERS, OKABE_ITO, SERIES, WIDTHS, house_style
from .surface import surface
from .training import training
from .trajectory import trajectory

if TYPE_CHECKING:  # what `__getattr__` finds when it is asked for, so that editors complete it
    from .animation import animate as animate
    from .bifurcation_diagram import bifurcation as bifurcation
    from .certificates import certificate as certificate
    from .certificates import lyapunov_function as lyapunov_function
    from .class_choices import recommendation as recommendation
    from .class_designs import design as design
    from .class_rates import rate as rate
    from .data_plane import data_space as data_space
    from .eigenvalues import linearization as linearization
    from .eigenvalues import spectrum as spectrum
    from .equal_cost import comparison as comparison
    from .gap import duality_gap_shares as duality_gap_shares
    from .gap import gap_along as gap_along
    from .gap import gap_flow as gap_flow
    from .gap import landscapes as landscapes
    from .long_run import lyapunov_exponents as lyapunov_exponents
    from .long_run import recurrence as recurrence
    from .networks import network_spectrum as network_spectrum
    from .networks import path_angle as path_angle
    from .networks import toy_against_network as toy_against_network
    from .noise import clouds as clouds
    from .noise import mean_square as mean_square
    from .noise import stationary as stationary
    from .outcomes import sweep as sweep
    from .phase import fixed_point as fixed_point
    from .phase import phase_portrait as phase_portrait
    from .rate_fits import escape_times as escape_times
    from .rate_fits import high_resolution as high_resolution
    from .rate_fits import rate_fit as rate_fit
    from .regimes import gap_during_training as gap_during_training
    from .regions import basins as basins
    from .regions import limit_cycle as limit_cycle
    from .regions import stability_region as stability_region
    from .spiral_study import Spiral as Spiral
    from .spiral_study import compute_spiral as compute_spiral
    from .spiral_study import draw_spiral as draw_spiral
    from .spiral_study import spiral as spiral
    from .sweeps import parameter_sweep as parameter_sweep
    from .tested_statements import convergence as convergence
    from .tested_statements import counterexample as counterexample
    from .two_parameters import bifurcation_curves as bifurcation_curves

HOMES = {
    "animate": "animation",
    "bifurcation": "bifurcation_diagram",
    "certificate": "certificates",
    "lyapunov_function": "certificates",
    "recommendation": "class_choices",
    "design": "class_designs",
    "rate": "class_rates",
    "data_space": "data_plane",
    "linearization": "eigenvalues",
    "spectrum": "eigenvalues",
    "comparison": "equal_cost",
    "duality_gap_shares": "gap",
    "gap_along": "gap",
    "gap_flow": "gap",
    "landscapes": "gap",
    "lyapunov_exponents": "long_run",
    "recurrence": "long_run",
    "network_spectrum": "networks",
    "path_angle": "networks",
    "toy_against_network": "networks",
    "clouds": "noise",
    "mean_square": "noise",
    "stationary": "noise",
    "sweep": "outcomes",
    "parameter_sweep": "sweeps",
    "fixed_point": "phase",
    "phase_portrait": "phase",
    "escape_times": "rate_fits",
    "high_resolution": "rate_fits",
    "rate_fit": "rate_fits",
    "gap_during_training": "regimes",
    "basins": "regions",
    "limit_cycle": "regions",
    "stability_region": "regions",
    "Spiral": "spiral_study",
    "compute_spiral": "spiral_study",
    "draw_spiral": "spiral_study",
    "spiral": "spiral_study",
    "convergence": "tested_statements",
    "counterexample": "tested_statements",
    "bifurcation_curves": "two_parameters",
}
__getattr__, __dir__ = face(__name__, HOMES, (*HOMES.values(), "drawable", "labels", "marks", "panels"))

__all__ = [
    "MARKERS",
    "OKABE_ITO",
    "SERIES",
    "WIDTHS",
    "Drawing",
    "Spiral",
    "animate",
    "basins",
    "bifurcation",
    "bifurcation_curves",
    "certificate",
    "clouds",
    "comparison",
    "compute_spiral",
    "convergence",
    "counterexample",
    "data_space",
    "design",
    "draw_spiral",
    "duality_gap_shares",
    "escape_times",
    "fixed_point",
    "gap_along",
    "gap_during_training",
    "gap_flow",
    "high_resolution",
    "house_style",
    "landscapes",
    "limit_cycle",
    "linearization",
    "lyapunov_exponents",
    "lyapunov_function",
    "mean_square",
    "network_spectrum",
    "parameter_sweep",
    "path_angle",
    "phase_portrait",
    "rate",
    "rate_fit",
    "recommendation",
    "recurrence",
    "samples",
    "seeds",
    "spectrum",
    "spiral",
    "stability_region",
    "stationary",
    "surface",
    "sweep",
    "toy_against_network",
    "training",
    "trajectory",
]
