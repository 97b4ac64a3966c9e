"""The search behind `gd.conserved_quantities`: ansatz, common factors, stream functions, separated variables."""

from __future__ import annotations

import abc
import functools
import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np
import sympy
from sympy.polys.matrices import DomainMatrix

from ...errors import GandynError, ParameterError
from ...symbolic.function import SymbolicFunction
from ...symbolic.functions import sigmoid
from ...types.signs import is_zero, simplified

MOST_TERMS, TOO_MANY_TERMS = 250, 20_000  # by default, and when asked for
MODERATE, LONG = 64, 10**6  # the largest power, and the largest number, in what is factored
DEGREE = 4
GENERIC = 3  # points at which gradients are compared: one may lie where they happen to be dependent


class Search(abc.ABC):
    """A search for functions of `symbols` that a flow or map keeps constant on the set where `constraints` vanish.

    `right` has the components of the field, or of the map, in the order of the symbols. Raises ParameterError for
    constraints that the dynamics does not keep, or that are not independent and linear.
    """

    def __init__(
        self, symbols: Sequence[sympy.Symbol], right: Sequence[sympy.Expr], constraints: Sequence[object]
    ) -> None:
        self.symbols, self.right = tuple(symbols), tuple(map(_decimals_as_fractions, right))
        self.constraints = tuple(constraints)
        self._eliminated = self._solve_constraints()
        for e in self.constraints:
            if self.residual(e) != 0:
                raise ParameterError(
                    f"the constraint {e} = 0", "a set that the dynamics does not leave", "leave it out"
                )

    def _solve_constraints(self) -> dict[sympy.Symbol, sympy.Expr]:
        solved = sympy.solve(self.constraints, self.symbols, dict=True) if self.constraints else [{}]
        if len(solved) != 1:
            raise ParameterError(f"constraints {self.constraints}", "independent linear expressions", "drop some")
        return dict(solved[0])

    def on_set(self, e: sympy.Expr) -> sympy.Expr:
        """An expression restricted to the set on which the constraints hold."""
        return e.xreplace(self._eliminated) if self._eliminated else e

    @abc.abstractmethod
    def change(self, e: sympy.Expr) -> sympy.Expr:
        """The change of H that has to vanish: dH/dt for a flow, H(z+) - H(z) for a map."""

    def residual(self, e: sympy.Expr) -> sympy.Expr:
        """The change of H, simplified; 0 where H is conserved."""
        raw = self.on_set(self.change(e))
        quick = _normal(raw)
        return sympy.Integer(0) if quick == 0 or is_zero(raw) else raw

    @abc.abstractmethod
    def candidates(self, basis: Sequence[object], degree: int | None) -> Iterator[tuple[sympy.Expr, str]]:
        """Pairs (H, how it was found) of candidates that are still to be verified."""

    def independent(self, e: sympy.Expr, others: Sequence[sympy.Expr]) -> bool:
        """Whether e is functionally independent of the others: their gradients have full rank at a generic point."""
        free = [s for s in self.symbols if s not in self._eliminated]
        parameters = sorted(set().union(*(q.free_symbols for q in (e, *others))) - set(self.symbols), key=str)
        gradients = [[sympy.diff(_plain_logs(self.on_set(q)), s) for s in free] for q in (e, *others)]
        for shift in range(GENERIC):
            point = {s: sympy.Rational(2 * k + 3 + shift, 2 * k + 8) for k, s in enumerate([*free, *parameters])}
            if _rank([[g.xreplace(point) for g in row] for row in gradients]) == len(gradients):
                return True
        return False

    def ansatz(
        self, basis: Sequence[sympy.Expr], columns: Sequence[sympy.Expr], method: str
    ) -> Iterator[tuple[sympy.Expr, str]]:
        """Combinations of basis functions whose changes, `columns`, cancel identically; the simplest first."""
        vectors = [_whole(vector) for vector in _relations(columns, self.symbols)]
        found = [sympy.Add(*(c * b for c, b in zip(vector, basis, strict=True))) for vector in vectors]
        for e in sorted(found, key=self._complexity):
            yield e, method

    def _complexity(self, e: sympy.Expr) -> tuple[int, int, int, str]:
        polynomial = e.is_polynomial(*self.symbols)
        degree = sympy.Poly(e, *self.symbols).total_degree() if polynomial else 2
        return degree, -len(e.free_symbols & set(self.symbols)), sympy.count_ops(e), str(e)

    def monomials(self, degree: int | None) -> list[sympy.Expr]:
        """All monomials of degree 1 to `degree`, as high as their number allows."""
        free = [s for s in self.symbols if s not in self._eliminated]
        n, top = len(free), DEGREE if degree is None else degree
        while degree is None and top > 2 and math.comb(n + top, top) > MOST_TERMS:
            top -= 1
        number = math.comb(n + top, n)
        if number > TOO_MANY_TERMS:
            raise ParameterError(
                f"degree={degree}: {number} monomials in {n} coordinates", f"at most {TOO_MANY_TERMS}", "a lower degree"
            )
        return [
            sympy.Mul(*m) for k in range(1, top + 1) for m in itertools.combinations_with_replacement(free, k)
        ]  # fmt: skip


