"""Any number of modules whose costs are the losses of the current training step: the game behind `for_modules`."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
import torch.distributed as dist

from ..errors import DomainError, ParameterError, ShapeError
from ..memory import keep_all
from ..oracles.field_graph import FieldGraph
from ..oracles.network import Network, NetworkGame
from ..oracles.streams import fresh_seed
from ..types import Array, Batch
from .calls import Losses, refuse_places, takes_more, takes_only
from .habits import refuse_inference, refuse_outside, unchanged
from .processes import SummedSlopes, reduced

SHARDED = ("FullyShardedDataParallel", "DataParallel")


@dataclasses.dataclass(frozen=True, eq=False)
class Seed:
    """A batch token: all randomness of one evaluation of the user's losses.

    Attributes:
        seed: of layers and losses that draw. index: how many tokens the step drew before. data: the step's item of the
            user's data for this token, if there are data.
    """

    seed: int
    index: int = 0
    data: Any = None


class LossesGame(NetworkGame):
    """Modules whose costs are the losses of the current training step.

    All parameters of one kind are in w, also those that are frozen at first: what has `requires_grad=False` during a
    step has slope zero, and the optimiser leaves it where it is. Running statistics of normalisations follow every
    evaluation, as in a loop that calls the modules itself.

    Modules in `DistributedDataParallel` are unwrapped, and slopes and products averaged over its process group, so that
    the processes stay equal; an alternating step reduces its own player's numbers alone. Sums of slopes are in buckets
    and begin while the backward pass goes on. Buffers become those of the group's first process after each step. What
    the losses draw inside differs from process to process.
    """

    cumulative = True
    keeps_order = True
    keeps_start = False

    def __init__(self, networks: Mapping[str, torch.nn.Module], zero_sum: bool) -> None:
        self._group: dist.ProcessGroup | None = None
        self._processes, self._rank = 1, 0
        super().__init__("the user's GAN", {name: self._unwrapped(name, net) for name, net in networks.items()})
        self.summed = SummedSlopes(self._group) if self._processes > 1 else None
        self.zero_sum, self.stochastic = zero_sum, True
        self._listen()

    def _listen(self) -> None:
        """The state before the first step: no losses, and no record of them."""
        self.reference = Seed(0)
        self.losses: Losses | None = None
        self.data: Iterator[Any] | None = None
        self._source: Any = None
        self.seen: list[tuple[Any, ...]] = []
        self.drawn, self._numbered, self._selective = 0, False, False
        self.scale, self.begun = 1.0, 0
        self._closely, self._since = False, 0
        self._left: dict[int, set[int]] = {}

    def begin(self, losses: Losses, data: Any, scale: float = 1.0) -> None:
        """A step with these losses and data; slopes are taken of `scale` times the losses, and divided again."""
        refuse_places(losses, len(self.networks), data)
        refuse_inference()
        self._look_over()
        self._left = {}
        self.scale = scale
        self.losses = losses
        if data is None or data is not self._source:  # one that is given again goes on
            self._source, self.data = data, None if data is None else iter(data)
        self.seen, self.drawn = [], 0
        self._numbered, self._selective = takes_more(losses, self.networks), takes_only(losses)

    def _look_over(self) -> None:
        """Check every step for faults that are free to find, and the 1st, 2nd, 4th, 8th, ... for those that are not.

        Habits of a loop do not change from step to step.
        """
        self._inventory.check()
        self.begun += 1
        self._closely = self.begun & (self.begun - 1) == 0 and not _capturing(self.device)
        if self._closely:
            with torch.enable_grad():
                node: Any = torch.zeros((), device="cpu", requires_grad=True).neg().grad_fn
            self._since = node._sequence_nr()

    @contextlib.contextmanager
    def undisturbed(self) -> Iterator[None]:
        """Restore the networks, and what was recorded of the losses."""
        seen, drawn = list(self.seen), self.drawn
        try:
            with super().undisturbed():
                yield
        finally:
            self.seen, self.drawn = seen, drawn

    def _unwrapped(self, name: str, network: torch.nn.Module) -> torch.nn.Module:
        if isinstance(network, torch.nn.parallel.DistributedDataParallel):
            self._group = network.process_group
            self._processes, self._rank = dist.get_world_size(self._group), dist.get_rank(self._group)
            inner: torch.nn.Module = network.module
            return inner
        if type(network).__name__ in SHARDED:
            raise DomainError(
                f"{name} in {type(network).__name__}, whose parameters are not all in this process",
                "modules in one process, in DistributedDataParallel, or under fully_shard",
                "pass the module itself",
            )
        return network

    def _played(self, network: torch.nn.Module) -> list[Array]:
        """The parameters that train, and the frozen ones of the same type and device as the first of them."""
        kinds = [(p.dtype, p.device) for p in network.parameters() if p.requires_grad]
        return [p for p in network.parameters() if (kinds and (p.dtype, p.device) == kinds[0]) or p.requires_grad]

    def vector(self) -> Array:
        """All parameters as they are in the modules now, (d,)."""
        self._refuse_moved()
        return self._buffer.clone()

    def share_processes(self, other: LossesGame) -> None:
        """Average over the processes of another game, whose modules these are."""
        self._group, self._processes, self._rank = other._group, other._processes, other._rank
        self.summed = other.summed

    def draw(self, rng: Any = None) -> Seed:
        """A fresh seed for layers and losses that draw, and the next item of the data."""
        seed, index = fresh_seed(rng), self.drawn
        self.drawn += 1
        data = None
        if self.data is not None:
            try:
                data = next(self.data)
            except StopIteration:
                raise ParameterError(
                    f"data that end after {index} items of a step", "an item for each batch that the rule draws",
                    "data that go on, such as itertools.cycle(loader)",
                ) from None  # fmt: skip
        return Seed((seed + self._rank) % 2**63, index, data)

    def _network_costs(self, networks: Sequence[Network], batch: Batch, only: int | None) -> tuple[Array, ...]:
        assert self.losses is not None
        batch = self.reference if batch is None else batch
        further = (batch.data,) if self.data is not None else (batch.index,) if self._numbered else ()
        only = only if self._selective else None
        with unchanged(networks) if self._closely else contextlib.nullcontext():
            found = self._evaluated(*networks, *further, **self._told(only))
        costs = tuple(found) if isinstance(found, Iterable) and not isinstance(found, torch.Tensor) else (found,)
        wanted = [c for i, c in enumerate(costs) if only in (None, i)]
        if len(costs) != len(networks) or not all(map(_is_loss, wanted)):
            raise self._not_losses(found, costs)
        costs = tuple(c if only in (None, i) else None for i, c in enumerate(costs))
        self.seen.append(tuple(None if c is None else c.detach() for c in costs))
        costs = tuple(c if c is None or not c.ndim else c.reshape(()) for c in costs)
        return costs if self.scale == 1 else tuple(c if c is None else c * self.scale for c in costs)

    def _not_losses(self, found: object, costs: Sequence[Any]) -> ShapeError:
        names = [player.name for player in self.players]
        fix = f"return ({', '.join(f'{name}_loss' for name in names)})"
        fix = f"{fix}, without .item()" if any(isinstance(c, float) for c in costs) else fix
        fix = f"{fix}, each by .mean()" if any(getattr(c, "ndim", 0) for c in costs) else fix
        what = ", the keys of a dict" if isinstance(found, Mapping) else " alone" if len(costs) == 1 else ""
        given = f"losses that return {', '.join(map(_kind, costs))}{what}"
        return ShapeError(given, f"a loss for each of {', '.join(names)}, a scalar tensor each, of real numbers", fix)

    def _evaluated(self, *given: Any, **told: Any) -> Any:
        """What the losses return; an error of theirs says how they were called."""
        assert self.losses is not None
        try:
            return self.losses(*given, **told)
        except Exception as error:
            names = ", ".join(player.name for player in self.players)
            further = "item of data" if self.data else "number of the batch"
            called = names if len(given) == len(self.players) else f"{names}, {further}"
            error.add_note(f"raised in the losses, which are called with ({called}) in this order")
            raise

    def _slopes(self, cost: Array, players: Sequence[int], keep: bool = False) -> Array:
        if self._closely:
            for i in self._left.keys() & set(players):
                refuse_outside(cost, self._parameters[i], self._since)
        return super()._slopes(cost, players, keep)

    def _left_out(self, player: int, missing: Sequence[Array]) -> None:
        ids = set(map(id, missing))
        self._left[player] = self._left.get(player, ids) & ids
        if self._left[player]:
            keep_all()

    def idle(self) -> Any:
        """Which coordinates belong to parameters that no loss of this step has reached, (d,); None where all are.

        Several processes may reach different ones, so there all count as reached.
        """
        left = set().union(*self._left.values())
        if not left or self._processes > 1:
            return None
        everything = [p for own in self._parameters for p in own]
        return torch.cat([torch.full((p.numel(),), id(p) in left, device=self.device) for p in everything])

    def _told(self, only: int | None) -> dict[str, str | None]:
        """What losses that ask for it are told: the name of the one network whose loss is wanted, None for all."""
        return {"only": None if only is None else self.players[only].name} if self._selective else {}

    def first_seen(self) -> tuple[Any, ...]:
        """Each network's loss where it was first evaluated in this step; None for one that never was."""
        return tuple(next((c for c in column if c is not None), None) for column in zip(*self.seen, strict=True))

    # --- several processes -------------------------------------------------------------------------------------------

    def _mean(self, answer: Array) -> Array:
        """The mean over processes."""
        if self._processes == 1:
            return answer
        return reduced(answer.detach().contiguous(), group=self._group) / self._processes

    def _loaded_field(self, batch: Batch, only: int | None, padded: bool) -> Array:
        found = super()._loaded_field(batch, only, padded)
        if self.scale * self._processes != 1:
            found /= self.scale * self._processes
        return found

    def _graph(self, w: Array, batch: Batch, u: Array = None) -> FieldGraph:
        graph = super()._graph(w, batch, u)
        if self._processes > 1 and graph.attached:
            raise DomainError("a differentiated step in several processes", "one process", "a rule without such steps")
        return graph

    def field_and_graph(self, w: Array, batch: Batch = None) -> Array:
        """v(w), averaged over processes; its graph is kept where buffers allow."""
        return self._mean(super().field_and_graph(w, batch)) if not self._moving else self.field(w, batch)

    def _jvp(self, w: Array, u: Array, batch: Batch) -> Array:
        return self._mean(super()._jvp(w, u, batch))

    def _vjp(self, w: Array, u: Array, batch: Batch) -> Array:
        return self._mean(super()._vjp(w, u, batch))

    def _coupling(self, w: Array, u: Array, batch: Batch, only: int | None) -> Array:
        return self._mean(super()._coupling(w, u, batch, only))

    def _parts(self, w: Array, u: Array, batch: Batch) -> tuple[Array, Array]:
        symmetric, antisymmetric = super()._parts(w, u, batch)
        return self._mean(symmetric), self._mean(antisymmetric)

    def _cost_gradients(self, w: Array, batch: Batch) -> Array:
        return self._mean(super()._cost_gradients(w, batch))

    def advance(self) -> None:
        """Advance the networks, looked over before, with the buffers of the first process in all of them."""
        self._module_state.advance()
        self._kept_graph = None
        if self._group is not None:
            first = dist.get_global_rank(self._group, 0)
            for network in self.networks:
                for buffer in network.buffers():
                    dist.broadcast(buffer, first, group=self._group)


def _is_loss(found: object) -> bool:
    return isinstance(found, torch.Tensor) and found.numel() == 1 and not found.is_complex()


def _kind(found: object) -> str:
    if not isinstance(found, torch.Tensor):
        return type(found).__name__
    return f"{tuple(found.shape)} of {found.dtype}" if found.is_complex() else str(tuple(found.shape))


def _capturing(device: torch.device) -> bool:
    return device.type == "cuda" and torch.cuda.is_current_stream_capturing()


def known(old: LossesGame, new: LossesGame) -> Any:
    """Which coordinates of a game belong to parameters that an older game of the same modules had, (d,)."""
    before = {id(p) for own in old._parameters for p in own}
    return torch.cat([
        torch.full((p.numel(),), id(p) in before, device=new.device) for own in new._parameters for p in own
    ])  # fmt: skip


def block_of(game: LossesGame, path: str, array: Array) -> slice:
    """Of which coordinates an array of a rule's state is: all, or those of the player that its path names last."""
    joint = not array.ndim or array.shape[-1] == game.dim
    return slice(None) if joint else game.slices[int(path.split(".")[-2])]
