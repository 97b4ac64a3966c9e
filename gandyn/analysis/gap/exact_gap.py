"""Exact duality gaps: costs quadratic in each player's own block, in boxes if separable, and matrix games."""

from __future__ import annotations

import numpy as np

from ... import worlds
from ...errors import DomainError
from ...lazy import sympy
from ...types import Array, Game
from ...types.signs import is_zero, sign, simplified
from ...worlds import SYMBOLS, world_of

TOLERANCE = 1e-12
EIGENVECTORS = 1e-15

Shares = tuple[list[Array], list[Array] | None]


def shares(game: Game, w: Array) -> Shares:
    """Each player's share f_i(w) - inf f_i(., w_-i) of the gap, and the best answers as joint vectors (..., d).

    The answers are None where some player has none that attains its infimum. Raises DomainError for games without a
    closed form.
    """
    if hasattr(game, "matrix") and hasattr(game, "parametrization"):
        return _best_responses(game, w) if game.constrained else _through_softmax(game, game.matrix, w)
    if game.own_quadratic:
        if not game.constrained:
            found = [quadratic_share(game, i, w) for i in range(len(game.players))]
        elif hasattr(game.projection, "bounds"):
            found = [boxed_share(game, i, w) for i in range(len(game.players))]
        else:
            found = []
        if found:
            answers = [replaced(game, i, w, y) for i, (_, y) in enumerate(found) if y is not None]
            return [share for share, _ in found], answers if len(answers) == len(found) else None
    raise DomainError(
        f"the exact duality gap of {game.name}",
        "costs quadratic in each player's own block (in a box: separable there), or a matrix game",
        'method="box", which encloses it, or method="gradient", which bounds it from below',
    )


def replaced(game: Game, i: int, w: Array, block: Array) -> Array:
    """The joint vector w in which player i's block is replaced by `block`."""
    blocks = list(game.split(w))
    blocks[i] = block
    return worlds.concatenate(blocks)


def _best_responses(game: Game, w: Array) -> Shares:
    costs = game.costs(w)
    answers = [replaced(game, i, w, game.best_response(i, w)) for i in range(len(game.players))]
    return [costs[i] - game.costs(y)[i] for i, y in enumerate(answers)], answers


def _through_softmax(game: Game, matrix: sympy.Matrix, w: Array) -> Shares:
    """A player's share in logits: the best pure strategy is a limit, so the share is that of the probabilities."""
    from ...games.matrix import matrix_game

    logits = game.split(w)
    shifted = [u - u[..., :1] for u in logits]
    exps = [worlds.exp(u) for u in shifted]
    mixed = worlds.concatenate([e / worlds.dot(e, worlds.ones_like(e)) for e in exps])
    return _best_responses(matrix_game(matrix), mixed)[0], None


def quadratic_share(game: Game, i: int, w: Array) -> tuple[Array, Array | None]:
    """Player i's share of the gap where its cost is quadratic in its own block: g^T H^+ g / 2, shape (...).

    Here g is the player's own gradient and H its own Hessian, H^+ the pseudo-inverse. The share is infinite unless H is
    positive semidefinite and g lies in its range. Returns the share and the best answer x_i - H^+ g, or None where
    some share is infinite.
    """
    if world_of(w) == SYMBOLS:
        return _symbolic_share(game, i, w)
    point = np.asarray(w.detach().cpu().double() if hasattr(w, "detach") else w, dtype=float)
    own = game.slices[i]
    j = game.jacobian(point)[..., own, :]
    units = _units(j[..., own])
    g = units * game.field(point, only=i)[..., own]
    hessian = units[..., :, None] * j[..., own] * units[..., None, :]
    values, vectors = np.linalg.eigh(hessian)
    scale = np.maximum(np.abs(values).max(-1, keepdims=True), 1e-300)
    along = np.einsum("...ji,...j->...i", vectors, g)
    flat = np.abs(values) <= TOLERANCE * scale
    # The cost has no lowest value along a direction of negative curvature, nor along a flat one with a slope.
    # A slope within the rounding errors of its own terms and of the eigenvectors counts as none.
    terms = units * np.einsum("...ij,...j->...i", np.abs(j), np.abs(point))
    noise = TOLERANCE * np.einsum("...ji,...j->...i", np.abs(vectors), terms)
    noise = noise + EIGENVECTORS * np.linalg.norm(g, axis=-1, keepdims=True)
    falls = (values < -TOLERANCE * scale) | (flat & (np.abs(along) > noise))
    inverse = np.where(flat, 0.0, 1.0 / np.where(flat, 1.0, values))
    share = np.where(falls.any(-1), np.inf, (inverse * along**2).sum(-1) / 2)
    if np.isinf(share).any():
        return _in_world(share, w), None
    answer = point[..., own] - units * np.einsum("...ij,...j->...i", vectors, inverse * along)
    return _in_world(share, w), _in_world(answer, w)


