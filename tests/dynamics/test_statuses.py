"""A member's ending does not depend on who computes it: the same status, steps and last point in every world."""

from __future__ import annotations

import numpy as np
import pytest

import catalogue
import gandyn as gd
from gandyn.dynamics import compile as compiling
from gandyn.errors import GandynError
from gandyn.results import Status

torch = pytest.importorskip("torch")
needs_compiler = pytest.mark.skipif(compiling.compiler() is None, reason="no C compiler")
STARTS = np.array([[size, ratio * size] for size in (1e150, 1e200, 1e300, 1e308) for ratio in (1.0, -0.5)])
GAMES = {"bilinear": gd.games.bilinear(), "quadratic": gd.games.quadratic(2, 0.5, 1)}
SOME = [("Adam", 0), ("RMSProp", 1), ("ExtraAdam", 0), ("OptimisticAdam", 0), ("OptimisticGD", 0), ("HeavyBall", 3)]
# Where <v, g> and <A^T v, g> overflow, the sign of their product is that of inf - inf, or not, as a compiler fuses.
FUSED = {"SGA": 1e150}


def endings(way, game, rule, start, steps=40, record="last"):
    """Statuses, steps and last points; None where there is no such kernel."""
    kernel = "eager" if way == "torch eager" else way
    given = torch.tensor(start) if way.startswith("torch") else start
    try:
        run = gd.iterate(game, rule, given, steps, record, kernel=kernel)
    except GandynError:
        if kernel == "eager":
            raise
        return None
    last = run.w if record == "last" else run.w[-1]
    return list(run.status), run.steps.tolist(), np.asarray(last)


def assert_alike(game, rule, ways, start=STARTS, steps=40):
    """The status, the steps and the last point, to rounding, of NumPy's steps."""
    status, done, w = endings("eager", game, rule, start, steps)
    assert np.isfinite(w).all()
    for way in ways:
        found = endings(way, game, rule, start, steps)
        if found is None:
            continue
        assert found[0] == status, way
        assert found[1] == done, way
        np.testing.assert_allclose(found[2] / start[:, :1], w / start[:, :1], rtol=1e-9, atol=1e-11, err_msg=way)
    return status


@pytest.mark.parametrize("case", SOME, ids=catalogue.label)
@pytest.mark.parametrize("name", GAMES)
def test_statuses_are_equal_in_every_world(name, case):
    status = assert_alike(GAMES[name], catalogue.rule(case), ["torch eager", "numpy", "torch"])
    assert status[-2:] == [Status.DIVERGED] * 2  # 1e308 has no room for a step
    assert status[:2] == [Status.OK] * 2


@needs_compiler
@pytest.mark.parametrize("case", [("Adam", 0), ("OptimisticGD", 0)], ids=catalogue.label)
def test_statuses_of_compiled_code_are_those_of_the_steps(case):
    assert_alike(GAMES["bilinear"], catalogue.rule(case), ["c"])


def inside(name, case):
    """Whether the game lies in the rule's declared domain."""
    try:
        catalogue.rule(case).check(GAMES[name])
    except GandynError:
        return False
    return True


PAIRS = [
    pytest.param(name, case, id=f"{name}-{catalogue.label(case)}")
    for name in GAMES
    for case in catalogue.RULES
    if inside(name, case)
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "case"), PAIRS)
def test_statuses_of_every_rule_are_equal_in_every_world(name, case):
    game, rule = GAMES[name], catalogue.rule(case)
    starts = STARTS[np.abs(STARTS[:, 0]) <= FUSED.get(case[0], np.inf)]
    ways = ["torch eager", "numpy", "torch", *(["c"] if compiling.compiler() else [])]
    assert_alike(game, rule, ways, starts)


def test_an_infinite_second_moment_is_no_standstill():
    """v = 1e200 has the square inf: w - lr m / inf = w would stand still for ever and be called well."""
    for kernel in ("eager", "numpy"):
        run = gd.iterate(gd.games.bilinear(), gd.rules.Adam(0.1), [1e200, 1e200], 10, kernel=kernel)
        assert run.status is Status.DIVERGED
        assert run.steps == 0
        assert np.isfinite(run.state["square"]).all()


