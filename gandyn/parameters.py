"""Parameters of rules, losses and penalties as they come in: numbers, expressions, booleans, or text that says them."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from .errors import ParameterError
from .lazy import sympy
from .text import boolean
from .worlds import exact, is_symbolic


def parse_parameters(item: object, *names: str) -> None:
    """For `__post_init__` of a frozen dataclass: text becomes the number or the free positive symbols that it says.

    Raises:
        ParameterError: for what is no finite number, expression or text, and as `parse_flags`.
    """
    for name in names:
        value = getattr(item, name)
        if getattr(value, "ndim", 0):
            from .symbolic.members import per_member

            value = per_member(value, name)
            object.__setattr__(item, name, value)
        if isinstance(value, str):
            value = exact(value)
            object.__setattr__(item, name, value)
        if isinstance(value, (bool, np.bool_)) or not (is_number(value) or is_symbolic(value)) or not finite(value):
            given = f"{type(item).__name__}({name}={value!r})"
            raise ParameterError(
                given, "a finite number, a SymPy expression, or a free parameter's name", f"{name}=0.1"
            )
    parse_flags(item)


def parse_flags(item: Any) -> None:
    """For `__post_init__` of a frozen dataclass: fields declared `bool` become one, from "yes", "off" and the like.

    Raises:
        ParameterError: for what is neither a boolean nor such a word.
    """
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
    if not is_symbolic(value):
        return bool(np.isfinite(value))
    return isinstance(value, sympy.Expr) and not value.has(sympy.oo, -sympy.oo, sympy.zoo, sympy.nan)
