"""stability_region: Jury and Routh-Hurwitz against computed roots, thresholds and best steps against closed forms."""

import functools

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import gandyn as gd
from gandyn.analysis.exact_numbers.roots import Z
from gandyn.analysis.exact_numbers.routh import hurwitz, jury
from gandyn.analysis.parameters import stability
from gandyn.budget import OutOfTimeError

BILINEAR = gd.games.bilinear()
HALF, FIFTH = sympy.Rational(1, 2), sympy.Rational(1, 5)
ROOT2, ROOT3, ROOT5 = map(sympy.sqrt, (2, 3, 5))
small = st.integers(-6, 6)


def _polynomial(roots):
    """Monic, rational, with the given real roots r and complex pairs (a, b)."""
    p = sympy.Integer(1)
    for root in roots:
        p *= (Z**2 - 2 * root[0] * Z + root[0] ** 2 + root[1] ** 2) if isinstance(root, tuple) else (Z - root)
    return sympy.Poly(sympy.expand(p), Z)


quarter = small.map(lambda k: sympy.Rational(k, 4))
roots = st.lists(st.one_of(quarter, st.tuples(quarter, quarter)), min_size=1, max_size=4)


@given(roots)
def test_jury_holds_exactly_when_all_planted_roots_are_inside_the_circle(planted):
    inside = all((r[0] ** 2 + r[1] ** 2 < 1) if isinstance(r, tuple) else abs(r) < 1 for r in planted)
    assert all(bool(c > 0) for c in jury(_polynomial(planted))) is bool(inside)


@given(roots)
def test_hurwitz_holds_exactly_when_all_planted_roots_are_left_of_the_axis(planted):
    left = all((r[0] if isinstance(r, tuple) else r) < 0 for r in planted)
    assert all(bool(c > 0) for c in hurwitz(_polynomial(planted))) is bool(left)


@pytest.mark.parametrize(
    ("game", "rule", "critical", "best"),
    [
        (BILINEAR, gd.rules.Extragradient(0.1), sympy.Integer(1), (1 / ROOT2, ROOT3 / 2)),
        (BILINEAR, gd.rules.OptimisticGD(0.1), 1 / sympy.sqrt(3), (HALF, ROOT2 / 2)),
        (BILINEAR, gd.rules.PastExtragradient(0.1), 1 / sympy.sqrt(3), (HALF, ROOT2 / 2)),
        (gd.games.quadratic(1, 2, 1), gd.rules.GDA(0.1), 2 * FIFTH, (FIFTH, 2 / ROOT5)),
        (gd.games.bilinear([[2]]), gd.rules.Extragradient(0.1), HALF, (ROOT2 / 4, ROOT3 / 2)),
        # Real eigenvalues 1 - lr and 1 - 3 lr: best where they are opposite.
        (gd.games.quadratic(1, 0, 3), gd.rules.GDA(0.1), sympy.Rational(2, 3), (HALF, HALF)),
    ],
    ids=str,
)  # fmt: skip
def test_thresholds_and_best_steps_are_the_closed_forms(game, rule, critical, best):
    region = gd.stability_region(game, rule, ("lr",))
    assert sympy.simplify(region.critical("lr") - critical) == 0
    value, radius = region.best("lr")
    assert sympy.simplify(value - best[0]) == 0
    assert sympy.simplify(radius - best[1]) == 0


@pytest.mark.parametrize(
    "rule", [gd.rules.GDA(0.1), gd.rules.AlternatingGD(0.1), gd.rules.HeavyBall(0.1, 0.5)], ids=repr
)
def test_rules_that_never_converge_on_the_bilinear_game_say_so(rule):
    region = gd.stability_region(BILINEAR, rule, ("lr",))
    assert region.critical("lr") == 0
    assert "never" in region.summary() or isinstance(rule, gd.rules.HeavyBall)
    with pytest.raises(gd.GandynError, match="no stable lr"):
        region.best("lr")


