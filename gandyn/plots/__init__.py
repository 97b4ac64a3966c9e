"""Pictures: they take results and return matplotlib figures that keep their data. matplotlib is imported only here.

A picture's module, with the analysis whose results it takes, is loaded when its name is first used; those that are
called as their modules are loaded at once, because a module would take the name's place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..public_names import face, homes
from .drawing import Drawing
from .samples import samples
from .seeds import seeds
from .style import MARKERS, OKABE_ITO, SERIES, WIDTHS, house_style
from .surface import surface
from .training import bands, training
from .trajectory import trajectory

if TYPE_CHECKING:  # what `__getattr__` finds when it is asked for, so that editors complete it
    from .animation import animate as animate
    from .bifurcations import bifurcation as bifurcation
    from .bifurcations import bifurcation_curves as bifurcation_curves
    from .certificates import certificate as certificate
    from .certificates import lyapunov_function as lyapunov_function
    from .data_plane import data_space as data_space
    from .eigenvalues import linearization as linearization
    from .eigenvalues import spectrum as spectrum
    from .equal_cost import comparison as comparison
    from .game_classes import design as design
    from .game_classes import rate as rate
    from .game_classes import recommendation as recommendation
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
    from .sweeps import sweep as sweep
    from .tested_statements import convergence as convergence
    from .tested_statements import counterexample as counterexample

HOMES = homes(__name__)
__getattr__, __dir__ = face(__name__, HOMES, (*HOMES.values(), "drawable", "labels", "marks", "panels"))

__all__ = [
    *HOMES,
    "MARKERS",
    "OKABE_ITO",
    "SERIES",
    "WIDTHS",
    "Drawing",
    "bands",
    "house_style",
    "samples",
    "seeds",
    "surface",
    "training",
    "trajectory",
]
