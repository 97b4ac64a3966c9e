"""Claims of Bailey, Gidel & Piliouras 2020, "Finite regret and cycles with fixed step-size via alternating GDA"."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from .. import games, rules
from ..types import Game
from . import strategies
from .declare import Evidence, Paper, drawn, fails, formula
from .evidence import all_of, orbit, same_numbers, singular_values

bailey = Paper("bailey_2020")
ROUNDS = 300
SINGLE = {"share": 0.7, "start": (1.0, 0.5)}


@bailey.sharpened(
    'Bailey, Gidel & Piliouras 2020, abstract: "an agent that uses gradient descent with any linear loss function '
    'obtains bounded regret – regardless of how their opponent updates their strategies"; the constant derived here'
)
@formula(
    r"\sum_{t<T} \big\langle \tfrac{x_t + x_{t+1}}{2} - x,\ A y_t\big\rangle = \frac{\|x_0 - x\|^2 - \|x_T - "
    r"x\|^2}{2\eta} \le \frac{\|x_0 - x\|^2}{2\eta}"
)
@drawn(15, game=strategies.bilinear(condition=10), share=st.floats(0.1, 1.9), start=strategies.starts(0.1))
@fails("both players move at once", lambda: {"game": games.bilinear(), **SINGLE, "in_turn": False}, in_turn=True)
def regret_is_bounded(game: Game, share: float, start: Sequence[float], in_turn: bool = True) -> Evidence:
    """Where players of a bilinear game take gradient steps in turn, player 1's regret over the strategies that were
    played is at most |x_0 - x|^2 / (2 eta) against every fixed x, after any number of rounds.
    """
    step = share / float(singular_values(game).max())
    rule = rules.AlternatingGD(step) if in_turn else rules.SimultaneousGD(step)
    run = orbit(game, rule, np.resize(np.array(start), game.dim), ROUNDS)
    x = run[:, game.slices[0]]
    slopes = np.asarray(game.field(run))[:-1, game.slices[0]]
    played = (x[:-1] + x[1:]) / 2 if in_turn else x[:-1]
    regret, left = [], []
    for fixed in (np.zeros(x.shape[1]), x[0] / 2, -x[0]):
        away = ((x - fixed) ** 2).sum(-1)
        regret.append(2 * step * ((played - fixed) * slopes).sum(-1).cumsum() / away[0])
        left.append(1 - away[1:] / away[0])
    most = float(np.max(regret))
    return all_of(
        Evidence(most <= 1 + 1e-9, f"regret at most {most:.6g} of the bound"), same_numbers(regret, left, 1e-9)
    )
