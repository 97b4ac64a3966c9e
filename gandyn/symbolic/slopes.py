"""A program of expressions together with its derivatives, by the chain rule along it."""

from __future__ import annotations

from collections.abc import Sequence

import sympy

Program = list[tuple[sympy.Symbol, sympy.Expr]]


def with_slopes(
    along: Sequence[object], outputs: Sequence[object], bindings: Sequence[tuple[sympy.Symbol, sympy.Expr]] = ()
) -> tuple[list[sympy.Expr], Program]:
    """The derivatives of each output along some symbols, row by row, and the program that they stand in.

    Every partial derivative has a name of its own, so that the program grows with the number of steps, not with the
    length of written-out expressions.

    Args:
        along: the symbols, n of them.
        outputs: expressions in symbols and bound names.
        bindings: pairs (name, expression) of intermediate results, in the order of evaluation.
    """
    slopes: dict[sympy.Expr, list[sympy.Expr]] = {
        s: [sympy.Integer(int(j == k)) for j in range(len(along))] for k, s in enumerate(along)
    }
    program: Program = []

    def push(e: sympy.Expr) -> list[sympy.Expr]:
        partials = [(slopes[s], sympy.diff(e, s)) for s in sorted(e.free_symbols & slopes.keys(), key=str)]
        return [sympy.Add(*(row[k] * d for row, d in partials)) for k in range(len(along))]

    for name, e in bindings:
        program.append((name, e))
        row = []
        for entry in push(e):
            if not entry.is_Atom:
                program.append((sympy.Dummy("s", real=True), entry))
                entry = program[-1][0]
            row.append(entry)
        slopes[name] = row
    return [entry for e in outputs for entry in push(e)], program
