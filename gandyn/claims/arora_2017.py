"""Claims of Arora et al. 2017, "Generalization and equilibrium in GANs", and of Arora & Zhang's support-size test."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import strategies as st

from ..oracles.gaussian_mixture import GaussianMixture
from .declare import Evidence, Paper, drawn, fails, formula

arora = Paper("arora_2017")


@arora.sharpened(
    "Arora et al. 2017, section 3 (low-capacity discriminators) and corollary 3.2; exact for polynomials by "
    "Gauss quadrature"
)
@formula(r"\textstyle\sum_{i \le m} p_i x_i^k = \mathbb{E}\,x^k, \quad k = 0, \dots, 2m - 1")
@drawn(25, atoms=st.integers(1, 5), mean=st.floats(-2, 2), std=st.floats(0.1, 2))
@fails("a discriminator of degree 2m", lambda: {"atoms": 2, "mean": 0.0, "std": 1.0, "degree": 4})
def few_atoms_win(atoms: int, mean: float, std: float, degree: int | None = None) -> Evidence:
    """A discriminator of limited capacity is blind to a lack of diversity: against all polynomials of degree below 2m a
    generator of m points wins, although the data are a density.
    """
    data = GaussianMixture([[mean]], std)
    nodes, weights = np.polynomial.hermite_e.hermegauss(atoms)
    points, weights = mean + std * nodes, weights / weights.sum()
    apart = [
        abs(float(points**k @ weights) - data.moment(k)) / max(1.0, abs(data.moment(k)))
        for k in range(1, (2 * atoms if degree is None else degree + 1))
    ]
    missed = float(np.abs(np.linspace(mean - std, mean + std, 41)[:, None] - points).min(1).max())
    holds = max(apart) < 1e-9 and missed > 1e-3 * std
    return Evidence(holds, f"{len(apart)} moments within {max(apart):.1e}, data up to {missed:.3g} from every atom")


@arora.says("Arora & Zhang 2018, section 2 (birthday paradox test for the support size), after Arora et al. 2017")
@formula(r"\Pr[\text{duplicate}] = \tfrac12 \;\text{at}\; s \approx \sqrt{2 \log 2 \cdot N}")
@drawn(3, size=st.integers(20, 60))
@fails("some points are far likelier: only a lower bound is left", lambda: {"size": 60, "weights": "unequal"})
def birthday(size: int, weights: str = "equal") -> Evidence:
    """A duplicate in a batch of s with probability 1/2 means a support of about s^2 (uniform distributions; s^2 / (2
    log 2) with the factor that the statement drops).

    The batch for which the package's test expects a duplicate half of the time, beside the exact probability.
    """
    from ..gans.metrics.birthday import support_size

    p = np.ones(size) if weights == "equal" else np.arange(1, size + 1) ** -1.5
    p = p / p.sum()
    copies = np.repeat(np.arange(size), np.maximum(1, np.round(300 * p)).astype(int))
    score = support_size(copies[:, None].astype(float), threshold=0.25)
    batch = score.parts["batch_for_half"]
    none = math.prod(1 - k / size for k in range(math.ceil(batch) + 1))
    more = math.prod(1 - k / size for k in range(math.floor(0.8 * batch)))
    return Evidence(
        none < 0.5 < more, f"batch {batch:.1f}: no duplicate with probability {none:.3f}, {more:.3f} at 0.8 of it"
    )
