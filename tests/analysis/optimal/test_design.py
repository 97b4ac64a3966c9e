"""gd.design: published optimal parameters and rates, dense grids, infima, and what is refused."""

import math
import pathlib

import numpy as np
import pytest
import sympy

import gandyn as gd
from gandyn.analysis.optimal.closed_forms import known
from gandyn.analysis.optimal.companion import companion
from gandyn.analysis.optimal.discs import crossed
from gandyn.analysis.optimal.minimax import samples, worst
from gandyn.errors import DomainError, ParameterError

R, C = gd.rules, gd.classes
BILINEAR, SEGMENT = C.Bilinear(0.5, 2), C.Spectrum(segment=(0.5, 2))


def published():
    """The rows of the page of published rates: rule, class, their values and rate, our rate, by what."""
    names = vars(R) | {"Spectrum": C.Spectrum, "Bilinear": C.Bilinear, "StronglyMonotone": C.StronglyMonotone}
    page = pathlib.Path(__file__).parents[3] / "docs" / "analysis" / "published_rates.md"
    lines = [line for line in page.read_text().splitlines() if line.startswith("|")][2:]
    for line in lines:
        _, source, rule, over, values, rate, ours, by, _ = (cell.strip(" `") for cell in line.split("|"))
        theirs = eval(f"dict({values})" if "=" in values else "{}", vars(math).copy())
        given = eval(rule, names), eval(over, names), theirs, eval(rate, vars(math).copy()), float(ours), by
        marks = pytest.mark.slow if by == "search" else []
        yield pytest.param(*given, id=f"{source[:24]} {rule}", marks=marks)


CASES = list(published())


def test_the_table_has_many_cases_over_many_rules():
    assert len(CASES) >= 25
    assert len({case.values[0].name for case in CASES}) >= 10


@pytest.mark.parametrize(("rule", "over", "values", "rate", "ours", "by"), CASES)
def test_published_designs_are_recovered(rule, over, values, rate, ours, by):
    found = gd.design(rule, over)
    within, exactly = (1e-12, 1e-12) if by == "closed form" else (1e-8, 1e-6)
    assert found.rate == pytest.approx(rate, abs=within)
    assert found.rate == pytest.approx(ours, abs=1e-10)
    for name, value in values.items():
        assert found.values[name] == pytest.approx(value, abs=exactly)
    assert found.attained == all(0 < abs(v) < math.inf or name == "m" for name, v in values.items())
    if found.attained:
        assert gd.rate(found.best, over).value == pytest.approx(found.rate, abs=1e-7)


def test_optimistic_steps_make_both_ends_alike():
    """The equation of the page, for the moduli at both ends: roots of z^2 - (1 - 2 i lr s) z - i lr s."""
    (lr,), rate = next((c.values[2].values(), c.values[3]) for c in CASES if c.values[0] == R.OptimisticGD("lr"))
    ends = [max(abs(np.roots([1, 2j * lr * s - 1, -1j * lr * s]))) for s in (0.5, 2)]
    assert ends == pytest.approx([rate, rate], abs=1e-11)


def test_closed_forms_and_the_search_agree():
    """The search alone, on cases that the closed forms answer: to 1e-12 in the rate where it is smooth there."""
    from gandyn.analysis.optimal.minimax import Range, search
    from gandyn.budget import Budget

    for rule, over in ((R.Extragradient("lr"), BILINEAR), (R.Extragradient("lr"), SEGMENT), (R.GDA("lr"), SEGMENT)):
        matrix = companion(rule, "a test")
        point, value = search(matrix, over.curves(), [Range("lr", 0.0, math.inf)], Budget(60))
        known = gd.design(rule, over)
        assert value == pytest.approx(known.rate, abs=1e-12)
        assert point[0] == pytest.approx(known.values["lr"], abs=1e-12)


def test_extragradient_has_a_closed_form_on_positive_segments_alone():
    """On eigenvalues off the real line 1 - x + x^2 at the ends of a segment says nothing."""
    assert known(R.Extragradient("lr"), SEGMENT, frozenset({"lr"})).values["lr"] == pytest.approx(1 / 2.5)
    for over in (C.Spectrum(disc=(1, 0.5)), C.Spectrum(ellipse=(1, 0.2, 0.6)), C.Spectrum(points=[1, 2])):
        assert known(R.Extragradient("lr"), over, frozenset({"lr"})) is None


@pytest.mark.slow
def test_two_parameters_of_alternating_momentum():
    """No closed form: an independent search by Nelder-Mead on eigenvalues gives .981245 at (.80105, -.19525)."""
    found = gd.design(R.HeavyBall("lr", "m", alternating=True), BILINEAR)
    assert found.rate == pytest.approx(0.981245267, abs=1e-7)
    assert found.values["lr"] == pytest.approx(0.80105, abs=2e-5)
    assert found.values["m"] == pytest.approx(-0.19525, abs=2e-5)
    assert found.kind == "upper"
    assert found.worst.certificate.holds()


