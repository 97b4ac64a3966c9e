"""Claims of Polyak & Juditsky 1992, "Acceleration of stochastic approximation by averaging"."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from .. import analysis, games, rules
from .declare import Evidence, Paper, drawn, fails, formula
from .evidence import jacobian, same_numbers

polyak = Paper("polyak_1992")
RULES = (
    rules.GDA(0.1),
    rules.OptimisticGD(0.1),
    rules.HeavyBall(0.1, -0.3),
    rules.Extragradient(0.1),
    rules.ProximalPoint(0.1),
)


@polyak.sharpened("Polyak & Juditsky 1992, theorem 1, for linear fields and constant steps; for these rules here")
@formula(r"T\,\mathrm{Cov}(\bar w_T) \to J^{-1} C J^{-\top}")
@drawn(10, rule=st.sampled_from(RULES), a=st.floats(0.3, 1.0), b=st.floats(0.2, 1.5))
@fails(
    "fresh samples in extragradient",
    lambda: {"rule": rules.Extragradient(0.1, fresh=True), "a": 0.5, "b": 1.0},
    rule=rules.Extragradient(0.1),
)
def averages_forget_the_rule(rule: object, a: float, b: float) -> Evidence:
    """The average of T iterates has the covariance J^{-1} C J^{-T} / T for large T, whatever the step size, and whether
    the iterates come from gradient, optimistic, heavy ball, proximal or extragradient steps on one sample each.
    """
    game, noise = games.quadratic(a, b, 0.4), ((0.5, 0.1), (0.1, 0.3))
    found = analysis.stationary(game, rule, noise)
    inverse = np.linalg.inv(np.array(jacobian(game).tolist(), dtype=float))
    return same_numbers(found.average_covariance, inverse @ np.array(noise) @ inverse.T, 1e-10)
