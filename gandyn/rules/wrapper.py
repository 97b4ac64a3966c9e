"""What rules that take a rule share: the inner rule is checked, declares the domain, and keeps its own state."""

from __future__ import annotations

import abc
import dataclasses
from fractions import Fraction
from typing import Any, ClassVar

from ..errors import DomainError, ParameterError, made, shown
from ..types import Array, Cost, Domain, Game, Info, Parameter, Rng, Rule, State
from ..worlds import exact, is_symbolic


class Wrapper(Rule):
    """A rule around one other, `inner`; subclasses are frozen dataclasses with that field first."""

    inner: Rule
    flow_order = None
    loses: ClassVar[tuple[str, ...]] = ()  # what the inner rule's domain declares and this rule's does not

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.inner, Rule):
            fix = made(self.inner, f"{self.name}(gd.rules.GDA(0.1), ...)")
            raise ParameterError(f"{self.name}({shown(self.inner)})", "a rule", fix)

    @property
    def domain(self) -> Domain:  # type: ignore[override]
        """The inner rule's own, but for what the wrapper loses."""
        return dataclasses.replace(self.inner.domain, **dict.fromkeys(self.loses, False))

    @property
    def cost(self) -> Cost:
        """The inner rule's own."""
        return self.inner.cost

    def check(self, game: Game) -> None:
        """Refuse what the inner rule refuses."""
        super().check(game)
        self.inner.check(game)

    def init(self, game: Game, w: Array, rng: Rng = None) -> State:
        """The memory of its own, and the inner rule's state."""
        own = super().init(game, w, rng)
        return State(own.arrays, own.counters, (self.inner.init(game, w, rng),))


class OnNewField(Wrapper):
    """`inner` on a game with another field, which `field_of` gives: its state and steps are the inner rule's there."""

    def __post_init__(self) -> None:
        super().__post_init__()
        cost = self.inner.cost
        if cost.jvps != 0 or cost.vjps != 0:
            raise DomainError(
                f"{self.name} around {self.inner.name}, which uses products with the game Jacobian",
                "an inner rule that uses fields alone",
                f"wrap a first-order rule, such as {self.name}(gd.rules.Adam(1e-3))",
            )

    @abc.abstractmethod
    def field_of(self, game: Game) -> Game:
        """The game with the field that the inner rule is to see."""

    def init(self, game: Game, w: Array, rng: Rng = None) -> State:
        """The inner rule's state."""
        self.check(game)
        return self.inner.init(self.field_of(game), w, rng)

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        return self.inner.step(self.field_of(game), w, state, rng)


def scaled(rule: Rule, game: Game, factors: tuple[object, ...]) -> Rule:
    """A copy of `rule` with player i's step sizes multiplied by factors[i], in the rules that it wraps too."""
    changes: dict[str, Any] = {}
    for field in dataclasses.fields(rule):  # type: ignore[arg-type]
        value = getattr(rule, field.name)
        if field.name in rule.step_sizes and value is not None:
            products = tuple(_times(v, f) for v, f in zip(game.per_player(value), factors, strict=True))
            changes[field.name] = products[0] if all(p == products[0] for p in products) else products
        elif field.init and isinstance(value, Rule):
            changes[field.name] = scaled(value, game, factors)
        elif field.init and isinstance(value, tuple) and any(isinstance(v, Rule) for v in value):
            changes[field.name] = tuple(scaled(v, game, factors) for v in value)
    return dataclasses.replace(rule, **changes)  # type: ignore[type-var]


def _times(a: Parameter, b: Parameter) -> Parameter:
    """a b, exact with symbols; two floats are multiplied as the decimals that they print as."""
    if is_symbolic(a) or is_symbolic(b):
        return exact(a) * exact(b)
    return float(Fraction(repr(float(a))) * Fraction(repr(float(b))))
