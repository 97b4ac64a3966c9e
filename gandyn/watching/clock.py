"""What a watch may spend: a share of the time of the loop that it watches."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

import torch


class Clock:
    """Seconds since the first step, and how many of them were the watch's.

    Args:
        share: of the loop's time that costly measurements may bring the watch's own to.
    """

    def __init__(self, share: float) -> None:
        self.share, self.spent, self.afterwards = share, 0.0, 0.0
        self._began: float | None = None
        self._now = 0.0
        self._entered = 0.0

    @property
    def elapsed(self) -> float:
        """Seconds from the first step to the last one."""
        return 0.0 if self._began is None else self._now - self._began

    @property
    def used(self) -> float | None:
        """The watch's share of the time so far; None before there is any."""
        return self.spent / self.elapsed if self.elapsed > 0 else None

    def affords(self, seconds: float) -> bool:
        """Whether so many seconds more, in this step, keep to the share."""
        return seconds <= self.left

    @property
    def left(self) -> float:
        """Seconds that may be spent in this step beside those that it has taken."""
        now = time.perf_counter()
        return self.share * (now - (self._began or 0.0)) - self.spent - (now - self._entered)

    @contextlib.contextmanager
    def step(self) -> Iterator[None]:
        """One step of the loop: all within is the watch's own time."""
        self._entered = began = time.perf_counter()
        self._began = began if self._began is None else self._began
        try:
            yield
        finally:
            self._now = time.perf_counter()
            self.spent += self._now - began


def synchronised() -> float:
    """The time now, when what was asked of the device before is done."""
    if cuda_in_use():
        torch.cuda.synchronize()
    return time.perf_counter()


def cuda_in_use() -> bool:
    """Whether this process has begun to use CUDA: asking a device that is not in use would begin it."""
    return torch.cuda.is_available() and bool(torch.cuda.is_initialized())  # type: ignore[no-untyped-call]
