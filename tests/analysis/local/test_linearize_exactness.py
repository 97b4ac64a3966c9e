"""Exact spectra: Jordan blocks, roots a hair from the boundary, eigenvectors and series, as identities."""

from fractions import Fraction

import numpy as np
import pytest
import sympy
from linearize_cases import BILINEAR, HALF

import gandyn as gd
from gandyn.analysis.exact_numbers.polynomials import factors, place, semisimple
from gandyn.analysis.exact_numbers.radicals import largest_modulus
from gandyn.analysis.exact_numbers.roots import Z
from gandyn.analysis.local.exact_linearization import ExactLinearization
from gandyn.analysis.local.linearize import Verdict
from gandyn.errors import DomainError
from gandyn.symbolic.coefficients import Rational
from gandyn.symbolic.taylor import expand


def test_jordan_blocks_on_the_boundary_are_found_exactly():
    rotation = sympy.Matrix(
        [[sympy.Rational(3, 5), -sympy.Rational(4, 5)], [sympy.Rational(4, 5), sympy.Rational(3, 5)]]
    )
    whole = sympy.diag(rotation, rotation)
    defective = whole.copy()
    defective[0:2, 2:4] = sympy.eye(2)
    for matrix, full in ((whole, True), (defective, False)):
        found = factors(matrix)
        placement = place(found, flow=False)
        assert (placement.inside, placement.boundary, placement.outside) == (0, 4, 0)
        assert placement.certain
        assert semisimple(matrix, found, found[0][0]) is full


@pytest.mark.parametrize("distance", [sympy.Rational(1, 10**30), -sympy.Rational(1, 10**30), sympy.Integer(0)])
def test_roots_a_hair_from_the_boundary_are_placed_exactly(distance):
    p = sympy.Poly(sympy.expand(Z**2 - sympy.Rational(6, 5) * Z + 1 + distance), Z)
    companion = sympy.Matrix([[0, -p.all_coeffs()[2]], [1, -p.all_coeffs()[1]]])
    placement = place(factors(companion), flow=False)
    assert (placement.inside, placement.boundary, placement.outside) == {
        1: (0, 0, 2), -1: (2, 0, 0), 0: (0, 2, 0)
    }[int(sympy.sign(distance))]  # fmt: skip
    flow = sympy.Matrix([[distance, -1], [1, distance]])
    left = place(factors(flow), flow=True)
    assert (left.inside, left.boundary, left.outside) == (placement.inside, placement.boundary, placement.outside)


def test_largest_modulus_of_a_complex_pair_in_a_quartic():
    a, b = sympy.Rational(1, 3), sympy.Rational(1, 7)
    matrix = sympy.diag(sympy.Matrix([[a, -b], [b, a]]), sympy.Matrix([[0, 2], [-1, 1]]))
    assert largest_modulus(factors(matrix)) == sympy.sqrt(2)


@pytest.mark.parametrize("step", [2 - Fraction(1, 10**14), 2, 2 + Fraction(1, 10**14)])
def test_alternating_steps_around_two_are_placed_exactly_and_their_clustered_eigenvalues_keep_their_digits(step):
    lin = gd.linearize(BILINEAR, gd.rules.AlternatingGD(sympy.Rational(step.numerator, step.denominator)))
    expected = {-1: Verdict.MARGINAL, 0: Verdict.DEFECTIVE, 1: Verdict.SADDLE}
    assert lin.verdict is expected[(step > 2) - (step < 2)]
    trace = 2 - Fraction(step) ** 2  # z^2 - trace z + 1 = 0: the roots differ by sqrt(trace^2 - 4)
    square = float(trace**2 - 4)
    gap = complex(square) ** 0.5
    assert abs(abs(lin.eigenvalues[0] - lin.eigenvalues[1]) - abs(gap)) <= 1e-13 * abs(gap) + 2e-16


def test_the_best_optimistic_step_is_defective_and_says_so():
    lin = gd.linearize(BILINEAR, gd.rules.OptimisticGD(0.5))
    assert lin.verdict is Verdict.ATTRACTING
    assert "defective" in lin.reason
    ((factor, times),) = lin.exact.defects
    assert (sympy.expand(factor.as_expr() / 2 - Z**2 + Z), times) == (HALF, 2)
    np.testing.assert_array_equal(np.unique(np.round(lin.eigenvalues, 15)), [0.5 - 0.5j, 0.5 + 0.5j])
    beside = gd.linearize(BILINEAR, gd.rules.OptimisticGD(0.5 + 1e-9))
    assert beside.exact.defects == ()
    norms = [np.linalg.norm(np.linalg.matrix_power(lin.matrix, t), 2) / lin.spectral_radius**t for t in (50, 100)]
    assert norms[1] / norms[0] == pytest.approx(2, rel=0.05)  # the factor t is there


