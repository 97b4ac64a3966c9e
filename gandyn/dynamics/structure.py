"""What of a rule is structure and what is data: one kernel serves all values of a parameter.

Numbers in the fields that a rule declares as parameters are data, except 0, which removes terms
from the map, and values that are not real. A symbol stands for each while the rule is traced; signs belong to the
structure, because simplification uses them. Values for each member of an ensemble are data too, whatever they are. The
rules of the library never ask a number which it is; those of others may, and are traced with the numbers they have.
"""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..lazy import sympy
from ..symbolic.members import members_in
from ..types import Rule
from ..worlds import is_symbolic

PLAIN = (0,)
KEPT = "_structure"  # among the attributes of a rule: its structure, with the values that it was read from


@dataclasses.dataclass(frozen=True)
class Structure:
    """A rule apart from its numbers.

    Attributes:
        key: equal for rules that differ in data alone. values: the data, a float or a symbol that carries one value
            for each member, in the order in which `symbolic` is given them.
    """

    rule: Rule
    scalars: bool
    key: Any
    values: tuple[Any, ...]

    @property
    def symbolic(self) -> tuple[Rule, tuple[Any, ...]]:
        """The rule with a symbol for each of its data, and the symbols."""
        symbols: list[Any] = []

        def name(value: object) -> Any:
            sign = _sign(value)
            symbols.append(sympy.Symbol(f"_data_{len(symbols)}", **({sign: True} if sign else {}), real=True))
            return symbols[-1]

        rule = _mapped(self.rule, self.scalars, name) if self.values else self.rule
        return rule, tuple(symbols)


def structure_of(rule: Rule, scalars: bool = True) -> Structure:
    """The structure of a rule, kept with it; with `scalars` false, only values for each member are data."""
    fields = [value for name, value in vars(rule).items() if name != KEPT]
    before, kept = vars(rule).get(KEPT, {}).get(scalars, ((), None))
    found: Structure | None = kept
    if found is None or len(before) != len(fields) or not all(map(operator.is_, before, fields)):
        found = _read(rule, scalars)
        if all(map(_settled, fields)):
            vars(rule).setdefault(KEPT, {})[scalars] = fields, found
    return found


def _settled(value: object) -> bool:
    """Whether the same object has the same content for good."""
    if isinstance(value, tuple):
        return all(map(_settled, value))
    if isinstance(value, Rule):
        frozen = dataclasses.is_dataclass(value) and value.__dataclass_params__.frozen
        return frozen and all(_settled(one) for name, one in vars(value).items() if name != KEPT)
    return value is None or isinstance(value, (int, float, complex, str)) or is_symbolic(value)


def _read(rule: Rule, scalars: bool) -> Structure:
    values: list[Any] = []

    def take(value: object) -> tuple[str, str]:
        values.append(value)
        return "datum" if isinstance(value, float) else "column", _sign(value)

    key = _key(rule, scalars, take)
    return Structure(rule, scalars, key, tuple(values))


def _sign(value: object) -> str:
    if isinstance(value, float):
        return "positive" if value > 0 else "negative"
    return next((sign for sign in ("positive", "negative", "nonnegative") if getattr(value, f"is_{sign}")), "")


def _datum(value: Any, scalars: bool) -> float | None:
    """A parameter as data: a float, or a symbol that carries values; None for what belongs to the structure."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value) if scalars and value not in PLAIN else None
    if not is_symbolic(value):
        return None
    if value.free_symbols:
        return value if members_in(value) == (value,) else None
    return float(value) if scalars and value.is_extended_real and value not in PLAIN else None


def _is_formula(value: object) -> bool:
    """Whether a parameter is an expression in symbols that carry values: a complex array, or a product of arrays."""
    return is_symbolic(value) and members_in(value) not in ((), (value,))


def _fields(rule: Rule) -> list[tuple[Any, Any]]:
    found: tuple[Any, ...] = dataclasses.fields(rule) if dataclasses.is_dataclass(rule) else ()
    return [(field, getattr(rule, field.name)) for field in found if field.init]


def _ours(rule: Rule) -> bool:
    return type(rule).__module__.partition(".")[0] == __name__.partition(".")[0]


def _key(rule: Rule, scalars: bool, take: Callable[[Any], Any]) -> Any:
    """The rule's class and its fields, each datum replaced by what `take` says of it."""

    def of(value: Any, numeric: bool) -> Any:
        if isinstance(value, Rule):
            return _key(value, scalars, take)
        if isinstance(value, Mapping):
            return "dict", tuple((k, of(v, numeric)) for k, v in value.items())
        if isinstance(value, (tuple, list)):
            return "tuple", tuple(of(v, numeric) for v in value)
        if numeric and _is_formula(value):
            inside = members_in(value)
            places = {s: sympy.Symbol(f"_place_{k}") for k, s in enumerate(inside)}
            return "formula", value.xreplace(places), tuple(map(take, inside))
        datum = _datum(value, scalars) if numeric else None
        return (type(value), _hashable(value)) if datum is None else take(datum)

    if not dataclasses.is_dataclass(rule):
        return rule
    scalars = scalars and _ours(rule)
    return type(rule), tuple(of(value, "numeric" in field.metadata) for field, value in _fields(rule))


def _hashable(value: object) -> Any:
    """The value, or what is equal where an array is; anything else that cannot be hashed equals nothing."""
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype.str, value.tobytes()
    try:
        hash(value)
    except TypeError:
        return object()
    return value


def _mapped(rule: Rule, scalars: bool, name: Callable[[Any], Any]) -> Rule:
    """The rule with each datum replaced, in the order of `_key`."""

    def of(value: Any, numeric: bool) -> Any:
        if isinstance(value, Rule):
            return _mapped(value, scalars, name)
        if isinstance(value, Mapping):
            return {k: of(v, numeric) for k, v in value.items()}
        if isinstance(value, (tuple, list)):
            return tuple(of(v, numeric) for v in value)
        if numeric and _is_formula(value):
            return value.xreplace({s: name(s) for s in members_in(value)})
        datum = _datum(value, scalars) if numeric else None
        return value if datum is None else name(datum)

    scalars = scalars and _ours(rule)
    changes = {field.name: of(value, "numeric" in field.metadata) for field, value in _fields(rule)}
    return dataclasses.replace(rule, **changes)  # type: ignore[type-var]
