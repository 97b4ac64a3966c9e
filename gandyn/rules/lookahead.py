"""Lookahead: run any rule ahead, then move part of the way."""

from __future__ import annotations

from ..types import Array, Game, Info, Parameter, Rng, Rule, State
from ..worlds import number
from .declaration import count, derived, modulus, parameter, register, trials
from .gradient import SimultaneousGD
from .wrapper import Wrapper


@register
class Lookahead(Wrapper):
    """k steps of `inner` from w to w_k, then w+ = P(w + alpha (w_k - w)) (Chavdarova et al. 2021, algorithm 1).

    The inner rule keeps its state across. On f = x y around simultaneous gradient steps the modulus is
    |1 - alpha + alpha (1 - i s)^k|. With k = 2 it is below 1 iff
    s^2 < 2/alpha - 4: never for alpha >= 1/2.

    Args:
        inner: a rule.
        k: inner steps.
        alpha: the share of the way to w_k that is taken, usually in (0, 1].
    """

    inner: Rule
    k: int = count(1, default=5)
    alpha: Parameter = parameter(default=0.5)
    cost = derived(lambda rule: rule.inner.cost * rule.k)
    bilinear_modulus = modulus(
        lambda s, inner, k, alpha: abs(1 - alpha + alpha * (1 - 1j * s) ** k) if type(inner) is SimultaneousGD else None
    )
    examples = trials(lambda rule: [rule(SimultaneousGD(0.1), 2, 0.5), rule(SimultaneousGD((0.1, 0.05)), 3, 0.4)])

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        ahead, inner = w, state.inner[0]
        info: Info = {}
        for _ in range(self.k):
            ahead, inner, info = self.inner.step(game, ahead, inner, rng)
        return game.project(w + number(self.alpha, w) * (ahead - w)), State(inner=(inner,)), info
