"""What the catalogue tests share: every registered game and rule with every example, states to run them from, and
slow but obvious derivatives to hold the fast ones to.

A case is a (name, index) pair, so that collecting tests builds nothing; `game` and `rule` build it once when it runs.
"""

from __future__ import annotations

import dataclasses
import functools
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import gandyn as gd
from gandyn.errors import GandynError, ParameterError, UnknownNameError
from gandyn.types import Game, Rule, State

Case = tuple[str, int]


class Pair(NamedTuple):
    """A rule's example on a game's example."""

    rule: Case
    game: Case

    def __str__(self) -> str:
        return f"{label(self.rule)}-on-{label(self.game)}"


def label(case: Any) -> str:
    """A test id: the name, and the number of the example."""
    return str(case) if isinstance(case, Pair) else f"{case[0]}.{case[1]}"


def seeded(*words: Any) -> np.random.Generator:
    """Randomness that depends on the words alone, on every machine and in every order of the tests."""
    return np.random.default_rng(zlib.crc32(repr(words).encode()))


# --- what is registered -----------------------------------------------------------------------------------------------

GAMES: tuple[Case, ...] = tuple(
    (entry.name, k) for entry in gd.games.registry for k in range(len(entry.examples))
)  # fmt: skip
_RULE_EXAMPLES: dict[str, list[Rule]] = {entry.name: list(entry.build.examples()) for entry in gd.rules.registry}
RULES: tuple[Case, ...] = tuple((name, k) for name, examples in _RULE_EXAMPLES.items() for k in range(len(examples)))


@functools.cache
def game(case: Case) -> Game:
    """The game, built once a process."""
    entry = gd.games.registry[case[0]]
    return entry.build(**entry.examples[case[1]])


def rule(case: Case) -> Rule:
    """The rule."""
    return _RULE_EXAMPLES[case[0]][case[1]]


def accepts(a_rule: Rule, a_game: Game) -> bool:
    """Whether the game lies inside what the rule declares: its flags, and parameters that fit the players.

    Written from the flags alone, so that `Rule.check` has something to be compared with.
    """
    wants = a_rule.domain
    return not (
        (wants.two_player and len(a_game.players) != 2)
        or (wants.several_players and len(a_game.players) < 2)
        or (wants.zero_sum and not a_game.zero_sum)
        or (wants.deterministic and not a_game.deterministic)
        or (wants.unconstrained and a_game.constrained)
    )


def fits(a_rule: Rule, a_game: Game) -> bool:
    """Whether parameters given per player have the right number of values, and name the right players, for the game."""
    try:
        a_rule.check(a_game)
    except (ParameterError, UnknownNameError):
        return False
    except GandynError:
        pass
    return True


# --- states -----------------------------------------------------------------------------------------------------------


def points(a_game: Game, n: int, seed: Any = 0, scale: float = 0.7) -> np.ndarray:
    """n feasible points, normally distributed around a known equilibrium, at which costs and field are finite."""
    centre = np.zeros(a_game.dim)
    if a_game.equilibria:
        centre = np.array([float(v) for v in a_game.equilibria[0]])
    draw = seeded("points", a_game.name, a_game.dim, seed).normal(size=(8 * n, a_game.dim))
    w = a_game.project(centre + scale * draw)
    batch = a_game.draw(np.random.default_rng(0))
    with np.errstate(all="ignore"):
        values = np.concatenate([np.stack(a_game.costs(w, batch), -1), a_game.field(w, batch)], axis=-1)
    w = w[np.isfinite(values).all(-1) & (np.abs(values) < 1e6).all(-1)]
    assert len(w) >= n, f"{a_game.name} is finite at {len(w)} of {8 * n} points around its equilibrium"
    return w[:n]


def flat(w: np.ndarray, state: State) -> np.ndarray:
    """The augmented state z = (w, state arrays) on the last axis."""
    return np.concatenate([w, *(array for _, array in state.leaves())], axis=-1)


def unflat(z: np.ndarray, like: State, d: int, counters: Any = None) -> tuple[np.ndarray, State]:
    """The inverse of `flat` for a state of known structure."""
    sizes = [d, *(array.shape[-1] for _, array in like.leaves())]
    parts = np.split(z, np.cumsum(sizes)[:-1], axis=-1)
    counts = [c for _, c in like.counter_leaves()] if counters is None else counters
    return parts[0], like.replace_leaves(iter(parts[1:]), iter(counts))


def augmented(a_game: Game, a_rule: Rule, w: np.ndarray, state: State) -> Callable[[np.ndarray], np.ndarray]:
    """z -> z+ as a plain function on arrays, counters held where `state` has them."""

    def step(z: np.ndarray) -> np.ndarray:
        point, like = unflat(z, state, w.shape[-1])
        after, next_state, _ = a_rule.step(a_game, point, like, np.random.default_rng(0))
        return flat(after, next_state)

    return step


# --- slow, obvious derivatives ----------------------------------------------------------------------------------------


def finite_differences(function: Callable[[np.ndarray], np.ndarray], w: np.ndarray, h: float = 1e-3) -> np.ndarray:
    """D function(w), shape (..., out, d): central differences, extrapolated twice to an error of O(h^6)."""
    columns = []
    for k in range(w.shape[-1]):
        unit = np.zeros(w.shape[-1])
        unit[k] = 1.0
        d1, d2, d4 = ((function(w + s * unit) - function(w - s * unit)) / (2 * s) for s in (h, h / 2, h / 4))
        columns.append((64 * d4 - 20 * d2 + d1) / 45)
    return np.stack(columns, axis=-1)


def linear_matrix(function: Callable[[np.ndarray], np.ndarray], d: int) -> np.ndarray:
    """The matrix of a linear map, from its images of unit vectors: no differences, no rounding."""
    return function(np.eye(d)).T


def augmented_matrix(a_game: Game, a_rule: Rule) -> np.ndarray:
    """The matrix of a linear update map z -> z+: any linear rule on a bilinear or quadratic game."""
    origin = np.zeros(a_game.dim)
    state = a_rule.init(a_game, origin, np.random.default_rng(0))
    return linear_matrix(augmented(a_game, a_rule, origin, state), flat(origin, state).size)


def spectral_radius(a_game: Game, a_rule: Rule) -> float:
    """Spectral radius of a linear update map, by LAPACK."""
    return float(np.abs(np.linalg.eigvals(augmented_matrix(a_game, a_rule))).max())


def with_steps(a_rule: Rule, h: float) -> Rule:
    """The same rule with its step sizes multiplied so that `lr` is h for all players, wrapped rules' step sizes too."""
    changes: dict[str, Any] = {}
    for field in dataclasses.fields(a_rule):
        value = getattr(a_rule, field.name)
        if field.name in a_rule.step_sizes and value is not None:
            old = a_rule.lr[0] if isinstance(a_rule.lr, tuple) else a_rule.lr
            new = value[0] if isinstance(value, tuple) else value
            changes[field.name] = h if field.name == "lr" else new * h / old
        elif field.init and isinstance(value, Rule):
            changes[field.name] = with_steps(value, h)
        elif field.init and isinstance(value, tuple) and any(isinstance(v, Rule) for v in value):
            changes[field.name] = tuple(with_steps(v, h) for v in value)
    return dataclasses.replace(a_rule, **changes)
