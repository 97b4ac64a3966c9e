"""What an analysis prints is what it was given: rule, game and point of the result, put back, give the same numbers."""

import dataclasses
import functools
import json
import re

import numpy as np
import pytest
import sympy

import gandyn as gd
from catalogue import RULES, accepts, label, rule
from gandyn.analysis.parameters.freed import with_value
from gandyn.budget import Budget
from gandyn.errors import GandynError
from gandyn.types import Rule

GAME = gd.games.quadratic(0.7, 1.9, 0.45)
POINT = (0, 0)
FAST = [(name, 0) for name in ("SimultaneousGD", "AlternatingGD", "HeavyBall", "Consensus", "Lookahead")]
CASES = [pytest.param(c, id=label(c), marks=[] if c in FAST else pytest.mark.slow) for c in RULES]


def _per_player(given: Rule) -> Rule:
    """The rule with another number for player 2 wherever it takes one per player."""
    names = {*given.per_player_parameters, *given.step_sizes}
    numbers = {f.name: getattr(given, f.name) for f in dataclasses.fields(given) if f.init and f.name in names}
    return dataclasses.replace(given, **{k: (v, v / 2) for k, v in numbers.items() if isinstance(v, float) and v})


def _variants(case) -> list[Rule]:
    given = rule(case)
    return list({repr(r): r for r in (given, _per_player(given))}.values()) if accepts(given, GAME) else []


def _radius(given: Rule) -> float | None:
    """By `linearize` on the rule with its numbers: the route that frees nothing."""
    try:
        return gd.linearize(GAME, given, POINT).spectral_radius
    except GandynError:
        return None


def _value(given: Rule, name: str):
    """The number that the freed symbol stands for: the first that is not 0, in wrapped rules too."""
    held = getattr(given, name, None)
    if held is None:
        inner = getattr(given, "inner", None)
        rules = inner if isinstance(inner, tuple) else (inner,)
        return next((v for r in rules if isinstance(r, Rule) if (v := _value(r, name)) is not None), None)
    values = held.values() if isinstance(held, dict) else held if isinstance(held, tuple) else (held,)
    return next((sympy.Rational(str(v)) for v in values if isinstance(v, (int, float)) and v and v is not True), None)


def _printed(result, given: Rule | None) -> None:
    """The game, the rule and the point are in the summary and in the data, as the result holds them."""
    data, text = result.to_dict(), result.summary()
    json.dumps(data)
    assert data["game"] == GAME.name
    assert GAME.name in text
    assert data["rule"] == (None if result.rule is None else repr(result.rule))
    assert ("gradient flow" if given is None else repr(result.rule)) in text


def _points(result) -> None:
    assert [float(x) for x in result.to_dict()["at"]][:2] == [0, 0]
    assert re.search(r"\(0(\.0)?(, 0(\.0)?)+\)", result.summary())


@pytest.mark.parametrize("case", CASES)
def test_every_freed_parameter_contains_the_rule_that_was_given(case):
    for given in _variants(case):
        radius = _radius(given)
        if radius is None:
            continue
        for name in {f.name for f in dataclasses.fields(given) if f.init} | {"lr"}:
            value = _value(given, name)
            if value is None:
                continue
            try:
                region = gd.stability_region(GAME, given, name, POINT, budget=20)
            except GandynError:
                continue  # refused, by name: tests/analysis/parameters/test_freed.py
            _printed(region, given)
            _points(region)
            (symbol,) = region.parameters
            matrix = np.array(region.exact.matrix.subs(symbol, value).evalf(30).tolist(), dtype=complex)
            assert np.abs(np.linalg.eigvals(matrix)).max() == pytest.approx(radius, abs=1e-7)
            again = gd.linearize(GAME, with_value(region.rule, symbol, value), POINT)
            assert again.spectral_radius == pytest.approx(radius, abs=1e-9)
            if abs(radius - 1) > 1e-9 and value > 0:
                assert region.contains(**{name: value}) == (radius < 1), (given, name)


@pytest.mark.parametrize("case", CASES)
def test_proofs_and_functions_are_about_the_rule_that_was_given(case):
    pytest.importorskip("flint")
    for given in _variants(case):
        radius, value = _radius(given), _value(given, "lr")
        if radius is None or value is None:
            continue
        for parameters in ({}, {"lr": (float(value), float(value) * 1.001)}):
            for analyse in (gd.certify, gd.lyapunov_function):
                options = {"box": [(-1, 1)] * 2, "effort": 100} if analyse is gd.certify else {}
                try:
                    prove = functools.partial(analyse, GAME, given, at=POINT, parameters=parameters, **options)
                    result = Budget(20).run(prove)  # unrolled steps make long expressions
                except GandynError:
                    continue
                _printed(result, given)
                _points(result)
                analysed = with_value(result.rule, sympy.Symbol("lr", positive=True), value)
                assert _radius(analysed) == pytest.approx(radius, abs=1e-9)
                assert radius < 1 or not getattr(result, "proven", True)


@pytest.mark.parametrize("case", CASES)
def test_expansions_and_maps_print_the_rule_that_was_given(case):
    for given in _variants(case):
        for analyse in (gd.linearize, gd.update_map, gd.modified_flow, gd.high_resolution, gd.drift):
            try:
                options = {} if analyse in (gd.linearize, gd.update_map) else {"budget": 5}
                result = analyse(GAME, given, **options)
            except GandynError:
                continue
            assert result.rule == given
            _printed(result, given)


def test_bifurcations_print_the_rule_that_was_analysed():
    found = gd.bifurcation(GAME, gd.rules.GDA((0.1, 0.4)), "lr", np.linspace(0.05, 0.3, 12))
    lr = next(iter(found.rule.lr[0].free_symbols))
    assert found.rule == gd.rules.GDA((lr, 4 * lr))


def test_bifurcation_curves_print_the_rule_that_was_analysed():
    game = gd.games.dirac_gan(penalty=gd.penalties.R1("gamma"))
    found = gd.bifurcation_curves(game, gd.rules.AlternatingGD((0.1, 0.4)), ranges=[(0, 1), (0, 1)])
    lr, gamma = found.parameters
    assert found.rule == gd.rules.AlternatingGD((lr, 4 * lr))
    assert gamma in found.game.parameters
    assert str(found.rule) in found.summary()


def test_flows_print_what_they_analyse():
    game = gd.games.quadratic(0.7, 1.9, 0.45)
    for result in (gd.linearize(game, None, POINT), gd.lyapunov_function(game, None, POINT)):
        _printed(result, None)
        _points(result)
