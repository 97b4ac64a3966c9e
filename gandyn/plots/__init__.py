"""Pictures: they take results and return matplotlib figures that keep their data. matplotlib is imported only here."""

from __future__ import annotations

from .animation import animate
from .bifurcation_diagram import bifurcation
from .certificates import certificate, lyapunov_function
from .class_choices import recommendation
from .class_designs import design
from .class_rates import rate
from .data_space import data_space
from .drawing import Drawing
from .eigenvalues import linearization, spectrum
from .equal_cost import comparison
from .gap import duality_gap_shares, gap_along, gap_flow, landscapes
from .long_run import lyapunov_exponents, recurrence
from .networks import network_spectrum, path_angle, toy_against_network
from .noise import clouds, mean_square, stationary
from .outcomes import sweep
from .parameter_sweep import parameter_sweep
from .phase import fixed_point, phase_portrait
from .rate_fits import escape_times, high_resolution, rate_fit
from .regimes import gap_during_training
from .regions import basins, limit_cycle, stability_region
from .samples import samples
from .seeds import seeds
from .spiral_study import Spiral, compute_spiral, draw_spiral, spiral
from .style import MARKERS, OKABE_ITO, SERIES, WIDTHS, house_style
from .surface import surface
from .tested_statements import convergence, counterexample
from .training import training
from .trajectory import trajectory

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
