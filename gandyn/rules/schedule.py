"""Step sizes that change: schedules over the steps, and a time scale between the players."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import NoReturn

import numpy as np

from ..errors import DomainError, ParameterError, made, shown
from ..types import Array, Domain, Game, Info, Parameter, Rng, Rule, State
from ..worlds import exact, is_symbolic
from .declaration import register, remembers, step_size, trials
from .gradient import SimultaneousGD
from .wrapper import Wrapper, scaled

SAMPLED = (*range(13), 99, 100, 1000, 12345, 10**6)  # steps at which a formula is held to numbers
FAR_OUT, BEFORE = tuple(1e15 + k for k in (0, 1, 2, 5, 7)), 1e13  # steps that show whether there is a limit


def late_count(step: Callable[[float], Array]) -> float:
    """The count that stands for the limit of what a count gives: infinity, or a late one where that gives no numbers.

    Args:
        step: from a count to an array of NumPy or torch.

    Raises:
        ArithmeticError: where late counts give other numbers than each other, so that there is no limit.
    """
    far = [step(t) for t in FAR_OUT]
    if not all(_near(far[0], other) for other in far):
        raise ArithmeticError("late steps differ")
    ends = step(math.inf)
    if bool((abs(ends) < math.inf).all()):
        return math.inf
    if not _near(far[0], step(BEFORE)):
        raise ArithmeticError("late steps grow")
    return FAR_OUT[0]


def _near(a: Array, b: Array) -> bool:
    return bool((abs(a - b) <= 1e-3 * abs(a).max()).all())


@dataclasses.dataclass(frozen=True)
class PowerDecay:
    """(1 + t / scale)^-power: 1/2 gives the 1/sqrt(t) of averaged stochastic methods, 1 that of Robbins & Monro."""

    power: float = 0.5
    scale: float = 1.0

    def __call__(self, t: Parameter) -> Parameter:
        """The factor of step t = 0, 1, ..."""
        if is_symbolic(t):
            return (1 + t / exact(self.scale)) ** -exact(self.power)
        return (1 + t / self.scale) ** -self.power


@dataclasses.dataclass(frozen=True)
class StepDecay:
    """factor^floor(t / every)."""

    every: int
    factor: float = 0.1

    def __call__(self, t: Parameter) -> Parameter:
        """The factor of step t = 0, 1, ..."""
        return self.factor ** (t // self.every)


@dataclasses.dataclass(frozen=True)
class Cosine:
    """Half a cosine from 1 at t = 0 to `floor` at t = total, and `floor` from there on (Loshchilov & Hutter 2017)."""

    total: int
    floor: float = 0.0

    def __call__(self, t: Parameter) -> float:
        """The factor of step t = 0, 1, ..."""
        return self.floor + (1 - self.floor) * (1 + math.cos(math.pi * min(float(t) / self.total, 1.0))) / 2


@dataclasses.dataclass(frozen=True)
class Warmup:
    """(t + 1) / steps up to t = steps - 1, then 1."""

    steps: int

    def __call__(self, t: Parameter) -> float:
        """The factor of step t = 0, 1, ..."""
        return min((float(t) + 1) / self.steps, 1.0)


@register
class Scheduled(Wrapper):
    """Step t = 0, 1, ... of `inner` with its step sizes multiplied by schedule(t).

    Wrapped rules' step sizes too, and extragradient's look-ahead with them.

    Args:
        inner: a rule with step sizes.
        schedule: t -> factor: `PowerDecay`, `StepDecay`, `Cosine`, `Warmup` of this module, or any function. On symbols
            it is called with a symbol, and refused if it cannot take one.
    """

    inner: Rule
    schedule: Callable[[Parameter], Parameter] = PowerDecay()
    loses = ("capturable", "linear_in_field")  # the step size lives on the host: a captured graph would freeze it
    memory = remembers(steps=0)
    examples = trials(
        lambda rule: [rule(SimultaneousGD(0.1), PowerDecay(0.5)), rule(SimultaneousGD((0.1, 0.05)), PowerDecay(1, 10))]
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not callable(self.schedule) or isinstance(self.schedule, type):
            fix = made(self.schedule, "schedule=lambda t: 0.99**t")
            raise ParameterError(f"Scheduled(schedule={shown(self.schedule)})", "a function of the step count", fix)

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        """One step of the inner rule with today's step sizes."""
        t = state["steps"]
        rule = scaled(self.inner, game, (self._factor(t),) * len(game.players))
        w, inner, info = rule.step(game, w, state.inner[0], rng)
        return w, State({}, {"steps": t + 1}, (inner,)), info

    def _factor(self, t: Parameter) -> Parameter:
        """The factor of step t; held to its numbers where t is a symbol or infinite, as a branch there is any branch.

        Raises:
            DomainError: for a schedule that takes no symbol, gives other numbers than it, or has no limit.
        """
        if not is_symbolic(t):
            return self.schedule(t) if t != math.inf else self._limit()
        try:
            factor = self.schedule(t)
        except TypeError as error:
            return self._refuse("on symbols", "a schedule that takes a symbol for the step count", error)
        if exact(factor).free_symbols <= {t}:
            values = [(complex(exact(factor).xreplace({t: exact(k)})), float(self.schedule(k))) for k in SAMPLED]
            if not all(abs(a - b) <= 1e-9 * abs(b) for a, b in values):
                return self._refuse("on symbols, which asks whether a symbol is so", "the same formula for all steps")
        return factor

    def _limit(self) -> float:
        """The factor at t = infinity, or far out where that is no number. Raises DomainError without a limit."""
        try:
            return float(self.schedule(late_count(lambda t: np.array([float(self.schedule(t))]))))
        except ArithmeticError as error:
            return self._refuse("after infinitely many steps", "a schedule with a limit", error)

    def _refuse(self, where: str, needed: str, error: Exception | None = None) -> NoReturn:
        fix = "use PowerDecay or StepDecay, or iterate on numbers"
        raise DomainError(f"{self.name} with {self.schedule!r} {where}", needed, fix) from error


@register
class TimeScale(Wrapper):
    """`inner` with player 2's step sizes (every player's but the first) multiplied by tau: TTUR, tau-GDA.

    Heusel et al. 2017; Fiez & Ratliff 2020, eq. 2. `GDA((lr, tau lr))` for the rule of your choice, with tau as one
    parameter, free if it is a name: `TimeScale(GDA(0.1), "tau")`.

    Args:
        inner: a rule with step sizes.
        tau: ratio of the step sizes.
    """

    inner: Rule
    tau: Parameter = step_size(default=1)
    aliases = ("TTUR",)
    examples = trials(lambda rule: [rule(SimultaneousGD(0.1), 3)])

    @property
    def domain(self) -> Domain:  # type: ignore[override]
        """The inner rule's, for two players or more: one alone has no ratio of step sizes."""
        return dataclasses.replace(super().domain, several_players=True)

    def _rule(self, game: Game) -> Rule:
        return scaled(self.inner, game, (1, *(self.tau,) * (len(game.players) - 1)))

    def init(self, game: Game, w: Array, rng: Rng = None) -> State:
        """The inner rule's state."""
        self.check(game)
        return self._rule(game).init(game, w, rng)

    def step(self, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
        return self._rule(game).step(game, w, state, rng)
