"""SGD with an averaging momentum buffer."""

from __future__ import annotations

from ..types import Array, Domain, Game, Info, Parameter, Rng, Rule, State
from .declaration import largest_root, modulus, parameter, register, remembers, step_size, trials, zero


@register
class SGDM(Rule):
    """m+ = b m + (1 - b) v, w+ = P(w - lr m+), m_0 = 0 (Yong et al. 2020, algorithm 1).

    Not `HeavyBall`, whose buffer sums instead of averaging: its lr is this one's times (1 - b). The weights (1 - b) b^j
    of the gradients sum to one, so that it follows the gradient flow at its own lr, to first order: the average is
    b / (1 - b) steps old, and over a fixed time the missing weight b^t of the first steps costs O(lr) too.

    Args:
        lr: step size, one number or one per player.
        momentum: b, one number or one per player.
    """

    lr: Parameter = step_size()
    momentum: Parameter = parameter(lambda b: -1 < b < 1, default=0.9)
    domain = Domain(linear_in_field=True)
    per_player_parameters = ("lr", "momentum")
    memory = remembers(mean=zero)
    bilinear_modulus = modulus(lambda s, momentum: largest_root(1, 1j * s * (1 - momentum) - 1 - momentum, momentum))
    examples = trials(lambda rule: [rule(0.1), rule((0.1, 0.05), (0.5, -0.3))])

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        v = game.field(w, game.draw(rng))
        b = game.per_coordinate(self.momentum, w)
        m = b * state["mean"] + (1 - b) * v
        return game.project(w - game.per_coordinate(self.lr, w) * m), State({"mean": m}), {"field": v}
