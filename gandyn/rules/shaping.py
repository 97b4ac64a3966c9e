"""Opponent shaping: players that foresee the others' gradient steps, and steer them.

In this file e is the step that each player is expected to take, H_o = J without its diagonal blocks, and
chi_i = sum over j != i of J_ji^T e_j df_i/dx_j: how f_i changes because the others answer to x_i.
"""

from __future__ import annotations

import math
from typing import ClassVar

from ..types import Array, Batch, Cost, Domain, Game, Info, Parameter, Rng, Rule, State
from ..worlds import dot, minimum, number, ones_like, positive, where
from .declaration import derived, modulus, parameter, register, step_size, trials
from .products import back_coupling, own_blocks


@register
class OpponentLookahead(Rule):
    """w+ = P(w - lr (v - H_o e v)): each player answers the others' next step, taken as given (LA).

    Zhang & Lesser 2010. With e = lr it is `LinearizedCGD`; on f = x y the modulus is sqrt(1 - s^2 + s^4). Not to be
    confused with `Lookahead`, which averages a rule's own iterates.

    Args:
        lr: step size, one number or one per player.
        opponent_lr: e, the step that each player is expected to take, one number or one per player; lr by default.
    """

    lr: Parameter = step_size()
    opponent_lr: Parameter = step_size(default=None)
    aliases: ClassVar[tuple[str, ...]] = ("LA",)
    cost = Cost(fields=1, jvps=2)
    domain = Domain(several_players=True)
    flow_order = derived(lambda rule: 1 if rule.opponent_lr is None else None)  # the foreseen steps shrink with lr
    bilinear_modulus = modulus(lambda s, opponent_lr: math.sqrt(1 - s**2 + s**4) if opponent_lr is None else None)
    examples = trials(lambda rule: [rule(0.1), rule((0.1, 0.05), opponent_lr=(0.2, 0.3))])

    def check(self, game: Game) -> None:
        """Refuse foreseen steps that do not fit the players."""
        super().check(game)
        if self.opponent_lr is not None:
            game.per_player(self.opponent_lr)

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        """One step; every field and product is evaluated on one batch."""
        batch = game.draw(rng)
        v = game.field_and_graph(w, batch)
        change = self._answer(game, w, v, batch)
        return game.project(w - game.per_coordinate(self.lr, w) * change), state, {"field": v}

    def _foreseen(self, game: Game, w: Array) -> Array:
        """The opponents' step sizes e as this rule foresees them, one for each coordinate."""
        return game.per_coordinate(self.lr if self.opponent_lr is None else self.opponent_lr, w)

    def _answer(self, game: Game, w: Array, v: Array, batch: Batch) -> Array:
        """v - H_o e v."""
        return v - game.coupling(w, self._foreseen(game, w) * v, batch)

    def _shaping(self, game: Game, w: Array, batch: Batch) -> tuple[Array, Array]:
        """(v, chi), from the gradients of all costs."""
        gradients = game.cost_gradients(w, batch)
        v = own_blocks(game, gradients)
        foreseen = self._foreseen(game, w)
        return v, back_coupling(game, w, [foreseen * gradient for gradient in gradients], batch)


@register
class LOLA(OpponentLookahead):
    """w+ = P(w - lr (v - H_o e v - chi)): learning with opponent-learning awareness (Foerster et al. 2018, eq. 4.3).

    Player i descends f_i(x_i, x_j - e_j df_j/dx_j) to first order in e, through the others' steps. `Unrolled(lr, 1)`
    is the form without expansion. On f = x y the modulus is sqrt((1 - 2 s^2)^2 + s^2).

    Args:
        lr: step size, one number or one per player.
        opponent_lr: e, the step that each player is expected to take, one number or one per player; lr by default.
    """

    aliases: ClassVar[tuple[str, ...]] = ()
    cost = Cost(fields=1, jvps=2, vjps=2)
    bilinear_modulus = modulus(lambda s, opponent_lr: math.hypot(1 - 2 * s**2, s) if opponent_lr is None else None)

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        """One step; every field and product is evaluated on one batch."""
        batch = game.draw(rng)
        v, chi = self._shaping(game, w, batch)
        change = self._answer(game, w, v, batch) - chi
        return game.project(w - game.per_coordinate(self.lr, w) * change), state, {"field": v}


@register
class StableOpponentShaping(OpponentLookahead):
    """w+ = P(w - lr (g - p chi)), g = v - H_o e v: LOLA's shaping, dosed so that it creates no fixed points (SOS).

    Letcher et al. 2019, algorithm 1: p = min(p1, p2), where p1 = min(1, a |g|^2 / <chi, g>) when <chi, g> > 0 and 1
    otherwise, and p2 = |v|^2 when |v| < b and 1 otherwise. Near an equilibrium p vanishes: the linear part, and on
    f = x y the modulus sqrt(1 - s^2 + s^4), are those of `OpponentLookahead`.

    Args:
        lr: step size, one number or one per player.
        opponent_lr: e, the step that each player is expected to take, one number or one per player; lr by default.
        a: how far shaping may act against g, in (0, 1).
        b: size of the field below which shaping fades, in (0, 1).
    """

    a: Parameter = parameter(lambda value: 0 < value < 1, default=0.5)
    b: Parameter = parameter(lambda value: 0 < value < 1, default=0.1)
    cost = Cost(fields=1, jvps=2, vjps=2)
    domain = Domain(several_players=True, smooth=False)
    aliases = ("SOS",)

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        """One step; every field and product is evaluated on one batch."""
        batch = game.draw(rng)
        v, chi = self._shaping(game, w, batch)
        g = self._answer(game, w, v, batch)
        p = self._dose(v, g, chi, w)
        lr = game.per_coordinate(self.lr, w)
        return game.project(w - lr * (g - p * chi)), state, {"field": v, "dose": p[..., 0]}

    def _dose(self, v: Array, g: Array, chi: Array, w: Array) -> Array:
        """p, one number a member; the quotient is formed only where it is below 1, so never 0 / 0."""
        against, size = dot(chi, g), dot(v, v)
        one = ones_like(against)
        allowed = number(self.a, w) * dot(g, g)
        bent = positive(against - allowed)
        p1 = where(bent, allowed / where(bent, against, one), one)
        p2 = where(positive(number(self.b, w) ** 2 - size), size, one)
        return minimum(p1, p2)
