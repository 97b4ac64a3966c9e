"""Rules made for noisy fields: an exploration step that outruns the update, and variance reduction by a snapshot."""

from __future__ import annotations

import math
from typing import Any

from ..errors import DomainError
from ..types import Array, Cost, Domain, Game, Info, Parameter, Rng, Rule, State
from ..worlds import number
from .declaration import count, derived, parameter, register, step_size, trials, weight
from .schedule import PowerDecay


@register
class DSEG(Rule):
    """w' = P(w - g_t v(w; z)), then w+ = P(w - h_t v(w'; z')): double stepsize extragradient (Hsieh et al. 2020).

    The exploration step g_t = exploration / (1 + t/scale)^exploration_power is longer than the update
    h_t = lr / (1 + t/scale)^power, and z, z' are independent batches. On f = x y the modulus is
    hypot(1 - g lr sigma^2, lr sigma), and with noise the floor falls with lr at a fixed exploration step, where that of
    extragradient does not. Decaying steps converge for power > 1/2, exploration_power + power <= 1 and
    2 exploration_power + power > 1.

    Args:
        lr: update step h, one number or one per player.
        exploration: look-ahead step g, likewise.
        power, exploration_power: of their decay; 0 keeps a step constant.
        scale: steps after which the decay sets in.
    """

    lr: Parameter = step_size()
    exploration: Parameter = step_size()
    power: Parameter = weight(default=0)
    exploration_power: Parameter = weight(default=0)
    scale: Parameter = step_size(default=1)
    cost = Cost(fields=2)
    domain = derived(lambda rule: Domain(capturable=not rule.decays, linear_in_field=not rule.decays))
    flow_order = None
    per_player_parameters = ("lr", "exploration")
    step_sizes = ("lr", "exploration")
    examples = trials(
        lambda rule: [rule(0.1, 0.3), rule((0.1, 0.05), 0.2), rule(0.1, 0.3, power=0.6, exploration_power=0.3)]
    )

    @property
    def decays(self) -> bool:
        """Whether a step changes over time."""
        return bool(self.power != 0 or self.exploration_power != 0)

    def bilinear_modulus(self, s: float) -> float | None:
        """hypot(1 - s^2 exploration / lr, s); 1 for steps that decay, at t = infinity."""
        if self.decays:
            return 1.0
        if not all(isinstance(step, (int, float)) for step in (self.lr, self.exploration)):
            return None
        return math.hypot(1 - s**2 * self.exploration / self.lr, s)

    def init(self, game: Game, w: Array, rng: Rng = None) -> State:
        """A step count, where a step decays."""
        self.check(game)
        return State({}, {"steps": 0} if self.decays else {})

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        lr, ahead = game.per_coordinate(self.lr, w), game.per_coordinate(self.exploration, w)
        counters = {}
        if self.decays:
            t, scale = state["steps"], number(self.scale, w)
            lr = lr * PowerDecay(number(self.power, w), scale)(t)
            ahead = ahead * PowerDecay(number(self.exploration_power, w), scale)(t)
            counters = {"steps": t + 1}
        v = game.field(w, game.draw(rng))
        v_ahead = game.field(game.project(w - ahead * v), game.draw(rng))
        return game.project(w - lr * v_ahead), State({}, counters), {"field": v, "field_ahead": v_ahead}


@register
class SVRE(Rule):
    """Extragradient on g(w; z) = v(w; z) - v(u; z) + v(u), u a snapshot (Chavdarova et al. 2019, algorithm 1).

    w' = P(w - lr g(w; z)), then w+ = P(w - lr g(w'; z')) on independent batches. Before a step the snapshot u moves to
    w with probability `restart`, and the full field v(u) is computed there. At the solution the noise of g vanishes
    with w and u, so that it converges with a constant step. On a game without batches g = v: it is extragradient.

    Args:
        lr: step size, one number or one per player.
        restart: probability of a new snapshot before a step, in (0, 1]; one over the number of batches in the paper.
        batches: number of draws whose mean replaces the full field where the game does not give it, as for networks.
    """

    lr: Parameter = step_size()
    restart: Parameter = parameter(lambda p: 0 < p <= 1, default=0.1)
    batches: int = count(1, default=10)
    domain = Domain(capturable=False)
    cost = Cost(fields=2)
    examples = trials(lambda rule: [rule(0.1), rule((0.1, 0.05), restart=0.5)])

    def bilinear_modulus(self, s: float) -> float | None:
        """Extragradient's, sqrt(1 - s^2 + s^4)."""
        return math.sqrt(1 - s**2 + s**4)

    def cost_on(self, game: Game) -> Cost:
        """Two full fields on a deterministic game; else four of batches, and a full one with probability `restart`."""
        return self.cost if game.deterministic else Cost(fields=math.nan)

    def full_field(self, game: Game, w: Array, rng: Rng) -> Array:
        """v(w) without sampling noise, or the mean over `batches` draws where it is not known."""
        if game.mean() is not None:
            return game.field(w)
        drawn = [game.field(w, game.draw(rng)) for _ in range(self.batches)]
        return sum(drawn[1:], drawn[0]) / len(drawn)

    def init(self, game: Game, w: Array, rng: Rng = None) -> State:
        """The first snapshot, the start, and the full field there."""
        self.check(game)
        return State({"snapshot": w, "full_field": self.full_field(game, w, rng)})

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        lr, drawn = game.per_coordinate(self.lr, w), not game.deterministic
        snapshot, full = (state["snapshot"], state["full_field"]) if drawn else (w, game.field(w))
        restarts = _bernoulli(rng, self.restart) if drawn else 0
        if not isinstance(restarts, int):  # on symbols the coin is one
            snapshot, full = (
                snapshot + restarts * (w - snapshot),
                full + restarts * (self.full_field(game, w, rng) - full),
            )
        elif restarts:
            snapshot, full = w, self.full_field(game, w, rng)

        def reduced(at: Array) -> Array:
            batch = game.draw(rng)
            return game.field(at, batch) - game.field(snapshot, batch) + full

        g = reduced(w) if drawn else full
        ahead = game.project(w - lr * g)
        g_ahead = reduced(ahead) if drawn else game.field(ahead)
        return game.project(w - lr * g_ahead), State({"snapshot": snapshot, "full_field": full}), {"field": g}


def _bernoulli(rng: Any, probability: Any) -> Any:
    """A draw that is 1 with this probability and 0 otherwise: a number, or a symbol while the rule is traced."""
    if rng is None:
        return 0
    if isinstance(rng, (list, tuple)):
        raise DomainError(
            "SVRE on many networks at once, each with a coin of its own", "one network", "train each alone"
        )
    return rng.coin(probability) if hasattr(rng, "coin") else int(rng.random() < probability)
