"""Wrong calls of the public API: each ends in one line that says what was given and what was needed, and quickly."""

from __future__ import annotations

import contextlib
import signal
import warnings

import pytest
from doors.api_calls import calls

from gandyn.errors import GandynError

SECONDS = 30  # of this process alone: a loaded machine makes no call late


class Late(BaseException):
    """The call took too long."""


@contextlib.contextmanager
def in_time():
    def late(number, frame):
        raise Late

    before = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def ending(call):
    """How a call ended, "" if it should."""
    try:
        with in_time(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = call()
    except GandynError as error:
        text = str(error)
        return "" if "\n" not in text and "Needed" in text else f"says {text!r}"
    except Late:
        return "hangs"
    except BaseException as error:
        return f"ends in {type(error).__name__}: {error}"
    return f"is accepted: {found!r}"[:100]


@pytest.mark.skipif(not hasattr(signal, "SIGPROF"), reason="a clock that interrupts")
@pytest.mark.parametrize("every", [7, pytest.param(1, marks=pytest.mark.slow)])
def test_wrong_calls_are_refused_in_one_line(every):
    table = calls()
    assert len(table) > 1700
    assert len({label for label, _ in table}) == len(table)
    wrong = {label: how for label, call in table[::every] if (how := ending(call))}
    assert not wrong, "\n".join(f"{label} {how}" for label, how in wrong.items())
