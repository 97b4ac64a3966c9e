"""linearize and fixed_points: exact spectra against closed forms, NumPy, and hand-made Jordan blocks."""

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import gandyn as gd
from gandyn.analysis.linearize import Verdict
from gandyn.analysis.polynomials import Z, factors, largest_modulus, place, semisimple

LR = sympy.Symbol("lr", positive=True)
BILINEAR = gd.games.bilinear()
FIFTH = sympy.Rational(1, 5)


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


def test_jordan_blocks_on_the_boundary_are_found_exactly():
    rotation = sympy.Matrix(
        [[sympy.Rational(3, 5), -sympy.Rational(4, 5)], [sympy.Rational(4, 5), sympy.Rational(3, 5)]]
    )
    whole = sympy.diag(rotation, rotation)
    defective = whole.copy()
    defective[0:2, 2:4] = sympy.eye(2)
    for matrix, full in ((whole, True), (defective, False)):
        found = factors(matrix)
        placement = place(found, flow=False)
        assert (placement.inside, placement.boundary, placement.outside) == (0, 4, 0)
        assert placement.certain
        assert semisimple(matrix, found, found[0][0]) is full


@pytest.mark.parametrize("distance", [sympy.Rational(1, 10**30), -sympy.Rational(1, 10**30), sympy.Integer(0)])
def test_roots_a_hair_from_the_boundary_are_placed_exactly(distance):
    p = sympy.Poly(sympy.expand(Z**2 - sympy.Rational(6, 5) * Z + 1 + distance), Z)
    companion = sympy.Matrix([[0, -p.all_coeffs()[2]], [1, -p.all_coeffs()[1]]])
    placement = place(factors(companion), flow=False)
    assert (placement.inside, placement.boundary, placement.outside) == {
        1: (0, 0, 2), -1: (2, 0, 0), 0: (0, 2, 0)
    }[int(sympy.sign(distance))]  # fmt: skip
    flow = sympy.Matrix([[distance, -1], [1, distance]])
    left = place(factors(flow), flow=True)
    assert (left.inside, left.boundary, left.outside) == (placement.inside, placement.boundary, placement.outside)


def test_largest_modulus_of_a_complex_pair_in_a_quartic():
    a, b = sympy.Rational(1, 3), sympy.Rational(1, 7)
    matrix = sympy.diag(sympy.Matrix([[a, -b], [b, a]]), sympy.Matrix([[0, 2], [-1, 1]]))
    assert largest_modulus(factors(matrix)) == sympy.sqrt(2)


def test_torch_games_are_linearised_by_autograd_to_the_same_numbers():
    torch = pytest.importorskip("torch")
    torch_game = gd.games.from_torch(lambda x, y: (x * y).sum(-1) + 0.25 * (x**2).sum(-1), {"x": 1, "y": 1})
    a, b = sympy.symbols("a b", real=True)
    twin = gd.games.from_sympy(a * b + a**2 / 4, [a, b])
    for rule in (None, gd.rules.GDA(0.2), gd.rules.OptimisticGD(0.2), gd.rules.AlternatingGD((0.1, 0.3))):
        ours = gd.linearize(torch_game, rule, at=torch.zeros(2, dtype=torch.float64))
        np.testing.assert_allclose(ours.matrix, gd.linearize(twin, rule, at=(0, 0)).matrix, atol=1e-14)


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
        assert "one-sided slopes" in lin.reason
    away = gd.linearize(kinked, at=(0.5, -1))
    np.testing.assert_allclose(away.matrix, -np.array([[3, 1], [-1, 1]]))


@pytest.mark.parametrize("options", [{"loss": "loss_sensitive"}, {"penalty": "WGANGP(0.7)"}])
def test_dirac_gans_with_kinks_at_the_origin_are_undecided(options):
    lin = gd.linearize(gd.games.dirac_gan(**options), at=(0, 0))
    assert lin.verdict is Verdict.UNDECIDED
    assert "no derivative" in lin.reason
