"""Consensus optimisation and the pure Hamiltonian gradient: descend half the squared field."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from ..types import Array, Cost, Game, Info, Rule, State
from .base import as_float, nonnegative, parse, register, step_size


@register
@dataclasses.dataclass(frozen=True)
class Consensus(Rule):
    """w+ = P(w - lr (v + gamma J^T v)): J^T v is the gradient of |v|^2 / 2 (Mescheder et al. 2017, algorithm 2).

    On f = x y the modulus is sqrt((1 - lr gamma sigma^2)^2 + s^2), s = lr sigma.

    Args:
        lr: step size, one number or one per player.
        gamma: weight of the consensus term, one number or one per player.
    """

    lr: Any
    gamma: Any
    flow_order = None
    per_player_parameters = ("lr", "gamma")

    def __post_init__(self) -> None:
        parse(self, step_size, lr=self.lr)
        parse(self, nonnegative, gamma=self.gamma)

    @property
    def cost(self) -> Cost:
        """One field and one transposed product."""
        return Cost(fields=1, vjps=1)

    def bilinear_modulus(self, s: float) -> float | None:
        """sqrt((1 - gamma s^2 / lr)^2 + s^2)."""
        weight = as_float(self.gamma, self.lr)
        return None if weight is None else math.hypot(1 - weight * s**2, s)

    @classmethod
    def examples(cls) -> list[Rule]:
        """One number each, and one per player."""
        return [cls(0.1, 0.5), cls((0.1, 0.05), (0.3, 1.0))]

    def step(self, game: Game, w: Array, state: State, rng: Any = None) -> tuple[Array, State, Info]:
        """One field and one transposed product, on the same batch."""
        batch = game.draw(rng)
        v = game.field_and_graph(w, batch)
        change = v + game.per_coordinate(self.gamma, w) * game.vjp(w, v, batch)
        return game.project(w - game.per_coordinate(self.lr, w) * change), state, {"field": v}


@register
@dataclasses.dataclass(frozen=True)
class HamiltonianGradient(Rule):
    """w+ = P(w - lr J^T v): gradient descent on |v|^2 / 2 alone (Balduzzi et al. 2018, section 3.2).

    Every zero of v attracts, saddles that no player likes included. On f = x y the modulus is |1 - lr sigma^2|.

    Args:
        lr: step size, one number or one per player.
    """

    lr: Any
    flow_order = None
    aliases = ("HGD",)

    def __post_init__(self) -> None:
        parse(self, step_size, lr=self.lr)

    @property
    def cost(self) -> Cost:
        """One field and one transposed product."""
        return Cost(fields=1, vjps=1)

    def bilinear_modulus(self, s: float) -> float | None:
        """|1 - s^2 / lr|."""
        sigma = as_float(s, self.lr)
        return None if sigma is None else abs(1 - s * sigma)

    @classmethod
    def examples(cls) -> list[Rule]:
        """One step size, and one per player."""
        return [cls(0.1), cls((0.1, 0.05))]

    def step(self, game: Game, w: Array, state: State, rng: Any = None) -> tuple[Array, State, Info]:
        """One field and one transposed product, on the same batch."""
        batch = game.draw(rng)
        v = game.field_and_graph(w, batch)
        return game.project(w - game.per_coordinate(self.lr, w) * game.vjp(w, v, batch)), state, {"field": v}
