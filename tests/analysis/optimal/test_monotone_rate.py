"""gd.rate over strongly monotone fields: tight cases, a checker of each proof, and random members of the class."""

import math
from fractions import Fraction

import numpy as np
import pytest
import sympy

import gandyn as gd
from gandyn.analysis.optimal.quadratic_rate import QuadraticRate, _Programme, window

R, C = gd.rules, gd.classes


def test_gradient_steps_over_monotone_fields_are_tight():
    found = gd.rate(R.GDA(0.1), C.StronglyMonotone(0.5, 2))
    assert found.measure == "contraction of the distance"
    assert found.value == pytest.approx(math.sqrt(1 - 0.1 + 0.04), abs=1e-9)
    assert found.kind == "exact"


def test_extragradient_over_monotone_fields_has_a_gap_to_linear_ones():
    found = gd.rate(R.Extragradient(0.4), C.StronglyMonotone(0.1, 1))
    assert found.value == pytest.approx(0.9625, abs=1e-8)
    assert found.lower == pytest.approx(0.9616, abs=1e-8)
    assert found.kind == "upper"


def test_proximal_steps_over_monotone_fields():
    found = gd.rate(R.ProximalPoint(0.5), C.StronglyMonotone(0.1, 1))
    assert found.value == pytest.approx(1 / 1.05, abs=1e-9)


def positive(matrix) -> bool:
    """Positive semidefinite, by the signs of the characteristic polynomial: they alternate."""
    size = len(matrix)
    coefficients = sympy.Matrix(size, size, lambda i, j: sympy.Rational(matrix[i][j])).charpoly().all_coeffs()
    return all((-1) ** k * c >= 0 for k, c in enumerate(coefficients))


def monotone_checked(proof, rule, kappa) -> bool:
    """Both inequalities again, from the window's points as vectors of SymPy numbers."""
    data = proof.to_dict()
    window = data["window"]
    size = len(window.points[0])
    unit = [sympy.Matrix([int(k == i) for k in range(size)]) for i in range(size)]
    x = [sympy.Matrix(list(map(sympy.Rational, row))) for row in window.points]
    v = [sympy.zeros(size, 1) if k is None else unit[k] for k in window.values]

    def outer(a, b):
        return (a * b.T + b * a.T) / 2

    def rest(matrix, multipliers):
        for i, j, kind, c in multipliers:
            dx, dv = x[i] - x[j], v[i] - v[j]
            form = outer(dx, dv) - kappa * outer(dx, dx) if kind == "monotone" else outer(dx, dx) - outer(dv, dv)
            assert c >= 0
            matrix -= sympy.Rational(c) * form
        return matrix

    lifts = [sympy.Matrix([list(map(sympy.Rational, row)) for row in lift]) for lift in window.lifts]
    p = sympy.Matrix([[sympy.Rational(c) for c in row] for row in data["form"]])
    now, after = (lift.T * p * lift for lift in lifts)
    rate = sympy.Rational(data["rate"])
    assert all(i < window.first for i, *_ in data["bounding"])
    first, second = (
        rest(now - outer(unit[0], unit[0]), data["bounding"]),
        rest(rate**2 * now - after, data["decreasing"]),
    )
    return all(positive(m.tolist()) for m in (first, second))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rule", "mu", "lipschitz"),
    [
        (R.OptimisticGD(0.3), 0.1, 1),
        (R.PastExtragradient(0.3), 0.1, 1),
        (R.HeavyBall(0.1, -0.1), 0.1, 1),
        (R.HeavyBall(0.02, 0.3), 1, 3),
        (R.OptimisticGD(0.03), 1, 10),
    ],
    ids=str,
)
def test_rules_with_memory_over_monotone_fields(rule, mu, lipschitz):
    """The proof is repeated by other arithmetic, and nonlinear members of the class obey it."""
    pytest.importorskip("cvxpy", reason="needs the extra gandyn[proof]")
    found = gd.rate(rule, C.StronglyMonotone(mu, lipschitz))
    proof = found.certificate
    assert found.measure == "quadratic Lyapunov function"
    assert found.lower <= found.value < found.lower + 1e-3 < 1
    assert proof.holds()
    assert monotone_checked(proof, rule, sympy.nsimplify(mu) / sympy.nsimplify(lipschitz))


