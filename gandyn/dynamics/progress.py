"""One line on stderr for long runs: how far, how fast, how long still."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

INTERVAL = 0.5


def reporter(progress: bool | Callable[[int, int], None]) -> Callable[[int, int], None] | None:
    """What a run calls with (done, total), and once with done = -1 at its end; None for silence."""
    if callable(progress):
        return lambda done, total: None if done < 0 else progress(done, total)
    return _Line() if progress else None


class _Line:
    def __init__(self) -> None:
        self.began = self.last = time.perf_counter()
        self.width = 0

    def __call__(self, done: int, total: int) -> None:
        now = time.perf_counter()
        if done < 0:
            if self.width:
                print(file=sys.stderr)
        elif now - self.last >= INTERVAL:
            self.last = now
            rate = done / (now - self.began)
            text = f"{done}/{total} steps, {rate:.3g} a second, {_duration((total - done) / rate)} left"
            print("\r" + text.ljust(self.width), end="", file=sys.stderr, flush=True)
            self.width = len(text)


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
