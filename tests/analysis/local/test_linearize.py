"""linearize and fixed_points: exact spectra against closed forms, NumPy, and hand-made Jordan blocks."""

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from linearize_cases import BILINEAR, FIFTH, HALF

import gandyn as gd
from gandyn.analysis.local.linearize import Verdict

LR = sympy.Symbol("lr", positive=True)


@pytest.mark.parametrize(
    ("rule", "radius", "verdict"),
    [
        (gd.rules.GDA(0.2), sympy.sqrt(1 + FIFTH**2), Verdict.REPELLING),
        (gd.rules.AlternatingGD(0.2), sympy.Integer(1), Verdict.MARGINAL),
        (gd.rules.AlternatingGD(2), sympy.Integer(1), Verdict.DEFECTIVE),
        (gd.rules.Extragradient(0.2), sympy.sqrt(1 - FIFTH**2 + FIFTH**4), Verdict.ATTRACTING),
        (gd.rules.OptimisticGD(0.2), sympy.sqrt((1 + sympy.sqrt(1 - 4 * FIFTH**2)) / 2), Verdict.ATTRACTING),
        (gd.rules.PastExtragradient(0.2), sympy.sqrt((1 + sympy.sqrt(1 - 4 * FIFTH**2)) / 2), Verdict.ATTRACTING),
        (gd.rules.OptimisticGD(0.5), sympy.sqrt(2) / 2, Verdict.ATTRACTING),
    ],
    ids=lambda value: str(value)[:40],
)
def test_the_exact_spectral_radius_on_the_bilinear_game_is_the_closed_form(rule, radius, verdict):
    lin = gd.linearize(BILINEAR, rule)
    assert sympy.simplify(lin.exact.spectral_radius - radius) == 0
    assert lin.spectral_radius == pytest.approx(float(radius), rel=1e-14)
    assert lin.verdict is verdict


@pytest.mark.parametrize(
    ("rule", "radius"),
    [
        (gd.rules.GDA("lr"), sympy.sqrt(1 + LR**2)),
        (gd.rules.Extragradient("lr"), sympy.sqrt(1 - LR**2 + LR**4)),
    ],
    ids=repr,
)
def test_a_free_step_size_stays_a_symbol(rule, radius):
    lin = gd.linearize(BILINEAR, rule)
    assert sympy.simplify(lin.exact.spectral_radius - radius) == 0
    assert lin.verdict is Verdict.UNDECIDED
    assert "lr" in lin.reason
    with pytest.raises(gd.GandynError, match="lr has no value"):
        _ = lin.matrix


@pytest.mark.parametrize("lr", [0.3, 0.55, 0.6, 2.5])
@pytest.mark.parametrize("rule", [gd.rules.OptimisticGD("lr"), gd.rules.AlternatingGD("lr")], ids=lambda r: r.name)
def test_the_symbolic_radius_evaluates_to_the_numeric_one_on_both_sides_of_its_branch_points(rule, lr):
    symbolic = gd.linearize(BILINEAR, rule).exact.spectral_radius
    numeric = gd.linearize(BILINEAR, type(rule)(lr)).spectral_radius
    assert float(symbolic.subs(LR, sympy.Rational(str(lr))).evalf(20)) == pytest.approx(numeric, rel=1e-12)


def test_the_optimistic_threshold_is_one_over_root_three():
    below, above = 0.577350, 0.577351
    assert gd.linearize(BILINEAR, gd.rules.OptimisticGD(below)).verdict is Verdict.ATTRACTING
    assert gd.linearize(BILINEAR, gd.rules.OptimisticGD(above)).verdict is not Verdict.ATTRACTING
    at = gd.linearize(BILINEAR, gd.rules.OptimisticGD(1 / sympy.sqrt(3)))
    assert at.verdict is Verdict.MARGINAL


