"""GameView: a game that answers as another one does, for wrappers that say only what they change."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .forwarding import Forwarded, forwards
from .game import Game
from .players import Array, Batch
from .space import JointSpace

# Every public method and what it calls once it has checked and counted.
HOOKS = {
    name: f"_{name}" for name in ("costs", "field", "jvp", "vjp", "coupling", "parts", "cost_gradients")
}  # fmt: skip

# What `Game` computes from what: a view that changes the first answers the rest by `Game`'s own code, from its change.
DERIVED = {hook: (name,) for name, hook in HOOKS.items()} | {
    "_jvp": ("jvp", "_coupling", "_parts"),
    "_vjp": ("vjp", "_parts"),
    "costs": ("exprs", "own_quadratic", "best_response", "restrict", "mean"),
    "field": (
        *("field_and_graph", "natural_residual", "resolvent", "restrict", "mean"),
        *("_jvp", "_vjp", "_cost_gradients", "jacobian"),
        *("quadratic", "equilibria", "field_exprs", "jacobian_expr", "symbolic"),
    ),
    "jvp": ("coupling", "_coupling", "parts", "_parts", "jacobian", "restrict"),
    "vjp": ("parts", "_parts", "restrict"),
    "project": ("projection", "feasible_set", "natural_residual", "equilibria", "restrict", "mean"),
}


class Redirected:
    """Makes a hook such as `_field` answer with the public method that the view defines."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, view: Game, owner: object = None) -> Any:
        return self if view is None else getattr(view, self.name)


def contract() -> Iterator[str]:
    """Everything that `Game` declares: its public names, and the hooks that a subclass gives."""
    for room in (JointSpace, Game):
        declared = dict.fromkeys([*vars(room), *inspect.get_annotations(room)])
        yield from (name for name in declared if not name.startswith("_") or name in HOOKS.values())


class GameView(Game):
    """`game`, seen through a class that says only what it changes; everything else is the game's own.

    Flags, expressions, counts and methods are forwarded, whatever the game's class, and so is what its class has beyond
    the contract. A subclass overrides a public method where it asks the game's public ones, which check and count, or
    the hook (`_field`) where it counts for itself. What `Game` derives from what is overridden follows: a view with
    another field has no Jacobian products, equilibria or expressions until it gives its own, and its natural residual
    is that of the new field. What its class has beyond the contract may rest on the old field, and is not forwarded.

    Args:
        game: the game.
    """

    game: Game
    _changes_the_oracle = False

    def __init__(self, game: Game) -> None:
        self.game = game

    def __init_subclass__(cls, **options: object) -> None:
        """Find what the class changes, and let what follows from it follow."""
        super().__init_subclass__(**options)
        for name, hook in HOOKS.items():
            if name in vars(cls) and hook not in vars(cls):
                setattr(cls, hook, Redirected(name))
        changed = [name for name in vars(cls) if name in DERIVED]
        cls._changes_the_oracle |= bool({"costs", "field"} & set(_following(changed)))
        for name in _following(changed):
            if isinstance(inspect.getattr_static(cls, name), Forwarded):
                setattr(cls, name, inspect.getattr_static(Game, name))

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """What the game's class has beyond the contract."""
            if name == "game" or name.startswith("_") or self._changes_the_oracle:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            return getattr(self.game, name)

    def _costs(self, w: Array, batch: Batch) -> tuple[Array, ...]:
        return self.game._costs(w, batch)

    def _field(self, w: Array, batch: Batch, only: int | None) -> Array:
        return self.game._field(w, batch, only)

    def __repr__(self) -> str:
        return repr(self.game)


def _following(changed: list[str]) -> list[str]:
    """The changed names and all that is derived from them, step by step."""
    found = dict.fromkeys(changed)
    waiting = list(found)
    while waiting:
        new = [name for name in DERIVED.get(waiting.pop(), ()) if name not in found]
        found.update(dict.fromkeys(new))
        waiting += new
    return list(found)


forwards(*contract())(GameView)
