"""Claims of Mokhtari, Ozdaglar & Pattathil 2020, "A unified analysis of extra-gradient and optimistic gradient ..."."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import games, rules
from ..types import Game
from . import strategies
from .declare import Evidence, Paper, drawn, fails, formula
from .evidence import between, map_matrix, moduli

mokhtari = Paper("mokhtari_2020")


@mokhtari.sharpened(
    'Mokhtari, Ozdaglar & Pattathil 2020, abstract: "both of these algorithms admit a unified analysis as '
    'approximations of the classical proximal point method"; the order of the difference measured here'
)
@formula(r"\|w_{EG}^+ - w_{PP}^+\| = O(\eta^3), \qquad \|w_{GDA}^+ - w_{PP}^+\| = \Theta(\eta^2)")
@drawn(15, game=strategies.strongly_monotone(condition=20, nonlinear=False))
@fails("without the look-ahead", lambda: {"game": games.bilinear(), "rule": rules.SimultaneousGD})
def extragradient_follows_the_proximal_point(game: Game, rule: Any = rules.Extragradient) -> Evidence:
    """One extragradient step differs from the proximal point step by O(eta^3), where a gradient step differs by eta^2:
    halving the step divides the difference by 8.
    """
    step = 0.01 / moduli(game)[1]
    apart = [np.linalg.norm(map_matrix(game, rule(lr)) - map_matrix(game, rules.ProximalPoint(lr)))
             for lr in (step, step / 2)]  # fmt: skip
    return between(apart[0] / apart[1], 7.5, 8.5)
