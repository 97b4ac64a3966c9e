"""Products with parts of the game Jacobian: what one player's move does to the others' gradients.

J_o is J with its diagonal blocks (each player's own Hessian) set to zero; J_o u is `Game.coupling`.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..types import Array, Batch, Game
from ..worlds import concatenate, zeros_like


def only(game: Game, u: Array, i: int) -> Array:
    """u with every block but player i's set to zero."""
    return concatenate([b if j == i else zeros_like(b) for j, b in enumerate(game.split(u))])


def without(game: Game, u: Array, i: int) -> Array:
    """u with player i's block set to zero."""
    return concatenate([zeros_like(b) if j == i else b for j, b in enumerate(game.split(u))])


def own_blocks(game: Game, rows: Sequence[Array]) -> Array:
    """Player i's block of row i, side by side: the field, from the gradients of all costs."""
    return concatenate([row[..., block] for row, block in zip(rows, game.slices, strict=True)])


def back_coupling(game: Game, w: Array, targets: Sequence[Array], batch: Batch = None) -> Array:
    """Block i is sum over j != i of J_ji^T (block j of targets[i]). One vjp for each player."""
    pulled = (
        game.vjp(w, without(game, u, i), batch)[..., block]
        for (i, block), u in zip(enumerate(game.slices), targets, strict=True)
    )
    return concatenate(list(pulled))
