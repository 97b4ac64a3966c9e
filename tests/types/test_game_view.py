"""A `GameView` answers as its game does, and what a wrapper changes is seen by everything that follows from it."""

import contextlib

import numpy as np
import pytest

import gandyn as gd
from catalogue import GAMES, label, points
from catalogue import game as catalogue_game
from gandyn.analysis.gap.inner import Near
from gandyn.errors import DomainError
from gandyn.rules.views import BentField, NewField
from gandyn.types import Game, GameView
from gandyn.types.forwarding import Forwarded
from gandyn.types.view import DERIVED, contract


def same(a, b):
    return a is b or bool(np.all(a == b))


@pytest.mark.parametrize("case", GAMES, ids=label)
def test_a_bare_view_has_every_public_attribute_and_method_of_its_game(case):
    game = catalogue_game(case)
    view = GameView(game)
    names = [name for name in dir(game) if not name.startswith("_")]
    assert {"field", "costs", "counts", "project", "equilibria", "symbolic"} <= set(names)
    for name in names:  # of methods: bound to the game itself
        assert same(getattr(view, name), getattr(game, name)), name
    assert repr(view) == repr(game)


def test_everything_that_the_contract_declares_is_forwarded():
    assert set(contract()) >= {name for name in dir(Game) if not name.startswith("_")} | {"players", "_coupling"}
    assert all(isinstance(vars(GameView)[name], Forwarded) for name in contract())
    assert {*DERIVED, *(name for names in DERIVED.values() for name in names)} <= set(contract())


RULES = [gd.rules.GDA(0.1), gd.rules.Extragradient(0.1), gd.rules.SGA(0.1, 0.5)]


@pytest.mark.parametrize("rule", [*RULES, gd.rules.AlternatingGD(0.1), gd.rules.Consensus(0.1, 0.5)])
@pytest.mark.parametrize("name", ["forsaken", "robust_regression", "stochastic_bilinear"])
def test_rules_make_the_same_steps_on_a_view_and_count_the_same(name, rule):
    game = gd.games.registry[name].build()
    start, counts, orbits = points(game, 1)[0], [], []
    for each in (game, GameView(game)):
        before = game.counts * 1
        orbits.append(gd.iterate(each, rule, start, 4, rng=3).w)
        spent = game.counts - before
        counts.append((spent.player_gradients, spent.jvps, spent.vjps, spent.samples))
    np.testing.assert_array_equal(*orbits)
    assert counts[0] == counts[1]
    assert any(counts[0])


class Doubled(GameView):
    """The game with twice its field."""

    def field(self, w, batch=None, only=None):
        return 2 * self.game.field(w, batch, only)


class DoubledInside(GameView):
    """The same through the hook, which leaves checks and counts to `Game.field`."""

    def _field(self, w, batch, only):
        return 2 * self.game._field(w, batch, only)


@pytest.mark.parametrize("view", [Doubled, DoubledInside])
def test_a_view_with_another_field_has_it_everywhere(view):
    game = gd.games.matrix_game([[1, -1], [-1, 1]])
    seen, w = view(game), np.array([0.3, 0.7, 0.6, 0.4])
    before = game.counts.player_gradients
    np.testing.assert_array_equal(seen.field(w), 2 * game.field(w))
    assert game.counts.player_gradients == before + 4
    np.testing.assert_array_equal(seen.field_and_graph(w), 2 * game.field(w))
    np.testing.assert_array_equal(seen._field(w, None, None), 2 * game.field(w))
    np.testing.assert_allclose(seen.natural_residual(w), w - game.project(w - 2 * game.field(w)), atol=1e-15)
    alone = seen.restrict(0, w)
    np.testing.assert_array_equal(alone.field(alone.block), 2 * game.field(w)[:2])
    assert seen.mean() is seen
    assert not seen.symbolic
    assert (seen.equilibria, seen.field_exprs, seen.jacobian_expr, seen.quadratic) == ((), (), None, False)
    assert seen.feasible_set() == game.feasible_set()
    assert seen.zero_sum == game.zero_sum
    for ask in (seen.jvp, seen.vjp, seen.coupling, seen.parts):
        with pytest.raises(DomainError):
            ask(w, w)
    for ask in (seen.jacobian, seen.cost_gradients):
        with pytest.raises(DomainError):
            ask(w)
    with pytest.raises(AttributeError):
        seen.replicator_field(w)


