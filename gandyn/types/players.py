"""What games and rules are written in: arrays, players, and the count of what an oracle was asked."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ..worlds import NUMPY, SYMBOLS, TORCH

Array = Any
Batch = Any
Info = dict[str, Any]
Parameter = Any  # a number, an expression, the name of a free parameter, or one of these per player
# A stream, the seed of one, or none; in quotes, because NumPy loads its random numbers when they are first named.
Rng: TypeAlias = "np.random.Generator | int | None"
ALL_WORLDS = frozenset({SYMBOLS, NUMPY, TORCH})
TWO_PLAYER_ALIASES = (("x", "generator", "theta"), ("y", "discriminator", "phi"))


class Player(NamedTuple):
    """One player: its name and the length of its block."""

    name: str
    size: int


@dataclasses.dataclass
class Counts:
    """What an oracle has been asked for. One `field` is one gradient for each player."""

    player_gradients: int = 0
    jvps: int = 0
    vjps: int = 0
    samples: int = 0
    seconds: float = 0.0
    players: int = 2

    @property
    def fields(self) -> float:
        """Full field evaluations: player gradients over the number of players."""
        return self.player_gradients / self.players

    def __sub__(self, earlier: Counts) -> Counts:
        return Counts(
            self.player_gradients - earlier.player_gradients,
            self.jvps - earlier.jvps,
            self.vjps - earlier.vjps,
            self.samples - earlier.samples,
            self.seconds - earlier.seconds,
            self.players,
        )

    def __mul__(self, times: int) -> Counts:
        return Counts(
            times * self.player_gradients,
            times * self.jvps,
            times * self.vjps,
            times * self.samples,
            self.seconds,
            self.players,
        )
