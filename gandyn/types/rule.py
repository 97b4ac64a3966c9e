"""Rule: init and step on a State. What a rule needs, where it is defined, and what it costs."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Protocol, runtime_checkable

from ..errors import DomainError
from ..parameters import read_fields, read_plain_numbers
from .game import Game
from .players import Array, Batch, Info, Rng


@dataclasses.dataclass(frozen=True)
class State:
    """What the next step of a rule needs, and nothing else.

    Attributes:
        arrays: named arrays shaped like the rule's w; with w they form the augmented state z.
        counters: named step counts; not part of the Jacobian.
        inner: the states of wrapped rules.
    """

    arrays: Mapping[str, Array] = dataclasses.field(default_factory=dict)
    counters: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    inner: tuple[State, ...] = ()

    def __getitem__(self, name: str) -> Array:
        return self.arrays[name] if name in self.arrays else self.counters[name]

    def leaves(self, prefix: str = "") -> Iterator[tuple[str, Array]]:
        """(path, array) of every array, own ones first, then the wrapped rules'."""
        for name, array in self.arrays.items():
            yield prefix + name, array
        for i, inner in enumerate(self.inner):
            yield from inner.leaves(f"{prefix}{i}.")

    def counter_leaves(self, prefix: str = "") -> Iterator[tuple[str, Any]]:
        """(path, count) of every counter, in the order of `leaves`."""
        for name, count in self.counters.items():
            yield prefix + name, count
        for i, inner in enumerate(self.inner):
            yield from inner.counter_leaves(f"{prefix}{i}.")

    def replace_leaves(self, arrays: Iterator[Array], counters: Iterator[object]) -> State:
        """A state of this structure with other arrays and counts, in the order of `leaves` and `counter_leaves`."""
        return State(
            {name: next(arrays) for name in self.arrays},
            {name: next(counters) for name in self.counters},
            tuple(inner.replace_leaves(arrays, counters) for inner in self.inner),
        )


@dataclasses.dataclass(frozen=True)
class Domain:
    """Where a rule is defined, and what it lends itself to.

    The first five restrict the games that it accepts. `smooth`: the update map is differentiable. `capturable`: one
    step has no host-side branch on data, so CUDA graphs can capture it. `linear_in_field`: the step is a linear
    combination of points and fields, so performance estimation applies.
    """

    two_player: bool = False
    several_players: bool = False
    zero_sum: bool = False
    deterministic: bool = False
    unconstrained: bool = False
    smooth: bool = True
    capturable: bool = True
    linear_in_field: bool = False


@dataclasses.dataclass(frozen=True)
class Cost:
    """Oracle calls of one step with two players: full fields, Jacobian products and transposed products.

    nan where the number depends on an inner solver.
    """

    fields: float = 1
    jvps: float = 0
    vjps: float = 0

    def __mul__(self, times: float) -> Cost:
        return Cost(times * self.fields, times * self.jvps, times * self.vjps)


class Rule(abc.ABC):
    """An update rule: `init` makes its state, `step` moves the players once. Subclasses are frozen dataclasses.

    A rule declares `domain`, and its theory: `flow_order` p (it follows the gradient flow over a fixed time with error
    O(lr^p); None where it follows another flow), `cost`, and `bilinear_modulus`. `per_player_parameters` are checked
    against the game's players; `step_sizes` are what schedules and time scales multiply. `memory` names the entries of
    the state with what each is at the start: a function of (game, w, rng), or for a counter its first value.
    `overwrites`: a step reads no array of the state again once it has the next one, and its state keeps no view of w,
    so that the step may write over what its caller gives away (`memory.giving_away`).
    """

    domain: ClassVar[Domain] = Domain()
    flow_order: ClassVar[int | None] = 1
    aliases: ClassVar[tuple[str, ...]] = ()
    per_player_parameters: ClassVar[tuple[str, ...]] = ("lr",)
    step_sizes: ClassVar[tuple[str, ...]] = ("lr",)
    memory: ClassVar[Mapping[str, Any]] = {}
    overwrites: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Parse the fields: declared parameters, booleans, and text where the default is a number."""
        read_fields(self)
        read_plain_numbers(self)

    @property
    def name(self) -> str:
        """The rule's name in the registry."""
        return type(self).__name__

    @property
    def cost(self) -> Cost:
        """Declared oracle calls per step."""
        return Cost()

    def cost_on(self, game: Game) -> Cost:
        """Declared oracle calls per step on this game: `cost`, unless the calls depend on the kind of game."""
        return self.cost

    def bilinear_modulus(self, s: float) -> float | None:
        """Spectral radius of the update map on f = x y with equal steps lr, at s = lr * singular value."""
        return None

    @classmethod
    def examples(cls) -> Sequence[Rule]:
        """Instances that the contract tests run: one step size, and one per player, unless a rule has others."""
        return [cls(0.1), cls((0.1, 0.05))]  # type: ignore[call-arg]

    def check(self, game: Game) -> None:
        """Refuse a game outside the domain, by name, and parameters that do not fit its players."""
        wants = self.domain
        n = len(game.players)
        failures = [
            (wants.two_player and n != 2, f"{n} players", "exactly two players"),
            (wants.several_players and n < 2, "which has one player", "two players or more, who act on each other"),
            (wants.zero_sum and not game.zero_sum, "a general-sum game", "a zero-sum game, f_2 = -f_1"),
            (wants.deterministic and not game.deterministic, "a stochastic game", "a deterministic game"),
            (wants.unconstrained and game.constrained, "a constrained game", "an unconstrained game"),
        ]
        for failed, given, needed in failures:
            if failed:
                raise DomainError(
                    f"{self.name} on {game.name}, {given}", needed, "`gandyn list rules` shows each rule's domain"
                )
        for parameter in self.per_player_parameters:
            if hasattr(self, parameter):
                game.per_player(getattr(self, parameter))

    def init(self, game: Game, w: Array, rng: Rng = None) -> State:
        """The state before the first step. `rng` seeds the first batch of rules that start from a field."""
        self.check(game)
        arrays = {name: start(game, w, rng) for name, start in self.memory.items() if callable(start)}
        return State(arrays, {name: start for name, start in self.memory.items() if not callable(start)})

    @abc.abstractmethod
    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        """One update. Shapes: w and every state array (..., d)."""


@runtime_checkable
class Implicit(Protocol):
    """A rule whose step solves an equation: w+ is where `residual` is zero. Any rule with that method is one."""

    def residual(self, game: Game, w_next: Array, w: Array, batch: Batch = None) -> Array:
        """r(w+, w), shape (..., d), in every world: zero exactly where w+ is the step from w."""
        ...


def residual_of(rule: Rule, game: Game, w_next: Array, w: Array, batch: Batch = None) -> Array:
    """r(w+, w) of an implicit rule. Raises DomainError for an explicit one."""
    if not isinstance(rule, Implicit):
        raise DomainError(f"{rule!r}, whose step is explicit", "a rule with residual(game, w_next, w)", "ProximalPoint")
    return rule.residual(game, w_next, w, batch)
