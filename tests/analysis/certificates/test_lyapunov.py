"""lyapunov_function: exact identities, decrease along simulated steps, regions, families, refusals."""

import json
import sys

import numpy as np
import pytest
import sympy

import gandyn as gd
from gandyn.errors import DomainError, MissingDependencyError

PENALISED = gd.games.dirac_gan(penalty="R1(1.0)")


@pytest.mark.parametrize(
    ("game", "rule"),
    [
        (gd.games.quadratic(1, 2, 1), gd.rules.GDA(0.2)),
        (gd.games.quadratic(1, 2, 1), None),
        (PENALISED, None),
        (PENALISED, gd.rules.OptimisticGD(0.1)),
        (gd.games.bilinear(), gd.rules.HeavyBall(0.1, -0.5, alternating=True)),
        (gd.games.quadratic(sympy.sqrt(2), 1, sympy.sqrt(3)), gd.rules.Extragradient(0.3)),
    ],
    ids=str,
)
def test_both_definiteness_claims_hold_in_exact_arithmetic(game, rule):
    v = gd.lyapunov_function(game, rule)
    assert v.verified
    assert all(e.is_Rational for e in v.matrix)
    a = gd.linearize(game, rule).exact.matrix
    change = a.T * v.matrix + v.matrix * a if rule is None else a.T * v.matrix * a - v.matrix
    assert (change - v.decrease).applyfunc(sympy.simplify).is_zero_matrix
    assert np.linalg.eigvalsh(np.array(v.matrix.evalf().tolist(), dtype=float)).min() > 0
    assert np.linalg.eigvalsh(np.array(v.decrease.evalf().tolist(), dtype=float)).max() < 0
    u = dict(zip(v.symbols, np.arange(1, len(v.symbols) + 1) / 7, strict=True))
    assert float(v.expression.subs(u)) == pytest.approx(float(v(list(u.values()))), rel=1e-12)


def test_the_game_whose_answer_is_known_by_hand():
    v = gd.lyapunov_function(gd.games.quadratic(1, 2, 1), gd.rules.GDA(0.2))  # F^T F = (4/5) I
    assert v.matrix == sympy.diag(5, 5)
    assert v.decrease == -sympy.eye(2)


@pytest.mark.parametrize(
    ("rule", "words"),
    [(gd.rules.GDA(0.2), "repelling"), (gd.rules.AlternatingGD(0.2), "marginal"), (None, "marginal")],
    ids=str,
)
def test_a_point_that_does_not_attract_has_none(rule, words):
    with pytest.raises(DomainError, match=words):
        gd.lyapunov_function(gd.games.bilinear(), rule)


@pytest.mark.parametrize("rule", [gd.rules.GDA(0.3), gd.rules.HeavyBall(0.2, 0.2), None], ids=str)
def test_v_falls_at_every_step_from_every_start_in_the_proven_region(rule):
    pytest.importorskip("flint", reason="needs the extra gandyn[proof]")
    v = gd.lyapunov_function(PENALISED, rule)
    region = v.region(within=0.7, effort=1500)
    assert region.level > 0
    assert 0 < region.radius <= 0.7
    rng = np.random.default_rng(0)
    u = rng.normal(size=(2000, len(v.symbols)))
    z = u * np.sqrt(region.level * rng.uniform(0.01, 1, 2000) / v(u))[:, None]
    if rule is None:
        slope = np.einsum("...i,ij,...j->...", z, np.array(v.matrix.tolist(), dtype=float), -PENALISED.field(z))
        assert (slope < 0).all()
        return
    moved = gd.update_map(PENALISED, rule)
    step = sympy.lambdify(moved.symbols, list(moved.expression.rewrite(sympy.exp)), "numpy")
    assert (v(np.stack(step(*z.T), axis=-1)) < v(z)).all()


def test_a_point_known_only_numerically_is_verified_on_balls():
    pytest.importorskip("flint", reason="needs the extra gandyn[proof]")
    v = gd.lyapunov_function(gd.games.forsaken())
    assert v.verified
    a = gd.linearize(gd.games.forsaken()).matrix
    p = np.array(v.matrix.tolist(), dtype=float)
    assert np.linalg.eigvalsh(a.T @ p + p @ a).max() < 0
    assert float(v([0.078026706, 0.411933987])) == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize(
    ("rule", "ranges", "needs_program"),
    [
        (None, {"gamma": (0.5, 1)}, False),
        (None, {"gamma": (0.1, 2)}, True),
        (gd.rules.GDA("lr"), {"gamma": (0.5, 1), "lr": (0.1, 0.2)}, False),
    ],
    ids=str,
)
def test_one_function_serves_a_whole_family(rule, ranges, needs_program):
    pytest.importorskip("flint", reason="needs the extra gandyn[proof]")
    if needs_program:
        pytest.importorskip("cvxpy", reason="needs the extra gandyn[proof]")
    game = gd.games.dirac_gan(penalty=gd.penalties.R1("gamma"))
    v = gd.lyapunov_function(game, rule, parameters=ranges)
    assert ("semidefinite" in v.method) == needs_program
    p = np.array(v.matrix.tolist(), dtype=float)
    rng = np.random.default_rng(0)
    for _ in range(200):
        gamma = rng.uniform(*ranges["gamma"])
        a = np.array([[0, -0.5], [0.5, -gamma]])
        if rule is None:
            assert np.linalg.eigvalsh(a.T @ p + p @ a).max() < 0
        else:
            f = np.eye(2) + rng.uniform(*ranges["lr"]) * a
            assert np.linalg.eigvalsh(f.T @ p @ f - p).max() < 0


def test_a_family_that_does_not_attract_throughout_is_refused():
    pytest.importorskip("flint", reason="needs the extra gandyn[proof]")
    game = gd.games.quadratic(1, 2, 1)
    with pytest.raises(DomainError, match="does not attract"):
        gd.lyapunov_function(game, gd.rules.GDA("lr"), parameters={"lr": (0.1, 0.5)})


def test_without_cvxpy_the_install_command_is_given(monkeypatch):
    pytest.importorskip("flint", reason="needs the extra gandyn[proof]")
    monkeypatch.setitem(sys.modules, "cvxpy", None)
    game = gd.games.dirac_gan(penalty=gd.penalties.R1("gamma"))
    with pytest.raises(MissingDependencyError, match=r"gandyn\[proof\]"):
        gd.lyapunov_function(game, parameters={"gamma": (0.1, 2)})


def test_the_result_is_plain_data():
    v = gd.lyapunov_function(PENALISED)
    data = json.loads(json.dumps(v.to_dict()))
    assert data["matrix"] == [["3", "-1"], ["-1", "1"]]
    assert "V = " in v.summary()


def test_a_game_without_symbols_has_coordinates_of_its_own():
    """V as a formula in w0, w1, ... has the values of V as a function."""
    found = gd.lyapunov_function(gd.games.registry["robust_regression"].build(), None)
    assert [str(s) for s in found.symbols[:2]] == ["w0", "w1"]
    w = np.linspace(0.1, 0.9, len(found.symbols))
    assert float(found.expression.subs(dict(zip(found.symbols, w, strict=True)))) == pytest.approx(float(found(w)))
