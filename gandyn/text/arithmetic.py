"""Exact arithmetic on what a text says, within the range of floats: nothing grows until it hangs or overflows."""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence
from decimal import Decimal

from ..lazy import sympy
from .refusal import refuse

LARGEST_POWER = 64
LARGEST_EXPONENT = 709  # exp of more is no float
LARGEST_BITS = 1024  # of an integer that is a float

# Name, in lower case: SymPy's name for it, and the least and the largest number of arguments.
FUNCTIONS: dict[str, tuple[str, int, int]] = {
    **{name: (name, 1, 1) for name in ("sqrt", "cbrt", "exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{name: (name, 1, 1) for name in ("atan", "erf", "sign", "sigmoid", "softplus", "log_sigmoid")},
    "abs": ("Abs", 1, 1),
    "max": ("Max", 2, 20),
    "min": ("Min", 2, 20),
    "heaviside": ("Heaviside", 1, 2),
    "root": ("root", 2, 2),
    "piecewise": ("Piecewise", 1, 20),
}
OURS = ("sigmoid", "softplus", "log_sigmoid")


def decimal(source: str, text: str) -> complex | sympy.Expr:
    """A number as it is written: an int, a float where that prints as the same decimal, else an exact fraction."""
    plain = source.replace("_", "")
    if plain[-1] in "jJ":
        return in_range(complex(plain), text)
    if plain.isdigit():
        return in_range(int(plain), text)
    value = float(plain)
    digits = plain.lower().partition("e")[0]
    if not math.isfinite(value) or (value == 0 and any(c in "123456789" for c in digits)):
        refuse(text, f"with {source}, which no float can hold", "5e-324 to 1.8e308 in size", "use other units")
    if Decimal(repr(value)) == Decimal(plain):
        return value
    return sympy.Rational(plain)


def exactly(value: object, text: str) -> sympy.Expr:
    """A value as a SymPy number or expression, for arithmetic."""
    if isinstance(value, sympy.Basic):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float, complex)):
        shown = f"{value!r}"[:40]
        refuse(text, f"which reckons with {shown}", "numbers and names between + - * /", "0.1, 1/3 or 2*eta")
    if isinstance(value, int):
        return sympy.Integer(value)
    if isinstance(value, complex):
        return exactly(value.real, text) + sympy.I * exactly(value.imag, text)
    if not math.isfinite(value):
        refuse(text, f"which reckons with {value}", "finite numbers", "leave the arithmetic out")
    return sympy.Rational(repr(value))


def total(terms: Sequence[sympy.Expr], signs: Sequence[int], text: str) -> sympy.Expr:
    """The sum of terms, each with its sign."""
    if any(isinstance(t, complex) for t in terms) and _numbers(terms):
        return in_range(sum(s * complex(t) for s, t in zip(signs, terms, strict=True)), text)
    return in_range(sympy.Add(*(s * exactly(t, text) for s, t in zip(signs, terms, strict=True))), text)


def product(factors: Sequence[float | sympy.Expr], powers: Sequence[int], text: str) -> sympy.Expr:
    """The product of factors, each to the power 1 or -1."""
    if any(
        p < 0 and not isinstance(f, complex) and exactly(f, text) == 0 for f, p in zip(factors, powers, strict=True)
    ):
        refuse(text, "which divides by zero", "a divisor that is not zero", "check it")
    try:
        if any(isinstance(f, complex) for f in factors) and _numbers(factors):
            return in_range(math.prod(complex(f) ** p for f, p in zip(factors, powers, strict=True)), text)
    except (OverflowError, ZeroDivisionError):
        _out_of_range(text)
    return in_range(sympy.Mul(*(exactly(f, text) ** p for f, p in zip(factors, powers, strict=True))), text)


