"""Generated code against `rule.step`: every backend, rule and game, overflow, rows, counts, and the C compiler."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import sys

import numpy as np
import pytest
import sympy
from kernel_cases import needs_compiler

import catalogue
import gandyn as gd
from gandyn.dynamics import compile as compiling
from gandyn.dynamics.cached import unsuitable
from gandyn.dynamics.kernels import BACKENDS
from gandyn.errors import (
    ConvergenceError,
    DomainError,
    GandynError,
    MissingDependencyError,
    ParameterError,
    ShapeError,
    UnknownNameError,
)

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="no node")
A_GAME, A_RULE = ("dirac_gan", 0), ("SimultaneousGD", 0)
STEPS = 9


def traced_pairs(rules, games):
    """Pairs inside the rule's domain whose game has symbols."""
    for rule in rules:
        for game in games:
            if not unsuitable(catalogue.game(game)) and inside(catalogue.rule(rule), catalogue.game(game)):
                yield catalogue.Pair(rule, game)


def inside(rule, game):
    """Whether the rule accepts the game."""
    try:
        rule.check(game)
    except GandynError:
        return False
    return True


EACH_ONCE = sorted({*traced_pairs(catalogue.RULES, [A_GAME]), *traced_pairs([A_RULE], catalogue.GAMES)})


