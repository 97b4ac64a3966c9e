"""What words, calls and signs mean: a `Scope`. Others add their registered names by subclassing it."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from ..lazy import sympy
from . import arithmetic
from .refusal import refuse

WORDS: dict[str, Any] = {
    "true": True,
    "yes": True,
    "on": True,
    "false": False,
    "no": False,
    "off": False,
    "none": None,
    "nan": math.nan,
    "inf": math.inf,
    "infinity": math.inf,
}


def fold(name: str) -> str:
    """A name without its case, hyphens and underscores: how registered names are compared."""
    return re.sub(r"[-_\s]", "", name).casefold()


def boolean(text: str) -> bool | None:
    """What true, yes, on, false, no and off mean, in any case; None for other texts."""
    value = WORDS.get(text.strip().casefold())
    return value if isinstance(value, bool) else None


class Quoted(str):
    """A text that stood in quotation marks: never a number, never a free parameter."""

    __slots__ = ()


class Scope:
    """What constructs mean: exact numbers, words and functions; other words stay text, other calls are refused."""

    hyphens: ClassVar[bool] = True  # whether a-b is one name; otherwise it is a difference
    names: Collection[str] = ()  # names that begin with a digit

    def number(self, source: str, text: str) -> Any:
        """A number as it is written."""
        return arithmetic.decimal(source, text)

    def quoted(self, content: str, text: str) -> Quoted:
        """What stood in quotation marks."""
        return Quoted(content)

    def word(self, name: str, text: str) -> Any:
        """true, false, yes, no, on, off, none, nan, inf and pi are values in any case; other words are text."""
        key = name.casefold()
        if key in WORDS:
            return WORDS[key]
        if key == "pi":
            return sympy.pi
        if key in arithmetic.FUNCTIONS:
            refuse(text, f"with {name} alone", f"what to take {name} of", f"{name}(0.5)")
        return name

    def call(self, name: str, positional: Sequence[Any], named: Mapping[str, Any], source: str) -> Any:
        """Functions of the table are taken; what else may be called is `built`."""
        if name.casefold() not in arithmetic.FUNCTIONS:
            return self.built(name, positional, named, source)
        if named:
            refuse(source, f"with names in {name}(...)", "values alone", f"{name}(0.5)")
        return arithmetic.function(name, [self.operand(value, source) for value in positional], source)

    def built(self, name: str, positional: Sequence[Quoted], named: Mapping[str, object], source: str) -> Any:
        """What a call of another name makes."""
        refuse(source, f"a call of {name}", f"one of {', '.join(arithmetic.FUNCTIONS)}", "check the name")

    def symbol(self, name: str, text: str) -> sympy.Symbol:
        """A name between numbers: the free positive parameter of that name."""
        if "-" in name:
            refuse(text, f"in which {name} may be a name or a difference", "one meaning", "write _ in names, or a - b")
        return sympy.Symbol(name, positive=True)

    def operand(self, value: object, text: str) -> Any:
        """What stands beside a sign or in a function, as a number or an expression."""
        if isinstance(value, str) and not isinstance(value, Quoted):
            return self.symbol(value, text)
        return value

    def total(self, terms: Sequence[object], signs: Sequence[int], text: str) -> sympy.Expr:
        """a + b - c."""
        return arithmetic.total([self.operand(t, text) for t in terms], signs, text)

    def product(self, factors: Sequence[object], powers: Sequence[int], text: str) -> sympy.Expr:
        """a * b / c."""
        return arithmetic.product([self.operand(f, text) for f in factors], powers, text)

    def power(self, base: float | sympy.Expr, exponent: object, text: str) -> int | sympy.Expr:
        """a ** b."""
        return arithmetic.power(self.operand(base, text), self.operand(exponent, text), text)

    def positive(self, value: object, text: str) -> Any:
        """+a."""
        arithmetic.exactly(0 if isinstance(value, float) else self.operand(value, text), text)
        return value

    def negative(self, value: float | sympy.Expr, text: str) -> float | sympy.Expr:
        """-a, a float where a is one."""
        if isinstance(value, float):
            return -value
        value = self.operand(value, text)
        arithmetic.exactly(value, text)
        return -value

    def compare(self, sign: str, left: object, right: object, text: str) -> Any:
        """a < b has no meaning outside of costs."""
        refuse(text, f"with {sign!r}", "a number, a name, or a call", "leave the comparison out")
