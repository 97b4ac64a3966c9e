"""The duality gap: closed forms by a second route, bounds that are bounds, and labels that tell the truth."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize

import gandyn as gd
from gandyn.errors import DomainError, ParameterError, UnknownNameError

X, Y = sympy.symbols("x y", real=True)
SADDLE = gd.games.from_sympy(3 * X**2 - Y**2 + 4 * X * Y, [X, Y])
MATRICES = gd.games.quadratic(((2, 0.5), (0.5, 1)), ((1, -1), (0, 2)), ((1, 0), (0, 3)))
GENERAL_SUM = gd.games.general_quadratic(
    (
        (((2, 0), (0, 1)), ((1,), (-1,)), ((0.5,), (2,))),
        (((-1, 1),), ((1.5,),), ((-2,),)),
        (((1, 1),), ((2,),), ((3,),)),
    )
)


def searched(game, w):
    """The gap by a general minimiser, player by player."""
    total = 0.0
    for i in range(len(game.players)):
        view = game.restrict(i, w)
        found = minimize(lambda x, v=view: float(v.costs(x)[0]), view.block, jac=view.field, tol=1e-14)
        total += float(game.costs(w)[i]) - found.fun
    return total


# --- exact ------------------------------------------------------------------------------------------------------------


def test_the_gap_of_the_published_saddle():
    """3 x^2 - y^2 + 4 x y has the gap 7 x^2 + 7 y^2 / 3."""
    gap = gd.duality_gap(SADDLE)
    assert sympy.expand(gap.value - 7 * X**2 - sympy.Rational(7, 3) * Y**2) == 0
    assert gap.kind == "exact"
    assert float(gd.duality_gap(SADDLE, [3, 3])) == pytest.approx(84, rel=1e-14)
    np.testing.assert_allclose(gd.duality_gap(SADDLE, [[3.0, 3.0], [0.0, 3.0]]).value, [84, 21], rtol=1e-14)


@pytest.mark.parametrize("game", [SADDLE, MATRICES, GENERAL_SUM], ids=["scalar", "matrices", "three players"])
def test_the_exact_gap_is_what_a_minimiser_finds(game):
    for seed in range(5):
        w = np.random.default_rng(seed).normal(size=game.dim)
        gap = gd.duality_gap(game, w)
        assert float(gap.value) == pytest.approx(searched(game, w), rel=1e-7)
        for i, answer in enumerate(gap.answers):
            assert np.abs(game.field(np.asarray(answer), only=i)).max() < 1e-12
    symbolic = gd.duality_gap(game).value.subs(dict(zip(game.symbols, map(sympy.Rational, w), strict=True)))
    assert float(symbolic) == pytest.approx(float(gap.value), rel=1e-12)


def test_exact_points_give_exact_values():
    gap = gd.duality_gap(SADDLE, np.array([sympy.Rational(1, 3), sympy.sqrt(2)], dtype=object))
    assert sympy.simplify(gap.value - sympy.Rational(7, 9) - sympy.Rational(14, 3)) == 0


def test_an_unconstrained_bilinear_gap_is_infinite_off_the_saddle():
    game = gd.games.bilinear(((1, 2), (2, 4)))
    kernel = np.array([2.0, -1.0])
    assert gd.duality_gap(game, [*kernel, *kernel]).value == 0
    gap = gd.duality_gap(game, [*kernel, 1.0, 0.0])
    assert gap.value == np.inf
    assert gap.kind == "exact"
    assert gap.note == "x can gain without limit"
    assert gap.answers is None
    pieces = gd.duality_gap(gd.games.bilinear()).value
    assert pieces.subs({s: 0 for s in pieces.free_symbols}) == 0
    assert pieces.subs({s: 1 for s in pieces.free_symbols}) == sympy.oo


def test_a_falling_direction_is_unbounded_and_a_flat_one_is_not():
    z = sympy.symbols("z", real=True)
    for cost, expected in ((X**2 - z**2, np.inf), (X**2, 2.25)):
        game = gd.games.from_sympy([cost + X * Y, (Y - X) ** 2], {"a": [X, z], "b": [Y]})
        assert gd.duality_gap(game, [1.0, 0.0, 1.0]).value == pytest.approx(expected)


def test_gaussian_games():
    """The critic is linear: infinite unless the moments match and the critic is flat; then zero."""
    game = gd.games.gaussian_wgan((1,), ((4,),))
    equilibrium = [float(e) for e in game.equilibria[0]]
    assert gd.duality_gap(game, equilibrium).value == 0
    for k in range(game.dim):
        off = list(equilibrium)
        off[k] += 0.5
        assert gd.duality_gap(game, off).value in (np.inf, 0)
    # Against a critic with W < 0 the generator has a best variance: f = W (4 + 1 - L^2 - m^2) + u (1 - m).
    w = np.array([0.3, 1.0, 0.2, -0.5])
    found = gd.duality_gap(game, w).terms[0]
    view = game.restrict(0, w)
    best = minimize(lambda z: float(view.costs(z)[0]), view.block, tol=1e-14).fun
    assert float(found) == pytest.approx(float(game.costs(w)[0]) - best, abs=1e-9)


@pytest.mark.slow
@given(st.integers(0, 10_000))
def test_matrix_games_against_linear_programming(seed):
    rng = np.random.default_rng(seed)
    game = gd.games.random_matrix_game((3, 4), seed=seed % 50)
    a = np.array(game.matrix.tolist(), dtype=float)
    w = np.concatenate([rng.dirichlet(np.ones(3)), rng.dirichlet(np.ones(4))])
    x, y = w[:3], w[3:]
    top = -linprog(-(x @ a), A_eq=np.ones((1, 4)), b_eq=[1], bounds=(0, None)).fun
    low = linprog(a @ y, A_eq=np.ones((1, 3)), b_eq=[1], bounds=(0, None)).fun
    gap = gd.duality_gap(game, w)
    assert float(gap.value) == pytest.approx(top - low, abs=1e-12)
    logits = gd.games.matrix_game(game.matrix, "softmax")
    assert float(gd.duality_gap(logits, np.log(w)).value) == pytest.approx(top - low, abs=1e-12)
    assert gd.duality_gap(game, np.array([float(e) for e in game.equilibria[0]])).value == pytest.approx(0, abs=1e-12)


def test_boxed_bilinear_games():
    game = gd.games.boxed_bilinear(((1, 2), (3, -1)), x_box=(-0.5, 1), y_box=(-1, 2))
    matrix = np.array([[1, 2], [3, -1.0]])
    for seed in range(5):
        w = game.project(np.random.default_rng(seed).normal(size=4))
        up, down = w[:2] @ matrix, matrix @ w[2:]
        expected = np.maximum(-up, 2 * up).sum() - np.minimum(-0.5 * down, down).sum()
        assert float(gd.duality_gap(game, w).value) == pytest.approx(expected, rel=1e-12)
    free = gd.games.boxed_bilinear()
    assert gd.duality_gap(free, [0.5, 0.0]).value == pytest.approx(0.5)
    assert gd.duality_gap(free, [0.5, 0.2]).value == np.inf


def test_boxes_with_curvature():
    """Convex, concave and flat coordinates against a fine grid."""
    from gandyn.oracles.projections import Box

    x, y, z = sympy.symbols("x1 x2 x3", real=True)
    u = sympy.Symbol("u", real=True)
    cost = x**2 + 3 * x * u - y**2 + y * u + 2 * z * u - u
    bounds = ((-1, 1), (-2, 1), (-1, 3), (-1, 1))
    game = gd.games.from_sympy([cost, u**2 + u * x], {"a": [x, y, z], "b": [u]}, projection=Box(bounds))
    w = np.array([0.3, 0.2, -0.4, 0.7])
    grids = [np.linspace(low, high, 3001) for low, high in bounds]
    own = (lambda t: t**2 + 2.1 * t, lambda t: -(t**2) + 0.7 * t, lambda t: 1.4 * t)
    low = sum(f(grid).min() for f, grid in zip(own, grids[:3], strict=True)) - 0.7
    expected = float(game.costs(w)[0]) - low + float(game.costs(w)[1]) - (grids[3] ** 2 + 0.3 * grids[3]).min()
    assert float(gd.duality_gap(game, w).value) == pytest.approx(expected, abs=1e-6)


@pytest.mark.slow
@given(st.integers(0, 10_000))
def test_the_exact_gap_is_never_negative_and_zero_exactly_at_equilibria(seed):
    rng = np.random.default_rng(seed)
    a, c = (m @ m.T + np.eye(2) / 2 for m in np.round(rng.normal(size=(2, 2, 2)), 1))
    game = gd.games.quadratic(a.tolist(), np.round(rng.normal(size=(2, 2)), 1).tolist(), c.tolist())
    w = rng.normal(size=(50, 4))
    gaps = gd.duality_gap(game, w).value
    assert (gaps > 0).all()
    assert gd.duality_gap(game, np.zeros(4)).value == 0
    # Strong convexity makes it a distance: G >= (mu_x |x|^2 + mu_y |y|^2) / 2 around the equilibrium 0.
    low = min(np.linalg.eigvalsh(a)[0], np.linalg.eigvalsh(c)[0])
    assert (gaps >= low * (w**2).sum(-1) / 2 * (1 - 1e-12)).all()


def test_games_without_a_closed_form_are_refused():
    with pytest.raises(DomainError, match='method="gradient"'):
        gd.duality_gap(gd.games.dirac_gan(), [1.0, 1.0])


# --- inner steps ------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@given(st.integers(0, 10_000), st.floats(0.05, 2.0))
def test_plain_steps_up_to_two_over_l_are_monotone_lower_bounds(seed, fraction):
    rng = np.random.default_rng(seed)
    a, c = (m @ m.T for m in np.round(rng.normal(size=(2, 2, 2)), 1) + 0.05)
    game = gd.games.quadratic(a.tolist(), np.round(rng.normal(size=(2, 2)), 1).tolist(), c.tolist())
    w = rng.normal(size=(5, 4))
    steps = tuple(fraction / np.linalg.eigvalsh(m)[-1] for m in (a, c))
    gap = gd.duality_gap(game, w, "gradient", k=12, inner_lr=steps)
    assert gap.kind == "lower"
    scale = np.abs(gap.history).max() + 1
    assert (np.diff(gap.history, axis=0) >= -1e-11 * scale).all()
    assert (gap.history[0] == 0).all()
    assert (gap.history[-1] <= gd.duality_gap(game, w).value + 1e-9 * scale).all()


def test_beyond_two_over_l_the_value_can_be_negative_and_says_so():
    """f = x^2/2 - y^2/2 has L = 1; a step of 2.5 multiplies each coordinate by -3/2: gap (1 - 9/4) (x^2 + y^2) / 2."""
    game = gd.games.from_sympy(X**2 / 2 - Y**2 / 2, [X, Y])
    gap = gd.duality_gap(game, [1.0, 1.0], "gradient", k=1, inner_lr=2.5)
    assert gap.value == pytest.approx(1 - 2.25)
    assert "2 / L" in gap.note


def test_many_steps_tend_to_the_exact_gap():
    w = np.array([1.0, -2.0, 0.5, 1.0])
    gap = gd.duality_gap(MATRICES, w, "gradient", k=200, inner_lr=0.3)
    assert gap.value == pytest.approx(float(gd.duality_gap(MATRICES, w).value), rel=1e-12)
    assert float(gap.residuals.max()) < 1e-12


def test_steps_on_a_bilinear_game_grow_without_bound_and_are_called_a_lower_bound():
    game = gd.games.bilinear()
    gap = gd.duality_gap(game, [1.0, 2.0], "gradient", k=10, inner_lr=0.1)
    np.testing.assert_allclose(gap.history, 0.1 * np.arange(11) * 5, atol=1e-14)
    assert gap.kind == "lower"
    np.testing.assert_allclose(gap.residuals, [2, 1])


@pytest.mark.parametrize("rule", [gd.rules.Adam(0.1), gd.rules.HeavyBall(0.1, 0.5), gd.rules.Extragradient(0.1)])
def test_any_rule_answers(rule):
    exact = float(gd.duality_gap(SADDLE, [3.0, 3.0]).value)
    gap = gd.duality_gap(SADDLE, [3.0, 3.0], "gradient", k=400, rule=rule)
    assert gap.value <= exact + 1e-9
    assert gap.value == pytest.approx(exact, rel=1e-3)


def test_one_world_against_another():
    w = np.array([1.0, -2.0, 0.5, 1.0])
    numpy_gap = gd.duality_gap(MATRICES, w, "gradient", k=7, inner_lr=0.2)
    torch_gap = gd.duality_gap(MATRICES, torch.tensor(w), "gradient", k=7, inner_lr=0.2)
    assert float(torch_gap.value) == pytest.approx(float(numpy_gap.value), rel=1e-12)
    assert float(gd.duality_gap(MATRICES, torch.tensor(w)).value) == pytest.approx(float(gd.duality_gap(MATRICES, w)))


def test_a_perturbation_leaves_what_gradients_cannot():
    """f_1 = x^4 - x^2 is stationary at 0 but lowest, -1/4, at 1/sqrt(2)."""
    game = gd.games.from_sympy([X**4 - X**2 + 0 * Y, (Y - X) ** 2], [X, Y])
    assert gd.duality_gap(game, [0.0, 0.0], "gradient", k=300, inner_lr=0.1).value == 0
    gap = gd.duality_gap(game, [0.0, 0.0], "perturbed", k=300, inner_lr=0.1, repeats=3)
    assert gap.value == pytest.approx(0.25, abs=1e-8)
    assert gap.kind == "lower"
    assert gap.error < 1e-8


@pytest.mark.slow
@pytest.mark.parametrize("lam", [0.5, 3.0])
def test_the_proximal_gap_of_a_quadratic_game(lam):
    """max_y' f(x, y') - min_x' [3x'^2 + max_y' (-y'^2 + 4x'y' - lam (y' - y)^2)] in closed form, by SymPy."""
    f = 3 * X**2 - Y**2 + 4 * X * Y
    other = sympy.Symbol("other", real=True)
    penalised = (f - lam * (Y - other) ** 2).subs(Y, sympy.solve(sympy.diff(f - lam * (Y - other) ** 2, Y), Y)[0])
    low = penalised.subs(X, sympy.solve(sympy.diff(penalised, X), X)[0])
    top = f.subs(Y, sympy.solve(sympy.diff(f, Y), Y)[0])
    expected = float((top - low).subs({X: 0.5, other: -0.7}))
    gap = gd.duality_gap(SADDLE, [0.5, -0.7], "proximal", k=150, inner_lr=0.05, lam=lam)
    assert gap.value == pytest.approx(expected, rel=1e-6)
    assert gap.kind == "estimate"


@pytest.mark.slow
def test_a_proximal_gap_grows_to_the_gap_with_its_weight():
    values = [
        float(gd.duality_gap(SADDLE, [0.5, -0.7], "proximal", k=200, inner_lr=0.004, lam=w)) for w in (1, 10, 100)
    ]
    exact = float(gd.duality_gap(SADDLE, [0.5, -0.7]))
    assert values[0] < values[1] < values[2] < exact
    assert values[2] == pytest.approx(exact, rel=0.2)


def test_stochastic_games_give_estimates_with_an_error():
    game = gd.games.stochastic_bilinear()
    w = np.full(game.dim, 0.7)
    gap = gd.duality_gap(game, w, "gradient", k=10, inner_lr=0.1, repeats=20)
    assert gap.kind == "estimate"
    assert 0 < gap.error < 10
    again = gd.duality_gap(game, w, "gradient", k=10, inner_lr=0.1, repeats=20)
    assert again.value == gap.value
    assert gd.duality_gap(game, w, "gradient", k=10, inner_lr=0.1, repeats=20, rng=1).value != gap.value


def test_inner_steps_that_diverge_are_visible():
    with np.errstate(all="ignore"):
        gap = gd.duality_gap(SADDLE, [3.0, 3.0], "gradient", k=2000, inner_lr=5.0)
    assert "diverged" in gap.note
    assert "diverged" in gap.summary()


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"method": "gradeint"}, UnknownNameError, "gradient"),
        ({"method": "gradient", "k": 0}, ParameterError, "k=0"),
        ({"method": "gradient", "inner_lr": -1.0}, ParameterError, "positive"),
        ({"method": "gradient", "rule": "Adam"}, ParameterError, "update rule"),
        ({"method": "perturbed", "scale": -1}, ParameterError, "scale"),
        ({"method": "proximal", "lam": 0}, ParameterError, "lam"),
        ({"method": "gradient", "repeats": 0}, ParameterError, "repeats"),
    ],
)
def test_what_cannot_be_is_refused(arguments, error, match):
    with pytest.raises(error, match=match):
        gd.duality_gap(SADDLE, [1.0, 1.0], **arguments)
    with pytest.raises(DomainError, match="zero-sum"):
        gd.duality_gap(GENERAL_SUM, np.zeros(4), "proximal")


def test_results_are_data():
    import json

    gap = gd.duality_gap(SADDLE, [3.0, 3.0], "gradient", k=3, inner_lr=0.1)
    assert json.loads(json.dumps(gap.to_dict()))["kind"] == "lower"
    assert "lower bound" in gap.summary()
    assert gap.counts.fields == 4
