"""Ensembles over parameters: each member computes what its own run with its own numbers does, on every path."""

import dataclasses

import numpy as np
import pytest

import gandyn as gd
from gandyn.dynamics import cached
from gandyn.dynamics.structure import _mapped, structure_of
from gandyn.errors import GandynError, ParameterError, ShapeError
from gandyn.rules import registry
from gandyn.types import Rule

GAMES = [gd.games.quadratic(0.7, 1.1, 0.4), gd.games.bilinear(), gd.games.dirac_gan("wasserstein")]
STARTS = np.random.default_rng(3).normal(size=(3, 2)) * 0.3
FACTORS = np.array([1.0, 0.95, 0.83])


def with_datum(rule, position, value):
    """The rule with another value for one of its data."""
    places = iter(range(100))
    return _mapped(rule, True, lambda old: value if next(places) == position else old)


def accepts(rule, game):
    try:
        rule.check(game)
    except GandynError:
        return False
    return True


CASES = [
    pytest.param(rule, position, id=f"{rule.name}-{number}-{position}")
    for entry in registry
    for number, rule in enumerate(getattr(gd.rules, entry.name).examples())
    for position in range(len(structure_of(rule).values))
]


def one_by_one(game, rule, position, steps):
    """The last points of each member's own run, step by step."""
    value = structure_of(rule).values[position]
    rules = [with_datum(rule, position, value * factor) for factor in FACTORS]
    runs = (gd.iterate(game, r, s, steps, "last", kernel="eager").w for r, s in zip(rules, STARTS, strict=True))
    return np.array(list(runs))


@pytest.mark.parametrize(("rule", "position"), CASES)
def test_every_numeric_parameter_may_be_an_array(rule, position):
    game = next(game for game in GAMES if accepts(rule, game))
    value = structure_of(rule).values[position]
    members = with_datum(rule, position, value * FACTORS)
    expected = one_by_one(game, rule, position, 6)
    for kernel in ("eager", "numpy"):
        found = gd.iterate(game, members, STARTS, 6, "last", kernel=kernel).w
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(("rule", "position"), CASES)
def test_every_numeric_parameter_may_be_an_array_in_torch(rule, position):
    torch = pytest.importorskip("torch")
    game = next(game for game in GAMES if accepts(rule, game))
    members = with_datum(rule, position, structure_of(rule).values[position] * FACTORS)
    expected = one_by_one(game, rule, position, 6)
    for kernel in ("eager", "torch"):
        found = gd.iterate(game, members, torch.tensor(STARTS), 6, "last", kernel=kernel).w
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9, atol=1e-12)


def test_compiled_code_gives_each_member_its_own_parameters():
    starts = np.random.default_rng(0).normal(size=(500, 2))
    lr = np.linspace(0.1, 1, 500)
    run = gd.iterate(gd.games.bilinear(), gd.rules.Extragradient(lr), starts, 40, "last", kernel="c")
    # w+ = (1 - s^2 + ...) on the complex plane: z+ = (1 - i lr (1 - i lr)) z for z = a + i b turned by -i
    factor = np.abs(1 - lr**2 + 1j * lr) ** 40
    np.testing.assert_allclose(np.linalg.norm(run.w, axis=-1), factor * np.linalg.norm(starts, axis=-1), rtol=1e-10)
    assert run.kernel == "c"


def test_shapes_broadcast_as_numpys_do():
    rule = gd.rules.Consensus(np.array([[0.1], [0.2]]), np.array([0.5, 1.0, 2.0]))
    run = gd.iterate(gd.games.bilinear(), rule, [1.0, 0.5], 3)
    assert run.w.shape == (4, 2, 3, 2)
    alone = gd.iterate(gd.games.bilinear(), gd.rules.Consensus(0.2, 1.0), [1.0, 0.5], 3)
    np.testing.assert_allclose(run.w[:, 1, 1], alone.w, rtol=1e-13)
    per_player = gd.rules.GDA((np.array([0.1, 0.2]), 0.3))
    run = gd.iterate(gd.games.bilinear(), per_player, [1.0, 0.5], 3)
    alone = gd.iterate(gd.games.bilinear(), gd.rules.GDA((0.2, 0.3)), [1.0, 0.5], 3)
    np.testing.assert_allclose(run.w[:, 1], alone.w, rtol=1e-13)


def test_a_shape_that_does_not_fit_is_named_beside_the_other():
    with pytest.raises(ShapeError, match=r"lr of shape \(500,\), one value per member, .* shape \(3,\)"):
        gd.iterate(gd.games.bilinear(), gd.rules.GDA(np.linspace(0.1, 1, 500)), np.ones((3, 2)), 5)
    with pytest.raises(ParameterError, match=r"SimultaneousGD\(lr=values from -0.1 to 0.1\)"):
        gd.rules.GDA(np.array([0.1, -0.1]))
    with pytest.raises(ParameterError, match="not finite"):
        gd.rules.GDA(np.array([0.1, np.nan]))
    with pytest.raises(ParameterError, match="one number for all members"):
        gd.rules.ProximalPoint(0.1, tolerance=np.array([1e-9, 1e-10]))


