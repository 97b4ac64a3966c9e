"""Closed-loop control of the players' steps: a PID controller on the field, and a fuzzy (Takagi-Sugeno) gain."""

from __future__ import annotations

import math

from ..types import Array, Domain, Game, Info, Parameter, Rng, Rule, State
from .declaration import (
    coefficient,
    derived,
    each,
    first_field,
    largest_root,
    modulus,
    register,
    remembers,
    step_size,
    trials,
    zero,
)


@register
class PID(Rule):
    """w+ = P(w - lr (kp v_t + ki sum of v_0 ... v_t + kd (v_t - v_{t-1}))), v_{-1} = v_0 (An et al. 2018, eq. 6).

    The derivative damps rotation: PID(lr, 1, 0, 1) is OptimisticGD. The integral winds it up. On f = x y the modulus is
    the largest root of z (z - 1)^2 + i s (kp z (z - 1) + ki z^2 + kd (z - 1)^2).

    Args:
        lr: step size, one number or one per player.
        proportional: gain kp on the field, one number or one per player.
        integral: gain ki on the sum of all fields so far, one number or one per player.
        derivative: gain kd on the field's change since the last step, one number or one per player.
    """

    lr: Parameter = step_size()
    proportional: Parameter = coefficient(default=1.0)
    integral: Parameter = coefficient(default=0.0)
    derivative: Parameter = coefficient(default=0.0)
    domain = Domain(linear_in_field=True)
    per_player_parameters = ("lr", "proportional", "integral", "derivative")
    flow_order = derived(
        lambda rule: 1 if {*each(rule.proportional)} == {1} and {*each(rule.integral)} == {0} else None
    )
    memory = remembers(integral=zero, previous_field=first_field)
    bilinear_modulus = modulus(
        lambda s, proportional, integral, derivative: largest_root(
            1,
            1j * s * (proportional + integral + derivative) - 2,
            1 - 1j * s * (proportional + 2 * derivative),
            1j * s * derivative,
        )
    )
    examples = trials(lambda rule: [rule(0.1, 1.0, 0.0, 1.0), rule((0.1, 0.05), (1.0, 0.8), 0.02, 0.5)])

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        v = game.field(w, game.draw(rng))
        total = state["integral"] + v
        p, i, d = (game.per_coordinate(k, w) for k in (self.proportional, self.integral, self.derivative))
        control = p * v + i * total + d * (v - state["previous_field"])
        w = game.project(w - game.per_coordinate(self.lr, w) * control)
        return w, State({"integral": total, "previous_field": v}), {"field": v}


@register
class TakagiSugeno(Rule):
    """w_i+ = P(w_i - lr g_i v_i): a fuzzy controller sets each player's gain from the size of its own gradient.

    Two rules, "if |v_i| is small, g = small" and "if |v_i| is large, g = large", blended by the membership
    h = |v_i|^2 / (|v_i|^2 + width^2) of "large": g_i = (1 - h) small + h large (Takagi & Sugeno 1985, with constant
    consequents). At an equilibrium the gain is `small`: on f = x y the modulus is sqrt(1 + (small s)^2).

    Args:
        lr: step size, one number or one per player.
        small: the gain where the gradient is small, one number or one per player.
        large: the gain where it is large, one number or one per player.
        width: the size of a gradient that is half large, one number or one per player.
    """

    lr: Parameter = step_size()
    small: Parameter = coefficient(default=1.0)
    large: Parameter = coefficient(default=0.1)
    width: Parameter = step_size(default=1.0)
    flow_order = None
    per_player_parameters = ("lr", "small", "large", "width")
    bilinear_modulus = modulus(lambda s, small: math.hypot(1, small * s))
    examples = trials(lambda rule: [rule(0.1), rule((0.1, 0.05), 1.0, (1.0, 0.2), 0.5)])

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        v = game.field(w, game.draw(rng))
        small, large, width = (game.per_coordinate(k, w) for k in (self.small, self.large, self.width))
        square = game.dot_per_player(v, v)
        membership = square / (square + width * width)
        gain = small + membership * (large - small)
        return game.project(w - game.per_coordinate(self.lr, w) * gain * v), state, {"field": v, "gain": gain}
