"""What is known of a game beside its formula: its source and spectrum, what its flow conserves, usual starts."""

from __future__ import annotations

import dataclasses

from ..lazy import sympy


@dataclasses.dataclass(frozen=True)
class Facts:
    """Known facts, carried by a game as `game.facts` and held to by the tests."""

    source: str = ""  # where the game was published
    # for each point of `game.equilibria`, in their order, the eigenvalues of -J there
    flow_eigenvalues: tuple[tuple[sympy.Expr, ...], ...] = ()
    conserved: tuple[sympy.Expr, ...] = ()  # expressions in the game's symbols that the gradient flow keeps constant
    starts: tuple[tuple[float, ...], ...] = ()  # starting points that published figures use
    notes: tuple[str, ...] = ()  # one sentence each on what the game is known to show
