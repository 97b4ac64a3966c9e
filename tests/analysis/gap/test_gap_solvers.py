"""Gaps by inner solvers and closed forms: any weight of the penalty, any step, any units; failures are labelled."""

import numpy as np
import pytest
import sympy as sp

import gandyn as gd

X, Y = sp.symbols("x y", real=True)
SADDLE = gd.games.from_sympy(3 * X**2 - Y**2 + 4 * X * Y, [X, Y])


def by_hand(f, w, lam):
    """The proximal gap of a quadratic game by SymPy, exactly."""
    x0, y0 = map(sp.Rational, map(str, w))
    held = f - lam * (Y - y0) ** 2
    held = held.subs(Y, sp.solve(sp.diff(held, Y), Y)[0])
    low = held.subs(X, sp.solve(sp.diff(held, X), X)[0])
    top = f.subs(X, x0).subs(Y, sp.solve(sp.diff(f.subs(X, x0), Y), Y)[0])
    return float(sp.simplify(top - low))


@pytest.mark.slow
@pytest.mark.parametrize("lam", [1, 100, 10**6])
@pytest.mark.parametrize("lr", [0.05, 5e-7])
def test_the_proximal_gap_is_right_at_any_weight_and_any_inner_step(lam, lr):
    w = [0.5, -0.7]
    truth = by_hand(3 * X**2 - Y**2 + 4 * X * Y, w, lam)
    found = gd.duality_gap(SADDLE, w, "proximal", lam=lam, inner_lr=lr)
    assert float(found) == pytest.approx(truth, rel=1e-8)
    assert "not converged" not in found.note
    assert np.max(found.residuals) < 1e-6
    if lam == 10**6:
        assert float(found) == pytest.approx(float(gd.duality_gap(SADDLE, w)), rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("unit", [1e-12, 1e12])
def test_the_proximal_gap_in_other_units(unit):
    scaled = gd.games.from_sympy(sp.Rational(unit) * (3 * X**2 - Y**2 + 4 * X * Y), [X, Y])
    found = gd.duality_gap(scaled, [0.5, -0.7], "proximal", lam=2 * unit, inner_lr=0.05 / unit)
    assert float(found) / unit == pytest.approx(by_hand(3 * X**2 - Y**2 + 4 * X * Y, [0.5, -0.7], 2), rel=1e-6)


def test_a_non_quadratic_proximal_gap_tends_to_the_certified_one():
    game = gd.games.forsaken()
    box = gd.duality_gap(game, [1.0, 1.0], "box", radius=3).interval
    found = gd.duality_gap(game, [1.0, 1.0], "proximal", lam=1e6)
    assert box[0] - 1e-5 <= float(found) <= box[1]


def test_a_solver_that_has_not_converged_says_so():
    """Where the free answer runs off to infinity, and where steps on networks are too few."""
    found = gd.duality_gap(gd.games.bilinear(), [1.0, 2.0], "proximal", lam=1.0)
    assert found.kind == "estimate"
    assert "not converged" in found.note
    few = gd.duality_gap(gd.games.quadratic(1, 1, 1), [[1.0, 2.0]], "proximal", lam=1.0)
    assert few.value.shape == (1,)
    import torch

    slow = gd.games.from_torch(lambda x, y: (x**2 + x * y - y**2).sum(), {"x": 1, "y": 1})
    found = gd.duality_gap(slow, torch.tensor([1.0, 2.0], dtype=torch.float64), "proximal", lam=1e6, k=3, inner_lr=1e-3)
    assert "not converged" in found.note
    assert np.isfinite(float(found.value))


def test_inner_steps_that_overflow_prove_nothing():
    with np.errstate(all="ignore"):
        found = gd.duality_gap(SADDLE, [3.0, 3.0], "gradient", k=2000, inner_lr=5.0)
    assert found.kind == "estimate"
    assert "diverged" in found.note


def test_exact_gaps_know_no_units_of_coordinates():
    """x1^2 / 2 + 1e-13 x2^2 / 2 from (0, 1e7): x2 gains 5, and is not flat."""
    a, b = sp.symbols("a b", real=True)
    small = sp.Rational(1, 10**13)
    game = gd.games.from_sympy([a**2 / 2 + small * b**2 / 2, Y**2 / 2], {"one": [a, b], "two": [Y]})
    found = gd.duality_gap(game, [0.0, 1e7, 0.0])
    assert (found.kind, float(found)) == ("exact", pytest.approx(5.0, rel=1e-12))
    at = gd.duality_gap(game, [0.0, 1.0, 0.0])
    assert float(at) == pytest.approx(5e-14, rel=1e-12)
    flat = gd.games.from_sympy([a**2 / 2 + b * Y, Y**2 / 2], {"one": [a, b], "two": [Y]})
    assert float(gd.duality_gap(flat, [1.0, 0.0, 1e-14])) == np.inf
    coupled = gd.games.from_sympy([10**20 * a**2 / 2 + a * b, Y**2 / 2], {"one": [a, b], "two": [Y]})
    assert float(gd.duality_gap(coupled, [1.0, 1.0, 0.0])) == np.inf


@pytest.mark.parametrize("seed", range(6))
def test_exact_gaps_of_stretched_coordinates_are_those_of_plain_ones(seed):
    rng = np.random.default_rng(seed)
    m = rng.normal(size=(3, 3))
    h, c, w = m @ m.T, rng.normal(size=(3, 2)), rng.normal(size=5)
    stretch = 10.0 ** rng.uniform(-6, 6, 3)
    plain = gd.games.general_quadratic([[h, c], [-c.T, np.eye(2)]])
    other = gd.games.general_quadratic(
        [[h * np.outer(stretch, stretch), c * stretch[:, None]], [-(c * stretch[:, None]).T, np.eye(2)]]
    )
    moved = np.concatenate([w[:3] / stretch, w[3:]])
    expected = 0.5 * (h @ w[:3] + c @ w[3:]) @ np.linalg.solve(h, h @ w[:3] + c @ w[3:])
    assert float(gd.duality_gap(plain, w).terms[0]) == pytest.approx(expected, rel=1e-9)
    assert float(gd.duality_gap(other, moved).terms[0]) == pytest.approx(expected, rel=1e-7)
