"""Extragradient and its single-call forms: look ahead, then step with the field found there."""

from __future__ import annotations

import math

from ..types import Array, Cost, Domain, Game, Info, Parameter, Rng, Rule, State
from ..worlds import number
from .declaration import first_field, modulus, parameter, register, remembers, step_size, trials


@register
class Extragradient(Rule):
    """w' = P(w - e v(w)), then w+ = P(w - lr v(w')) (Korpelevich 1976; Gidel et al. 2019a, eqs. 10-11).

    On f = x y with equal steps the modulus is sqrt(1 - s^2 + s^4): it converges for s = lr sigma < 1.

    Args:
        lr: step size of the update, one number or one per player.
        extrapolation: step size e of the look-ahead; lr by default.
        fresh: draw a second batch for the update (independent samples) instead of reusing the first (same sample).
    """

    lr: Parameter = step_size()
    extrapolation: Parameter = step_size(default=None)
    fresh: bool = False
    cost = Cost(fields=2)
    domain = Domain(linear_in_field=True)
    aliases = ("EG",)
    step_sizes = ("lr", "extrapolation")
    bilinear_modulus = modulus(lambda s, extrapolation: math.sqrt(1 - s**2 + s**4) if extrapolation is None else None)
    examples = trials(lambda rule: [rule(0.1), rule((0.1, 0.05), extrapolation=0.2), rule(0.1, fresh=True)])

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        lr = game.per_coordinate(self.lr, w)
        ahead = lr if self.extrapolation is None else game.per_coordinate(self.extrapolation, w)
        batch = game.draw(rng)
        v = game.field(w, batch)
        midpoint = game.project(w - ahead * v)
        v_ahead = game.field(midpoint, game.draw(rng) if self.fresh else batch)
        return game.project(w - lr * v_ahead), state, {"field": v, "field_ahead": v_ahead}


@register
class ExtragradientPlus(Rule):
    """w' = P(w - (lr / beta) v(w)), then w+ = P(w - lr v(w')): a look-ahead longer than the step (EG+).

    Diakonikolas et al. 2021, section 3, with beta = 1/2: it reaches some equilibria that are not monotone, where
    extragradient does not. On f = x y the modulus is sqrt((1 - s^2 / beta)^2 + s^2).

    Args:
        lr: step size of the update, one number or one per player.
        beta: ratio of update to look-ahead, in (0, 1].
    """

    lr: Parameter = step_size()
    beta: Parameter = parameter(lambda b: 0 < b <= 1, default=0.5)
    cost = Cost(fields=2)
    domain = Domain(linear_in_field=True)
    aliases = ("EGPlus",)
    bilinear_modulus = modulus(lambda s, beta: math.hypot(1 - s**2 / beta, s))
    examples = trials(lambda rule: [rule(0.1), rule((0.1, 0.05), 0.75)])

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        lr = game.per_coordinate(self.lr, w)
        batch = game.draw(rng)
        v = game.field(w, batch)
        v_ahead = game.field(game.project(w - lr / number(self.beta, w) * v), batch)
        return game.project(w - lr * v_ahead), state, {"field": v, "field_ahead": v_ahead}


@register
class OptimisticGD(Rule):
    """w+ = P(w - 2 lr v_t + lr v_{t-1}), with v_{-1} = v(w_0) (Daskalakis et al. 2018, eq. 6).

    The state holds the previous field. On f = x y: modulus sqrt((1 + sqrt(1 - 4 s^2)) / 2) for s <= 1/2, convergence
    for s < 1/sqrt(3).

    Args:
        lr: step size, one number or one per player.
    """

    lr: Parameter = step_size()
    domain = Domain(linear_in_field=True)
    aliases = ("OGDA", "optimistic")
    memory = remembers(previous_field=first_field)

    def bilinear_modulus(self, s: float) -> float:
        """Largest root of z^2 - z (1 - 2is) - is in modulus: closed form up to s = 1/2, and beyond."""
        if s <= 0.5:
            return math.sqrt((1 + math.sqrt(1 - 4 * s**2)) / 2)
        return math.hypot(0.5, s + math.sqrt(s**2 - 0.25))

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        v = game.field(w, game.draw(rng))
        change = 2 * v - state["previous_field"]
        w = game.project(w - game.per_coordinate(self.lr, w) * change)
        return w, State({"previous_field": v}), {"field": v}


@register
class PastExtragradient(Rule):
    """w' = P(w - lr v(w'_{t-1})), then w+ = P(w - lr v(w')): extragradient that looks ahead with the last field.

    Popov 1980; Gidel et al. 2019a, eqs. 15-16. Unconstrained, its look-ahead points w' are the iterates of
    OptimisticGD.

    Args:
        lr: step size, one number or one per player.
    """

    lr: Parameter = step_size()
    domain = Domain(linear_in_field=True)
    aliases = ("PastEG",)
    memory = remembers(field_ahead=first_field)
    bilinear_modulus = OptimisticGD.bilinear_modulus  # both have the same non-zero spectrum

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        """One field evaluation, at the look-ahead point."""
        lr = game.per_coordinate(self.lr, w)
        midpoint = game.project(w - lr * state["field_ahead"])
        v = game.field(midpoint, game.draw(rng))
        return game.project(w - lr * v), State({"field_ahead": v}), {"field": v}
