"""Claims of Kim, Gidel, Kyrillidis & Pedregosa 2022, on momentum extragradient over cross-shaped spectra."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import strategies as st

from .. import classes
from ..analysis.optimal.limits import speed_limit
from .declare import Evidence, Paper, drawn, fails, formula
from .evidence import same_numbers

kim = Paper("kim_2022")


@kim.sharpened(
    'Kim et al. 2022, the title of the workshop version: "Momentum Extragradient is Optimal for Games with '
    'Cross-Shaped Spectrum"; parameters and rate derived here'
)
@formula(
    r"\gamma = \tfrac{1}{2c},\ h = \tfrac{4}{(\sqrt A + \sqrt B)^2},\ \sqrt m = \tfrac{\sqrt B - \sqrt A}{\sqrt B + "
    r"\sqrt A}: \quad \rho = \sqrt m = (\text{speed limit})^2,\ [A, B] = [\tfrac{c^2-p^2}{2c}, \tfrac{c^2+q^2}{2c}]"
)
@drawn(12, c=st.floats(0.5, 2), share=st.floats(0.1, 0.95), q=st.floats(0.2, 3))
@fails("the whole ellipse in place of the cross", lambda: {"c": 1.37, "share": 0.45, "q": 2.3, "shape": "ellipse"})
def optimal_on_crosses(c: float, share: float, q: float, shape: str = "cross") -> Evidence:
    """On linear fields whose eigenvalues lie on a cross [c - p, c + p] and c + i [-q, q] extragradient with momentum,
    w+ = w - h v(w - gamma v(w)) + m (w - w_-), reaches the best rate that any combination of two fields a step has.
    """
    p = share * c
    low, high = (c**2 - p**2) / (2 * c), (c**2 + q**2) / (2 * c)
    gamma, h = 1 / (2 * c), 4 / (math.sqrt(low) + math.sqrt(high)) ** 2
    m = ((math.sqrt(high) - math.sqrt(low)) / (math.sqrt(high) + math.sqrt(low))) ** 2
    arms = np.linspace(-1, 1, 201)
    at = np.concatenate([c + p * arms, c + 1j * q * arms])
    trace = 1 + m - h * at * (1 - gamma * at)
    roots = (trace + np.array([[1], [-1]]) * np.sqrt(trace**2 - 4 * m + 0j)) / 2
    limit = speed_limit(classes.Spectrum(**{shape: (c, p, q)})).value
    return same_numbers([np.abs(roots).max(), limit**2], [math.sqrt(m)] * 2, 1e-7)