@pytest.mark.parametrize("penalty", [None, "R1(0.3)", "R1(1)", "R1(1.7)"])
@pytest.mark.parametrize("loss", ["minimax", "nonsaturating"])
def test_the_flow_of_the_dirac_gan_has_mescheders_eigenvalues(loss, penalty):
    gamma = 0.0 if penalty is None else float(penalty[3:-1])
    lin = gd.linearize(gd.games.dirac_gan(loss=loss, penalty=penalty))
    root = np.sqrt(complex(gamma**2 / 4 - 0.25))
    expected = np.array([-gamma / 2 + root, -gamma / 2 - root])
    np.testing.assert_allclose(sorted(lin.eigenvalues, key=str), sorted(expected, key=str), atol=1e-14)
    assert lin.verdict is (Verdict.MARGINAL if penalty is None else Verdict.ATTRACTING)


def test_adam_at_an_equilibrium_is_undecided_and_says_why():
    lin = gd.linearize(BILINEAR, gd.rules.Adam(0.1))
    assert lin.verdict is Verdict.UNDECIDED
    assert "no derivative" in lin.reason
    with pytest.raises(gd.GandynError, match="no derivative"):
        _ = lin.matrix


def test_adam_is_linearised_where_its_moments_are_not_zero():
    rule, game, h = gd.rules.Adam(0.1, betas=(0.5, 0.8)), gd.games.quadratic(1, 2, 1), 1e-6
    w = np.array([0.5, -0.25])
    state = gd.types.State({"mean": np.array([0.5, 1.5]), "square": np.array([1.0, 2.0])}, {"steps": 10**6})
    lin = gd.linearize(game, rule, at=w, state=state)
    z = np.concatenate([w, state["mean"], state["square"]])

    def move(z):
        inner = state.replace_leaves(iter(np.split(z[2:], 2)), iter([10**6]))
        w_next, after, _ = rule.step(game, z[:2], inner)
        return np.concatenate([w_next, *(leaf for _, leaf in after.leaves())])

    columns = [(move(z + h * e) - move(z - h * e)) / (2 * h) for e in np.eye(6)]
    np.testing.assert_allclose(lin.matrix, np.array(columns).T, atol=1e-8)
    assert "not an equilibrium" in lin.reason


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3))
def test_exact_and_numeric_spectra_agree_on_random_games(seed, n):
    m = np.random.default_rng(seed).integers(-3, 4, (n, n)) + 7 * np.eye(n, dtype=int)
    lin = gd.linearize(gd.games.bilinear(m.tolist()), gd.rules.OptimisticGD(0.1))
    expected = np.linalg.eigvals(lin.matrix)
    for value in lin.eigenvalues:
        assert np.abs(expected - value).min() < 1e-6  # multiple roots cost NumPy half its digits
    assert abs(np.sum(lin.eigenvalues) - np.trace(lin.matrix)) < 1e-12


def test_torch_games_are_linearised_by_autograd_to_the_same_numbers():
    torch = pytest.importorskip("torch")
    torch_game = gd.games.from_torch(lambda x, y: (x * y).sum(-1) + 0.25 * (x**2).sum(-1), {"x": 1, "y": 1})
    a, b = sympy.symbols("a b", real=True)
    twin = gd.games.from_sympy(a * b + a**2 / 4, [a, b])
    for rule in (None, gd.rules.GDA(0.2), gd.rules.OptimisticGD(0.2), gd.rules.AlternatingGD((0.1, 0.3))):
        ours = gd.linearize(torch_game, rule, at=torch.zeros(2, dtype=torch.float64))
        np.testing.assert_allclose(ours.matrix, gd.linearize(twin, rule, at=(0, 0)).matrix, atol=1e-14)


@pytest.mark.parametrize(("lr", "verdict"), [(1.9, "ATTRACTING"), (2.1, "REPELLING"), (1.5, "SADDLE")])
def test_verdicts_in_floating_point_are_about_the_unit_circle(lr, verdict):
    """f = a x^2/2 - y^2/2 in torch: eigenvalues 1 - lr a and 1 - lr, inside, outside, and one of each."""
    a = 2.0 if verdict == "SADDLE" else 1.0
    game = gd.games.from_torch(lambda x, y: (a * x**2 - y**2).sum(-1) / 2, {"x": 1, "y": 1})
    found = gd.linearize(game, gd.rules.GDA(lr), at=[0.0, 0.0])
    assert found.exact is None
    assert found.verdict.name == verdict


