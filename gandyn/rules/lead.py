"""LEAD: momentum, and a force that the players' own motion exerts through their coupling."""

from __future__ import annotations

from ..types import Array, Cost, Domain, Game, Info, Parameter, Rng, Rule, State
from ..worlds import number
from .declaration import coefficient, largest_root, modulus, register, remembers, start, step_size, trials


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

    lr: Parameter = step_size()
    alpha: Parameter = coefficient()
    momentum: Parameter = coefficient(default=0.0)
    cost = Cost(fields=1, jvps=2)
    domain = Domain(unconstrained=True, several_players=True)
    flow_order = None
    memory = remembers(previous=start)
    bilinear_modulus = modulus(
        lambda s, lr, alpha, momentum: largest_root(
            1, 1j * s * (1 + alpha / lr) - 1 - momentum, momentum - 1j * s * alpha / lr
        )
    )
    examples = trials(lambda rule: [rule(0.1, 0.3), rule((0.1, 0.05), 0.2, -0.3)])

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        """One field and n products, on the same batch."""
        batch = game.draw(rng)
        v = game.field_and_graph(w, batch)
        drift = w - state["previous"]
        force = number(self.alpha, w) * game.coupling(w, drift, batch)
        w_next = w + number(self.momentum, w) * drift - game.per_coordinate(self.lr, w) * v - force
        return w_next, State({"previous": w}), {"field": v}
