"""Bifurcations of games whose eigenvalues and normal forms are known in closed form: place to 1e-8, name, side."""

from types import SimpleNamespace

import numpy as np
import pytest
import sympy

import gandyn as gd
from gandyn.analysis.parameters.bifurcation import _Explorer

x, y, p = sympy.symbols("x y p", real=True)
FLOW_RANGE = np.linspace(-1, 1.1, 22)


def _descent(dx, dy=-y):
    """The game whose gradient flow is dx/dt, dy/dt."""
    return gd.games.from_sympy([sympy.integrate(-dx, x), sympy.integrate(-dy, y)], [x, y])


def _only(result):
    (point,) = result.points
    return point


@pytest.mark.parametrize(
    ("dx", "kind", "side"),
    [
        (p - x**2, "fold", None),
        (p * x - x**2, "transcritical", None),
        (p * x - x**3, "pitchfork", "supercritical"),
        (p * x + x**3, "pitchfork", "subcritical"),
    ],
    ids=str,
)
def test_normal_forms_of_one_real_eigenvalue(dx, kind, side):
    moved = dx.subs(p, p - sympy.Rational(1, 7)).subs(x, x - sympy.Rational(1, 3))
    for rule in (None, gd.rules.GDA(0.1)):  # gradient steps share fixed points and sides with their flow
        found = gd.bifurcation(_descent(moved), rule, "p", FLOW_RANGE, box=[(-2, 2), (-1, 1)])
        point = _only(found)
        assert point.kind == kind, found.summary()
        assert point.parameter == pytest.approx(1 / 7, abs=1e-8)
        np.testing.assert_allclose(point.point, [1 / 3, 0], atol=1e-4)
        assert point.criticality == side
        assert len(found.branches) == (1 if kind == "fold" else 2)


