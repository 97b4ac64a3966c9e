# ruff: noqa: E501
"""gd.design: published optimal parameters and rates, dense grids, infima, and what is refused."""

import math

import numpy as np
import pytest
import sympy
from scipy.optimize import brentq

import gandyn as gd
from gandyn.analysis.optimal.companion import companion
from gandyn.analysis.optimal.discs import crossed
from gandyn.analysis.optimal.minimax import samples, worst
from gandyn.errors import DomainError, ParameterError

R, C = gd.rules, gd.classes
S1, S2 = 0.5, 2.0
Q = S1**2 + S2**2
BILINEAR = C.Bilinear(S1, S2)
SEGMENT = C.Spectrum(segment=(0.5, 2))
ROOT = math.sqrt


def ellipse(c, p, q):
    """Niethammer & Varga 1983 for z^2 - (1 + m - lr z) z + m: (lr, m, rate)."""
    root = ROOT(c * c - p * p + q * q)
    m = (p * p - q * q) / (c + root) ** 2
    return (1 + m) / c, m, (p + q) / (c + root)


def optimistic_on_bilinear():
    """Both ends alike: (1 + sqrt(1 - 4 a^2))/2 = 2 b^2 + 2 b sqrt(b^2 - 1/4) for the squared moduli at a, b = lr s."""

    def excess(lr):
        a, b = lr * S1, lr * S2
        return (1 + ROOT(1 - 4 * a * a)) / 2 - (2 * b * b + 2 * b * ROOT(b * b - 0.25))

    lr = brentq(excess, 0.2501, 0.4, xtol=1e-15)
    return lr, ROOT((1 + ROOT(1 - 4 * (lr * S1) ** 2)) / 2)


def optimistic_on_segment():
    """Real z: the larger root of t^2 - (1 - 2 lr z) t - lr z: positive at the small end, negative at the large one."""

    def root(x, sign):
        return abs((1 - 2 * x + sign * ROOT((1 - 2 * x) ** 2 + 4 * x)) / 2)

    lr = brentq(lambda lr: root(lr * 0.5, 1) - root(lr * 2, -1), 0.1, 0.4, xtol=1e-15)
    return lr, root(lr * 0.5, 1)


def runge_kutta_on_bilinear():
    """|1 - is - s^2/2 + i s^3/6 + s^4/24|^2 = 1 - s^6/72 + s^8/576."""

    def size(s):
        return 1 - s**6 / 72 + s**8 / 576

    lr = brentq(lambda lr: size(lr * S1) - size(lr * S2), 1.2, 1.42, xtol=1e-15)
    return lr, ROOT(size(lr * S1))


WIDE, TALL, LINE = ellipse(1.3, 0.9, 0.4), ellipse(1.3, 0.4, 0.9), ellipse(0.37, 0, 1.13)
POLYAK = (4 / (ROOT(2) + ROOT(0.5)) ** 2, ((ROOT(2) - ROOT(0.5)) / (ROOT(2) + ROOT(0.5))) ** 2)
OGDA, OGDA_LINE, RK = optimistic_on_bilinear(), optimistic_on_segment(), runge_kutta_on_bilinear()
TWO_STEP = (S2**2 - S1**2) / Q

