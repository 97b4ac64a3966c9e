"""Adam, AdamW, AMSGrad and RMSProp: steps scaled coordinate by coordinate with running moments of the field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import DomainError, ParameterError
from ..types import Array, Domain, Game, Info, Parameter, Rng, Rule, State
from ..worlds import is_symbolic, maximum, number
from .declaration import parameter, register, remembers, step_size, trials, weight, zero
from .gradient import SimultaneousGD
from .moments import blend, blend_square, descend_over_root, over_root


@register
class Adam(Rule):
    """Adam on the joint field: simultaneous, bias-corrected, eps outside the root (Kingma & Ba 2015, algorithm 1).

    m+ = b1 m + (1 - b1) v, s+ = b2 s + (1 - b2) v^2, and with t counted from 1
    w+ = P(w - lr (m+ / (1 - b1^t)) / (sqrt(s+ / (1 - b2^t)) + eps)). At an equilibrium s = 0 and the map is not
    differentiable: `linearize` answers "undecided", and `near_equilibrium` is a rule that attracts where this one does.
    For GANs as they are usually trained, see `Alternating(Adam(...))`.

    Args:
        lr: step size, one number or one per player.
        betas: (b1, b2), decay of the first and second moment, in [0, 1).
        eps: added to the root.
    """

    lr: Parameter = step_size()
    betas: tuple[Any, Any] = parameter(default=(0.9, 0.999))
    eps: Parameter = step_size(default=1e-8)
    domain = Domain(smooth=False)
    flow_order = None
    memory = remembers(mean=zero, square=zero, steps=0)
    overwrites = True
    examples = trials(lambda rule: [rule(0.1), rule((0.1, 0.05), betas=(0.0, 0.9))])

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.betas, (tuple, list)) or len(self.betas) != 2:
            raise ParameterError(f"{self.name}(betas={self.betas!r})", "two numbers (b1, b2)", "betas=(0.9, 0.999)")
        for beta in self.betas:
            if not is_symbolic(beta) and not 0 <= beta < 1:
                raise ParameterError(f"{self.name}(betas={self.betas!r})", "0 <= beta < 1", "betas=(0.9, 0.999)")

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        v = game.field(w, game.draw(rng))
        t = state["steps"] + 1
        moments = self._update(state.arrays, v, w)
        return game.project(self._moved(game, w, moments, t)), State(moments, {"steps": t}), {"field": v}

    def _update(self, moments: Mapping[str, Array], v: Array, w: Array) -> dict[str, Array]:
        """The first and second moment after one more field."""
        first, second = (number(beta, w) for beta in self.betas)
        return {"mean": blend(moments["mean"], v, first), "square": blend_square(moments["square"], v, second)}

    def _weights(self, t: Array, w: Array) -> tuple[Array, Array, Array]:
        """What both moments are divided by after t fields, and what is added to the root."""
        first, second = (number(beta, w) for beta in self.betas)
        return 1 - first**t, 1 - second**t, number(self.eps, w)

    def _direction(self, moments: Mapping[str, Array], t: Array, w: Array) -> Array:
        """d, the bias-corrected mean over the bias-corrected root, after t fields."""
        return over_root(moments["mean"], moments["square"], *self._weights(t, w))

    def near_equilibrium(self) -> Rule:
        """The momentum rule that Adam equals to first order where sqrt(s) is far below eps: w+ = w - (lr / eps) m+.

        Near an equilibrium the step of Adam is w - (lr / eps) m+ (1 + O(sqrt(s+))), and sqrt(s) shrinks by sqrt(b2) a
        step: the difference is of second order, so an equilibrium attracts Adam where it attracts that rule.

        Raises:
            DomainError: for a rule that also decays its weights.
        """
        from .heavy_ball import HeavyBall

        if self.name not in ("Adam", "AMSGrad"):
            raise DomainError(f"the linear part of {self!r}", "Adam, AMSGrad or RMSProp", "Adam(lr, betas, eps)")
        share = (1 - self.betas[0]) / self.eps
        return HeavyBall(_times(self.lr, share), self.betas[0])

    def _moved(self, game: Game, w: Array, moments: Mapping[str, Array], t: Array, square: str = "square") -> Array:
        """w - lr d."""
        lr = game.per_coordinate(self.lr, w)
        return descend_over_root(w, lr, moments["mean"], moments[square], *self._weights(t, w))


@register
class AdamW(Adam):
    """Adam with decoupled weight decay, w+ = P((1 - lr weight_decay) w - lr d), d as in Adam (Loshchilov, Hutter 2019).

    Equal to `torch.optim.AdamW`. The decay is no part of the field, and not rescaled with it: the equilibria of a game
    other than w = 0 are no fixed points.

    Args:
        lr, betas, eps: as for Adam.
        weight_decay: decay rate of the parameters, one number or one per player.
    """

    weight_decay: Parameter = weight(default=0.01)
    examples = trials(lambda rule: [rule(0.1), rule((0.1, 0.05), (0.0, 0.9), weight_decay=(0.2, 0.0))])

    def _moved(self, game: Game, w: Array, moments: Mapping[str, Array], t: Array, square: str = "square") -> Array:
        decay = game.per_coordinate(self.lr, w) * game.per_coordinate(self.weight_decay, w)
        return super()._moved(game, w - decay * w, moments, t, square)


@register
class AMSGrad(Adam):
    """Adam whose second moment never shrinks: the root is that of the largest s so far.

    Reddi et al. 2018, algorithm 2, with bias corrections as in `torch.optim.Adam(amsgrad=True)`:
    w+ = P(w - lr (m / (1 - b1^t)) / (sqrt(max s / (1 - b2^t)) + eps)).

    Args:
        lr, betas, eps: as for Adam.
    """

    memory = remembers(Adam, largest=zero)

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        v = game.field(w, game.draw(rng))
        t = state["steps"] + 1
        moments = self._update(state.arrays, v, w)
        moments["largest"] = maximum(state["largest"], moments["square"])
        moved = self._moved(game, w, moments, t, square="largest")
        return game.project(moved), State(moments, {"steps": t}), {"field": v}


@register
class RMSProp(Rule):
    """s+ = decay s + (1 - decay) v^2, w+ = P(w - lr v / (sqrt(s+) + eps)), s_0 = 0.

    Tieleman & Hinton 2012, lecture 6e. No bias correction, as in `torch.optim.RMSprop`, whose defaults these are. Not
    differentiable at an equilibrium.

    Args:
        lr: step size, one number or one per player.
        decay: of the second moment, in [0, 1).
        eps: added to the root.
    """

    lr: Parameter = step_size()
    decay: Parameter = parameter(lambda b: 0 <= b < 1, default=0.99)
    eps: Parameter = step_size(default=1e-8)
    domain = Domain(smooth=False)
    flow_order = None
    memory = remembers(square=zero)
    overwrites = True
    examples = trials(lambda rule: [rule(0.1), rule((0.1, 0.05), 0.9)])

    def near_equilibrium(self) -> Rule:
        """Gradient steps of size lr / eps: this rule to first order where the root is far below eps, as for Adam."""
        return SimultaneousGD(_times(self.lr, 1 / self.eps))

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        v = game.field(w, game.draw(rng))
        square = blend_square(state["square"], v, number(self.decay, w))
        direction = over_root(v, square, 1, 1, number(self.eps, w))
        return game.project(w - game.per_coordinate(self.lr, w) * direction), State({"square": square}), {"field": v}


def _times(lr: Parameter, factor: Parameter) -> Any:
    """A step size, or one per player, times a number."""
    if isinstance(lr, dict):
        return {name: step * factor for name, step in lr.items()}
    return tuple(step * factor for step in lr) if isinstance(lr, (tuple, list)) else lr * factor
