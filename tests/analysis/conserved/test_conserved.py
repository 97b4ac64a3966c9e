"""conserved_quantities: every one is constant along computed orbits; those that are known are found."""

import dataclasses

import numpy as np
import pytest
import sympy

import gandyn as gd
from gandyn.analysis.conserved.invariant_search import _of_moderate_degree
from gandyn.analysis.conserved.quantities import ConservedQuantity

LR = sympy.Symbol("lr", positive=True)
BILINEAR = gd.games.bilinear()


def test_powers_of_exponentials_are_factored_up_to_the_64th():
    x = sympy.Symbol("x")
    assert _of_moderate_degree(sympy.exp(64 * x) + sympy.exp(x))
    assert not _of_moderate_degree(sympy.exp(65 * x) + sympy.exp(x))


def expressions(*arguments, **options):
    return [q.expression for q in gd.conserved_quantities(*arguments, **options)]


def spans(found, expected, symbols, **point):
    """Whether `expected` is a function of the quantities found: its gradient lies in the span of theirs."""
    at = {s: sympy.Rational(3 * k + 2, 7) for k, s in enumerate(symbols)}
    gradients = [[float(sympy.diff(e, s).subs(at)) for s in symbols] for e in (*found, expected)]
    return np.linalg.matrix_rank(gradients[:-1], tol=1e-9) == np.linalg.matrix_rank(gradients, tol=1e-9)


def test_the_bilinear_flow_conserves_the_radius_and_alternating_steps_an_ellipse():
    a, b = BILINEAR.symbols
    assert expressions(BILINEAR) == [a**2 + b**2]
    assert expressions(BILINEAR, gd.rules.AlternatingGD("lr")) == [a**2 - LR * a * b + b**2]
    other = gd.rules.AlternatingGD("lr", order=(1, 0))
    assert expressions(BILINEAR, other) == [a**2 + LR * a * b + b**2]
    assert expressions(BILINEAR, gd.rules.GDA("lr")) == []


def test_a_matrix_has_one_quadratic_invariant_for_each_singular_value():
    m = sympy.Matrix([[1, 2], [3, -1]])
    game = gd.games.bilinear(m.tolist())
    found = expressions(game)
    assert len(found) == 2
    x, y = sympy.Matrix(game.symbols[:2]), sympy.Matrix(game.symbols[2:])
    for known in (x.dot(x) + y.dot(y), (m.T * x).dot(m.T * x) + (m * y).dot(m * y)):
        assert spans(found, known, game.symbols)


@pytest.mark.parametrize(
    "game",
    [
        gd.games.dirac_gan(),
        gd.games.bilinear(((1, 0.5, -2),)),
        gd.games.nagarajan_kolter("wasserstein"),
        gd.games.tandem(),
    ],
    ids=lambda game: game.name,
)
def test_the_quantities_that_the_catalogue_knows_are_found(game):
    found = expressions(game)
    assert game.facts.conserved
    for known in game.facts.conserved:
        assert spans(found, known, game.symbols)


@pytest.mark.slow
def test_every_quantity_is_constant_along_orbits_of_flow_and_map():
    a, b = sympy.symbols("a b", real=True)
    volterra = gd.games.from_sympy([a**2 * (b - 2) / 2, -(b**2) * (a - 1) / 2], [a, b])
    for game in (BILINEAR, gd.games.dirac_gan(), volterra):
        found = gd.conserved_quantities(game)
        assert found
        run = gd.flow(game, [0.7, 0.4], time=20.0, rtol=1e-11)
        for quantity in found:
            values = quantity(run.w)
            np.testing.assert_allclose(values, values[0], atol=1e-8)
            assert quantity.residual == 0
            other = quantity([1.1, 0.3])
            assert abs(other - values[0]) > 1e-3
    rule = gd.rules.HeavyBall(0.3, -1)
    for quantity in gd.conserved_quantities(BILINEAR, rule):
        traced = gd.update_map(BILINEAR, rule)
        step = sympy.lambdify(traced.symbols, list(traced.expression))
        z = [np.array([0.3, -0.8, 0.2, 0.5])]
        for _ in range(50):
            z.append(np.array(step(*z[-1]), dtype=float))
        np.testing.assert_allclose(quantity(np.array(z)), quantity(z[0]), rtol=1e-9)


def test_lotka_and_volterra_by_logarithms():
    """da/dt = -a (b - 2), db/dt = b (a - 1) up to sign: a - log a + b - 2 log b."""
    a, b = sympy.symbols("a b", real=True)
    game = gd.games.from_sympy([a**2 * (b - 2) / 2, -(b**2) * (a - 1) / 2], [a, b])
    (quantity,) = gd.conserved_quantities(game)
    known = a - sympy.log(sympy.Abs(a)) + b - 2 * sympy.log(sympy.Abs(b))
    ratio = sympy.simplify(quantity.expression / known)
    assert ratio.is_number


