"""certify: planted maps with known basins, thresholds inside the ranges, and proofs against simulation."""

import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import gandyn as gd
from gandyn.errors import DomainError, MissingDependencyError, NotDifferentiableError, ParameterError

pytest.importorskip("flint", reason="needs the extra gandyn[proof]")

from gandyn.analysis.certificates.ball_matrices import box, ends
from gandyn.analysis.certificates.enclosures import Iterated, system

X, Y = sympy.symbols("x y", real=True)
SQUARE = [(-1, 1), (-1, 1)]


def radial(a, twist=0):
    """Under GDA(1) the map is z+ = a z + |z|^2 z, turned by `twist`: the basin of 0 is |z|^2 + |a + twist i| < 1."""
    r2, a, twist = X**2 + Y**2, sympy.Rational(str(a)), sympy.Rational(str(twist))
    image = [(a + r2) * X - twist * Y, twist * X + (a + r2) * Y]
    costs = [sympy.integrate(s - e, s) for s, e in zip((X, Y), image, strict=True)]
    return gd.games.from_sympy(costs, [X, Y], name="radial", equilibria=[(0, 0)])


@pytest.mark.parametrize("a", [0.3, 0.75])
def test_the_proven_basin_of_a_radial_map_is_nearly_the_true_one(a):
    proof = gd.certify(radial(a), gd.rules.GDA(1.0), box=SQUARE)
    true = (1 - a) ** 0.5
    assert proof.unique == (true > 1)  # the circle of fixed points |z|^2 = 1 - a cuts the box
    inside = [(-0.6 * true, 0.6 * true)] * 2
    narrow = gd.certify(radial(a), gd.rules.GDA(1.0), box=inside)
    assert narrow.proven
    assert narrow.basin_radius == pytest.approx(0.6 * true, rel=1e-6)


@pytest.mark.parametrize(("a", "twist"), [(0.3, 0.0), (0.5, 0.3)])
def test_the_basin_is_bounded_by_the_dynamics_where_the_box_is_wider(a, twist):
    # rotating fixed circle: |z|^2 with |a + r^2 + i twist| = 1, not a set of fixed points when twist != 0
    true = np.sqrt(np.sqrt(1 - twist**2) - a)
    game = radial(a, twist) if twist else _line(a)
    wide = 1.4 * true
    around = [(-wide, wide)] * 2 if twist else [(-0.999 * true, 0.999 * true), (-1, 1)]
    proof = gd.certify(game, gd.rules.GDA(1.0), box=around)
    assert proof.proven, proof.summary()
    assert 0.8 * true <= proof.basin_radius <= true


def _line(a):
    """x+ = a x + x^3, y+ = 0."""
    a = sympy.Rational(str(a))
    costs = [(1 - a) * X**2 / 2 - X**4 / 4, Y**2 / 2]
    return gd.games.from_sympy(costs, [X, Y], name="cubic", equilibria=[(0, 0)])


def test_a_range_that_crosses_the_critical_step_fails_and_names_the_part_beyond_it():
    game = gd.games.quadratic(1, 2, 1)  # critical step 2/5
    assert gd.certify(game, gd.rules.GDA("lr"), box=SQUARE, parameters={"lr": (0.1, 0.3)}).proven
    proof = gd.certify(game, gd.rules.GDA("lr"), box=SQUARE, parameters={"lr": (0.1, 0.5)})
    assert not proof.proven
    assert not proof.attracting
    assert proof.basin_radius == 0
    assert proof.failure.step == "attraction"
    assert proof.failure.refuted
    low, high = proof.failure.parameters["lr"]
    assert 0.38 < low < 0.4
    assert high == 0.5
    assert proof.failure.values["1-(ad-bc)"][1] <= 0
    assert "lr in [0.39" in proof.summary()
    proven = [piece.ranges[0] for piece in proof.pieces]
    assert max(float(high) for _, high in proven) == pytest.approx(low)  # what is left is exactly what is named