def test_the_flow_of_a_game_without_expressions_is_exact_too():
    """Robust regression is given by matrices; its saddle attracts."""
    game = gd.games.robust_regression()
    assert not game.symbolic
    found = gd.linearize(game)
    assert found.exact is not None
    assert found.verdict.name == "ATTRACTING"
    jacobian = game.jacobian(np.array([float(e) for e in game.equilibria[0]]))
    np.testing.assert_allclose(found.matrix, -jacobian, atol=1e-12)


def test_fixed_points_of_forsaken_and_of_a_polynomial_with_three():
    x, y = sympy.symbols("x y", real=True)

    def bump(z):
        return z**2 / 4 - z**4 / 2 + z**6 / 6

    forsaken = gd.games.from_sympy(x * (y - sympy.Rational(9, 20)) + bump(x) - bump(y), [x, y])
    (found,) = gd.fixed_points(forsaken, box=[(-1.5, 1.5)] * 2)
    np.testing.assert_allclose(found.point, [0.0780266687385, 0.411933851366], atol=1e-11)
    assert found.kind == "attracting"
    three = gd.games.from_sympy([x**4 / 4 - x**2 / 2 + x * y, y**2 / 2 - x * y], [x, y])
    assert {tuple(p.point.tolist()) for p in gd.fixed_points(three)} == {(0.0, 0.0)}
    three = gd.games.from_sympy([x**4 / 4 - x**2 / 2, y**2 / 2 - x * y], [x, y])
    points = gd.fixed_points(three, box=[(-2, 2)] * 2)
    assert [p.exact for p in points] == [(-1, -1), (0, 0), (1, 1)]
    assert [p.kind for p in points] == ["attracting", "saddle", "attracting"]


def test_fixed_points_asks_for_a_box_where_it_needs_one():
    x, y = sympy.symbols("x y", real=True)
    game = gd.games.from_sympy(sympy.sin(x) * y + sympy.exp(x) * x, [x, y])
    with pytest.raises(gd.GandynError, match="box"):
        gd.fixed_points(game)
    with pytest.raises(gd.GandynError, match="pairs"):
        gd.fixed_points(game, box=[(1, 0), (0, 1)])


def test_results_speak_json_and_prose():
    lin = gd.linearize(BILINEAR, gd.rules.GDA(0.2))
    data = lin.to_dict()
    assert data["verdict"] == "repelling"
    assert data["eigenvalues"][0]["re"] == 1.0
    assert "spectral radius: 1.0198" in lin.summary()


def test_kinks_are_decided_from_both_sides():
    x, y = sympy.symbols("x y", real=True)
    smooth = gd.games.from_sympy([x**2 / 2 + x * y + sympy.Abs(x) ** 3, y**2 / 2 - x * y], [x, y])
    assert gd.linearize(smooth, at=(0, 0)).verdict is Verdict.ATTRACTING  # |x|^3 is twice differentiable
    kinked = gd.games.from_sympy([x**2 / 2 + x * y + x * sympy.Abs(x), y**2 / 2 - x * y], [x, y])
    for rule in (None, gd.rules.GDA(0.1)):
        lin = gd.linearize(kinked, rule, at=(0, 0))
        assert lin.verdict is Verdict.UNDECIDED
        slopes = "-3, 1" if rule is None else "-1, 3"  # of -x - 2 |x|, and of the field in the step, x + 2 |x|
        assert f"the one-sided slopes of a term are {slopes}" in lin.reason
    away = gd.linearize(kinked, at=(0.5, -1))
    np.testing.assert_allclose(away.matrix, -np.array([[3, 1], [-1, 1]]))


