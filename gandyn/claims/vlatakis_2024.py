"""Claims of Vlatakis-Gkaragkounis et al. 2024, "Stochastic methods in variational inequalities"."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from .. import analysis, rules
from .declare import Evidence, Paper, drawn, fails, formula
from .evidence import all_of, between
from .noisy_sums import DAMPED, damped

vlatakis = Paper("vlatakis_2024")
STEPS, ROUNDS = (0.02, 0.01, 0.005), 500
PAIR = (("0.6", "1", "0.5", "-0.2"), ("0.2", "-0.5", "-0.5", "0.2"))
RULES = st.sampled_from([rules.GDA, rules.Extragradient])
RESTLESS = fails(
    "a mean field that is not monotone",
    lambda: {"rows": (("-0.6", *PAIR[0][1:]), PAIR[1]), "rule": rules.Extragradient},
    rows=PAIR,
)


@vlatakis.sharpened(
    'Vlatakis-Gkaragkounis et al. 2024, abstract: "geometric convergence to a unique invariant distribution"; of the '
    "second moments of affine summands here"
)
@formula(
    r"\rho = \max(\rho(\mathbb{E}\,M \otimes M), \rho(\mathbb{E}\,M)) < 1, \qquad "
    r"\mathbb{E}\|w_t - w^*\|^2 \to \mathbb{E}\|w_\infty - w^*\|^2"
)
@drawn(6, rows=DAMPED, rule=RULES)
@RESTLESS
def one_law_reached_geometrically(rows: Sequence[Sequence[object]], rule: Any) -> Evidence:
    """With a small constant step the second moments of gradient and extragradient steps on strongly monotone sums reach
    those of one stationary law geometrically, from any start.
    """
    found: Any = analysis.stationary(damped(rows), rule(STEPS[0]))
    if not found.exists:
        return Evidence(False, found.reason)
    step, errors = found.step, []
    slowest = max(found.spectral_radius, float(np.abs(np.linalg.eigvals(step.first_moments[0])).max()))
    for start in (np.zeros((2, 2)), 9 * np.eye(2)):
        second = step.moments_after(ROUNDS, np.zeros(2), start)[1]
        after = step.moments_after(2 * ROUNDS, np.zeros(2), start)[1]
        law = found.covariance + np.outer(found.bias, found.bias)
        errors.append(float(np.abs(after - law).max() / np.abs(second - law).max()))
    return between(errors, 0, 3 * slowest**ROUNDS + 1e-9)


@vlatakis.sharpened(
    'Vlatakis-Gkaragkounis et al. 2024, abstract: "we characterize the relationship between the step-size and the '
    "induced bias with respect to the global solution, which in turns allows for bias refinement via the "
    'Richardson-Romberg scheme"; orders measured here'
)
@formula(r"\mathbb{E}w_\infty(\eta) = w^* + \eta b + O(\eta^2), \quad 2\,\mathbb{E}w_\infty(\tfrac\eta2) - "
         r"\mathbb{E}w_\infty(\eta) = w^* + O(\eta^2)")  # fmt: skip
@drawn(6, rows=DAMPED)
@fails("the two runs weighed as for a third of the step", lambda: {"rows": PAIR, "weight": 1.5})
def two_steps_cancel_the_bias(rows: Sequence[Sequence[object]], weight: float = 2.0) -> Evidence:
    """The mean of extragradient's law on one sample a step is off by an amount proportional to the step; twice the mean
    at half the step minus that at the whole step is off by its square.
    """
    laws: list[Any] = [analysis.stationary(damped(rows), rules.Extragradient(lr)) for lr in STEPS]
    bias = [np.linalg.norm(law.bias) for law in laws]
    mixed = [law.extrapolated()[0] + (weight - 2) * (half.mean - law.mean)
             for law, half in itertools.pairwise(laws)]  # fmt: skip
    left = [np.linalg.norm(mean) for mean in mixed]
    return all_of(between([bias[0] / bias[1], bias[1] / bias[2]], 1.8, 2.2), between(left[0] / left[1], 3.4, 4.7))