@pytest.mark.parametrize("a", [-1.0, 0.5])
def test_hopf_points_have_the_planted_first_lyapunov_coefficient(a):
    # z' = (p + i w) z + a z |z|^2 in x, y; with |q| = 1 the coefficient is 2 a / w.
    w = 2.0
    square = x**2 + y**2
    game = _descent(p * x - w * y + a * x * square, w * x + p * y + a * y * square)
    point = _only(gd.bifurcation(game, None, "p", FLOW_RANGE))
    assert point.kind == "Hopf"
    assert point.parameter == pytest.approx(0, abs=1e-8)
    assert point.coefficient == pytest.approx(2 * a / w, rel=1e-5)
    assert point.criticality == ("supercritical" if a < 0 else "subcritical")
    np.testing.assert_allclose(np.sort(point.critical.imag), [-w, w], rtol=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize(("a", "b"), [(-6, 6), (3, -3)])
def test_a_hopf_point_opens_to_the_same_side_in_any_unit_of_each_player(a, b):
    """The circle of x / 10^a, y / 10^b: |q|^2 = 1 in the game's coordinates divides -2 by the squared radius of it."""
    p, x, y = sympy.symbols("p x y", real=True)
    s, t = sympy.Integer(10) ** a, sympy.Integer(10) ** b
    u, v = x / s, y / t
    flow = s * (p * u - v - u * (u**2 + v**2)), t * (u + p * v - v * (u**2 + v**2))
    costs = [-sympy.integrate(sympy.expand(f), w) for f, w in zip(flow, (x, y), strict=True)]
    box = [(-2 * float(s), 2 * float(s)), (-2 * float(t), 2 * float(t))]
    found = gd.bifurcation(gd.games.from_sympy(costs, [x, y]), None, "p", np.linspace(-1, 1, 11), box=box)
    (point,) = found.points
    assert (str(point.kind), point.criticality) == ("Hopf", "supercritical")
    assert point.coefficient == pytest.approx(-4 / float(s**2 + t**2), rel=1e-4)


def test_quadratic_terms_count_in_the_first_lyapunov_coefficient():
    # x' = p x - y + x y^2, y' = x + p y - x^2: l = (f_xyy + g_xxx... - g_xx (...))/16 by Guckenheimer & Holmes 3.4.11:
    # 16 a = f_xxx + f_xyy + g_xxy + g_yyy + [f_xy (f_xx + f_yy) - g_xy (g_xx + g_yy) - f_xx g_xx + f_yy g_yy] / w.
    f, g = p * x - y + x * y**2 + x**2, x + p * y - x**2 + 2 * x * y
    point = _only(gd.bifurcation(_descent(f, g), None, "p", np.linspace(-0.2, 0.25, 10), box=[(-0.3, 0.3)] * 2))
    d = lambda e, *s: float(sympy.diff(e, *s).subs({x: 0, y: 0, p: 0}))  # noqa: E731
    # The rotation is x' = -y, y' = x: the formula's x' = -w y, y' = w x with w = 1.
    sixteen_a = d(f, x, x, x) + d(f, x, y, y) + d(g, x, x, y) + d(g, y, y, y)
    sixteen_a += d(f, x, y) * (d(f, x, x) + d(f, y, y)) - d(g, x, y) * (d(g, x, x) + d(g, y, y))
    sixteen_a += -d(f, x, x) * d(g, x, x) + d(f, y, y) * d(g, y, y)
    assert point.kind == "Hopf"
    assert point.coefficient == pytest.approx(2 * sixteen_a / 16, rel=1e-4)  # |q| = 1: twice a


@pytest.mark.slow
def test_gradient_steps_on_the_dirac_gan_lose_stability_where_the_exact_region_ends():
    game = gd.games.dirac_gan(penalty=gd.penalties.R1(0.3))
    exact = float(gd.stability_region(game, gd.rules.GDA("lr")).critical("lr"))
    found = gd.bifurcation(game, gd.rules.GDA(0.1), "lr", np.linspace(0.1, 2.0, 20))
    point = _only(found)
    assert point.kind == "Neimark-Sacker"
    assert point.parameter == pytest.approx(exact, abs=1e-8)
    (branch,) = found.branches
    np.testing.assert_array_equal(branch.stable, branch.parameter < exact)


def test_a_quadratic_game_flips_at_two_over_the_curvature():
    game = gd.games.from_sympy([3 * x**2 / 2, y**2 / 2], [x, y])
    point = _only(gd.bifurcation(game, gd.rules.GDA(0.1), "lr", np.linspace(0.1, 1.0, 10)))
    assert point.kind == "flip"
    assert point.parameter == pytest.approx(2 / 3, abs=1e-9)
    assert point.criticality is None
    assert "undecided" in point.reason


@pytest.mark.slow
@pytest.mark.parametrize("sign", [-1, 1])
def test_flips_open_to_the_side_of_the_cubic_coefficient(sign):
    # w+ = w - lr (w + s w^3 / 2): at lr = 2, -w - s w^3, so c = -s.
    game = gd.games.from_sympy([x**2 / 2 + sign * x**4 / 8, y**2 / 4], [x, y])
    found = gd.bifurcation(game, gd.rules.GDA(0.1), "lr", np.linspace(1.5, 2.5, 11), box=[(-0.5, 0.5)] * 2)
    (point,) = [q for q in found.points if q.kind == "flip" and abs(q.point[0]) < 1e-6]
    assert point.parameter == pytest.approx(2, abs=1e-9)
    assert point.coefficient == pytest.approx(-sign, rel=1e-6)
    assert point.criticality == ("supercritical" if sign < 0 else "subcritical")


@pytest.mark.slow
@pytest.mark.parametrize("a", [-0.5, 0.5])
def test_neimark_sacker_points_have_the_planted_coefficient(a):
    # z+ = e^{i t} (1 + p) z + a e^{i t} z |z|^2: Re(e^{-it} c1) = a in z; with |q| = 1 it is 2 a.
    t = 2 * np.pi * 0.1234
    c, s = sympy.Float(np.cos(t), 17), sympy.Float(np.sin(t), 17)
    growth = 1 + p + a * (x**2 + y**2)
    image = growth * (c * x - s * y), growth * (s * x + c * y)
    game = gd.games.from_sympy(
        [sympy.integrate(sympy.expand(v - e), v) for v, e in zip((x, y), image, strict=True)], [x, y]
    )
    point = _only(gd.bifurcation(game, gd.rules.GDA(1.0), "p", np.linspace(-0.4, 0.45, 10), box=[(-0.3, 0.3)] * 2))
    assert point.kind == "Neimark-Sacker"
    assert point.parameter == pytest.approx(0, abs=1e-8)
    assert point.coefficient == pytest.approx(2 * a, rel=1e-5)
    assert point.criticality == ("supercritical" if a < 0 else "subcritical")


def test_the_almost_bilinear_game_has_a_hopf_point_without_a_side_at_zero():
    eps = sympy.Symbol("eps", real=True)
    point = _only(gd.bifurcation(gd.games.almost_bilinear(eps), None, "eps", np.linspace(-0.5, 0.5, 11)))
    assert (point.kind, point.criticality) == ("Hopf", None)
    assert point.parameter == pytest.approx(0, abs=1e-8)
    assert "undecided" in point.reason
    # Gradient steps: |eigenvalue|^2 = 1 + lr eps + lr^2.
    stepped = _only(gd.bifurcation(gd.games.almost_bilinear(eps), gd.rules.GDA(0.2), "eps", np.linspace(-0.5, 0.5, 11)))
    assert stepped.kind == "Neimark-Sacker"
    assert stepped.parameter == pytest.approx(-0.2, abs=1e-8)


def test_memory_belongs_to_the_map():
    point = _only(gd.bifurcation(gd.games.bilinear(), gd.rules.OptimisticGD(0.1), "lr", np.linspace(0.1, 1, 10)))
    assert point.parameter == pytest.approx(1 / np.sqrt(3), abs=1e-8)
    assert point.kind == "Neimark-Sacker"


def test_what_stays_on_the_boundary_and_what_meets_it_together_is_left_undecided():
    calm = gd.bifurcation(gd.games.bilinear(), gd.rules.AlternatingGD(0.1), "lr", np.linspace(0.1, 1, 10))
    assert calm.points == ()
    assert "boundary" in calm.notes[0]
    both = _only(gd.bifurcation(gd.games.quadratic(1, 0, 1), gd.rules.GDA(0.1), "lr", np.linspace(0.5, 3, 10)))
    assert both.kind == "undecided"
    assert both.parameter == pytest.approx(2, abs=1e-6)


def test_long_run_values_follow_the_attractors():
    game = gd.games.from_sympy([x**2 / 2 - x**4 / 8, y**2 / 4], [x, y])  # 2-cycle: x^2 = 2 - 4 / lr
    found = gd.bifurcation(game, gd.rules.GDA(0.1), "lr", np.linspace(1.5, 2.3, 9), box=[(-0.5, 0.5)] * 2)
    for lr, sample in zip(found.values, found.attractor[..., 0], strict=True):
        ends = np.abs(sample[np.isfinite(sample)])
        if abs(lr - 2) > 0.05:
            np.testing.assert_allclose(ends, np.sqrt(max(0.0, 2 - 4 / lr)), atol=1e-6)


def test_mistakes_are_named():
    with pytest.raises(gd.GandynError, match="no_such"):
        gd.bifurcation(gd.games.bilinear(), gd.rules.GDA(0.1), "no_such", [0.1, 0.2])
    with pytest.raises(gd.GandynError, match="increasing"):
        gd.bifurcation(gd.games.bilinear(), gd.rules.GDA(0.1), "lr", [0.2, 0.1])


def test_eigenvalues_that_touch_the_boundary_at_a_point_of_a_branch_do_not_cross_it():
    """Distances 1, 0, 1 come back; -1, 0, 1 go through, at the point in the middle."""
    curve = SimpleNamespace(points=np.array([[-1.0, 0.0], [0.0, 0.5], [1.0, 1.0]]), tangents=np.ones((3, 2)))
    for distances, crossings in ((lambda at: at[:1] ** 2, []), (lambda at: at[:1], [1])):
        found = []
        explorer = SimpleNamespace(
            family=SimpleNamespace(distances=distances),
            notes=[],
            _record=lambda curve, i, at, found=found: found.append(i),
        )
        _Explorer._inspect(explorer, curve)
        assert found == crossings


def test_two_values_are_enough_for_a_fold_between_them():
    """x' = p - x^2 has its fold at 0, and the units of p are those of the whole range."""
    p, x, y = sympy.symbols("p x y", real=True)
    game = gd.games.from_sympy([x**3 / 3 - p * x, y**2 / 2], [x, y])
    found = gd.bifurcation(game, None, "p", [-1.0, 1.5], box=[(-2, 2)] * 2)
    assert [(point.kind.value, point.parameter) for point in found.points] == [("fold", pytest.approx(0, abs=1e-9))]
