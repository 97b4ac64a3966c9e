"""One step of a rule near a point of a game of networks, with the measured noise of its batches: a `RandomMap`."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ...errors import DomainError, GandynError, ParameterError
from ...lazy import sympy
from ...noise.measured import Measured, as_numbers
from ...oracles.symbolic_draws import SymbolicDraws
from ...types import Array, Batch, Game, Rng, Rule, State
from ...worlds import NUMPY
from ..local.dynamics import refuse_marginal_limit
from .random_map import Moments, RandomMap

LATE = 10**15  # steps at which counters stand: they enter maps through limits
MOST_NUMBERS = 30_000_000  # in the members of the ensemble that a step is read off
LINEAR = 1e-9  # how far a step may be from linear, relative


class TangentGame(Game):
    """v(w) = J w + xi in the players of another game, xi one row per member of an ensemble for each draw.

    Attributes:
        slopes: J (d, d). rows: for each draw the vectors xi, (members, d); zeros beyond them. drawn: how many draws.
    """

    worlds = frozenset({NUMPY})
    deterministic = False
    quadratic = True

    def __init__(self, game: Game, slopes: Array, rows: list[Array] | None = None) -> None:
        self.name, self.players, self.zero_sum = f"the tangent of {game.name}", game.players, game.zero_sum
        self.slopes, self.rows, self.drawn = slopes, rows or [], 0

    def draw(self, rng: Rng = None) -> int:
        """The number of the draw."""
        self.drawn += 1
        return self.drawn - 1

    def _field(self, w: Array, batch: Batch, only: int | None) -> Array:
        noise = self.rows[batch] if batch is not None and batch < len(self.rows) else 0.0
        v = w @ self.slopes.T + noise
        if only is not None:
            kept = np.zeros(self.dim)
            kept[self.slices[only]] = 1.0
            v = v * kept
        return v

    def _jvp(self, w: Array, u: Array, batch: Batch) -> Array:
        return u @ self.slopes.T

    def _vjp(self, w: Array, u: Array, batch: Batch) -> Array:
        return u @ self.slopes

    def _costs(self, w: Array, batch: Batch) -> tuple[Array, ...]:
        raise DomainError("the cost of a tangent", "a field", "ask for the field")


@dataclasses.dataclass(frozen=True)
class MeasuredMap(RandomMap):
    """z+ - z* = c + M (z - z*) + B xi in floats, z* = (w, a memory at rest), c what the mean field at w adds.

    Attributes:
        moments: (M, c, B), of shapes (D, D), (D,) and (D, draws d).
        spread: the covariance of one draw's xi, (d, d).
        slopes, field: J (d, d) and the mean field (d,) at w.
    """

    moments: Moments = ()  # type: ignore[assignment]
    spread: Array = None
    slopes: Array = None
    field: Array = None

    @property
    def size(self) -> int:
        """D, the coordinates of z."""
        return len(self.moments[0])

    @property
    def single(self) -> bool:
        """True: M is that of the mean field."""
        return True

    def _by_outcome(self) -> Moments:
        m, c, b = self.moments
        return m[None], c[None], b[None]

    @functools.cached_property
    def added(self) -> Array:
        """E[B C B^T], (D, D): draws are independent of each other."""
        b, d = self.moments[2], len(self.spread)
        blocks = [b[:, k : k + d] for k in range(0, b.shape[1], d)]
        found: Array = sum((block @ self.spread @ block.T for block in blocks), np.zeros((len(b), len(b))))
        return (found + found.T) / 2


def measured_map(game: Game, rule: Rule, noise: Measured, at: object) -> MeasuredMap:
    """The step of a rule on networks, to first order at a point, from the field's mean, slopes and covariance there.

    Raises:
        DomainError: for a rule whose step is not linear in points and fields, and for constrained games.
    """
    if noise.game is not game:
        raise ParameterError(f"the noise of {noise.game.name}", "that of the game", "gd.noise.Measured(game)")
    if at is None:
        raise ParameterError(f"no equilibrium of {game.name} is known", "a point", "at=run.w of a training run")
    rule.check(game)
    if game.constrained:
        raise DomainError(f"the noise of {game.name}, which is constrained", "no constraint", "another penalty")
    spread, slopes, field = noise.covariance(at), noise.jacobian(at), noise.fields(at).mean(0)
    counted, d = TangentGame(game, slopes), game.dim
    size = d * (1 + sum(1 for _ in _begun(rule, game, slopes, 1).leaves()))
    _stepped(rule, counted, np.zeros((1, size)))
    draws = counted.drawn
    members = size + draws * d
    if members * size > MOST_NUMBERS:
        raise DomainError(f"the map of {rule!r} on {d} parameters", f"at most {MOST_NUMBERS} numbers", "fewer")
    units = np.eye(members)
    rows = [units[:, size + k * d : size + (k + 1) * d] for k in range(draws)]
    moved = _linear(rule, lambda: TangentGame(game, slopes, list(rows)), units[:, :size])
    shifted = _stepped(rule, TangentGame(game, slopes, [field[None]] * draws), np.zeros((1, size)))[0]
    if any(True for _ in _begun(rule, game, slopes, 1).counter_leaves()):
        refuse_marginal_limit(game, rule, moved[:size].T)
    names = tuple(f"z{k + 1}" for k in range(size))
    empty = sympy.ImmutableMatrix(sympy.zeros(0, 0))
    moments = (moved[:size].T, shifted, moved[size:].T)
    point = np.array(as_numbers(at), dtype=object)
    return MeasuredMap(
        game, rule, point, names, empty, empty, empty, empty, SymbolicDraws(), False,
        moments=moments, spread=spread, slopes=slopes, field=field,
    )  # fmt: skip


def _begun(rule: Rule, game: Game, slopes: Array, members: int) -> State:
    """The rule's memory at rest, for so many members."""
    try:
        return rule.init(TangentGame(game, slopes), np.zeros((members, game.dim)), None)
    except GandynError as error:
        raise _not_linear(rule) from error


