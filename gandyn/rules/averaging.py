"""Averages of iterates: uniform (ergodic) or exponential, around any rule."""

from __future__ import annotations

from typing import Any

from ..errors import ParameterError
from ..types import Array, Game, Info, Rule, State
from ..worlds import number
from .declaration import as_float, parameter, register
from .gradient import SimultaneousGD
from .wrapper import Wrapper

KINDS = ("uniform", "exponential")


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
    kind: str = "uniform"
    decay: Any = parameter(lambda b: 0 <= b < 1, default=0.999)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kind not in KINDS:
            raise ParameterError(f"Averaging(kind={self.kind!r})", " or ".join(map(repr, KINDS)), 'kind="uniform"')

    def bilinear_modulus(self, s: float) -> float | None:
        """The inner rule's, or that of the average's own memory: decay, or 1 at t = infinity."""
        inner = self.inner.bilinear_modulus(s)
        memory = 1.0 if self.kind == "uniform" else as_float(self.decay)
        return None if inner is None or memory is None else max(inner, memory)

    @classmethod
    def examples(cls) -> list[Rule]:
        """Both kinds."""
        return [cls(SimultaneousGD(0.1)), cls(SimultaneousGD((0.1, 0.05)), "exponential", 0.9)]

    def init(self, game: Game, w: Array, rng: Any = None) -> State:
        """The inner iterate, which starts where the average does."""
        counters = {"steps": 0} if self.kind == "uniform" else {}
        return State({"iterate": w}, counters, super().init(game, w, rng).inner)

    def step(self, game: Game, w: Array, state: State, rng: Any = None) -> tuple[Array, State, Info]:
        """One inner step."""
        iterate, inner, info = self.inner.step(game, state["iterate"], state.inner[0], rng)
        if self.kind == "uniform":
            t = state["steps"] + 1
            return w + (iterate - w) / t, State({"iterate": iterate}, {"steps": t}, (inner,)), info
        decay = number(self.decay, w)
        return decay * w + (1 - decay) * iterate, State({"iterate": iterate}, {}, (inner,)), info
