"""Several processes, one game: each evaluates its share of every batch, and the oracle's answers are averaged."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
from collections.abc import Iterator
from typing import Any

import torch
import torch.distributed as dist

from ...errors import GandynError, ParameterError
from ...types import Array, Batch, Game, GameView, Rng


@dataclasses.dataclass(frozen=True)
class Group:
    """The processes of a run. `rank` counts from 0."""

    rank: int
    size: int


class LostPeerError(GandynError, ConnectionError):
    """A run of several processes in which one has ended before the others."""


@contextlib.contextmanager
def joined(backend: str | None = None) -> Iterator[Group | None]:
    """The group that torchrun has started, nccl where there is CUDA and gloo elsewhere; None for a single process."""
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        yield None
        return
    dist.init_process_group(backend or ("nccl" if torch.cuda.is_available() else "gloo"))
    try:
        yield Group(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()


def _reduced(tensor: Array, operation: object) -> Array:
    """The tensor, with those of all processes added or compared.

    Raises:
        LostPeerError: where one of them has ended.
    """
    try:
        dist.all_reduce(tensor, op=operation)
    except RuntimeError as error:
        raise LostPeerError(
            f"another process of the run has ended ({type(error).__name__} in a sum over all of them)",
            "all of them to the end",
            "the same command, in all of them: it goes on from the last checkpoint",
        ) from error
    return tensor


def _averaged(name: str) -> Any:
    """A method that answers with the mean of what the processes' parts answer."""

    def answer(self: DistributedGame, *args: object, **kwargs: object) -> Any:
        return self._mean(getattr(self.game, name)(*args, **kwargs))

    return functools.update_wrapper(answer, getattr(Game, name))


class DistributedGame(GameView):
    """A `GANGame` whose batches are shared among processes; every answer of the oracle is the mean over them.

    All processes draw the same batch of `game.size` and keep their own n-th part of it, so costs that are means over
    points, and their derivatives, are those of the whole batch in one process, to rounding: for every rule, with
    extrapolation and with Jacobian products. Each draws the whole batch because the points of a batch come from one
    stream of random numbers, in which the part of one process does not begin at a known place: data sets and user's
    functions draw as many numbers for a point as they like. So a batch that is slow to read is read by every process;
    what is shared is the networks' work. Batch statistics, penalties that draw (each process draws its own) and
    losses that couple the points of a batch are those of the parts. Products of solvers are averaged too.

    Args:
        game: the same in every process. group: from `joined`.

    Raises:
        ParameterError: for a batch that does not divide among the processes.
    """

    game: Any

    def __init__(self, game: Any, group: Group) -> None:
        if game.size % group.size:
            raise ParameterError(
                f"a batch of {game.size} for {group.size} processes", "a multiple", f"batch = {group.size * 64}"
            )
        if game.draws_from_state:
            raise ParameterError(f"{game.name} in several processes", "a game whose batches are of data alone", "one")
        super().__init__(game)
        self.group = group

    def __getattr__(self, name: str) -> Any:
        """Everything that is not averaged is the game's own: networks, data, loss, `sample`, `load`."""
        if name == "game":
            raise AttributeError(name)
        return getattr(self.game, name)

    @property
    def chief(self) -> bool:
        """Whether this process writes the files."""
        return self.group.rank == 0

    def agree(self, said: bool) -> bool:
        """Whether any process says so."""
        return bool(_reduced(torch.tensor(float(said), device=self.game.device), dist.ReduceOp.MAX))

    # --- batches -----------------------------------------------------------------------------------------------------

    def draw(self, rng: Rng = None) -> Batch:
        """The process's part of the batch that all of them draw."""
        return self._part(self.game.draw(rng))

    def draw_held_out(self, rng: Rng = None) -> Batch:
        """The process's part of a batch of held-out data that all of them draw."""
        return self._part(self.game.draw_held_out(rng))

    def _part(self, token: Batch) -> Batch:
        parts = {
            field.name: value[self.group.rank :: self.group.size]
            for field in dataclasses.fields(token)
            if isinstance(value := getattr(token, field.name), torch.Tensor)
        }
        return dataclasses.replace(token, seed=(token.seed + self.group.rank) % 2**63, **parts)

    def batch_size(self, batch: Batch) -> int:
        """Samples in one batch, those of all processes together."""
        return int(self.group.size * self.game.batch_size(batch))

    # --- the oracle --------------------------------------------------------------------------------------------------

    def _mean(self, answer: Array) -> Array:
        if isinstance(answer, tuple):
            return tuple(self._mean(part.clone()) for part in answer)
        return _reduced(answer.contiguous(), dist.ReduceOp.SUM) / self.group.size

    def field(self, w: Array, batch: Batch = None, only: int | str | None = None) -> Array:
        """Mean of the parts' fields; of one player's alone, that block is all that travels."""
        found = self.game.field(w, batch, only)
        if only is None:
            return self._mean(found)
        block = self.slices[self.player_index(only)]
        found[block] = self._mean(found[block])
        return found

    field_and_graph, jvp, vjp = map(_averaged, ("field_and_graph", "jvp", "vjp"))
    coupling, parts = map(_averaged, ("coupling", "parts"))
    cost_gradients, costs = map(_averaged, ("cost_gradients", "costs"))

    def advance(self) -> None:
        """The game's; running statistics are averaged over the processes."""
        self.game.advance()
        for network in self.game.networks:
            for buffer in network.buffers():
                if buffer.is_floating_point():
                    buffer.copy_(self._mean(buffer.clone()))


def whole(game: Game) -> Any:
    """The game that one process plays alone: what a `DistributedGame` is around, and any other game itself."""
    return game.game if isinstance(game, DistributedGame) else game
