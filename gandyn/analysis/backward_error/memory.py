"""A rule's memory as an affine function of past points and fields, to be eliminated by the previous step."""

from __future__ import annotations

import dataclasses

import sympy

from ...dynamics.trace import UpdateMap
from ...errors import DomainError
from ...types import Rule
from ...types.signs import simplified
from .expansion import expanded


def without(step: UpdateMap, unknowns: list[sympy.Symbol]) -> UpdateMap:
    """The traced program without the lines that depend on the unknowns."""
    gone, kept = set(unknowns), []
    for name, e in step.bindings:
        if e.free_symbols & gone:
            gone.add(name)
        else:
            kept.append((name, e))
    return dataclasses.replace(step, bindings=tuple(kept))


def affine(step: UpdateMap, d: int) -> tuple[list[sympy.Expr], list[sympy.Expr]]:
    """The outputs of a step as affine functions of unknowns, and these: the old state, and fields computed from it.

    `d` is the dimension of the game, whose coordinates come first.
    """
    unknowns: list[sympy.Symbol] = list(step.symbols[d:])
    values: dict[sympy.Symbol, sympy.Expr] = {}
    for name, e in step.bindings:
        e = e.xreplace(values)
        if e.free_symbols & set(unknowns):
            slopes = [e.diff(x) for x in unknowns]
            if any(slope.free_symbols & set(unknowns) or slope.has(*step.symbols[:d]) for slope in slopes):
                unknowns.append(name)
            else:
                values[name] = e
    outputs = [expanded(e.xreplace(values)) for e in step.outputs]
    return outputs, unknowns


def left_division(e: sympy.Matrix, b: sympy.Matrix, rule: Rule) -> sympy.Matrix:
    """A matrix M with M b = e, entries simplified; raises the DomainError of `beyond` where there is none."""
    try:
        solution, free = b.T.gauss_jordan_solve(e.T)
    except ValueError as error:
        raise beyond(rule) from error
    return solution.xreplace(dict.fromkeys(free, sympy.Integer(0))).T.applyfunc(simplified)


def beyond(rule: Rule) -> DomainError:
    """The DomainError for a rule whose memory is not determined by two successive points."""
    return DomainError(
        f"{rule!r}, whose memory is not determined by two successive points",
        "memory of the last point or field",
        "linearize takes any memory into account",
    )
