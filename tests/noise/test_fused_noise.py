"""Noise in compiled code is the noise of the steps taken one by one, for any number of threads."""

from __future__ import annotations

import numpy as np
import pytest

import gandyn as gd
from gandyn.dynamics import compile as compiling
from gandyn.errors import DomainError, ParameterError

R = gd.rules
GAME = gd.games.quadratic(0.7, 1.9, 0.45)
STARTS = np.random.default_rng(1).normal(size=(2100, 2))
NOISES = {
    "number": gd.noise.Additive(0.3),
    "matrix": gd.noise.Additive([[0.4, 0.1], [0.1, 0.3]]),
    "uniform": gd.noise.Additive((0.2, 0.9), law="uniform"),
    "moving": gd.noise.Additive(("0.3 + x**2", "0.2 + y**2/4")),
}
RULES = [R.GDA(0.1), R.Extragradient(0.1), R.Extragradient(0.1, fresh=True), R.OptimisticGD(0.1), R.Adam(0.01)]
needs_compiler = pytest.mark.skipif(compiling.compiler() is None, reason="no C compiler here")
FAST = {("number", "GDA")}


def name(rule):
    short = "GDA" if rule.name == "SimultaneousGD" else rule.name
    return f"{short} fresh" if getattr(rule, "fresh", False) else short


CASES = [
    pytest.param(noise, rule, id=f"{noise}-{name(rule)}", marks=[] if (noise, name(rule)) in FAST else pytest.mark.slow)
    for noise in NOISES
    for rule in RULES
]


@needs_compiler
@pytest.mark.parametrize(("noise", "rule"), CASES)
def test_compiled_and_eager_runs_see_the_same_noise(noise, rule):
    def run(kernel, **options):
        return gd.iterate(GAME, rule, STARTS, 40, noise=NOISES[noise], rng=3, kernel=kernel, **options)

    eager, fused = run("eager", record=7), run("c", record=7, threads=3)
    assert (eager.kernel, fused.kernel) == ("eager", "c")
    np.testing.assert_allclose(fused.w, eager.w, rtol=1e-11, atol=1e-12)
    np.testing.assert_array_equal(run("c", record="last", threads=1).w, run("c", record="last", threads=2).w)
    np.testing.assert_allclose(
        run("c", record="last").w, eager.w[-1] if 40 % 7 == 0 else run("eager").w[-1], atol=1e-11
    )


@needs_compiler
def test_a_generator_goes_on_where_the_steps_would_leave_it():
    first, second = np.random.default_rng(4), np.random.default_rng(4)
    gd.iterate(GAME, R.OptimisticGD(0.1), [1.0, 0.0], 12, noise=0.1, rng=first, kernel="c")
    gd.iterate(GAME, R.OptimisticGD(0.1), [1.0, 0.0], 12, noise=0.1, rng=second, kernel="eager")
    assert first.integers(2**63) == second.integers(2**63)


@needs_compiler
def test_members_that_leave_do_not_disturb_the_noise_of_others():
    """Members with huge starts overflow inside a window, which then runs again: with the same noise."""
    starts = STARTS[:200].copy()
    starts[::7] = 1e300
    game, rule = gd.games.bilinear([[1.0]]), R.GDA(1.5)
    eager, fused = (
        gd.iterate(game, rule, starts, 30, noise=0.2, rng=5, kernel=k, record="last") for k in ("eager", "c")
    )
    np.testing.assert_allclose(fused.w, eager.w, rtol=1e-10)
    np.testing.assert_array_equal(fused.steps, eager.steps)
    assert (fused.steps < 30).sum() == len(starts[::7])


def test_what_is_not_fused_says_why():
    heavy = gd.noise.Additive(0.1, law="student")
    with pytest.raises(DomainError, match="heavy-tailed"):
        gd.iterate(GAME, R.GDA(0.1), [1.0, 0.0], 20, noise=heavy, kernel="c")
    with pytest.raises(DomainError, match="noise in the backend 'numpy'"):
        gd.iterate(GAME, R.GDA(0.1), [1.0, 0.0], 20, noise=0.1, kernel="numpy")
    with pytest.raises(DomainError, match="with noise"):
        gd.update_map(heavy.applied(GAME), R.GDA(0.1)).kernel()
    with pytest.raises(ParameterError, match="negative where the field"):
        gd.iterate(GAME, R.GDA(0.1), [2.0, 0.0], 20, noise=gd.noise.Additive(("1 - x**2", 1)), kernel="c")
    silent = gd.iterate(GAME, R.GDA(0.1), [1.0, 0.0], 20, noise=0.1, rng=None)
    np.testing.assert_array_equal(silent.w, gd.iterate(GAME, R.GDA(0.1), [1.0, 0.0], 20, kernel="eager").w)
