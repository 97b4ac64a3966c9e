"""The derivative of an implicit step, by the implicit function theorem: no closed form of the step is needed."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...dynamics.trace import UpdateMap, trace_residual
from ...errors import NotDifferentiableError, ParameterError
from ...lazy import sympy, torch
from ...types import Array, Game, Implicit, Rng, Rule, residual_of
from ...types.signs import is_zero

STILL = 1e-12  # |v| at decimals of an equilibrium


def is_implicit(game: Game, rule: Rule) -> bool:
    """Whether the step is given by `rule.residual` alone: an affine field has its closed form instead."""
    return isinstance(rule, Implicit) and not game.quadratic


def implicit_jacobian(game: Game, rule: Rule, point: Array) -> tuple[sympy.Matrix, sympy.Matrix]:
    """The next point w+ of an implicit rule and its derivative Dw+, from the residual equation r(w+, w) = 0.

    Dw+ = -(dr/dw+)^{-1} dr/dw, exact where w+ = w. Elsewhere w+ is what the step finds in floating point.

    Raises NotDifferentiableError at a kink, or where dr/dw+ is singular; ParameterError away from an equilibrium, while
    a parameter has no value.
    """
    traced = trace_residual(game, rule)
    w = w_next = sympy.Matrix(list(point))
    if not all(map(is_zero, residual_of(rule, game, point, point))):
        w_next = _arrive(game, rule, traced.parameters, w)
    by_series = _by_series(traced, [*w_next, *w]) if w_next is w else None
    if by_series is not None:
        return w_next, by_series
    _, slopes = traced.jacobian_at([*w_next, *w])
    matrix = -_solve(game, rule, slopes[:, : game.dim], slopes[:, game.dim :])
    return w_next, matrix.applyfunc(sympy.cancel) if w_next is w else matrix


def _by_series(traced: UpdateMap, point: list[sympy.Expr]) -> sympy.Matrix | None:
    """-(dr/dw+)^{-1} dr/dw over the rationals or a field of powers of e; None where that is no way to find it."""
    from sympy.polys.matrices import DomainMatrix
    from sympy.polys.matrices.exceptions import DMNonInvertibleMatrixError

    from ...symbolic.coefficients import NoExpansionError
    from ...symbolic.exponentials import finest
    from .dynamics import LocalDynamics

    local, d = LocalDynamics.of_map(traced, point), len(point) // 2

    def attempt(numbers: Any) -> sympy.Matrix:
        rows = local.series(1, numbers)
        slopes = [[row.get((k,), numbers.field.zero) for k in range(2 * d)] for row in rows]
        after, before = (DomainMatrix([row[part] for row in slopes], (d, d), numbers.field) for part in halves)
        solved = -after.lu_solve(before)
        return sympy.Matrix(d, d, [numbers.symbolic(e) for row in solved.to_dense().to_list() for e in row])

    halves = slice(0, d), slice(d, 2 * d)
    try:
        return finest(attempt)
    except (NoExpansionError, DMNonInvertibleMatrixError):
        return None


def _arrive(game: Game, rule: Rule, parameters: tuple[sympy.Symbol, ...], w: Array) -> sympy.Matrix:
    """The point w+ at which the step from w arrives."""
    if parameters or w.free_symbols:
        if not w.free_symbols and float(sympy.Matrix(game.field(np.array(list(w), dtype=object))).norm()) < STILL:
            return w
        names = ", ".join(map(str, parameters or sorted(w.free_symbols, key=str)))
        raise ParameterError(
            f"the implicit step of {rule.name} on {game.name} away from an equilibrium, while {names} has no value",
            "an equilibrium, where the step stands still, or numbers",
            "linearise at an equilibrium, or set the parameters",
        )
    start = np.array([float(e) for e in w])
    return sympy.Matrix([sympy.Float(float(e)) for e in rule.step(game, start, rule.init(game, start))[0]])


def _solve(game: Game, rule: Rule, matrix: sympy.Matrix, rhs: sympy.Matrix) -> sympy.Matrix:
    try:
        return matrix.LUsolve(rhs)
    except sympy.matrices.exceptions.NonInvertibleMatrixError:
        raise NotDifferentiableError(
            f"no derivative: the system that defines the step of {rule.name} on {game.name} is singular",
            "an invertible derivative of the residual",
            "a smaller lr",
        ) from None


def implicit_jacobian_torch(game: Game, rule: Rule, w: Array, seed: Rng) -> tuple[Array, Array]:
    """The next point w+ of an implicit rule and its derivative Dw+, by automatic differentiation of the residual.

    The seed is that of the batch on which the residual is evaluated.
    """
    start, batch = w.detach(), game.draw(np.random.default_rng(seed))
    w_next = rule.step(game, start, rule.init(game, start), np.random.default_rng(seed))[0].detach()

    def residual(after: Array, before: Array) -> Array:
        return residual_of(rule, game, after, before, batch)

    by_next, by_w = torch.autograd.functional.jacobian(residual, (w_next, start))  # type: ignore[no-untyped-call]
    return w_next, -torch.linalg.solve(by_next, by_w)