def test_negative_momentum_in_turn_converges_below_one_and_not_above():
    region = gd.stability_region(BILINEAR, gd.rules.HeavyBall(0.1, -0.5, alternating=True), ("lr",))
    assert region.critical("lr") == 1
    assert region.contains(lr=0.99)
    assert not region.contains(lr=1.01)
    for lr in (0.99, 1.01):
        radius = gd.linearize(BILINEAR, gd.rules.HeavyBall(lr, -0.5, alternating=True)).spectral_radius
        assert (radius < 1) is (lr < 1)


@given(st.integers(1, 60), st.integers(1, 60))
def test_the_region_of_r1_in_two_parameters_agrees_with_computed_eigenvalues(i, j):
    lr, gamma = sympy.Rational(i, 11), sympy.Rational(j, 13)
    region = _r1_region()
    radius = np.abs(np.linalg.eigvals(np.array([[1, -lr / 2], [lr / 2, 1 - lr * gamma]], dtype=float))).max()
    if abs(radius - 1) > 1e-9:
        assert region.contains(lr=lr, gamma=gamma) is bool(radius < 1)


@functools.cache
def _r1_region():
    game = gd.games.dirac_gan(penalty=gd.penalties.R1("gamma"))
    return gd.stability_region(game, gd.rules.GDA(0.1), ("lr", "gamma"))


def test_a_threshold_that_changes_its_form_with_another_parameter_is_refused_with_the_reason():
    with pytest.raises(gd.GandynError, match="different boundaries for different gamma"):
        _r1_region().critical("lr")


def test_a_threshold_in_another_parameter_is_an_expression():
    sigma = sympy.Symbol("sigma", positive=True)
    region = gd.stability_region(gd.games.bilinear([[sigma]]), gd.rules.Extragradient("lr"), ("lr",))
    assert sympy.simplify(region.critical("lr") - 1 / sigma) == 0


def test_the_flow_of_r1_is_critical_damped_at_gamma_one():
    region = gd.stability_region(gd.games.dirac_gan(penalty=gd.penalties.R1("gamma")), None, ("gamma",))
    assert region.critical("gamma") is sympy.oo
    assert region.best("gamma") == (1, -sympy.Rational(1, 2))


def test_an_unknown_parameter_lists_what_there_is():
    with pytest.raises(gd.GandynError, match="lr"):
        gd.stability_region(BILINEAR, gd.rules.GDA(0.1), ("momentum",))


@functools.cache
def _three_parameters():
    game = gd.games.dirac_gan(penalty=gd.penalties.R1("gamma"))
    return gd.stability_region(game, gd.rules.HeavyBall("lr", "momentum"), ("lr", "gamma", "momentum"))


@functools.cache
def _optimistic_region():
    game = gd.games.dirac_gan(penalty=gd.penalties.R1("gamma"))
    return gd.stability_region(game, gd.rules.OptimisticGD("lr"), ("lr", "gamma"))


@pytest.mark.parametrize("make", [_three_parameters, _optimistic_region], ids=["momentum", "optimistic"])
def test_conditions_freed_of_settled_factors_agree_with_eigenvalues_on_both_sides(make):
    region = make()
    rng = np.random.default_rng(5)
    matrix = sympy.lambdify(region.parameters, region.exact.matrix, "numpy")
    sides = set()
    for _ in range(60):
        values = [sympy.Rational(int(k), 16) for k in rng.integers(1, 48, len(region.parameters))]
        radius = np.abs(np.linalg.eigvals(np.array(matrix(*map(float, values)), dtype=float))).max()
        if abs(radius - 1) > 1e-9:
            names = dict(zip(map(str, region.parameters), values, strict=True))
            assert region.contains(**names) is bool(radius < 1)
            sides.add(bool(radius < 1))
    assert sides == {True, False}


