"""A cost typed into the page: read as the library reads it, its derivatives SymPy's, its runs Python's."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from explorer_pages import DRIVER, agree, in_node, needs_node

import gandyn as gd
from gandyn.errors import GandynError
from gandyn.explorer.own_cost import HIGHEST_ORDER, language, rules_on_any_cost
from gandyn.explorer.sliders import turned_rule
from gandyn.explorer.toys import CONSERVED, KNOWN, usual_rules
from gandyn.symbolic.partial import Partial
from gandyn.text import formula

COSTS = (
    "x*y", "x*y + k*x**4/4", "-2**2*x + x*y", "x**2*y - 3", "2**-1*x*y", "x*y/(1 + x**2 + y**2)", "x**y + x*y",
    "exp(-x**2)*sin(y) + x*y", "log(1 + x**2)*y + x", "tanh(x)*atan(y)", "sqrt(4 + x*y)", "cosh(x/2)*y - sinh(y)*x",
    "erf(x)*y + cos(x*y)", "softplus(x*y) - log_sigmoid(y)*x", "sigmoid(x)*sigmoid(y)", "Max(x, y, 0)*x + y*x",
    "piecewise((x*y, x > 0.25), (x - y + 0.5*x*y, true))", "abs(x)*y + min(x, 2)*x*y", "pi*x*y + 1_000.5e-3*x",
    "root(3 + x, 3)*y", "tan(x/4)*y", "(x + y)**3 - (x - y)**2", "cbrt(4 + x)*y", "Heaviside(x)*y*x + x*y*sign(y)",
)  # fmt: skip
WRONG = (
    "", "x*", "x y", "x^2*y", "2x*y", "sin*x", "sin(x, y)*y", "foo(x)*y", "x*y + inf", "none", "x*y)", "(x*y",
    "x < y", "x*'y'", "max(x)*y", "x.y", "x*y; 1", "1e999*x*y", "piecewise(x*y)", "x**100*y", "x, y", "a + b", "x",
    "x*y + " + "(" * 50 + "x" + ")" * 50,
)  # fmt: skip
JETS = """
console.log(JSON.stringify(JOB.map(({cost, points}) => {
  try {
    const {field, costs} = ownGame(cost, DATA.own.language, OWN), p = [0.7];
    return points.map((w) => [...costs(w, p), ...field(w, p),
      ...[[2, 0], [1, 1], [0, 2]].map(([i, j]) => partial(i, j, ...w))].slice(0, 7));
  } catch (error) { return error.message; }
})));
"""


@pytest.fixture(scope="module")
def page():
    """A page of one game with rules that ask for first and second derivatives."""
    rules = [gd.rules.GDA(0.2), gd.rules.OptimisticGD(0.1), gd.rules.Consensus(0.1, 0.5), gd.rules.CompetitiveGD(0.2)]
    return gd.explore("bilinear", [*rules, gd.rules.Lookahead(gd.rules.AlternatingGD(0.2), k=2)])


@needs_node
def test_values_and_derivatives_are_sympys(page):
    x, y, k = sympy.symbols("x y k", real=True)
    points = [[0.3, 0.8], [1.1, 0.45], [0.7, 1.3]]
    answers = in_node(page, JETS, [{"cost": cost, "points": points} for cost in COSTS])
    for cost, answer in zip(COSTS, answers, strict=True):
        assert isinstance(answer, list), (cost, answer)
        f = formula(cost, {"x": x, "y": y, "k": k})
        wanted = [f, -f, f.diff(x), -f.diff(y), f.diff(x, 2), f.diff(x, y), f.diff(y, 2)]
        for point, got in zip(points, answer, strict=True):
            at = {x: point[0], y: point[1], k: 0.7}
            expected = [float(e.doit().subs(at).replace(sympy.DiracDelta, lambda *_: 0)) for e in wanted]
            np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-13, err_msg=cost)


@needs_node
def test_what_the_library_refuses_the_page_refuses(page):
    for cost, answer in zip(WRONG, in_node(page, JETS, [{"cost": c, "points": []} for c in WRONG]), strict=True):
        assert isinstance(answer, str), cost
        assert answer
        with pytest.raises(GandynError):
            gd.games.from_sympy(cost, ["x", "y"])


@needs_node
def test_runs_on_a_typed_cost_are_pythons(page):
    script = """
    const why = takeCost(DATA, CODE, OWN, JOB.cost);
    if (why) throw new Error(why);
    """
    job = {"cost": "tanh(x*y) + k*(x**4 - y**4)/4", "jobs": []}
    state = {"start": [0.9, 0.4], "steps": 12, "rules": [0, 1, 2, 3, 4], "p": [0.7]}
    driver = script + DRIVER.replace("JOB.map", "[{game: DATA.games.length - 1, state: JOB.state}].map")
    (answer,) = in_node(page, driver, job | {"state": state})
    assert "parameters=" in answer["python"] or "k" in answer["python"]
    assert agree(answer) >= 4


def test_rules_are_traced_on_a_cost_without_a_formula():
    bilinear = gd.games.bilinear()
    found = rules_on_any_cost([turned_rule(bilinear, rule) for rule in usual_rules()])
    refused = [why for why in found if isinstance(why, str)]
    assert len(found) - len(refused) >= 24
    assert all(why for why in refused)
    deep = rules_on_any_cost([turned_rule(bilinear, gd.rules.Unrolled(0.1, 1))])
    assert not isinstance(deep[0], str) or str(HIGHEST_ORDER + 1) in deep[0]


def test_partial_derivatives_follow_the_chain_rule():
    x, y = sympy.symbols("x y", real=True)
    f = x**3 * sympy.sin(y)
    inside = (x * y, x + y**2)
    traced = sympy.diff(Partial(0, 0, *inside), x, y)
    exact = sympy.diff(f.subs({x: inside[0], y: inside[1]}, simultaneous=True), x, y)

    def put(i, j, a, b):
        return sympy.diff(f, x, int(i), y, int(j)).subs({x: a, y: b}, simultaneous=True)

    assert sympy.simplify(traced.replace(Partial, put) - exact) == 0


def test_the_page_knows_the_librarys_words():
    known = language()
    assert {"sqrt", "piecewise", "log_sigmoid"} <= set(known["functions"])
    assert known["words"]["true"] is True
    assert known["words"]["inf"] is None


@pytest.mark.slow
@pytest.mark.parametrize("name", CONSERVED)
def test_what_a_toy_conserves_is_what_is_found(name):
    _, game, arguments, *_ = next(row for row in KNOWN if row[0] == name)
    built = gd.games.registry[game].build(**arguments)
    for rule, text in CONSERVED[name].items():
        quantity = formula(text, {str(s): s for s in built.symbols})
        lr = sympy.Symbol("lr", real=True)
        quantity = quantity.subs({s: lr for s in quantity.free_symbols if s.name == "lr"})
        found = gd.conserved_quantities(built, gd.rules.registry[rule].build(lr=lr) if rule else None)
        gradients = [[sympy.diff(e, s) for s in built.symbols] for e in (quantity, found[0].expression)]
        (a, b), (c, d) = gradients
        assert sympy.simplify(a * d - b * c) == 0, (name, rule)
