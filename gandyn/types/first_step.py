"""The first step of a rule, checked: whoever wrote the rule is told in one line where it breaks the contract."""

from __future__ import annotations

from ..errors import DomainError, GandynError
from .game import Game
from .players import Array, Info, Rng
from .rule import Rule, State

# What code that is not ours raises where it is wrong; anything else is not the rule's.
SLIPS = (TypeError, ValueError, ArithmeticError, AttributeError, LookupError, NotImplementedError)


def first_state(rule: Rule, game: Game, w: Array, rng: Rng = None) -> State:
    """`rule.init`, checked. Raises DomainError where it fails or does not answer with a `State`."""
    try:
        state = rule.init(game, w, rng)
    except GandynError:
        raise
    except SLIPS as error:
        raise _failed("init", rule, game, error) from error
    if not isinstance(state, State):
        raise DomainError(
            f"the init of {rule!r} returned {_kind(state)}", "a gandyn.types.State", "return State({'momentum': ...})"
        )
    return state


def first_step(rule: Rule, game: Game, w: Array, state: State, rng: Rng = None) -> tuple[Array, State, Info]:
    """`rule.step`, checked: (w, state, info), shapes and names kept. Raises DomainError where it fails or differs."""
    try:
        result = rule.step(game, w, state, rng)
    except GandynError:
        raise
    except SLIPS as error:
        raise _failed("step", rule, game, error) from error
    if not isinstance(result, tuple) or len(result) != 3:
        given = f"{len(result)} values" if isinstance(result, tuple) else _kind(result)
        raise DomainError(f"the step of {rule!r} returned {given}", "(w, state, info)", "return w, state, {}")
    after, moved, _ = result
    if tuple(getattr(after, "shape", ())) != tuple(w.shape):
        given = f"a point of shape {tuple(getattr(after, 'shape', ()))}"
        raise DomainError(f"the step of {rule!r} returned {given}", f"{tuple(w.shape)} as before", "return all of w")
    names = [path for path, _ in state.leaves()], [path for path, _ in state.counter_leaves()]
    if not isinstance(moved, State):
        raise DomainError(
            f"the step of {rule!r} returned {_kind(moved)} as its state", "a State", "return w, state, {}"
        )
    if ([path for path, _ in moved.leaves()], [path for path, _ in moved.counter_leaves()]) != names:
        now = ", ".join(path for path, _ in (*moved.leaves(), *moved.counter_leaves())) or "nothing"
        before = ", ".join([*names[0], *names[1]]) or "nothing"
        raise DomainError(
            f"the step of {rule!r} returned a state of {now}, while its init made {before}",
            "the same arrays and counters from the start on",
            "let init make them",
        )
    return result


def _failed(what: str, rule: Rule, game: Game, error: Exception) -> DomainError:
    why = f"{type(error).__name__}: {error}".replace("\n", " ")[:160]
    return DomainError(
        f"the {what} of {rule!r} does not trace or run on {game.name} ({why})",
        "a step made of the oracle, + - * / and the functions of gandyn.worlds, the same for all values",
        'gd.iterate(..., kernel="eager") where it branches on values; where, sqrt, tanh of gandyn.worlds elsewhere',
    )


def _kind(value: object) -> str:
    return "nothing" if value is None else f"one {type(value).__name__}"
