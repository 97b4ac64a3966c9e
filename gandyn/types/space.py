"""The space of joint vectors: where the players' blocks lie, and parameters and arrays that fit them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import ParamSpec, TypeVar

import numpy as np

from .. import worlds
from ..errors import CallError, ParameterError, ShapeError, UnknownNameError, WorldError
from .players import ALL_WORLDS, TWO_PLAYER_ALIASES, Array, Player

P = ParamSpec("P")
R = TypeVar("R")

QUESTIONS = ("field", "costs", "jvp", "vjp", "coupling", "parts", "jacobian", "cost_gradients", "split", "project",
             "restrict", "sample", "load")  # fmt: skip


def answered(method: Callable[P, R]) -> Callable[P, R]:
    """A method whose call with missing or unknown arguments ends in a CallError; other calls cost nothing more."""

    @functools.wraps(method)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except TypeError:
            signature = inspect.signature(method)
            try:
                signature.bind(*args, **kwargs)
            except TypeError as error:
                known = list(signature.parameters)[1:]
                raise CallError.nearest(method.__name__, known, str(error), kwargs) from None
            raise

    return called


class JointSpace:
    """Joint vectors w, (..., d): the blocks of all players side by side on the last axis, player 1's first.

    Attributes:
        name: what messages call it. players: names and sizes, in order. worlds: what arrays may be made of.
    """

    name: str = "game"
    players: tuple[Player, ...]
    worlds: frozenset[str] = ALL_WORLDS

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        for name in QUESTIONS:
            if isinstance(vars(cls).get(name), FunctionType):
                setattr(cls, name, answered(vars(cls)[name]))

    @property
    def dim(self) -> int:
        """Length d of the joint vector."""
        return sum([player.size for player in self.players])

    @property
    def slices(self) -> tuple[slice, ...]:
        """Where each player's block lies on the last axis."""
        ends = np.cumsum([player.size for player in self.players])
        return tuple(slice(int(end) - p.size, int(end)) for p, end in zip(self.players, ends, strict=True))

    @property
    def tensor_shapes(self) -> tuple[tuple[tuple[int, ...], ...], ...]:
        """For each player, the shapes of the tensors that its block packs, in order; one 1-D tensor by default."""
        return tuple(((player.size,),) for player in self.players)

    def split(self, w: Array) -> tuple[Array, ...]:
        """The players' blocks of w, as views."""
        return tuple(w[..., block] for block in self.slices)

    def player_index(self, which: int | str) -> int:
        """Position of a player given by index or name; two players are also x and y, or generator and discriminator."""
        names = [player.name for player in self.players]
        if isinstance(which, str):
            if which in names:
                return names.index(which)
            if len(names) == 2:
                for i, aliases in enumerate(TWO_PLAYER_ALIASES):
                    if which in aliases:
                        return i
            raise UnknownNameError.among(f"player of {self.name}", which, names)
        if not -len(names) <= which < len(names):
            raise UnknownNameError.among(f"player of {self.name}", which, [*map(str, range(len(names))), *names])
        return int(which) % len(names)

    def per_player(self, value: object) -> tuple[Array, ...]:
        """A parameter given once, or per player as a tuple or a dict by name, as one value for each player."""
        n = len(self.players)
        if isinstance(value, Mapping):
            by_index = {self.player_index(name): v for name, v in value.items()}
            missing = [p.name for i, p in enumerate(self.players) if i not in by_index]
            if missing:
                raise ParameterError(
                    f"a value for {', '.join(map(str, value))} but none for {', '.join(missing)}",
                    f"one value for each player of {self.name}: {', '.join(p.name for p in self.players)}",
                    "add the missing names, or pass one number",
                )
            return tuple(by_index[i] for i in range(n))
        if isinstance(value, (tuple, list)):
            if len(value) != n:
                raise ParameterError(
                    f"{len(value)} values {tuple(value)}",
                    f"1 or {n}, for the players {', '.join(p.name for p in self.players)} of {self.name}",
                    "pass one number, or one per player",
                )
            return tuple(value)
        return (value,) * n

    def per_coordinate(self, value: object, w: Array) -> Array:
        """A parameter, given once or per player, as what multiplies a joint vector in the world of `w`."""
        values = self.per_player(value)
        if all(v is values[0] or v == values[0] for v in values[1:]):
            return worlds.number(values[0], w)
        blocks = [worlds.full(v, p.size, w) for v, p in zip(values, self.players, strict=True)]
        if any(block.ndim > 1 for block in blocks):  # one value per member
            from ..symbolic.members import spread

            shape = np.broadcast_shapes(*(tuple(block.shape[:-1]) for block in blocks))
            blocks = [spread(block, (*shape, p.size)) for block, p in zip(blocks, self.players, strict=True)]
        return worlds.concatenate(blocks)

    def dot_per_player(self, u: Array, v: Array) -> Array:
        """Inner products block by block, each spread over its player's coordinates: shape of u."""
        return worlds.concatenate([
            worlds.dot(a, b) * worlds.ones_like(a) for a, b in zip(self.split(u), self.split(v), strict=True)
        ])  # fmt: skip

    def check(self, w: Array) -> None:
        """Refuse arrays of another length or another world, by name."""
        shape = getattr(w, "shape", ())
        if not shape or shape[-1] != self.dim:
            sizes = ", ".join(f"{p.name}: {p.size}" for p in self.players)
            raise ShapeError(
                f"an array of shape {tuple(shape)}",
                f"(..., {self.dim}) for {self.name} ({sizes})",
                "put the players' blocks side by side on the last axis, player 1 first",
            )
        world = worlds.world_of(w)
        if world not in self.worlds:
            raise WorldError(
                f"{self.name} evaluated on {world}",
                f"one of {', '.join(sorted(self.worlds))}",
                "use numbers, or a game defined by symbols",
            )

    def point(self, w: Array) -> Array:
        """w as an array that this game accepts: lists become arrays, of symbols where they name any.

        Raises:
            ShapeError: for another length. WorldError: for a world in which the game is not defined.
        """
        if isinstance(w, (list, tuple)):
            w = worlds.from_list(w, self.worlds)
        self.check(w)
        return w
