"""Runge-Kutta steps of the joint gradient flow (ODE-GAN): all players' stages together, never one player at a time."""

from __future__ import annotations

import math

from ..types import Array, Batch, Cost, Domain, Game, Info, Parameter, Rng, Rule, State
from .declaration import choice, derived, each, modulus, register, step_size, trials, weight
from .products import back_coupling

# For each order: by what each stage's step divides lr, and the weights of the stages, over their sum.
TABLEAUS: dict[int, tuple[tuple[int, ...], tuple[int, ...]]] = {2: ((2,), (0, 1)), 4: ((2, 2, 1), (1, 2, 2, 1))}


@register
class RungeKutta(Rule):
    """One step of dw/dt = -v(w) over a time lr: order 2 is the explicit midpoint, order 4 the classical method.

    k1 = v(w), k2 = v(w - lr/2 k1), and so on, each at a joint point (Qin et al. 2020, section 4.1). Advancing one
    player at a time is not this method: on f = x y it is Euler. On f = x y the moduli are sqrt(1 + s^4/4) (never
    converges) and |sum of (-is)^k / k!, k <= 4| (converges for s < 2 sqrt(2)).

    With `regularization` r_i, player i's cost gains r_i sum over j != i of |df_j/dx_j|^2, taken at the start of the
    step (Qin et al. 2020, algorithm 1, where only the discriminator is regularised: `regularization=(0, 0.07)`); its
    gradient is 2 r_i J_ji^T v_j.

    Args:
        lr: step size, one number or one per player.
        order: 2 or 4.
        regularization: r, one number or one per player.
    """

    lr: Parameter = step_size()
    order: int = choice(*TABLEAUS, default=4)
    regularization: Parameter = weight(default=0)
    per_player_parameters = ("lr", "regularization")
    domain = derived(lambda rule: Domain(linear_in_field=not rule._regularized, unconstrained=rule._regularized))
    flow_order = derived(lambda rule: None if rule._regularized else rule.order)  # a regulariser changes the flow
    cost = derived(lambda rule: Cost(fields=rule.order, vjps=2 if rule._regularized else 0))
    bilinear_modulus = modulus(
        lambda s, order, _regularized: (
            None if _regularized else abs(sum((-1j * s) ** k / math.factorial(k) for k in range(order + 1)))
        )
    )
    examples = trials(
        lambda rule: [rule(0.1, 2), rule(0.1), rule((0.1, 0.05), 4), rule(0.1, 4, regularization=(0, 0.1))]
    )

    @property
    def _regularized(self) -> bool:
        return any(r != 0 for r in each(self.regularization))

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        """One step; all stages evaluate the field on one batch."""
        lr = game.per_coordinate(self.lr, w)
        batch = game.draw(rng)
        divisors, weights = TABLEAUS[self.order]
        stages = [game.field(w, batch)]
        for divisor in divisors:
            stages.append(game.field(game.project(w - (lr / divisor) * stages[-1]), batch))
        mean = sum(weight * k for weight, k in zip(weights[1:], stages[1:], strict=True)) + weights[0] * stages[0]
        mean = mean / sum(weights)
        if self._regularized:
            mean = mean + self._penalty(game, w, stages[0], batch)
        return game.project(w - lr * mean), state, {"field": stages[0]}

    def _penalty(self, game: Game, w: Array, v: Array, batch: Batch) -> Array:
        pulled = back_coupling(game, w, [v] * len(game.players), batch)
        return 2 * game.per_coordinate(self.regularization, w) * pulled
