"""Exact derivatives of link functions: differentiated once by SymPy, then evaluated in the world of the argument."""

from __future__ import annotations

import functools
from collections.abc import Hashable, Sequence
from typing import Any, Protocol

import numpy as np

from ..lazy import sympy
from ..worlds import NUMPY, SYMBOLS, TORCH, Array, exact, is_symbolic, world_of


class Paired(Hashable, Protocol):
    """A loss that is a cost of pairs."""

    def pair(self, player: str, real: Array, fake: Array, distance: Array) -> Array:
        """A player's cost of each pair."""


def link_slope(loss: Hashable, link: str, against: str, values: Array) -> Array:
    """d link / d logit, or d link / d sigmoid(logit), elementwise."""
    symbol, expression = _link_slope(loss, link, against)
    return evaluate([symbol], expression, [values])


def pair_slopes(loss: Paired, player: str, arrays: Sequence[Array]) -> tuple[Array, Array]:
    """(d/d real, d/d fake) of the cost of one pair; `arrays` are real logits, fake logits and, if needed, distances."""
    symbols, expressions = _pair_slopes(loss, player, len(arrays))
    real, fake = (evaluate(symbols, e, arrays) for e in expressions)
    return real, fake


@functools.lru_cache(maxsize=512)
def _link_slope(loss: Hashable, link: str, against: str) -> tuple[sympy.Expr, sympy.Expr]:
    s = sympy.Dummy("s", real=True)
    slope = sympy.diff(getattr(loss, link)(s), s)
    if against == "logit":
        return s, slope
    d = sympy.Dummy("D", positive=True)
    at_logit = slope.xreplace({s: sympy.log(d / (1 - d))}).rewrite(sympy.exp)
    return d, sympy.factor(sympy.cancel(sympy.together(at_logit / (d * (1 - d)))))


@functools.lru_cache(maxsize=512)
def _pair_slopes(loss: Paired, player: str, count: int) -> tuple[tuple[sympy.Expr, ...], tuple[sympy.Expr, ...]]:
    real, fake, distance = sympy.symbols("real fake distance", real=True, cls=sympy.Dummy)
    cost = loss.pair(player, real, fake, distance if count == 3 else None)
    return (real, fake, distance)[:count], (sympy.diff(cost, real), sympy.diff(cost, fake))


def evaluate(symbols: Sequence[sympy.Symbol], expression: sympy.Expr, values: Sequence[Array]) -> Array:
    """An expression of scalars, elementwise on arrays of one world and shape (or on SymPy expressions)."""
    if all(is_symbolic(v) or not hasattr(v, "shape") for v in values) and any(map(is_symbolic, values)):
        return expression.xreplace(dict(zip(symbols, map(exact, values), strict=True)))
    if world_of(values[0]) == SYMBOLS:
        entry = np.frompyfunc(lambda *v: evaluate(symbols, expression, [exact(x) for x in v]), len(values), 1)
        return entry(*values)
    if world_of(values[0]) not in {NUMPY, TORCH}:
        values = [np.asarray(v, dtype=float) for v in values]
    function = _compiled(tuple(symbols), expression)
    return function(*(v[..., None] for v in values))[..., 0]


@functools.lru_cache(maxsize=512)
def _compiled(symbols: tuple[object, ...], expression: sympy.Expr) -> Any:
    from ..symbolic.function import SymbolicFunction

    return SymbolicFunction([[s] for s in symbols], [expression])
