"""Finite sums of bilinear games that claims about minibatches are tried on, and exact critical steps of rules there."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from .. import analysis
from ..games.finite_sum import FiniteSumGame
from ..lazy import sympy
from ..oracles.symbolic import SymbolicGame
from ..types import Rule
from ..worlds import exact


def turning(couplings: Sequence[sympy.Expr]) -> FiniteSumGame:
    """(1/N) sum_k b_k x y, one summand a step."""
    return diagonal([[b] for b in couplings])


def diagonal(rows: Sequence[Sequence[sympy.Expr]]) -> FiniteSumGame:
    """(1/N) sum_k x^T diag(a_k) y, the rows being a_1, ..., a_N; one summand a step."""
    n = len(rows[0])
    x, y, a = (sympy.symbols(f"{name}1:{n + 1}", real=True) for name in "xya")
    f = sum(a[k] * x[k] * y[k] for k in range(n))
    summand = SymbolicGame("summand", [f, -f], {"x": x, "y": y})
    return FiniteSumGame("bilinear sum", summand, rows, a, 1, [(0,) * (2 * n)])


def critical_in_mean_square(couplings: Sequence[sympy.Expr], rule: Rule) -> sympy.Expr:
    """The exact step below which second moments shrink."""
    return analysis.mean_square(turning(couplings), rule).critical("lr")


def moment(couplings: Sequence[sympy.Expr], power: int) -> sympy.Expr:
    """The mean of b^power over the draws of b."""
    return sum(exact(b) ** power for b in couplings) / sympy.Integer(len(couplings))


def damped(rows: Sequence[Sequence[object]]) -> FiniteSumGame:
    """(1/N) sum_k a_k (x^2 - y^2)/2 + b_k x y + p_k x + q_k y for rows (a, b, p, q), one summand a step.

    Its saddle is 0 where the p and the q add up to 0. The summands' Jacobians are a_k I + b_k R, R a quarter turn.
    """
    x, y, a, b, p, q = sympy.symbols("x y a b p q", real=True)
    f = a * (x**2 - y**2) / 2 + b * x * y + p * x + q * y
    summand = SymbolicGame("summand", [f, -f], {"x": [x], "y": [y]})
    exactly = [tuple(exact(value) for value in row) for row in rows]
    return FiniteSumGame("damped sum", summand, exactly, (a, b, p, q), 1, [(0, 0)])


def _tenth(low: int, high: int) -> st.SearchStrategy[sympy.Rational]:
    return st.integers(low, high).map(lambda n: sympy.Rational(n, 10))


@st.composite
def damped_rows(draw: st.DrawFn) -> tuple[tuple[sympy.Expr, ...], ...]:
    """Two rows (a, b, p, q) of `damped`, mean a at least 0.2, p and q not 0 and adding up to 0; one a may be < 0."""
    own, more = draw(_tenth(-3, 8)), draw(_tenth(4, 10))
    p, q = (draw(_tenth(1, 9)) * draw(st.sampled_from([-1, 1])) for _ in range(2))
    first = (own, draw(_tenth(-9, 12)), p, q)
    return first, (more - own, draw(_tenth(-9, 12)), -p, -q)


DAMPED = damped_rows()
