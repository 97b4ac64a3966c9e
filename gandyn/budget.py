"""A time limit in seconds: asked for between steps, or imposed on code that cannot be asked, such as SymPy's."""

from __future__ import annotations

import ctypes
import functools
import inspect
import math
import os
import threading
import time
from collections.abc import Callable
from typing import ClassVar, ParamSpec, TypeVar

from .errors import GandynError, ParameterError

AGAIN = 0.5
P = ParamSpec("P")
T = TypeVar("T")
_enclosing = threading.local()  # `.ends`: when the clock rings that already runs in this thread


class OutOfTimeError(GandynError, TimeoutError):
    """A budget in seconds that was spent before the answer was found."""


class _Alarm(BaseException):
    """Raised inside `Budget.run`; no `except Exception` of the interrupted code can swallow it."""


class Budget:
    """A limit of so many seconds on an analysis, counted from the moment it is made.

    Analyses take `budget=` as a number of seconds, or a `Budget` that a caller has already begun to spend, so that an
    analysis made of others keeps to one limit.

    Args:
        seconds: the limit; None for none.

    Raises:
        ParameterError: for a limit that is not a positive number.

    Example:
        >>> budget = Budget(60)
        >>> budget.out
        False
        >>> Budget.of(budget) is budget
        True
    """

    def __init__(self, seconds: float | None) -> None:
        try:
            limit = math.inf if seconds is None else float(seconds)
        except (TypeError, ValueError):
            limit = math.nan
        if isinstance(seconds, bool) or not limit > 0:
            raise ParameterError(
                f"budget={seconds!r}", "a positive number of seconds", "budget=60, or None for no limit"
            )
        # No clock of a machine waits longer than this.
        self.seconds, self.began = limit if limit < threading.TIMEOUT_MAX else math.inf, time.monotonic()

    @classmethod
    def of(cls, budget: float | Budget | None) -> Budget:
        """The budget itself where it is one, otherwise a new one of so many seconds."""
        return budget if isinstance(budget, Budget) else cls(budget)

    @property
    def spent(self) -> float:
        """Seconds since the budget began to run."""
        return time.monotonic() - self.began

    @property
    def left(self) -> float:
        """Seconds that remain, at least 0; infinite where there is no limit."""
        return max(0.0, self.seconds - self.spent)

    @property
    def out(self) -> bool:
        """Whether the time is up."""
        return self.spent >= self.seconds

    @property
    def reason(self) -> str:
        """The words in which a result says that the time was up."""
        return f"undecided: out of time (budget of {self.seconds:g} s)"

    def check(self, task: str = "the analysis") -> None:
        """Raises OutOfTimeError when the time is up."""
        if self.out:
            raise self.error(task)

    def error(self, task: str = "the analysis") -> OutOfTimeError:
        """The error that says that `task` did not end within the limit."""
        return OutOfTimeError(
            f"undecided: out of time, {task} did not end within {self.seconds:g} s",
            "more time, or a smaller problem",
            "budget=600",
        )

    def run(self, function: Callable[[], T], task: str = "the analysis") -> T:
        """function(), stopped when the time is up, wherever it is.

        The thread gets an exception between two of its Python instructions, and again every half second until the
        function is left. A single long call of compiled code is stopped when it returns. Inside a run that ends sooner
        the limit of that run is enough.

        Raises:
            OutOfTimeError: in place of whatever the function was doing.
        """
        self.check(task)
        ends, sooner = self.began + self.seconds, getattr(_enclosing, "ends", math.inf)
        if ends >= sooner or ends == math.inf:
            return function()
        clock = _Clock(threading.get_ident(), self.left)
        try:
            try:
                _enclosing.ends = ends
                clock.start()
                return function()
            finally:
                clock.stop()
        except _Alarm:
            clock.stop()  # the alarm may have struck in the middle of the other one
            raise self.error(task) from None
        finally:
            _enclosing.ends = sooner


def in_time(function: Callable[P, T]) -> Callable[P, T]:
    """An analysis that has an argument `budget`, stopped when that is spent: its answer is whole, or there is none.

    Raises:
        OutOfTimeError: "undecided: out of time", and which analysis it was.
    """
    default = inspect.signature(function).parameters["budget"].default

    @functools.wraps(function)
    def limited(*args: P.args, **kwargs: P.kwargs) -> T:
        budget = Budget.of(kwargs.get("budget", default))  # type: ignore[arg-type]
        return budget.run(lambda: function(*args, **kwargs), function.__name__)

    return limited


class _Clock:
    """Interrupts one thread after so many seconds, until it is stopped.

    One sleeping thread rings all clocks of the process: to start a thread for each takes a millisecond, as long as many
    of the analyses that it limits. It is woken early by a clock that rings before it would look again.
    """

    lock = threading.Lock()  # entered as such: inside a Condition's own `__enter__` an alarm would leave it locked
    bell = threading.Condition(lock)
    running: ClassVar[set[_Clock]] = set()
    ringer: ClassVar[threading.Thread | None] = None
    looks = math.inf  # when the ringer looks again, if nobody wakes it

    def __init__(self, thread: int, seconds: float) -> None:
        self.thread, self.rings, self.fired = ctypes.c_ulong(thread), time.monotonic() + seconds, False

    def start(self) -> None:
        with _Clock.lock:
            _Clock.running.add(self)
            if _Clock.ringer is None or not _Clock.ringer.is_alive():
                _Clock.ringer = threading.Thread(target=_Clock._ring, daemon=True)
                _Clock.ringer.start()
            elif self.rings < _Clock.looks:
                _Clock.bell.notify()

    @staticmethod
    def _ring() -> None:
        with _Clock.lock:
            while True:
                for clock in _Clock.running:
                    if clock.rings <= time.monotonic():
                        clock.fired, clock.rings = True, time.monotonic() + AGAIN
                        _raise_in(clock.thread, _Alarm)
                _Clock.looks = min((clock.rings for clock in _Clock.running), default=math.inf)
                wait = _Clock.looks - time.monotonic()
                _Clock.bell.wait(None if wait == math.inf else max(wait, 0.0))

    def stop(self) -> None:
        """No interruption comes after this; one that was sent and has not arrived is taken back."""
        with _Clock.lock:
            _Clock.running.discard(self)
            if self.fired:
                _raise_in(self.thread, None)

    @staticmethod
    def forked() -> None:
        """In a child process no clock runs yet, and nobody holds the lock."""
        _Clock.lock, _Clock.running, _Clock.looks = threading.Lock(), set(), math.inf
        _Clock.bell = threading.Condition(_Clock.lock)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_Clock.forked)


def _raise_in(thread: ctypes.c_ulong, exception: object) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, None if exception is None else ctypes.py_object(exception))
