"""Finite sums of bilinear games that claims about minibatches are tried on, and exact critical steps of rules there."""

from __future__ import annotations

from collections.abc import Sequence

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