def test_a_number_as_range_is_one_value_and_a_field_of_the_rule_may_be_named():
    game = gd.games.quadratic(1, 2, 1)
    proof = gd.certify(game, gd.rules.GDA(7.0), box=SQUARE, parameters={"lr": 0.2})
    assert proof.proven
    assert proof.parameters == {"lr": (0.2, 0.2)}


def test_gradient_steps_on_the_bilinear_game_are_disproved_by_the_determinant():
    proof = gd.certify(gd.games.bilinear(), gd.rules.GDA(0.1), box=SQUARE)
    assert proof.failure.step == "attraction"
    assert proof.failure.refuted
    assert proof.failure.values["1-(ad-bc)"] == pytest.approx((-0.01, -0.01), abs=1e-15)


@pytest.mark.parametrize(
    "rule",
    [
        gd.rules.Extragradient(0.1),
        gd.rules.OptimisticGD(0.1),
        gd.rules.OptimisticGD("lr"),
        gd.rules.HeavyBall(0.1, -0.5, alternating=True),
    ],
    ids=str,
)
def test_linear_contractions_are_proven_up_to_the_box(rule):
    ranges = {"lr": (0.1, 0.12)} if rule == gd.rules.OptimisticGD("lr") else None
    proof = gd.certify(gd.games.bilinear(), rule, box=SQUARE, parameters=ranges)
    assert proof.proven, proof.summary()
    assert proof.basin_radius == pytest.approx(1.0, rel=1e-6)


def test_optimistic_steps_beyond_their_exact_threshold_are_not_proven():
    proof = gd.certify(gd.games.bilinear(), gd.rules.OptimisticGD("lr"), box=SQUARE, parameters={"lr": (0.5, 0.6)})
    low, high = proof.failure.parameters["lr"]
    assert 0.57 < low < 1 / 3**0.5 < high == 0.6


def test_another_fixed_point_in_the_box_is_found_and_located():
    costs = [X**2 / 2 - X**4 / 4, Y**2 / 2]  # v = (x - x^3, y): fixed points -1, 0, 1
    game = gd.games.from_sympy(costs, [X, Y], equilibria=[(0, 0)])
    proof = gd.certify(game, gd.rules.GDA(0.5), box=[(-0.5, 1.5), (-1, 1)])
    assert proof.failure.step == "uniqueness"
    assert proof.failure.refuted
    (low, high), _ = proof.failure.box
    assert low <= 1 <= high < low + 1e-6
    assert proof.attracting
    assert not proof.unique
    assert 0.4 < proof.basin_radius <= 0.5  # to the box's border; the other one repels at a distance of 1
    assert f"proven basin radius {proof.basin_radius:.6g}" in proof.summary()
    assert gd.certify(game, gd.rules.GDA(0.5), box=[(-0.5, 0.9), (-1, 1)]).unique


def test_a_basin_is_proven_beside_other_fixed_points_and_excludes_them():
    game = gd.games.from_sympy([X**4 / 4 - X**2 / 2, Y**2 / 2], [X, Y])  # x = 1 attracts what is positive
    lr = sympy.Symbol("lr", positive=True)
    proof = gd.certify(game, gd.rules.GDA(lr), (1, 0), [(-2, 2), (-1, 1)], {"lr": (0.1, 0.2)})
    assert (proof.proven, proof.attracting, proof.unique) == (False, True, False)
    assert 0.8 < proof.basin_radius < 1
    assert [step.name for step in proof.steps] == ["existence", "attraction", "basin"]


def test_a_fixed_point_outside_the_box_is_said_to_be_outside():
    proof = gd.certify(gd.games.quadratic(1, 2, 1), gd.rules.GDA(0.2), at=(0, 0), box=[(0.5, 1), (0.5, 1)])
    assert proof.failure.step == "existence"
    assert "outside the box" in proof.failure.reason


