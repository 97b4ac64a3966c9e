"""Every registered rule on every registered game in every world: one definition, the same numbers.

A pair inside the rule's domain is stepped from shared random states, fresh and after some steps, by NumPy, by torch, by
the traced map read through SymPy's own code printers (in double precision, and to 40 digits with mpmath), and by the
generated kernels. Outside the domain it is refused by name. The fast suite runs a sample in which every rule and every
game occurs; the slow marker adds every pair.
"""

from __future__ import annotations

import functools
import shutil

import numpy as np
import pytest
import torch
from contract_cases import by_lambdify, by_mpmath, reached

import gandyn as gd
from catalogue import GAMES, RULES, Pair, accepts, augmented, fits, flat, game, label, points, rule, seeded, unflat
from gandyn.worlds import NUMPY, SYMBOLS, TORCH

STATES, STEPS = 200, 50
TOLERANCE = 1e-12
COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
GAME_NAMES = sorted({name for name, _ in GAMES})
RULE_NAMES = sorted({name for name, _ in RULES})


# --- which pairs ------------------------------------------------------------------------------------------------------


def rotated(cases, name, turn):
    """One of a name's examples, another at every turn, so that all examples come up over the full set."""
    own = [case for case in cases if case[0] == name]
    return own[turn % len(own)]


