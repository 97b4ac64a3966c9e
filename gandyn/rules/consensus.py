"""Consensus optimisation and the pure Hamiltonian gradient: descend half the squared field."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from ..types import Array, Cost, Domain, Game, Info, Rule, State
from ..worlds import concatenate, zeros_like
from .declaration import as_float, register, step_size, weight
from .gradient import SimultaneousGD
from .views import NewField
from .wrapper import Wrapper, refuse_second_order


@register
class Consensus(Rule):
    """w+ = P(w - lr (v + gamma J^T v)): J^T v is the gradient of |v|^2 / 2 (Mescheder et al. 2017, algorithm 2).

    On f = x y the modulus is sqrt((1 - lr gamma sigma^2)^2 + s^2), s = lr sigma.

    Args:
        lr: step size, one number or one per player.
        gamma: weight of the consensus term, one number or one per player.
    """

    lr: Any = step_size()
    gamma: Any = weight()
    cost = Cost(fields=1, vjps=1)
    flow_order = None
    per_player_parameters = ("lr", "gamma")

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
class HamiltonianGradient(Rule):
    """w+ = P(w - lr J^T v): gradient descent on |v|^2 / 2 alone (Balduzzi et al. 2018, section 3.2).

    Every zero of v attracts, saddles that no player likes included. On f = x y the modulus is |1 - lr sigma^2|.

    Args:
        lr: step size, one number or one per player.
    """

    lr: Any = step_size()
    cost = Cost(fields=1, vjps=1)
    flow_order = None
    aliases = ("HGD",)

    def bilinear_modulus(self, s: float) -> float | None:
        """|1 - s^2 / lr|."""
        sigma = as_float(s, self.lr)
        return None if sigma is None else abs(1 - s * sigma)

    def step(self, game: Game, w: Array, state: State, rng: Any = None) -> tuple[Array, State, Info]:
        """One field and one transposed product, on the same batch."""
        batch = game.draw(rng)
        v = game.field_and_graph(w, batch)
        return game.project(w - game.per_coordinate(self.lr, w) * game.vjp(w, v, batch)), state, {"field": v}


@register
class ConsensusField(Wrapper):
    """`inner` on the field v + gamma J^T v of consensus optimisation, for instance Adam or RMSProp.

    How Mescheder et al. 2017 train GANs (algorithm 2 with RMSProp in the place of the gradient step). Around
    SimultaneousGD it is Consensus.

    Args:
        inner: a rule that uses fields alone, such as Adam, or Alternating around it.
        gamma: weight of the consensus term, one number or one per player.
    """

    inner: Rule
    gamma: Any = weight(default=1)
    per_player_parameters = ("gamma",)

    def __post_init__(self) -> None:
        super().__post_init__()
        refuse_second_order(self, self.inner)

    @property
    def domain(self) -> Domain:  # type: ignore[override]
        """The inner rule's; products are not linear in the field."""
        return dataclasses.replace(self.inner.domain, linear_in_field=False)

    @property
    def cost(self) -> Cost:
        """A field and a transposed product for each field of the inner rule."""
        fields = self.inner.cost.fields
        return Cost(fields, 0, fields)

    @classmethod
    def examples(cls) -> list[Rule]:
        """Around gradient steps."""
        return [cls(SimultaneousGD(0.1), 0.5), cls(SimultaneousGD((0.1, 0.05)), (0.3, 1.0))]

    def init(self, game: Game, w: Array, rng: Any = None) -> State:
        """The inner rule's state."""
        self.check(game)
        return self.inner.init(self._view(game), w, rng)

    def step(self, game: Game, w: Array, state: State, rng: Any = None) -> tuple[Array, State, Info]:
        """One inner step on the consensus field."""
        return self.inner.step(self._view(game), w, state, rng)

    def _view(self, game: Game) -> NewField:
        def field(w: Array, batch: Any, only: Any) -> Array:
            v = game.field_and_graph(w, batch)
            v = v + game.per_coordinate(self.gamma, w) * game.vjp(w, v, batch)
            if only is None:
                return v
            kept = game.player_index(only)
            return concatenate([b if i == kept else zeros_like(b) for i, b in enumerate(game.split(v))])

        return NewField(game, field)
