"""When the roots of a polynomial lie on the stable side: products of factors, each of which must be positive.

Over rational functions of the parameters all is done with integer polynomials (FLINT): Hurwitz determinants by
fraction-free elimination, factors, and in one parameter every sign (`thresholds`). Other coefficients stay with SymPy.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ...lazy import sympy
from ...symbolic.balls import require_flint
from ...types.signs import sign
from ..exact_numbers.routh import hurwitz, jury
from ..local.exact_linearization import ExactLinearization
from .thresholds import Line

if TYPE_CHECKING:
    import flint

READABLE = 200  # characters of an expression that is shown whole


@dataclasses.dataclass
class Condition:
    """sign * prod factor^power > 0; the factors are expressions, irreducible over the rationals."""

    sign: int
    powers: dict[sympy.Expr, int]

    @property
    def expression(self) -> sympy.Expr:
        """The expression that must be positive."""
        return sympy.Mul(self.sign, *(base**power for base, power in self.powers.items()))

    def known(self) -> Condition:
        """Without squares and without factors of known sign; squares of what may vanish are kept."""
        sign, powers = self.sign, {}
        for base, power in self.powers.items():
            if base.is_negative:
                sign *= (-1) ** power
            elif power % 2 and not base.is_positive:
                powers[base] = 1
            elif not power % 2 and not base.is_nonzero:
                powers[base] = 2
        return Condition(sign, powers)

    def on(self, line: Line) -> Condition:
        """The condition where one parameter varies along a line: a factor without roots there becomes its sign."""
        sign, powers = self.sign, {}
        for base, power in self.powers.items():
            signs = set(line.signs[base])
            if len(signs) == 1:
                sign *= signs.pop() ** power
            else:
                powers[base] = 1 if power % 2 else 2
        return Condition(sign, powers)

    def never(self, line: Line | None) -> bool:
        """Whether the condition is known to fail for all values of the parameter."""
        if line is None or not self.powers:
            return not self.powers and self.sign < 0
        return max(line.samples(self.sign, self.powers)) <= 0


def conditions(linearization: ExactLinearization) -> tuple[sympy.Expr, ...]:
    """Expressions that are all positive exactly where every root is on the stable side: the simplest set found."""
    found = [c for f, _ in linearization.factors for c in _of_factor(f, linearization.flow)]
    line = _line(found)
    found = [c.known() if line is None else c.on(line) for c in found]
    if any(c.never(line) for c in found):
        return (sympy.Integer(-1),)
    left = _without_settled([c for c in found if c.powers])
    if line is None:
        left = [c for c in left if not c.expression.is_positive]
        never = [c.expression for c in left if c.expression.is_nonpositive]
        left = left if not never else [c for c in left if c.expression == never[0]]
    elif line.positive:
        left = _binding(left, line)
    return tuple(c.expression for c in left) or (sympy.Integer(1),)


def _of_factor(f: sympy.Poly, flow: bool) -> list[Condition]:
    cleared = _cleared(f)
    if cleared is None:
        return [_split(e) for e in (hurwitz(f) if flow else jury(f))]
    coefficients, context, symbols = cleared
    leading = coefficients[0]
    if flow:
        products = [*_routh(coefficients, context), [leading, leading]]
    elif len(coefficients) <= 3:
        products = [[e, leading] for e in _jury_by_hand(coefficients)] + [[leading, leading]]
    else:
        turned = mirrored(coefficients, context)
        if turned[0] == 0:
            return [Condition(-1, {})]
        products = [[turned[0], leading], *_routh(turned, context), [leading, leading]]
    return [_product(factors, symbols) for factors in products]


def _routh(a: Sequence[object], context: flint.fmpz_mpoly_ctx) -> list[list[flint.fmpz_mpoly]]:
    """Pairs whose products must be positive: half the coefficients and half the minors (Lienard and Chipart)."""
    n, leading = len(a) - 1, a[0]
    pairs = [[a[n - k], leading] for k in range(0, n, 2)]
    wanted = range(n - 1, 0, -2)
    found = minors(a, context)
    zero = context.constant(0)
    for size in wanted:
        minor = found[size - 1] if size <= len(found) else zero
        pairs.append([minor, leading] if size % 2 else [minor])
    return pairs


def minors(a: Sequence[flint.fmpz_mpoly], context: flint.fmpz_mpoly_ctx) -> list[flint.fmpz_mpoly]:
    """Leading minors of the Hurwitz matrix a_(2j - i), sizes 1 to n - 1, by fraction-free elimination (Bareiss 1968).

    A minor that vanishes identically ends the list: no parameter is stable then.
    """
    n, zero = len(a) - 1, context.constant(0)
    rows = [[a[2 * j - i + 1] if 0 <= 2 * j - i + 1 <= n else zero for j in range(n - 1)] for i in range(n - 1)]
    found, before = [], context.constant(1)
    for k in range(n - 1):
        pivot = rows[k][k]
        if pivot == 0:
            break
        found.append(pivot)
        for i in range(k + 1, n - 1):
            for j in range(k + 1, n - 1):
                rows[i][j] = (rows[i][j] * pivot - rows[i][k] * rows[k][j]) // before
        before = pivot
    return found


def mirrored(coefficients: Sequence[flint.fmpz_mpoly], context: flint.fmpz_mpoly_ctx) -> list[flint.fmpz_mpoly]:
    """Coefficients in s, highest first, of (1 - s)^n f((1 + s)/(1 - s)): the disc becomes the left half-plane."""
    flint = require_flint("a stability region")
    n = len(coefficients) - 1
    result = [context.constant(0)] * (n + 1)
    for k, c in enumerate(coefficients):
        weights = flint.fmpz_poly([1, 1]) ** (n - k) * flint.fmpz_poly([1, -1]) ** k
        result = [r + c * int(weights[j]) for j, r in enumerate(result)]
    return result[::-1]


def _jury_by_hand(coefficients: Sequence[flint.fmpz_mpoly]) -> list[flint.fmpz_mpoly]:
    """Jury's conditions for polynomials of degree one or two."""
    if len(coefficients) == 2:
        a, b = coefficients
        return [a + b, a - b]
    a, b, c = coefficients
    return [a + b + c, a - b + c, a - c]


