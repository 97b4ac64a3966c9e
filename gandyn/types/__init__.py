"""The contracts: a Game is a gradient oracle, a Rule is init and step on a State; everything else builds on these."""

from __future__ import annotations

from .as_array import AsArray
from .feasible import Face, FeasibleSet, FirstOrder
from .game import Game, RestrictedGame
from .players import ALL_WORLDS, Array, Batch, Counts, Info, Parameter, Player, Rng
from .rule import Cost, Domain, Implicit, Rule, State, residual_of
from .view import GameView

__all__ = [
    "ALL_WORLDS",
    "Array",
    "AsArray",
    "Batch",
    "Cost",
    "Counts",
    "Domain",
    "Face",
    "FeasibleSet",
    "FirstOrder",
    "Game",
    "GameView",
    "Implicit",
    "Info",
    "Parameter",
    "Player",
    "RestrictedGame",
    "Rng",
    "Rule",
    "State",
    "residual_of",
]
