"""What is analysed is what was given: freed parameters keep symbols, formulas and the ratios of per-player values."""

import dataclasses

import numpy as np
import pytest
import sympy

import gandyn as gd
from catalogue import RULES, label, rule, spectral_radius
from gandyn.analysis.parameters.freed import freed, with_value
from gandyn.errors import DomainError, GandynError, ParameterError
from gandyn.types import Rule

LR = sympy.Symbol("lr", positive=True)
ETA = sympy.Symbol("eta", positive=True)
QUADRATIC = gd.games.quadratic(0.7, 1.9, 0.45)
SAME = [
    (gd.rules.GDA((0.1, 0.4)), "lr"),
    (gd.rules.GDA((LR, 4 * LR)), "lr"),
    (gd.rules.GDA({"x": LR, "y": 4 * LR}), "lr"),
    (gd.rules.GDA({"y": 0.4, "x": 0.1}), "lr"),
    (gd.rules.GDA((ETA, 4 * ETA)), "eta"),
    (gd.rules.GDA((ETA / 4, ETA)), "lr"),
    (gd.rules.TimeScale(gd.rules.GDA(0.1), 4), "lr"),
    (gd.rules.TimeScale(gd.rules.GDA(LR), 4), "lr"),
]


@pytest.mark.parametrize(("given", "name"), SAME, ids=str)
def test_step_sizes_per_player_keep_their_ratio(given, name):
    assert gd.stability_region(QUADRATIC, given, name).critical(name) == sympy.Rational(25, 157)


@pytest.mark.parametrize(
    "given", [gd.rules.AlternatingGD((0.1, 0.4)), gd.rules.Alternating(gd.rules.GDA((LR, 4 * LR)))]
)
def test_alternating_steps_keep_their_ratio(given):
    critical = float(gd.stability_region(QUADRATIC, given).critical("lr"))
    assert critical == pytest.approx(0.3929584723747493, rel=1e-12)
    inside, outside = (spectral_radius(QUADRATIC, gd.rules.AlternatingGD((h, 4 * h))) for h in (0.392, 0.394))
    assert inside < 1 < outside


def test_the_false_proof_is_gone():
    pytest.importorskip("flint")
    for given in (gd.rules.GDA((LR, 4 * LR)), gd.rules.GDA((0.1, 0.4))):
        proof = gd.certify(QUADRATIC, given, at=[0, 0], parameters={"lr": (0.2, 0.25)})
        assert not proof.proven
        assert proof.basin_radius == 0
        assert spectral_radius(QUADRATIC, gd.rules.GDA((0.2, 0.8))) == pytest.approx(1.062, abs=1e-3)
        assert gd.certify(QUADRATIC, given, at=[0, 0], parameters={"lr": (0.14, 0.15)}).proven
        assert repr(with_value(proof.rule, LR, 0.2)) == repr(gd.rules.GDA((0.2, 0.8)))


@pytest.mark.slow
def test_a_bifurcation_is_that_of_the_rule_given():
    for given in (gd.rules.GDA((LR, 4 * LR)), gd.rules.GDA((0.1, 0.4))):
        (point,) = gd.bifurcation(QUADRATIC, given, "lr", np.linspace(0.05, 0.4, 40)).points
        assert point.parameter == pytest.approx(25 / 157, rel=1e-9)


def test_a_lyapunov_family_is_that_of_the_rule_given():
    pytest.importorskip("flint")
    with pytest.raises(DomainError, match="does not attract"):
        gd.lyapunov_function(QUADRATIC, gd.rules.GDA((0.1, 0.4)), parameters={"lr": (0.1, 0.2)})


# --- every parameter of every rule ------------------------------------------------------------------------------------


def _per_player(given: Rule) -> Rule:
    """The rule with other numbers for player 2 wherever it takes one per player."""
    names = {*given.per_player_parameters, *given.step_sizes}
    numbers = {f.name: getattr(given, f.name) for f in dataclasses.fields(given) if f.init and f.name in names}
    changes = {k: (v, v / 2) for k, v in numbers.items() if isinstance(v, (int, float)) and v}
    return dataclasses.replace(given, **changes)


def _parameters(given: Rule) -> list[str]:
    return [f.name for f in dataclasses.fields(given) if f.init]


@pytest.mark.parametrize("case", RULES, ids=label)
def test_putting_the_value_back_gives_the_rule(case):
    """Every field of every rule, as it is and per player, is freed and set again, or refused by name."""
    game, tried = gd.games.quadratic(0.7, 1.9, 0.45), 0
    for given in (rule(case), _per_player(rule(case))):
        for name in [*_parameters(given), "lr"]:
            try:
                free, symbol = freed(game, given, name, positive=True)
            except (DomainError, ParameterError):
                continue  # named: see the next test
            tried += 1
            assert str(symbol) == name
            held = getattr(given, name, None)
            if held is None:
                continue
            value = next((v for v in game.per_player(held) if v), 0)
            again = with_value(free, symbol, sympy.Rational(str(value)))
            for old, new in zip(_numbers(given), _numbers(again), strict=True):
                assert float(new) == pytest.approx(float(old), rel=1e-14), (given, free)
    assert tried


def _numbers(value) -> list:
    if isinstance(value, Rule):
        return [v for f in dataclasses.fields(value) if f.init for v in _numbers(getattr(value, f.name))]
    if isinstance(value, tuple) and len(set(value)) > 1:
        return [v for entry in value for v in _numbers(entry)]
    value = value[0] if isinstance(value, tuple) else value
    return [value] if isinstance(value, (int, float, sympy.Basic)) and not isinstance(value, bool) else []


def test_what_counts_or_chooses_is_refused_by_name():
    rules = gd.rules
    for given, name in [
        (rules.Lookahead(rules.GDA(0.1), 5, 0.5), "k"),
        (rules.AlternatingGD(0.1), "repeats"),
        (rules.AlternatingGD(0.1), "order"),
        (rules.Lookahead(rules.GDA(0.1), 5, 0.5), "inner"),
        (rules.Scheduled(rules.GDA(0.1)), "schedule"),
        (rules.Extragradient(0.1), "fresh"),
        (rules.CompetitiveGD(0.1), "solver"),
        (rules.Adam(0.1), "betas"),
    ]:
        with pytest.raises(GandynError, match=name):
            freed(QUADRATIC, given, name)


def test_parameters_of_wrapped_rules_are_freed_in_one_ratio():
    rules = gd.rules
    inside = rules.Alternating((rules.HeavyBall(0.1, -0.2), rules.HeavyBall(0.3, -0.4)))
    free, m = freed(QUADRATIC, inside, "momentum", positive=True)
    assert [r.momentum for r in free.inner] == [m, 2 * m]
    assert m.is_positive is None
    free, h = freed(QUADRATIC, rules.Lookahead(inside, 3, 0.5), "lr", positive=True)
    assert [r.lr for r in free.inner.inner] == [h, 3 * h]


def test_names_that_mean_two_things_are_refused():
    x, y = sympy.symbols("x y", real=True)
    plain = sympy.Symbol("gamma")
    game = gd.games.from_sympy([x**2 + plain * x * y, y**2 - x * y], [x, y])
    with pytest.raises(ParameterError, match="two symbols"):
        freed(game, gd.rules.Consensus(0.1, "gamma"), "gamma")
    with pytest.raises(ParameterError, match="coordinate"):
        freed(game, gd.rules.GDA(0.1), "x")
    held, symbol = freed(game, gd.rules.Consensus(0.1, 0.3), "gamma")
    assert symbol == plain
    assert held.gamma == 0.3
