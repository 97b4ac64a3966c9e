"""How a rule combines field and Jacobian: exact coefficients in a basis, read off on a game in general position."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy

from ...games import from_sympy
from ...types import Game


def probe(game: Game) -> Any:
    """A cubic game in general position with the same players, one coordinate each, zero-sum if the given one is."""
    symbols = {p.name: sympy.Symbol(f"w_{p.name}", real=True) for p in game.players}
    draw = np.random.default_rng(5)
    monomials = [
        sympy.prod(chosen) for k in (1, 2, 3) for chosen in itertools.combinations_with_replacement(symbols.values(), k)
    ]

    def cost() -> Any:
        return sum(sympy.Rational(int(draw.integers(1, 30)), 7) * m for m in monomials)

    costs = cost() if game.zero_sum else [cost() for _ in symbols]
    return from_sympy(costs, symbols, name="probe")


def match(vector: Sequence[Any], basis: Sequence[Sequence[Any]], symbols: Sequence[Any]) -> list[Any] | None:
    """Coefficients k with vector = sum over b of k_b basis_b identically in the symbols; None where there are none.

    The coefficients are fixed at exact points and then verified as identities of polynomials.
    """
    draw = np.random.default_rng(7)
    rows, right = [], []
    for _ in range(len(basis) + 2):
        at = {s: sympy.Rational(int(draw.integers(-20, 20)), 9) for s in symbols}
        for k, e in enumerate(vector):
            rows.append([sympy.sympify(b[k], strict=True).subs(at) for b in basis])
            right.append(sympy.sympify(e, strict=True).subs(at))
    unknowns = sympy.symbols(f"k0:{len(basis)}")
    system = sympy.Matrix(rows) * sympy.Matrix(unknowns) - sympy.Matrix(right)
    solved = sympy.solve(list(system), unknowns, dict=True)
    if not solved:
        return None
    found = [sympy.factor(solved[0].get(u, u)) for u in unknowns]
    if any(set(unknowns) & f.free_symbols for f in found):
        return None
    for k, e in enumerate(vector):
        if sympy.simplify(sympy.expand(e - sum(f * b[k] for f, b in zip(found, basis, strict=True)))) != 0:
            return None
    return found
