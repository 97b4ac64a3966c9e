"""What every rule file uses: registration, and parameters that may be numbers, symbols, names, or one per player."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np

from ..errors import ParameterError
from ..registry import Entry
from ..types import Rule
from ..worlds import exact, is_symbolic
from . import registry

R = TypeVar("R", bound=type[Rule])


def register(rule: R) -> R:
    """Class decorator: list the rule under its own name and its aliases."""
    registry.add(Entry(rule.__name__, rule, aliases=rule.aliases))
    return rule


def parse(rule: Rule, positive: Callable[[Any], bool] | None = None, **parameters: Any) -> None:
    """Store parameters on a frozen rule: strings become positive symbols, containers keep one value per player.

    Raises:
        ParameterError: for what is not a number or an expression, and for numbers that `positive` or finiteness refuse.
    """
    for name, value in parameters.items():
        object.__setattr__(rule, name, _parse_one(rule, name, value, positive))


def _parse_one(rule: Rule, name: str, value: Any, accept: Callable[[Any], bool] | None) -> Any:
    if isinstance(value, Mapping):
        return {key: _parse_one(rule, name, v, accept) for key, v in value.items()}
    if isinstance(value, (tuple, list)):
        return tuple(_parse_one(rule, name, v, accept) for v in value)
    if isinstance(value, str):
        return exact(value)
    if is_symbolic(value):
        return value
    if isinstance(value, (bool, np.ndarray)) or not isinstance(value, (int, float, complex, np.number)):
        raise ParameterError(
            f"{rule.name}({name}={value!r})",
            "a number, a SymPy expression, a name for a free parameter, or one of these per player",
            f"{name}=0.1, or {name}=(0.1, 0.2)",
        )
    value = value.item() if isinstance(value, np.number) else value
    if not np.isfinite(value) or (accept is not None and not accept(value)):
        needed = "a finite number" if accept is None else "a positive number"
        raise ParameterError(f"{rule.name}({name}={value!r})", needed, f"{name}=0.1")
    return value


def step_size(value: Any) -> bool:
    """Accepts step sizes: real and positive."""
    return not isinstance(value, complex) and value > 0
