"""Bifurcation curves in two parameters against closed forms, planted spectra and eigenvalues on a grid."""

from types import SimpleNamespace

import numpy as np
import pytest
import sympy

import gandyn as gd
from gandyn.analysis.parameters.boundary_polynomials import DIGITS, _vanishes
from gandyn.analysis.parameters.curves import CELLS, _Plane
from gandyn.errors import DomainError, ParameterError

a, b = sympy.symbols("a b", real=True)
DIRAC = gd.games.dirac_gan(penalty=gd.penalties.R1("gamma"))


def test_an_arc_is_led_to_a_special_point_within_three_cells_of_its_end():
    arc = np.array([[0.0, 0.0], [9.0, 0.0]])
    plane = SimpleNamespace(ranges=np.array([[0.0, CELLS], [0.0, CELLS]]), points=[np.array([9.0, 3.5])])
    assert _Plane._reaching(plane, arc) is arc
    plane.points = [np.array([9.0, 2.9])]
    assert _Plane._reaching(plane, arc).tolist() == [[0, 0], [9, 0], [9, 2.9]]


def linear(rows):
    """A game of one coordinate per player whose gradient flow is dw/dt = M w."""
    w = sympy.symbols(f"w:{len(rows)}", real=True)
    costs = [-x * sum(m * u for m, u in zip(row, w, strict=True)) for x, row in zip(w, rows, strict=True)]
    own = [m * x**2 / 2 for k, (x, row) in enumerate(zip(w, rows, strict=True)) for m in [row[k]]]
    return gd.games.from_sympy([c + e for c, e in zip(costs, own, strict=True)], list(w))


def flow_points(rows):
    game = linear(rows)
    found = gd.bifurcation_curves(game, None, ("a", "b"), [(-1, 1), (-1, 1)], at=[0] * len(rows))
    return found, [(p.name, p.values) for p in found.points]


def test_the_penalised_dirac_gan_has_its_strong_resonances_where_algebra_puts_them():
    """det = 1 - lr gamma + lr^2/4, trace = 2 - lr gamma: Neimark-Sacker lr = 4 gamma, trace -1, 0 or -2 on it."""
    found = gd.bifurcation_curves(DIRAC, gd.rules.GDA("lr"), ranges=[(0, 6), (0, 3)])
    root = sympy.sqrt
    places = {p.name: p.values for p in found.points}
    assert places == {"1:4": (2 * root(2), root(2) / 2), "1:3": (2 * root(3), root(3) / 2), "1:2": (4, 1)}
    assert found.complete
    pair = next(c for c in found.curves if c.kind == "Neimark-Sacker")
    assert pair.edge
    assert pair.criticality == "supercritical"
    np.testing.assert_allclose(pair.points[:, 0], 4 * pair.points[:, 1], atol=1e-12)
    np.testing.assert_allclose(pair.coefficients, -3 / 64 * pair.places[:, 0] ** 3, rtol=1e-6)
    flips = [c for c in found.curves if c.kind == "flip"]
    assert sorted(c.edge for c in flips) == [False, True]
    for c in flips:
        lr, gamma = c.points.T
        np.testing.assert_allclose(gamma, 2 / lr + lr / 8, rtol=1e-12)
        assert (c.edge == (lr[1:-1] < 4)).all()
    assert "1:2 at (4, 1)" in found.summary()


def test_alternating_steps_have_no_pair_on_the_circle_where_the_penalty_is_positive():
    found = gd.bifurcation_curves(DIRAC, gd.rules.AlternatingGD("lr"), ranges=[(0, 6), (0, 3)])
    assert {str(c.kind) for c in found.curves} == {"flip"}
    assert not found.points
    assert found.complete


