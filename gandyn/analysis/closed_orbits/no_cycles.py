"""Proofs that a box holds no isolated closed orbit of a flow."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...errors import GandynError
from ...lazy import sympy
from ...symbolic.intervals import IntervalFunction
from ...types import Array, Game
from ...types.signs import is_zero, simplified
from ..zeros.fixed_points import FixedPoints

MOST_BOXES, NARROWEST = 4000, 1e-3
SADDLE, ROUNDED, SAMPLES = 1e-9, 1e-6, 5


def excluded(game: Game, bounds: Array) -> str | None:
    """An argument that no isolated closed orbit of dw/dt = -v(w) lies in a box, or None where none was found.

    Tried in this order: the field is affine; it is a gradient, up to a positive factor for each coordinate; it is
    strictly monotone; and in the plane: it keeps area; its divergence has one sign (Bendixson).
    """
    if not game.symbolic:
        return None
    tests = [_affine, _gradient, _monotone]
    tests += [_area, _bendixson] if game.dim == 2 else []
    for test in tests:
        reason = test(game, bounds)
        if reason is not None:
            return reason
    return None


def _affine(game: Game, bounds: Array) -> str | None:
    if game.jacobian_expr.free_symbols & set(game.symbols):
        return None
    return "the field is affine: with a closed orbit, all its multiples about an equilibrium close, so none is isolated"


def _gradient(game: Game, bounds: Array) -> str | None:
    weights = _weights(game.jacobian_expr) if _may_be_gradient(_samples(game, bounds)) else None
    if weights is None or not _finite(game, bounds):
        return None
    factor = "" if all(w == 1 for w in weights) else ", up to a positive factor for each coordinate"
    return f"the field is a gradient in the box{factor}: the potential falls along every orbit, so none closes"


def _samples(game: Game, bounds: Array) -> Array:
    """J at a few points of the box: what fails there need not be tried in symbols."""
    points = np.random.default_rng(0).uniform(bounds[:, 0], bounds[:, 1], (SAMPLES, len(bounds)))
    with np.errstate(all="ignore"):
        return np.asarray(game.jacobian(points))


def _may_be_gradient(matrices: Array) -> bool:
    """Whether J_ij / J_ji is the same everywhere for every pair, to rounding, and positive."""
    across = np.swapaxes(matrices, -1, -2)
    size = np.abs(matrices).max(0)
    crossed = np.abs(matrices[0] * across - across[0] * matrices)
    return bool((crossed <= ROUNDED * size * size.T).all() and (matrices * across >= -ROUNDED * size * size.T).all())


def _weights(matrix: sympy.Matrix) -> list[sympy.Expr] | None:
    """Positive numbers d_i with d_i J_ij = d_j J_ji for all i and j, or None."""
    n = matrix.shape[0]
    weights: list[sympy.Expr] = [None] * n
    for first in range(n):
        if weights[first] is None:
            weights[first], queue = sympy.Integer(1), [first]
            while queue:
                i = queue.pop()
                for j in range(n):
                    if weights[j] is None and matrix[i, j] != 0 and matrix[j, i] != 0:
                        ratio = simplified(matrix[i, j] / matrix[j, i])
                        if not (ratio.is_number and ratio.is_positive):
                            return None
                        weights[j] = weights[i] * ratio
                        queue.append(j)
    pairs = [(i, j) for i in range(n) for j in range(i)]
    even = all(is_zero(weights[i] * matrix[i, j] - weights[j] * matrix[j, i]) for i, j in pairs)
    return weights if even else None


def _monotone(game: Game, bounds: Array) -> str | None:
    """Whether (J + J^T)/2, or its negative, has positive eigenvalues everywhere, by Gershgorin's discs."""
    n = game.dim
    symmetric = (game.jacobian_expr + game.jacobian_expr.T) / 2
    off = ~np.eye(n, dtype=bool)

    def definite(sign: int) -> Callable[[Array, Array], Array]:
        def test(low: Array, high: Array) -> Array:
            low, high = low.reshape(-1, n, n), high.reshape(-1, n, n)
            reach = np.where(off, np.maximum(np.abs(low), np.abs(high)), 0.0).sum(-1)
            diagonal = np.diagonal(low, axis1=1, axis2=2) if sign > 0 else -np.diagonal(high, axis1=1, axis2=2)
            return np.asarray((diagonal > reach * (1 + 1e-12)).all(-1))

        return test

    for sign, words in ((1, "approach"), (-1, "part from")):
        if _everywhere(game, list(symmetric), bounds, definite(sign)):
            return f"the field is strictly monotone in the box: two orbits {words} each other, so none closes"
    return None


