"""Adam: steps scaled coordinate by coordinate with running moments of the field."""

from __future__ import annotations

import dataclasses
from typing import Any

from ..errors import ParameterError
from ..types import Array, Domain, Game, Info, Rule, State
from ..worlds import is_symbolic, number, sqrt, zeros_like
from .base import parse, register, step_size


@register
@dataclasses.dataclass(frozen=True)
class Adam(Rule):
    """Adam on the joint field: simultaneous, bias-corrected, eps outside the root (Kingma & Ba 2015, algorithm 1).

    m+ = b1 m + (1 - b1) v, s+ = b2 s + (1 - b2) v^2, and with t counted from 1
    w+ = P(w - lr (m+ / (1 - b1^t)) / (sqrt(s+ / (1 - b2^t)) + eps)). At an equilibrium s = 0 and the map is not
    differentiable: `linearize` answers "undecided". For GANs as they are usually trained, see `Alternating(Adam(...))`.

    Args:
        lr: step size, one number or one per player.
        betas: (b1, b2), decay of the first and second moment, in [0, 1).
        eps: added to the root.
    """

    lr: Any
    betas: tuple[Any, Any] = (0.9, 0.999)
    eps: Any = 1e-8
    domain = Domain(smooth=False)
    flow_order = None

    def __post_init__(self) -> None:
        parse(self, step_size, lr=self.lr, eps=self.eps)
        if not isinstance(self.betas, (tuple, list)) or len(self.betas) != 2:
            raise ParameterError(f"Adam(betas={self.betas!r})", "two numbers (b1, b2)", "betas=(0.9, 0.999)")
        parse(self, betas=self.betas)
        for beta in self.betas:
            if not is_symbolic(beta) and not 0 <= beta < 1:
                raise ParameterError(f"Adam(betas={self.betas!r})", "0 <= beta < 1", "betas=(0.9, 0.999)")

    @classmethod
    def examples(cls) -> list[Rule]:
        """One step size, and one per player without first moment."""
        return [cls(0.1), cls((0.1, 0.05), betas=(0.0, 0.9))]

    def init(self, game: Game, w: Array, rng: Any = None) -> State:
        """Moments at zero."""
        self.check(game)
        return State({"mean": zeros_like(w), "square": zeros_like(w)}, {"steps": 0})

    def step(self, game: Game, w: Array, state: State, rng: Any = None) -> tuple[Array, State, Info]:
        """One field evaluation."""
        v = game.field(w, game.draw(rng))
        first, second = (number(beta, w) for beta in self.betas)
        t = state["steps"] + 1
        m = first * state["mean"] + (1 - first) * v
        s = second * state["square"] + (1 - second) * (v * v)
        lr = game.per_coordinate(self.lr, w)
        direction = (m / (1 - first**t)) / (sqrt(s / (1 - second**t)) + number(self.eps, w))
        return game.project(w - lr * direction), State({"mean": m, "square": s}, {"steps": t}), {"field": v}