def _stepped(rule: Rule, game: TangentGame, z: Array) -> Array:
    """The augmented states (members, D) after one step from z."""
    chance: Any = _NoChance(rule)
    point, *memory = np.split(z, z.shape[1] // game.dim, axis=1)
    state = _begun(rule, game, game.slopes, len(z))
    late = state.replace_leaves(iter(memory), (LATE for _ in state.counter_leaves()))
    try:
        with np.errstate(all="ignore"):
            moved, after, _ = rule.step(game, point, late, chance)
    except GandynError as error:
        raise _not_linear(rule) from error
    return np.concatenate([moved, *(np.broadcast_to(a, point.shape) for _, a in after.leaves())], axis=1)


def _linear(rule: Rule, made: Callable[[], TangentGame], units: Array) -> Array:
    """One step of each unit, which have to add up. Raises DomainError for a step that is not linear."""
    game = made()
    moved = _stepped(rule, game, units)
    mix = np.random.default_rng(0).normal(size=(1, len(units)))
    several = made()
    several.rows = [mix @ rows for rows in several.rows]
    together = _stepped(rule, several, mix @ units)
    if not np.abs(together - mix @ moved).max() <= LINEAR * (1 + np.abs(together).max()):
        raise _not_linear(rule)
    return moved


class _NoChance:
    """Stands for a generator that only batches may be drawn from: a rule that tosses coins itself is refused."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule

    def __getattr__(self, name: str) -> None:
        raise _not_linear(self.rule)


def _not_linear(rule: Rule) -> DomainError:
    return DomainError(
        f"the law of {rule!r} on networks, whose step is not linear in points and fields",
        "a rule that is, such as GDA, extragradient, optimism or heavy ball",
        "simulate it: gd.gans.train(game, rule, steps, seeds=8)",
    )
