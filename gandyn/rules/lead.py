"""LEAD: momentum, and a force that the players' own motion exerts through their coupling."""

from __future__ import annotations

from typing import Any

from ..types import Array, Cost, Domain, Game, Info, Rule, State
from ..worlds import number
from .declaration import as_float, coefficient, largest_root, refuse_alone, register, step_size


@register
class LEAD(Rule):
    """w+ = w + beta D - lr v - alpha J_o D, D = w - w_prev (Hemmat et al. 2023, algorithm 1).

    J_o is J without its diagonal blocks, so that player 1 feels d2f/dxdy (y - y_prev), a magnetic force. The first step
    has D = 0.

    Args:
        lr: step size, one number or one per player.
        alpha: weight of the coupling.
        momentum: beta.
    """

    lr: Any = step_size()
    alpha: Any = coefficient()
    momentum: Any = coefficient(default=0.0)
    cost = Cost(fields=1, jvps=2)
    domain = Domain(unconstrained=True)
    flow_order = None

    def bilinear_modulus(self, s: float) -> float | None:
        """Largest root of z^2 - (1 + beta) z + beta + i s z + i s (alpha / lr) (z - 1)."""
        alpha, beta = as_float(self.alpha, self.lr), as_float(self.momentum)
        if alpha is None or beta is None:
            return None
        return largest_root(1, -(1 + beta) + 1j * s * (1 + alpha), beta - 1j * s * alpha)

    @classmethod
    def examples(cls) -> list[Rule]:
        """Without and with momentum."""
        return [cls(0.1, 0.3), cls((0.1, 0.05), 0.2, -0.3)]

    def check(self, game: Game) -> None:
        """Refuse a player alone."""
        super().check(game)
        refuse_alone(self, game)

    def init(self, game: Game, w: Array, rng: Any = None) -> State:
        """The point before the first: the start itself."""
        self.check(game)
        return State({"previous": w})

    def step(self, game: Game, w: Array, state: State, rng: Any = None) -> tuple[Array, State, Info]:
        """One field and n products, on the same batch."""
        batch = game.draw(rng)
        v = game.field_and_graph(w, batch)
        drift = w - state["previous"]
        force = number(self.alpha, w) * game.coupling(w, drift, batch)
        w_next = w + number(self.momentum, w) * drift - game.per_coordinate(self.lr, w) * v - force
        return w_next, State({"previous": w}), {"field": v}
