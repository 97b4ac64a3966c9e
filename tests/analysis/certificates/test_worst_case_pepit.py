"""Worst cases against PEPit, an independent library of performance estimation."""

import contextlib
import io

import pytest
from worst_case_cases import CASES

import gandyn as gd
from gandyn.types import Game, Player
from gandyn.worlds import POINTS

OURS_ALONE = {"ProximalPoint", "RungeKutta"}  # a resolvent; a Python sum, which PEPit's points cannot start


class PEPitGame(Game):
    """The rule on PEPit's points, whose field is one of PEPit's operators."""

    name = "PEPit's operators"
    players = (Player("w", 1),)
    worlds = frozenset({POINTS})

    def __init__(self, operator):
        self.operator = operator

    def check(self, w):
        pass

    def per_player(self, value):
        return (value,)

    def _field(self, w, batch, only):
        return self.operator.gradient(w)

    def _costs(self, w, batch):
        raise AssertionError("rules read the field alone")


def by_pepit(rule, mu, lipschitz, steps, operators):
    from PEPit import PEP

    problem = PEP()
    operator = problem.declare_function(operators, mu=mu, L=lipschitz)
    solution = operator.stationary_point()
    w = problem.set_initial_point()
    problem.set_initial_condition((w - solution) ** 2 <= 1)
    game = PEPitGame(operator)
    state = rule.init(game, w)
    for _ in range(steps):
        w, state, _ = rule.step(game, w, state)
    problem.set_performance_metric((w - solution) ** 2)
    with contextlib.redirect_stdout(io.StringIO()):
        return problem.solve(verbose=0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rule", "mu", "lipschitz", "steps"), [c for c in CASES if c[0].name not in OURS_ALONE], ids=str
)
def test_pepit_finds_the_same_from_the_same_inequalities(rule, mu, lipschitz, steps):
    pytest.importorskip("PEPit")
    from PEPit.operators import LipschitzStronglyMonotoneOperatorCheap

    value = by_pepit(rule, mu, lipschitz, steps, LipschitzStronglyMonotoneOperatorCheap)
    assert gd.worst_case(rule, mu, lipschitz, steps).value == pytest.approx(value, abs=2e-5)


@pytest.mark.slow
def test_pepit_s_stronger_inequalities_lie_in_the_interval():
    pytest.importorskip("PEPit")
    from PEPit.operators import LipschitzStronglyMonotoneOperatorExpensive

    rule = gd.rules.Extragradient(0.4)
    value, found = by_pepit(rule, 0.1, 1.0, 1, LipschitzStronglyMonotoneOperatorExpensive), gd.worst_case(rule, 0.1)
    assert found.lower - 2e-5 <= value <= found.value + 2e-5
