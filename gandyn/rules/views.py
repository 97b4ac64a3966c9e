"""A game with another field, for rules that change gradients before another rule sees them."""

from __future__ import annotations

from collections.abc import Callable

from ..types import Array, Batch, Game, GameView


class NewField(GameView):
    """`game` with the field field(w, batch, only). All else is the game's own, except Jacobian products: it has none.

    Args:
        game: the game. field: what `Game.field` is to answer; `only` comes as the caller gave it.
    """

    def __init__(self, game: Game, field: Callable[[Array, Batch, int | str | None], Array]) -> None:
        super().__init__(game)
        self.new_field = field

    def field(self, w: Array, batch: Batch = None, only: int | str | None = None) -> Array:
        """The field that stands in the place of the game's own."""
        return self.new_field(w, batch, only)


class BentField(NewField):
    """`game` with the field bend(v(w))."""

    def __init__(self, game: Game, bend: Callable[[Array], Array]) -> None:
        super().__init__(game, lambda w, batch, only: bend(game.field(w, batch, only)))
