"""A rule on the linear field v = z w: the matrix of its augmented map, a function of z = x + iy and of parameters."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from ...errors import DomainError
from ...games.quadratic import general_quadratic, quadratic
from ...lazy import sympy
from ...types import Array, Rule
from ...worlds import object_vector
from ..local.linearize import linearize

if TYPE_CHECKING:
    from sympy.polys.rings import PolyElement

HOLOMORPHIC, NORMAL, PLAYERS = "holomorphic", "normal", "players"
PROBE = (Fraction(7, 10), Fraction(3, 10))  # a game with real eigenvalues of which the players hold one half each
Powers = dict[tuple[int, ...], Fraction]
ONE = Fraction(1)


@dataclasses.dataclass(frozen=True)
class Companion:
    """The linear part of a rule on the zero-sum game with Jacobian ((x, y), (-y, x)), with eigenvalues x +- iy."""

    rule: Rule  # free parameters are symbols
    # "holomorphic": the map is one matrix function A(z) of z alone; "normal": of z and its conjugate, because the rule
    # uses transposed products; "players": it depends on which coordinates each player holds, so that for games that are
    # not zero-sum the eigenvalues alone do not decide
    kind: str
    matrix: sympy.Matrix  # A(z) in the symbol x (standing for z) if holomorphic, otherwise the real matrix in x and y
    # x, y: the symbols of the eigenvalues x +- iy
    x: sympy.Symbol
    y: sympy.Symbol
    parameters: tuple[sympy.Symbol, ...]  # the free parameters of the rule
    timed: bool = False  # whether the rule counts its steps; the matrix is then the limit after many steps

    @property
    def size(self) -> int:
        """The number of rows of the matrix, which is square."""
        return int(self.matrix.rows)

    @functools.cached_property
    def _compiled(self) -> Callable[..., list[Array]]:
        arguments = (self.x, self.y, *self.parameters)
        return sympy.lambdify(arguments, list(self.matrix), "numpy", cse=True)  # type: ignore[no-any-return]

    def matrices(self, z: Array, values: Sequence[Array] = ()) -> Array:
        """The matrices A(z), shape (..., n, n), at complex z (...); `values` of the parameters broadcast against z."""
        z = np.asarray(z, dtype=complex)
        arguments = (z, 0.0 * z) if self.kind == HOLOMORPHIC else (z.real, z.imag)
        with np.errstate(all="ignore"):
            entries = np.broadcast_arrays(*self._compiled(*arguments, *values), z)[:-1]
        return np.stack(entries, -1).reshape(*entries[0].shape, self.size, self.size)

    def radius(self, z: Array, values: Sequence[Array] = ()) -> Array:
        """The spectral radius of A(z), shape (...), at complex z (...); infinite where the map is not defined."""
        a = self.matrices(z, values)
        good = np.isfinite(a).all((-1, -2))
        if self.size == 1:
            return np.where(good, np.abs(a[..., 0, 0]), np.inf)
        found = np.abs(np.linalg.eigvals(np.where(good[..., None, None], a, 0))).max(-1)
        return np.where(good, found, np.inf)

    @functools.cached_property
    def polynomial(self) -> tuple[tuple[Powers, ...], sympy.Expr]:
        """Coefficients of the characteristic polynomial, lowest power of its variable first, without denominators.

        Each maps powers of (x, y, *parameters) to a fraction. The second entry is the common denominator of the matrix,
        which is taken out of them, as an expression.
        """
        ring = sympy.QQ.poly_ring(self.x, self.y, *self.parameters)
        field = ring.get_field()
        entries = [field.from_sympy(e) for e in self.matrix]
        rows = [entries[k : k + self.size] for k in range(0, len(entries), self.size)]
        monic = sympy.polys.matrices.DomainMatrix(rows, (self.size, self.size), field).charpoly()
        common = ring.one
        for c in monic:
            common = ring.lcm(common, c.denom)
        cleared = [c.numer * ring.exquo(common, c.denom) for c in reversed(monic)]
        return tuple(map(_powers, cleared)), ring.to_sympy(common)

    def at(
        self, z: tuple[Fraction, Fraction, Fraction], real: bool, values: Sequence[Fraction] = (), unit: Fraction = ONE
    ) -> list[Fraction]:
        """A real polynomial with the eigenvalues at (x + iy)/n as its roots, lowest power first, times a power of n.

        Where the map is holomorphic, the roots are those of A(z) and their conjugates; those of A(z) alone on a `real`
        curve. Along a curve the coefficients are polynomials in what x, y and n are polynomials of. A single parameter
        is its value divided by `unit`, a power of which is multiplied in as that of n is.
        """
        coefficients, _ = self.polynomial
        if len(self.parameters) == 1:
            top = max(power[2] for c in coefficients for power in c)
            coefficients = tuple(_with_value(c, values[0], unit, top) for c in coefficients)
        x, y, n = z
        if self.kind != HOLOMORPHIC or real:
            return [_evaluated(c, (x, y), n, self.degree) for c in coefficients]
        powers = _complex_powers(x, y, n, self.degree)
        pairs = [_at_complex(c, powers) for c in coefficients]
        size = len(pairs)
        result = [Fraction(0)] * (2 * size - 1)
        for i, (a, b) in enumerate(pairs):
            for j, (c, d) in enumerate(pairs):
                result[i + j] += a * c + b * d
        return result

    @functools.cached_property
    def degree(self) -> int:
        """The total degree of the coefficients in x and y."""
        return max(sum(power[:2]) for c in self.polynomial[0] for power in c)


def _powers(element: PolyElement) -> Powers:
    return {tuple(map(int, power)): Fraction(int(c.numerator), int(c.denominator)) for power, c in element.terms()}


def _with_value(c: Powers, value: Fraction, unit: Fraction, top: int) -> Powers:
    """A coefficient with the parameter (its third power) set to value / unit, times unit^top: without denominators."""
    found: Powers = {}
    for power, factor in c.items():
        found[power[:2]] = found.get(power[:2], Fraction(0)) + factor * value ** power[2] * unit ** (top - power[2])
    return found


def _evaluated(c: Powers, z: tuple[Fraction, Fraction], n: Fraction, degree: int) -> Fraction:
    return sum((f * z[0] ** i * z[1] ** j * n ** (degree - i - j) for (i, j, *_), f in c.items()), Fraction(0))


def _complex_powers(x: Fraction, y: Fraction, n: Fraction, degree: int) -> list[tuple[Fraction, Fraction]]:
    """(x + iy)^k n^(degree - k) for each k."""
    powers = [(Fraction(1), Fraction(0))]
    for _ in range(degree):
        a, b = powers[-1]
        powers.append((a * x - b * y, a * y + b * x))
    return [(a * n ** (degree - k), b * n ** (degree - k)) for k, (a, b) in enumerate(powers)]


def _at_complex(c: Powers, powers: Sequence[tuple[Fraction, Fraction]]) -> tuple[Fraction, Fraction]:
    real = imaginary = Fraction(0)
    for power, factor in c.items():
        real, imaginary = real + factor * powers[power[0]][0], imaginary + factor * powers[power[0]][1]
    return real, imaginary


def companion(rule: Rule, what: str) -> Companion:
    """The `Companion` of a rule, traced on the linear field with eigenvalues x +- iy.

    The rule's parameters are numbers or free symbols; errors say `what` was asked for. Raises DomainError for rules
    that are not differentiable at the equilibrium, or whose map is not exact.
    """
    x, y = sympy.Symbol("_x", real=True), sympy.Symbol("_y", real=True)
    game = quadratic(x, y, x)  # zero-sum: rules may look at how one player's cost depends on the other
    rule.check(game)
    found = linearize(game, rule, [0, 0])
    if found.exact is None:
        raise DomainError(f"{what} of {rule!r}: {found.reason}", "a rule with a linear part on v(w) = z w", "GDA(0.1)")
    matrix = found.exact.matrix.applyfunc(_rational)
    free = tuple(sorted(matrix.free_symbols - {x, y}, key=str))
    kind, reduced = _reduced(matrix, x, y, free)
    if kind == NORMAL and not _blind(rule, Companion(rule, kind, matrix, x, y, free)):
        kind = PLAYERS
    timed = any(True for _ in rule.init(game, object_vector(game.symbols)).counter_leaves())
    return Companion(rule, kind, reduced, x, y, free, timed)


def _blind(rule: Rule, found: Companion) -> bool:
    """Whether eigenvalues decide when each player holds a half of them, J = ((a, b), (b, a)): asked at one such game.

    A rule for zero-sum games alone refuses this one, and need not care.
    """
    a, b = PROBE
    game = general_quadratic((((a,), (b,)), ((b,), (a,))))
    values = [0.05 * (k + 1) for k in range(len(found.parameters))]
    try:
        rule.check(game)
    except DomainError:
        return True
    exactly = linearize(game, rule, [0, 0]).exact
    if exactly is None:
        return False
    numbers = dict(zip(found.parameters, values, strict=True))
    matrix = np.array(exactly.matrix.xreplace(numbers).tolist(), dtype=complex)
    ends = found.matrices(np.array([float(a + b), float(a - b)], dtype=complex), values)
    twice = np.polymul(np.poly(matrix), np.poly(matrix))  # each eigenvalue of J counts twice in the game x +- iy
    return bool(np.allclose(twice, np.polymul(np.poly(ends[0]), np.poly(ends[1])), atol=1e-9))


def _rational(e: sympy.Expr) -> sympy.Expr:
    """Irrational numbers as the decimals of the floats that the rule computes with."""
    return e.replace(
        lambda part: part.is_number and not part.is_Rational and part.is_real is not False,
        lambda part: sympy.Rational(repr(float(part))),
    )


def _reduced(
    matrix: sympy.Matrix, x: sympy.Symbol, y: sympy.Symbol, parameters: Sequence[sympy.Symbol]
) -> tuple[str, sympy.Matrix]:
    """What kind of map it is; a holomorphic one in half the size: blocks ((p, q), (-q, p)) are numbers p - iq.

    f = p - iq is a function of z = x - iy alone where p_y = -q_x and q_y = p_x; it is then p at y = 0, x complex.
    """
    field = sympy.QQ.frac_field(x, y, *parameters)
    a = [[field.from_sympy(e) for e in matrix.row(i)] for i in range(matrix.rows)]
    holomorphic = True
    half = matrix.rows // 2
    for i in range(half):
        for j in range(half):
            p, q, minus_q, again = a[2 * i][2 * j], a[2 * i][2 * j + 1], a[2 * i + 1][2 * j], a[2 * i + 1][2 * j + 1]
            if p != again or q != -minus_q:
                return PLAYERS, matrix
            sx, sy = field.gens[:2]
            holomorphic &= p.diff(sy) == -q.diff(sx) and q.diff(sy) == p.diff(sx)
    if not holomorphic:
        return NORMAL, matrix
    return HOLOMORPHIC, sympy.Matrix(half, half, lambda i, j: matrix[2 * i, 2 * j].subs(y, 0))