@pytest.mark.parametrize(
    ("game", "rule"),
    [
        (BILINEAR, gd.rules.OptimisticGD(0.2)),
        (BILINEAR, gd.rules.GDA("lr")),
        (BILINEAR, gd.rules.OptimisticGD(0.5)),
        (gd.games.bilinear(((1, 2), (3, -1))), None),
        (gd.games.dirac_gan(penalty=gd.penalties.R1("gamma")), None),
    ],
    ids=str,
)
def test_exact_eigenvectors_are_eigenvectors_identically(game, rule):
    lin = gd.linearize(game, rule)
    found = lin.exact.eigenvectors
    assert sum(len(basis) for _, basis in found) <= lin.exact.matrix.rows
    assert {value for value, _ in found} == set(lin.exact.eigenvalues)
    for value, basis in found:
        assert basis
        for vector in basis:
            assert (lin.exact.matrix * vector - value * vector).applyfunc(sympy.simplify).is_zero_matrix


def test_power_series_and_symbolic_derivatives_agree_on_a_rule_with_memory_and_counters():
    rules = (gd.rules.OptimisticGD((0.1, 0.3)), gd.rules.Anchored(0.1), gd.rules.Lookahead(gd.rules.GDA(0.2), 3, 0.5))
    for rule in rules:
        game = gd.games.dirac_gan(loss="nonsaturating", penalty="R1(0.3)")
        lin = gd.linearize(game, rule)
        assert lin.local.series(1, Rational)
        _, slow = gd.update_map(game, rule).jacobian_at(list(lin.local.point))
        assert (lin.exact.matrix - slow).applyfunc(sympy.simplify).is_zero_matrix


def test_taylor_series_are_those_of_sympy():
    x, y = sympy.symbols("x y", real=True)
    e = sympy.exp(x * y) / (1 + x) + sympy.sqrt(1 + y) / (x + 2) ** 3 + abs(x - 3) * y**3
    (series,) = expand([x, y], [sympy.Integer(0)] * 2, [e], 4)
    t = sympy.Symbol("t", positive=True)
    known = sympy.series(e.subs(abs(x - 3), 3 - x).subs({x: t * x, y: t * y}), t, 0, 5).removeO().subs(t, 1)
    ours = sum(sympy.Rational(str(c)) * sympy.Mul(*([x, y][k] for k in m)) for m, c in series.items())
    assert sympy.expand(known - ours) == 0
    for kinked in (abs(x), sympy.Max(x, y), 1 / x, sympy.sqrt(x)):
        with pytest.raises(gd.GandynError):
            expand([x, y], [sympy.Integer(0)] * 2, [kinked], 2)


def test_fractions_are_exact_wherever_numbers_are_taken():
    third, x, y = Fraction(1, 3), *sympy.symbols("x y", real=True)
    game = gd.games.from_sympy([x**2 / 2 - x / 3, y**2 / 2], [x, y])
    found = gd.linearize(game, gd.rules.GDA((third, 2 * third)), at=(third, 0))
    assert found.exact.eigenvalues == (sympy.Rational(2, 3), sympy.Rational(1, 3))
    assert found.residual == 0
    assert gd.games.quadratic(third, 1, 1).exprs[0].coeff(gd.games.quadratic(third, 1, 1).symbols[0], 2) == third / 2


def test_eigenvalues_without_radicals_are_roots_of_rational_polynomials_only():
    z = sympy.Symbol("z")
    rational = ExactLinearization(sympy.Matrix.companion(sympy.Poly(z**5 - z - 1, z)), True, ())
    assert [e.func for e in rational.eigenvalues] == [sympy.CRootOf] * 5
    irrational = ExactLinearization(sympy.Matrix.companion(sympy.Poly(z**5 - sympy.sqrt(2) * z - 1, z)), True, ())
    with pytest.raises(DomainError, match="irrational"):
        irrational.eigenvalues  # noqa: B018


X, Y = sympy.symbols("x y", real=True)


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize(
    ("cost", "at"),
    [(X**40 / 40, (1e9, 0)), (sympy.exp(X) + X**2, (800, 0)), (10**320 * X**2, (1.0, 0)), (10**320 * X**2, (0, 0))],
)
@pytest.mark.parametrize("rule", [None, gd.rules.GDA(0.1)], ids=["flow", "map"])
def test_what_no_machine_number_holds_is_refused_in_one_line(cost, at, rule):
    """Infinity is within infinity of zero: such a point is no equilibrium, and its eigenvalues are not asked for."""
    game = gd.games.from_sympy([cost, Y**2 / 2], [X, Y])
    with pytest.raises(gd.errors.ParameterError, match="beyond 1e308"):
        gd.linearize(game, rule, at=at)


def test_a_field_beyond_machine_numbers_is_no_zero():
    game = gd.games.from_sympy([10**200 * X**2 / 2 + 10**309 * X, Y**2 / 2], [X, Y])
    assert not gd.linearize(game, at=(1.0, 0)).equilibrium
    assert not gd.linearize(game, gd.rules.GDA(0.1), at=(1.0, 0)).equilibrium
