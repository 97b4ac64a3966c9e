"""The flow of a game of which each member has its own parameters: compiled together, or each in its own game."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import DomainError
from ..oracles.symbolic import SymbolicGame
from ..symbolic.members import PerMember, spread
from ..types import Array, Game
from .endings import MANY_STEPS
from .stacked import Ending, Integration, Limits

Run = Callable[[np.ndarray], tuple[Integration, str]]


@dataclasses.dataclass(frozen=True)
class MembersFlow:
    """Integrates each member with its own numbers; what the compiled flow leaves is integrated alone.

    Attributes:
        game: with `symbols`, the parameters that carry values. start: (N, d), members of an ensemble of `shape`.
        native: the compiled flow, or None. alone: how one game is integrated from one start.
        bound, limits, threads: of the compiled flow.
    """

    game: Game
    symbols: tuple[PerMember, ...]
    start: Array
    shape: tuple[int, ...]
    native: Any
    alone: Callable[[Game, Array], Run]
    bound: float
    limits: Limits
    threads: int | None

    def __call__(self, times: np.ndarray) -> tuple[Integration, str]:
        """Points of all members at all times, and what integrated them."""
        n, d = self.start.shape
        values = np.stack([spread(s.values, self.shape).ravel() for s in self.symbols], -1)
        if self.native is None:
            rows = np.repeat(self.start[None], len(times), axis=0)
            endings = np.full(n, Ending.SLOW, dtype=np.int32)
            result = Integration(rows, np.full(n, times[0]), np.zeros(n, dtype=np.int64), 0, endings)
        else:
            patience = dataclasses.replace(self.limits, most_steps=MANY_STEPS)
            joint = np.concatenate([self.start, values], axis=-1)
            result = self.native.integrate(joint, times, patience, self.bound, self.threads)
            result.rows = result.rows[..., :d]
        names = [] if self.native is None else ["c"]
        for k in np.flatnonzero(np.isin(result.endings, (Ending.UNDERFLOW, Ending.SLOW))):
            if result.interrupted:
                break
            own, name = self.alone(self._game(values[k]), self.start[k])(times)
            result.replace(np.array([k]), own)
            names.append(name)
        return result, " + ".join(dict.fromkeys(names))

    def _game(self, numbers: Array) -> Game:
        if not isinstance(self.game, SymbolicGame):
            raise DomainError(f"the flow of an ensemble of {self.game.name}", "a game of from_sympy", "one at a time")
        return self.game.with_values(dict(zip(self.symbols, numbers.tolist(), strict=True)))