def power(base: float | sympy.Expr, exponent: int | sympy.Expr, text: str) -> int | sympy.Expr:
    """base ** exponent, for exponents up to 64 in size."""
    base, exponent = exactly(base, text), exactly(exponent, text)
    if not exponent.free_symbols and not abs(complex(exponent)) <= LARGEST_POWER:
        refuse(text, f"with a power of {str(exponent)[:20]}", f"powers up to {LARGEST_POWER}", "write the number out")
    result = in_range(base**exponent, text)
    grown = result.exp if isinstance(result, sympy.Pow) else sympy.Integer(0)
    if not grown.free_symbols and not abs(complex(grown)) <= LARGEST_POWER:
        refuse(
            text, "with a power of a power", f"powers up to {LARGEST_POWER}", "give the expression as a SymPy object"
        )
    return result


def function(name: str, arguments: Sequence[object], text: str) -> sympy.Expr:
    """A function of the table, of exact arguments. Raises ParameterError for the wrong number of arguments, or a value
    that no float holds.
    """
    known, least, most = FUNCTIONS[name.casefold()]
    if not least <= len(arguments) <= most:
        needed = f"{least}" if least == most else f"{least} to {most}"
        refuse(text, f"with {len(arguments)} arguments of {name}", f"{needed} of them", f"{name}(0.5)")
    if known == "Piecewise":
        return in_range(sympy.Piecewise(*(_piece(a, text) for a in arguments)), text)
    values = [exactly(a, text) for a in arguments]
    if known in ("exp", "sinh", "cosh"):
        _bounded(values[0], name, text)
    if known in OURS:
        from ..symbolic import functions

        return in_range(getattr(functions, known)(*values), text)
    if known == "root" and (not values[1].is_Integer or not 1 <= int(values[1]) <= LARGEST_POWER):
        refuse(text, f"with a root of degree {values[1]}", f"a degree from 1 to {LARGEST_POWER}", "root(2, 3)")
    try:
        value = getattr(sympy, known)(*values)
    except (TypeError, ValueError) as error:
        refuse(text, f"where {name} cannot be taken ({str(error)[:60]})", "real numbers", f"check what {name} is given")
    return in_range(value, text)


def _piece(pair: object, text: str) -> tuple[sympy.Expr, sympy.Basic]:
    if not (isinstance(pair, tuple) and len(pair) == 2):
        refuse(text, "with a piece that is no pair", "pairs (value, condition)", "Piecewise((x, x > 0), (0, true))")
    value, condition = pair
    if not isinstance(condition, (bool, sympy.logic.boolalg.Boolean)):
        refuse(text, "with a condition that is none", "x > 0, x <= 1 or true", "Piecewise((x, x > 0), (0, true))")
    return exactly(value, text), condition


def _numbers(values: Sequence[object]) -> bool:
    return all(isinstance(v, (int, float, complex)) and not isinstance(v, bool) for v in values)


def _bounded(value: sympy.Expr, name: str, text: str) -> None:
    if not value.free_symbols and not abs(complex(value)) <= LARGEST_EXPONENT:
        refuse(text, f"with {name} of {str(value)[:20]}", f"arguments up to {LARGEST_EXPONENT}", "use other units")


def in_range(value: complex | sympy.Expr, text: str) -> complex | sympy.Expr:
    """The value, if floats can hold it (of an expression with names, its leading factor); else a refusal.

    Whole numbers come back as Python's own.
    """
    if isinstance(value, int):
        if value.bit_length() > LARGEST_BITS:
            _out_of_range(text)
        return value
    if isinstance(value, complex):
        if not cmath.isfinite(value):
            _out_of_range(text)
        return value
    if value.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo):
        refuse(text, "which has no finite value", "a number", "check for a division by zero or log(0)")
    if isinstance(value, sympy.logic.boolalg.Boolean):
        return value
    number = value if not value.free_symbols else value.as_coeff_Mul()[0]
    if number.is_Rational:
        if max(abs(int(number.p)), int(number.q)).bit_length() > 2 * LARGEST_BITS:
            _out_of_range(text)
        if number.is_Integer and number is value:
            return in_range(int(number), text)
    try:
        size = abs(complex(number))
    except OverflowError:
        size = math.inf
    if not math.isfinite(size) or (size == 0 and number.is_zero is False):
        _out_of_range(text)
    return value


def _out_of_range(text: str) -> None:
    refuse(text, "with a number that no float can hold", "5e-324 to 1.8e308 in size", "use other units")
