"""Bifurcation curves in two parameters against closed forms, planted spectra and eigenvalues on a grid."""

from types import SimpleNamespace

import numpy as np
import pytest
import sympy

import gandyn as gd
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
