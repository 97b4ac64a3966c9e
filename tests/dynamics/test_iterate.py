"""`gd.iterate`: what it records, when members stop, what it counts, what it refuses, and what Ctrl-C leaves."""

from __future__ import annotations

import dataclasses
import tracemalloc

import numpy as np
import pytest
import sympy

import gandyn as gd
from gandyn.dynamics import cached
from gandyn.errors import DomainError, ParameterError, ShapeError
from gandyn.results import Interrupted, Status
from gandyn.rules import SimultaneousGD

WAYS = ["eager", "numpy"]


# --- records ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", WAYS)
def test_records_are_rows_of_one_trajectory(kernel):
    game, rule = gd.games.dirac_gan(), gd.rules.OptimisticGD(0.1)
    start = np.random.default_rng(0).normal(size=(2, 3, 2))
    full = gd.iterate(game, rule, start, 50, kernel=kernel)
    assert full.w.shape == (51, 2, 3, 2)
    assert full.w.flags.c_contiguous
    assert full.t.tolist() == list(range(51))
    np.testing.assert_array_equal(full.w[0], start)
    some = gd.iterate(game, rule, start, 50, 8, kernel=kernel)
    assert some.t.tolist() == [0, 8, 16, 24, 32, 40, 48]
    np.testing.assert_array_equal(some.w, full.w[::8])
    last = gd.iterate(game, rule, start, 50, "last", kernel=kernel)
    assert last.t.tolist() == [50]
    np.testing.assert_array_equal(last.w, full.w[-1])
    assert full.steps.tolist() == [[50] * 3] * 2
    assert set(full.status.ravel()) == {Status.OK}


@pytest.mark.parametrize("kernel", WAYS)
def test_one_start_and_no_steps(kernel):
    game, rule = gd.games.bilinear(), gd.rules.GDA(0.1)
    one = gd.iterate(game, rule, [1, 0], 3, kernel=kernel)
    assert one.w.shape == (4, 2)
    assert one.status is Status.OK
    assert one.steps == 3
    none = gd.iterate(game, rule, [[1, 0]], 0, kernel=kernel)
    assert none.w.tolist() == [[[1.0, 0.0]]]
    assert none.steps.tolist() == [0]


def test_a_start_outside_the_box_is_projected_first():
    game = gd.games.boxed_bilinear()
    traj = gd.iterate(game, gd.rules.GDA(0.1), np.full(game.dim, 100.0), 0)
    np.testing.assert_array_equal(traj.w[0], game.project(np.full(game.dim, 100.0)))


def test_memory_of_the_last_point_does_not_grow_with_the_steps():
    game, rule = gd.games.bilinear(), gd.rules.GDA(0.01)
    start = np.random.default_rng(0).normal(size=(200, 2))

    def peak(steps, kernel):
        gd.iterate(game, rule, start, 1, "last", kernel=kernel)
        tracemalloc.start()
        gd.iterate(game, rule, start, steps, "last", kernel=kernel)
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    for kernel in WAYS:
        assert peak(4000, kernel) - peak(100, kernel) < 3900 * 3200 / 10  # a row is 3 200 bytes


@pytest.mark.parametrize("kernel", ["auto", *WAYS])
def test_the_norm_of_the_field_is_there_whichever_way_a_run_took(kernel):
    traj = gd.iterate(gd.games.bilinear(), gd.rules.GDA(0.2), [[1.0, 0.5], [0.0, 2.0]], 20, kernel=kernel)
    growth = np.sqrt(1 + 0.2**2) ** np.arange(21)
    np.testing.assert_allclose(traj.field_norm, np.outer(growth, [np.hypot(1.0, 0.5), 2.0]), rtol=1e-13)


