"""Heavy-ball momentum: positive, negative, or complex; joint, or player by player."""

from __future__ import annotations

import dataclasses

from ..types import Array, Domain, Game, Info, Parameter, Rng, Rule, State
from ..worlds import is_symbolic, zeros_like
from .alternating import Alternating
from .declaration import derived, largest_root, modulus, parameter, register, step_size, trials


@register
class HeavyBall(Rule):
    """m+ = beta m - v(w), w+ = P(w + lr Re m+), m_0 = 0 (Polyak 1964; negative beta: Gidel et al. 2019b, eq. 6).

    For real beta this is w - lr v(w) + beta (w - w_prev). A complex beta carries a complex buffer
    (Lorraine et al. 2022, eq. 5). On f = x y, joint steps with a real beta never converge; alternating ones with
    beta = -1/2 do for lr sigma < 1.

    Args:
        lr: step size, one number or one per player.
        momentum: beta, real or complex, one value or one per player.
        alternating: player by player, each with its own buffer, instead of jointly.
    """

    lr: Parameter = step_size()
    momentum: Parameter = parameter()
    alternating: bool = False
    aliases = ("negative_momentum",)
    flow_order = None
    per_player_parameters = ("lr", "momentum")
    domain = derived(lambda rule: Domain(linear_in_field=not rule.alternating and not rule._complex))
    bilinear_modulus = modulus(
        lambda s, momentum, alternating: None if alternating else largest_root(1, 1j * s - 1 - momentum, momentum)
    )
    examples = trials(
        lambda rule: [
            rule(0.1, -0.3),
            rule((0.1, 0.05), (0.2, -0.5)),
            rule(0.1, -0.5, alternating=True),
            rule(0.1, 0.5 + 0.4j),
        ]
    )

    @property
    def _complex(self) -> bool:
        values = self.momentum.values() if isinstance(self.momentum, dict) else self.momentum
        values = values if isinstance(values, tuple) or isinstance(self.momentum, dict) else (values,)
        return any(_real_and_imaginary(beta)[1] != 0 for beta in values)

    @property
    def _in_turn(self) -> Alternating:
        return Alternating(dataclasses.replace(self, alternating=False))

    def init(self, game: Game, w: Array, rng: Rng = None) -> State:
        """The state at the start: momentum, all zero."""
        self.check(game)
        if self.alternating:
            return self._in_turn.init(game, w, rng)
        names = ("momentum", "momentum_imaginary") if self._complex else ("momentum",)
        return State({name: zeros_like(w) for name in names})

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        if self.alternating:
            return self._in_turn.step(game, w, state, rng)
        betas = [_real_and_imaginary(beta) for beta in game.per_player(self.momentum)]
        real = game.per_coordinate(_shared([b[0] for b in betas]), w)
        v = game.field(w, game.draw(rng))
        m = real * state["momentum"] - v
        buffers = {"momentum": m}
        if "momentum_imaginary" in state.arrays:
            imaginary = game.per_coordinate(_shared([b[1] for b in betas]), w)
            n = state["momentum_imaginary"]
            buffers = {
                "momentum": (m := m - imaginary * n),
                "momentum_imaginary": real * n + imaginary * state["momentum"],
            }
        return game.project(w + game.per_coordinate(self.lr, w) * m), State(buffers), {"field": v}


def _shared(values: list[Parameter]) -> Parameter:
    return values[0] if len(values) == 1 else tuple(values)


def _real_and_imaginary(value: Parameter) -> tuple[Parameter, Parameter]:
    """Real and imaginary part of a parameter, exact where it is symbolic."""
    if is_symbolic(value):
        real, imaginary = value.as_real_imag()
        return real, imaginary
    return (value.real, value.imag) if isinstance(value, complex) else (value, 0)
