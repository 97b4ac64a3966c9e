"""A game with another field, for rules that change gradients before another rule sees them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..types import Array, Batch, Counts, Game


class NewField(Game):
    """`game` with the field field(w, batch, only). All else is the game's own, except Jacobian products: it has none.

    Args:
        game: the game. field: what `Game.field` is to answer; `only` comes as the caller gave it.
    """

    def __init__(self, game: Game, field: Callable[[Array, Batch, Any], Array]) -> None:
        self.game, self.new_field = game, field
        self.name, self.players, self.worlds = game.name, game.players, game.worlds
        self.zero_sum, self.deterministic = game.zero_sum, game.deterministic
        self.constrained, self.smooth = game.constrained, game.smooth

    @property
    def tensor_shapes(self) -> tuple[tuple[tuple[int, ...], ...], ...]:
        """The game's."""
        return self.game.tensor_shapes

    @property
    def counts(self) -> Counts:
        """The game's."""
        return self.game.counts

    def per_player(self, value: Any) -> tuple[Any, ...]:
        """As the game reads it."""
        return self.game.per_player(value)

    def field(self, w: Array, batch: Batch = None, only: int | str | None = None) -> Array:
        """The new field."""
        return self.new_field(w, batch, only)

    def _field(self, w: Array, batch: Batch, only: int | None) -> Array:
        return self.field(w, batch, only)

    def _costs(self, w: Array, batch: Batch) -> tuple[Array, ...]:
        return self.game.costs(w, batch)

    def project(self, w: Array) -> Array:
        """The game's."""
        return self.game.project(w)

    def draw(self, rng: Any) -> Batch:
        """The game's."""
        return self.game.draw(rng)


class BentField(NewField):
    """`game` with the field bend(v(w))."""

    def __init__(self, game: Game, bend: Callable[[Array], Array]) -> None:
        super().__init__(game, lambda w, batch, only: bend(game.field(w, batch, only)))
