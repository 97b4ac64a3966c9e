"""A coordinate may be called like what a traced step holds: numbers are the same, and formulas are clear."""

import numpy as np
import pytest
import sympy

import gandyn as gd
from gandyn.errors import ParameterError

RULES = [
    gd.rules.GDA(0.1),
    gd.rules.HeavyBall(0.1, -0.3),
    gd.rules.OptimisticGD(0.1),
    gd.rules.Anchored(0.1),
    gd.rules.ProximalPoint(0.1),
]


def named(x, y):
    return gd.games.from_sympy(f"{x}*{y} + {x}**3", [x, y], equilibria=[(0, 0)])


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
@pytest.mark.parametrize(
    "names", [("a", "momentum_a"), ("a", "previous_field_a"), ("_0", "b"), ("a", "_1"), ("x", "x_next"), ("steps", "b")]
)
def test_no_name_of_a_coordinate_changes_a_number(names, rule):
    """`_0` named v(w) inside the step, and `momentum_a` its memory: radius 1.0245 in place of 1.0016."""
    plain, game = named("p", "q"), named(*names)
    here, there = (gd.linearize(g, rule, at=(0, 0)) for g in (game, plain))
    assert str(here.exact.charpoly) == str(there.exact.charpoly)
    assert here.spectral_radius == there.spectral_radius
    if rule.name != "ProximalPoint":
        ours = gd.iterate(game, rule, [0.3, 0.2], 20, kernel="numpy").w
        np.testing.assert_allclose(ours, gd.iterate(plain, rule, [0.3, 0.2], 20, kernel="eager").w, rtol=1e-12)


def test_a_parameter_with_the_name_of_a_coordinate_is_refused():
    with pytest.raises(ParameterError, match="both called momentum"):
        gd.update_map(named("momentum", "y"), gd.rules.HeavyBall(0.1, "momentum"))
    assert "momentum_momentum" in gd.update_map(named("momentum", "y"), gd.rules.HeavyBall(0.1, 0.5)).summary()


def test_no_two_symbols_have_one_letter_in_latex():
    """beta and eta are coordinates: the momentum and the step size are then written out."""
    shown = gd.update_map(named("beta", "eta"), gd.rules.HeavyBall("lr", "momentum")).latex()
    assert shown.splitlines()[1].startswith(r"\beta^{+} &= ")
    assert r"\mathrm{lr} \mathrm{momentum} momentum_{\beta}" in shown
    game = gd.games.quadratic(sympy.Symbol("beta", positive=True), 1, 1)
    rule = gd.rules.HeavyBall("lr", "momentum")
    for text in (gd.stability_region(game, rule, ("lr", "momentum", "beta")).latex(), gd.linearize(game, rule).latex()):
        assert r"\mathrm{momentum}" in text
        assert r"\beta" in text
    assert r"\beta" in gd.linearize(gd.games.bilinear(), rule).latex()
    game = gd.games.quadratic(*sympy.symbols("lambda mu nu", positive=True))
    assert r"\chi(\xi) &= \xi^{2}" in gd.linearize(game).latex()


@pytest.mark.parametrize("assumed", [{}, {"real": True}, {"positive": True}])
def test_parameters_with_the_letters_of_the_analysis_are_refused(assumed):
    """z is the eigenvalue, lr the step of an expansion: such a parameter made every condition true, or lost terms."""
    x, y = sympy.symbols("x y", real=True)

    def game(name):
        c = sympy.Symbol(name, **assumed)
        return gd.games.from_sympy([c * x**2 / 2 + x * y, -x * y + c * y**2 / 2], [x, y], equilibria=[(0, 0)])

    with pytest.raises(ParameterError, match="a parameter named z"):
        gd.stability_region(game("z"), None, ("z",))
    with pytest.raises(ParameterError, match="a parameter lr"):
        gd.modified_flow(game("lr"), gd.rules.GDA(0.1))
    other = gd.modified_flow(game("c"), gd.rules.GDA(0.1)).terms[1]
    assert len(other[0].free_symbols) == 3
