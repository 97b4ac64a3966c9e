"""Grids of parameters: each entry is what its point gives alone."""

import numpy as np
import pytest

import gandyn as gd
from gandyn.analysis.local.ensemble import eigenvalues_of
from gandyn.errors import DomainError, ParameterError, ShapeError, UnknownNameError

BILINEAR = gd.games.bilinear()
GRID = {"lr": [0.1, 0.4, 0.9], "gamma": [0.0, 0.5]}


def test_spectral_radii_are_those_of_each_point_alone():
    swept = gd.sweep(BILINEAR, gd.rules.Consensus("lr", "gamma"), GRID)
    for i, lr in enumerate(GRID["lr"]):
        for j, gamma in enumerate(GRID["gamma"]):
            assert swept.values[i, j] == pytest.approx(np.hypot(1 - lr * gamma, lr), rel=1e-13)
    assert list(swept.parameters) == ["lr", "gamma"]
    assert swept.best()["value"] == swept.values.min()


def test_values_that_a_rule_has_are_replaced_and_ratios_kept():
    swept = gd.sweep(BILINEAR, gd.rules.GDA((0.1, 0.4)), {"lr": [0.2, 0.3]})
    np.testing.assert_allclose(swept.values, np.sqrt(1 + 4 * np.array([0.2, 0.3]) ** 2), rtol=1e-13)
    inner = gd.rules.Lookahead(gd.rules.GDA(0.1), 3, 0.5)
    swept = gd.sweep(BILINEAR, inner, {"alpha": [0.3, 0.5], "lr": [0.2]})
    expected = [[abs(1 - a + a * (1 - 0.2j) ** 3)] for a in (0.3, 0.5)]
    np.testing.assert_allclose(swept.values, expected, rtol=1e-13)


def test_parameters_of_the_game_and_of_the_flow():
    game = gd.games.quadratic("a", 1, "a")
    swept = gd.sweep(game, None, {"a": [0.2, 0.5]}, "spectral_abscissa")
    np.testing.assert_allclose(swept.values, [-0.2, -0.5], rtol=1e-13)
    radius = gd.sweep(game, gd.rules.GDA("lr"), {"a": [0.2, 0.5], "lr": [0.1, 0.3]})
    expected = [[np.hypot(1 - lr * a, lr) for lr in (0.1, 0.3)] for a in (0.2, 0.5)]
    np.testing.assert_allclose(radius.values, expected, rtol=1e-13)


def test_where_runs_end():
    lrs = [0.1, 0.5, 1.5]
    rule, start = gd.rules.Extragradient("lr"), [1.0, 0.5]
    distance = gd.sweep(BILINEAR, rule, {"lr": lrs}, "final_distance", start=start, steps=30)
    status = gd.sweep(BILINEAR, rule, {"lr": lrs}, "status", start=start, steps=5000)
    own = gd.sweep(BILINEAR, rule, {"lr": lrs}, lambda run: np.linalg.norm(run.w[-1]), start=start, steps=30)
    cost = gd.sweep(BILINEAR, rule, {"lr": lrs}, "cost", start=start, steps=30)
    priced = gd.sweep(BILINEAR, rule, {"lr": lrs}, lambda run: run.costs[0][-1], start=start, steps=30)
    expected = [np.sqrt(1.25) * (1 - s**2 + s**4) ** 15 for s in lrs]
    np.testing.assert_allclose(distance.values, expected, rtol=1e-11)
    np.testing.assert_allclose(own.values, expected, rtol=1e-11)
    np.testing.assert_allclose(cost.values, priced.values, rtol=1e-9)
    assert status.values.tolist() == [gd.Status.OK, gd.Status.OK, gd.Status.DIVERGED]
    assert "1 of 3: diverged" in status.summary()


def test_chunks_change_nothing(monkeypatch):
    from gandyn.analysis.parameters import sweep as module

    whole = gd.sweep(BILINEAR, gd.rules.OptimisticGD("lr"), {"lr": np.linspace(0.1, 1, 10)})
    monkeypatch.setattr(module, "CHUNK", 3)
    np.testing.assert_array_equal(
        gd.sweep(BILINEAR, gd.rules.OptimisticGD("lr"), {"lr": np.linspace(0.1, 1, 10)}).values, whole.values
    )