# --- stopping ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", WAYS)
def test_diverged_members_hold_point_and_state(kernel):
    x, y = sympy.symbols("x y", real=True)
    game = gd.games.from_sympy(-(x**4) / 4 + x * y + y**4 / 4, [x, y])
    rule = gd.rules.HeavyBall(0.05, 0.3)
    start = np.array([[0.1, 0.1], [5.0, 0.0], [30.0, 1.0]])
    traj = gd.iterate(game, rule, start, 60, kernel=kernel)
    assert list(traj.status) == [Status.OK, Status.DIVERGED, Status.DIVERGED]
    assert traj.steps[0] == 60 > traj.steps[1] > traj.steps[2] > 0
    for member in (1, 2):
        alone = gd.iterate(game, rule, start[member], int(traj.steps[member]), kernel=kernel)
        assert alone.status is Status.OK
        np.testing.assert_allclose(traj.w[-1, member], alone.w[-1], rtol=1e-13)
        np.testing.assert_allclose(traj.state["momentum"][member], alone.state["momentum"], rtol=1e-13)
    gone = gd.iterate(game, rule, start[1:], 60, kernel=kernel)
    assert gone.w.shape == (61, 2, 2)
    assert gone.counts.fields == traj.steps[1] + 1  # the step that overflowed was computed too


def test_a_held_member_stays_where_it_is_when_its_next_step_would_be_finite_again():
    @dataclasses.dataclass(frozen=True)
    class Cooling(SimultaneousGD):
        """Steps that overflow at first and are modest later."""

        def init(self, game, w, rng=None):
            return gd.types.State({}, {"steps": 0})

        def step(self, game, w, state, rng=None):
            t = state["steps"] + 1
            return w - (1e300 if t < 5 else 0.1) * game.field(w), gd.types.State({}, {"steps": t}), {}

    traj = gd.iterate(gd.games.bilinear(), Cooling(0.1), [[1.0, 1.0], [0.0, 0.0]], 10, kernel="eager")
    assert traj.steps.tolist() == [1, 10]
    assert traj.w[-1].tolist() == traj.w[1].tolist() == [[-1e300, 1e300], [0.0, 0.0]]


def test_a_bound_stops_members_that_leave_and_would_come_back():
    traj = gd.iterate(
        gd.games.bilinear(), gd.rules.AlternatingGD(0.1), [[1.0, 0.0], [3.0, 0.0]], 100, bound=2.0, kernel="numpy"
    )
    slow = gd.iterate(
        gd.games.bilinear(), gd.rules.AlternatingGD(0.1), [[1.0, 0.0], [3.0, 0.0]], 100, bound=2.0, kernel="eager"
    )
    assert list(traj.status) == [Status.OK, Status.DIVERGED]
    assert traj.steps.tolist() == slow.steps.tolist() == [100, 0]


# --- counts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", WAYS)
def test_counts_are_the_oracles(kernel):
    game = gd.games.dirac_gan()
    rule = gd.rules.Alternating(gd.rules.Adam(0.1), repeats=(1, 3))
    before = game.counts * 1
    traj = gd.iterate(game, rule, np.ones((5, 2)), 40, kernel=kernel)
    assert traj.counts.player_gradients == 4 * 40
    assert game.counts.player_gradients - before.player_gradients == 4 * 40
    assert 0 < traj.counts.seconds == pytest.approx(game.counts.seconds - before.seconds)
    optimistic = gd.iterate(game, gd.rules.OptimisticGD(0.1), [1.0, 1.0], 40, kernel=kernel)
    assert optimistic.counts.fields == 41  # one at the start


def test_tracing_is_not_counted():
    game = gd.games.dirac_gan()
    gd.iterate(game, gd.rules.OptimisticGD(0.1), [1.0, 1.0], 0, kernel="numpy")
    assert game.counts.fields == 1


# --- which way --------------------------------------------------------------------------------------------------------


def test_long_runs_use_a_kernel_and_short_ones_do_not(monkeypatch, tmp_path):
    monkeypatch.setenv("GANDYN_CACHE", str(tmp_path))  # else it finds what an earlier run of this test compiled
    monkeypatch.setattr(cached, "_SHELVES", {})
    game, rule = gd.games.bilinear([[1.0625]]), gd.rules.AlternatingGD(0.1)
    assert gd.iterate(game, rule, [1.0, 0.0], 100).kernel == "eager"
    assert gd.iterate(game, rule, [1.0, 0.0], 20_000, "last").kernel in {"c", "numpy"}
    assert gd.iterate(game, rule, np.ones((20_000, 2)), 300, "last").kernel in {"c", "numpy"}