@pytest.mark.slow
def test_a_fixed_point_that_moves_with_a_parameter_is_enclosed_for_the_whole_range():
    c = sympy.Symbol("c", positive=True)
    game = gd.games.from_sympy([(X - c) ** 2 / 2 + X * Y, Y**2 / 2 - X * Y + X**2 * Y**2 / 40], [X, Y])
    proof = gd.certify(
        game, gd.rules.GDA("lr"), at=(0.1, 0.1), box=SQUARE, parameters={"c": (0.1, 0.3), "lr": (0.2, 0.25)}
    )
    assert proof.proven, proof.summary()
    for value in (0.1, 0.17, 0.3):
        fixed = game_at(value, c).point
        assert ((proof.fixed_point[:, 0] <= fixed) & (fixed <= proof.fixed_point[:, 1])).all()
    assert proof.basin_radius > 0.3


def game_at(value, c):
    costs = [(X - value) ** 2 / 2 + X * Y, Y**2 / 2 - X * Y + X**2 * Y**2 / 40]
    return gd.fixed_points(gd.games.from_sympy(costs, [X, Y]), box=SQUARE)[0]


def test_the_flow_is_certified_by_routh_and_hurwitz():
    proof = gd.certify(gd.games.dirac_gan(penalty="R1(1.0)"), box=[(-2, 2)] * 2)
    assert proof.proven
    assert proof.basin_radius == pytest.approx(2, rel=1e-6)  # lemma 4.1 of Mescheder et al. 2018: all of it attracts
    assert any("Routh" in step.fact for step in proof.steps)


def test_wide_ranges_are_cut_into_pieces_that_cover_them():
    game = gd.games.dirac_gan(penalty=gd.penalties.R1("gamma"))
    ranges = {"lr": (0.1, 0.4), "gamma": (0.5, 1)}
    proof = gd.certify(game, gd.rules.GDA("lr"), box=[(-0.2, 0.2)] * 2, parameters=ranges, effort=200)
    assert proof.proven, proof.summary()
    assert proof.basin_radius > 0.1
    area = sum(float((b - a) * (d - c)) for (a, b), (c, d) in (piece.ranges for piece in proof.pieces))
    assert area == pytest.approx(0.3 * 0.5)


@pytest.mark.slow
def test_half_a_turn_of_a_slow_spiral_proves_more_than_one_step():
    game, rule = gd.games.forsaken(), gd.rules.Extragradient(0.3)
    proof = gd.certify(game, rule, box=[(-0.35, 0.5), (0, 0.85)], effort=1500)
    assert proof.proven
    assert proof.pieces[0].ellipsoid.steps > 5
    assert 0.07 < proof.basin_radius < 0.25
    centre = proof.fixed_point.mean(axis=1)
    angle = np.linspace(0, 2 * np.pi, 50)
    starts = centre + proof.basin_radius * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    np.testing.assert_allclose(gd.iterate(game, rule, starts, 3000, record="last").w, centre + 0 * starts, atol=1e-9)


def test_f_applied_k_times_is_enclosed_with_its_derivative():
    subject = system(gd.games.forsaken(), gd.rules.Extragradient(0.3))
    turned = Iterated(subject.function, 4)
    low = np.array([0.1, 0.3])
    value, slope = turned.enclose(box(low, low + 0.01), [])
    for z in low + 0.01 * np.random.default_rng(0).uniform(size=(20, 2)):
        image = gd.iterate(gd.games.forsaken(), gd.rules.Extragradient(0.3), z, 4, record="last").w
        steps = [(turned.values(z + h, []) - turned.values(z - h, [])) / 2e-6 for h in 1e-6 * np.eye(2)]
        np.testing.assert_allclose(turned.jacobian(z, []), np.stack(steps, axis=-1), atol=1e-8)
        for k in range(2):
            a, b = ends(value[k])
            assert a <= image[k] <= b
            for j in range(2):
                a, b = ends(slope[k, j])
                assert a <= turned.jacobian(z, [])[k, j] <= b


def test_the_forsaken_flow_attracts_within_the_repelling_cycle():
    proof = gd.certify(gd.games.forsaken(), box=SQUARE, effort=300)
    assert proof.proven
    assert 0.005 < proof.basin_radius < 0.13  # the repelling cycle passes 0.12 away


