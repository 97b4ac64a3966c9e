"""Modules that torch's `fully_shard` has dealt out among processes: each process plays on its own shards."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import torch
import torch.distributed as dist

from ..errors import DomainError
from ..rules.alternating import Alternating
from ..types import Array, Batch, Game, Player, Rule
from .losses_game import LossesGame


def is_sharded(network: torch.nn.Module) -> bool:
    """Whether parameters are dealt out among processes, as by `torch.distributed.fsdp.fully_shard`."""
    return any(type(p).__name__ == "DTensor" for p in network.parameters())


class ShardedGame(LossesGame):
    """Networks under `fully_shard`: w, fields and a rule's state are of this process's shards alone.

    torch gathers a layer's parameters as it is evaluated, and scatters the means of its gradients: a field is one
    backward pass for each player, of losses that are evaluated for it. Networks are sharded by themselves, and
    their buffers are each process's own. Rules act on each coordinate by itself (`refuse_rule`).

    Args:
        networks: by name, all under `fully_shard` over the same processes.

    Raises:
        DomainError: where only some are.
    """

    def __init__(self, networks: Mapping[str, Any]) -> None:
        whole = [name for name, network in networks.items() if not is_sharded(network)]
        if whole:
            given = f"{', '.join(whole)} whole in each process, beside sharded modules"
            raise DomainError(given, "all networks sharded, or none", "torch.distributed.fsdp.fully_shard(module)")
        self.name, self.networks = "the user's GAN", tuple(networks.values())
        self._parameters = tuple(tuple(network.parameters()) for network in self.networks)
        self._shards: list[Array] = [p.to_local() for own in self._parameters for p in own]
        sizes = [sum(p.to_local().numel() for p in own) for own in self._parameters]
        self.players = tuple(Player(name, size) for name, size in zip(networks, sizes, strict=True))
        self._rank, self._coefficients = dist.get_rank(), {}
        self.zero_sum, self.stochastic, self._composite = False, True, False
        self._listen()

    @property
    def dtype(self) -> Any:
        """The floating-point type that all parameters share."""
        return self._shards[0].dtype

    @property
    def device(self) -> Any:
        """The device on which this process's shards lie."""
        return self._shards[0].device

    @property
    def w0(self) -> Array:
        """Shards of this process as they are now, (d,)."""
        return self.vector()

    def _look_over(self) -> None:
        """Torch's engine changes parameters in the modules, so they are not looked at."""

    def check(self, w: Array) -> None:
        """Refuse what is not one vector of this process's shards."""
        Game.check(self, w)

    def vector(self) -> Array:
        """Shards of this process as they are in the modules now, (d,)."""
        return torch.cat([shard.detach().reshape(-1) for shard in self._shards])

    def load(self, w: Array) -> None:
        """Write w into this process's shards; what was gathered of the old ones is dropped."""
        with torch.no_grad():
            for shard, piece in zip(self._shards, w.split([s.numel() for s in self._shards]), strict=True):
                shard.copy_(piece.view_as(shard))
        for network in self.networks:
            for module in network.modules():
                if hasattr(module, "reshard"):
                    module.reshard()

    def frozen(self) -> Array:
        """Which coordinates belong to parameters without `requires_grad`, (d,); None where all train."""
        everything = [p for own in self._parameters for p in own]
        if all(p.requires_grad for p in everything):
            return None
        pairs = zip(everything, self._shards, strict=True)
        return torch.cat([torch.full((s.numel(),), not p.requires_grad, device=s.device) for p, s in pairs])

    def _field(self, w: Array, batch: Batch, only: int | None) -> Array:
        self.load(w)
        blocks = [self._slope(i, batch) if only in (None, i) else torch.zeros_like(b)
                  for i, b in enumerate(self.split(w))]  # fmt: skip
        self._clear()
        return torch.cat(blocks)

    def _slope(self, i: int, batch: Batch) -> Array:
        """df_i/dx_i on this process's shards: what torch scattered of one backward pass."""
        self._clear()
        with torch.enable_grad(), self._seeded(batch):
            costs = self._network_costs(self.networks, batch, i)
            if costs[i].requires_grad:
                costs[i].backward()
        own = self._parameters[i]
        if all(p.grad is None for p in own) and any(p.requires_grad for p in own):
            raise self._unreached(i)
        return torch.cat([
            torch.zeros_like(p.to_local()).reshape(-1) if p.grad is None else p.grad.to_local().reshape(-1)
            for p in own
        ])  # fmt: skip

    def _clear(self) -> None:
        for own in self._parameters:
            for p in own:
                p.grad = None

    def restrict(self, which: int | str, w: Array) -> Any:
        """Player `which`'s own problem."""
        return Game.restrict(self, which, w)

    @contextlib.contextmanager
    def undisturbed(self) -> Iterator[None]:
        """Leaves the shards as they were."""
        before = self.vector()
        try:
            yield
        finally:
            self.load(before)

    def advance(self) -> None:
        """Nothing is put off to the end of a step."""


def refuse_rule(rule: Rule) -> None:
    """Raises DomainError for a rule that couples coordinates by products or norms: no process has all of them."""
    inner = rule.inner if isinstance(rule, Alternating) else rule
    for one in inner if isinstance(inner, tuple) else (inner,):
        if not (one.overwrites or one.domain.linear_in_field):
            raise DomainError(
                f"{one.name} on sharded modules, whose coordinates are in several processes",
                "a rule that moves each coordinate by itself: GDA, Extragradient, Adam, ExtraAdam, Alternating of such",
                "gd.rules.Alternating(gd.rules.Adam(1e-3)), or DistributedDataParallel",
            )
