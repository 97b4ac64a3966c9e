"""A budget stops what it limits, says so, and disturbs nothing afterwards."""

from __future__ import annotations

import contextlib
import os
import threading
import time

import pytest

from gandyn.budget import Budget, OutOfTimeError, _Clock
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


def late(monkeypatch):
    """Analyses find that their time is up as soon as they begin."""
    monkeypatch.setattr(Budget, "out", property(lambda self: True))


def analyses():
    """Each analysis that takes a budget, as a call that ends by itself."""
    import gandyn as gd
    from gandyn.public_names import ANALYSES

    game, rule, run = gd.games.quadratic(1, 2, 1), gd.rules.GDA(0.1), [[1.0, 0.5]]
    calls = {
        "linearize": lambda **o: gd.linearize(game, rule, **o),
        "classify": lambda **o: gd.classify(game, **o),
        "decompose": lambda **o: gd.decompose(game, **o),
        "lyapunov_function": lambda **o: gd.lyapunov_function(game, rule, **o),
        "recurrence": lambda **o: gd.recurrence(gd.games.matching_pennies(), [0.4, 0.6, 0.7, 0.3], 5.0, **o),
        "escape_time": lambda **o: gd.escape_time(game, rule, run, 9, radius=2.0, **o),
        "path_angle": lambda **o: gd.path_angle(game, [1.0, 2.0], [0.0, 0.0], **o),
        "gap_along": lambda **o: gd.gap_along(gd.iterate(game, rule, [1.0, 0.5], 5), **o),
    }
    assert calls.keys() <= ANALYSES.keys()
    return calls


@pytest.mark.parametrize("name", analyses())
def test_an_analysis_that_gives_no_half_answer_ends_undecided(name, monkeypatch):
    analyses()[name](budget=60)
    late(monkeypatch)
    with pytest.raises(OutOfTimeError, match=rf"undecided: out of time, {name} did not end"):
        analyses()[name](budget=60)


def test_every_analysis_that_can_take_long_has_a_budget():
    """The others say that they are over at once, by construction."""
    import inspect

    import gandyn as gd
    from gandyn.public_names import ANALYSES

    found = {name: getattr(gd, name, None) or getattr(gd.analysis, name) for name in ANALYSES}
    without = {name for name, function in found.items() if "budget" not in inspect.signature(function).parameters}
    at_once = {"fit_rate", "ergodic_average", "gap_flow", "speed_limit", "multiplicative_weights"}
    assert without == at_once | {"replicator_in_logits", "spectrum"}
    assert "budget" in inspect.signature(gd.analysis.spectrum.Search).parameters  # an option of `gd.spectrum`


def test_a_spectrum_keeps_what_it_has_when_its_time_is_up():
    import torch

    import gandyn as gd

    coupling = torch.linspace(1.0, 60.0, 60, dtype=torch.float64)
    costs = [lambda x, y: (x**2 + coupling * x * y).sum(), lambda x, y: (y**2 - coupling * x * y).sum()]
    game = gd.games.from_torch(costs, {"x": 60, "y": 60})
    found = gd.spectrum(game, torch.zeros(120, dtype=torch.float64), 1, "LR", budget=1e-9)
    assert not found.converged
    assert "undecided: out of time" in found.summary()
    assert len(found["LR"].residuals) == 1


def test_a_limit_inside_another_that_ends_sooner_starts_no_clock_of_its_own():
    clocks, before = [], len(_Clock.running)
    Budget(60).run(lambda: Budget(600).run(lambda: clocks.append(len(_Clock.running))))
    Budget(60).run(lambda: Budget(30).run(lambda: clocks.append(len(_Clock.running))))
    assert clocks == [before + 1, before + 2]
    assert len(_Clock.running) == before


def test_one_thread_rings_all_clocks_and_is_woken_by_one_that_rings_earlier():
    Budget(60).run(lambda: None)
    threads = threading.active_count()
    with pytest.raises(OutOfTimeError, match=r"within 0\.05 s"):
        Budget(60).run(lambda: Budget(0.05).run(spin))
    assert threading.active_count() == threads


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_process_has_clocks_of_its_own():
    Budget(60).run(lambda: None)
    child = os.fork()
    if not child:
        try:
            Budget(0.05).run(spin)
        except OutOfTimeError:
            os._exit(3)
        os._exit(4)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