def _area(game: Game, bounds: Array) -> str | None:
    matrices = _samples(game, bounds)
    divergences = np.trace(matrices, axis1=-2, axis2=-1)
    small = (np.abs(divergences) <= ROUNDED * np.abs(matrices).max()).all()
    if not small or not is_zero(game.jacobian_expr.trace()):
        return None
    return "the flow keeps area, which an isolated closed orbit could not: orbits would wind onto it from one side"


def _bendixson(game: Game, bounds: Array) -> str | None:
    divergence = sympy.expand(game.jacobian_expr.trace())
    one_sign = (divergence.is_nonnegative or divergence.is_nonpositive) and _finite(game, bounds)
    strict = _everywhere(game, [divergence], bounds, lambda low, high: ((low > 0) | (high < 0)).all(-1))
    if not (one_sign or strict):
        return None
    return "the divergence of the field has one sign in the box, so no closed orbit lies in it (Bendixson's criterion)"


def not_gone_around(game: Game, zeros: FixedPoints) -> str | None:
    """By index theory: in the plane a closed orbit goes around equilibria whose indices have the sum 1."""
    if not zeros.complete:
        return None
    if not len(zeros):
        return f"no equilibrium lies in the box ({zeros.reason}), and a closed orbit goes around one"
    if all(is_saddle(game, p.point) for p in zeros):
        return (
            f"all equilibria in the box are saddles ({zeros.reason}), of index -1, and those that a closed orbit goes "
            "around have indices with sum 1"
        )
    return None


def is_saddle(game: Game, point: Array) -> bool:
    """Whether det J < 0 beyond doubt: an equilibrium of index -1 in the plane."""
    matrix = np.asarray(game.jacobian(np.asarray(point, dtype=float)))
    row = np.linalg.norm(matrix, axis=1)
    return bool(np.linalg.det(matrix) < -SADDLE * row[0] * row[1])


def conserved(game: Game, bounds: Array) -> str | None:
    """A function that the planar flow conserves and that is analytic in the box: then no closed orbit is isolated."""
    from ..conserved.quantities import conserved_quantities

    try:
        found = conserved_quantities(game)
    except GandynError:
        return None
    for quantity in found:
        gradient = [quantity.expression.diff(s) for s in game.symbols]
        if not quantity.constraints and _bounded(game, [quantity.expression, *gradient], bounds):
            return (
                f"the flow conserves {quantity.expression}, so no closed orbit is isolated: orbits would wind onto it "
                "from one side, with the same value"
            )
    return None


def _finite(game: Game, bounds: Array) -> bool:
    """Whether the field and its derivative exist everywhere in the box."""
    if all(e.is_polynomial(*game.symbols) for e in game.field_exprs):
        return True
    return _bounded(game, [*game.field_exprs, *game.jacobian_expr], bounds)


def _bounded(game: Game, expressions: list[sympy.Expr], bounds: Array) -> bool:
    return _everywhere(game, expressions, bounds, lambda low, high: (np.isfinite(low) & np.isfinite(high)).all(-1))


def _everywhere(
    game: Game, expressions: list[sympy.Expr], bounds: Array, test: Callable[[Array, Array], Array]
) -> bool:
    """Whether ranges of expressions pass a test on every part of a cover of the box."""
    try:
        function = IntervalFunction(game.symbols, expressions)
    except GandynError:
        return False
    low, high = bounds[None, :, 0], bounds[None, :, 1]
    least = NARROWEST * (bounds[:, 1] - bounds[:, 0])
    while len(low):
        passed = test(*function(low, high))
        if passed.dtype != bool or len(passed) != len(low):
            passed = np.broadcast_to(np.asarray(passed, dtype=bool), len(low))
        low, high = low[~passed], high[~passed]
        if len(low) > MOST_BOXES or (len(low) and ((high - low) < least).all(-1).any()):
            return False
        rows, widest = np.arange(len(low)), np.argmax((high - low) / least, axis=-1)
        middle = (low[rows, widest] + high[rows, widest]) / 2
        left, right = high.copy(), low.copy()
        left[rows, widest] = right[rows, widest] = middle
        low, high = np.concatenate([low, right]), np.concatenate([left, high])
    return True