def test_a_view_with_other_products_has_them_in_all_that_is_made_of_them():
    class Scaled(GameView):
        def _jvp(self, w, u, batch):
            return 3 * self.game._jvp(w, u, batch)

    game = gd.games.quadratic(1, 2, 3)
    seen, w, u = Scaled(game), np.array([1.0, 2.0]), np.array([0.5, -1.0])
    np.testing.assert_array_equal(seen.jvp(w, u), 3 * game.jvp(w, u))
    np.testing.assert_array_equal(seen.coupling(w, u), 3 * game.coupling(w, u))
    np.testing.assert_array_equal(seen.parts(w, u)[0], (3 * game.jvp(w, u) + game.vjp(w, u)) / 2)
    np.testing.assert_array_equal(seen.vjp(w, u), game.vjp(w, u))
    np.testing.assert_array_equal(seen.jacobian(w), 3 * game.jacobian(w))


def test_a_view_with_another_projection_does_not_describe_the_old_set():
    class Halved(GameView):
        def project(self, w):
            return w / 2

    game = gd.games.matrix_game([[1, -1], [-1, 1]])
    seen, w = Halved(game), np.array([0.3, 0.7, 0.6, 0.4])
    np.testing.assert_array_equal(seen.natural_residual(w), w - (w - game.field(w)) / 2)
    assert seen.projection is None
    assert seen.equilibria == ()
    with pytest.raises(DomainError):
        seen.feasible_set()


class Batched(Game):
    """A game with everything that wrappers once forgot."""

    name = "batched"
    players = (gd.types.Player("x", 1), gd.types.Player("y", 1))
    deterministic = False

    def __init__(self):
        self.said = []

    def _costs(self, w, batch):
        return w[..., 0] * w[..., 1], -w[..., 0] * w[..., 1]

    def _field(self, w, batch, only):
        return w[..., ::-1] * np.array([1.0, -1.0])

    def draw_held_out(self, rng):
        return "held out"

    def batch_size(self, batch):
        return 7

    def solve(self, operator, rhs):
        return "solved"

    def advance(self):
        self.said.append("advanced")

    @contextlib.contextmanager
    def undisturbed(self):
        self.said.append("entered")
        yield


@pytest.mark.parametrize(
    "wrap",
    [
        GameView,
        lambda game: NewField(game, game.field),
        lambda game: BentField(game, np.negative),
        lambda game: game.restrict(0, np.ones(2)),
    ],
)
def test_wrappers_keep_batches_solver_and_state(wrap):
    game = Batched()
    view = wrap(game)
    assert (view.draw_held_out(None), view.batch_size(None), view.solve(None, None)) == ("held out", 7, "solved")
    assert not view.deterministic
    with view.undisturbed():
        view.advance()
    assert game.said == ["entered", "advanced"]
    assert view.counts is game.counts


def test_the_products_of_a_penalised_problem_are_those_of_its_field():
    w = np.array([0.4, -0.3])
    near = Near(gd.games.forsaken(), 0, w, 0.7)
    x, h = np.array([0.9]), 1e-6
    slope = (near.field(x + h) - near.field(x - h)) / (2 * h)
    for product in (near.jvp, near.vjp):
        np.testing.assert_allclose(product(x, np.ones(1)), slope, rtol=1e-8)


class OwnBox(GameView):
    """A box that the game projects onto by itself, without a projection object."""

    def project(self, w):
        return self.game.project(w)

    def feasible_set(self):
        return self.game.feasible_set()


@pytest.mark.parametrize("rule", [gd.rules.GDA(0.1), gd.rules.Extragradient(0.1), gd.rules.AlternatingGD(0.1)])
@pytest.mark.parametrize("view", [GameView, OwnBox])
def test_a_face_is_found_for_a_game_that_projects_by_itself(view, rule):
    """At (1, 1/2) x presses against its bound, and y settles by itself: its own second derivative is 2."""
    box = gd.games.projections.Box([(0, 1), (0, 1)])
    game = gd.games.from_sympy(["(x - 3)**2/2 + x*y/2", "(y - 1)**2 + (x - 1)*y + y"], ["x", "y"], projection=box)
    found, known = (gd.linearize(g, rule, at=("1", "1/2")) for g in (view(game), game))
    assert known.equilibrium
    assert known.constraints.obstacle == found.constraints.obstacle == ""
    assert found.constraints.projections == known.constraints.projections > 0
    assert found.exact.matrix == known.exact.matrix
    assert found.exact.matrix.shape == (1, 1)
    slope = 1 - 0.2 + (0.2**2 if isinstance(rule, gd.rules.Extragradient) else 0)
    assert float(found.exact.matrix[0, 0]) == pytest.approx(slope, abs=1e-15)
