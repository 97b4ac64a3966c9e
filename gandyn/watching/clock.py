"""What a watch may spend: a share of the time of the loop that it watches."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

import torch


class Clock:
    """Seconds of computing since the first step, and how many of them were the watch's.

    Where all networks are on the CPU, they are CPU seconds of this process, which other work on the machine leaves as
    they are; on a device they are seconds by the wall clock, when what was asked of the device is done.

    Args:
        share: of the loop's time that costly measurements may bring the watch's own to.
        on_cpu: says, at the first step, whether all networks are there.
    """

    def __init__(self, share: float, on_cpu: Callable[[], bool]) -> None:
        self.share, self.spent, self.afterwards = share, 0.0, 0.0
        self._asked, self._on_cpu = on_cpu, False
        self._began: float | None = None
        self._able: float | None = None
        self._now = self._entered = 0.0
        self._computed = self._waited = 0.0

    @property
    def elapsed(self) -> float:
        """Seconds from the first step to the last one."""
        return 0.0 if self._began is None else self._now - self._began

    @property
    def used(self) -> float | None:
        """The watch's share of the time so far; None before there is any."""
        return self.spent / self.elapsed if self.elapsed > 0 else None

    @property
    def load(self) -> float:
        """Seconds by the wall clock for one of computing, at least 1: how loaded the machine was so far."""
        return max(1.0, self._waited / self._computed) if self._computed > 0 else 1.0

    def now(self) -> float:
        """The time now, in seconds of computing, when what was asked of a device before is done."""
        return self._read() if self._on_cpu else synchronised()

    def _read(self) -> float:
        return time.process_time() if self._on_cpu else time.perf_counter()

    def waited(self, seconds: float) -> float | None:
        """For how long so many seconds more have kept to the share, as asked at each step; None where they do not."""
        if not self.affords(seconds):
            self._able = None
            return None
        now = self._read()
        self._able = now if self._able is None else self._able
        return now - self._able

    def looked(self) -> None:
        """A look was made: the wait for the next one begins."""
        self._able = None

    def affords(self, seconds: float) -> bool:
        """Whether so many seconds more, in this step, keep to the share."""
        return seconds <= self.left

    @property
    def left(self) -> float:
        """Seconds that may be spent in this step beside those that it has taken."""
        now = self._read()
        return self.share * (now - (self._began or 0.0)) - self.spent - (now - self._entered)

    @contextlib.contextmanager
    def step(self) -> Iterator[None]:
        """One step of the loop: all within is the watch's own time."""
        if self._began is None:
            self._on_cpu = self._asked()
        self._entered = began = self._read()
        self._began = began if self._began is None else self._began
        try:
            with self.timed():
                yield
        finally:
            self._now = self._read()
            self.spent += self._now - began

    @contextlib.contextmanager
    def timed(self) -> Iterator[None]:
        """What is within says how loaded the machine is."""
        computed, waited = self._read(), time.perf_counter()
        try:
            yield
        finally:
            now = self._read()
            self._computed, self._waited = self._computed + now - computed, self._waited + time.perf_counter() - waited


def synchronised() -> float:
    """The time now, when what was asked of the device before is done."""
    if cuda_in_use():
        torch.cuda.synchronize()
    return time.perf_counter()


def cuda_in_use() -> bool:
    """Whether this process has begun to use CUDA: asking a device that is not in use would begin it."""
    return torch.cuda.is_available() and bool(torch.cuda.is_initialized())  # type: ignore[no-untyped-call]