@pytest.mark.slow
def test_two_steps_that_end_a_game_of_turns_in_two_moves():
    """x' = x - a (.3 x + y), y' = y + b (x' - .3 y): determinant (1 - .3 a)(1 - .3 b), trace 2 - .3 (a + b) - a b."""
    found = gd.design(R.AlternatingGD(("a", "b")), C.Spectrum(points=[0.3 + 1j]))
    assert found.rate < 1e-6
    assert found.values == pytest.approx({"a": 3 / 10.9, "b": 10 / 3}, rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rule", "over"),
    [
        (R.HeavyBall("lr", "m"), C.Spectrum(polygon=[0.3, 2, 1.5 + 1j])),
        (R.HeavyBall("lr", "m", alternating=True), BILINEAR),
        (R.HeavyBall("lr", "m"), C.Spectrum(points=[0.5, 1 + 1j, 2])),
        (R.Lookahead(R.GDA("lr"), 5, "alpha"), BILINEAR),
        (R.Extragradient("lr", "e"), C.Spectrum(disc=(1, 0.7))),
        (R.Extragradient("lr"), C.Spectrum(cross=(1.37, 0.61, 2.3))),
        (R.OptimisticGD("lr"), C.Spectrum(ellipse=(1.3, 0.4, 0.9))),
        (R.AlternatingGD(("a", "b")), C.Spectrum(points=[0.3 + 1j])),
    ],
    ids=str,
)
def test_no_point_of_a_dense_grid_is_better(rule, over):
    found = gd.design(rule, over)
    matrix = companion(found.rule, "a test")
    z = samples(over.curves(), 41)
    rng = np.random.default_rng(0)
    names = [str(p) for p in matrix.parameters]
    lows = {"m": -0.95, "alpha": -0.5}
    draws = [rng.uniform(lows.get(n, 1e-3), 0.95 if n in lows else 3.0, 40_000) for n in names]
    near = [found.values[n] * (1 + rng.normal(0, 0.02, 10_000)) for n in names]
    for columns in (draws, near):
        assert worst(matrix, z, columns).min() >= found.rate - 1e-4


def test_a_proof_for_one_parameter_does_not_claim_too_much():
    """With games that are all fast somewhere, or a radius above the best, there is no proof."""
    from fractions import Fraction

    from gandyn.analysis.optimal.floor import unreachable
    from gandyn.analysis.optimal.minimax import Range
    from gandyn.budget import Budget

    matrix, ends = (
        companion(R.Extragradient("lr"), "a test"),
        [(Fraction(0), Fraction(1, 2)), (Fraction(0), Fraction(2))],
    )
    best = gd.design(R.Extragradient("lr"), BILINEAR).rate
    line = Range("lr", 0.0, math.inf)
    assert unreachable(matrix, ends, line, Fraction(best - 1e-9), Budget(20))
    assert not unreachable(matrix, ends, line, Fraction(best + 1e-6), Budget(20))
    assert not unreachable(matrix, ends[:1], line, Fraction(best - 1e-9), Budget(20))
    assert crossed(lambda u: [u - 1, 1 - u], 1, Fraction(1, 2), open_end=True)[0] is None


def test_a_game_that_nothing_moves():
    """All eigenvalues 0: the factor is 1 for every step, and there is no scale for it."""
    assert gd.design(R.GDA("lr"), C.Spectrum(points=[0])).rate == pytest.approx(1.0, abs=1e-12)


def test_bounds_are_kept():
    found = gd.design(R.Extragradient("lr"), BILINEAR, bounds={"lr": (0.1, 0.3)})
    assert found.values["lr"] == 0.3
    assert found.kind == "exact"
    assert found.attained
    two = gd.design(R.Extragradient("lr", "e"), BILINEAR, bounds={"e": (0.1, 1)})
    assert two.values["e"] == pytest.approx(1, abs=1e-9)
    assert 3.75 / 4.25 < two.rate < gd.design(R.Extragradient("lr"), BILINEAR).rate
    assert two.attained


def test_an_infimum_is_approached():
    found = gd.design(R.Extragradient("lr", "e"), BILINEAR)
    assert not found.attained
    rates = [gd.rate(R.Extragradient(h, 2 / (4.25 * h)), BILINEAR).value for h in (0.1, 0.01, 0.001)]
    assert rates[0] > rates[1] > rates[2] > found.rate
    assert rates[2] == pytest.approx(found.rate, abs=1e-5)
    with pytest.raises(DomainError):
        _ = found.best


def test_a_rule_with_numbers_frees_its_step():
    assert gd.design(R.Extragradient(0.1), BILINEAR).values.keys() == {"lr"}
    assert gd.design(R.HeavyBall(0.3, "m"), SEGMENT).values.keys() == {"m"}
    both = gd.design(R.HeavyBall(0.3, 0.1), SEGMENT, parameters=("lr", "momentum"))
    assert both.rate == pytest.approx(1 / 3, abs=1e-9)


@pytest.mark.slow
def test_steps_per_player_are_designed():
    found = gd.design(R.AlternatingGD(("a", "b")), C.Spectrum(points=[0.3 + 1j]))
    assert found.values.keys() == {"a", "b"}
    assert found.kind == "lower"  # of games that are not zero-sum the spectrum does not decide
    assert found.rate < gd.design(R.GDA("lr"), C.Spectrum(points=[0.3 + 1j])).rate


