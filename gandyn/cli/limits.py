"""How long a section of `gandyn analyze` may compute, in seconds of this process: a busy machine changes nothing."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ..errors import GandynError, MissingDependencyError

if TYPE_CHECKING:
    from .sections import Subject

LEAST = 0.2  # seconds: with less than these a section is not begun
PART = 0.6  # of the seconds that are left, for one section


class Allowance:
    """Seconds of computing that all sections of a page share, from now on.

    Args:
        seconds: for all of them; None for no limit.
    """

    def __init__(self, seconds: float | None) -> None:
        self.seconds, self.began = seconds, time.process_time()

    @property
    def left(self) -> float | None:
        """Seconds that remain; None where there is no limit."""
        return None if self.seconds is None else self.seconds - (time.process_time() - self.began)

    def share(self, most: float) -> float | None:
        """Seconds for a section that may take so many: these, or what is left."""
        return None if self.left is None else min(most, self.left)

    def part(self, last: bool) -> float | None:
        """Seconds for the next section: a part of what is left, so that something is left for the sections after it."""
        return self.left if self.left is None or last else PART * self.left


class _TimeUp(BaseException):
    """Raised in the middle of a section; not an Exception, so that nothing on the way takes it for its own."""


@contextlib.contextmanager
def _alarm(seconds: float | None) -> Iterator[None]:
    """Interrupt the block after so many seconds of computing, where the system can."""
    possible = hasattr(signal, "SIGPROF") and threading.current_thread() is threading.main_thread()
    if seconds is None or not possible:
        yield
        return

    def ring(*_: object) -> None:
        raise _TimeUp

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def within(seconds: float | None, make: Callable[[Subject], Any], subject: Subject) -> tuple[Any, str]:
    """The section, or None with the reason why there is none."""
    if seconds is not None and seconds < LEAST:
        return None, "skipped: the time of this page was spent; --all has no limit"
    try:
        with _alarm(seconds):
            return make(subject), ""
    except _TimeUp:
        return None, f"skipped: not ended after {seconds:.2g} s of computing; --all has no limit"
    except MissingDependencyError as error:
        return None, f"skipped: {error}"
    except (GandynError, NotImplementedError) as error:  # the second is how SymPy says that it knows no way
        return None, getattr(error, "given", "") or str(error) or type(error).__name__
    except Exception as error:  # a fault of ours in one section is no reason to lose the others
        return None, f"failed: {type(error).__name__}: {error}"