# (source, rule, class, {parameter: value}, rate)
PUBLISHED = [
    ("Polyak 1963: 2/(m + L)", R.GDA("lr"), SEGMENT, {"lr": 2 / 2.5}, 0.6),
    ("disc: |1 - lr c| + lr r", R.GDA("lr"), C.Spectrum(disc=(1.3, 0.9)), {"lr": 1 / 1.3}, 0.9 / 1.3),
    ("c/|z|^2", R.GDA("lr"), C.Spectrum(points=[0.37 + 1.13j]), {"lr": 0.37 / (0.37**2 + 1.13**2)}, 1.13 / math.hypot(0.37, 1.13)),
    ("the same, the whole line", R.GDA("lr"), C.Spectrum(segment=(0.37 - 1.13j, 0.37 + 1.13j)), {"lr": 0.37 / (0.37**2 + 1.13**2)}, 1.13 / math.hypot(0.37, 1.13)),
    ("mu/L^2, sqrt(1 - 1/kappa^2)", R.GDA("lr"), C.StronglyMonotone(0.1, 1), {"lr": 0.1}, ROOT(0.99)),
    ("no step: sqrt(1 + s^2)", R.GDA("lr"), BILINEAR, {"lr": 0}, 1.0),
    ("Polyak 1964", R.HeavyBall("lr", "m"), SEGMENT, {"lr": POLYAK[0], "m": POLYAK[1]}, 1 / 3),
    ("Niethammer & Varga 1983", R.HeavyBall("lr", "m"), C.Spectrum(ellipse=(1.3, 0.9, 0.4)), {"lr": WIDE[0], "m": WIDE[1]}, WIDE[2]),
    ("the same, momentum below 0", R.HeavyBall("lr", "m"), C.Spectrum(ellipse=(1.3, 0.4, 0.9)), {"lr": TALL[0], "m": TALL[1]}, TALL[2]),
    ("the same, a disc: no momentum", R.HeavyBall("lr", "m"), C.Spectrum(disc=(1, 0.5)), {"lr": 1.0, "m": 0.0}, 0.5),
    ("the same, a line", R.HeavyBall("lr", "m"), C.Spectrum(segment=(0.37 - 1.13j, 0.37 + 1.13j)), {"lr": LINE[0], "m": LINE[1]}, LINE[2]),
    ("the same, its two ends", R.HeavyBall("lr", "m"), C.Spectrum(points=[0.37 + 1.13j]), {"lr": LINE[0], "m": LINE[1]}, LINE[2]),
    ("one step: roots meet at (1 - sqrt(lr m))^2", R.HeavyBall(0.3, "m"), SEGMENT, {"m": (1 - ROOT(0.15)) ** 2}, 1 - ROOT(0.15)),
    ("lr^2 (s1^2 + s2^2) = 1", R.Extragradient("lr"), BILINEAR, {"lr": 1 / ROOT(Q)}, ROOT(1 - (S1 * S2 / Q) ** 2)),
    ("lr (m + L) = 1", R.Extragradient("lr"), SEGMENT, {"lr": 0.4}, 0.84),
    ("1/(L + sqrt(mu L))", R.Extragradient("lr"), C.StronglyMonotone(0.1, 1), {"lr": 1 / (1 + ROOT(0.1))}, 1 - 0.1 / (1 + ROOT(0.1)) ** 2),
    ("two steps: an infimum", R.Extragradient("lr", "e"), BILINEAR, {"lr": 0, "e": math.inf}, TWO_STEP),
    ("1 - 3x + 4x^2, x1 + x2 = 3/4", R.ExtragradientPlus("lr", 0.5), BILINEAR, {"lr": ROOT(0.75 / Q)}, ROOT(1 - 3 * 0.75 * S1**2 / Q + 4 * (0.75 * S1**2 / Q) ** 2)),
    ("both ends alike", R.OptimisticGD("lr"), BILINEAR, {"lr": OGDA[0]}, OGDA[1]),
    ("both ends alike", R.OptimisticGD("lr"), SEGMENT, {"lr": OGDA_LINE[0]}, OGDA_LINE[1]),
    ("as optimistic steps", R.PastExtragradient("lr"), BILINEAR, {"lr": OGDA[0]}, OGDA[1]),
    ("1/(1 + lr z) falls to 0", R.ProximalPoint("lr"), SEGMENT, {"lr": math.inf}, 0.0),
    ("1/sqrt(1 + lr^2 sigma^2) falls to 0", R.CompetitiveGD("lr"), BILINEAR, {"lr": math.inf}, 0.0),
    ("as extragradient on x^T M y", R.LinearizedCGD("lr"), BILINEAR, {"lr": 1 / ROOT(Q)}, ROOT(1 - (S1 * S2 / Q) ** 2)),
    ("gamma/(1 + gamma^2 s1^2)", R.Consensus("lr", 0.5), BILINEAR, {"lr": 0.5 / (1 + 0.25 * S1**2)}, 1 / ROOT(1 + 0.25 * S1**2)),
    ("an infimum", R.Consensus("lr", "gamma"), BILINEAR, {"lr": 0, "gamma": math.inf}, TWO_STEP),
    ("gradient descent on |v|^2/2", R.HamiltonianGradient("lr"), BILINEAR, {"lr": 2 / Q}, TWO_STEP),
    ("(1 - lr s^2)^2 + lr^2 s^2, both ends", R.SGA("lr", 1), BILINEAR, {"lr": 7.5 / 19.6875}, ROOT(1 - 0.5 * 7.5 / 19.6875 + 0.3125 * (7.5 / 19.6875) ** 2)),
    ("1 - x/4 + x^2/16, x1 + x2 = 4", R.Lookahead(R.GDA("lr"), 2, 0.25), BILINEAR, {"lr": 2 / ROOT(Q)}, ROOT(1 - S1**2 / Q + (S1**2 / Q) ** 2)),
    ("1 - s^6/72 + s^8/576, both ends", R.RungeKutta("lr", 4), BILINEAR, {"lr": RK[0]}, RK[1]),
    ("a circle: determinant 1", R.AlternatingGD("lr"), BILINEAR, {}, 1.0),
]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "rule", "over", "values", "rate"),
    [
        pytest.param(*case, marks=[] if k < 12 or k in (13, 14, 15, 16, 18, 25) else pytest.mark.slow)
        for k, case in enumerate(PUBLISHED)
    ],
    ids=lambda x: "" if isinstance(x, (dict, float)) else str(x)[:30],
)
def test_published_designs_are_recovered(source, rule, over, values, rate):
    found = gd.design(rule, over)
    assert found.rate == pytest.approx(rate, abs=1e-8)
    for name, value in values.items():
        assert found.values[name] == pytest.approx(value, abs=1e-6)
    assert found.attained == all(0 < abs(v) < math.inf or name == "m" for name, v in values.items())
    if found.attained:
        assert gd.rate(found.best, over).value == pytest.approx(found.rate, abs=1e-7)


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


@pytest.mark.slow
def test_two_parameters_of_alternating_momentum():
    """No closed form: the value of an independent search, by Nelder-Mead on eigenvalues, .981245 at (.80105, -.19525)."""
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
    assert TWO_STEP < two.rate < gd.design(R.Extragradient("lr"), BILINEAR).rate
    assert two.attained


def test_an_infimum_is_approached():
    found = gd.design(R.Extragradient("lr", "e"), BILINEAR)
    assert not found.attained
    rates = [gd.rate(R.Extragradient(h, 2 / (Q * h)), BILINEAR).value for h in (0.1, 0.01, 0.001)]
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
        lambda: gd.design(R.HeavyBall("lr", "m"), C.StronglyMonotone(0.1, 1)),
    ],
)
def test_what_cannot_be_designed_is_refused(bad):
    with pytest.raises(DomainError):
        bad()