def test_analyses_of_one_rule_refuse_arrays_in_one_line():
    rule = gd.rules.GDA(np.array([0.1, 0.2]))
    with pytest.raises(ParameterError, match=r"stability_region with an array of shape \(2,\) for lr"):
        gd.stability_region(gd.games.bilinear(), rule)


@pytest.mark.parametrize("kernel", ["eager", "numpy", "c"])
def test_parameters_of_games_may_be_arrays(kernel):
    mu = np.array([0.1, 0.4, -0.2])
    costs, players = "mu*x**2/2 + x*y", ["x", "y"]
    game = gd.games.from_sympy(costs, players, {"mu": mu})
    run = gd.iterate(game, gd.rules.GDA(0.1), STARTS, 20, kernel=kernel)
    for k in range(3):
        alone = gd.games.from_sympy(costs, players, {"mu": mu[k]})
        expected = gd.iterate(alone, gd.rules.GDA(0.1), STARTS[k], 20, kernel="eager")
        np.testing.assert_allclose(run.w[:, k], expected.w, rtol=1e-12)
        np.testing.assert_allclose(run.costs[0][:, k], expected.costs[0], rtol=1e-12)


def test_a_new_value_traces_nothing(monkeypatch):
    game = gd.games.bilinear()
    cached.compiled(game, gd.rules.Consensus(0.1, 0.5), "numpy", STARTS)
    monkeypatch.setattr("gandyn.dynamics.trace.traced", lambda *_: pytest.fail("traced again"))
    for lr, gamma in [(0.2, 0.7), (1.0, 2), (0.3, 1.0)]:
        run = gd.iterate(gd.games.bilinear(), gd.rules.Consensus(lr, gamma), STARTS, 10, kernel="numpy")
        expected = gd.iterate(game, gd.rules.Consensus(lr, gamma), STARTS, 10, kernel="eager")
        np.testing.assert_allclose(run.w, expected.w, rtol=1e-12)


def test_a_kernel_in_memory_is_used_from_ten_steps_up(tmp_path, monkeypatch):
    monkeypatch.setenv("GANDYN_CACHE", str(tmp_path))
    game = gd.games.almost_bilinear(0.0371)
    assert gd.iterate(game, gd.rules.GDA(0.1), [1.0, 0.5], 10).kernel == "eager"
    backend = gd.iterate(game, gd.rules.GDA(0.1), STARTS, 10_000, "last").kernel
    assert gd.iterate(game, gd.rules.GDA(0.3), [1.0, 0.5], 10).kernel == backend
    assert gd.iterate(game, gd.rules.GDA(0.3), [1.0, 0.5], 9).kernel == "eager"


ARRAYS = [
    lambda c: gd.games.bilinear(c),
    lambda c: gd.games.quadratic(c, 1.2, 0.4),
    lambda c: gd.games.almost_bilinear(c),
    lambda c: gd.games.nagarajan_kolter("wasserstein", c),
    lambda c: gd.games.unrolled_toy(rho=c),
    lambda c: gd.games.dirac_gan(penalty=gd.penalties.R1(c)),
    lambda c: gd.games.dirac_gan("wasserstein", penalty=gd.penalties.WGANGP(0.5, target=c)),
    lambda c: gd.games.dirac_gan(noise=c),
    lambda c: gd.games.from_sympy("c*x*y + x**2*y", ["x", "y"], {"c": c}),
]