@pytest.mark.parametrize("options", [{"loss": "loss_sensitive"}, {"penalty": "WGANGP(0.7)"}])
def test_dirac_gans_with_kinks_at_the_origin_are_undecided(options):
    lin = gd.linearize(gd.games.dirac_gan(**options), at=(0, 0))
    assert lin.verdict is Verdict.UNDECIDED
    assert "no derivative" in lin.reason


@pytest.mark.parametrize(("lr", "turns"), [(1, HALF / 3), (sympy.sqrt(2), HALF / 2), (sympy.sqrt(3), 2 * HALF / 3)])
def test_rotation_numbers_of_alternating_steps_are_exact(lr, turns):
    """cos(2 pi turns) = 1 - lr^2 / 2; after 1 / turns steps every orbit is where it was."""
    lin = gd.linearize(BILINEAR, gd.rules.AlternatingGD(lr))
    assert lin.exact.rotation_number == turns
    assert lin.rotation_number == pytest.approx(float(turns), abs=1e-15)
    period = int(1 / turns)
    np.testing.assert_allclose(np.linalg.matrix_power(lin.matrix, period), np.eye(2), atol=1e-14)


def test_rates_and_rotation_are_those_of_a_run():
    rule = gd.rules.Extragradient(0.5)
    lin = gd.linearize(BILINEAR, rule)
    w = gd.iterate(BILINEAR, rule, [1.0, 0.0], 40).w
    sizes = np.linalg.norm(w, axis=-1)
    np.testing.assert_allclose(np.log(sizes[:-1] / sizes[1:]), lin.rate, rtol=1e-10)
    turned = np.unwrap(np.arctan2(w[:, 1], w[:, 0]))
    np.testing.assert_allclose(np.abs(np.diff(turned)) / (2 * np.pi), lin.rotation_number, rtol=1e-10)
    assert lin.e_folding_time == pytest.approx(1 / lin.rate)
    flow = gd.linearize(gd.games.dirac_gan(penalty="R1(0.6)"))
    assert flow.rate == pytest.approx(0.3)
    assert flow.rotation_number == pytest.approx(0.4 / (2 * np.pi))
    assert gd.linearize(BILINEAR).e_folding_time == np.inf
    assert gd.linearize(gd.games.quadratic(1, 0, 1), gd.rules.GDA(1)).rate == np.inf


def test_one_point_at_a_time():
    for points in (np.ones((3, 2)), np.ones((0, 2)), [[0.0, 0.0], [1.0, 1.0]]):
        with pytest.raises(gd.GandynError, match="one point"):
            gd.linearize(gd.games.forsaken(), at=points)


def test_a_free_step_at_a_point_in_decimals_keeps_the_exact_dependence_on_it():
    game = gd.games.forsaken()
    lin = gd.linearize(game, gd.rules.GDA("lr"))
    numbers = gd.linearize(game, gd.rules.GDA(0.07)).matrix
    (lr,) = lin.exact.parameters
    np.testing.assert_allclose(np.array(lin.exact.matrix.subs(lr, 0.07), dtype=float), numbers, rtol=1e-14)
    assert gd.linearize(game, gd.rules.GDA("lr"), at=[1, 1]).residual > 0.1


@pytest.mark.parametrize("digits", [0, -4, -6, -9])
@pytest.mark.parametrize("rule", [None, gd.rules.GDA(0.1), gd.rules.HeavyBall(0.1, 0.3)])
def test_a_decimal_point_is_an_equilibrium_or_not_in_every_unit_of_length(digits, rule):
    """(1, -1/7) in units of 1e-9: an error of a thousandth is 1e-12, and no equilibrium for all that."""
    x, y = sympy.symbols("x y", real=True)
    unit = sympy.Integer(10) ** digits
    game = gd.games.from_sympy([unit**2 * ((x / unit) ** 4 / 4 - (x / unit) ** 2 / 2), y**2 / 2 + x * y / 7], [x, y])
    for error, solves in ((1e-10, True), (1e-4, False), (1e-2, False)):
        w = np.array([1 + error, -1 / 7]) * float(unit)
        assert gd.linearize(game, rule, at=w).equilibrium is solves
