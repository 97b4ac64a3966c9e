"""How a rule combines field and Jacobian: exact coefficients in a basis, read off on a game in general position."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import sympy

from ...games import from_sympy
from ...types import Game
from ...types.signs import is_zero


def probe(game: Game) -> Game:
    """A cubic game in general position with the same players, one coordinate each, zero-sum if the given one is."""
    symbols = {p.name: sympy.Symbol(f"w_{p.name}", real=True) for p in game.players}
    draw = np.random.default_rng(5)
    monomials = [
        sympy.prod(chosen) for k in (1, 2, 3) for chosen in itertools.combinations_with_replacement(symbols.values(), k)
    ]

    def cost() -> sympy.Expr:
        return sum(sympy.Rational(int(draw.integers(1, 30)), 7) * m for m in monomials)

    costs = cost() if game.zero_sum else [cost() for _ in symbols]
    return from_sympy(costs, symbols, name="probe")


def match(
    vector: Sequence[object], basis: Sequence[Sequence[sympy.Expr]], symbols: Sequence[sympy.Symbol]
) -> list[sympy.Expr] | None:
    """The coefficients k with vector = sum_b k_b basis_b identically in the symbols; None where there are none.

    The vector may hold parameters beside the symbols, and the coefficients then do; the basis may not. The coefficients
    are solved for at random rational points, tested at another point, and verified as an identity.
    """
    draw = np.random.default_rng(7)
    rows, right = [], []
    for _ in range(len(basis) + 2):
        at = {s: sympy.Rational(int(draw.integers(-20, 20)), 9) for s in symbols}
        rows += [[sympy.sympify(b[k], strict=True).xreplace(at) for b in basis] for k in range(len(vector))]
        right += [sympy.sympify(e, strict=True).xreplace(at) for e in vector]
    table = sympy.Matrix(rows)
    chosen = table.T.rref(simplify=False)[1]
    if len(chosen) < len(basis):
        return None
    inverse = table[list(chosen), :].inv()
    found = [sympy.factor(k) for k in inverse * sympy.Matrix([right[r] for r in chosen])]
    parameters = sorted(set().union(*(e.free_symbols for e in right)), key=str)
    trial = {p: sympy.Rational(int(draw.integers(1, 20)), 23) for p in parameters}
    values = table * sympy.Matrix([k.xreplace(trial) for k in found])
    if any(value != e.xreplace(trial) for value, e in zip(values, right, strict=True)):
        return None
    for k, e in enumerate(vector):
        if not is_zero(sympy.expand(e - sum(f * b[k] for f, b in zip(found, basis, strict=True)))):
            return None
    return found