@pytest.mark.parametrize(
    "game",
    [gd.games.matching_pennies(), gd.games.rock_paper_scissors(), gd.games.matrix_game(((3, -1), (-2, 1)))],
    ids=lambda game: game.name,
)
def test_replicator_dynamics_conserve_the_divergence_from_the_equilibrium(game):
    found = gd.conserved_quantities(game, field=game.replicator_field)
    weights = game.equilibria[0]
    known = sum(p * sympy.log(sympy.Abs(s)) for p, s in zip(weights, game.symbols, strict=True))
    assert sympy.simplify(found[0].expression / known).is_number
    assert len(found[0].constraints) == 2
    start = np.full(game.dim, 0.0)
    for block in game.slices:
        start[block] = np.linspace(1, 2, block.stop - block.start) / np.linspace(1, 2, block.stop - block.start).sum()
    run = gd.flow(game, start, time=15.0, field=lambda w: -game.replicator_field(w), rtol=1e-11)
    values = found[0](run.w)
    np.testing.assert_allclose(values, values[0], atol=1e-7)


def test_users_extend_the_basis():
    a, b = sympy.symbols("a b", real=True)
    game = gd.games.from_sympy([a * sympy.exp(b), -b * a], [a, b])  # da/dt = -e^b, db/dt = a
    (quantity,) = gd.conserved_quantities(game, basis=[sympy.exp(b)], degree=2)
    assert quantity.method.startswith("linear algebra")
    assert quantity.expression == 2 * sympy.exp(b) + a**2
    with pytest.raises(gd.GandynError, match="other"):
        gd.conserved_quantities(game, basis=[sympy.Symbol("other")])


def test_hamiltonian_games_conserve_the_squared_field():
    game = gd.games.hamiltonian_quadratic([[0, 1, -2], [-1, 0, 3], [2, -3, 0]])
    found = expressions(game)
    for known in game.facts.conserved:
        assert spans(found, known, game.symbols)


def test_separated_variables_and_stream_functions():
    a, b = sympy.symbols("a b", real=True)
    stream = gd.games.from_sympy([a * (b + b**5), -b * (a**7 - a)], [a, b])
    assert any(spans([e], b**2 / 2 + b**6 / 6 + a**8 / 8 - a**2 / 2, (a, b)) for e in expressions(stream, degree=2))
    separated = gd.games.from_sympy([a * b, -sympy.log(1 + b**2) * a / 2], [a, b])
    found = gd.conserved_quantities(separated, degree=2)
    assert any(spans([q.expression], a**2 / 2 + b + b**3 / 3, (a, b)) for q in found)


def test_what_no_ansatz_holds_is_found_by_separating_variables():
    """x' = -(1 + x^2), y' = -(1 + y^2): no polynomial or logarithm is conserved, atan x - atan y is."""
    x, y = sympy.symbols("x y", real=True)
    (found,) = gd.conserved_quantities(gd.games.from_sympy([x + x**3 / 3, y + y**3 / 3], [x, y]))
    assert found.expression == sympy.atan(x) - sympy.atan(y)
    assert "separated variables" in found.summary()


def test_what_has_no_symbols_or_changes_with_time_is_refused():
    with pytest.raises(gd.GandynError, match="symbols"):
        gd.conserved_quantities(gd.games.prisoners_dilemma())
    with pytest.raises(gd.GandynError, match="step to step"):
        gd.conserved_quantities(BILINEAR, gd.rules.Anchored(0.1))
    a, b = BILINEAR.symbols
    with pytest.raises(gd.GandynError, match="does not leave"):
        gd.conserved_quantities(BILINEAR, constraints=[a + b - 1])


def test_results_speak_json_and_prose():
    (quantity,) = gd.conserved_quantities(BILINEAR)
    assert quantity.to_dict()["residual"] == "0"
    assert "identically" in quantity.summary()


def test_data_name_the_rule_of_a_map_and_none_for_a_flow():
    symbols = BILINEAR.symbols
    flow = ConservedQuantity(BILINEAR, None, symbols, symbols[0] ** 2 + symbols[1] ** 2, "by hand", sympy.Integer(0))
    assert flow.to_dict()["rule"] is None
    assert dataclasses.replace(flow, rule=gd.rules.GDA(0.5)).to_dict()["rule"] == repr(gd.rules.GDA(0.5))


def test_independence_is_seen_in_numbers_and_never_where_there_is_a_relation():
    from gandyn.analysis.conserved.invariant_search import _independent_in_numbers

    x, y, p = sympy.symbols("x y p", real=True)
    e = sympy.exp(-x * y)
    assert _independent_in_numbers([x, e, x * e, p * y], (x, y))
    assert not _independent_in_numbers([x, e, x - 2 * e, y], (x, y))
    assert not _independent_in_numbers([x, p * e, x + p**2 * e], (x, y))
    lost = [((10**9 + x) ** 2 - 10**18 - x**2) * e, x * e]  # 2 10^9 x e: the difference has no digits left
    assert not _independent_in_numbers(lost, (x, y))
