"""Playing in turn: any rule, player by player, each seeing the others' latest move and keeping a memory of its own."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

from ..errors import ParameterError, made, shown
from ..memory import is_given_away
from ..types import Array, Cost, Domain, Game, Info, Parameter, Rng, Rule, State
from ..worlds import concatenate
from .declaration import MOST_INNER_STEPS, each, is_count, positive, read_number, register, trials
from .gradient import SimultaneousGD


@register
class Alternating(Rule):
    """Each player in turn takes `repeats` steps of `inner` on its own cost, with the others where they now are.

    The inner rule runs on `game.restrict(i, w)`, so an idle player's moments do not decay: `Alternating(Adam(...))` is
    how most GANs are trained. One step is one round of all players.

    Args:
        inner: a rule, or a tuple with one for each player.
        order: players by index or name; player 1 moves first by default. A player may be named more than once.
        repeats: inner steps at each turn, one number or one per player, indexed by player.
    """

    inner: Any
    order: Sequence[int | str] | None = None
    repeats: int | tuple[int, ...] | dict[str, int] | None = None
    examples = trials(
        lambda rule: [rule(SimultaneousGD(0.1)), rule(SimultaneousGD((0.1, 0.05)), order=(1, 0), repeats=(1, 2))]
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        inner = tuple(self.inner) if isinstance(self.inner, (tuple, list)) else self.inner
        object.__setattr__(self, "inner", inner)
        for rule in inner if isinstance(inner, tuple) else (inner,):
            if not isinstance(rule, Rule):
                fix = made(rule, "Alternating(Adam(1e-3))")
                raise ParameterError(f"{self.name}({shown(rule)})", "a rule, or one rule per player", fix)
        if inner == ():
            raise ParameterError(f"{self.name}(())", "a rule, or one rule per player", "Alternating(Adam(1e-3))")
        for count in () if self.repeats is None else each(self.repeats):
            if not is_count(count, 0):
                needed = f"whole numbers from 0 to {MOST_INNER_STEPS}"
                raise ParameterError(f"{self.name}(repeats={self.repeats})", needed, "repeats=(1, 5)")

    @property
    def domain(self) -> Domain:  # type: ignore[override]
        """The inner rules' own."""
        first = self.inner[0] if isinstance(self.inner, tuple) else self.inner
        domain: Domain = first.domain
        return dataclasses.replace(domain, two_player=False, linear_in_field=False)

    @property
    def overwrites(self) -> bool:  # type: ignore[override]
        """Where all inner rules do: each then writes its player's block over the point."""
        return all(rule.overwrites for rule in (self.inner if isinstance(self.inner, tuple) else (self.inner,)))

    @property
    def flow_order(self) -> int | None:  # type: ignore[override]
        """First order, whatever the inner rule, when each player moves once a round; None where repeats weigh them."""
        rules = self.inner if isinstance(self.inner, tuple) else (self.inner,)
        return 1 if self.repeats is None and all(rule.flow_order for rule in rules) else None

    @property
    def cost(self) -> Cost:
        """One inner step costs its player's share of the fields, and all of the inner rule's Jacobian products."""
        rules = self.inner if isinstance(self.inner, tuple) else (self.inner,)
        turns = (1,) if self.repeats is None else tuple(each(self.repeats))
        players = max(2, len(rules), len(turns))
        rules, turns = (side * players if len(side) == 1 else side for side in (rules, turns))
        costs = [(n, rule.cost) for n, rule in zip(turns, rules, strict=False)]
        fields = sum(n * c.fields for n, c in costs) / len(costs)
        return Cost(fields, sum(n * c.jvps for n, c in costs), sum(n * c.vjps for n, c in costs))

    def _inner(self, game: Game) -> tuple[Rule, ...]:
        rules: tuple[Rule, ...] = game.per_player(self.inner)
        return rules

    def _schedule(self, game: Game) -> list[int]:
        if self.order is None and self.repeats is None:
            return [*range(len(game.players))]
        order = [game.player_index(which) for which in (self.order or range(len(game.players)))]
        missing = [p.name for i, p in enumerate(game.players) if i not in order]
        if missing:
            raise ParameterError(
                f"{self.name}(order={self.order!r})",
                f"every player of {game.name}, {', '.join(missing)} too",
                "list all players, by index from 0 or by name",
            )
        repeats = game.per_player(1 if self.repeats is None else self.repeats)
        return [i for i in order for _ in range(repeats[i])]

    def check(self, game: Game) -> None:
        """Refuse what the inner rules refuse, and orders that do not fit."""
        self._schedule(game)
        for rule in self._inner(game):
            rule.check(game)

    def init(self, game: Game, w: Array, rng: Rng = None) -> State:
        """The state at the start: one inner state for each player."""
        self.check(game)
        views = [game.restrict(i, w) for i in range(len(game.players))]
        rules = self._inner(game)
        return State(inner=tuple(r.init(v, v.block, rng) for r, v in zip(rules, views, strict=True)))

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        rules, states = self._inner(game), list(state.inner)
        fields: list[Array] = [None] * len(rules)
        told = not is_given_away(w)  # who gives the point away has no use for its field either
        for turn, i in enumerate(self._schedule(game)):
            view = game.restrict(i, w)
            view.spare = turn > 0 and self.overwrites  # the joint vector that an earlier turn made
            w, states[i], field = self._turn(view, rules[i], states[i], rng)
            fields[i] = field if told and field is not None else fields[i]
            del field
        return w, State(inner=tuple(states)), {"field": concatenate(fields)} if _all(fields) else {}

    def _turn(self, view: Any, rule: Rule, state: State, rng: Rng) -> tuple[Array, State, Array]:
        """The joint vector and the player's state after one of its inner steps, and the field that it saw, or None."""
        x, state, info = rule.step(view, view.block, state, rng)
        return view.embed(x), state, info.get("field")


