"""Numbers, flags and texts as arguments: each check returns the value as the function is to have it, or refuses it."""

from __future__ import annotations

import math
import numbers
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..budget import Budget
from ..errors import ParameterError, shown
from ..parameters import finite, is_number
from ..types import Array, Parameter
from ..worlds import axes, is_symbolic

LARGEST_COUNT = 10**12
LARGEST_SEED = 2**63 - 1

NOTHING: Mapping[str, object] = {}
# (name, value, the other arguments) -> the value as the function is to have it
Check = Callable[[str, Any, Mapping[str, object]], object]


def a_function(name: str, value: object, given: Mapping[str, object] = NOTHING) -> Callable[..., object]:
    """Return `value` where it can be called and is no class; refuse anything else. `progress` may be a class."""
    if not callable(value) or (isinstance(value, type) and name != "progress"):
        raise ParameterError(f"{name}={shown(value)}", "a function", f"{name}=lambda w: ...")
    return value


def returned(name: str, value: Array) -> np.ndarray:
    """What the user's function `name` returned, as an array of floats. Raises ParameterError if it is not real."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        value = value.double() if value.is_floating_point() else value  # NumPy has no bfloat16
    try:
        return np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        needed = "a function that returns real numbers"
        raise ParameterError(f"{name}, which returned {shown(value)}", needed, "return an array") from None


def count(name: str, value: object, given: Mapping[str, object] = NOTHING) -> int:
    """Return a whole number of size at most 10**12 as an int; refuse anything else."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise ParameterError(f"{name}={shown(value)}", "a whole number", f"{name}=10")
    if abs(int(value)) > LARGEST_COUNT:
        raise ParameterError(f"{name}={shown(value)}", f"at most {LARGEST_COUNT:.0e}", "a smaller number")
    return int(value)


def whole(name: str, value: Any, least: int = 1, most: int = LARGEST_COUNT) -> int:
    """Return a whole number in a range as an int; refuse anything else."""
    kind = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not kind or int(value) < least or most < int(value) <= LARGEST_COUNT:
        range_ = f">= {least}" if most == LARGEST_COUNT else f"from {least} to {most}"
        raise ParameterError(f"{name}={shown(value)}", f"a whole number {range_}", f"{name}={least or 10}")
    return count(name, value)


def several(name: str, value: object, given: Mapping[str, object] = NOTHING) -> int:
    """Return a whole number from 1 up to 10**12 as an int; refuse anything else."""
    return whole(name, value)


def positive(name: str, value: Any, infinite: bool = False) -> float:
    """Return a positive number as a float, finite unless it may be `infinite`; refuse anything else."""
    number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    if not number or not (0 < value < math.inf or (infinite and value == math.inf)):
        raise ParameterError(f"{name}={shown(value)}", "a positive number", f"{name}=1.0")
    return float(value)


def sizes(name: str, value: object, given: Mapping[str, object] = NOTHING) -> tuple[int, ...]:
    """Return whole numbers from 1 as a tuple of ints; refuse anything else."""
    if isinstance(value, (str, Mapping)) or not isinstance(value, (Sequence, np.ndarray)):
        raise ParameterError(f"{name}={shown(value)}", "whole numbers from 1", f"{name}=(128, 128)")
    return tuple(several(f"{name}[{k}]", one) for k, one in enumerate(value))


def seed(name: str, value: Any, given: Mapping[str, object] = NOTHING) -> Any:
    """Return a seed from 0 to 2**63 - 1 as an int, or a generator as it is; `rng` may be None. Refuse anything else."""
    torch = sys.modules.get("torch")
    generators = (np.random.Generator,) if torch is None else (np.random.Generator, torch.Generator)
    if isinstance(value, generators) or (value is None and name == "rng"):
        return value
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or not 0 <= int(value) <= LARGEST_SEED:
        raise ParameterError(f"{name}={shown(value)}", "a whole number from 0 to 2**63 - 1", f"{name}=0")
    return int(value)


def real(name: str, value: Any, given: Mapping[str, object] = NOTHING) -> Any:
    """Return `value` where it is a real number, which may be infinite; refuse anything else, and NaN."""
    number = is_number(value) or rational(value) or getattr(value, "shape", None) == ()
    if is_symbolic(value):  # a number of SymPy's, or an infinity
        number = not value.free_symbols and bool(value.is_extended_real)
    if isinstance(value, (bool, np.bool_, complex, str, bytes)) or not number:
        raise ParameterError(f"{name}={shown(value)}", "a real number", f"{name}=0.1")
    if not finite(value) if isinstance(value, int) else is_number(value) and math.isnan(value):  # 10**400: no float
        raise ParameterError(f"{name}={shown(value)}", "a real number", f"{name}=0.1")
    return value


def word(name: str, value: object, given: Mapping[str, object] = NOTHING) -> str:
    """Return `value` where it is a text; refuse anything else."""
    if not isinstance(value, str):
        raise ParameterError(f"{name}={shown(value)}", "a text", f"see help for the values of {name}")
    return value


def words(name: str, value: object, given: Mapping[str, object] = NOTHING) -> str | Sequence[str]:
    """Return `value` where it is a text or a list of texts; refuse anything else."""
    if isinstance(value, str):
        return value
    if not isinstance(value, (list, tuple)) or not value or not all(isinstance(v, str) for v in value):
        raise ParameterError(f"{name}={shown(value)}", "a text, or a list of them", f"see help for {name}")
    return value


def from_zero(name: str, value: object, given: Mapping[str, object] = NOTHING) -> int:
    """Return a whole number from 0 up to 10**12 as an int; refuse anything else."""
    return whole(name, value, 0)


def parameter(name: str, value: Parameter, given: Mapping[str, object] = NOTHING) -> Parameter:
    """Return `value` where it is a finite number, an expression, a text of one, or a tuple or dict of these."""
    if isinstance(value, Mapping) or (isinstance(value, (tuple, list)) and value):
        for one in value.values() if isinstance(value, Mapping) else value:
            parameter(name, one)
    elif not isinstance(value, str) and not axes(value):
        number = is_number(value) or is_symbolic(value) or rational(value)
        if isinstance(value, (bool, np.bool_)) or not number or not (rational(value) or finite(value)):
            raise ParameterError(f"{name}={shown(value)}", "a finite number, an expression or a text", f"{name}=0.1")
    return value


def above_zero(name: str, value: Any, given: Mapping[str, object] = NOTHING) -> Any:
    """Return `value` where it is a positive number, or a `Budget` that is being spent; refuse anything else."""
    if isinstance(value, Budget):
        return value
    number = (is_number(value) or rational(value) or getattr(value, "is_real", False)) and not isinstance(
        value, complex
    )
    too_large = isinstance(value, int) and not finite(value)
    if isinstance(value, (bool, np.bool_)) or not number or too_large or not value > 0:
        needed = "a positive number" + (" of seconds, or of what it counts" if name == "budget" else "")
        raise ParameterError(f"{name}={shown(value)}", needed, f"{name}=0.1")
    return value


def flag(name: str, value: object, given: Mapping[str, object] = NOTHING) -> bool:
    """Return a flag as True or False; refuse anything else, numbers included."""
    if not isinstance(value, (bool, np.bool_)):
        raise ParameterError(f"{name}={shown(value)}", "True or False", f"{name}=True")
    return bool(value)


def rational(value: object) -> bool:
    """Whether a value is a rational number of Python, such as a `Fraction`, and not one of SymPy."""
    return isinstance(value, numbers.Rational) and not is_symbolic(value)
