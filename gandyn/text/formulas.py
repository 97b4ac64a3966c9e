"""Costs and parameters as text: SymPy expressions of named symbols, read by our grammar and never by SymPy's."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from ..errors import ParameterError
from ..lazy import sympy
from . import arithmetic
from .grammar import WORD, read
from .refusal import refuse, shorten
from .scope import WORDS, Scope


class Formula(Scope):
    """Every word is a symbol: one of `known` by its name, else a new one with the given assumptions."""

    hyphens: ClassVar[bool] = False

    def __init__(self, known: Mapping[str, object], assumptions: Mapping[str, bool]) -> None:
        self.known, self.assumptions = dict(known), assumptions

    def word(self, name: str, text: str) -> sympy.Expr:
        """The symbol of that name; pi and the words true and false unless a symbol is so called."""
        if name in self.known:
            return self.known[name]
        value = super().word(name, text)
        return self.symbol(value, text) if isinstance(value, str) else value

    def symbol(self, name: str, text: str) -> sympy.Symbol:
        """A new symbol, or the one of that name that the formula had before."""
        if name not in self.known:
            self.known[name] = sympy.Symbol(name, **self.assumptions)
        return self.known[name]

    def quoted(self, content: str, text: str) -> Any:
        """Refuse quoted text: a formula holds none."""
        refuse(text, "with a text in quotation marks", "numbers and names", "leave the quotation marks out")

    def compare(self, sign: str, left: sympy.Expr, right: sympy.Expr, text: str) -> sympy.Basic:
        """A condition, for `Piecewise`."""
        relation = {"<": sympy.Lt, "<=": sympy.Le, ">": sympy.Gt, ">=": sympy.Ge}[sign]
        return relation(arithmetic.exactly(left, text), arithmetic.exactly(right, text))


class Parameter(Formula):
    """A formula of parameters, whose names may not be mistaken for differences: "my-lr" is refused."""

    hyphens: ClassVar[bool] = True

    def symbol(self, name: str, text: str) -> sympy.Symbol:
        """The free positive parameter of that name."""
        return self.known.setdefault(name, Scope.symbol(self, name, text))


def parameter(text: str) -> sympy.Expr:
    """A parameter given as text: "lr" is a free positive parameter, "1/3" a number, "2*eta" an expression. Raises
    ParameterError for what is no formula.
    """
    return _expression(text, Parameter({}, {}))


def formula(text: str, known: Mapping[str, object] | None = None, **assumptions: bool) -> sympy.Expr:
    """A text such as "2*eta", "x*y - x**2/2" or "log(1 + exp(-x))" as a SymPy expression.

    Numbers are exact, 0.1 being 1/10. Functions: sqrt, cbrt, root(a, n), exp, log, sin, cos, tan, sinh, cosh, tanh,
    atan, erf, sigmoid, softplus, log_sigmoid, Abs, sign, Max, Min, Heaviside, Piecewise((a, x > 0), (b, true)).

    Args:
        text: the formula. known: symbols by name. assumptions: of the symbols that it brings, such as positive=True.

    Raises:
        ParameterError: for what is no formula.

    Example:
        >>> formula("a*b - 0.1*a**2")
        -a**2/10 + a*b
    """
    return _expression(text, Formula(known or {}, assumptions))


def _expression(text: str, scope: Scope) -> sympy.Expr:
    value = read(text, scope)
    if isinstance(value, bool) or not isinstance(value, (int, float, complex, sympy.Expr)):
        refuse(text, "which is no number", "a number or an expression of names", "0.1, 1/3 or 2*eta")
    if isinstance(value, float) and not abs(value) < float("inf"):
        refuse(text, "which is not finite", "a finite number", "leave it out")
    return arithmetic.exactly(value, text)


def symbols(text: str, **assumptions: bool) -> tuple[sympy.Symbol, ...]:
    """The symbols of "x1, x2" or "x1 x2". Raises ParameterError for other text, and for names of the grammar."""
    names = [name for name in re.split(r"[,\s]+", text) if name]
    taken: Collection[str] = {*arithmetic.FUNCTIONS, *WORDS} - {"on", "off", "no", "yes"}
    for name in names:
        if not re.fullmatch(WORD, name) or name in taken:
            raise ParameterError(f"{shorten(name)} as the name of a symbol", "a word like x or x1", "use another name")
    if not names:
        raise ParameterError(f"{text!r} as the names of symbols", "one name or more", '"x" or "x1, x2"')
    return tuple(sympy.Symbol(name, **assumptions) for name in names)


def expressions(values: Sequence[sympy.Expr], known: Mapping[str, object]) -> list[sympy.Expr]:
    """Costs given as SymPy objects, numbers or texts, as SymPy expressions; texts share the symbols that they bring.
    Raises ParameterError for a text that is no formula, and for what is neither.
    """
    shared, result = dict(known), []
    for value in values:
        if isinstance(value, str):
            value = formula(value, shared, real=True)
            shared |= {s.name: s for s in value.free_symbols}
        try:
            result.append(sympy.sympify(value, strict=True))
        except (sympy.SympifyError, TypeError, ValueError) as error:
            given = f"{value!r}"[:60]
            raise ParameterError(f"{given} as a cost", "a SymPy expression, a number or a text", '"a*b"') from error
    return result
