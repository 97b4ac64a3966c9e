"""Every fold, flip and Hopf point in a box of points and parameters, as zeros of a system that intervals can search.

G(z, p) = 0, where G = v for a flow and F - z for a map, together with one test function that vanishes when an
eigenvalue meets the stability boundary (Kuznetsov 2004, chapter 10).
"""

from __future__ import annotations

import dataclasses

import numpy as np
import sympy
from sympy.matrices import dotprodsimp

from ...budget import Budget, OutOfTimeError
from ...errors import DomainError
from ...types import Array
from ..zeros.equations import Equations
from ..zeros.exclusion import search
from .system import System

LARGEST = 3


@dataclasses.dataclass(frozen=True)
class Critical:
    """The critical values of a parameter that the search found, and whether there are no others."""

    points: Array  # (z, p), shape (n, D + 1), each in the middle of an enclosure that is proven to hold one
    obstacles: tuple[str, ...]  # why these may not be all, in words; empty where they are


def critical_points(made: System, bounds: Array, low: float, high: float, budget: Budget) -> Critical:
    """Zeros of (G, test) over bounds, shape (d, 2), and the parameter's range [low, high].

    A pair of real eigenvalues that add up to 0 (flow), or multiply to 1 (map), meets no boundary: its zeros of the test
    function for pairs are left out.
    """
    if made.size > made.game.dim:
        return _none(made, "a rule with memory: branches were followed, and none is proven to be missing")
    if made.size > LARGEST or made.game.constrained:
        return _none(made, f"more than {LARGEST} coordinates, or constraints: branches were followed, without a proof")
    found: list[Array] = []
    obstacles: list[str] = []
    ends = [*map(tuple, bounds), (low, high)]
    try:
        for name, test in budget.run(lambda: _tests(made), "an equation for critical points").items():
            budget.check(f"the search for {name}")
            equations = Equations((*made.symbols, made.parameter), (*_zeros(made), test))
            result = search(equations, [a for a, _ in ends], [b for _, b in ends], budget)
            for zero in result.zeros:
                x = zero.ends.mean(-1)
                if _meets(made, x, name):
                    found.append(x)
            if result.reason:
                obstacles.append(f"{name}: {result.reason}")
    except (DomainError, OutOfTimeError) as error:
        obstacles.append(f"no proof: {error.given}")
    return Critical(np.array(found).reshape(-1, made.size + 1), tuple(obstacles))


def _none(made: System, why: str) -> Critical:
    return Critical(np.empty((0, made.size + 1)), (why,))


def _map(made: System) -> list[sympy.Expr]:
    """The entries of F as expressions in which names of intermediate results are replaced by their values."""
    values: dict[sympy.Expr, sympy.Expr] = {}
    for name, e in made.bindings:
        values[name] = e.xreplace(values)
    return [e.xreplace(values) for e in made.outputs]


def _zeros(made: System) -> list[sympy.Expr]:
    rows = _map(made)
    return [sympy.expand(e - s) for e, s in zip(rows, made.symbols, strict=True)] if made.discrete else rows


def _tests(made: System) -> dict[str, sympy.Expr]:
    """det DG for folds; for maps det (DF + 1) for flips; for pairs the last but one Hurwitz determinant."""
    d = made.size
    matrix = sympy.Matrix(d, d, [sympy.diff(e, s) for e in _map(made) for s in made.symbols])
    eye = sympy.eye(d)
    with dotprodsimp(False):  # SymPy cancels determinants; with nested roots that does not end
        tests = {"folds": (matrix - eye if made.discrete else matrix).det()}
        if made.discrete:
            tests["flips"] = (matrix + eye).det()
        if d >= 2:
            tests["pairs"] = _pair(made, matrix)
    return {name: sympy.expand(e) if e.is_polynomial() else e for name, e in tests.items()}


def _pair(made: System, matrix: sympy.Matrix) -> sympy.Expr:
    """0 where two eigenvalues add up to 0 (flow) or multiply to 1 (map), for two or three coordinates."""
    d = made.size
    trace, determinant = matrix.trace(), matrix.det()
    if d == 2:
        return determinant - 1 if made.discrete else trace
    minors = (trace**2 - (matrix * matrix).trace()) / 2
    if not made.discrete:
        return trace * minors - determinant
    # Roots a, b, c with ab = 1, so that c = det: the polynomial t^3 - T t^2 + M t - D vanishes at D, divided by D.
    return determinant**2 - trace * determinant + minors - 1


def _meets(made: System, x: Array, test: str) -> bool:
    """Whether a zero of a test function is one of a pair on the boundary, for the test of pairs."""
    if test != "pairs":
        return True
    values = np.linalg.eigvals(made.jacobian(x[:-1], x[-1]))
    off = np.abs(np.abs(values) - 1) if made.discrete else np.abs(values.real)
    near = values[np.argsort(off)[:2]]
    return bool(np.abs(near.imag).min() > 0)