class FlowSearch(Search):
    """The search for conserved quantities of the flow dw/dt = -v(w), where v is `right`."""

    def change(self, e: sympy.Expr) -> sympy.Expr:
        """The time derivative of H along the flow, dH/dt = -grad H . v."""
        e = _plain_logs(e)
        return sympy.Add(*(-sympy.diff(e, s) * v for s, v in zip(self.symbols, self.right, strict=True)))

    @functools.cached_property
    def direction(self) -> tuple[sympy.Expr, ...]:
        """The field without a factor common to all its entries: the same orbits, at another speed."""
        right = [self.on_set(v) for v in self.right]
        pivot = next((v for v in right if v != 0), None)
        if pivot is None or all(v.is_polynomial(*self.symbols) for v in right):
            return tuple(right)
        ratios = [_normal(v / pivot) for v in right]
        if not all(r.is_rational_function(*self.symbols) for r in ratios):
            return tuple(right)
        common = functools.reduce(sympy.lcm, (sympy.denom(r) for r in ratios))
        return tuple(sympy.cancel(r * common) for r in ratios)

    def _along(self, e: sympy.Expr) -> sympy.Expr:
        e = _plain_logs(self.on_set(e))
        parts = zip(self.symbols, self.direction, strict=True)
        return sympy.Add(*(sympy.diff(e, s) * v for s, v in parts if s not in self._eliminated))

    def candidates(self, basis: Sequence[object], degree: int | None) -> Iterator[tuple[sympy.Expr, str]]:
        """Candidates from the linear ansatz; in the plane also a stream function and separated variables."""
        logs = [sympy.log(sympy.Abs(s)) for s, v in zip(self.symbols, self.direction, strict=True) if self._kept(s, v)]
        functions = [*logs, *basis, *self.monomials(degree)]
        yield from self.ansatz(functions, [self._along(b) for b in functions], "linear algebra on an ansatz")
        if len(self.symbols) == 2:
            yield from self._stream()
            yield from self._separated()

    def _kept(self, s: sympy.Expr, v: sympy.Expr) -> bool:
        """Whether the plane s = 0 is invariant, so that log|s| has a change without a pole."""
        if v == 0:
            return False
        if v.xreplace({s: sympy.Integer(0)}) == 0:
            return True
        growth = self.on_set(self.right[self.symbols.index(s)] / s)
        return bool(_normal(growth).is_polynomial(*self.symbols))

    def _stream(self) -> Iterator[tuple[sympy.Expr, str]]:
        """A field without divergence turns along level lines of H with v = (dH/dy, -dH/dx)."""
        (x, y), (p, q) = self.symbols, self.direction
        if not is_zero(sympy.diff(p, x) + sympy.diff(q, y)):
            return
        first = _integral(p, y)
        rest = None if first is None else _integral(simplified(-q - sympy.diff(first, x)), x)
        if rest is not None:
            yield sympy.expand(first + rest), "stream function of a field without divergence"

    def _separated(self) -> Iterator[tuple[sympy.Expr, str]]:
        """For dx / (p/q) = dy with p/q = A(x) B(y), the quantity int dx / A - int B dy."""
        (x, y), (p, q) = self.symbols, self.direction
        if p == 0 or q == 0 or not _of_moderate_degree(p / q):
            return
        parts = sympy.separatevars(sympy.factor(p / q), symbols=[x, y], dict=True)
        if not parts:
            return
        left, right = _integral(sympy.cancel(1 / (parts[x] * parts["coeff"])), x), _integral(parts[y], y)
        if left is not None and right is not None:
            e = sympy.expand(_absolute_logs(left - right))
            yield e, "separated variables"


