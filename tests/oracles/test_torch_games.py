"""Games given by torch functions: derivatives against symbols and differences, worlds, and refusals by name."""

import numpy as np
import pytest
import sympy
import torch

import gandyn as gd
from gandyn.errors import GameError, ParameterError, ShapeError, WorldError
from gandyn.oracles.field_graph import gradient, slopes

X1, X2, Y = sympy.symbols("x1 x2 y", real=True)
F1 = X1**3 * Y / 3 + sympy.sin(X2 * Y) + X1 * X2
F2 = -X1 * Y**2 + sympy.exp(X2) * Y


def costs(x, y):
    x1, x2, y = x[..., 0], x[..., 1], y[..., 0]
    return x1**3 * y / 3 + torch.sin(x2 * y) + x1 * x2, -x1 * y**2 + torch.exp(x2) * y


def pair():
    return gd.games.from_torch(costs, {"x": 2, "y": 1}), gd.games.from_sympy([F1, F2], {"x": [X1, X2], "y": [Y]})


def points(seed=0, lead=(3, 2)):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(*lead, 3)), rng.normal(size=(*lead, 3))


def richardson(function, w, u, h=1e-3):
    """Central differences of three steps, extrapolated: error O(h^6)."""
    slopes = [(function(w + s * h * u) - function(w - s * h * u)) / (2 * s * h) for s in (1, 2, 4)]
    first = [(4 * slopes[0] - slopes[1]) / 3, (4 * slopes[1] - slopes[2]) / 3]
    return (16 * first[0] - first[1]) / 15


def test_autograd_agrees_with_symbols_on_ensembles():
    game, symbolic = pair()
    w, u = points()
    for name, arguments in {
        "field": (w,),
        "jvp": (w, u),
        "vjp": (w, u),
        "jacobian": (w,),
        "cost_gradients": (w,),
    }.items():
        ours, theirs = getattr(game, name)(*arguments), getattr(symbolic, name)(*arguments)
        assert isinstance(ours, np.ndarray)
        assert ours.dtype == np.float64
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-13)
    for ours, theirs in zip(game.costs(w), symbolic.costs(w), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-13)


def test_products_agree_with_differences_and_are_adjoint():
    game, _ = pair()
    w, u = points(1)
    _, t = points(2)
    difference = richardson(game.field, w, u)
    assert np.abs(game.jvp(w, u) - difference).max() < 1e-8 * np.abs(difference).max()
    left, right = (t * game.jvp(w, u)).sum(-1), (u * game.vjp(w, t)).sum(-1)
    np.testing.assert_allclose(left, right, rtol=1e-12)


def test_torch_tensors_stay_torch_and_carry_gradients():
    game, _ = pair()
    array, direction = points(3)
    w, u = torch.tensor(array, requires_grad=True), torch.tensor(direction)
    np.testing.assert_array_equal(game.field(w.detach()).numpy(), game.field(array))
    assert not game.field(w.detach()).requires_grad
    for function in (game.field, lambda w: game.jvp(w, u), lambda w: game.vjp(w, game.field(w)), game.cost_gradients):
        assert torch.autograd.gradcheck(function, w, atol=1e-7)
    (slope,) = torch.autograd.grad((game.field(w) * u).sum(), w)
    torch.testing.assert_close(slope, game.vjp(w.detach(), u), rtol=1e-12, atol=1e-13)


def test_a_rules_step_can_be_differentiated():
    """The derivative of the extragradient map, by autograd through its step, is I - h J(w')(I - h J(w))."""
    game, _ = pair()
    w, rule = torch.tensor(points(4, ())[0]), gd.rules.Extragradient(0.1)
    state = rule.init(game, w)
    derivative = torch.autograd.functional.jacobian(lambda w: rule.step(game, w, state)[0], w)
    ahead, one = w - 0.1 * game.field(w), torch.eye(3, dtype=torch.float64)
    expected = one - 0.1 * game.jacobian(ahead) @ (one - 0.1 * game.jacobian(w))
    torch.testing.assert_close(derivative, expected, rtol=1e-12, atol=1e-13)