def pair(rule_name, game_name):
    """The examples that this rule and this game meet with: all of them occur, as the counts below assert."""
    r, g = RULE_NAMES.index(rule_name), GAME_NAMES.index(game_name)
    return Pair(rotated(RULES, rule_name, g), rotated(GAMES, game_name, r + g // 3))


EVERY_PAIR = [pair(r, g) for r in RULE_NAMES for g in GAME_NAMES]
# The fast suite: every example of a rule on one of two games that all rules accept, every example of a game with
# gradient steps and with one of a handful of other rules.
CORE = (("quadratic", 0), ("dirac_gan", 0))
LIGHT = (("Adam", 1), ("AlternatingGD", 2), ("SGDM", 1), ("Extragradient", 1), ("HeavyBall", 2), ("OptimisticGD", 1))
FAST = sorted(
    {Pair(case, CORE[k % 2]) for k, case in enumerate(RULES)}
    | {Pair(LIGHT[k % len(LIGHT)], case) for k, case in enumerate(GAMES)}
    | {Pair(("SimultaneousGD", 0), case) for case in GAMES}
)
SLOW = sorted({*EVERY_PAIR} - {*FAST})
COMPILED = {*FAST[::5], *SLOW}  # each compilation takes a good part of a second


def inside(p):
    """Whether the pair lies inside the domain that the rule declares."""
    return accepts(rule(p.rule), game(p.game)) and fits(rule(p.rule), game(p.game))


# --- states -----------------------------------------------------------------------------------------------------------


def shared_states(a_rule, a_game):
    """Half of the states fresh, half two steps on, as (w, state) with ensembles of `STATES` / 2."""
    w = points(a_game, STATES, seed="contract")
    for part, steps in ((w[: STATES // 2], 0), (w[STATES // 2 :], 2)):
        at, state = reached(a_rule, a_game, part, steps)
        z = flat(at, state)
        keep = (np.abs(z) < 1e3).all(-1)
        if keep.sum() <= 0.5 * len(keep):
            assert steps, f"{len(keep) - keep.sum()} of {len(keep)} fresh states are too large"
            return  # one step from the fresh states is what there is to compare
        z = z[keep]
        counters = [c for _, c in state.counter_leaves()]
        yield (*unflat(z, state, a_game.dim, counters), z, counters)


def to_torch(w, state):
    arrays = [torch.tensor(np.array(a), dtype=torch.float64) for _, a in state.leaves()]
    counters = [c for _, c in state.counter_leaves()]
    return torch.tensor(w, dtype=torch.float64), state.replace_leaves(iter(arrays), iter(counters))


# --- the routes -------------------------------------------------------------------------------------------------------


def backends(p):
    """The generated kernels that this pair is held to."""
    return ("numpy", "torch", "c") if COMPILER and p in COMPILED else ("numpy", "torch")


def by_numpy(a_rule, a_game, w, state):
    with np.errstate(all="ignore"):
        after, state, _ = a_rule.step(a_game, w, state, np.random.default_rng(3))
    return flat(after, state)


def by_torch(a_rule, a_game, w, state):
    tw, tstate = to_torch(w, state)
    after, tstate, _ = a_rule.step(a_game, tw, tstate, np.random.default_rng(3))
    assert after.dtype == torch.float64
    return torch.cat([after, *(a.expand(*after.shape[:-1], -1) for _, a in tstate.leaves())], -1).detach().numpy()


@functools.cache
def trace_of(p):
    """The traced map, or the refusal that explains why there is none."""
    try:
        return gd.update_map(game(p.game), rule(p.rule))
    except gd.GandynError as refusal:
        return refusal


# --- agreement --------------------------------------------------------------------------------------------------------


def sensitivity(step, z):
    """How much a small change of z's entries grows in one step, at least 1: what any arithmetic may lose."""
    growth = [np.ones(z.shape[:-1])]
    for h in (1e-7, 1e-11):  # near a small divisor the two scales differ
        for k in range(8):  # a cancellation shows only where its terms move apart
            nudge = h * seeded("nudge", k).choice([-1.0, 1.0], size=z.shape) * np.abs(z)
            growth.append(np.abs(step(z + nudge) - step(z)).max(-1) / (h * (np.abs(z).max(-1) + 1e-3)))
    return np.nan_to_num(growth, nan=np.inf).max(0)  # no finite step at all: infinitely sensitive


def agree(route, found, expected, allowance, divisor=None):
    """Members agree to `allowance` relative to their own largest coordinate.

    A rule that divides by `divisor` (Adam's eps) makes 1e-16 / divisor of a field that cancels to its last bit: one
    member in fifty may.
    """
    size = np.maximum(np.abs(expected).max(-1), 1)
    error = np.abs(found - expected).max(-1) / size
    worst = int(np.nanargmax(error / allowance)) if len(error) else 0
    assert np.isfinite(found).all(), f"{route}: not finite"
    lost = error > allowance
    if divisor and lost.mean() <= 0.02:
        lost &= error > 1e-16 / divisor
    assert not lost.any(), f"{route} is off by {error[worst]:.2e}, {lost.sum()} members"


def check_one_step(p):
    """All routes from all states; the routes that ran."""
    a_rule, a_game = rule(p.rule), game(p.game)
    traced = trace_of(p)
    routes = set()
    for w, state, z, counters in shared_states(a_rule, a_game):
        expected = by_numpy(a_rule, a_game, w, state)
        finite = (np.abs(expected) < 1e6).all(-1)
        if finite.sum() <= 0.5 * len(finite):  # the rule divides by what is all but zero here: nothing to compare
            assert np.median(sensitivity(augmented(a_game, a_rule, w, state), z)) > 1e6
            continue
        w, z, expected = w[finite], z[finite], expected[finite]
        _, state = unflat(z, state, a_game.dim, counters)
        divisor = getattr(a_rule, "eps", None)
        slack = getattr(a_rule, "tolerance", 0) or 0  # an implicit rule is as exact as the residual it asks for
        allowance = max(TOLERANCE, 10 * slack) * sensitivity(augmented(a_game, a_rule, w, state), z)
        if TORCH in a_game.worlds:
            agree("torch", by_torch(a_rule, a_game, w, state), expected, allowance, divisor)
            routes.add(TORCH)
        if not isinstance(traced, gd.GandynError):
            agree("lambdify", by_lambdify(traced, z, counters), expected, allowance, divisor)
            agree("mpmath", by_mpmath(traced, z[:3], counters), expected[:3], allowance[:3])
            for backend in backends(p):
                array = torch.tensor(z) if backend == "torch" else z
                found = traced.kernel(backend)(array, steps=1, counters=counters)
                agree(f"{backend} kernel", np.asarray(found), expected, allowance, divisor)
            routes.add(SYMBOLS)
    return routes


def check_many_steps(p):
    """Runs of `STEPS` steps from members that do not expand: the number of members compared."""
    a_rule, a_game, traced = rule(p.rule), game(p.game), trace_of(p)
    w = points(a_game, 20, seed="long", scale=0.3)
    nudged = a_game.project(w + 1e-7 * seeded("long nudge").normal(size=w.shape))
    try:
        ends = [reached(a_rule, a_game, start, STEPS)[0] for start in (w, nudged)]
    except (gd.errors.ConvergenceError, np.linalg.LinAlgError):  # a member ran away to where a system is singular
        return 0
    with np.errstate(all="ignore"):
        calm = np.abs(ends[1] - ends[0]).max(-1) <= 3 * np.abs(nudged - w).max(-1)
    calm &= np.abs(ends[0]).max(-1) <= 3 * np.abs(w).max(-1) + 1e-9
    if not calm.any():
        return 0
    w, expected = w[calm], ends[0][calm]
    allowance = np.full(len(w), max(TOLERANCE, 100 * (getattr(a_rule, "tolerance", 0) or 0)))
    found = gd.iterate(a_game, a_rule, w, STEPS, record="last").w
    agree("iterate", found, expected, allowance)
    if TORCH in a_game.worlds:
        found = gd.iterate(a_game, a_rule, torch.tensor(w), STEPS, record="last").w
        agree("torch", found.detach().numpy(), expected, allowance)
    if not isinstance(traced, gd.GandynError):
        z = flat(w, a_rule.init(a_game, w, np.random.default_rng(1)))
        counters = [c for _, c in a_rule.init(a_game, w, np.random.default_rng(1)).counter_leaves()]
        for backend in backends(p):
            start = torch.tensor(z) if backend == "torch" else z
            run = np.asarray(traced.kernel(backend)(start, steps=STEPS, counters=counters))
            agree(f"{backend} kernel", run[..., : a_game.dim], expected, allowance)
    return len(w)


def check(p):
    """Inside the domain all worlds agree; outside, each way in is refused by the rule's name."""
    a_rule, a_game = rule(p.rule), game(p.game)
    if not inside(p):
        start = points(a_game, 1)[0]
        for way_in in (
            lambda: a_rule.init(a_game, start),
            lambda: gd.iterate(a_game, a_rule, start, 1),
            lambda: gd.update_map(a_game, a_rule),
        ):
            with pytest.raises(gd.GandynError) as caught:
                way_in()
            assert "\n" not in str(caught.value)
        return
    refusal = refused(lambda: a_rule.check(a_game), gd.errors.DomainError)
    if refusal:  # a domain finer than the flags: said by name, and everywhere
        assert type(a_rule).__name__ in refusal
        assert refused(lambda: gd.iterate(a_game, a_rule, points(a_game, 1)[0], 1), gd.errors.DomainError) == refusal
        return
    if singular(a_rule, a_game):
        return
    try:
        routes = check_one_step(p)
    except gd.errors.ConvergenceError:  # some state has no solution: said by name
        with pytest.raises(gd.errors.ConvergenceError, match=type(a_rule).__name__):
            check_one_step(p)
        return
    assert routes or a_game.worlds == {NUMPY} or not a_rule.domain.smooth or a_rule.domain.two_player
    if a_rule.domain.smooth and a_game.smooth and a_game.deterministic:
        check_many_steps(p)


def singular(a_rule, a_game):
    """Whether the linear system inside the rule's step has no solution on this game: said by name in both worlds."""
    w = points(a_game, 3)
    refusal = refused(lambda: reached(a_rule, a_game, w, 1), gd.errors.ConvergenceError)
    if refusal:
        state = a_rule.init(a_game, w, np.random.default_rng(0))
        assert type(a_rule).__name__ in refusal
        assert refused(lambda: by_torch(a_rule, a_game, w, state), gd.errors.ConvergenceError)
    return bool(refusal)


def refused(call, kind):
    """The message with which a call is refused; empty if it is not."""
    try:
        call()
    except kind as refusal:
        return str(refusal)
    return ""


@pytest.mark.parametrize("p", FAST, ids=label)
def test_worlds_agree(p):
    check(p)


@pytest.mark.slow
@pytest.mark.parametrize("p", SLOW, ids=label)
def test_worlds_agree_on_every_pair(p):
    check(p)


# --- the tests above speak of something -------------------------------------------------------------------------------


def test_every_rule_and_game_has_examples_and_occurs():
    """A registered thing without examples fails here; so does an example that no pair uses."""
    assert {e.name for e in gd.rules.registry} == {*RULE_NAMES}
    assert {e.name for e in gd.games.registry} == {*GAME_NAMES}
    everything = {*FAST, *SLOW}
    assert {p.rule for p in everything} == {*RULES}
    assert {p.game for p in everything} == {*GAMES}
    assert len(everything) >= len(RULE_NAMES) * len(GAME_NAMES)
    assert {p.rule[0] for p in FAST} == {*RULE_NAMES}
    assert {p.game[0] for p in FAST} == {*GAME_NAMES}


def test_most_pairs_lie_inside_their_domains():
    """Not refused: every rule on some game and every game by some rule, and most pairs altogether."""
    accepted = [p for p in {*EVERY_PAIR, *FAST} if inside(p)]
    assert {p.rule[0] for p in accepted} == {*RULE_NAMES}
    assert {p.game[0] for p in accepted} == {*GAME_NAMES}
    assert len(accepted) > 0.6 * len(EVERY_PAIR)


@pytest.mark.parametrize("name", RULE_NAMES)
def test_every_rule_can_be_traced(name):
    """Symbols are refused on some games; not on the first bilinear or quadratic one that the rule accepts."""
    pairs = [Pair(case, (g, 0)) for case in RULES if case[0] == name for g in ("bilinear", "quadratic")]
    traced = [trace_of(p) for p in pairs if accepts(rule(p.rule), game(p.game))]
    assert any(not isinstance(t, gd.GandynError) for t in traced), [str(t) for t in traced]


@pytest.mark.parametrize("case", RULES, ids=label)
def test_smooth_rules_are_compared_along_whole_runs(case):
    """The long comparison has calm members on a contracting game, so that it compares something."""
    a_rule, p = rule(case), Pair(case, ("quadratic", 0))
    if a_rule.domain.smooth and inside(p):
        assert check_many_steps(p) > 0


# --- facts on the objects ---------------------------------------------------------------------------------------------