@pytest.mark.parametrize("way", ["numpy", "torch", pytest.param("c", marks=needs_compiler)])
def test_growth_to_the_end_of_the_range_ends_at_the_same_step(way):
    """Modulus sqrt(2) a step: every member crosses 1.7e302 at its own time, far from the start."""
    start = np.array([[10.0**k, 0.3 * 10.0**-k] for k in range(-9, 10)])
    game, rule = gd.games.bilinear(), gd.rules.OptimisticGD(1.0)
    slow, fast = endings("eager", game, rule, start, 3000), endings(way, game, rule, start, 3000)
    assert fast[1] == slow[1]
    assert fast[0] == slow[0] == [Status.DIVERGED] * len(start)
    assert len(set(slow[1])) > 10
    size = np.abs(slow[2]).max(axis=1, keepdims=True)
    np.testing.assert_allclose(fast[2] / size, slow[2] / size, atol=1e-10)


@pytest.mark.parametrize("way", ["numpy", pytest.param("c", marks=needs_compiler)])
@pytest.mark.parametrize("record", ["last", "all"])
def test_an_orbit_near_the_ceiling_is_watched_at_every_step(way, record):
    """On a circle of radius 2e302 the coordinates pass 1.7e302 and come back: no window may miss it."""
    start = np.array([[1.45e302, 1.45e302], [1.0e302, 1.0e302], [1.0, 1.0]])
    game, rule = gd.games.bilinear(), gd.rules.AlternatingGD(0.01)
    slow, fast = endings("eager", game, rule, start, 700, record), endings(way, game, rule, start, 700, record)
    assert slow[0] == fast[0] == [Status.DIVERGED, Status.OK, Status.OK]
    assert slow[1] == fast[1]
    np.testing.assert_allclose(fast[2] / start, slow[2] / start, rtol=1e-10)


def test_the_sign_of_nan_is_nan_in_torch_as_in_numpy():
    x = torch.tensor([-2.0, 0.0, np.nan, np.inf])
    np.testing.assert_array_equal(gd.worlds.sign(x).numpy(), gd.worlds.sign(x.numpy()))


# --- solvers in all units ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1e-170, 1e-30, 1e150, 1e290])
def test_matrix_free_steps_do_not_depend_on_units(size):
    """Squares of 1e150 overflow and of 1e-170 vanish: conjugate gradients took the first guess for the answer."""
    game = gd.games.bilinear(((1.0, 0.4), (-0.3, 2.0)))
    exact, free = gd.rules.CompetitiveGD(0.3), gd.rules.CompetitiveGD(0.3, solver="krylov", tolerance=1e-13)
    start = np.array([1.0, -0.5, 0.25, 2.0])
    right = gd.iterate(game, exact, start, 20, "last", kernel="eager").w
    found = gd.iterate(game, free, size * start, 20, "last", kernel="eager").w
    np.testing.assert_allclose(found / size, right, rtol=1e-9)
    together = gd.iterate(game, free, np.stack([start, size * start]), 20, "last", kernel="eager").w
    np.testing.assert_allclose(together / [[1], [size]], [right, right], rtol=1e-9)


@pytest.mark.parametrize("size", [1.0, 1e20, 1e300])
def test_hessians_are_not_lost_beside_a_large_point(size):
    """(w + 1) - w is 0 from 1e17 on: the players' models lost their coupling there without a word."""
    game = GAMES["quadratic"]
    rule = gd.rules.ConsistentShaping(0.1, 2)
    one = gd.iterate(game, rule, [1.0, 0.5], 20, "last", kernel="eager").w
    np.testing.assert_allclose(
        gd.iterate(game, rule, [size, 0.5 * size], 20, "last", kernel="eager").w / size, one, rtol=1e-12
    )