def test_kernels_are_made_once_for_a_game_and_equal_rules(monkeypatch):
    game = gd.games.bilinear()
    first = cached.compiled(game, gd.rules.GDA(0.1), "numpy", np.ones(2))
    monkeypatch.setattr("gandyn.dynamics.trace.traced", lambda *_: pytest.fail("traced again"))
    assert cached.compiled(game, gd.rules.GDA(0.1), "numpy", np.ones(2)) == first
    by_name = gd.rules.GDA({"x": 0.1, "y": 0.2})
    monkeypatch.undo()
    found = cached.compiled(game, by_name, "numpy", np.ones(2))
    assert found.kernel is cached.compiled(game, by_name, "numpy", np.ones(2)).kernel is not first.kernel


def test_a_rule_that_branches_on_values_runs_eagerly():
    @dataclasses.dataclass(frozen=True)
    class Clipped(SimultaneousGD):
        """Looks at numbers."""

        def step(self, game, w, state, rng=None):
            v = game.field(w)
            return w - 0.1 * (v if abs(v).max() < 1 else 0 * v), state, {"field": v}

    game = gd.games.bilinear()
    assert gd.iterate(game, Clipped(0.1), [0.5, 0.0], 5000, "last").kernel == "eager"
    with pytest.raises(DomainError, match="does not trace"):
        gd.iterate(game, Clipped(0.1), [0.5, 0.0], 5, kernel="numpy")


def test_large_games_are_not_written_out():
    n = 40
    game = gd.games.bilinear(np.eye(n).tolist())
    assert gd.iterate(game, gd.rules.GDA(0.1), np.ones(2 * n), 3500, "last").kernel == "eager"
    with pytest.raises(DomainError, match="too large"):
        gd.iterate(game, gd.rules.GDA(0.1), np.ones(2 * n), 2, kernel="numpy")


# --- torch ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", ["eager", "torch"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_tensors_stay_tensors(kernel, dtype):
    torch = pytest.importorskip("torch")
    start = torch.tensor([[1.0, 0.5], [0.2, 0.1]], dtype=getattr(torch, dtype), requires_grad=True)
    game, rule = gd.games.dirac_gan(), gd.rules.Extragradient(0.1)
    traj = gd.iterate(game, rule, start, 70, kernel=kernel)
    assert traj.w.dtype == start.dtype
    assert traj.w.device == start.device
    assert not traj.w.requires_grad
    expected = gd.iterate(game, rule, start.detach().numpy(), 70).w
    assert np.abs(traj.w.numpy() - expected).max() < (1e-13 if dtype == "float64" else 1e-5)
    assert list(traj.status) == [Status.OK] * 2


def test_an_overflow_in_single_precision_is_one():
    torch = pytest.importorskip("torch")
    for kernel in ("eager", "torch"):
        traj = gd.iterate(gd.games.bilinear(), gd.rules.GDA(9.0), torch.ones(3, 2), 60, kernel=kernel)
        assert traj.steps.tolist() == [40] * 3  # 82^(t/2) reaches 3.4e38 / sqrt(2) at t = 40.1
        assert torch.isfinite(traj.w).all()


# --- Ctrl-C and progress ----------------------------------------------------------------------------------------------


def test_ctrl_c_keeps_what_was_computed_eagerly():
    class Impatient:
        seen = 0

        def __call__(self, done, total):
            self.seen = done
            if done == 37:
                raise KeyboardInterrupt

    game, rule = gd.games.bilinear(), gd.rules.OptimisticGD(0.1)
    with pytest.raises(Interrupted) as caught:
        gd.iterate(game, rule, [[1.0, 0.0]], 100, kernel="eager", progress=Impatient())
    part = caught.value.trajectory
    assert part.w.shape == (38, 1, 2)
    assert part.t[-1] == 37
    assert list(part.status) == [Status.INTERRUPTED]
    np.testing.assert_array_equal(part.w, gd.iterate(game, rule, [[1.0, 0.0]], 37, kernel="eager").w)
    assert issubclass(Interrupted, KeyboardInterrupt)


