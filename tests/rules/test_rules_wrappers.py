"""Rules around rules, inner solvers, and refusals: each says its own name and what to do instead."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
import torch

import gandyn as gd
from gandyn.errors import ConvergenceError, DomainError, ParameterError
from gandyn.krylov.solvers import conjugate_gradients, gmres
from gandyn.rules.schedule import Cosine, PowerDecay, StepDecay, Warmup

R = gd.rules


def run(rule, game, w, steps):
    state, rows = rule.init(game, w), [w]
    for _ in range(steps):
        w, state, _ = rule.step(game, w, state)
        rows.append(w)
    return rows


class Layered(gd.types.Game):
    """Two players whose blocks pack tensors: a 3x2 matrix and a bias, and a convolution weight; an affine field."""

    name, worlds = "layered", frozenset({"numpy"})
    players = (gd.types.Player("generator", 9), gd.types.Player("discriminator", 12))
    tensor_shapes = (((3, 2), (3,)), ((2, 3, 1, 2),))

    def __init__(self):
        rng = np.random.default_rng(2)
        self.matrix, self.shift = rng.normal(size=(21, 21)), rng.normal(size=21)

    def _field(self, w, batch, only):
        v = w @ self.matrix.T + self.shift
        if only is not None:
            own = self.slices[only]
            v[..., : own.start], v[..., own.stop :] = 0, 0
        return v

    def _costs(self, w, batch):
        raise AssertionError


def centred(v, least):
    """P v by loops over tensors and rows."""
    v = v.copy()
    for start, shape in ((0, (3, 2)), (6, (3,)), (9, (2, 3, 1, 2))):
        if len(shape) >= least:
            size = int(np.prod(shape[1:]))
            for row in range(shape[0]):
                part = slice(start + row * size, start + (row + 1) * size)
                v[..., part] -= v[..., part].mean(-1, keepdims=True)
    return v


@pytest.mark.parametrize(("convolutions_only", "least"), [(False, 2), (True, 3)])
def test_centralisation_removes_the_mean_of_every_output_row(convolutions_only, least):
    """Matrices and convolutions, or convolutions alone; never a bias. Weight decay comes before the projection."""
    game, w = Layered(), np.random.default_rng(0).normal(size=(5, 21))
    v = game.field(w)
    rule = R.GradientCentralization(R.GDA((0.1, 0.2)), convolutions_only=convolutions_only, weight_decay=0.3)
    lr = np.repeat([0.1, 0.2], [9, 12])
    np.testing.assert_allclose(run(rule, game, w, 1)[1], w - lr * centred(v + 0.3 * w, least), rtol=1e-12)
    assert np.abs(centred(v, least) - v).max() > 0.1
    np.testing.assert_allclose(centred(centred(v, least), least), centred(v, least), atol=1e-14)


def test_the_means_of_weights_stay_under_sgd_and_move_under_adam():
    game, w = Layered(), np.random.default_rng(0).normal(size=21)
    means = [run(R.GradientCentralization(inner), game, w, 40) for inner in (R.SGDM(0.001), R.Adam(0.05))]
    first = [row[:6].reshape(3, 2).mean(-1) for row in means[0]]
    np.testing.assert_allclose(first[-1], first[0], atol=1e-14)
    last = [row[9:].reshape(2, 6).mean(-1) for row in means[1]]
    assert np.abs(last[-1] - last[0]).max() > 1e-3
    biases = [row[6:9] for row in means[0]]
    assert np.abs(biases[-1] - biases[0]).max() > 1e-3


def test_centralisation_works_player_by_player():
    game, w = Layered(), np.random.default_rng(0).normal(size=21)
    rule = R.Alternating(R.GradientCentralization(R.GDA(0.1)))
    middle = w.copy()
    middle[:9] -= 0.1 * centred(game.field(w), 2)[:9]
    expected = middle.copy()
    expected[9:] -= 0.1 * centred(game.field(middle), 2)[9:]
    np.testing.assert_allclose(run(rule, game, w, 1)[1], expected, rtol=1e-12)
    around = R.GradientCentralization(R.AlternatingGD(0.1), weight_decay=0.5)
    moved = run(around, game, w, 1)[1]
    step = w[:9] - 0.1 * centred(game.field(w) + 0.5 * w, 2)[:9]
    np.testing.assert_allclose(moved[:9], step, rtol=1e-12)


def test_a_toy_has_nothing_to_centralise():
    """1-D blocks: the rule is the inner one."""
    game, w = gd.games.dirac_gan(), np.array([0.5, -0.3])
    for found, expected in zip(
        run(R.GradientCentralization(R.Adam(0.1)), game, w, 3), run(R.Adam(0.1), game, w, 3), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


def test_clipping_is_per_player_and_leaves_a_still_point_still():
    game = gd.games.quadratic(a=((2, 0.5), (0.5, 1)), b=((1, -1), (0, 2)), c=((1, 0), (0, 3)))
    w = np.array([3.0, -4.0, 0.1, 0.05])
    v = game.field(w)
    moved = run(R.Clipped(R.GDA(1.0), norm=(0.5, 100.0)), game, w, 1)[1]
    np.testing.assert_allclose(w - moved, np.concatenate([v[:2] * 0.5 / np.linalg.norm(v[:2]), v[2:]]), rtol=1e-12)
    np.testing.assert_array_equal(run(R.Clipped(R.GDA(1.0), norm=0.5), game, np.zeros(4), 1)[1], np.zeros(4))


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (PowerDecay(0.5), [1, 2**-0.5, 3**-0.5, 0.5]),
        (PowerDecay(1, 2), [1, 2 / 3, 1 / 2, 2 / 5]),
        (StepDecay(2, 0.1), [1, 1, 0.1, 0.1]),
        (Cosine(2, 0.1), [1, 0.55, 0.1, 0.1]),
        (Warmup(2), [0.5, 1, 1, 1]),
        (lambda t: 0.9**t, [1, 0.9, 0.81, 0.729]),
    ],
)
def test_schedules_multiply_every_step_size(schedule, expected):
    """The look-ahead of extragradient too, inside an alternation too."""
    game, w = gd.games.quadratic(1, 2, 1), np.array([0.7, -0.4])
    found = run(R.Scheduled(R.Alternating(R.Extragradient(0.1, extrapolation=0.2)), schedule), game, w, 4)
    for t, factor in enumerate(expected):
        inner = R.Alternating(R.Extragradient(0.1 * factor, extrapolation=0.2 * factor))
        w = run(inner, game, w, 1)[1]
        np.testing.assert_allclose(found[t + 1], w, rtol=1e-12)


def test_schedules_of_the_host_are_refused_on_symbols():
    with pytest.raises(DomainError, match="Scheduled with Cosine"):
        gd.update_map(gd.games.bilinear(), R.Scheduled(R.GDA(0.1), Cosine(10)))
    traced = gd.update_map(gd.games.bilinear(), R.Scheduled(R.GDA("lr"), PowerDecay(1)))
    (t,), (a, b), lr = traced.counters, traced.symbols, sympy.Symbol("lr", positive=True)
    assert sympy.simplify(traced.expression[0] - (a - lr / (1 + t) * b)) == 0


# --- inner solvers ----------------------------------------------------------------------------------------------------


def test_krylov_solvers_agree_with_lapack():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(30, 30)) / 4 + np.eye(30), rng.normal(size=30)
    x, report = gmres(lambda u: a @ u, b, tolerance=1e-12)
    np.testing.assert_allclose(x, np.linalg.solve(a, b), rtol=1e-9)
    assert report["iterations"] <= 30
    assert np.linalg.norm(a @ x - b) == pytest.approx(report["residual"] * np.linalg.norm(b), abs=1e-11)
    s = a @ a.T
    x, report = conjugate_gradients(lambda u: s @ u, b, tolerance=1e-12)
    np.testing.assert_allclose(x, np.linalg.solve(s, b), rtol=1e-6)
    x, report = gmres(lambda u: a @ u, b, limit=3)
    assert report["residual"] > 1e-3  # it fell short, and says so
    assert np.linalg.norm(a @ x - b) == pytest.approx(report["residual"] * np.linalg.norm(b), rel=1e-10)


def test_krylov_solvers_on_tensors_and_trivial_systems():
    import torch

    b = torch.tensor([1.0, -2.0], dtype=torch.float64)
    for method in (gmres, conjugate_gradients):
        x, report = method(lambda u: 2 * u, b)
        assert torch.equal(x, b / 2)
        assert report["iterations"] == 1
        x, report = method(lambda u: 2 * u, b, start=b / 2)
        assert report == {"iterations": 0, "residual": 0.0}
        assert torch.equal(method(lambda u: 2 * u, 0 * b)[0], 0 * b)


GENERAL = gd.games.general_quadratic(((((2, 0), (0, 1)), ((1,), (-1,))), (((-1, 1),), ((1.5,),))))
ZERO_SUM = gd.games.quadratic(a=((2, 0.5), (0.5, 1)), b=((1, -1), (0, 2)), c=((1, 0), (0, 3)))


@pytest.mark.parametrize("game", [GENERAL, ZERO_SUM], ids=["general", "zero-sum"])
@pytest.mark.parametrize("family", [R.CompetitiveGD, R.AdaptiveCGD, R.LocalSymplecticSurgery])
def test_matrix_free_steps_are_the_dense_ones(game, family):
    w = np.random.default_rng(0).normal(size=(3, game.dim))
    dense, krylov = (family((0.3, 0.2), solver=s, tolerance=1e-13) for s in ("dense", "krylov"))
    np.testing.assert_allclose(run(krylov, game, w, 3)[-1], run(dense, game, w, 3)[-1], rtol=1e-9)


def test_competitive_steps_start_from_the_last_answer():
    """Near a fixed point the last move is a good guess: fewer iterations than from nothing."""
    rng = np.random.default_rng(0)
    game = gd.games.bilinear(np.round(rng.normal(size=(6, 6)), 2))
    rule, w = R.CompetitiveGD(0.02, solver="krylov", tolerance=1e-4), rng.normal(size=12)
    state = rule.init(game, w)
    counts = []
    for _ in range(5):
        w, state, info = rule.step(game, w, state)
        counts.append(info["iterations"])
        assert info["residual"] <= 1e-4
    assert max(counts[1:]) < counts[0]


def test_singular_systems_are_named_and_ensembles_lose_only_their_member():
    """f = x y - y^4: player 2 has no ridge at y = 0."""
    x, y = sympy.symbols("x y", real=True)
    game, rule = gd.games.from_sympy(x * y - y**4, [x, y]), R.FollowTheRidge(0.1)
    with pytest.raises(ConvergenceError, match=r"FollowTheRidge.*singular"):
        rule.step(game, np.array([1.0, 0.0]), gd.types.State())
    ensemble = np.array([[1.0, 0.0], [1.0, 0.5]])
    moved, _, _ = rule.step(game, ensemble, gd.types.State())
    assert np.isnan(moved[0, 1])
    alone, _, _ = rule.step(game, ensemble[1], gd.types.State())
    np.testing.assert_allclose(moved[1], alone, rtol=1e-14)


def test_a_ridge_is_missing_where_the_followers_hessian_is_singular_everywhere():
    """Softmax logits may be shifted, and the critics of these games are linear in their weights: refused up front."""
    games = (
        gd.games.matching_pennies(parametrization="softmax"),
        gd.games.rock_paper_scissors(parametrization="softmax"),
        gd.games.gaussian_wgan(mean=(1,), covariance=((4,),)),
        gd.games.nagarajan_kolter(loss="wasserstein"),
        gd.games.stochastic_bilinear(size=2, summands=3),
        gd.games.from_torch(lambda x, y: (x * torch.sin(y)).sum(-1) * (x * y).sum(-1), [1, 1]),
        gd.games.from_torch(lambda x, y: (torch.sin(x) * y).sum(-1), [1, 1]),
    )
    for game in games[:5] + games[6:]:
        with pytest.raises(DomainError, match=r"FollowTheRidge on .*no ridge"):
            gd.iterate(game, R.FollowTheRidge(0.1), np.full(game.dim, 0.3), 3)
    assert gd.iterate(games[5], R.FollowTheRidge(0.1), [0.3, 0.2], 3).status == gd.Status.OK


@pytest.mark.parametrize("solver", ["dense", "krylov"])
@pytest.mark.parametrize("world", ["numpy", "torch"])
def test_a_hessian_that_is_singular_to_rounding_is_named(solver, world):
    """J_yy has rank one where b = 0, which holds to the last bit of these numbers only."""
    x, y, z = sympy.symbols("x y z", real=True)
    a, b = (y + 3 * z) / 7, (3 * y - z) / 7
    game = gd.games.from_sympy(x * (y + 2 * z) - (a + 1) ** 2 / 2 - b**4, [x, (y, z)])
    rule = R.FollowTheRidge(0.1, solver=solver)
    w = np.array([1.0, 0.3, 0.9])  # b = 0 up to rounding
    hessian = game.jacobian(w)[1:, 1:]
    assert 0 < np.linalg.cond(hessian) < np.inf
    for at, lost in ((w, True), (np.array([1.0, 0.4, 0.9]), False)):
        at = torch.tensor(at) if world == "torch" else at
        if lost:
            with pytest.raises(ConvergenceError, match=r"FollowTheRidge on symbolic game.* is singular"):
                rule.step(game, at, gd.types.State())
        else:
            moved, _, _ = rule.step(game, at, gd.types.State())
            assert bool((abs(moved) < 100).all())


def test_an_ensemble_loses_only_members_without_a_ridge():
    """In both worlds; the others move as they do alone."""
    x, y, z = sympy.symbols("x y z", real=True)
    game, rule = gd.games.from_sympy(x * (y + z) - y**4 - (y + z) ** 2, [x, (y, z)]), R.FollowTheRidge(0.1)
    ensemble = np.array([[1.0, 0.0, 0.3], [1.0, 0.5, 0.2]])
    alone, _, _ = rule.step(game, ensemble[1], gd.types.State())
    for w in (ensemble, torch.tensor(ensemble)):
        moved = np.asarray(rule.step(game, w, gd.types.State())[0])
        assert np.isnan(moved[0, 1:]).all()
        np.testing.assert_allclose(moved[1], alone, rtol=1e-13)


# --- refusals ---------------------------------------------------------------------------------------------------------

THREE = gd.games.general_quadratic((((1,), (2,), (-1,)), ((0.5,), (2,), (1,)), ((1,), (-1,), (1,))))


@pytest.mark.parametrize("name", ["CompetitiveGD", "LinearizedCGD", "OpponentLookahead", "LOLA", "LEAD"])
def test_rules_about_others_refuse_a_player_alone(name):
    rule = R.Alternating(R.registry[name].build.examples()[0])
    with pytest.raises(DomainError, match=f"{name} on .* seen by x"):
        rule.init(GENERAL, np.zeros(3))
    assert run(R.registry[name].build.examples()[0], THREE, np.ones(3), 1)[1].shape == (3,)


@pytest.mark.parametrize("rule", [R.Unrolled(0.1, 2), R.FollowTheRidge(0.1)])
def test_two_player_rules_refuse_others_by_name(rule):
    with pytest.raises(DomainError, match=f"{rule.name} on general quadratic, 3 players"):
        rule.check(THREE)
    with pytest.raises(DomainError, match=f"{rule.name} on .* seen by x"):
        R.Alternating(rule).init(ZERO_SUM, np.zeros(4))


def test_second_order_rules_refuse_a_bent_field():
    for wrapper in (R.GradientCentralization, lambda inner: R.Clipped(inner, norm=1)):
        with pytest.raises(DomainError, match="around Consensus"):
            wrapper(R.Consensus(0.1, 0.5))
        with pytest.raises(DomainError, match="around Lookahead"):
            wrapper(R.Lookahead(R.SGA(0.1, 0.5)))


def test_games_without_a_ridge_or_a_closed_form_are_refused():
    with pytest.raises(DomainError, match=r"FollowTheRidge on bilinear.*no ridge"):
        R.FollowTheRidge(0.1).check(gd.games.bilinear())
    with pytest.raises(DomainError, match="ProximalPoint on Dirac-GAN"):
        gd.update_map(gd.games.dirac_gan(), R.ProximalPoint(0.1))


@pytest.mark.parametrize(
    "build",
    [
        lambda: R.RungeKutta(0.1, 3),
        lambda: R.RungeKutta(0.1, 4, regularization=-1),
        lambda: R.Consensus(0.1, -0.5),
        lambda: R.Unrolled(0.1, -1),
        lambda: R.Unrolled(0.1, 1.5),
        lambda: R.Lookahead(R.GDA(0.1), 0),
        lambda: R.Lookahead(0.1, 5),
        lambda: R.Averaging(R.GDA(0.1), "median"),
        lambda: R.Averaging(R.GDA(0.1), "exponential", 1.0),
        lambda: R.Clipped(R.GDA(0.1)),
        lambda: R.Clipped(R.GDA(0.1), norm=0),
        lambda: R.CompetitiveGD(0.1, solver="magic"),
        lambda: R.StableOpponentShaping(0.1, a=1.5),
        lambda: R.ExtragradientPlus(0.1, 1.5),
        lambda: R.RMSProp(0.1, decay=1),
        lambda: R.AMSGrad(0.1, betas=(1.0, 0.9)),
        lambda: R.SGDM(0.1, 1.0),
        lambda: R.TimeScale(R.GDA(0.1), 0),
        lambda: R.Scheduled(R.GDA(0.1), 0.5),
        lambda: R.PID(0.1, 1j),
        lambda: R.ProximalPoint(0.1, limit=0),
        lambda: R.ConsistentShaping(0.1, -1),
    ],
)
def test_parameters_out_of_range_are_refused_on_one_line(build):
    with pytest.raises(ParameterError) as caught:
        build()
    assert "Needed:" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_alternating_gd_prints_as_it_is_called():
    rule = R.AlternatingGD(0.1, order=(1, 0))
    assert repr(rule) == "AlternatingGD(lr=0.1, order=(1, 0), repeats=None)"
    assert rule == R.AlternatingGD(0.1, (1, 0))


def test_per_player_parameters_must_fit_the_players():
    for rule in (
        R.Consensus(0.1, (1, 2, 3)),
        R.PID((0.1, 0.2, 0.3)),
        R.Drift(0.1, (0.1, 0.2, 0.3)),
        R.LOLA(0.1, (1, 2, 3)),
    ):
        with pytest.raises(ParameterError, match="3 values"):
            rule.init(GENERAL, np.zeros(3))
