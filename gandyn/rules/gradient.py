"""Simultaneous gradient descent: every player steps down its own cost at once."""

from __future__ import annotations

import math

from ..types import Array, Domain, Game, Info, Parameter, Rng, Rule, State
from .declaration import modulus, register, step_size


@register
class SimultaneousGD(Rule):
    """w+ = P(w - lr v(w)): simultaneous gradient descent; on a zero-sum game, gradient descent-ascent (GDA).

    On f = x y each step multiplies the distance to the equilibrium by sqrt(1 + lr^2)
    (Goodfellow 2016, section 5.2.2; Mescheder et al. 2017, corollary 5).

    Args:
        lr: step size, one number or one per player.

    Example:
        >>> import gandyn as gd
        >>> gd.iterate(gd.games.bilinear(), gd.rules.GDA(0.1), [1.0, 0.0], 1).w[-1].tolist()
        [1.0, 0.1]
    """

    lr: Parameter = step_size()
    domain = Domain(linear_in_field=True)
    aliases = ("GDA", "simultaneous")
    overwrites = True
    bilinear_modulus = modulus(lambda s: math.sqrt(1 + s**2))

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        v = game.field(w, game.draw(rng))
        return game.project(w - game.per_coordinate(self.lr, w) * v), state, {"field": v}