class MapSearch(Search):
    """The search for conserved quantities of the map z+ = F(z), where F is `right`."""

    def change(self, e: sympy.Expr) -> sympy.Expr:
        """The change of H over one step, H(F(z)) - H(z)."""
        return e.xreplace(dict(zip(self.symbols, self.right, strict=True))) - e

    def candidates(self, basis: Sequence[object], degree: int | None) -> Iterator[tuple[sympy.Expr, str]]:
        """Candidates from the linear ansatz, for maps that are rational functions."""
        if not all(e.is_rational_function(*self.symbols) for e in self.right):
            return
        top = degree
        if degree is None and not all(e.is_polynomial(*self.symbols) for e in self.right):
            top = 2
        functions = [*self.monomials(top), *basis]
        columns = [self.on_set(self.change(b)) for b in functions]
        yield from self.ansatz(functions, columns, "linear algebra on an ansatz")


def _integral(e: sympy.Expr, s: sympy.Expr) -> sympy.Expr | None:
    """An antiderivative where it is elementary and quick: of rational functions of s, and of sums of exponentials."""
    if not e.is_rational_function(s) and not e.has(sympy.exp):
        return None
    found = sympy.integrate(e, s)
    return None if found.has(sympy.Integral) else found


def _plain_logs(e: sympy.Expr) -> sympy.Expr:
    """An expression with log|x| written as log x, which has the same derivative where x is not 0."""
    return e.replace(lambda p: isinstance(p, sympy.log) and isinstance(p.args[0], sympy.Abs), _inner_log)


def _inner_log(p: sympy.Expr) -> sympy.Expr:
    return sympy.log(p.args[0].args[0])


def _absolute_logs(e: sympy.Expr) -> sympy.Expr:
    def absolute(p: sympy.Expr) -> sympy.Expr:
        return sympy.log(sympy.Abs(p.args[0]))

    return e.replace(lambda p: isinstance(p, sympy.log) and p.args[0].free_symbols, absolute)


def _normal(e: sympy.Expr) -> sympy.Expr:
    """A quotient of polynomials in the coordinates and in exponentials, cancelled."""
    if e.is_Number:
        return e
    e = e.rewrite(sympy.exp) if e.has(sigmoid) else e
    if e.has(sympy.exp):
        e = e.replace(lambda p: isinstance(p, sympy.exp) and p.args[0].could_extract_minus_sign(), _reciprocal)
        e = sympy.powsimp(sympy.expand_power_exp(e))
    return sympy.cancel(sympy.together(e))


def _of_moderate_degree(e: sympy.Expr) -> bool:
    """Whether factoring ends: no long number, and no power above the 64th, also among exponentials.

    exp(1000 x) is a power of exp(x).
    """
    if any(max(abs(number.p), number.q) > LONG for number in e.atoms(sympy.Rational)):
        return False
    if any(abs(power.exp) > MODERATE for power in e.atoms(sympy.Pow) if power.exp.is_Rational):
        return False
    rates: dict[sympy.Expr, list[sympy.Expr]] = {}
    for argument in (f.args[0] for f in e.atoms(sympy.exp)):
        for coefficient, rest in (term.as_coeff_Mul() for term in sympy.Add.make_args(sympy.expand(argument))):
            rates.setdefault(rest, []).append(abs(coefficient))
    return all(max(found) <= MODERATE * min(found) for found in rates.values())


def _reciprocal(p: sympy.Expr) -> sympy.Expr:
    return 1 / sympy.exp(-p.args[0])


