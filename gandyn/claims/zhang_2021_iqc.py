"""Claims of Zhang, Bao, Lessard & Grosse 2021, "A unified analysis of first-order methods for smooth games"."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import strategies as st

from .. import classes, rules
from ..analysis.optimal.rate import rate
from .declare import Evidence, Paper, drawn, fails, formula
from .evidence import same_numbers

zhang = Paper("zhang_2021_iqc")


@zhang.sharpened(
    'Zhang, Bao, Lessard & Grosse 2021, abstract: "we recover the existing bound for the gradient method"; the formula '
    "from the literature, both sides of it checked here"
)
@formula(r"\sup_{v} \frac{\|w^+ - w^*\|}{\|w - w^*\|} = \sqrt{1 - 2\eta\mu + \eta^2L^2}")
@drawn(4, mu=st.floats(0.05, 1), ratio=st.floats(1.5, 40), share=st.floats(0.1, 1.9))
@fails("a look-ahead before the step", lambda: {"mu": 0.5, "ratio": 4.0, "share": 1.0, "rule": rules.Extragradient})
def gradient_steps_are_tight(mu: float, ratio: float, share: float, rule: Any = rules.GDA) -> Evidence:
    """The worst factor of a gradient step with eta = share mu/L^2 over all mu-strongly monotone L-Lipschitz fields is
    sqrt(1 - 2 eta mu + eta^2 L^2), and a linear field has it.
    """
    lipschitz = ratio * mu
    step = share * mu / lipschitz**2
    found = rate(rule(step), classes.StronglyMonotone(mu, lipschitz)).value
    return same_numbers(found, math.sqrt(1 - 2 * step * mu + (step * lipschitz) ** 2), 1e-8)