def test_conditions_are_single_polynomials_where_signs_are_settled():
    lr, gamma = _optimistic_region().parameters
    for condition in _optimistic_region().expressions:
        assert len(sympy.factor_list(condition)[1]) == 1
    (only,) = gd.stability_region(
        gd.games.dirac_gan(penalty=gd.penalties.R1(gamma)), gd.rules.AlternatingGD("lr"), ("lr", "gamma")
    ).expressions
    assert sympy.expand(only - (16 - 8 * gamma * lr - lr**2)) == 0
    latex = _optimistic_region().latex()
    assert latex.count("> 0") == len(_optimistic_region().expressions)


def test_an_interval_without_end_has_its_best_step_at_infinity_with_the_limit_as_radius():
    """The proximal step shrinks errors by 1/sqrt(1 + lr^2): no finite lr is best."""
    for rule in (gd.rules.ProximalPoint("lr"), gd.rules.CompetitiveGD("lr")):
        assert gd.stability_region(BILINEAR, rule).best("lr") == (sympy.oo, 0)
    flow = gd.stability_region(gd.games.dirac_gan(penalty=gd.penalties.R1("gamma")), None, "gamma")
    assert flow.best("gamma") == (1, -HALF)  # critically damped; the abscissa rises to 0 beyond


def test_a_point_known_in_decimals_gives_thresholds_in_decimals():
    forsaken = gd.games.forsaken()
    region = gd.stability_region(forsaken, gd.rules.GDA("lr"))
    trace, determinant = (f(gd.linearize(forsaken).matrix) for f in (np.trace, np.linalg.det))
    assert float(region.critical("lr")) == pytest.approx(-trace / determinant, rel=1e-12)
    value, radius = region.best("lr")
    assert value == pytest.approx(-trace / determinant / 2, rel=1e-4)
    assert radius == pytest.approx(np.sqrt(1 - trace**2 / determinant / 4), rel=1e-10)
    (condition,) = region.conditions
    assert len(str(condition)) < 40


def test_symbols_in_the_fields_of_a_rule_are_parameters_under_their_own_names():
    region = gd.stability_region(BILINEAR, gd.rules.Consensus(("p", "q"), 1), ("p", "q"))
    for p, q in ((0.5, 0.5), (0.9, 0.9), (0.2, 1.2), (0.2, 5.0)):
        radius = gd.linearize(BILINEAR, gd.rules.Consensus((p, q), 1)).spectral_radius
        assert region.contains(p=p, q=q) is (radius < 1)
    eta = sympy.Symbol("eta", positive=True)
    region = gd.stability_region(gd.games.quadratic(2, 3, 1), gd.rules.GDA(eta), eta)
    assert region.critical(eta) == sympy.Rational(3, 11)


def test_a_point_that_is_no_equilibrium_is_refused():
    with pytest.raises(gd.GandynError, match="no fixed point"):
        gd.stability_region(gd.games.quadratic(2, 3, 1), gd.rules.GDA("lr"), at=[1, 1])


def test_conditions_that_always_hold_are_left_out():
    lr = sympy.Symbol("lr", positive=True)
    region = gd.stability_region(BILINEAR, gd.rules.Extragradient("lr"))
    assert region.conditions == (1 - lr > 0,)  # beside lr^4 - 3 lr^2 + 4, which has no real root


def test_of_conditions_in_one_parameter_the_binding_ones_are_kept():
    lr = sympy.Symbol("lr", positive=True)
    assert gd.stability_region(BILINEAR, gd.rules.OptimisticGD("lr")).conditions == (1 - 3 * lr**2 > 0,)
    assert gd.stability_region(BILINEAR, gd.rules.RungeKutta("lr", 4)).conditions == (8 - lr**2 > 0,)
    game = gd.games.dirac_gan(penalty=gd.penalties.R1("gamma"))
    both = gd.stability_region(game, gd.rules.GDA(0.5), ("gamma",))
    assert len(both.conditions) == 2  # a lower and an upper bound
    assert both.contains(gamma=1)
    assert not both.contains(gamma=0.1)
    assert not both.contains(gamma=5)


