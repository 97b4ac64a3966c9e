"""Claims of Chavdarova et al. 2019, "Reducing noise in GAN training with variance reduced extragradient" (SVRE)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from .. import analysis, rules
from ..lazy import sympy
from ..worlds import exact
from .declare import Evidence, Paper, drawn, fails, formula, where
from .evidence import all_of, same_numbers
from .noisy_sums import diagonal, moment, turning

chavdarova = Paper("chavdarova_2019")


@chavdarova.sharpened("Chavdarova et al. 2019, theorem 1 (it diverges geometrically); the factor derived here")
@formula(r"\mathbb{E}|w^+|^2 = \Big(1 + \frac{\eta^2}{n}\big(1 - \frac2n + \frac{\eta^2}{n}\big)\Big)|w|^2")
@drawn(6, n=st.sampled_from((2, 3)), step=st.floats(0.05, 0.6))
@fails("the same sample in both evaluations", lambda: {"n": 2, "step": 0.3, "fresh": False})
def extragradient_diverges(n: int, step: float, fresh: bool = True) -> Evidence:
    """On the sum of n bilinear games x_k y_k, one drawn afresh for look-ahead and update, the mean squared
    distance of extragradient grows by the factor 1 + (eta^2/n)(1 - 2/n + eta^2/n) a step: for every step size, n >= 2.
    """
    rows = np.eye(n, dtype=int).tolist()
    found = analysis.mean_square(diagonal(rows), rules.Extragradient(step, fresh=fresh))
    factor = 1 + step**2 / n * (1 - 2 / n + step**2 / n)
    return all_of(
        same_numbers(found.spectral_radius, factor, 1e-10), Evidence(not found.stable, f"stable: {found.stable}")
    )


@chavdarova.sharpened("Chavdarova et al. 2019, theorem 2 (strongly monotone sums); on bilinear sums here")
@formula(r"\rho\big(\mathbb{E}[M \otimes M]\big) < 1 \text{ for small } \eta, \qquad \Sigma = 0")
@drawn(4, couplings=st.sampled_from(((3, -1), (4, -1), (2, -1))), restart=st.sampled_from((0.25, 0.5)))
@where(lambda couplings, restart: moment(couplings, 2) >= 2 * moment(couplings, 1) ** 2 > 0)
@fails("extragradient without the snapshot", lambda: {"couplings": (3, -1), "restart": 0.5, "rule": "EG"})
def variance_reduction_converges(couplings: Sequence[sympy.Expr], restart: float, rule: object = None) -> Evidence:
    """With a snapshot that restarts at random, variance-reduced extragradient converges in mean square with a small
    constant step on sums of bilinear games on which extragradient with fresh samples diverges for every step.
    """
    step = 0.2 * restart / float(moment(couplings, 2))
    subject = rules.Extragradient(step, fresh=True) if rule else rules.SVRE(step, restart=exact(restart))
    found = analysis.mean_square(turning(couplings), subject)
    return Evidence(bool(found.stable), f"spectral radius {found.spectral_radius:.8g} at lr = {step:.4g}")
