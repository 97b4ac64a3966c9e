"""Taylor expansion of straight-line programs at a point, in exact rational or in long decimal arithmetic.

Differentiating expressions symbolically and then putting the point in does most of its work on terms that vanish. Here
the numbers go in first: every value is a truncated power series in the coordinates' displacements, and the program is
run once on such series (forward-mode automatic differentiation, of any order).
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence

import mpmath
import sympy

from .coefficients import DECIMALS, Decimal, KinkError, Monomial, NoExpansionError, PoleError, Rational, Series
from .kinks import Pass, one_sided

MOST_PASSES = 64
Settle = Callable[[sympy.Expr], sympy.Expr]


class Expansion:
    """Runs expressions on power series in the displacements of named coordinates.

    Args:
        point: the coordinates' values, in order; symbols map to SymPy numbers.
        order: terms of higher total degree are dropped.
        arithmetic: `Rational` or `Decimal`.
        settle: the limit of an expression in `counters` alone, for rules that count their steps.

    A series maps monomials, sorted tuples of coordinate indices, to coefficients: (0, 0, 1) stands for x^2 y.
    """

    def __init__(
        self,
        point: Mapping[sympy.Expr, sympy.Expr],
        order: int,
        arithmetic: type[Rational] | type[Decimal] = Rational,
        counters: Iterable[object] = (),
        settle: Settle | None = None,
    ) -> None:
        self.order, self.arithmetic = order, arithmetic
        self.counters, self.settle = frozenset(counters), settle
        self.known: dict[sympy.Expr, Series] = {}
        self._pass: Pass | None = None
        self._zero, self._one = arithmetic.number(sympy.Integer(0)), arithmetic.number(sympy.Integer(1))
        for k, (symbol, value) in enumerate(point.items()):
            series = self.constant(value)
            if order:
                series[(k,)] = self._one
            self.known[symbol] = series

    def constant(self, value: object) -> Series:
        """The series of a SymPy number."""
        number = self.arithmetic.number(value)
        return {(): number} if number else {}

    def __call__(self, e: sympy.Expr) -> Series:
        """The series of an expression in coordinates and bound names."""
        found = self.known.get(e)
        if found is None:
            passing = self.known if self._pass is None else self._pass.known
            found = passing.get(e)
            if found is None:
                found = passing[e] = self._expand(e)
        return found

    def bind(self, name: sympy.Expr, e: sympy.Expr) -> None:
        """Let a name stand for the series of an expression from here on."""
        self.known[name] = self.across(e)

    def across(self, e: sympy.Expr) -> Series:
        """The series of an expression; to first order also at kinks, where all sides of each agree on it.

        Every side of every kink is tried, together in all ways, and so is the value on the kink itself: a function made
        of finitely many smooth pieces has a derivative where all that meet there have the same value and the same one.

        Raises:
            KinkError: where they do not.
        """
        try:
            return self(e)
        except KinkError:
            if self.order != 1:
                raise
        found, beside = list[Series](), list[Series]()  # beside: on ways that stay on no kink
        waiting: list[dict[sympy.Expr, int]] = [{}]
        for _ in range(MOST_PASSES):
            if not waiting:
                break
            self._pass = Pass(waiting.pop())
            try:
                series = self(e)
                waiting += self._pass.others()
                on = self._pass.on
            finally:
                self._pass = None
            for kept in (found,) if on else (found, beside):
                kept += [] if series in kept else [series]
        else:
            raise KinkError("too many kinks meet")
        if len(found) > 1:
            raise KinkError(self._disagreement(beside if len(beside) > 1 else found))
        return found[0]

    def _disagreement(self, found: Sequence[Series]) -> str:
        for monomial in sorted(set().union(*found), key=lambda m: (-len(m), m)):
            values = {self.arithmetic.symbolic(series.get(monomial, self._zero)) for series in found}
            if len(values) > 1:
                return one_sided("slopes" if monomial else "values", values)
        raise AssertionError("series that differ have a coefficient that does")

    def _side(self, kink: sympy.Expr, sides: int) -> int:
        """Which side of a kink the present pass is on."""
        if self._pass is None:
            raise KinkError(f"a kink of {kink}")
        return self._pass.side(kink, sides)

    def _expand(self, e: sympy.Expr) -> Series:
        if e.is_Number:
            return self.constant(e)
        if self.counters and (e.free_symbols & self.counters):
            return self._expand_counted(e)
        if e.is_Add:
            return self._sum(map(self, e.args))
        if e.is_Mul:
            return self._product(e)
        if e.is_Pow:
            return self._power(self(e.base), e.exp)
        if e.is_Symbol:
            raise NoExpansionError(f"{e} has no value")
        if not e.free_symbols:
            return self.constant(e)
        return self._function(e)

    def _expand_counted(self, e: sympy.Expr) -> Series:
        """Step counts at infinity: the factors, or the terms, that hold nothing else go to their limit together."""
        if e.free_symbols <= self.counters:
            assert self.settle is not None
            limit = self.settle(e)
            if not limit.is_finite:
                raise NoExpansionError(f"{e} has no finite limit")
            return self.constant(limit)
        if not (e.is_Add or e.is_Mul):
            return self._power(self(e.base), e.exp) if e.is_Pow else self._function(e)
        alone = [a for a in e.args if a.free_symbols and a.free_symbols <= self.counters]
        others = [self(a) for a in e.args if a not in alone]
        if alone:
            others.append(self(e.func(*alone)))
        return self._sum(others) if e.is_Add else functools.reduce(self.multiply, others)

    def _product(self, e: sympy.Expr) -> Series:
        """To first order, what multiplies a factor that vanishes here need only have a limit, and no slope."""
        try:
            return functools.reduce(self.multiply, map(self, e.args))
        except (KinkError, PoleError):
            rough = [a for a in e.args if isinstance(a, (sympy.Max, sympy.Min, sympy.Piecewise))]
            if self.order != 1 or not rough:
                raise
            smooth: Series = {(): self._one}
            for a in e.args:
                smooth = smooth if a in rough else self.multiply(smooth, self(a))
            if () in smooth:
                raise
            from .limits import limit

            values = {s: self._start(series) for s, series in self.known.items() if s.is_Symbol}
            factor = limit(sympy.Mul(*rough), values)
            if factor is None:
                raise
            return self.multiply(smooth, self.constant(factor))

    # --- arithmetic of series --------------------------------------------------------------------------------------

    def _sum(self, parts: Iterable[Series]) -> Series:
        total: Series = {}
        for part in parts:
            for monomial, c in part.items():
                value = total.get(monomial, self._zero) + c
                if value:
                    total[monomial] = value
                else:
                    total.pop(monomial, None)
        return total

    def multiply(self, a: Series, b: Series) -> Series:
        """The product, truncated."""
        total: Series = {}
        for m, c in a.items():
            room = self.order - len(m)
            for n, d in b.items():
                if len(n) <= room:
                    key = tuple(sorted(m + n)) if m and n else m or n
                    total[key] = total.get(key, self._zero) + c * d
        return {m: c for m, c in total.items() if c}

    def _power(self, base: Series, exponent: sympy.Expr) -> Series:
        if exponent.is_Integer and exponent >= 0:
            result: Series = {(): self._one}
            for _ in range(int(exponent)):
                result = self.multiply(result, base)
            return result
        if not exponent.is_Rational:
            raise NoExpansionError(f"a power {exponent}")
        start = self._start(base)
        if start.is_zero and exponent > self.order:
            return {}  # of higher order than is kept
        if start.is_zero or (start.is_negative and not exponent.is_Integer):
            raise PoleError("the slope is infinite or undefined")
        return self._compose(base, [sympy.ff(exponent, k) * start ** (exponent - k) for k in range(self.order + 1)])

    def _start(self, series: Series) -> sympy.Expr:
        return self.arithmetic.symbolic(series.get((), self._zero))

    def _compose(self, inner: Series, derivatives: Sequence[sympy.Expr]) -> Series:
        """sum_k f^(k)(a) h^k / k! for the series a + h."""
        h = {m: c for m, c in inner.items() if m}
        coefficients = [self.arithmetic.number(d / sympy.factorial(k)) for k, d in enumerate(derivatives)]
        result: Series = {(): coefficients[-1]} if coefficients[-1] else {}
        for c in reversed(coefficients[:-1]):
            result = self._sum([self.multiply(result, h), {(): c} if c else {}])
        return result

    def _function(self, e: sympy.Expr) -> Series:
        if isinstance(e, sympy.Piecewise):
            return self._branch(e)
        if isinstance(e, (sympy.Max, sympy.Min)):
            return self._extreme(e)
        if len(e.args) != 1 or not isinstance(e, sympy.Function):
            raise NoExpansionError(f"{e.func} of {len(e.args)} arguments")
        inner = self(e.args[0])
        start = self._start(inner)
        if isinstance(e, (sympy.Abs, sympy.sign, sympy.Heaviside, sympy.DiracDelta)):
            return self._jump(e, inner, start)
        return self._compose(inner, [_derivative(e.func, k, start) for k in range(self.order + 1)])

    def _jump(self, e: sympy.Expr, inner: Series, start: sympy.Expr) -> Series:
        """|x|, sign x and its relatives, by the sign of x; where x = 0, from above, from below, and there."""
        if not start.is_real:
            raise NoExpansionError(f"{e.func} of {start}")
        if not start.is_zero:
            side = sympy.sign(start)
        elif self.order == 0 and isinstance(e, sympy.Abs):
            return {}
        else:
            side = sympy.Integer((1, -1, 0)[self._side(e.args[0], 2 if isinstance(e, sympy.Abs) else 3)])
            if self._pass is not None:
                self._pass.on |= side == 0
        if isinstance(e, sympy.Abs):
            return self.multiply(inner, self.constant(side))
        if isinstance(e, sympy.DiracDelta):
            return self.constant(sympy.Integer(int(side == 0)))
        return self.constant(side if isinstance(e, sympy.sign) else (side + 1) / 2)

    def _extreme(self, e: sympy.Expr) -> Series:
        try:
            parts = [self(a) for a in e.args]
        except (KinkError, PoleError):
            if self.order == 1 and isinstance(e, sympy.Min) and self._squeezed(e):
                return {}
            raise
        starts = [self._start(part) for part in parts]
        best = (max if isinstance(e, sympy.Max) else min)(starts)
        chosen: list[Series] = []
        for part, start in zip(parts, starts, strict=True):
            if start == best and part not in chosen:
                chosen.append(part)
        return chosen[0] if len(chosen) == 1 else chosen[self._side(e, len(chosen))]

    def _squeezed(self, e: sympy.Expr) -> bool:
        """Whether a minimum of numbers >= 0 lies below one that vanishes here with its slope."""
        from .limits import nonnegative

        return all(map(nonnegative, e.args)) and any(self._vanishes(a) for a in e.args)

    def _vanishes(self, e: sympy.Expr) -> bool:
        try:
            return not self(e)
        except (KinkError, PoleError):
            return False

    def _branch(self, e: sympy.Expr) -> Series:
        """The branch of a Piecewise that holds here; where conditions are on their edge, each that may hold nearby."""
        for value, condition in e.args:
            gap = self._gap(condition)
            if gap is None:
                if self._side(condition, 2) == 0:
                    return self(value)
            elif gap:
                return self(value)
        raise NoExpansionError(f"no branch of {e} holds")

    def _gap(self, condition: sympy.Expr) -> bool | None:
        """Whether a condition holds around the point; None on its edge."""
        if condition in (sympy.true, sympy.false):
            return bool(condition)
        if not isinstance(condition, sympy.core.relational.Relational):
            raise NoExpansionError(f"the condition {condition}")
        gap = self._start(self._sum([self(condition.lhs), self(-condition.rhs)]))
        return None if gap.is_zero else bool(condition.func(gap, 0))


@functools.lru_cache(maxsize=4096)
def _derivative(function: type, k: int, value: sympy.Expr) -> sympy.Expr:
    """The k-th derivative of a function of one variable at a number."""
    x = sympy.Dummy("x", real=True)
    found = sympy.diff(function(x), x, k).xreplace({x: value})
    if found.has(sympy.nan, sympy.zoo, sympy.oo) or found.has(sympy.Derivative, sympy.Subs):
        raise NoExpansionError(f"{function} has no derivative of order {k} at {value}")
    return found


def expand(
    symbols: Sequence[sympy.Symbol],
    point: Sequence[sympy.Expr],
    outputs: Sequence[sympy.Expr],
    order: int,
    bindings: Iterable[tuple[sympy.Symbol, sympy.Expr]] = (),
    arithmetic: type[Rational] | type[Decimal] = Rational,
    counters: Iterable[object] = (),
    settle: Settle | None = None,
) -> list[Series]:
    """Taylor series of `outputs` around a point, to total degree `order`.

    Args:
        symbols, point: the coordinates and their values. outputs: expressions in coordinates and bound names.
        bindings: (name, expression) pairs, each in terms of earlier ones.
        counters, settle: step counts, and how an expression in them goes to infinity.

    Raises:
        NoExpansionError: at a kink or a pole, or (exactly) where a coefficient is irrational.

    Example:
        >>> x, y = sympy.symbols("x y", real=True)
        >>> series = expand([x, y], [sympy.Integer(0), sympy.Integer(1)], [sympy.exp(x) * y**2], 2)[0]
        >>> {m: int(2 * c) for m, c in sorted(series.items())}
        {(): 2, (0,): 2, (0, 0): 1, (0, 1): 4, (1,): 4, (1, 1): 2}
    """
    with mpmath.workdps(DECIMALS):
        running = Expansion(dict(zip(symbols, point, strict=True)), order, arithmetic, counters, settle)
        for name, e in bindings:
            running.bind(name, e)
        return [running.across(e) for e in outputs]


def monomials(variables: int, degree: int) -> Iterable[Monomial]:
    """All monomials of a degree."""
    return itertools.combinations_with_replacement(range(variables), degree)