def test_the_step_of_a_wrapped_rule_is_free_under_the_name_lr():
    for rule in (gd.rules.Lookahead(gd.rules.GDA("lr"), 5, 0.5), gd.rules.Lookahead(gd.rules.GDA(0.1), 5, 0.5)):
        critical = float(gd.stability_region(BILINEAR, rule).critical("lr"))
        assert abs(1 - 0.5 + 0.5 * (1 + 1j * critical) ** 5) == pytest.approx(1, rel=1e-12)
    with pytest.raises(gd.GandynError, match="parameter 'rate'"):
        gd.stability_region(BILINEAR, gd.rules.Lookahead(gd.rules.GDA(0.1), 5, 0.5), ("rate",))


def test_parameters_of_a_game_may_be_listed_and_stay_free():
    x, y, k = sympy.symbols("x y k", positive=True)
    game = gd.games.from_sympy(k * x**2 / 2 + x * y - y**2 / 2, [x, y], parameters=[k])
    region = gd.stability_region(game, gd.rules.GDA(0.5), ("k",), at=(0, 0))
    radius = max(abs(np.linalg.eigvals(np.eye(2) - 0.5 * np.array([[2.0, 1], [-1, 1]]))))
    assert region.contains(k=2) is bool(radius < 1)
    with pytest.raises(gd.GandynError, match="does not contain"):
        gd.games.from_sympy(k * x**2 / 2 + x * y - y**2 / 2, [x, y], parameters=["kappa"])


@pytest.mark.slow
def test_bifurcations_in_the_step_of_a_wrapped_rule():
    rule = gd.rules.Lookahead(gd.rules.GDA(0.1), 5, 0.5)
    critical = float(gd.stability_region(BILINEAR, rule).critical("lr"))
    (point,) = gd.bifurcation(BILINEAR, rule, "lr", np.linspace(0.1, 1, 20)).points
    assert point.parameter == pytest.approx(critical, rel=1e-8)


def test_one_impossible_condition_says_it_all():
    region = gd.stability_region(gd.games.from_sympy(["(x + y)**2/2"] * 2, ["x", "y"]), gd.rules.GDA("lr"), at=(0, 0))
    assert region.never
    assert region.conditions == (sympy.false,)


OUT_OF_TIME = {
    "optimistic": (lambda: gd.games.bilinear(), lambda: gd.rules.OptimisticGD("lr"), 3**-0.5),
    "per player": (lambda: gd.games.quadratic(0.7, 1.9, 0.45), lambda: gd.rules.GDA((0.1, 0.4)), 25 / 157),
    "extragradient": (
        lambda: gd.games.bilinear([[0.83, -0.27], [0.41, 1.19]]),
        lambda: gd.rules.Extragradient("lr"),
        None,
    ),
    "never": (lambda: gd.games.bilinear(), lambda: gd.rules.GDA("lr"), 0.0),
    "always": (lambda: gd.games.bilinear(), lambda: gd.rules.ProximalPoint("lr"), float("inf")),
}


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_a_numeric_threshold_has_the_units_of_the_costs(monkeypatch, unit):
    game = gd.games.quadratic(0.7 * unit, 1.9 * unit, 0.45 * unit)
    expected = float(gd.stability_region(game, gd.rules.GDA("lr")).critical("lr"))

    def late(linearization):
        raise OutOfTimeError("the conditions", "more time", "budget=600")

    monkeypatch.setattr(stability, "conditions", late)
    found = gd.stability_region(game, gd.rules.GDA("lr"), budget=7.0).critical("lr")
    assert float(found) == pytest.approx(expected, rel=1e-8)


