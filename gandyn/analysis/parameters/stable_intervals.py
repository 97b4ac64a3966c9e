"""The intervals of one positive parameter on which conditions of stability hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...lazy import sympy
from ..exact_numbers.routh import between, boundary_roots
from .thresholds import where_positive

LONG = 12  # terms beyond which SymPy takes long to find a sign


def end_of(expressions: Sequence[sympy.Expr], p: sympy.Expr) -> sympy.Expr:
    """The end of the stable interval from 0: 0, oo, a `Root`, or a number where coefficients are not rational."""
    return next((high for low, high in intervals(expressions, p) if low == 0), sympy.Integer(0))


def intervals(expressions: Sequence[sympy.Expr], p: sympy.Expr) -> list[tuple[Any, Any]]:
    """All stable intervals of positive p, in order, with ends as `_end` gives them."""
    if never(expressions):
        return []
    cut = where_positive(expressions, p)
    if cut is not None:
        line, holds = cut
        return [(low, sympy.oo if high is None else high) for low, high in line.intervals(holds)]
    edges = [sympy.Integer(0), *boundary_roots(expressions, p)]
    found: list[tuple[Any, Any]] = []
    for low, high in zip(edges, [*edges[1:], None], strict=True):
        middle = between(low, high)
        if all(bool(e.subs(p, middle) > 0) for e in expressions):
            joined = bool(found) and found[-1][1] == low
            found.append((found.pop()[0] if joined else low, sympy.oo if high is None else high))
    return found


def never(expressions: Sequence[sympy.Expr]) -> bool:
    """Whether SymPy knows one of them to fail for all values; it is not asked about long ones, which takes minutes."""
    return any(bool(e.is_nonpositive) for e in expressions if len(e.args) <= LONG)