def _cleared(f: sympy.Poly) -> tuple[list[flint.fmpz_mpoly], flint.fmpz_mpoly_ctx, tuple[sympy.Symbol, ...]] | None:
    """The coefficients as integer polynomials, times one common denominator; None over another field."""
    from sympy import QQ, ZZ

    flint = require_flint("a stability region")
    domain = f.domain
    if not domain.is_Composite:
        if not domain.is_QQ and not domain.is_ZZ:
            return None
        domain = QQ[sympy.Dummy("p")]
    field = domain.get_field()
    if field.domain not in (QQ, ZZ):
        return None
    elements = [field.convert_from(c, f.domain) for c in f.rep.to_list()]
    common = field.field.ring.one
    for e in elements:
        common = common.lcm(e.denom)
    rows = [e.numer * common.exquo(e.denom) for e in elements]
    scale = sympy.ilcm(1, *(int(QQ.convert(c).denominator) for row in rows for c in row.values()))
    context = flint.fmpz_mpoly_ctx.get([f"p{k}" for k in range(field.ngens)], flint.Ordering.lex)
    cleared = [context.from_dict({k: int(QQ.convert(c) * scale) for k, c in row.items()}) for row in rows]
    return cleared, context, tuple(field.symbols)


def _product(factors: Sequence[object], symbols: Sequence[sympy.Symbol]) -> Condition:
    result = Condition(1, {})
    for polynomial in factors:
        if polynomial == 0:
            return Condition(-1, {})
        content, parts = _factor(polynomial, symbols)
        result.sign *= 1 if content > 0 else -1
        for base, power in parts:
            result.powers[base] = result.powers.get(base, 0) + power
    return result


