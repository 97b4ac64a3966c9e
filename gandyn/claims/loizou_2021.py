"""Claims of Loizou et al. 2021, "Stochastic gradient descent-ascent and consensus optimization for smooth games"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from .. import analysis, rules
from ..lazy import sympy
from .declare import Evidence, Paper, drawn, fails, formula
from .evidence import all_of, same_numbers
from .noisy_sums import DAMPED, damped, moment

loizou = Paper("loizou_2021")
PAIR = (("0.6", "1", "0.5", "-0.2"), ("0.2", "-0.5", "-0.5", "0.2"))


@loizou.sharpened(
    'Loizou et al. 2021, abstract: "linear convergence of both methods to a neighborhood of the solution when they use '
    'constant step-size"; the exact size of that neighbourhood on sums of damped rotations derived here'
)
@formula(
    r"\eta \le \tfrac{1}{2\ell}: \quad \rho(\mathbb{E}\,M\otimes M) \le 1 - \eta\mu, \quad \mathbb{E}\|w_\infty - "
    r"w^*\|^2 = \frac{\eta\sigma^2}{\mu(2-\eta\ell)} \le \frac{2\eta\sigma^2}{\mu}"
)
@drawn(8, rows=DAMPED, share=st.sampled_from([0.1, 0.5, 1.0]))
@fails("a step beyond 2/l", lambda: {"rows": PAIR, "share": 4.2}, share=1.0)
@fails(
    "a mean field that is not monotone", lambda: {"rows": (("-0.6", *PAIR[0][1:]), PAIR[1]), "share": 0.5}, rows=PAIR
)
def linear_to_a_neighbourhood(rows: Sequence[Sequence[object]], share: float) -> Evidence:
    """Gradient steps on one random summand of a sum that is mu-quasi-strongly monotone and l-co-coercive in expectation
    contract second moments by 1 - eta mu for eta <= 1/(2 l), to a floor of at most 2 eta sigma^2 / mu; single summands
    need not be monotone. Tried on damped rotations, where mu = E a and l = E(a^2 + b^2) / E a.
    """
    game, (a, b, p, q) = damped(rows), zip(*rows, strict=True)
    mu, squared = moment(a, 1), moment(a, 2) + moment(b, 2)
    lipschitz, sigma2 = squared / abs(mu), moment(p, 2) + moment(q, 2)
    step = sympy.Rational(str(share)) / (2 * lipschitz)
    found: Any = analysis.stationary(game, rules.GDA(step))
    floor = step * sigma2 / (mu * (2 - step * lipschitz))
    return all_of(
        Evidence(bool(found.exists and found.spectral_radius <= 1 - float(step * mu) + 1e-12), found.reason),
        same_numbers(found.mean_square_distance, float(floor), 1e-9),
        Evidence(bool(floor <= 2 * step * sigma2 / mu), f"floor {float(floor):.6g}"),
    )
