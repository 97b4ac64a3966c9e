"""Averages of iterates: uniform (ergodic) or exponential, around any rule."""

from __future__ import annotations

from ..types import Array, Game, Info, Parameter, Rng, Rule, State
from ..worlds import number
from .declaration import choice, derived, largest, modulus, parameter, register, remembers, start, trials
from .gradient import SimultaneousGD
from .wrapper import Wrapper


@register
class Averaging(Wrapper):
    """w is the average of the inner rule's iterates u_1, ..., u_t, which run on beside it in the state.

    "uniform": w+ = w + (u+ - w) / (t + 1), the ergodic average (Nemirovski 2004); "exponential":
    w+ = decay w + (1 - decay) u+ (Yazici et al. 2019, eq. 4). The average is not fed back. In a bilinear game the
    uniform average of bounded iterates converges at the rate 1/t, though they circle.

    Args:
        inner: the rule whose iterates are averaged.
        kind: "uniform" or "exponential".
        decay: of the exponential average, in [0, 1).
    """

    inner: Rule
    kind: str = choice("uniform", "exponential", default="uniform")
    decay: Parameter = parameter(lambda b: 0 <= b < 1, default=0.999)
    memory = derived(lambda rule: remembers(iterate=start, **{"steps": 0} if rule.kind == "uniform" else {}))
    bilinear_modulus = modulus(
        lambda s, inner, kind, decay: largest(inner.bilinear_modulus(s), 1.0 if kind == "uniform" else decay)
    )
    examples = trials(lambda rule: [rule(SimultaneousGD(0.1)), rule(SimultaneousGD((0.1, 0.05)), "exponential", 0.9)])

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        iterate, inner, info = self.inner.step(game, state["iterate"], state.inner[0], rng)
        if self.kind == "uniform":
            t = state["steps"] + 1
            return w + (iterate - w) / t, State({"iterate": iterate}, {"steps": t}, (inner,)), info
        decay = number(self.decay, w)
        return decay * w + (1 - decay) * iterate, State({"iterate": iterate}, {}, (inner,)), info
