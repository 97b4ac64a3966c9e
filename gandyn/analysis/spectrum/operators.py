"""The matrices whose spectra are taken, as operators on vectors: J, its parts S and A, each player's own Hessian."""

from __future__ import annotations

import copy

from ...errors import ParameterError
from ...krylov.operator import SKEW, SYMMETRIC, Operator
from ...lazy import torch
from ...types import Array, Batch, Game
from ...worlds import TORCH


def as_point(game: Game, w: Array) -> Array:
    """A copy of one point as a torch vector (d,), in the game's own precision and on its device.

    Raises ShapeError for another length, ParameterError for several points or a game that torch cannot evaluate.
    """
    import numpy as np

    like = getattr(game, "w0", None)
    if isinstance(w, torch.Tensor):
        point = w.detach().clone()
    elif isinstance(like, torch.Tensor):
        point = torch.as_tensor(np.asarray(w, dtype=float), device="cpu").to(like)
    else:
        point = torch.tensor(np.asarray(w, dtype=float), device="cpu")
    game.check(point)
    if point.ndim != 1 or TORCH not in game.worlds:
        raise ParameterError(
            f"an array of shape {tuple(point.shape)} on {game.name}", f"one torch point of shape ({game.dim},)", "w[0]"
        )
    return point


def holding(game: Game, batch: Batch) -> Game:
    """A copy of the game whose `draw` always returns this batch; parameters and counts are shared."""
    view = copy.copy(game)
    vars(view)["draw"] = lambda rng=None: batch
    return view


def jacobian(game: Game, w: Array, batch: Batch) -> Operator:
    """The game Jacobian J(w), shape (d, d), on one batch, as an operator on vectors (d,)."""
    return Operator("J", lambda u: game.jvp(w, u, batch), w)


def symmetric(game: Game, w: Array, batch: Batch) -> Operator:
    """The symmetric part S = (J + J^T) / 2 of the Jacobian at w, as an operator."""
    return Operator("S", lambda u: game.parts(w, u, batch)[0], w, SYMMETRIC, 2)


def antisymmetric(game: Game, w: Array, batch: Batch) -> Operator:
    """The antisymmetric part A = (J - J^T) / 2 of the Jacobian at w, as an operator."""
    return Operator("A", lambda u: game.parts(w, u, batch)[1], w, SKEW, 2)


def hessian(game: Game, w: Array, batch: Batch, player: int | str) -> Operator:
    """The Hessian of a player's own cost with respect to its own block, as an operator."""
    view = game.restrict(player, w)
    block = view.block
    name = f"Hessian of {game.players[game.player_index(player)].name}"
    return Operator(name, lambda u: view.jvp(block, u, batch), block, SYMMETRIC)


def operator_of(game: Game, w: Array, batch: Batch, of: int | str) -> Operator:
    """The operator named `of`: "J", "S", "A", or a player's name or index for the Hessian of its own cost.

    Raises UnknownNameError for any other name.
    """
    known = {"J": jacobian, "S": symmetric, "A": antisymmetric}
    if isinstance(of, str) and of in known:
        return known[of](game, w, batch)
    return hessian(game, w, batch, of)