@pytest.mark.parametrize(
    ("game", "rule", "error", "words"),
    [
        (gd.games.bilinear(), gd.rules.Adam(0.1), NotDifferentiableError, "not smooth"),
        (gd.games.dirac_gan(loss="hinge"), gd.rules.GDA(0.1), NotDifferentiableError, "not smooth"),
        (gd.games.dirac_gan(loss="wasserstein", clip=1.0), gd.rules.GDA(0.1), NotDifferentiableError, "projection"),
        (gd.games.dirac_gan(noise=0.5), gd.rules.GDA(0.1), DomainError, "expectation"),
        (gd.games.bilinear(), gd.rules.GDA("lr"), ParameterError, "no value"),
    ],
    ids=lambda v: getattr(v, "name", str(v)[:30]),
)
def test_what_cannot_be_proven_is_refused_by_name(game, rule, error, words):
    with pytest.raises(error, match=words):
        gd.certify(game, rule, at=(0, 0), box=SQUARE)


def test_ranges_and_boxes_that_do_not_fit_are_refused():
    game, rule = gd.games.quadratic(1, 2, 1), gd.rules.GDA("lr")
    with pytest.raises(ParameterError, match="does not depend"):
        gd.certify(game, rule, box=SQUARE, parameters={"lr": (0.1, 0.2), "gamma": (0, 1)})
    with pytest.raises(ParameterError, match="low <= high"):
        gd.certify(game, rule, box=SQUARE, parameters={"lr": (0.2, 0.1)})
    with pytest.raises(ParameterError, match="pairs"):
        gd.certify(game, rule, box=[(-1, 1)], parameters={"lr": 0.1})
    with pytest.raises(ParameterError, match="coordinates"):
        gd.certify(game, rule, at=(0, 0, 0), parameters={"lr": 0.1})


def test_without_python_flint_the_install_command_is_given(monkeypatch):
    monkeypatch.setitem(sys.modules, "flint", None)
    with pytest.raises(MissingDependencyError, match=r"gandyn\[proof\]"):
        gd.certify(gd.games.bilinear(), gd.rules.GDA(0.1))


def test_certificates_are_plain_data():
    proof = gd.certify(gd.games.bilinear(), gd.rules.Extragradient(0.1), box=SQUARE)
    data = json.loads(json.dumps(proof.to_dict()))
    assert data["proven"] is True
    assert data["basin_radius"] == proof.basin_radius
    assert [step["name"] for step in data["steps"]] == ["existence", "attraction", "uniqueness", "basin"]
    failed = gd.certify(gd.games.bilinear(), gd.rules.GDA(0.1), box=SQUARE)
    assert json.loads(json.dumps(failed.to_dict()))["failure"]["step"] == "attraction"


@pytest.mark.slow
@settings(max_examples=5, deadline=None)
@given(
    st.lists(st.integers(-12, 12), min_size=8, max_size=8),
    st.sampled_from([gd.rules.GDA(0.2), gd.rules.Extragradient(0.3), gd.rules.HeavyBall(0.15, 0.3)]),
)
def test_no_proof_contradicts_simulation(coefficients, rule):
    a, b, c, d, e, f, g, h = (sympy.Rational(k, 8) for k in coefficients)
    costs = [
        (1 + a / 4) * X**2 / 2 + b * X * Y + c * X**3 + d * X**2 * Y**2,
        (1 + e / 4) * Y**2 / 2 - b * X * Y + f * Y**3 + g * X * Y**2 + h * X**2 * Y,
    ]
    game = gd.games.from_sympy(costs, [X, Y], equilibria=[(0, 0)])
    proof = gd.certify(game, rule, box=[(-0.8, 0.8)] * 2, effort=150)
    verdict = str(gd.linearize(game, rule).verdict)
    if proof.attracting:
        assert verdict == "attracting"
    if proof.unique:
        assert len(gd.fixed_points(game, box=[(-0.8, 0.8)] * 2)) == 1
    if proof.basin_radius:
        directions = np.random.default_rng(0).normal(size=(300, 2))
        directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
        end = gd.iterate(game, rule, proof.basin_radius * directions, 20000, record="last")
        assert not np.any(end.diverged)
        assert np.abs(end.w).max() < 1e-3 * proof.basin_radius


