"""Linear maps that take many steps at once in NumPy, against the same steps one by one."""

import numpy as np
import pytest

import gandyn as gd
from gandyn.dynamics.powers import Powers, is_affine

PLANE, COUPLED = gd.games.bilinear(), gd.games.bilinear([[1, 2], [0.5, -1]])
RULES = [
    gd.rules.GDA(0.1),
    gd.rules.Extragradient((0.1, 0.2)),
    gd.rules.OptimisticGD(0.1),
    gd.rules.HeavyBall(0.05, -0.3),
    gd.rules.AlternatingGD(0.2),
]


def both(game, rule, start, steps, **options):
    """The run in powers, and step by step."""
    return [gd.iterate(game, rule, start, steps, kernel=kernel, **options) for kernel in ("numpy", "eager")]


@pytest.mark.parametrize("record", ["last", 37])
@pytest.mark.parametrize("game", [PLANE, COUPLED], ids=["plane", "coupled"])
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_thousand_steps_in_powers_agree_with_single_steps_to_twelve_digits(rule, game, record):
    start = np.random.default_rng(0).normal(size=(40, game.dim))
    assert is_affine(gd.update_map(game, rule).kernel("numpy").program)
    fast, slow = both(game, rule, start, 1000, record=record)
    size = np.abs(slow.w).max(-1, keepdims=True)
    assert (np.abs(fast.w - slow.w) <= 1e-12 * size).all()
    for (_, ours), (_, theirs) in zip(fast.state.leaves(), slow.state.leaves(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12 * size.max())
    assert fast.steps.tolist() == slow.steps.tolist()
    assert fast.counts.fields == slow.counts.fields


@pytest.mark.parametrize(("lr", "bound"), [(30.0, np.inf), (3.0, np.inf), (0.1, 5.0)])
def test_members_stop_at_the_same_step_and_hold_the_same_point(lr, bound):
    """Starts of 600 decades: they overflow, or leave the bound, inside different windows or never."""
    rng = np.random.default_rng(1)
    start = rng.normal(size=(200, 2)) * 10.0 ** rng.integers(-300, 300, size=(200, 1))
    fast, slow = both(PLANE, gd.rules.GDA(lr), np.where(np.abs(start) < 5, start, start if bound > 5 else 1), 777,
                      record="last", bound=bound)  # fmt: skip
    assert fast.steps.tolist() == slow.steps.tolist()
    assert len(set(fast.steps.tolist())) > 1
    assert fast.status.tolist() == slow.status.tolist()
    np.testing.assert_allclose(fast.w, slow.w, rtol=1e-10)


def test_how_long_steps_take_changes_no_bit(monkeypatch):
    from gandyn.dynamics import kernels

    start = np.random.default_rng(3).normal(size=(50, 2))
    for record in ("last", 100):
        whole = gd.iterate(PLANE, gd.rules.GDA(0.1), start, 1000, record, kernel="numpy").w
        with monkeypatch.context() as patched:
            patched.setattr(kernels, "CHUNK_SECONDS", 1e-9)
            pieces = gd.iterate(PLANE, gd.rules.GDA(0.1), start, 1000, record, kernel="numpy").w
        assert np.array_equal(whole, pieces)


def test_members_are_on_their_own():
    """A number depends on no other member, to the last bit."""
    start = np.random.default_rng(2).normal(size=(50, 4))
    whole = gd.iterate(COUPLED, gd.rules.GDA(0.1), start, 300, "last", kernel="numpy").w
    alone = gd.iterate(COUPLED, gd.rules.GDA(0.1), start[7:8], 300, "last", kernel="numpy").w
    assert np.array_equal(whole[7:8], alone)


def test_maps_that_are_not_linear_or_change_from_step_to_step_take_single_steps():
    def program(game, rule):
        return gd.update_map(game, rule).kernel("numpy").program

    assert not is_affine(program(gd.games.dirac_gan(), gd.rules.GDA(0.1)))
    assert not is_affine(program(PLANE, gd.rules.Adam(0.1)))
    assert not is_affine(program(PLANE, gd.rules.Anchored(0.1)))  # the anchor's weight falls with the step's number
    game = gd.games.from_sympy("a*b + a", ["a", "b"])
    assert is_affine(program(game, gd.rules.GDA(0.1)))
    moved = Powers(program(game, gd.rules.GDA(0.1)), lambda z: [z[0] - 0.1 * (z[1] + 1), z[1] + 0.1 * z[0]])
    assert not moved.linear
    fast, slow = both(game, gd.rules.GDA(0.1), [[1.0, 2.0]], 500, record="last")
    np.testing.assert_allclose(fast.w, slow.w, rtol=1e-12)
    rates = gd.rules.GDA(np.array([0.1, 0.2, 0.3]))
    fast, slow = both(PLANE, rates, [1.0, 0.0], 500, record="last")
    np.testing.assert_allclose(fast.w, slow.w, rtol=1e-12)