def test_what_the_time_does_not_suffice_for_is_missing():
    import time

    def slow(run):
        time.sleep(0.02)
        return 1.0

    swept = gd.sweep(BILINEAR, gd.rules.GDA("lr"), {"lr": np.linspace(0.1, 1, 50)}, slow, steps=2, budget=0.1)
    done = int(np.isfinite(swept.values).sum())
    assert 0 < done < 50
    assert f"{50 - done} of 50 points missing" in swept.reason
    assert swept.reason in swept.summary()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: gd.sweep(BILINEAR, gd.rules.GDA("lr"), {}), ParameterError, "name -> values"),
        (lambda: gd.sweep(BILINEAR, gd.rules.GDA("lr"), {"lr": []}), ParameterError, "a sequence of finite numbers"),
        (lambda: gd.sweep(BILINEAR, gd.rules.GDA("lr"), {"lr": [0.1, np.inf]}), ParameterError, "finite"),
        (lambda: gd.sweep(BILINEAR, gd.rules.GDA("lr"), {"lr": [-0.1, 0.2]}), ParameterError, "values from -0.1"),
        (lambda: gd.sweep(BILINEAR, gd.rules.GDA("lr"), {"gamma": [0.1]}), ParameterError, "does not depend"),
        (lambda: gd.sweep(BILINEAR, gd.rules.GDA("lr"), {"lr": [0.1]}, "radius"), UnknownNameError, "measure"),
        (lambda: gd.sweep(BILINEAR, None, {"lr": [0.1]}), ParameterError, "does not depend"),
        (lambda: gd.sweep(BILINEAR, gd.rules.Adam("lr"), {"lr": [0.1]}), DomainError, "smooth"),
        (lambda: gd.sweep(BILINEAR, gd.rules.Unrolled(0.1, 3), {"k": [1, 2]}), DomainError, "counts or chooses"),
        (lambda: gd.sweep(BILINEAR, gd.rules.GDA(0.1), {"lr": [0.1]}, lambda run: run.w), ParameterError, "one number"),
    ],
)
def test_wrong_calls_end_in_one_line(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_pictures_over_one_and_two_parameters():
    line = gd.sweep(BILINEAR, gd.rules.GDA("lr"), {"lr": [0.3, 0.1]}).plot()
    np.testing.assert_allclose(line.data["lr"], [0.1, 0.3])
    np.testing.assert_allclose(line.data["values"], np.hypot(1, [0.1, 0.3]))
    grid = gd.sweep(BILINEAR, gd.rules.Consensus("lr", "gamma"), GRID, "status", steps=4000).plot()
    assert grid.axes[0].get_xlabel() == "step size lr"
    assert grid.axes[0].get_ylabel() == "gamma"
    assert [text.get_text() for text in line.legends[0].get_texts()] == ["spectral radius 1: the edge of stability"]
    momentum = {"lr": [0.1, 0.2, 1.4], "momentum": [-0.5, 0.0, 0.5]}
    rule = gd.rules.HeavyBall("lr", "momentum", alternating=True)
    radius = gd.sweep(gd.games.quadratic(0.2, 1, 0.2), rule, momentum).plot()
    assert radius.axes[0].get_title() == "Heavy Ball (alternating) on quadratic"
    assert [text.get_text() for text in radius.legends[0].get_texts()] == ["spectral radius 1: the edge of stability"]
    with pytest.raises(DomainError, match="one or two"):
        gd.sweep(gd.games.bilinear("c"), gd.rules.Consensus("lr", "gamma"), GRID | {"c": [1.0, 2.0]}).plot()


def test_batched_spectra_are_those_of_each_member():
    lr, beta = np.array([0.1, 0.2, 0.7]), np.array([-0.3, -0.5, 0.2])
    game = gd.games.quadratic(0.3, 1.2, 0.4)
    found = gd.linearize(game, gd.rules.HeavyBall(lr, beta, alternating=True))
    assert found.matrix.shape == (3, 4, 4)
    for k in range(3):
        alone = gd.linearize(game, gd.rules.HeavyBall(float(lr[k]), float(beta[k]), alternating=True))
        np.testing.assert_allclose(found.matrix[k], alone.matrix, rtol=1e-13, atol=1e-15)
        assert found.spectral_radius[k] == pytest.approx(alone.spectral_radius, rel=1e-12)
        assert found.verdict[k] == alone.verdict
    flow = gd.linearize(gd.games.from_sympy("m*x**2/2 + x*y", ["x", "y"], {"m": np.array([0.1, -0.1])}), at=[0, 0])
    np.testing.assert_allclose(flow.spectral_abscissa, [-0.05, 0.05], rtol=1e-12)
    moving = gd.linearize(game, gd.rules.GDA(lr), at=[1.0, 0.0])
    assert set(moving.verdict) == {"not an equilibrium"}
    with pytest.raises(ShapeError, match=r"lr of shape \(3,\)"):
        gd.linearize(game, gd.rules.GDA(lr), at=np.zeros((2, 2)))


def test_eigenvalues_of_planar_matrices_are_numpys():
    """By the formula of a quadratic; real and complex pairs, and an entry that is not finite."""
    matrices = np.random.default_rng(0).standard_normal((40, 2, 2))
    found, expected = eigenvalues_of(matrices), np.linalg.eigvals(matrices)
    np.testing.assert_allclose(np.sort_complex(found), np.sort_complex(expected), rtol=1e-12, atol=1e-14)
    assert 5 < np.isreal(expected).all(-1).sum() < 35
    assert np.isnan(eigenvalues_of(np.array([[np.inf, 0], [0, 1]]))).all()


def test_real_eigenvalues_of_a_sweep_have_both_ends():
    """quadratic(a, 0, 1): the map's eigenvalues are 1 - lr a and 1 - lr, and the larger modulus is either one's."""
    swept = gd.sweep(gd.games.quadratic("a", 0, 1), gd.rules.GDA(0.5), {"a": [0.2, 1.0, 6.0]})
    np.testing.assert_allclose(swept.values, [0.9, 0.5, 2.0], rtol=1e-13)