def test_a_double_zero_and_meetings_with_pairs_have_their_names():
    planted, points = flow_points([[0, 1], [a, b]])
    assert points == [("Bogdanov-Takens", (0, 0))]
    assert planted.complete
    hopf = next(c for c in planted.curves if c.kind == "Hopf")
    assert hopf.edge
    assert hopf.points[:, 0].max() == 0
    assert np.abs(hopf.points[:, 1]).max() < 1e-14
    assert flow_points([[a, 0, 0], [0, b, -1], [0, 1, b]])[1] == [("zero-Hopf", (0, 0))]
    companion = [[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [-4, -b, -5, -a]]
    assert flow_points(companion)[1] == [("double Hopf", (0, 0))]


def test_a_real_pair_of_opposite_numbers_is_no_hopf_point():
    """The determinant that vanishes on b = 0 does so for a > 0 too, where the eigenvalues are +-sqrt(a)."""
    found, _ = flow_points([[0, 1], [a, b]])
    assert all((c.points[:, 0] <= 0).all() for c in found.curves if c.kind == "Hopf")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rule", "names"),
    [
        (gd.rules.Consensus("lr", "gamma"), ("lr", "gamma")),
        (gd.rules.HeavyBall("lr", 0.1), ("lr", "momentum")),
        (gd.rules.Lookahead(gd.rules.GDA("lr"), 3, 0.5), ("lr", "alpha")),
        (gd.rules.OptimisticGD("lr"), ("lr", "a")),
    ],
)
def test_arcs_that_bound_the_stable_set_are_where_the_spectral_radius_crosses_one(rule, names):
    """Between neighbours of a grid of which one is stable an arc passes; on every arc the radius is one."""
    x, y = sympy.symbols("x y", real=True)
    own = sympy.Symbol("a", positive=True) if "a" in names else sympy.Rational(2, 5)
    game = gd.games.from_sympy([own * x**2 / 2 + x * y, -x * y + y**2 / 5], [x, y])
    low = -0.9 if "momentum" in names else 0.0
    found = gd.bifurcation_curves(game, rule, names, [(0, 3), (low, 1)], at=(0, 0))
    assert found.complete
    assert any(c.edge for c in found.curves)
    radius = lambda p: np.abs(np.linalg.eigvals(np.array(matrix(*p), dtype=complex))).max()  # noqa: E731
    matrix = sympy.lambdify(found.parameters, found.matrix, "numpy")
    for c in found.curves:
        sizes = np.array([radius(p) for p in c.points[1:-1]])
        assert (np.abs(sizes - 1) < 1e-6).all() if c.edge else (sizes > 1 - 1e-6).all()
    first, second = np.linspace(0.05, 3, 40), np.linspace(low + 0.03, 1, 40)
    stable = np.array([[radius((p, q)) < 1 for p in first] for q in second])
    edges = np.concatenate([c.points for c in found.curves if c.edge]) / [3, 1 - low]
    for i, j in np.argwhere(stable[:, 1:] != stable[:, :-1]):
        middle = np.array([(first[j] + first[j + 1]) / 2, second[i]]) / [3, 1 - low]
        assert np.abs(edges - middle).max(-1).min() < 1 / 30, (first[j], second[i])


def test_what_is_no_plane_of_parameters_is_refused():
    with pytest.raises(ParameterError, match="two names"):
        gd.bifurcation_curves(DIRAC, gd.rules.GDA("lr"), ("lr",))
    with pytest.raises(ParameterError, match="two pairs"):
        gd.bifurcation_curves(DIRAC, gd.rules.GDA("lr"), ranges=[(0, 1), (2, 1)])
    with pytest.raises(ParameterError, match="assumed positive"):
        gd.bifurcation_curves(DIRAC, gd.rules.GDA("lr"), ranges=[(0, 1), (-1, 1)])
    with pytest.raises(DomainError):
        gd.bifurcation_curves(DIRAC, gd.rules.Adam("lr"))


# --- equilibria without a formula -------------------------------------------------------------------------------------

x, y = sympy.symbols("x y", real=True)


@pytest.mark.slow
def test_a_cusp_of_folds_is_followed_and_found():
    """dx/dt = a + b x - x^3 has folds where 27 a^2 = 4 b^3, which meet in a cusp at 0."""
    game = gd.games.from_sympy([-(a * x + b * x**2 / 2 - x**4 / 4), y**2 / 2], [x, y])
    found = gd.bifurcation_curves(game, None, ("a", "b"), [(-1, 1), (-0.5, 1)], box=[(-2, 2), (-1, 1)])
    (fold,) = found.curves
    assert fold.edge
    np.testing.assert_allclose(27 * fold.points[:, 0] ** 2, 4 * fold.points[:, 1] ** 3, atol=1e-12)
    np.testing.assert_allclose(sorted(fold.points[[0, -1], 0]), [-np.sqrt(4 / 27), np.sqrt(4 / 27)], atol=1e-10)
    np.testing.assert_allclose(fold.equilibria[:, 0] ** 2, fold.points[:, 1] / 3, atol=1e-12)
    (point,) = found.points
    assert point.name == "cusp"
    np.testing.assert_allclose(point.values, 0, atol=1e-9)
    assert not found.complete
    assert "six lines" in found.summary()


@pytest.mark.slow
def test_fold_and_hopf_meet_at_a_bogdanov_takens_point():
    """dx/dt = y, dy/dt = a + b x + x^2 - x y: fold b^2 = 4 a, Hopf a = 0 where b < 0, criticality from theory."""
    costs = [-x * y, -(a * y + b * x * y + x**2 * y - x * y**2 / 2)]
    game = gd.games.from_sympy(costs, [x, y])
    found = gd.bifurcation_curves(game, None, ("a", "b"), [(-0.5, 0.5), (-1, 1)], box=[(-2, 2)] * 2)
    kinds = {str(c.kind) for c in found.curves}
    assert kinds == {"fold", "Hopf"}
    for c in found.curves:
        p, q = c.points.T
        if c.kind == "fold":
            np.testing.assert_allclose(q**2, 4 * p, atol=1e-11)
        else:
            np.testing.assert_allclose(p, 0, atol=1e-11)
            assert q.max() < 1e-2
            assert c.criticality == "supercritical"  # a stable cycle, Kuznetsov 2004, section 8.4 with s = -1
    assert [s.name for s in found.points] == ["Bogdanov-Takens"]
    np.testing.assert_allclose(found.points[0].values, 0, atol=1e-6)


