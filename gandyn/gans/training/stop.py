"""SIGINT and SIGTERM during a run: the step is finished, everything is saved, and the run says that it was stopped."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, ClassVar

# SIGHUP: the terminal, or the connection to the machine, is gone.
SIGNALS = (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))


class Stop:
    """While this context lasts, the first signal is noted in `signal`; a second one ends the program as it always does.

    Outside the main thread, where Python lets nobody listen for signals, it listens for none. `heard` counts the
    signals that runs of this process have noted: who computes something of several runs sees by it that one of them is
    not whole.
    """

    heard: ClassVar[int] = 0

    def __init__(self) -> None:
        self.signal: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Stop:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.signal = number
        Stop.heard += 1
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()