def test_a_form_that_shrinks_is_found_without_a_warning_of_the_solver():
    """A rate of 1 is feasible; 0.9 is not: the linear field v(w) = 0.1 w shrinks by 0.991 only."""
    pytest.importorskip("cvxpy", reason="needs the extra gandyn[proof]")
    programme = _Programme(window(R.HeavyBall(0.1, -0.1), C.StronglyMonotone(0.1, 1)))
    assert programme.margin(1.0) > 0
    assert programme.margin(0.9) <= 0


@pytest.mark.slow
def test_memory_over_monotone_fields():
    pytest.importorskip("cvxpy", reason="needs the extra gandyn[proof]")
    found = gd.rate(R.HeavyBall(0.1, -0.1), C.StronglyMonotone(0.1, 1))
    assert found.certificate.holds()
    assert 0 <= found.value - found.lower < 1e-6


@pytest.mark.slow
def test_nonlinear_members_of_the_class_contract_as_proven():
    """v(w) = mu w + (L - mu) (R w + tanh-like monotone part): distances over 40 steps from a memory at rest."""
    pytest.importorskip("cvxpy", reason="needs the extra gandyn[proof]")
    rule = R.OptimisticGD(0.3)
    found = gd.rate(rule, C.StronglyMonotone(0.1, 1))
    x, y = sympy.symbols("x y", real=True)
    soft = sympy.sqrt(1 + x**2) * sympy.Rational(1, 5)
    game = gd.games.from_sympy(x**2 / 20 + soft + x * y * sympy.Rational(7, 10) - y**2 / 20, {"x": [x], "y": [y]})
    run = gd.iterate(game, rule, np.random.default_rng(0).normal(size=(50, 2)), 200).w
    size = np.linalg.norm(run, axis=-1)
    assert (size[200] <= size[100] * found.value**100 * 3).all()


@pytest.mark.slow
def test_no_random_monotone_operator_is_worse():
    """10 000 linear operators in three dimensions, not normal, inside the class: one step never does worse."""
    rng = np.random.default_rng(0)
    a = rng.normal(size=(10_000, 3, 3))
    skew = a - a.swapaxes(1, 2)
    v = (
        0.1 * np.eye(3)
        + rng.uniform(0, 1, (10_000, 1, 1)) * skew
        + 0.3 * a @ a.swapaxes(1, 2) * rng.uniform(0, 1, (10_000, 1, 1))
    )
    v = np.concatenate([v, 0.1 * np.eye(3) + skew])
    size = np.linalg.norm(v, 2, axis=(1, 2))
    v = v[size <= 8] / np.maximum(size[size <= 8], 1)[:, None, None] * 1.0
    monotone = np.linalg.eigvalsh((v + v.swapaxes(1, 2)) / 2).min(-1)
    for rule in (R.GDA(0.3), R.Extragradient(0.4)):
        eye = np.eye(3)
        step = eye - 0.3 * v if rule.name == "SimultaneousGD" else eye - 0.4 * v @ (eye - 0.4 * v)
        for mu in (0.0, 0.05):
            worst = np.linalg.norm(step[monotone >= mu], 2, axis=(1, 2)).max()
            assert worst <= gd.rate(rule, C.StronglyMonotone(mu, 1)).value + 1e-12


def test_the_matrices_of_a_proof_are_those_of_its_two_inequalities():
    """x^T M x is V - |w|^2 and rho^2 V - V+ less the multiples, on any vector: for a form and multipliers at random."""
    rng = np.random.default_rng(0)
    steps = window(R.OptimisticGD(0.1), C.StronglyMonotone(0.1, 1))
    n, size = len(steps.lifts[0]), steps.size
    half = rng.integers(-3, 4, (n, n))
    form = [[Fraction(int(x)) for x in row] for row in half + half.T]
    key, other = steps.pairs[0], steps.pairs[-1]
    proof = QuadraticRate(steps, form, {key: Fraction(2)}, {other: Fraction(3)}, Fraction(9, 10))
    first, second = (np.array(m, dtype=float) for m in proof.residuals())
    p = np.array(form, dtype=float)
    now, after = (np.array(rows, dtype=float) for rows in steps.lifts)
    for x in rng.standard_normal((5, size)):
        value, later = (rows @ x @ p @ (rows @ x) for rows in (now, after))
        spare, slack = (x @ np.array(steps.inequality(*k), dtype=float) @ x for k in (key, other))
        assert x @ first @ x == pytest.approx(value - x[0] ** 2 - 2 * spare, rel=1e-9)
        assert x @ second @ x == pytest.approx(0.81 * value - later - 3 * slack, rel=1e-9)
