"""Sums over the processes of a run, and what is said where one of them is gone."""

from __future__ import annotations

from typing import Any

import torch.distributed as dist

from ..errors import GandynError
from ..types import Array


class LostPeerError(GandynError, ConnectionError):
    """A run of several processes in which one has ended before the others."""


def reduced(tensor: Array, operation: Any = dist.ReduceOp.SUM, group: Any = None) -> Array:
    """The tensor, with those of all processes added or compared.

    Raises:
        LostPeerError: where one of them has ended.
    """
    options = {} if group is None else {"group": group}
    try:
        dist.all_reduce(tensor, op=operation, **options)
    except RuntimeError as error:
        raise LostPeerError(
            f"another process of the run has ended ({type(error).__name__} in a sum over all of them)",
            "all of them to the end",
            "the same command, in all of them: it goes on from the last checkpoint",
        ) from error
    return tensor
