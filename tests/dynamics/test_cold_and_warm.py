"""What is on disk or in memory from before decides how long a call takes, and nothing of what it gives."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from kernel_cases import needs_compiler

import catalogue
import gandyn as gd
from gandyn.dynamics import cached
from gandyn.errors import GandynError

DIRAC, QUADRATIC = ("dirac_gan", 0), ("quadratic", 0)
SOME = [("Lookahead", 0), ("CompetitiveGD", 2), ("ProximalPoint", 0)]
PAIRS = [
    pytest.param(game, rule, id=f"{rule[0]}.{rule[1]}-{game[0]}", marks=[] if rule in SOME else pytest.mark.slow)
    for game in (DIRAC, QUADRATIC)
    for rule in catalogue.RULES
]
CALLS = {
    "one start": lambda w: {"start": w[0], "steps": 11},
    "an ensemble": lambda w: {"start": w, "steps": 12, "record": 3},
    "the last point": lambda w: {"start": w, "steps": 12, "record": "last"},
    "nobody": lambda w: {"start": w[:0], "steps": 11},
    "a bound": lambda w: {"start": w, "steps": 11, "bound": 0.3},
    "far out": lambda w: {"start": 1e200 * w, "steps": 11},
    "no steps": lambda w: {"start": w[0], "steps": 0},
}


def content(call):
    """All that a call gives but its time and the way it took, by name; the error of one that is refused."""
    try:
        run = call()
    except GandynError as error:
        return {"error": f"{type(error).__name__}: {error}"}
    parts = {f.name: getattr(run, f.name) for f in dataclasses.fields(run) if f.name not in ("game", "rule", "kernel")}
    state, counts = parts.pop("state"), dataclasses.asdict(parts.pop("counts"))
    counts.pop("seconds")
    counters = {f"counter {name}": value for name, value in state.counter_leaves()} if state else {}
    arrays = {f"state {name}": value for name, value in state.leaves()} if state else {}
    return {**parts, **counts, **counters, **arrays}


def assert_same(cold, warm):
    """The same names, kinds, shapes, and values to rounding."""
    assert list(cold) == list(warm), (cold, warm)
    for name, first in cold.items():
        second = warm[name]
        assert type(first) is type(second), name
        if isinstance(first, np.ndarray):
            assert (first.dtype, first.shape, first.flags.writeable) == (
                second.dtype,
                second.shape,
                second.flags.writeable,
            ), name
        if isinstance(first, np.ndarray) and first.dtype.kind == "f":
            np.testing.assert_allclose(first, second, rtol=1e-6, atol=1e-9, err_msg=name)
        else:
            assert np.array_equal(first, second), name


@pytest.mark.parametrize(("game", "rule"), PAIRS)
def test_a_run_gives_the_same_with_a_kernel_in_memory_as_without(game, rule, monkeypatch, tmp_path):
    """The kernel of NumPy, which needs no compiler; inner solvers are counted alike whatever is there."""
    monkeypatch.setenv("GANDYN_CACHE", str(tmp_path))
    monkeypatch.setattr(cached, "_SHELVES", {})
    monkeypatch.setattr(cached, "usual_backend", lambda: "numpy")
    game, rule = catalogue.game(game), catalogue.rule(rule)
    points = catalogue.points(game, 3, seed="cold")
    calls = {name: lambda made=made: gd.iterate(game, rule, **made(points)) for name, made in CALLS.items()}
    cold = {name: content(call) for name, call in calls.items()}
    try:
        cached.compiled(game, rule, "numpy", points)
    except GandynError:  # there is no kernel: nothing can be warm
        return
    for name, call in calls.items():
        assert_same(cold[name], content(call))


@pytest.mark.slow
@needs_compiler
def test_analyses_give_the_same_on_the_second_day(monkeypatch, tmp_path):
    """Everything forgotten but what is on disk, then nothing forgotten."""
    monkeypatch.setenv("GANDYN_CACHE", str(tmp_path))
    game, rule, start = gd.games.dirac_gan(), gd.rules.ExtraAdam(0.05), [0.6, -0.3]
    calls = {
        "iterate": lambda: gd.iterate(game, rule, start, 60).to_dict(),
        "flow": lambda: gd.flow(game, [start, [0.1, 0.2]], 2.0).to_dict(),
        "basins": lambda: gd.basins(game, rule, [start], steps=60).to_dict(),
        "escape": lambda: gd.escape_time(game, rule, start, 60, radius=0.9).to_dict(),
        "sweep": lambda: gd.sweep(
            game, gd.rules.GDA("lr"), {"lr": [0.1, 0.2]}, measure="final_distance", start=start, steps=40
        ).to_dict(),
        "compare": lambda: gd.compare(game, [rule], start, 80, step_sizes=(0.05,), seeds=1).to_dict(),
    }
    ways, days = [], []
    for day in range(3):
        if day < 2:  # a process begins
            monkeypatch.setattr(cached, "_SHELVES", {})
        ways.append(gd.iterate(game, rule, start, 60).kernel)
        days.append({name: call() for name, call in calls.items()})
        gd.iterate(game, rule, start, 10, kernel="c")
    assert ways == ["eager", "c", "c"]
    for later in days[1:]:
        for name, found in days[0].items():
            first, second = plain(found), plain(later[name])
            assert list(first) == list(second), name
            for place, leaf in first.items():
                near = pytest.approx(leaf, rel=1e-7, abs=1e-10, nan_ok=True) if isinstance(leaf, float) else leaf
                assert second[place] == near, (name, place)


def plain(tree, path=""):
    """Numbers and texts of a result by their place, without times."""
    if isinstance(tree, dict):
        pairs = [(key, value) for key, value in tree.items() if key not in ("seconds", "kernel")]
    elif isinstance(tree, (list, tuple)):
        pairs = list(enumerate(tree))
    else:
        return {path: tree}
    return {place: leaf for key, value in pairs for place, leaf in plain(value, f"{path}/{key}").items()}
