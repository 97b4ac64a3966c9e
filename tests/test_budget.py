"""A budget stops what it limits, says so, and disturbs nothing afterwards."""

from __future__ import annotations

import contextlib
import threading
import time

import pytest

from gandyn.budget import Budget, OutOfTimeError
from gandyn.errors import GandynError, ParameterError


def spin():
    """Never ends by itself, and swallows every ordinary exception on the way."""
    while True:
        with contextlib.suppress(Exception):
            sum(range(1000))


def test_code_that_cannot_be_asked_is_stopped():
    with (
        pytest.raises(OutOfTimeError, match=r"the search did not end within 0\.05 s"),
        Budget(0.05).interrupting("the search"),
    ):
        spin()


def test_a_block_that_swallows_everything_once_is_stopped_the_second_time():
    stubborn = []

    def careless():
        try:
            spin()
        except BaseException:
            stubborn.append(1)
        spin()

    with pytest.raises(OutOfTimeError), Budget(0.02).interrupting():
        careless()
    assert stubborn == [1]


def test_another_thread_than_the_main_one_is_stopped_too():
    seen = []

    def work():
        try:
            with Budget(0.05).interrupting():
                spin()
        except OutOfTimeError as error:
            seen.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(timeout=30)
    assert len(seen) == 1


def test_nothing_arrives_after_a_block_that_was_in_time():
    for _ in range(200):  # blocks that end just when the alarm rings
        budget = Budget(0.002)
        try:
            with budget.interrupting():
                while budget.left > 0.0002:
                    pass
        except OutOfTimeError:
            pass
    for _ in range(50):
        time.sleep(0.001)


def test_one_limit_for_an_analysis_made_of_others():
    outer = Budget(0.05)
    with pytest.raises(OutOfTimeError), outer.interrupting("the whole"), Budget.of(outer).interrupting("a part"):
        spin()
    assert outer.out
    assert outer.left == 0
    with pytest.raises(OutOfTimeError), outer.interrupting():
        raise AssertionError("a spent budget lets nothing begin")


def test_the_time_that_is_left():
    budget = Budget(100)
    assert 0 <= budget.spent < 50 < budget.left <= 100
    assert not budget.out
    budget.check()
    assert "out of time" in budget.reason
    unlimited = Budget.of(None)
    assert unlimited.left == float("inf")
    with unlimited.interrupting():
        pass
    assert isinstance(budget.error(), GandynError)


@pytest.mark.parametrize("wrong", [0, -1, float("nan"), True, "soon", [1], "1 minute"])
def test_a_limit_that_is_none(wrong):
    with pytest.raises(ParameterError, match="a positive number of seconds"):
        Budget(wrong)
