"""Claims of Mandt, Hoffman & Blei 2017, "Stochastic gradient descent as approximate Bayesian inference"."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import strategies as st

from .. import analysis, games, rules
from ..types import Array, Rule
from .declare import Evidence, Paper, drawn, fails, formula
from .evidence import all_of, jacobian, same_numbers

mandt = Paper("mandt_2017")


@mandt.sharpened("Mandt et al. 2017, equation 13, for small steps and a potential; the last term is derived here")
@formula(r"J\Sigma + \Sigma J^\top - \eta J\Sigma J^\top = \eta C")
@drawn(
    12,
    a=st.floats(0.3, 1.0),
    b=st.floats(0.2, 1.5),
    step=st.floats(0.01, 0.1),
    noise=st.tuples(st.floats(0.1, 1.0), st.floats(0.1, 1.0)),
)
@fails("players in turn", lambda: {"a": 0.5, "b": 1.0, "step": 0.1, "noise": (1.0, 1.0), "rule": rules.AlternatingGD})
def covariance_of_gradient_steps(
    a: float, b: float, step: float, noise: Array, rule: Callable[..., Rule] = rules.GDA
) -> Evidence:
    """Gradient steps of constant size with noise of covariance C settle to a law whose covariance solves J Sigma +
    Sigma J^T = eta C for small steps, and exactly with the term eta J Sigma J^T taken from the left, also where J
    rotates.
    """
    game = games.quadratic(a, b, a / 2)
    found = analysis.stationary(game, rule(step), noise)
    j, p = np.array(jacobian(game).tolist(), dtype=float), found.covariance
    forced = step * np.diag(noise)
    small = analysis.stationary(game, rule(step / 100), noise).covariance / step * 100
    return all_of(
        same_numbers(j @ p + p @ j.T - step * j @ p @ j.T, forced, 1e-12),
        same_numbers(j @ small + small @ j.T, np.diag(noise), 0.05),
    )
