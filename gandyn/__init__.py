"""gandyn: the dynamics and convergence of GANs and differentiable games, one rule for every world."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from . import former_names, results
from .errors import GandynError
from .public_names import HOMES, face
from .results import Status

if TYPE_CHECKING:  # what `__getattr__` finds when it is asked for, so that editors complete it
    from . import analysis as analysis
    from . import claims as claims
    from . import classes as classes
    from . import dynamics as dynamics
    from . import figures as figures
    from . import games as games
    from . import gans as gans
    from . import losses as losses
    from . import noise as noise
    from . import optim as optim
    from . import penalties as penalties
    from . import plots as plots
    from . import results as results
    from . import rules as rules
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
    from .analysis.long_run.recurrence import multiplicative_weights as multiplicative_weights
    from .analysis.long_run.recurrence import recurrence as recurrence
    from .analysis.long_run.recurrence import replicator_in_logits as replicator_in_logits
    from .analysis.measured.averages import ergodic_average as ergodic_average
    from .analysis.measured.comparison import compare as compare
    from .analysis.measured.rates import fit_rate as fit_rate
    from .analysis.nash.classification import classify as classify
    from .analysis.optimal.design import design as design
    from .analysis.optimal.limits import speed_limit as speed_limit
    from .analysis.optimal.rate import rate as rate
    from .analysis.optimal.recommend import recommend as recommend
    from .analysis.parameters.bifurcation import bifurcation as bifurcation
    from .analysis.parameters.curves import bifurcation_curves as bifurcation_curves
    from .analysis.parameters.stability import stability_region as stability_region
    from .analysis.parameters.sweep import sweep as sweep
    from .analysis.spectrum import spectrum as spectrum
    from .analysis.spectrum.path_angle import path_angle as path_angle
    from .analysis.spectrum.toy_against_network import toy_against_network as toy_against_network
    from .analysis.stochastic.mean_square import mean_square as mean_square
    from .analysis.stochastic.stationary import stationary as stationary
    from .analysis.stochastic.stochastic_flow import stochastic_flow as stochastic_flow
    from .analysis.zeros.fixed_points import fixed_points as fixed_points
    from .dynamics.flow import flow as flow
    from .dynamics.iterate import iterate as iterate
    from .dynamics.trace import update_map as update_map
    from .explorer.page import explore as explore
    from .watching import watch as watch

__version__ = "0.1.0"

former_names.install()
results.version = __version__
results.pictures = lambda: importlib.import_module("gandyn.plots")

_ROOMS = (
    *("games", "rules", "losses", "penalties", "noise", "plots", "gans", "optim", "claims", "figures"),
    *("analysis", "dynamics", "types", "results", "worlds", "classes"),
)

__all__ = ["GandynError", "Status", *HOMES, *_ROOMS]

__getattr__, __dir__ = face(__name__, HOMES, _ROOMS)