def test_only_and_restrict_are_blocks_of_the_field():
    game, _ = pair()
    w = points(5)[0]
    v = game.field(w)
    for i, block in enumerate(game.slices):
        own = np.zeros_like(v)
        own[..., block] = v[..., block]
        np.testing.assert_array_equal(game.field(w, only=i), own)
        view = game.restrict(i, w)
        np.testing.assert_array_equal(view.field(view.block), v[..., block])


def test_one_tensor_is_a_zero_sum_game_and_functions_may_come_one_by_one():
    zero_sum = gd.games.from_torch(lambda x, y: (x * y).sum(-1), (2, 2))
    assert zero_sum.zero_sum
    assert [player.name for player in zero_sum.players] == ["x", "y"]
    np.testing.assert_array_equal(zero_sum.field(np.array([1.0, 2.0, 3.0, 4.0])), [3.0, 4.0, -1.0, -2.0])
    separate = gd.games.from_torch(
        [lambda x, y, z: (x * y * z).sum(-1), lambda x, y, z: (y * y * x).sum(-1), lambda x, y, z: (z * x).sum(-1)],
        (1, 1, 1),
    )
    assert not separate.zero_sum
    np.testing.assert_array_equal(separate.field(np.array([1.0, 2.0, 3.0])), [6.0, 4.0, 1.0])
    assert not pair()[0].zero_sum


@pytest.mark.parametrize(
    "f",
    [lambda x, y: x @ y, lambda x, y: (x * y).sum(), lambda x, y: x[0] * y[0] + x[1] * y[1] if x[0] < 9 else x @ y],
    ids=["vector product", "full sum", "branch"],
)
def test_costs_written_for_one_point_serve_ensembles(f):
    game, batched = gd.games.from_torch(f, (2, 2)), gd.games.from_torch(lambda x, y: (x * y).sum(-1), (2, 2))
    w = np.random.default_rng(0).normal(size=(3, 2, 4))
    np.testing.assert_allclose(game.field(w), batched.field(w), rtol=1e-15)
    np.testing.assert_allclose(game.jacobian(w), batched.jacobian(w), rtol=1e-15)


def test_constant_and_linear_fields_have_zero_products():
    game = gd.games.from_torch(lambda x, y: (x.sum(-1), y.sum(-1)), (2, 1))
    w = np.ones((4, 3))
    np.testing.assert_array_equal(game.field(w), np.ones((4, 3)))
    for result in (game.jvp(w, w), game.vjp(w, w), game.jacobian(w)):
        assert not result.any()


def test_mistakes_are_refused_by_name():
    with pytest.raises(GameError, match="player y does not depend on y's own block"):
        gd.games.from_torch(lambda x, y: ((x * y).sum(-1), x.sum(-1)), (1, 1))
    with pytest.raises(GameError, match="player critic does not depend"):
        gd.games.from_torch(lambda g, c: (g * c.detach()).sum(-1), {"gen": 1, "critic": 1})
    with pytest.raises(GameError, match="1 costs for 3 players"):
        gd.games.from_torch(lambda x, y, z: (x.sum(-1),), (1, 1, 1))
    with pytest.raises(GameError, match="player x has shape \\(2,\\)"):
        gd.games.from_torch(lambda x, y: x * y, (2, 2))
    with pytest.raises(GameError, match="dtype"):
        gd.games.from_torch(lambda x, y: (x @ torch.ones(2, 2) * y).sum(-1), (2, 2))
    with pytest.raises(ParameterError, match="player y of size 0"):
        gd.games.from_torch(lambda x, y: (x * y).sum(-1), (1, 0))
    game = pair()[0]
    with pytest.raises(ShapeError, match=r"\(\.\.\., 3\)"):
        game.field(np.zeros(2))
    symbols = np.array([X1, X2, Y, None], dtype=object)[:-1]
    with pytest.raises(WorldError, match="numpy, torch"):
        game.field(symbols)


def test_slopes_carry_no_graph_unless_asked_for():
    t = torch.ones(2, requires_grad=True)
    cost = (t**3).sum()
    assert not slopes(cost, [t])[0].requires_grad
    assert not gradient(cost, t).requires_grad
    assert gradient(cost, t, create_graph=True).requires_grad