def _factor(polynomial: sympy.Poly, symbols: Sequence[sympy.Symbol]) -> tuple[flint.fmpz, list[tuple[sympy.Expr, int]]]:
    """Content and irreducible factors with their powers; SymPy's for several symbols (python-flint's overflow)."""
    flint = require_flint("a stability region")
    terms = {tuple(map(int, k)): int(c) for k, c in polynomial.to_dict().items()}
    if len(symbols) > 1:
        content, parts = sympy.Poly.from_dict(terms, *symbols).factor_list()
        return content, [(f.as_expr(), int(power)) for f, power in parts]
    dense = [terms.get((k,), 0) for k in range(max(terms)[0] + 1)]
    content, parts = flint.fmpz_poly(dense).factor()
    return content, [(sympy.Poly([int(c) for c in reversed(list(f))], *symbols).as_expr(), int(k)) for f, k in parts]


def _split(e: sympy.Expr) -> Condition:
    """The condition e > 0 as a sign and factors, for an expression whose coefficients are not rational."""
    whole = sympy.expand(sympy.Mul(*sympy.fraction(sympy.together(sympy.factor(e)))))
    if not whole.free_symbols:
        return Condition(sign(whole) or -1, {})
    content, parts = sympy.factor_list(whole)
    result = Condition(sign(content) if content.is_number else 1, {})
    for base, power in parts:
        result.powers[base] = result.powers.get(base, 0) + power
    return result


def _line(found: Sequence[Condition]) -> Line | None:
    """The line of the one parameter of rational conditions; None otherwise."""
    factors = list(dict.fromkeys(base for c in found for base in c.powers))
    symbols = set().union(*(e.free_symbols for e in factors)) if factors else set()
    if len(symbols) != 1:
        return None
    (p,) = symbols
    rational = all(e.is_polynomial(p) and all(c.is_Rational for c in e.as_poly(p).coeffs()) for e in factors)
    return Line.of(factors, p) if rational else None


def _without_settled(waiting: list[Condition]) -> list[Condition]:
    """The conditions, where factors whose sign another condition already settles are dropped from products."""
    waiting = [Condition(c.sign, dict(c.powers)) for c in waiting]
    settled: list[Condition] = []
    while True:
        single = next((c for c in waiting if list(c.powers.values()) == [1]), None)
        if single is None:
            break
        waiting.remove(single)
        settled.append(single)
        ((base, _),) = single.powers.items()
        for c in waiting:
            if base in c.powers:
                c.sign *= single.sign ** c.powers.pop(base)
    return list({(c.sign, *sorted(c.powers.items(), key=str)): c for c in [*settled, *waiting]}.values())


def _binding(left: list[Condition], line: Line) -> list[Condition]:
    """The conditions that some value of the parameter breaks alone, kept simplest first."""
    broken = {k: {j for j, s in enumerate(line.samples(c.sign, c.powers)) if s <= 0} for k, c in enumerate(left)}
    order: Iterable[int] = sorted(broken, key=lambda k: _length(left[k].powers), reverse=True)
    for k in order:
        if len(broken) > 1 and broken[k] <= set().union(*(b for other, b in broken.items() if other != k)):
            del broken[k]
    return [left[k] for k in broken]


def _length(powers: Mapping[sympy.Expr, int]) -> int:
    return int(sum(sympy.count_ops(base) for base in powers))


def shortened(condition: sympy.Basic) -> str:
    """A condition as text, shortened where it is long."""
    text = str(condition)
    return text if len(text) <= READABLE else f"{text[:READABLE]} ... > 0"


def decimals(e: sympy.Expr) -> sympy.Expr:
    """A condition whose long fractions stand for decimals, scaled to a largest coefficient of one and shortened."""
    largest = max((abs(c) for c in e.as_coefficients_dict().values()), default=sympy.Integer(1))
    return sympy.N(sympy.expand(e / largest), 12)