def _units(hessian: Array) -> Array:
    """Units of the coordinates, (..., k), in which each has curvature +-1, or is coupled by 1 where it has none."""
    sizes = np.abs(np.diagonal(hessian, axis1=-2, axis2=-1))
    units = 1 / np.sqrt(np.where(sizes > 0, sizes, 1.0))
    coupled = (np.abs(hessian) * units[..., None, :]).max(-1)
    return np.asarray(np.where(sizes > 0, units, 1 / np.where(coupled > 0, coupled, 1.0)))


def _in_world(value: object, w: Array) -> Array:
    return w.new_tensor(value) if hasattr(w, "new_tensor") else value


def _symbolic_share(game: Game, i: int, w: Array) -> tuple[sympy.Expr, Array | None]:
    """The share of a quadratic cost with exact entries; a Piecewise where it is infinite under conditions."""
    own = game.slices[i]
    g = sympy.Matrix(game.field(w, only=i)[own])
    hessian = sympy.Matrix(game.jacobian(w)[own, own]).applyfunc(simplified)
    if hessian.free_symbols:
        conditions = [sympy.Gt(simplified(hessian[:k, :k].det()), 0) for k in range(1, hessian.rows + 1)]
        if any(condition == sympy.false for condition in conditions):
            raise DomainError(
                f"the exact gap of {game.name} at symbols, whose {game.players[i].name} has a Hessian of unknown sign",
                "an own Hessian whose sign is known",
                "put in numbers",
            )
        step = hessian.LUsolve(g)
        share = sympy.factor((g.T * step)[0] / 2)
        proven = all(condition == sympy.true for condition in conditions)
        flat = not any(g)
        if flat or proven:
            return share, np.array([sympy.factor(e) for e in sympy.Matrix(list(w[own])) - step] + [None])[:-1]
        return sympy.Piecewise((share, sympy.And(*conditions)), (sympy.oo, True)), None
    characteristic = hessian.charpoly(simplify=sympy.expand).all_coeffs()
    if any(sign((-1) ** k * c) < 0 for k, c in enumerate(characteristic)):  # all roots are real: one is negative
        return sympy.oo, None
    products = [(v.T * g)[0] for v in hessian.nullspace(iszerofunc=is_zero)]
    rest = [sympy.Integer(0) if is_zero(e) else simplified(e) for e in products]
    step = hessian.pinv() * g
    share = sympy.factor(simplified((g.T * step)[0] / 2))
    if all(e == 0 for e in rest):
        return share, np.array([sympy.factor(e) for e in sympy.Matrix(list(w[own])) - step] + [None])[:-1]
    if any(e.is_number for e in rest if e != 0):
        return sympy.oo, None
    return sympy.Piecewise((share, sympy.And(*(sympy.Eq(e, 0) for e in rest))), (sympy.oo, True)), None


def boxed_share(game: Game, i: int, w: Array) -> tuple[Array, Array | None]:
    """Player i's share of the gap in a box and its best answer, where its own Hessian is diagonal.

    In each coordinate the cost is a parabola, whose least value lies at an end of the interval, or at the vertex where
    it opens upwards. The answer is None where a share is infinite. Raises DomainError where the own Hessian is not
    diagonal.
    """
    w = numbers(game, w, "the exact gap in a box")
    point = np.asarray(w.detach().cpu() if hasattr(w, "detach") else w, dtype=float)
    own = game.slices[i]
    g, hessian = game.field(point, only=i)[..., own], game.jacobian(point)[..., own, own]
    curvature = np.diagonal(hessian, axis1=-2, axis2=-1)
    if np.abs(hessian - curvature[..., None] * np.eye(hessian.shape[-1])).max() > 0:
        raise DomainError(
            f"the exact gap of {game.name}, in whose box {game.players[i].name}'s own coordinates are coupled",
            "costs that are separable in the own block",
            'method="box", which encloses it',
        )
    bounds = np.array([[float(low), float(high)] for low, high in game.feasible_set().bounds[own]])
    x = point[..., own]
    vertex = x - g / np.where(curvature > 0, curvature, 1.0)
    places = np.stack([*np.broadcast_arrays(bounds[:, 0], bounds[:, 1], np.clip(vertex, *bounds.T), x)])
    far = np.where(np.isinf(places), x, places) - x
    falls = g * far + curvature * far**2 / 2
    endless = np.isinf(places) & ((curvature < 0) | ((curvature == 0) & (g * np.sign(places) < 0)))
    falls = np.where(np.isinf(places), np.where(endless, -np.inf, np.inf), falls)
    falls[2] = np.where(curvature > 0, falls[2], np.inf)
    best = falls.argmin(0)
    share = -np.take_along_axis(falls, best[None], 0)[0].sum(-1)
    answer = np.take_along_axis(places, best[None], 0)[0]
    return _in_world(share, w), None if np.isinf(answer).any() else _in_world(answer, w)


def numbers(game: Game, w: Array, what: str) -> Array:
    """The point w with exact numbers turned into floats. Raises DomainError where it holds symbols, naming `what`."""
    if world_of(w) != SYMBOLS:
        return w
    if any(e.free_symbols for e in w.ravel()):
        raise DomainError(f"{what} of {game.name} at symbols", "numbers", "put in a point")
    return w.astype(float)
