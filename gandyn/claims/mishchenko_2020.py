"""Claims of Mishchenko et al. 2020, "Revisiting stochastic extragradient", and Gorbunov et al. 2022 beside it."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from .. import rules
from ..lazy import sympy
from .declare import Evidence, Paper, drawn, fails, formula
from .evidence import all_of, same_numbers
from .noisy_sums import critical_in_mean_square, moment

mishchenko = Paper("mishchenko_2020")
gorbunov = Paper("gorbunov_2022_sampling")
COUPLINGS = st.lists(st.integers(-4, 20).map(lambda n: sympy.Rational(n, 10)), min_size=2, max_size=3).filter(any)


@mishchenko.sharpened("Mishchenko et al. 2020, theorem 2 (the same sample); the critical step derived here")
@formula(r"\eta^2 < \mathbb{E}b^2 / \mathbb{E}b^4")
@drawn(8, couplings=COUPLINGS)
@fails("fresh samples", lambda: {"couplings": [sympy.Rational(3), sympy.Rational(-1)], "fresh": True})
def same_sample_converges(couplings: Sequence[sympy.Expr], fresh: bool = False) -> Evidence:
    """Extragradient with one and the same summand in both evaluations converges in mean square on every sum of
    bilinear games b_k x y that has a coupling at all, even where their mean is 0, for eta^2 < E b^2 / E b^4.
    """
    found = critical_in_mean_square(couplings, rules.Extragradient("lr", fresh=fresh))
    limit = sympy.sqrt(moment(couplings, 2) / moment(couplings, 4))
    return all_of(Evidence(bool(found > 0), f"critical step {found}"), same_numbers(float(found), float(limit), 1e-10))


@gorbunov.derived(
    "beside Gorbunov et al. 2022, who treat both samplings: the exact critical step of independent samples"
)
@formula(r"\eta^2 < \frac{2(\mathbb{E}b)^2 - \mathbb{E}b^2}{(\mathbb{E}b^2)^2}")
@drawn(8, couplings=COUPLINGS)
@fails("the same sample", lambda: {"couplings": [sympy.Rational(3), sympy.Rational(-1)], "fresh": False})
def independent_samples(couplings: Sequence[sympy.Expr], fresh: bool = True) -> Evidence:
    """Extragradient with independent summands converges in mean square on sums of bilinear games b_k x y exactly when
    E b^2 < 2 (E b)^2, for eta^2 < (2 (E b)^2 - E b^2) / (E b^2)^2; that may be more than with the same summand.
    """
    found = critical_in_mean_square(couplings, rules.Extragradient("lr", fresh=fresh))
    first, second = moment(couplings, 1), moment(couplings, 2)
    limit = sympy.sqrt(max(2 * first**2 - second, 0)) / second
    return same_numbers(float(found), float(limit), 1e-10)
