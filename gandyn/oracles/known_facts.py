"""What is known of a game beside its formula: its source and spectrum, what its flow conserves, usual starts."""

from __future__ import annotations

import dataclasses

from ..lazy import sympy


@dataclasses.dataclass(frozen=True)
class Facts:
    """Known facts, carried by a game as `game.facts` and held to by the tests.

    Attributes:
        source: where the game was published.
        flow_eigenvalues: for each point of `game.equilibria`, in their order, the eigenvalues of -J there.
        conserved: expressions in the game's symbols that the gradient flow keeps constant.
        starts: starting points that published figures use.
        notes: one sentence each on what the game is known to show.
    """

    source: str = ""
    flow_eigenvalues: tuple[tuple[sympy.Expr, ...], ...] = ()
    conserved: tuple[sympy.Expr, ...] = ()
    starts: tuple[tuple[float, ...], ...] = ()
    notes: tuple[str, ...] = ()
