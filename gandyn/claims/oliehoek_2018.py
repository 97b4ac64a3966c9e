"""Claims of Oliehoek et al. 2018, "Beyond local Nash equilibria for adversarial networks"."""

from __future__ import annotations

from typing import Any

from .. import games
from .base import Claim, Evidence, How, Mutant, Origin, Outside, register

Matrix = tuple[tuple[Any, ...], ...]


def _has_saddle(matrix: Matrix) -> bool:
    """Whether an entry is the largest of its row and the least of its column: the row player minimises."""
    columns = list(zip(*matrix, strict=True))
    return any(a == max(row) == min(columns[j]) for row in matrix for j, a in enumerate(row))


def _only_mixed(matrix: Matrix) -> Evidence:
    """The exact gap at every pair of pure strategies, and at the equilibrium that the game knows."""
    import numpy as np

    from ..analysis.gap.measure import duality_gap

    game = games.matrix_game(matrix)
    m, n = len(matrix), len(matrix[0])
    pairs = [np.concatenate([np.eye(m)[i], np.eye(n)[j]]) for i in range(m) for j in range(n)]
    pure = float(np.min(np.asarray(duality_gap(game, np.array(pairs)).value, dtype=float)))
    mixed = float(duality_gap(game, np.array([float(p) for p in game.equilibria[0]])).value)
    return Evidence(
        pure > 1e-9 and abs(mixed) < 1e-12, f"least gap of pure strategies {pure:.6g}, of mixed ones {mixed:.1e}"
    )


def _matrices() -> Any:
    from hypothesis import strategies as st

    from .strategies import matrices

    return st.fixed_dictionaries({"matrix": matrices(2, 2) | matrices(3, 3)})


register(
    Claim(
        name="oliehoek_2018.mixed",
        statement=(
            "A finite zero-sum game without a saddle entry has no equilibrium in pure strategies, each of which "
            "leaves a "
            "positive duality gap, and has one in mixed strategies, where the gap is zero."
        ),
        latex=r"\min_{x,\,y\ \mathrm{pure}} \mathrm{DG}(x, y) > 0 = \min_{x,\,y\ \mathrm{mixed}} \mathrm{DG}(x, y)",
        source="Oliehoek et al. 2018, sections 2 and 3 (GANs as finite zero-sum games in mixed strategies)",
        how=How.PROPERTY,
        origin=Origin.SHARPENED,
        conclusion=_only_mixed,
        hypotheses=_matrices,
        where=lambda matrix: not _has_saddle(matrix),
        outside=(
            Outside(
                "an entry is a saddle: rows and columns dominate",
                lambda: {"matrix": ((0, 1), (-1, 2))},
                restore=lambda: {"matrix": ((1, -1), (-1, 1))},
            ),
        ),
        mutants=(Mutant("games/matrix.py", "worlds.positive(pure - least)", "worlds.positive(least - pure)"),),
        draws=15,
    )
)