def test_a_marginal_linear_part_proves_nothing_and_disproves_nothing():
    """The non-saturating Dirac-GAN attracts by its cubic term: 'attraction disproved' would be false."""
    game = gd.games.dirac_gan(loss="nonsaturating")
    assert gd.linearize(game).nonlinear.verdict.value == "attracting"
    proof = gd.certify(game, None, box=SQUARE)
    assert not proof.proven
    assert not proof.failure.refuted
    assert "equality" in proof.failure.reason
    assert "undecided" in proof.summary()


@pytest.mark.parametrize("units", [(-9, 0), (-9, -9), (9, 9), (-6, 6)], ids=str)
@pytest.mark.parametrize(
    "rule", [None, gd.rules.GDA, pytest.param(gd.rules.OptimisticGD, marks=pytest.mark.slow)], ids=str
)
def test_no_unit_of_a_player_changes_what_is_proven(rule, units):
    """Coordinates times 10^k, steps with them: the same proof, and a basin as wide as the narrower unit allows."""
    a, b = (sympy.Integer(10) ** k for k in units)
    u, v = X / a, Y / b
    costs = [u**2 / 2 + u**3 / 10 + u * v + u**4 / 20, v**2 / 2 - u * v + v**4 / 10]
    game = gd.games.from_sympy(costs, [X, Y])
    made = None if rule is None else rule((a**2 / 10, b**2 / 10))
    box_ = [(-1.5 * float(s), 1.5 * float(s)) for s in (a, b)]
    proof = gd.certify(game, made, at=[0.05 * float(a), 0.05 * float(b)], box=box_)
    assert proof.proven
    assert proof.basin_radius > 0.7 * float(min(a, b))
    assert np.abs(proof.fixed_point / np.array([[float(a)], [float(b)]])).max() < 1e-9


def test_a_derivative_of_norm_1_does_not_contract():
    """Every step of the identity keeps every distance: no level is left."""
    shapes = pytest.importorskip("gandyn.analysis.certificates.shapes")
    unit = np.eye(3)
    system_ = SimpleNamespace(
        names=("x", "y", "z"), active=(0, 1, 2), flow=False, game=SimpleNamespace(dim=3),
        start=SimpleNamespace(jacobian=lambda *_: unit), reach=np.ones(3),
    )  # fmt: skip
    sampler = shapes.Sampler(system_, [np.zeros(3)], [()], 1.0)
    sampler.average = lambda u, z, p: np.broadcast_to(unit, (*u.shape[:-1], 3, 3))
    assert sampler.level(unit) == 0
    sampler.average = lambda u, z, p: np.broadcast_to(unit / 2, (*u.shape[:-1], 3, 3))
    assert sampler.level(unit) == 1


def test_out_of_time_is_undecided_and_keeps_what_it_has():
    proof = gd.certify(gd.games.quadratic(1, 2, 1), gd.rules.GDA(0.1), at=(0, 0), budget=1e-9)
    assert [proof.proven, proof.unique, proof.attracting] == [False] * 3
    assert proof.basin_radius == 0
    assert "existence undecided: out of time" in proof.summary()


def test_intervals_of_a_fixed_point_that_moves_with_a_parameter_hold_all_of_its_way():
    """x = c for the cost (x - c)^2 / 2 with c in [1, 3/2]."""
    c, x, y = sympy.symbols("c x y", real=True)
    game = gd.games.from_sympy([(x - c) ** 2 / 2, y**2 / 2], [x, y], parameters={"c": c})
    proof = gd.certify(game, gd.rules.GDA(0.5), at=(c, 0), box=[(0, 3), (-1, 1)], parameters={"c": (1.0, 1.5)})
    low, high = proof.fixed_point[0]
    assert 0.9 < low <= 1
    assert 1.5 <= high < 1.6
