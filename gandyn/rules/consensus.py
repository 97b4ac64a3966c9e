"""Consensus optimisation and the pure Hamiltonian gradient: descend half the squared field."""

from __future__ import annotations

import math

from ..types import Array, Batch, Cost, Game, Info, Parameter, Rng, Rule, State
from ..worlds import concatenate, zeros_like
from .declaration import derived, modulus, register, step_size, trials, weight
from .gradient import SimultaneousGD
from .views import NewField
from .wrapper import OnNewField


@register
class Consensus(Rule):
    """w+ = P(w - lr (v + gamma J^T v)): J^T v is the gradient of |v|^2 / 2 (Mescheder et al. 2017, algorithm 2).

    On f = x y the modulus is sqrt((1 - lr gamma sigma^2)^2 + s^2), s = lr sigma.

    Args:
        lr: step size, one number or one per player.
        gamma: weight of the consensus term, one number or one per player.
    """

    lr: Parameter = step_size()
    gamma: Parameter = weight()
    cost = Cost(fields=1, vjps=1)
    flow_order = None
    per_player_parameters = ("lr", "gamma")
    bilinear_modulus = modulus(lambda s, gamma, lr: math.hypot(1 - gamma / lr * s**2, s))
    examples = trials(lambda rule: [rule(0.1, 0.5), rule((0.1, 0.05), (0.3, 1.0))])

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        """One field and one transposed product, on the same batch."""
        batch = game.draw(rng)
        v = game.field_and_graph(w, batch)
        change = v + game.per_coordinate(self.gamma, w) * game.vjp(w, v, batch)
        return game.project(w - game.per_coordinate(self.lr, w) * change), state, {"field": v}


@register
class HamiltonianGradient(Rule):
    """w+ = P(w - lr J^T v): gradient descent on |v|^2 / 2 alone (Balduzzi et al. 2018, section 3.2).

    Every zero of v with an invertible J attracts under short steps, saddles that no player likes included. On f = x y
    the modulus is |1 - lr sigma^2|. With `fresh`, (J_i^T v_j + J_j^T v_i) / 2 on two independent batches i, j stands
    for J^T v: it is unbiased, where J_i^T v_i is not (Loizou et al. 2020, section 3).

    Args:
        lr: step size, one number or one per player.
        fresh: two independent batches instead of one.
    """

    lr: Parameter = step_size()
    fresh: bool = False
    cost = derived(lambda rule: Cost(fields=1 + rule.fresh, vjps=1 + rule.fresh))
    flow_order = None
    aliases = ("HGD",)
    bilinear_modulus = modulus(lambda s, lr: abs(1 - s**2 / lr))
    examples = trials(lambda rule: [rule(0.1), rule((0.1, 0.05)), rule(0.1, fresh=True)])

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        batch = game.draw(rng)
        v = game.field_and_graph(w, batch)
        if self.fresh:
            other = game.draw(rng)
            v_other = game.field_and_graph(w, other)
            slope = (game.vjp(w, v_other, batch) + game.vjp(w, v, other)) / 2
        else:
            slope = game.vjp(w, v, batch)
        return game.project(w - game.per_coordinate(self.lr, w) * slope), state, {"field": v}


@register
class ConsensusField(OnNewField):
    """`inner` on the field v + gamma J^T v of consensus optimisation, for instance Adam or RMSProp.

    How Mescheder et al. 2017 train GANs (algorithm 2 with RMSProp in the place of the gradient step). Around
    SimultaneousGD it is Consensus.

    Args:
        inner: a rule that uses fields alone, such as Adam, or Alternating around it.
        gamma: weight of the consensus term, one number or one per player.
    """

    inner: Rule
    gamma: Parameter = weight(default=1)
    per_player_parameters = ("gamma",)
    loses = ("linear_in_field",)
    cost = derived(lambda rule: Cost(rule.inner.cost.fields, vjps=rule.inner.cost.fields))
    examples = trials(lambda rule: [rule(SimultaneousGD(0.1), 0.5), rule(SimultaneousGD((0.1, 0.05)), (0.3, 1.0))])

    def field_of(self, game: Game) -> NewField:
        """The game with the field v + gamma J^T v."""

        def field(w: Array, batch: Batch, only: int | str | None) -> Array:
            v = game.field_and_graph(w, batch)
            v = v + game.per_coordinate(self.gamma, w) * game.vjp(w, v, batch)
            if only is None:
                return v
            kept = game.player_index(only)
            return concatenate([b if i == kept else zeros_like(b) for i, b in enumerate(game.split(v))])

        return NewField(game, field)