@pytest.mark.slow
def test_boundaries_of_the_forsaken_game_by_newtons_method_on_the_cost_itself():
    """Each point again from the costs alone: a zero of the gradient, with the eigenvalue that its kind names."""
    phi = lambda z: z**2 / 4 - z**4 / 2 + z**6 / 6  # noqa: E731
    value = x * (y - a) + phi(x) - phi(y)
    game, gd_rule = gd.games.from_sympy(value, [x, y]), gd.rules.GDA("lr")
    found = gd.bifurcation_curves(game, gd_rule, ("lr", "a"), [(0.01, 0.8), (0, 1.2)], box=[(-1.5, 1.5)] * 2)
    assert {str(c.kind) for c in found.curves} == {"fold", "flip", "Neimark-Sacker"}
    assert {"fold-flip"} <= {s.name for s in found.points}
    gradient = sympy.Matrix([value.diff(x), -value.diff(y)])
    field = sympy.lambdify((x, y, a), gradient)
    slopes = sympy.lambdify((x, y, a), gradient.jacobian([x, y]))
    for c in found.curves:
        for (lr, offset), w in zip(c.points[1:-1:7], c.equilibria[1:-1:7], strict=True):
            assert np.abs(field(*w, offset)).max() < 1e-11
            values = np.linalg.eigvals(np.eye(2) - lr * np.array(slopes(*w, offset), dtype=float))
            gap = {"fold": values - 1, "flip": values + 1}.get(str(c.kind), np.abs(values) - 1)
            assert np.abs(gap).min() < 1e-9
    pair = next(c for c in found.curves if c.kind == "Neimark-Sacker" and c.criticality == "subcritical")
    beside = np.interp(0.45, pair.points[::-1, 1], pair.points[::-1, 0])
    ends = [
        gd.iterate(gd.games.forsaken(), gd.rules.GDA(lr), [0.08, 0.41], 20000, record="last").w
        for lr in (0.9 * beside, 1.1 * beside)
    ]
    assert np.abs(ends[0] - [0.078027, 0.411934]).max() < 1e-2 < np.abs(ends[1] - [0.078027, 0.411934]).max()


def test_a_box_that_is_none_is_refused():
    with pytest.raises(ParameterError, match="2 pairs"):
        gd.bifurcation_curves(DIRAC, gd.rules.GDA("lr"), ranges=[(0, 1), (0, 1)], box=[(0, 1)])


@pytest.mark.parametrize("unit", [sympy.Rational(1, 10**9), 10**6])
def test_a_followed_curve_is_the_same_in_other_units_of_cost(unit):
    """x' = a + b x - x^2 has its folds on a = -b^2 / 4."""
    x, y = sympy.symbols("x y", real=True)
    game = gd.games.from_sympy([unit * (x**3 / 3 - b * x**2 / 2 - a * x), unit * y**2 / 2], [x, y])
    found = gd.bifurcation_curves(game, None, ("a", "b"), [(-1, 1), (-1, 1)], box=[(-3, 3), (-1, 1)])
    assert {str(c.kind) for c in found.curves} == {"fold"}
    for p, q in (c.points.T for c in found.curves):
        np.testing.assert_allclose(p, -(q**2) / 4, atol=1e-9)


def test_a_followed_curve_ends_where_the_first_parameter_leaves_its_range():
    """x' = a + b x - x^2 / 8 has its folds on a = -2 b^2, which leaves a >= -1 at b = +-1 / sqrt(2)."""
    game = gd.games.from_sympy([x**3 / 24 - b * x**2 / 2 - a * x, y**2 / 2], [x, y])
    found = gd.bifurcation_curves(game, None, ("a", "b"), [(-1, 1), (-1, 1)], box=[(-3, 3), (-1, 1)])
    (fold,) = found.curves
    np.testing.assert_allclose(fold.points[:, 0], -2 * fold.points[:, 1] ** 2, atol=1e-9)
    np.testing.assert_allclose(fold.points[[0, -1]], [(-1, -np.sqrt(0.5)), (-1, np.sqrt(0.5))], atol=1e-9)


def test_a_sum_vanishes_to_sixty_digits():
    p = sympy.Rational(1, 3)
    f = sympy.Poly(a - p, a, b)
    tiny = sympy.Rational(1, 10**DIGITS) / 3
    assert _vanishes(f, p + tiny, p)
    assert not _vanishes(f, p + 3 * tiny, p)