@pytest.mark.slow
def test_values_of_which_only_a_product_counts_are_attained():
    """Steps of alternating momentum: (a, b) and (c a, b / c) do the same, so that no end of the range is needed."""
    found = gd.design(R.HeavyBall(("a", "b"), -0.2, alternating=True), BILINEAR)
    single = gd.design(R.HeavyBall("lr", -0.2, alternating=True), BILINEAR)
    assert found.attained
    assert found.rate == pytest.approx(single.rate, abs=1e-7)


@pytest.mark.slow
def test_the_end_of_a_searched_range_is_said():
    assert "bounds=" in gd.design(R.SGA("lr", "lam"), BILINEAR).reason


@pytest.mark.slow
def test_memory_over_monotone_fields_is_designed():
    pytest.importorskip("cvxpy", reason="needs the extra gandyn[proof]")
    found = gd.design(R.OptimisticGD("lr"), C.StronglyMonotone(0.1, 1))
    assert found.rate == pytest.approx(0.94708, abs=2e-4)
    assert found.worst.certificate.holds()
    assert found.measure == "quadratic Lyapunov function"


@pytest.mark.slow
def test_two_steps_over_monotone_fields_beat_one_and_a_grid():
    """A look-ahead of its own: below the best of one step, and no point of a grid on the proven rate is better."""
    over = C.StronglyMonotone(0.1, 1)
    found = gd.design(R.Extragradient("lr", "ahead"), over)
    assert found.kind == "upper"
    assert found.worst.certificate.holds()
    assert found.worst.lower <= found.rate < gd.design(R.Extragradient("lr"), over).rate - 5e-3
    grid = [gd.rate(R.Extragradient(lr, ahead), over).value for lr in (0.7, 0.8, 0.9) for ahead in (0.6, 0.65, 0.7)]
    assert found.rate < min(grid) + 1e-4


@pytest.mark.slow
def test_pictures():
    data = gd.design(R.Extragradient("lr"), BILINEAR).plot().data
    assert data["rate"].min() == pytest.approx(0.9719242, abs=2e-4)
    data = gd.design(R.HeavyBall("lr", "m"), SEGMENT).plot().data
    assert data["rate"].min() >= 1 / 3
    assert data["rate"].shape == (120, 120)


@pytest.mark.parametrize(
    "bad",
    [
        lambda: gd.design(R.GDA("lr"), BILINEAR, bounds={"x": (0, 1)}),
        lambda: gd.design(R.GDA("lr"), BILINEAR, bounds={"lr": (1, 0)}),
        lambda: gd.design(R.GDA("lr"), BILINEAR, bounds={"lr": (0, math.inf)}),
        lambda: gd.design(R.GDA("lr"), BILINEAR, bounds=3),
        lambda: gd.design(R.GDA(0.1), BILINEAR, parameters=()),
        lambda: gd.design(R.GDA(0.1), BILINEAR, parameters=3),
        lambda: gd.design(R.GDA(0.1), BILINEAR, parameters=("nope",)),
        lambda: gd.design(R.GDA("lr"), (0.5, 2)),
        lambda: gd.design(R.GDA(sympy.Symbol("lr") * 2), 3),
    ],
)
def test_bad_designs_are_refused_in_one_line(bad):
    with pytest.raises(ParameterError) as caught:
        bad()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "bad",
    [
        lambda: gd.design(R.Adam(0.1), BILINEAR),
        lambda: gd.design(R.Lookahead(R.GDA(0.1), 5, 0.5), BILINEAR, parameters=("k",)),
        lambda: gd.design(R.AlternatingGD("lr"), C.StronglyMonotone(0.1, 1)),
    ],
)
def test_what_cannot_be_designed_is_refused(bad):
    with pytest.raises(DomainError):
        bad()


def test_where_smaller_steps_are_always_better_the_infimum_is_approached_within_bounds_too():
    """GDA on bilinear games has radius sqrt(1 + lr^2 sigma^2)."""
    found = gd.design(gd.rules.GDA("lr"), gd.classes.Bilinear(0.5, 1), bounds={"lr": (0, 1)})
    assert (found.attained, found.rate, found.approach) == (False, 1, "lr -> 0")
    kept = gd.design(gd.rules.GDA("lr"), gd.classes.Bilinear(0.5, 1), bounds={"lr": (0.1, 1)})
    assert kept.rate == pytest.approx(1.01**0.5, abs=1e-12)


def test_momentum_of_either_sign_is_looked_for_between_minus_2_and_2():
    """Of three curvatures in [1, 2], without a formula: no slower than Polyak's (sqrt 2 - 1) / (sqrt 2 + 1)."""
    found = gd.design(R.HeavyBall("lr", "momentum"), C.Spectrum(points=[1, 1.3, 2]))
    assert found.rate <= (math.sqrt(2) - 1) / (math.sqrt(2) + 1) + 1e-6
    assert abs(found.values["momentum"]) < 0.1
