"""Explicit gradient regularisers with chosen coefficients: they add or cancel what discretisation adds to the costs."""

from __future__ import annotations

import math

from ..types import Array, Batch, Cost, Domain, Game, Info, Parameter, Rng, Rule, State
from .declaration import coefficient, derived, each, modulus, register, step_size, trials
from .products import back_coupling, only, own_blocks


@register
class Drift(Rule):
    """Simultaneous gradient steps on costs with penalties on gradient norms and products:

    f_i + self_norm |df_i/dx_i|^2 + sum over j != i of [other_norm |df_j/dx_j|^2 + other_dot <df_i/dx_j, df_j/dx_j>].

    (Rosca et al. 2021, section 5). The gradients are 2 self_norm J_ii^T v_i, 2 other_norm J_ji^T v_j, and, with the
    second factor of the product `held` (no derivative taken), other_dot J_ij v_j; otherwise J_ji^T df_i/dx_j joins it.
    There are no factors 1/2 here: consensus with weight gamma is self_norm = other_norm = gamma / 2. See the presets
    `consensus`, `symplectic`, `cancelling`.

    Args:
        lr: step size, one number or one per player.
        self_norm, other_norm, other_dot: coefficients of any sign, one number or one per player.
        held: whether <df_i/dx_j, df_j/dx_j> is differentiated in its first factor alone.
    """

    lr: Parameter = step_size()
    self_norm: Parameter = coefficient(default=0)
    other_norm: Parameter = coefficient(default=0)
    other_dot: Parameter = coefficient(default=0)
    held: bool = True
    flow_order = None
    domain = derived(lambda rule: Domain(unconstrained=True, several_players=any(rule._uses[1:])))
    per_player_parameters = ("lr", "self_norm", "other_norm", "other_dot")
    bilinear_modulus = modulus(
        lambda s, lr, other_norm, other_dot, held: math.hypot(
            1 - s**2 * (2 * other_norm - (1 if held else 2) * other_dot) / lr, s
        )
    )
    examples = trials(
        lambda rule: [
            rule.consensus(0.1, 0.5),
            rule.symplectic(0.1, 0.5),
            rule.cancelling(0.1),
            rule((0.1, 0.05), (0.1, 0.2), (0.3, 0.1), 0.2, held=False),
        ]
    )

    @classmethod
    def consensus(cls, lr: Parameter, gamma: float) -> Drift:
        """`Consensus(lr, gamma)`: both norms with weight gamma / 2."""
        return cls(lr, self_norm=gamma / 2, other_norm=gamma / 2)

    @classmethod
    def symplectic(cls, lr: Parameter, lam: float) -> Drift:
        """`SGA(lr, lam, align=False)` in two-player zero-sum games: the others' norm with weight lam / 2."""
        return cls(lr, other_norm=lam / 2)

    @classmethod
    def cancelling(cls, lr: float) -> Drift:
        """Second order in lr: v - lr/2 J v takes out the drift -lr/2 J v of simultaneous steps (Rosca, theorem 3.1)."""
        return cls(lr, self_norm=-lr / 4, other_dot=-lr / 2)

    @property
    def _uses(self) -> tuple[bool, bool, bool]:
        norms, others, dots = (any(c != 0 for c in each(c)) for c in (self.self_norm, self.other_norm, self.other_dot))
        return norms, others, dots

    @property
    def cost(self) -> Cost:
        """One field; for each player, a product for every penalty that is used."""
        norms, others, dots = self._uses
        return Cost(fields=1, jvps=2 * dots, vjps=2 * (norms + others + (dots and not self.held)))

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        """One step; the field and all penalties are evaluated on one batch."""
        batch = game.draw(rng)
        free_product = self._uses[2] and not self.held
        gradients = game.cost_gradients(w, batch) if free_product else None
        v = game.field(w, batch) if gradients is None else own_blocks(game, gradients)
        change = v + self._penalties(game, w, v, gradients, batch)
        return w - game.per_coordinate(self.lr, w) * change, state, {"field": v}

    def _penalties(self, game: Game, w: Array, v: Array, gradients: Array | None, batch: Batch) -> Array:
        norms, others, dots = self._uses
        total = 0 * v
        if norms:
            own = [game.vjp(w, only(game, v, i), batch) for i in range(len(game.players))]
            total = total + 2 * game.per_coordinate(self.self_norm, w) * own_blocks(game, own)
        if others:
            pulled = back_coupling(game, w, [v] * len(game.players), batch)
            total = total + 2 * game.per_coordinate(self.other_norm, w) * pulled
        if dots:
            product = game.coupling(w, v, batch)
            if gradients is not None:
                product = product + back_coupling(game, w, gradients, batch)
            total = total + game.per_coordinate(self.other_dot, w) * product
        return total
