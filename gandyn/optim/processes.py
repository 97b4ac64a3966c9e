"""Sums over the processes of a run, and what is said where one of them is gone."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
import torch.distributed as dist

from ..errors import GandynError
from ..oracles.packing import flat
from ..types import Array

BUCKET = 2**20  # numbers whose sum is worth beginning by itself


class LostPeerError(GandynError, ConnectionError):
    """A run of several processes in which one has ended before the others."""


@contextlib.contextmanager
def _all_there() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise LostPeerError(
            f"another process of the run has ended ({type(error).__name__} in a sum over all of them)",
            "all of them to the end",
            "the same command, in all of them: it goes on from the last checkpoint",
        ) from error


def reduced(tensor: Array, operation: Any = dist.ReduceOp.SUM, group: Any = None) -> Array:
    """The tensor, added or compared over all processes. Raises LostPeerError where one of them has ended."""
    with _all_there():
        dist.all_reduce(tensor, op=operation, group=group)
    return tensor


class SummedSlopes:
    """Sums of slopes over processes, in buckets, which begin while the backward pass goes on.

    A call with parameters is a context around their backward pass; what it gives takes the slopes of this process, in
    pieces, to those of all together. Buckets hold at least `BUCKET` numbers, from the last parameter to the first, as
    a backward pass comes upon them. The sum of a bucket begins when its slopes are known and all sums before it have
    begun, so that they have one order in all processes; those of parameters that a loss does not reach come at the end.

    Attributes:
        group: of torch's processes. used: whether there was a backward pass.
    """

    def __init__(self, group: Any = None) -> None:
        self.group, self.used = group, False

    @contextlib.contextmanager
    def __call__(self, parameters: Sequence[Array]) -> Iterator[Callable[[Sequence[Array]], list[Array]]]:
        """Within it one backward pass; what it gives is called with all pieces afterwards."""
        self.used = True
        sums = _Buckets(parameters, self.group)
        hooks = [p.register_hook(functools.partial(sums.take, k)) for k, p in enumerate(parameters) if p.requires_grad]
        try:
            yield sums.finished
        finally:
            for hook in hooks:
                hook.remove()


class _Buckets:
    """The sums of one backward pass."""

    def __init__(self, parameters: Sequence[Array], group: Any) -> None:
        self.parameters, self.group = parameters, group
        self.known = {k: p.new_zeros(p.numel()) for k, p in enumerate(parameters) if not p.requires_grad}
        self.begun: list[tuple[Array, Any]] = []
        self.buckets: list[list[int]] = [[]]
        for k in reversed(range(len(parameters))):
            if sum(parameters[j].numel() for j in self.buckets[-1]) >= BUCKET:
                self.buckets.append([])
            self.buckets[-1].append(k)

    def take(self, k: int, slope: Array) -> None:
        """One parameter's slope, where the backward pass has it."""
        self.known[k] = flat(slope.detach(), self.parameters[k])
        self._begin()

    def _begin(self) -> None:
        while len(self.begun) < len(self.buckets) and self.known.keys() >= set(self.buckets[len(self.begun)]):
            joint = torch.cat([self.known[k] for k in self.buckets[len(self.begun)]])
            with _all_there():
                self.begun.append((joint, dist.all_reduce(joint, group=self.group, async_op=True)))

    def finished(self, pieces: Sequence[Array]) -> list[Array]:
        """Sums over all processes in place of the pieces."""
        self.known = {**dict(enumerate(pieces)), **self.known}
        self._begin()
        found: dict[int, Array] = {}
        for bucket, (joint, work) in zip(self.buckets, self.begun, strict=True):
            with _all_there():
                work.wait()
            found |= zip(bucket, joint.split([self.parameters[k].numel() for k in bucket]), strict=True)
        return [found[k] for k in range(len(pieces))]