@pytest.mark.parametrize("build", ARRAYS)
def test_numbers_of_games_may_be_arrays(build):
    c = np.array([0.2, 0.5, 0.9])
    many = build(c)
    w = np.random.default_rng(1).uniform(0.1, 0.4, (3, many.dim))
    u = np.random.default_rng(2).normal(size=w.shape)
    run = gd.iterate(many, gd.rules.GDA(0.1), w, 5, kernel="numpy")
    for k in range(3):
        alone = build(float(c[k]))
        np.testing.assert_allclose(many.field(w)[k], alone.field(w[k]), rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(many.vjp(w, u)[k], alone.vjp(w[k], u[k]), rtol=1e-12, atol=1e-15)
        expected = gd.iterate(alone, gd.rules.GDA(0.1), w[k], 5, kernel="eager").w
        np.testing.assert_allclose(run.w[:, k], expected, rtol=1e-12, atol=1e-15)


def test_what_counts_in_a_game_is_no_array():
    for call in (
        lambda: gd.games.prisoners_dilemma(np.array([0.9, 0.95])),
        lambda: gd.games.stochastic_bilinear(summands=np.array([3, 4])),
        lambda: gd.games.tau_gda(dimension=np.array([2, 4])),
    ):
        with pytest.raises(ParameterError):
            call()


@pytest.mark.parametrize("members", [5, 70])  # member by member, and compiled together
def test_flows_of_an_ensemble_over_parameters(members):
    c = np.linspace(0.2, 1.5, members)
    starts = np.random.default_rng(5).normal(size=(members, 2))
    costs, players = "a*x**2/2 + c*x*y - c*y**4/4", ["x", "y"]
    run = gd.flow(gd.games.from_sympy(costs, players, {"a": 0.3, "c": c}), starts, 3.0, samples=4)
    for k in (0, members // 2, members - 1):
        alone = gd.flow(gd.games.from_sympy(costs, players, {"a": 0.3, "c": c[k]}), starts[k], 3.0, samples=4)
        np.testing.assert_allclose(run.w[:, k], alone.w, rtol=1e-10, atol=1e-12)
        assert run.steps[k] == alone.steps
    radius = np.linalg.norm(gd.flow(gd.games.bilinear(c), starts, 7.0).w, axis=-1)
    np.testing.assert_allclose(radius, np.broadcast_to(radius[0], radius.shape), rtol=1e-7)


def test_complex_arrays_and_formulas_of_arrays():
    momentum = np.array([0.5 + 0.4j, -0.3, 0.2j])
    many = gd.rules.HeavyBall(0.1, momentum)
    scaled = gd.rules.TimeScale(gd.rules.GDA(FACTORS), FACTORS + 1)
    for kernel in ("eager", "numpy"):
        run = gd.iterate(GAMES[0], many, STARTS, 20, kernel=kernel)
        both = gd.iterate(GAMES[0], scaled, STARTS, 20, kernel=kernel)
        for k in range(3):
            alone = gd.rules.HeavyBall(0.1, complex(momentum[k]))
            expected = gd.iterate(GAMES[0], alone, STARTS[k], 20, kernel="eager")
            np.testing.assert_allclose(run.w[:, k], expected.w, rtol=1e-11, atol=1e-14)
            alone = gd.rules.TimeScale(gd.rules.GDA(FACTORS[k]), FACTORS[k] + 1)
            expected = gd.iterate(GAMES[0], alone, STARTS[k], 20, kernel="eager")
            np.testing.assert_allclose(both.w[:, k], expected.w, rtol=1e-11, atol=1e-14)


def test_a_rule_of_the_users_own_may_ask_what_its_numbers_are():
    class Halving(gd.rules.GDA):
        def step(self, game, w, state, rng=None):
            lr = self.lr / 2 if self.lr == 0.5 else self.lr
            return w - game.per_coordinate(lr, w) * game.field(w), state, {}

    for lr, used in ((0.4, 0.4), (0.5, 0.25)):
        run = gd.iterate(gd.games.bilinear(), Halving(lr), STARTS, 8, kernel="numpy")
        expected = gd.iterate(gd.games.bilinear(), gd.rules.GDA(used), STARTS, 8, kernel="eager")
        np.testing.assert_allclose(run.w, expected.w, rtol=1e-12)


def test_games_that_differ_in_numbers_share_their_compiled_code():
    games = [gd.games.dirac_gan(penalty=gd.penalties.R1(gamma)) for gamma in (0.31, 0.47)]
    found = [cached.compiled(game, gd.rules.Consensus(0.1, 0.5), "c", STARTS).kernel for game in games]
    assert found[0].source == found[1].source
    assert found[0].constants != found[1].constants
    for game in games:
        run = gd.iterate(game, gd.rules.Consensus(0.1, 0.5), STARTS, 30, kernel="c")
        expected = gd.iterate(game, gd.rules.Consensus(0.1, 0.5), STARTS, 30, kernel="eager")
        np.testing.assert_allclose(run.w, expected.w, rtol=1e-11, atol=1e-14)


@dataclasses.dataclass
class Loose(Rule):
    """Gradient steps whose size may be set anew."""

    lr: float = 0.1

    def step(self, game, w, state, rng=None):
        """w - lr v(w)."""
        return w - self.lr * game.field(w), state, {}


def test_a_rule_inside_another_may_change_and_the_next_run_sees_it():
    """On f = x y a step of size lr stretches |w| by sqrt(1 + lr^2); Lookahead with alpha = 1 takes plain steps."""
    inner = Loose(0.1)
    outer = gd.rules.Lookahead(inner, 2, 1.0)
    for lr in (0.1, 0.3):
        inner.lr = lr
        run = gd.iterate(gd.games.bilinear(), outer, [1.0, 0.0], 5, "last", kernel="numpy")
        assert np.linalg.norm(run.w) == pytest.approx((1 + lr**2) ** 5, rel=1e-12)
