"""Claims are fair: examples outside fail by the conclusion alone, verdicts rest on enough draws, draws are fixed."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy
from hypothesis import strategies as st

import gandyn as gd
from gandyn.claims import (
    Claim,
    Evidence,
    How,
    Origin,
    Outside,
    Verdict,
    check,
    converges,
    falsify,
    registry,
    strategies,
)
from gandyn.claims.base import FALSE, incomparable
from gandyn.claims.coverage import Coverage, departure
from gandyn.claims.falsify import Falsification
from gandyn.claims.recipe import recipe
from gandyn.claims.search import search
from gandyn.errors import ParameterError

CLAIMS = {entry.name: entry.build() for entry in registry}
DRAWS = 25
NUMBERS = st.fixed_dictionaries({"n": st.floats(0, 1)})


def claim(conclusion, outside, draws=20, **parts):
    parts.setdefault("hypotheses", lambda: NUMBERS)
    return Claim(
        "nobody.small", "A number is small.", "n < 1", "nobody", How.PROPERTY, conclusion, outside=outside,
        draws=draws, **parts,
    )  # fmt: skip


# --- every registered claim ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_says_whose_it_is(name):
    """The paper's, ours, or nobody's; a refuted statement says where it is said, and a correction whom it corrects."""
    one = CLAIMS[name]
    assert one.origin in Origin
    assert (one.origin is Origin.NOBODY) == (one.verdict is Verdict.REMARK)
    assert bool(one.said) == (one.verdict in (Verdict.REFUTED, Verdict.CORRECTED))
    if "derived here" in one.source or "found here" in one.source:
        assert one.origin in (Origin.SHARPENED, Origin.DERIVED)


@pytest.mark.parametrize("name", [n for n, c in CLAIMS.items() if c.verdict not in FALSE and c.outside])
def test_an_example_outside_has_a_control_that_restores_its_hypothesis(name):
    """`check` holds the conclusion to it; here only that there is one."""
    one = CLAIMS[name]
    drawn = None
    if one.hypotheses is not None:
        drawn = search(lambda **draw: True, one.hypotheses(), 3).names
        assert drawn
    for example in one.outside:
        control, draw = example.control(drawn), example.draw()
        assert control is not None, example.why
        different = {k for k in {*control, *draw} if recipe(control.get(k)) != recipe(draw.get(k))}
        assert len(different) == 1, f"{example.why}: {different}"


# --- examples outside ------------------------------------------------------------------------------------------------


def test_an_example_that_raises_does_not_show_that_the_conclusion_fails():
    def small(n, broken=False):
        if broken:
            raise ValueError("three rows beside two")
        return n <= 1

    found = check(claim(small, (Outside("a hypothesis", lambda: {"n": 0.5, "broken": True}),)))
    assert not found.agrees
    assert "it raises ValueError: three rows beside two" in found.because[0]


def test_an_example_that_cannot_be_compared_does_not_show_it_either():
    def same(n, degree=2):
        return Evidence(n <= 1) if degree == 2 else incomparable(f"degree {degree} beside 2")

    found = check(claim(same, (Outside("another degree", lambda: {"n": 0.5, "degree": 3}),)))
    assert not found.agrees
    assert "nothing could be compared: degree 3 beside 2" in found.because[0]


def test_an_example_that_fails_by_another_hypothesis_is_found_out_by_its_control():
    """It is said to fail because it is not positive; it fails just the same when that is restored: it is too large."""
    said = Outside("not positive", lambda: {"n": 5.0, "sign": -1}, restore=lambda: {"sign": 1})
    found = check(claim(lambda n, sign=1: n * abs(sign) <= 1, (said,)))
    assert not found.agrees
    assert "with its hypothesis restored it fails too" in found.because[0]
    inside = Outside("not positive", lambda: {"n": 5.0}, restore=lambda: {"n": 0.9})
    found = check(claim(lambda n: n <= 1, (inside,), where=lambda n: n < 0.5))
    assert "outside another one" in found.because[0]


# --- verdicts need draws ---------------------------------------------------------------------------------------------


def test_a_theorem_that_almost_no_draw_meets_is_not_confirmed():
    """x > 0.999 leaves a handful of draws: open, not "holds"."""
    outside = (Outside("n > 1", lambda: {"n": 2.0}),)
    rare = claim(lambda n: n <= 1, outside, draws=50, where=lambda n: n > 0.999 and n < 0.9999)
    found = check(rare)
    assert found.verdict is Verdict.OPEN
    assert not found.agrees
    assert not found.enough
    assert "too few for a verdict" in found.summary()
    usual = check(claim(lambda n: n <= 1, outside, draws=50, where=lambda n: n > 0.1))
    assert usual.agrees
    assert usual.enough
    nothing = falsify(lambda n: True, NUMBERS, draws=50, where=lambda n: 0.999 < n < 0.9999)
    assert not nothing.enough
    assert "too few" in nothing.summary()


def test_a_search_counts_shrinking_apart():
    found = falsify(lambda n: n < 0.1, NUMBERS, draws=500)
    assert found.counterexample == {"n": 1.0}
    assert found.tried < 60
    assert found.shrunk > 0
    assert f"found after {found.tried} draws, shrunk in {found.shrunk} more" in found.summary()


@pytest.mark.parametrize(
    "answer", [None, 1.0, math.nan, "yes", np.array([True, False]), [True], sympy.Symbol("x") > 0], ids=repr
)
def test_an_answer_that_is_no_truth_value_is_the_users_mistake(answer):
    with pytest.raises(ParameterError, match="a statement that answered"):
        falsify(lambda n: answer, NUMBERS, draws=5)
    with pytest.raises(ParameterError, match="a statement that answered"):
        Evidence(answer)


def test_answers_of_every_library_count():
    for true in (True, np.bool_(True), sympy.true, Evidence(True)):
        assert not falsify(lambda n, true=true: true, NUMBERS, draws=3)


def test_draws_depend_on_the_seed_alone(monkeypatch):
    """Not on the statement, on constants that stand somewhere in the package's text, or on Hypothesis's settings."""
    import hypothesis.internal.conjecture.providers as providers
    from hypothesis import settings

    def seen(seed=None, more=0):
        found = []
        falsify(lambda n: [found.append(n), more >= 0][1], NUMBERS, draws=40, seed=seed)
        return found

    first = seen()
    constants = providers.Constants()
    constants.floats.update({0.123456789, 0.987654321})
    monkeypatch.setattr(providers, "_local_constants", constants)
    assert seen(more=3) == first
    assert seen(seed=1) != first
    before = settings.get_current_profile_name()
    settings.register_profile("another", max_examples=3, derandomize=True, backend="hypothesis-urandom")
    try:
        settings.load_profile("another")
        assert seen() == first
    finally:
        settings.load_profile(before)


def test_claims_with_the_same_hypotheses_are_tried_on_different_games():
    one, other = (CLAIMS[f"daskalakis_2018.{name}"] for name in ("simultaneous_diverges", "optimism_converges"))
    assert one.seed != other.seed
    assert one.seed == 1_367_506_573  # on every machine


# --- what was drawn --------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_false_theorem_whose_corner_is_ill_conditioned_is_found():
    def tame(game):
        return bool(np.linalg.cond(game.jacobian(np.zeros(game.dim))) <= 300)

    found = falsify(tame, st.fixed_dictionaries({"game": strategies.strongly_monotone()}), draws=200)
    assert found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("strategy", "reaches"),
    [
        (strategies.strongly_monotone(), {"dim": 8, "condition": 300, "departure": 0.3}),
        (strategies.strongly_monotone(nonlinear=True, size=3), {"dim": 6, "condition": 50, "nonlinear": 1}),
        (strategies.planted(), {"dim": 6, "condition": 50, "departure": 0.7}),
        (strategies.bilinear(condition=1e4), {"dim": 6, "condition": 100}),
    ],
    ids=["strongly monotone", "not affine", "planted", "bilinear"],
)
def test_strategies_reach_the_corners_of_their_class(strategy, reaches):
    seen = falsify(lambda game: True, st.fixed_dictionaries({"game": strategy}), draws=DRAWS).coverage
    assert seen.games == seen.measured == DRAWS
    assert seen.dimensions[1] >= reaches["dim"]
    assert seen.condition[1] >= reaches["condition"]
    assert seen.departure[1] >= reaches.get("departure", 0)
    assert (seen.nonlinear == DRAWS) == ("nonlinear" in reaches)
    assert "condition of J" in seen.summary()


def test_knobs_narrow_a_strategy():
    normal = strategies.strongly_monotone(normal=True, condition=10)
    seen = falsify(lambda game: True, st.fixed_dictionaries({"game": normal}), draws=10).coverage
    assert seen.departure[1] < 1e-6
    assert seen.condition[1] < 20


@pytest.mark.slow
def test_strongly_monotone_games_are_so_everywhere():
    """<v(a) - v(b), a - b> >= mu |a - b|^2, affine or not."""

    def monotone(game, seed):
        a, b = np.random.default_rng(seed).normal(size=(2, game.dim)) * 3
        apart = a - b
        inner = float((game.field(a) - game.field(b)) @ apart)
        return bool(inner >= 0.5 * float(apart @ apart) * (1 - 1e-9))

    drawn = {"game": strategies.strongly_monotone(nonlinear=None), "seed": st.integers(0, 99)}
    found = falsify(monotone, st.fixed_dictionaries(drawn), draws=15)
    assert not found, found.summary()


def test_a_tilted_planted_game_has_its_spectrum_and_is_not_normal():
    game = gd.games.planted_quadratic([1 + 2j, 3 + 1j], seed=4, tilt=sympy.Rational(3, 4))
    matrix = np.array(game.jacobian_expr.tolist(), dtype=float)
    assert np.allclose(np.sort_complex(np.linalg.eigvals(matrix)), np.sort_complex([1 + 2j, 1 - 2j, 3 + 1j, 3 - 1j]))
    assert departure(matrix) > 0.3
    assert departure([[1, 2], [-2, 1]]) == 0
    # A Jordan block [[1, 1], [0, 1]]: 1 - 2/3.
    assert departure([[1, 1], [0, 1]]) == pytest.approx(math.sqrt(1 / 3))


def test_coverage_counts_what_it_can_and_says_nothing_without_games():
    seen = Coverage()
    seen.add({"n": 1})
    assert seen.summary() == ""
    seen.add({"game": gd.games.bilinear("s")})
    assert (seen.games, seen.measured) == (1, 0)
    seen.add({"game": gd.games.bilinear(((1, 0), (0, 0)))})
    assert seen.condition == (math.inf, math.inf)


@pytest.mark.parametrize(
    "game",
    [
        gd.games.quadratic(((2, 0), (0, 1)), ((0.1, 2), (3, 1)), ((1, 0), (0, 1))),
        gd.games.forsaken(),
        gd.games.general_quadratic((((1,), (3,)), ((3,), (0.3,)))),
    ],
    ids=lambda game: game.name,
)
def test_a_counterexample_can_be_rebuilt_from_its_text(game):
    """The costs are parsed again by our own grammar, and the fields agree to the last digit."""
    text = recipe(game).splitlines()[0]
    costs, players = eval(text.removeprefix("from_sympy"), {}, {})
    symbols = {name: sympy.Symbol(name, real=True) for names in players.values() for name in names.split()}
    again = gd.games.from_sympy(
        [sympy.sympify(cost, locals=symbols) for cost in costs],
        {player: [symbols[n] for n in names.split()] for player, names in players.items()},
    )
    w = np.linspace(0.3, 0.9, game.dim)
    assert np.allclose(again.field(w), game.field(w), rtol=1e-15, atol=1e-15)


def test_a_counterexample_shows_its_matrices():
    found = falsify(lambda game: False, st.fixed_dictionaries({"game": strategies.bilinear(largest=1)}), draws=2)
    assert "with J = [[0, " in found.summary()
    assert "from_sympy" in found.to_dict()["counterexample"]["game"]


def test_converging_to_an_unknown_equilibrium_is_a_clear_mistake():
    x, y = sympy.symbols("x y", real=True)
    game = gd.games.from_sympy(x**4 + x * y - y**2 + x, [x, y])
    with pytest.raises(ParameterError, match="no equilibrium is known"):
        converges(gd.rules.GDA(0.1), game, start=[[1.0, 1.0]])


def test_a_planar_counterexample_is_drawn_and_another_has_no_picture():
    plane = Falsification({"game": gd.games.bilinear(), "rule": gd.rules.GDA(0.1)}, "it circles", 1, 0)
    figure = plane.plot()
    assert len(figure.axes[0].lines) >= 1
    space = Falsification({"game": gd.games.bilinear([[1, 0], [0, 2]])}, "of four coordinates", 1, 0)
    with pytest.raises(gd.errors.DomainError, match="planar"):
        space.plot()


def test_the_bound_on_optimisms_last_iterate_counts_from_the_start():
    """On x y with eta = 0.225 the largest eta^2 (T + 1) |v|^2 / |w_0|^2, by iterating the rule by hand."""
    from gandyn.claims.last_iterates import ROUNDS, optimism_last_iterate

    s, w = 0.225, np.array([1.0, 0.5])
    a, before, worst = np.array([[0.0, 1], [-1, 0]]), w, 0.0
    for t in range(ROUNDS + 1):
        worst = max(worst, s**2 * (t + 1) * float((a @ w) @ (a @ w)) / 1.25)
        w, before = w - s * (2 * a @ w - a @ before), w
    assert f"at most {worst:.4g} |w_0" in optimism_last_iterate(gd.games.bilinear(), 0.5, (1.0, 0.5)).detail