def _independent_in_numbers(columns: Sequence[sympy.Expr], symbols: Sequence[sympy.Symbol]) -> bool:
    """Whether functions are seen to be linearly independent: their values at random points have full rank.

    One value of each parameter suffices, for a minor that vanishes identically vanishes there. Relations of the columns
    would leave singular values near 1e-15. Nothing is said where long numbers or high powers may cost digits, or where
    the last digits of the points show in the values.
    """
    if not all(map(_of_moderate_degree, columns)):
        return False
    parameters = sorted(set().union(*(c.free_symbols for c in columns)).difference(symbols), key=str)
    points = np.random.default_rng(0).uniform(0.2, 1.8, (2 * len(columns), len(symbols) + len(parameters)))
    points[:, len(symbols) :] = points[0, len(symbols) :]
    try:
        function = SymbolicFunction([[*symbols, *parameters]], columns)
        values, beside = function(points), function(points * (1 + 2.0**-48))
    except (GandynError, TypeError, NotImplementedError):
        return False
    sizes = np.abs(values).max(axis=0)
    if not (np.isfinite(values).all() and sizes.all() and (np.abs(values - beside) < 1e-11 * sizes).all()):
        return False
    singular = np.linalg.svd(values / sizes, compute_uv=False)
    return bool(singular[-1] > 1e-8 * singular[0])


def _relations(columns: Sequence[sympy.Expr], symbols: Sequence[sympy.Symbol]) -> Iterator[list[int]]:
    """Vectors c with sum_i c_i columns_i = 0 identically; exponentials count as independent variables."""
    if any(not c.is_polynomial(*symbols) for c in columns):
        if _independent_in_numbers(columns, symbols):
            return
        columns = [_normal(c) for c in columns]
    shared = functools.reduce(sympy.lcm, (sympy.denom(c) for c in columns), sympy.Integer(1))
    if shared != 1:
        columns = [sympy.cancel(c * shared) for c in columns]
    transcendental = sorted(set().union(*(c.atoms(sympy.Function) for c in columns)), key=str)
    generators = [*symbols, *(f for f in transcendental if f.free_symbols & set(symbols))]
    try:
        polynomials = [sympy.Poly(c, *generators) for c in columns]
    except sympy.PolynomialError:
        return  # exponentials of which one is a power of another: exp(x) and exp(1000 x) are not independent
    powers = sorted(set().union(*(p.monoms() for p in polynomials if not p.is_zero)))
    if not powers:
        powers = [(0,) * len(generators)]
    entries = [[p.coeff_monomial(m) for p in polynomials] for m in powers]
    matrix = DomainMatrix.from_Matrix(sympy.Matrix(entries), extension=True).to_field()
    for row in matrix.nullspace().to_Matrix().tolist():
        yield [sympy.cancel(e) for e in row]


def _rank(rows: Sequence[Sequence[sympy.Expr]]) -> int:
    """Of rational numbers exactly; of others to 20 of 40 digits, each row in its own units."""
    import mpmath

    if all(e.is_Rational for row in rows for e in row):
        return int(DomainMatrix.from_Matrix(sympy.Matrix(rows)).to_field().rank())
    with mpmath.workdps(40):
        numbers = [[sympy.N(e, 40)._to_mpmath(140) for e in row] for row in rows]
        largest = [max(map(abs, row)) or 1 for row in numbers]
        scaled = mpmath.matrix([[e / m for e in row] for row, m in zip(numbers, largest, strict=True)])
        singular = mpmath.svd_c(scaled, compute_uv=False)
        return sum(bool(s > mpmath.mpf(10) ** -20) for s in singular)


def _decimals_as_fractions(e: sympy.Expr) -> sympy.Expr:
    """Decimals are read as what they say, so that 0.3 x and 3 x / 10 are one function."""
    e = sympy.sympify(e, strict=True)
    return e.xreplace({f: sympy.Rational(str(f)) for f in e.atoms(sympy.Float)})


def _whole(vector: Sequence[sympy.Expr]) -> list[sympy.Expr]:
    """The direction of a vector, rescaled to have no denominators, no common factor and a positive first entry."""
    denominator = functools.reduce(sympy.lcm, (sympy.denom(c) for c in vector), sympy.Integer(1))
    scaled = [sympy.cancel(c * denominator) for c in vector]
    common = functools.reduce(sympy.gcd, scaled, sympy.Integer(0))
    first = next(c for c in scaled if c != 0)
    sign = -1 if (first / common).could_extract_minus_sign() else 1
    return [sympy.expand(sympy.cancel(sign * c / common)) for c in scaled]