@pytest.mark.parametrize("record", ["last", 3])
def test_ctrl_c_ends_a_kernel_at_its_last_whole_chunk(monkeypatch, record):
    from gandyn.dynamics import blocked, kernels

    monkeypatch.setattr(kernels, "CHUNK_SECONDS", 1e-9)  # one step a chunk
    game, rule = gd.games.dirac_gan(), gd.rules.OptimisticGD(0.1)
    start = np.random.default_rng(0).normal(size=(5, 2))
    whole = blocked.NumpyKernel._advance

    def interrupted(self, chunk):
        whole(self, chunk)
        if chunk.done.max() >= 11:
            raise KeyboardInterrupt

    monkeypatch.setattr(blocked.NumpyKernel, "_advance", interrupted)
    with pytest.raises(Interrupted) as caught:
        gd.iterate(game, rule, start, 100, record, kernel="numpy")
    part = caught.value.trajectory
    monkeypatch.undo()
    expected = gd.iterate(game, rule, start, 10, record, kernel="numpy")
    np.testing.assert_array_equal(part.w, expected.w)
    np.testing.assert_array_equal(part.state["previous_field"], expected.state["previous_field"])
    assert part.steps.tolist() == [10] * 5
    assert part.t[-1] == expected.t[-1]
    assert set(part.status) == {Status.INTERRUPTED}


def test_chunks_do_not_change_the_numbers(monkeypatch):
    from gandyn.dynamics import kernels

    game, rule = gd.games.dirac_gan(), gd.rules.Adam(0.1)
    start = np.random.default_rng(0).normal(size=(5, 2))
    for kernel in ["numpy", *(["c"] if kernels.usual_backend() == "c" else [])]:
        once = gd.iterate(game, rule, start, 61, 4, kernel=kernel)
        monkeypatch.setattr(kernels, "CHUNK_SECONDS", 1e-9)
        pieces = gd.iterate(game, rule, start, 61, 4, kernel=kernel)
        monkeypatch.undo()
        np.testing.assert_allclose(pieces.w, once.w, rtol=1e-13)
        assert list(pieces.state.counter_leaves()) == list(once.state.counter_leaves()) == [("steps", 61)]


def test_progress_tells_the_time_left(capsys, monkeypatch):
    from gandyn.dynamics import progress

    monkeypatch.setattr(progress, "INTERVAL", 0.0)
    gd.iterate(gd.games.bilinear(), gd.rules.GDA(0.1), [1.0, 0.0], 5, progress=True)
    line = capsys.readouterr().err
    assert "3/5 steps" in line
    assert "left" in line
    seen = []
    gd.iterate(gd.games.bilinear(), gd.rules.GDA(0.1), [1.0, 0.0], 3, progress=lambda *at: seen.append(at))
    assert seen == [(1, 3), (2, 3), (3, 3)]


# --- mistakes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([1.0], 5), ShapeError, r"\(1,\).*\(\.\.\., 2\)"),
        (([1.0, np.nan], 5), ShapeError, "not finite"),
        (([[1.0, 2.0], [3.0]], 5), ShapeError, "not an array of numbers"),
        ((["one", 2.0], 5), ShapeError, "not an array of numbers"),
        (([1.0, 0.0], -1), ParameterError, "steps=-1"),
        (([1.0, 0.0], 2.5), ParameterError, "steps=2.5"),
        (([1.0, 0.0], True), ParameterError, "steps=True"),
        (([1.0, 0.0], 5, "every"), ParameterError, "record='every'"),
        (([1.0, 0.0], 5, 0), ParameterError, "record=0"),
    ],
)
def test_mistakes_are_answered_in_one_line(arguments, error, message):
    with pytest.raises(error, match=message) as caught:
        gd.iterate(gd.games.bilinear(), gd.rules.GDA(0.1), *arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("bound", [0, -1.0, np.nan, "far"])
def test_bounds_are_positive(bound):
    with pytest.raises(ParameterError, match="bound="):
        gd.iterate(gd.games.bilinear(), gd.rules.GDA(0.1), [1.0, 0.0], 5, bound=bound)


def test_free_parameters_are_refused_by_name():
    with pytest.raises(ParameterError, match="lr has no numeric value"):
        gd.iterate(gd.games.bilinear(), gd.rules.GDA("lr"), [1.0, 0.0], 5)
    with pytest.raises(ParameterError, match="lr has no"):
        gd.iterate(gd.games.bilinear(), gd.rules.GDA("lr"), [1.0, 0.0], 5, kernel="numpy")
