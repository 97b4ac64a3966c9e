"""Parameters of rules, losses and penalties as they come in: numbers, expressions, booleans, or text that says them."""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from .errors import ParameterError
from .lazy import sympy
from .text import boolean
from .worlds import axes, exact, is_symbolic

Number: TypeAlias = "complex | np.number[Any] | sympy.Expr"


def declared(read: Callable[[Any, str, Any], object], **more: Any) -> Any:
    """A field of a frozen dataclass that keeps `read(item, name, value)` of the value it is given (`read_fields`).

    `more` is what `dataclasses.field` takes; its metadata are kept.
    """
    return dataclasses.field(**more | {"metadata": more.get("metadata", {}) | {"read": read}})


def declared_number(low: float = -math.inf, high: float = math.inf, needed: str = "", **more: object) -> Any:
    """A field for one number, expression or name of a free parameter; `needed` says "{name} >= 0" for low = 0.

    It refuses numbers that are not finite, and those not real or out of [low, high] where one of these is finite.
    """

    def read(item: object, name: str, value: object) -> Number:
        number = read_number(item, name, value)
        if needed and not _between(number, low, high):
            raise ParameterError(f"{type(item).__name__}({name}={number})", needed.format(name=name), f"{name}=0.1")
        return number

    return declared(read, **more)


def read_fields(item: Any) -> None:
    """For `__post_init__`: each field keeps what its declaration reads. Raises ParameterError for wrong values."""
    for field in dataclasses.fields(item):
        if "read" in field.metadata:
            object.__setattr__(item, field.name, field.metadata["read"](item, field.name, getattr(item, field.name)))
    parse_flags(item)


def read_plain_numbers(item: Any) -> None:
    """Text in a field that was declared with a plain number with a point, `momentum: Any = 0.3`, is the number or the
    expression in free positive symbols that it says. Raises ParameterError as `read_number`.
    """
    for field in dataclasses.fields(item):
        value = getattr(item, field.name)
        if isinstance(value, str) and isinstance(field.default, float) and "read" not in field.metadata:
            object.__setattr__(item, field.name, read_number(item, field.name, value))


def read_number(item: object, name: str, value: object) -> Number:
    """A finite number or expression; text is parsed, an array has one per member. Raises ParameterError otherwise."""
    if axes(value):
        from .symbolic.members import per_member

        value = per_member(value, name)
    read = exact(value) if isinstance(value, str) else value
    if isinstance(read, (bool, np.bool_)) or not (is_number(read) or is_symbolic(read)) or not finite(read):
        given = f"{type(item).__name__}({name}={read!r})"
        raise ParameterError(given, "a finite number, a SymPy expression, or a free parameter's name", f"{name}=0.1")
    return read


def _between(value: Any, low: float, high: float) -> bool:
    """Whether a number is real and in [low, high]; an expression is, unless its assumptions say that it is not."""
    if not is_symbolic(value):
        return not isinstance(value, complex) and bool(low <= value <= high)
    return value.is_real is not False and not (value - low).is_negative and not (high - value).is_negative


def parse_flags(item: Any) -> None:
    """Fields declared `bool` become one, from "yes", "off" and the like. Raises ParameterError for other values."""
    for field in dataclasses.fields(item):
        if field.type not in ("bool", bool):
            continue
        value = getattr(item, field.name)
        read = boolean(value) if isinstance(value, str) else value
        if not isinstance(read, (bool, np.bool_)):
            given = f"{type(item).__name__}({field.name}={value!r})"
            raise ParameterError(given, "True or False", f"{field.name}=True")
        object.__setattr__(item, field.name, bool(read))


def is_number(value: object) -> bool:
    """Whether a value is a number of Python or NumPy."""
    return isinstance(value, (int, float, complex, np.number))


def finite(value: complex | sympy.Expr) -> bool:
    """Whether a parameter is finite; an expression with free symbols is, unless it has an infinity in it."""
    if isinstance(value, int):  # NumPy knows none beyond 64 bits
        return abs(value) <= sys.float_info.max
    if not is_symbolic(value):
        return bool(np.isfinite(value))
    return isinstance(value, sympy.Expr) and not value.has(sympy.oo, -sympy.oo, sympy.zoo, sympy.nan)
