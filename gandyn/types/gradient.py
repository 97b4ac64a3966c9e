"""Partial derivatives of an expression in all its symbols at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..lazy import sympy


def gradient(expression: object, symbols: Sequence[object]) -> list[sympy.Expr]:
    """de/ds for each symbol s: the expressions that `sympy.diff` gives, from one walk over sums and products.

    SymPy walks over the whole expression once for each symbol: in a quadratic cost of d coordinates d^3 steps, where
    each term holds two of them.
    """
    slopes = _slopes(expression, frozenset(symbols))
    return [slopes.get(s, sympy.S.Zero) for s in symbols]


def _slopes(e: Any, wanted: frozenset[Any]) -> dict[Any, Any]:
    """The derivatives that do not vanish identically, by symbol."""
    if e in wanted:
        return {e: sympy.S.One}
    if not (e.is_Add or e.is_Mul) or not e.is_commutative:
        return {s: sympy.diff(e, s) for s in e.free_symbols & wanted}
    terms: dict[Any, list[Any]] = {}
    for k, part in enumerate(e.args):
        for s, slope in _slopes(part, wanted).items():
            others = (*e.args[:k], slope, *e.args[k + 1 :]) if e.is_Mul else (slope,)
            terms.setdefault(s, []).append(sympy.Mul(*others))
    return {s: sympy.Add(*rows) for s, rows in terms.items()}
