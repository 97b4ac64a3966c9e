"""Parameters with one value for each member of an ensemble: symbols that carry their values.

Exact computations treat them as symbols, so a rule or a game may hold one in place of a name such as "lr", and one map
is traced for all members. Numerical computations use the values, broadcast against the leading axes of the ensemble.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar

import numpy as np
import sympy

from ..errors import ParameterError, ShapeError
from ..lazy import torch


class PerMember(sympy.Symbol):  # type: ignore[misc]
    """A real symbol that carries an array of values over the leading axes of an ensemble.

    Two of them are equal where their names and their values are.

    Attributes:
        values: the numbers, a read-only array.
        made: whether this process has made any; while it has not, nobody needs to search for them.
    """

    __slots__ = ("_digest", "_tensors", "values")
    made: ClassVar[bool] = False
    values: np.ndarray
    _tensors: dict[tuple[torch.dtype, torch.device], torch.Tensor]

    def __new__(cls, values: np.ndarray, name: str = "parameter") -> PerMember:
        """The symbol of a name and its values; it is assumed positive, negative and so on where all values are."""
        array = np.array(values, dtype=float)
        array.setflags(write=False)
        made: PerMember = sympy.Symbol.__xnew__(cls, name, real=True, **_signs(array))
        made.values, made._tensors, PerMember.made = array, {}, True
        made._digest = hashlib.sha256(array.tobytes() + repr(array.shape).encode()).hexdigest()
        return made

    def __getnewargs_ex__(self) -> tuple[tuple[np.ndarray, str], dict[str, bool]]:
        return (self.values, self.name), {}

    def __reduce_ex__(self, protocol: object) -> tuple[type[PerMember], tuple[np.ndarray, str]]:
        return PerMember, (self.values, self.name)

    def _hashable_content(self) -> tuple[object, ...]:
        return (*super()._hashable_content(), self._digest)

    def __repr__(self) -> str:
        shape, values = " x ".join(map(str, self.values.shape)), self.values
        return f"<{shape} values from {values.min():.6g} to {values.max():.6g}>"

    def like(self, w: np.ndarray | torch.Tensor) -> np.ndarray | torch.Tensor:
        """The values as an array of the world of w: NumPy, or torch in the precision and on the device of w."""
        if isinstance(w, np.ndarray):
            return self.values
        place = (w.dtype, w.device)
        if place not in self._tensors:
            self._tensors[place] = torch.as_tensor(np.array(self.values), dtype=w.dtype, device=w.device)
        return self._tensors[place]


def _signs(values: np.ndarray) -> dict[str, bool]:
    if not values.size:
        return {}
    low, high = values.min(), values.max()
    tests = {"positive": low > 0, "negative": high < 0, "nonnegative": low >= 0, "nonpositive": high <= 0}
    return next(({name: True} for name, holds in tests.items() if holds), {})


def per_member(values: object, name: str = "parameter") -> sympy.Expr:
    """An array of numbers as a parameter with one value for each member of an ensemble.

    A complex array becomes a + I b with one symbol for the real parts and one for the imaginary parts.

    Raises:
        ParameterError: for an empty array, and for entries that are not finite numbers.
    """
    array = np.asarray(values)
    if array.dtype == object or array.dtype.kind not in "biufc" or array.dtype.kind == "b":
        given = f"{name}: an array of {array.dtype}"
        raise ParameterError(given, "an array of numbers over the members of an ensemble", f"{name}=0.1")
    if not array.size:
        raise ParameterError(f"{name}: an array of shape {array.shape}", "one value at least", f"{name}=0.1")
    if not np.isfinite(array).all():
        raise ParameterError(f"{name}: an array with entries that are not finite", "finite numbers", f"{name}=0.1")
    if array.dtype.kind == "c":
        return PerMember(array.real, f"{name}_real") + sympy.I * PerMember(array.imag, f"{name}_imaginary")
    return PerMember(array, name)


def values_of(expression: sympy.Expr, w: np.ndarray | torch.Tensor) -> np.ndarray | torch.Tensor | None:
    """An expression in symbols that all carry values, as an array or tensor like w; None where another is free."""
    if isinstance(expression, PerMember):
        return expression.like(w)
    symbols = sorted(expression.free_symbols, key=str)
    if not all(isinstance(s, PerMember) for s in symbols):
        return None
    values = sympy.lambdify(symbols, expression, "numpy")(*(s.values for s in symbols))
    return PerMember(values, "value").like(w)


def members_in(*values: object) -> tuple[PerMember, ...]:
    """The `PerMember` symbols inside games, rules, tuples, dicts or expressions, each once, in order of appearance."""
    return tuple(dict.fromkeys(found for value in values for found in _inside(value))) if PerMember.made else ()


def _inside(value: object) -> Iterator[PerMember]:
    if isinstance(value, sympy.Basic):
        yield from sorted((s for s in value.free_symbols if isinstance(s, PerMember)), key=str)
    elif isinstance(value, Mapping):
        yield from _all(value.values())
    elif isinstance(value, (tuple, list)):
        yield from _all(value)
    elif hasattr(value, "field") and hasattr(value, "parameters"):  # a game
        yield from _all(value.parameters)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        yield from _all(getattr(value, f.name) for f in dataclasses.fields(value))


def _all(values: Iterable[object]) -> Iterator[PerMember]:
    for value in values:
        yield from _inside(value)


def spread(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """An array or tensor broadcast to a shape."""
    return np.broadcast_to(array, shape) if isinstance(array, np.ndarray) else array.expand(*shape)


def ensemble_shape(leading: Sequence[int], symbols: Iterable[PerMember], what: str = "a start") -> tuple[int, ...]:
    """The shape of an ensemble: leading axes of points and parameters, broadcast. Raises ShapeError if they differ."""
    symbols = tuple(symbols)
    try:
        return np.broadcast_shapes(tuple(leading), *(s.values.shape for s in symbols))
    except ValueError:
        given = ", ".join(f"{s.name} of shape {s.values.shape}" for s in symbols)
        raise ShapeError(
            f"{given}, one value per member, with {what} over members of shape {tuple(leading)}",
            "shapes that broadcast",
            f"{what} of shape (*{symbols[0].values.shape}, d), or one number for {symbols[0].name}",
        ) from None