def compare(pair, backend, strict=False, steps=STEPS):
    """Rows, state, steps and counts of a kernel and of the eager way; rounding differs by contraction and grouping."""
    game, rule = catalogue.game(pair.game), catalogue.rule(pair.rule)
    start = catalogue.points(game, 5, seed=pair)
    try:
        slow = gd.iterate(game, rule, start, steps, kernel="eager")
    except ConvergenceError:  # an implicit step without a solution here has nothing to be compared with
        return False
    try:
        fast = gd.iterate(game, rule, start, steps, kernel=backend)
    except (DomainError, ConvergenceError):
        return False
    nudged = gd.iterate(game, rule, start * (1 + 1e-14), steps, kernel="eager")
    scale = 1 + np.abs(slow.w).max(axis=(0, 2), keepdims=True)
    sensitivity = np.abs(nudged.w - slow.w).max(axis=(0, 2), keepdims=True)  # what a last bit becomes on this map
    allowed = 1e-12 if rule.domain.smooth else 1e-8  # Adam magnifies a field of 1e-17 as if it were one
    assert (np.abs(fast.w - slow.w) / (allowed * scale + 10 * sensitivity)).max() < 1
    for (_, a), (_, b) in zip(fast.state.leaves(), slow.state.leaves(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11 + 100 * sensitivity.max())
    assert list(fast.state.counter_leaves()) == list(slow.state.counter_leaves())
    np.testing.assert_array_equal(fast.steps, slow.steps)
    assert list(fast.status) == list(slow.status)
    if not hasattr(rule, "tolerance"):  # an iterative solver's products depend on the point, the trace's do not
        asked = [(c.player_gradients, c.jvps, c.vjps) for c in (fast.counts, slow.counts)]
        assert asked[0] == asked[1]
    assert fast.kernel == backend
    assert slow.kernel == "eager"
    return True


@pytest.mark.parametrize("pair", EACH_ONCE, ids=str)
def test_every_rule_and_every_game_runs_the_same_by_kernel(pair):
    compare(pair, "numpy")


def test_most_rules_have_a_kernel():
    on_one_game = [pair for pair in EACH_ONCE if pair.game == A_GAME]
    traced = [pair for pair in on_one_game if compare(pair, "numpy", steps=1)]
    assert len(traced) > 0.8 * len(on_one_game)


@pytest.mark.slow
@pytest.mark.parametrize("rule", catalogue.RULES, ids=catalogue.label)
def test_every_rule_on_a_sample_of_games_runs_the_same_by_kernel(rule):
    games = [catalogue.GAMES[k] for k in catalogue.seeded(rule).permutation(len(catalogue.GAMES))[:8]]
    for pair in traced_pairs([rule], games):
        compare(pair, "numpy")


@needs_compiler
@pytest.mark.slow
@pytest.mark.parametrize("pair", EACH_ONCE, ids=str)
def test_every_rule_and_every_game_runs_the_same_by_compiled_code(pair):
    compare(pair, "c")


# --- every backend on a few maps with everything in them --------------------------------------------------------------


def everything():
    """A game whose field uses each operation that the backends know, and grows fast enough to overflow."""
    x, y = sympy.symbols("x y", real=True)
    f = (
        sympy.tanh(x) * y + sympy.exp(x - y) / (3 + sympy.cos(x * y)) + sympy.erf(x * y) + sympy.Abs(y) * x
        + sympy.Piecewise((x, x > y), (y**2, True)) * x + sympy.Max(x, y) ** 2 - sympy.Min(x, 2 * y, 1) * y
        + sympy.sqrt(1 + x**2) + sympy.atan(y) + sympy.log(2 + y**2) + sympy.sinh(x / 4) * sympy.cosh(y / 4)
        + sympy.sin(x) + sympy.tan(y / 9) + (1 + x**2) ** sympy.Rational(1, 3) + x**3 * y - x**4 / 9
    )  # fmt: skip
    return gd.games.from_sympy(f, [x, y])


ADAM_IN_TURN = gd.rules.Alternating(gd.rules.Adam(0.1), repeats=(1, 2))
TWO_BY_TWO = gd.games.quadratic(((2, 0.5), (0.5, 1)), ((1, -1), (0, 2)), ((1, 0), (0, 3)))
MAPS = {
    "counters": (gd.games.dirac_gan("nonsaturating"), ADAM_IN_TURN, 0.0),
    "state": (gd.games.bilinear(((1, 2), (3, -1))), gd.rules.OptimisticGD((0.1, 0.2)), 0.0),
    "overflow": (everything(), gd.rules.GDA(0.3), 0.5),
    "dimensions": (TWO_BY_TWO, gd.rules.Extragradient(0.1), 0.0),
}  # fmt: skip


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize(
    "backend", ["numpy", "torch", pytest.param("c", marks=needs_compiler), pytest.param("javascript", marks=needs_node)]
)
def test_backends_agree_with_the_eager_step(backend, name):
    game, rule, lost = MAPS[name]
    start = np.random.default_rng(1).normal(size=(3, 67, game.dim))
    slow = gd.iterate(game, rule, start, 150, record=7, kernel="eager")
    if backend == "torch":
        import torch

        start = torch.tensor(start)
    fast = gd.iterate(game, rule, start, 150, record=7, kernel=backend)
    assert tuple(fast.w.shape) == (22, 3, 67, game.dim)
    assert fast.t.tolist() == list(range(0, 151, 7))
    np.testing.assert_array_equal(fast.steps, slow.steps)
    assert np.mean(slow.steps < 150) >= lost
    early = slow.w[:4]  # before a chaotic map has made much of the last bit
    calm = (np.abs(early).max(axis=(0, 3)) < 1e3)[None, ..., None]
    error = np.abs(np.asarray(fast.w)[:4] - early) / (1 + np.abs(early))
    assert error.max(where=calm, initial=0) < 1e-12
    assert calm.mean() > 0.1
    assert list(fast.state.counter_leaves()) == list(slow.state.counter_leaves())


@pytest.mark.slow
def test_numba_agrees_with_the_eager_step():
    pytest.importorskip("numba")
    game, rule, _ = MAPS["overflow"]
    start = np.random.default_rng(1).normal(size=(67, 2))
    slow, fast = (gd.iterate(game, rule, start, 50, record=7, kernel=k) for k in ("eager", "numba"))
    np.testing.assert_allclose(fast.w, slow.w, rtol=1e-9)
    np.testing.assert_array_equal(fast.steps, slow.steps)


@needs_compiler
@pytest.mark.parametrize("name", MAPS)
def test_strict_and_fast_arithmetic_agree(name):
    game, rule, _ = MAPS[name]
    traced = gd.update_map(game, rule)
    strict, fast = (gd.dynamics.kernels.build(traced, "c", strict=s) for s in (True, False))
    z = np.random.default_rng(2).uniform(0.1, 1.0, size=(40, strict.program.size))
    counters = [3.0] * len(strict.program.counters)
    np.testing.assert_allclose(fast(z, 2, counters), strict(z, 2, counters), rtol=1e-12, atol=1e-13)


@needs_compiler
def test_strict_arithmetic_is_numpy_to_the_last_bit():
    traced = gd.update_map(gd.games.bilinear(((0.3, 1.7),)), gd.rules.OptimisticGD(0.1))
    strict, plain = (gd.dynamics.kernels.build(traced, backend, strict=True) for backend in ("c", "numpy"))
    z = np.random.default_rng(3).normal(size=(1000, 6))
    np.testing.assert_array_equal(strict(z, 50), plain(z, 50))


@needs_compiler
def test_the_vectorised_exponential_is_exact_to_two_units_and_keeps_its_limits():
    x, y = sympy.symbols("x y", real=True)
    game = gd.games.from_sympy([sympy.exp(x) + y**2, y**2], [x, y])  # v = (exp(x), 2 y)
    values = np.concatenate([np.linspace(-745, 709.7, 20001), np.linspace(-2, 2, 20001), [0.0, -0.0]])
    kernel = gd.update_map(game, gd.rules.GDA(1)).kernel("c")
    z = np.stack([values, np.ones_like(values)], -1)
    moved = values - kernel(z)[:, 0]
    exact = np.exp(values)
    big = exact > 1e17 * np.abs(values)  # where the difference shows exp alone
    assert big.sum() > 8000
    np.testing.assert_allclose(moved[big], exact[big], rtol=5e-16)
    np.testing.assert_allclose(kernel(z)[:, 0], values - exact, rtol=7e-16, atol=2e-16)
    overflow = np.array([[709.9, 1.0], [1e4, 1.0], [-1e300, 1.0], [-800.0, 1.0]])
    np.testing.assert_array_equal(kernel(overflow)[:, 0], overflow[:, 0])  # held, held, exp = 0, exp = 0
    assert kernel.run(overflow, 1).alive.tolist() == [False, False, True, True]


# --- overflow ---------------------------------------------------------------------------------------------------------


def cubic():
    """v = (x^3 - y, y^3 + x) grows without bound under a step of 1: members overflow at different times."""
    x, y = sympy.symbols("x y", real=True)
    return gd.games.from_sympy(-(x**4) / 4 + x * y + y**4 / 4, [x, y])


@pytest.mark.parametrize("backend", ["numpy", "torch", pytest.param("c", marks=needs_compiler)])
@pytest.mark.parametrize("bound", [np.inf, 1e3])
def test_a_member_stops_alone_at_its_last_point_inside(backend, bound):
    game, rule = cubic(), gd.rules.GDA(0.01)
    start = np.random.default_rng(0).normal(size=(500, 2)) * 3
    given = start
    if backend == "torch":
        import torch

        given = torch.tensor(start)
    slow = gd.iterate(game, rule, start, 400, kernel="eager", bound=bound)
    fast = gd.iterate(game, rule, given, 400, kernel=backend, bound=bound)
    assert 20 < np.sum(slow.diverged) < 500
    assert len(np.unique(slow.steps)) > 10
    np.testing.assert_array_equal(fast.steps, slow.steps)
    w = np.asarray(fast.w)
    assert np.isfinite(w).all()
    assert np.abs(w).max() <= bound
    for member in np.flatnonzero(slow.diverged)[:30]:
        end = slow.steps[member]
        assert (w[end:, member] == w[end, member]).all()
        assert (w[end, member] != w[end - 1, member]).any()
    np.testing.assert_allclose(w[:, ~slow.diverged], slow.w[:, ~slow.diverged], rtol=1e-11, atol=1e-12)


@needs_compiler
def test_a_member_does_not_depend_on_its_neighbours():
    game, rule = cubic(), gd.rules.GDA(0.01)
    start = np.random.default_rng(0).normal(size=(501, 2)) * 3
    together = gd.iterate(game, rule, start, 400, "last", kernel="c")
    reverse = gd.iterate(game, rule, start[::-1], 400, "last", kernel="c", threads=1)
    alone = gd.iterate(game, rule, start[77], 400, "last", kernel="c")
    np.testing.assert_array_equal(together.w, reverse.w[::-1])
    np.testing.assert_array_equal(together.w[77], alone.w)


def test_points_that_come_back_from_infinity_are_watched_at_every_step():
    """x+ = 1 / (1 + y^2), y+ = exp(x) overflows and is finite again two steps later: no window may forget it."""
    traced = gd.update_map(gd.games.bilinear(), gd.rules.GDA(1))
    assert traced.kernel("numpy").program.absorbing
    x, y = traced.symbols
    bounded = dataclasses.replace(traced, outputs=(1 / (1 + y**2), sympy.exp(x)))
    for backend in ["numpy", *(["c"] if compiling.compiler() else [])]:
        kernel = bounded.kernel(backend)
        assert not kernel.program.absorbing
        run = kernel.run(np.array([[800.0, 1.0], [1.0, 1.0]]), 20)
        assert run.alive.tolist() == [False, True]
        assert run.done.tolist() == [0, 20]
        assert run.z[0].tolist() == [800.0, 1.0]


# --- the kernel as a function -----------------------------------------------------------------------------------------


def test_a_kernel_is_a_function_of_augmented_states():
    game, rule = gd.games.dirac_gan(), gd.rules.Adam(0.1)
    kernel = gd.update_map(game, rule).kernel("numpy")
    z = np.random.default_rng(0).uniform(size=(2, 3, 6))
    w, state = catalogue.unflat(z, rule.init(game, z[..., :2]), 2, [4])
    w, state, _ = rule.step(game, w, state)
    np.testing.assert_allclose(kernel(z, counters=[4]), catalogue.flat(w, state), rtol=1e-13)
    np.testing.assert_allclose(kernel(kernel(z, counters=[4]), counters=[5]), kernel(z, 2, [4]), rtol=1e-13)
    with pytest.raises(ShapeError, match=r"\(2, 3, 5\).*\(\.\.\., 6\)"):
        kernel(z[..., :5])


def test_kernels_refuse_by_name():
    traced = gd.update_map(gd.games.bilinear(), gd.rules.GDA("lr"))
    with pytest.raises(ParameterError, match="lr has no value"):
        traced.kernel()
    with pytest.raises(UnknownNameError, match="did you mean 'numpy'"):
        gd.update_map(gd.games.bilinear(), gd.rules.GDA(0.1)).kernel("nunpy")
    with pytest.raises(ParameterError, match="threads=0"):
        gd.iterate(gd.games.bilinear(), gd.rules.GDA(0.1), [1, 1], 5, kernel="numpy", threads=0)
    with pytest.raises(DomainError, match="'torch' for tensors"):
        gd.iterate(gd.games.bilinear(), gd.rules.GDA(0.1), [1, 1], 5, kernel="torch")


def test_every_backend_shows_its_source():
    traced = gd.update_map(gd.games.dirac_gan(), gd.rules.Extragradient(0.1))
    for backend in BACKENDS:
        if backend == "c" and compiling.compiler() is None:
            continue
        if backend == "numba":
            pytest.importorskip("numba")
        kernel = traced.kernel(backend)
        assert "sigmoid" in str(kernel) or "exp(" in str(kernel)
        assert backend in repr(kernel)


def test_numba_is_optional(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(MissingDependencyError, match="pip install numba"):
        gd.update_map(gd.games.bilinear(), gd.rules.GDA(0.1)).kernel("numba")


@needs_node
def test_javascript_is_one_self_contained_function():
    game = gd.games.from_sympy(
        sympy.erf(sympy.Symbol("x", real=True)) * sympy.Symbol("y", real=True),
        [sympy.Symbol("x", real=True), sympy.Symbol("y", real=True)],
    )
    kernel = gd.update_map(game, gd.rules.GDA(0.5)).kernel("javascript")
    x = np.array([-7.0, -2.5, -1e-3, 0.0, 0.7, 3.0, 5.9, 8.0])
    script = f"const f = {kernel.source}; console.log(JSON.stringify({x.tolist()}.map((x) => f([x, 0])[1])))"
    answer = subprocess.run(["node", "-e", script], capture_output=True, text=True, check=True).stdout
    from scipy.special import erf

    np.testing.assert_allclose(np.array(eval(answer)), 0.5 * erf(x), rtol=1e-14, atol=1e-16)


# --- the compiler -----------------------------------------------------------------------------------------------------
