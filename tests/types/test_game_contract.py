"""What a game knows as expressions is declared on `Game`: every game answers, and `symbolic` says which know them."""

import numpy as np
import pytest
import sympy

import gandyn as gd
from catalogue import GAMES, label
from catalogue import game as catalogue_game
from gandyn.errors import GandynError
from gandyn.types import Game, Player


class Spiral(Game):
    """Only `_costs` and `_field`: x y and its negative."""

    name = "spiral"
    players = (Player("x", 1), Player("y", 1))
    zero_sum = True

    def _costs(self, w, batch):
        return w[..., 0] * w[..., 1], -w[..., 0] * w[..., 1]

    def _field(self, w, batch, only):
        return w[..., ::-1] * np.array([float(only in (None, 0)), -float(only in (None, 1))])


def test_a_game_of_costs_and_field_answers_what_is_not_known():
    game = Spiral()
    assert not game.symbolic
    assert (game.symbols, game.exprs, game.field_exprs, game.parameters) == ((), (), (), ())
    assert game.jacobian_expr is None
    assert game.projection is None
    assert not game.own_quadratic
    assert game.feasible_set().unconstrained


def test_costs_and_field_are_enough_to_run_and_measure():
    game = Spiral()
    orbit = gd.iterate(game, gd.rules.Extragradient(0.5), [1.0, 1.0], 20)
    shrinks = (1 - 0.5**2) ** 2 + 0.5**2  # |1 - i lr - lr^2|^2, the eigenvalues of J being +-i
    assert float((orbit.w[-1] ** 2).sum()) == pytest.approx(2 * shrinks**20, rel=1e-12)
    assert gd.duality_gap(game, [0.0, 0.0], box=[(-1, 1)] * 2, method="gradient").value == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    "analysis",
    [
        gd.conserved_quantities,
        lambda game: gd.modified_flow(game, gd.rules.GDA(0.1)),
        lambda game: gd.duality_gap(game, [0.0, 0.0], box=[(-1, 1)] * 2, method="box"),
        lambda game: gd.duality_gap(game, method="exact"),
    ],
)
def test_what_needs_expressions_refuses_by_name(analysis):
    with pytest.raises(GandynError, match=r"spiral|no point"):
        analysis(Spiral())


@pytest.mark.parametrize("case", GAMES, ids=label)
def test_the_expressions_of_every_registered_game_belong_together(case):
    game = catalogue_game(case)
    if not game.symbolic:
        assert game.jacobian_expr is None
        return
    assert len(game.symbols) == len(game.field_exprs) == game.dim
    assert len(game.exprs) == len(game.players)
    free = set().union(*(e.free_symbols for e in game.exprs)) - set(game.symbols)
    assert set(game.parameters) == free
    if game.dim <= 8:
        assert game.jacobian_expr.shape == (game.dim, game.dim)
        column = [sympy.diff(e, game.symbols[-1]) for e in game.field_exprs]
        assert list(game.jacobian_expr[:, -1]) == column
