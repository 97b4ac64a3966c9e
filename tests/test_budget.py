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
    with pytest.raises(OutOfTimeError, match=r"the search did not end within 0\.05 s"):
        Budget(0.05).run(spin, "the search")


def test_code_that_swallows_everything_once_is_stopped_the_second_time():
    stubborn = []

    def careless():
        try:
            spin()
        except BaseException:
            stubborn.append(1)
        spin()

    with pytest.raises(OutOfTimeError):
        Budget(0.02).run(careless)
    assert stubborn == [1]


def test_another_thread_than_the_main_one_is_stopped_too():
    seen = []

    def work():
        try:
            Budget(0.05).run(spin)
        except OutOfTimeError as error:
            seen.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(timeout=30)
    assert len(seen) == 1


def test_nothing_arrives_after_code_that_was_in_time():
    """Five hundred functions that end just when the alarm rings: an answer or the error, and nothing later."""
    ends = []
    for k in range(500):
        budget = Budget(0.001)

        def nearly(budget=budget, k=k):
            while budget.left > 1e-6 * (k % 50):
                pass
            return k

        try:
            ends.append(budget.run(nearly) == k)
        except OutOfTimeError:
            ends.append(None)
    for _ in range(50):
        time.sleep(0.001)
    assert len(ends) == 500
    assert False not in ends


def test_one_limit_for_an_analysis_made_of_others():
    outer = Budget(0.05)
    with pytest.raises(OutOfTimeError):
        outer.run(lambda: Budget.of(outer).run(spin, "a part"), "the whole")
    assert outer.out
    assert outer.left == 0
    with pytest.raises(OutOfTimeError):
        outer.run(lambda: pytest.fail("a spent budget lets nothing begin"))


def test_the_time_that_is_left():
    budget = Budget(100)
    assert 0 <= budget.spent < 50 < budget.left <= 100
    assert not budget.out
    budget.check()
    assert "out of time" in budget.reason
    unlimited = Budget.of(None)
    assert unlimited.left == float("inf")
    assert unlimited.run(lambda: 3) == 3
    assert isinstance(budget.error(), GandynError)


@pytest.mark.parametrize("wrong", [0, -1, float("nan"), True, "soon", [1], "1 minute"])
def test_a_limit_that_is_none(wrong):
    with pytest.raises(ParameterError, match="a positive number of seconds"):
        Budget(wrong)
