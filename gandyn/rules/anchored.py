"""Anchored rules: every step is pulled back towards the start, ever more weakly."""

from __future__ import annotations

import math

from ..types import Array, Cost, Domain, Game, Info, Parameter, Rng, Rule, State
from .declaration import largest, modulus, register, remembers, start, step_size, trials
from .gradient import SimultaneousGD
from .wrapper import Wrapper


@register
class Anchored(Rule):
    """Extra anchored gradient: with b = 1/(t + 2), t = 0, 1, ..., and a = w + b (w_0 - w),

    w' = P(a - lr v(w)), then w+ = P(a - lr v(w')) (EAG-C; Yoon & Ryu 2021, section 2.1). For a monotone field with
    Lipschitz constant L and lr <= 1/(8 L), |v(w_t)|^2 <= 260 L^2 |w_0 - w*|^2 / ((t + 1)(t + 2)) (their theorem 2).
    The anchor w_0 is part of the state, and an eigenvalue 1 of the augmented map; the rate is that of t, not of a
    modulus.

    Args:
        lr: step size, one number or one per player.
    """

    lr: Parameter = step_size()
    cost = Cost(fields=2)
    domain = Domain(linear_in_field=True)
    flow_order = None
    aliases = ("EAG",)
    memory = remembers(anchor=start, steps=0)
    # At t = infinity: 1, the anchor's own; beyond s = 1, extragradient's.
    bilinear_modulus = modulus(lambda s: max(1.0, math.sqrt(1 - s**2 + s**4)))

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        lr = game.per_coordinate(self.lr, w)
        batch = game.draw(rng)
        v = game.field(w, batch)
        t = state["steps"]
        pulled = w + (state["anchor"] - w) / (t + 2)
        v_ahead = game.field(game.project(pulled - lr * v), batch)
        state = State({"anchor": state["anchor"]}, {"steps": t + 1})
        return game.project(pulled - lr * v_ahead), state, {"field": v}


@register
class Halpern(Wrapper):
    """w+ = P(b w_0 + (1 - b) T(w)) with b = 1/(t + 2), for the map T of any rule (Halpern 1967; Lieder 2021).

    When T is nonexpansive, as the proximal point step on a monotone game is, |w_t - T(w_t)| <= 2 |w_0 - w*| / (t + 1)
    (Lieder 2021, theorem 2.1).

    Args:
        inner: the rule whose step is T.
    """

    inner: Rule
    memory = remembers(anchor=start, steps=0)
    bilinear_modulus = modulus(lambda s, inner: largest(inner.bilinear_modulus(s), 1.0))
    examples = trials(lambda rule: [rule(SimultaneousGD(0.1))])

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        t = state["steps"]
        moved, inner, info = self.inner.step(game, w, state.inner[0], rng)
        w = game.project(moved + (state["anchor"] - moved) / (t + 2))
        return w, State({"anchor": state["anchor"]}, {"steps": t + 1}, (inner,)), info