def _all(fields: list[Array]) -> bool:
    return all(field is not None for field in fields)


@register
class AlternatingGD(Alternating):
    """Alternating gradient descent: x+ = x - lr df_1/dx(x, y), then y+ = y - lr df_2/dy(x+, y), and so on.

    `Alternating(SimultaneousGD(lr))` under its own name. On f = x y the map has determinant 1 and orbits stay bounded
    while lr sigma < 2; at 2 the eigenvalue -1 is defective (Gidel et al. 2019b, theorem 5).

    Args:
        lr: step size, one number or one per player.
        order: players by index or name, player 1 first by default.
        repeats: steps at each turn, one number or one per player: `repeats=(1, 5)` trains player 2 five times.
    """

    inner: Any = dataclasses.field(init=False, repr=False, default=None)
    lr: Parameter = dataclasses.field(default=None, metadata={"numeric": True})
    order: Sequence[int | str] | None = None
    repeats: int | tuple[int, ...] | dict[str, int] | None = None
    aliases = ("alternating",)
    examples = trials(lambda rule: [rule(0.1), rule((0.1, 0.05), order=(1, 0)), rule(0.1, repeats=(1, 3))])

    def __init__(self, lr: Parameter, order: object = None, repeats: object = None) -> None:
        object.__setattr__(self, "lr", read_number(self, "lr", lr, positive))
        object.__setattr__(self, "inner", SimultaneousGD(self.lr))
        object.__setattr__(self, "order", order)
        object.__setattr__(self, "repeats", repeats)
        self.__post_init__()

    def __repr__(self) -> str:
        return f"{self.name}(lr={self.lr!r}, order={self.order!r}, repeats={self.repeats!r})"

    def bilinear_modulus(self, s: float) -> float | None:
        """1 below s = 2: bounded, never convergent. Beyond, the larger root of z^2 - (2 - s^2) z + 1.

        Repeats m and n at the players' turns multiply s by sqrt(m n): a player's gradient is constant in its turn.
        """
        if self.order is not None and len(self.order) != 2:
            return None
        turns = (1,) if self.repeats is None else each(self.repeats)
        trace = 2 - s**2 * math.prod(turns * 2 if len(turns) == 1 else turns)
        return 1.0 if trace >= -2 else (abs(trace) + (trace**2 - 4) ** 0.5) / 2
