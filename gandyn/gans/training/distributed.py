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

from ...errors import ParameterError
from ...optim.processes import LostPeerError as LostPeerError
from ...optim.processes import SummedSlopes, reduced
from ...types import Array, Batch, Game, GameView, Rng


@dataclasses.dataclass(frozen=True)
class Group:
    """The processes of a run. `rank` counts from 0."""

    rank: int
    size: int


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


def _averaged(name: str) -> Any:
    """A method of the game whose answer is averaged over the processes, each of which holds a part of the batch."""

    def answer(self: DistributedGame, *args: object, **kwargs: object) -> Any:
        return self._mean(getattr(self.game, name)(*args, **kwargs))

    return functools.update_wrapper(answer, getattr(Game, name))


class DistributedGame(GameView):
    """A `GANGame` whose batches are shared among processes; every answer of the oracle is the mean over them.

    All processes draw the same batch of `game.size` and keep their own n-th part of it, so costs that are means over
    points, and their derivatives, are those of the whole batch in one process, to rounding: for every rule, with
    extrapolation and with Jacobian products. Of a `torch.utils.data` set, whose items may be slow to read, each reads
    its own part. Other data each draws whole, because the points of a batch come from one stream of random numbers, in
    which the part of one process does not begin at a known place: samplers and user's functions draw as many numbers
    for a point as they like. Batch statistics, penalties that draw (each process draws its own) and
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
        """Whether `said` is true in at least one process."""
        return bool(reduced(torch.tensor(float(said), device=self.game.device), dist.ReduceOp.MAX))

    # --- batches -----------------------------------------------------------------------------------------------------

    def draw(self, rng: Rng = None) -> Batch:
        """The process's part of the batch that all of them draw."""
        with self._reading_own():
            return self._part(self.game.draw(rng))

    def draw_held_out(self, rng: Rng = None) -> Batch:
        """The process's part of a batch of held-out data that all of them draw."""
        with self._reading_own():
            return self._part(self.game.draw_held_out(rng))

    @contextlib.contextmanager
    def _reading_own(self) -> Iterator[None]:
        """Data whose items are read one by one leave out those of other processes."""
        data = self.game.data
        if not hasattr(data, "rows"):
            yield
            return
        data.rows = slice(self.group.rank, None, self.group.size)
        try:
            yield
        finally:
            data.rows = slice(None)

    def _part(self, token: Batch) -> Batch:
        parts = {
            field.name: value[self.group.rank :: self.group.size]
            for field in dataclasses.fields(token)
            if isinstance(value := getattr(token, field.name), torch.Tensor) and len(value) == self.game.size
        }
        return dataclasses.replace(token, seed=(token.seed + self.group.rank) % 2**63, **parts)

    def batch_size(self, batch: Batch) -> int:
        """Samples in one batch, those of all processes together."""
        return int(self.group.size * self.game.batch_size(batch))

    # --- the oracle --------------------------------------------------------------------------------------------------

    def _mean(self, answer: Array) -> Array:
        if isinstance(answer, tuple):
            return tuple(self._mean(part.clone()) for part in answer)
        return reduced(answer.contiguous()) / self.group.size

    def field(self, w: Array, batch: Batch = None, only: int | str | None = None) -> Array:
        """Mean of the parts' fields; of one player's alone, that block is all that travels.

        Sums over processes begin while the backward pass goes on, except where derivatives in w are wanted.
        """
        summed = SummedSlopes()
        with self._summing(summed):
            found = self.game.field(w, batch, only)
        return found / self.group.size if summed.used else self._mean(found)

    @contextlib.contextmanager
    def _summing(self, summed: SummedSlopes) -> Iterator[None]:
        self.game.summed = summed
        try:
            yield
        finally:
            self.game.summed = None

    field_and_graph, jvp, vjp = map(_averaged, ("field_and_graph", "jvp", "vjp"))
    coupling, parts = map(_averaged, ("coupling", "parts"))
    cost_gradients, costs = map(_averaged, ("cost_gradients", "costs"))

    def advance(self) -> None:
        """As the game advances after a step; running statistics are then averaged over the processes."""
        self.game.advance()
        for network in self.game.networks:
            for buffer in network.buffers():
                if buffer.is_floating_point():
                    buffer.copy_(self._mean(buffer.clone()))


def whole(game: Game) -> Any:
    """The game that one process plays alone: what a `DistributedGame` is around, and any other game itself."""
    return game.game if isinstance(game, DistributedGame) else game
