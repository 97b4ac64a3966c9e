"""Exact and numerical analysis of games and rules: one folder for each question.

local            What happens near a fixed point?                    (gd.linearize, gd.decompose)
parameters       For which parameters? Where does it change?         (gd.stability_region, gd.bifurcation, gd.sweep)
zeros, nash      Where are all equilibria, and of what kind?         (gd.fixed_points, gd.classify)
closed_orbits    Does it circle?                                     (gd.limit_cycles)
long_run         Where do trajectories go?                           (gd.basins, gd.lyapunov_exponents)
backward_error   Which differential equation does a rule follow?     (gd.modified_flow, gd.drift)
conserved        What stays the same?                                (gd.conserved_quantities)
stochastic       What does noise make of it?                         (gd.stationary, gd.mean_square)
gap              What could players still gain?                      (gd.duality_gap)
certificates     What is proved?                                     (gd.certify, gd.worst_case)
optimal          Which rule and step are best over a class?          (gd.rate, gd.design, gd.recommend)
measured         What do runs show?                                  (gd.fit_rate, gd.compare)
spectrum         What are the eigenvalues of networks?               (gd.spectrum, gd.path_angle)
exact_numbers    What the others count with: roots and signs of polynomials, exactly.
"""

from __future__ import annotations

from ..public_names import ANALYSES, face

__all__ = [*ANALYSES]
__getattr__, __dir__ = face(__name__, ANALYSES)