def test_a_threshold_at_a_point_in_nested_radicals():
    """4 y^3 / 5 + 8 y / 5 = 13 / 4, times 3, in Cardano's form beside x = 0: SymPy cannot put the factors in order."""
    x, y = sympy.symbols("x y", real=True)
    inner = 3 * y**4 / 5 + 4 * y**2 / 5 - 13 * y / 4
    game = gd.games.from_sympy([3 * x**2 + x * y / 7, inner], [x, y])
    slope = sympy.diff(inner, y)
    root = sympy.roots(sympy.Poly(slope, y), filter="R")
    (point,) = root
    curvature = float(sympy.diff(inner, y, 2).subs(y, point))
    region = gd.stability_region(game, gd.rules.GDA("lr"), at=[-point / 42, point])
    assert float(region.critical("lr")) == pytest.approx(min(2 / 6, 2 / curvature), rel=1e-9)


@pytest.mark.parametrize("case", OUT_OF_TIME.values(), ids=OUT_OF_TIME)
def test_out_of_time_there_is_a_numeric_threshold_that_says_so(monkeypatch, case):
    game, rule, expected = case[0](), case[1](), case[2]
    exact = gd.stability_region(game, rule)
    expected = float(exact.critical("lr")) if expected is None else expected

    def late(linearization):
        raise OutOfTimeError("the conditions", "more time", "budget=600")

    monkeypatch.setattr(stability, "conditions", late)
    region = gd.stability_region(game, rule, budget=7.0)
    assert (exact.kind, region.kind, region.conditions) == ("exact", "numeric", ())
    assert float(region.critical("lr")) == pytest.approx(expected, rel=1e-8)
    assert "undecided: out of time (budget of 7 s)" in region.summary()
    assert region.to_dict()["kind"] == "numeric"
    if 0 < expected < float("inf"):
        low, high = region.bracket("lr")
        assert low < expected < high < low * (1 + 1e-8)
        for one in (exact, region):
            assert one.contains(lr=low)
            assert not one.contains(lr=high)
        assert "both proved" in region.summary()
    with pytest.raises(OutOfTimeError, match="the best lr is undecided"):
        region.best("lr")


@pytest.mark.slow
def test_with_irrational_coefficients_a_threshold_is_a_decimal_with_a_proven_bracket_and_the_best_step_is_found():
    x, y = sympy.symbols("x y")
    cross = sympy.sqrt(2) * x * y
    game = gd.games.from_sympy([sympy.E * x**2 / 2 + cross, sympy.sqrt(3) * y**2 / 2 - cross], [x, y])
    region = gd.stability_region(game, gd.rules.Extragradient("lr"), at=[0, 0])
    critical, (low, high) = region.critical("lr"), region.bracket("lr")
    assert critical.is_Float
    assert low < critical < high
    assert high - low < 1e-8

    def radius(lr):
        return gd.linearize(game, gd.rules.Extragradient(float(lr)), at=[0, 0]).spectral_radius

    assert radius(low) < 1 < radius(high)
    lr, smallest = region.best("lr")
    assert radius(lr) == pytest.approx(float(smallest), abs=1e-9)
    assert all(radius(float(lr) + h) >= float(smallest) - 1e-9 for h in (-1e-3, 1e-3))


def test_one_line_says_where_a_point_attracts():
    bilinear = gd.games.bilinear()
    assert repr(gd.stability_region(bilinear, gd.rules.OptimisticGD("lr"))).endswith(" exactly where 1 - 3*lr**2 > 0>")
    never = gd.stability_region(bilinear, gd.rules.GDA("lr"))
    assert " for any positive lr: an eigenvalue is on or beyond the unit circle>" in repr(never)


def test_a_threshold_with_other_parameters_free():
    """Candidates that are not finite at a sample are none: the comparison with them raised a TypeError."""
    penalised = gd.games.dirac_gan(penalty=gd.penalties.R1("gamma"))
    region = gd.stability_region(penalised, gd.rules.HeavyBall("lr", "beta", alternating=True), ("lr",))
    with pytest.raises(gd.GandynError, match="meets different boundaries"):
        region.critical("lr")
