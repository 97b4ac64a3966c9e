"""Claims of Oliehoek et al. 2018, "Beyond local Nash equilibria for adversarial networks"."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import analysis, games
from .declare import Evidence, Paper, drawn, fails, formula, where
from .strategies import matrices

oliehoek = Paper("oliehoek_2018")
Matrix = tuple[tuple[Any, ...], ...]


def _has_saddle(matrix: Matrix) -> bool:
    """Whether an entry is the largest of its row and the least of its column: the row player minimises."""
    columns = list(zip(*matrix, strict=True))
    return any(a == max(row) == min(columns[j]) for row in matrix for j, a in enumerate(row))


@oliehoek.sharpened("Oliehoek et al. 2018, sections 2 and 3 (GANs as finite zero-sum games in mixed strategies)")
@formula(r"\min_{x,\,y\ \mathrm{pure}} \mathrm{DG}(x, y) > 0 = \min_{x,\,y\ \mathrm{mixed}} \mathrm{DG}(x, y)")
@drawn(15, matrix=matrices(2, 2) | matrices(3, 3))
@where(lambda matrix: not _has_saddle(matrix))
@fails("an entry is a saddle and dominates", lambda: {"matrix": ((0, 1), (-1, 2))}, matrix=((1, -1), (-1, 1)))
def mixed(matrix: Matrix) -> Evidence:
    """A finite zero-sum game without a saddle entry has no equilibrium in pure strategies, each of which leaves a
    positive duality gap, and has one in mixed strategies, where the gap is zero.
    """
    game = games.matrix_game(matrix)
    m, n = len(matrix), len(matrix[0])
    pairs = [np.concatenate([np.eye(m)[i], np.eye(n)[j]]) for i in range(m) for j in range(n)]
    pure = float(np.min(np.asarray(analysis.duality_gap(game, np.array(pairs)).value, dtype=float)))
    mixed = float(analysis.duality_gap(game, np.array([float(p) for p in game.equilibria[0]])).value)
    return Evidence(
        pure > 1e-9 and abs(mixed) < 1e-12, f"least gap of pure strategies {pure:.6g}, of mixed {mixed:.1e}"
    )
