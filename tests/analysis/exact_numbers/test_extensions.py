"""Characteristic polynomials over square roots and powers of e, against determinants in decimals."""

import mpmath
import numpy as np
import pytest
import sympy

import gandyn as gd
from gandyn.analysis.exact_numbers.extensions import over_extension
from gandyn.analysis.exact_numbers.polynomials import factors, parts, place, semisimple
from gandyn.symbolic.coefficients import Decimal, FinerError, NoExpansionError
from gandyn.symbolic.quotients import Quotients
from gandyn.symbolic.square_roots import SquareRoots

E, ROOT = sympy.E, sympy.sqrt(10)
THIRTY = mpmath.mpf(10) ** -30


def agree(split, matrix):
    """Whether the product of monic factors is det(z - M) at four points, to 30 digits of fifty."""
    with mpmath.workdps(60):
        table = mpmath.matrix([[mpmath.mpmathify(sympy.N(e, 60)) for e in row] for row in matrix.tolist()])
        for z in (sympy.Rational(3, 7), sympy.Rational(-11, 5), sympy.Rational(19, 10), sympy.Integer(0)):
            value = mpmath.fprod(mpmath.mpmathify(sympy.N(f.eval(z) / f.LC(), 60)) ** m for f, m in split)
            direct = mpmath.det(mpmath.mpmathify(sympy.N(z, 60)) * mpmath.eye(matrix.rows) - table)
            if abs(value - direct) > THIRTY * max(abs(direct), THIRTY):
                return False
    return True


@pytest.mark.parametrize("rule", [gd.rules.Adam(0.1), gd.rules.ExtraAdam(0.1)], ids=lambda r: r.name)
def test_adam_off_the_equilibrium_of_a_matrix_game_is_exact_over_its_square_roots(rule):
    """Its steps divide by |v|, one root for each field that they ask for; long decimals are the second route."""
    lin = gd.linearize(gd.games.matrix_game([[3, -1], [-2, 1]]), rule)
    matrix, split = lin.exact.matrix, lin.exact.parts
    assert any(e.has(sympy.sqrt(10)) for e in matrix)
    for k, row in enumerate(lin.local.series(1, Decimal)):
        for j in range(matrix.cols):
            assert abs(sympy.N(matrix[k, j], 50) - sympy.Float(row.get((j,), 0), 50)) < sympy.Float(10) ** -30
    assert agree(split, matrix)
    assert "exact characteristic polynomial" in lin.reason
    assert sum(f.degree() * m for f, m in split if m == 2) == 4  # unread memory of each player: beta twice


@pytest.mark.parametrize("flow", [True, False])
@pytest.mark.parametrize("number", [E, ROOT, 1 / (1 + ROOT)])
def test_rational_eigenvalues_beside_irrational_ones_of_another_multiplicity_are_placed_exactly(number, flow):
    """z (z + 3) is one square-free factor; taken for irreducible, its root on the boundary counted as unstable."""
    moved = 0 if flow else 1
    matrix = sympy.diag(moved, moved - 3, -number, -number)
    for split in (parts(matrix, lambda: factors(matrix)), factors(matrix)):
        placement = place(split, flow)
        inside = 3 if flow else (2 if number < 1 else 0)
        assert (placement.inside, placement.boundary, placement.outside) == (inside, 1, 3 - inside)
        assert placement.certain
        assert agree(split, matrix)


@pytest.mark.parametrize("irreducible", [True, False])
def test_matrices_with_two_independent_roots_have_the_factors_of_their_determinant(irreducible):
    a, b = sympy.sqrt(2), sympy.sqrt(sympy.Rational(3, 5))
    block = sympy.Matrix([[a, 1 / (1 + b), 0], [1, b, a * b], [sympy.Rational(1, 3), 0, 2]])
    matrix = sympy.diag(block, block, sympy.Rational(1, 2))
    split = over_extension(matrix, irreducible)
    assert agree(split, matrix)
    assert sorted((f.degree(), m) for f, m in split) == [(1, 1), (3, 2)]


def test_square_roots_are_read_in_every_spelling_and_others_are_refused():
    numbers = SquareRoots(10, 6)
    for e in (ROOT, 1 / ROOT, sympy.sqrt(15), sympy.sqrt(sympy.Rational(5, 3)) ** 3, (1 + ROOT) ** -2 + sympy.sqrt(24)):
        assert abs(sympy.N(numbers.symbolic(numbers.number(e)) - e, 40)) < 1e-35
    assert numbers.number((1 + ROOT) * (1 - ROOT)) == numbers.number(sympy.Integer(-9))
    with pytest.raises(FinerError) as found:
        numbers.number(sympy.sqrt(7))
    assert found.value.numbers.radicands == (10, 6, 7)
    for e in (sympy.pi, sympy.Rational(2) ** sympy.Rational(1, 3), E, sympy.I):
        with pytest.raises(NoExpansionError, match="square roots"):
            numbers.number(e)
    with pytest.raises(NoExpansionError, match="beside 3 other"):
        found.value.numbers.number(sympy.sqrt(11))


def test_quotients_of_integer_polynomials_are_a_field_in_lowest_terms():
    field = Quotients()
    t, two = field.t, field(sympy.QQ(2))
    for e, value in ((t / (t + two) - two / t, 3 / sympy.S(5) - 2 / sympy.S(3)), (((t - two) / t) ** -2, sympy.S(9))):
        numer, denom = (sum(int(c) * 3**k for k, c in enumerate(side.coeffs())) for side in (e.numer, e.denom))
        assert sympy.Rational(numer, denom) == value  # at t = 3
    assert (t * t - two * two) / (two - t) == -t - two
    assert hash((t * t) / t) == hash(t)
    assert not t - t
    assert ((t * t - t) / (two * t)).denom.degree() == 0
    with pytest.raises(ZeroDivisionError):
        t / field.zero


@pytest.mark.parametrize("coupled", [0, 1])
def test_jordan_blocks_over_a_power_of_e_are_seen(coupled):
    matrix = sympy.Matrix([[1 / E, coupled, 0], [0, 1 / E, 0], [0, sympy.exp(-2) / 3, 2]])
    split = parts(matrix, lambda: factors(matrix))
    double = next(f for f, m in split if m == 2)
    assert semisimple(matrix, split, double) is (coupled == 0)


def test_an_implicit_step_over_powers_of_e_is_solved_for_as_in_decimals():
    game, rule = gd.games.mixture_game(), gd.rules.ProximalPoint(0.1)
    found = gd.linearize(game, rule).exact.matrix
    jacobian = sympy.Matrix(game.jacobian(np.array(game.equilibria[0]))).evalf(50)
    error = found.evalf(50) * (sympy.eye(8) + jacobian / 10) - sympy.eye(8)
    assert max(map(abs, error)) < 1e-30
