"""What every rule file uses: registration, and parameters that may be numbers, symbols, names, or one per player."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, TypeVar

import numpy as np

from ..errors import ParameterError
from ..parameters import declared, finite, is_number
from ..registry import Entry, called_rightly
from ..types import Array, Game, Rng, Rule
from ..worlds import axes, exact, is_symbolic, zeros_like
from . import registry

R = TypeVar("R", bound=type[Rule])
MOST_INNER_STEPS = 100_000


def parameter(accept: Callable[[Any], bool] | None = None, *, default: object = dataclasses.MISSING) -> Any:
    """A field that holds a finite number, an expression, or one of these per player; text becomes what it says.

    An array holds one number for each member of an ensemble. The metadata say that kernels take the value as data.

    `accept`: what numbers must satisfy; `default`: taken as it is; None may stand for "not given".
    """

    def read(rule: Rule, name: str, value: object) -> Any:
        return value if value is None and default is None else read_number(rule, name, value, accept)

    return declared(read, default=default, metadata={"numeric": True})


def step_size(*, default: object = dataclasses.MISSING) -> Any:
    """A field that holds a positive number, once or per player."""
    return parameter(positive, default=default)


def weight(*, default: object = dataclasses.MISSING) -> Any:
    """A field that holds a number that is not negative, once or per player."""
    return parameter(nonnegative, default=default)


def coefficient(*, default: object = dataclasses.MISSING) -> Any:
    """A field that holds a real number, once or per player."""
    return parameter(real, default=default)


def accuracy(*, default: float) -> Any:
    """A field that holds one positive number which decides when an inner solver stops: no parameter of the map."""

    def read(rule: Rule, name: str, value: object) -> Any:
        if axes(value):
            raise ParameterError(f"{rule.name}({name}=an array)", "one number for all members", f"{name}={default}")
        return read_number(rule, name, value, positive)

    return declared(read, default=default)


def count(least: int, *, default: object = dataclasses.MISSING, optional: bool = False) -> Any:
    """A field that holds a whole number from `least` to 100 000: one step of a rule has to end. None if optional."""

    def read(rule: Rule, name: str, value: Any) -> Any:
        if value is None and (optional or default is None):
            return None
        if not is_count(value, least):
            needed = f"a whole number from {least} to {MOST_INNER_STEPS}"
            raise ParameterError(f"{rule.name}({name}={value!r})", needed, f"{name}={max(least, 5)}")
        return int(value)

    return declared(read, default=default)


def choice(*accepted: object, default: object = dataclasses.MISSING) -> Any:
    """A field that holds one of the values listed."""

    def read(rule: Rule, name: str, value: object) -> Any:
        plain = isinstance(value, (str, int, float, np.integer))
        found = [one for one in accepted if plain and one == value]
        if not found:
            needed = " or ".join(map(repr, accepted))
            raise ParameterError(f"{rule.name}({name}={value!r})", needed, f"{name}={accepted[0]!r}")
        return found[0]

    return declared(read, default=default)


def derived(declare: Callable[[Any], Any]) -> Any:
    """A declaration that follows from a rule's fields: its `cost`, `domain`, `flow_order` or `memory`."""
    return property(declare)


def trials(build: Callable[[Any], list[Rule]]) -> Any:
    """`examples` of a rule: the instances that `build` makes of its class."""
    return classmethod(build)


def modulus(formula: Callable[..., float | None]) -> Any:
    """`bilinear_modulus` of a rule, by a formula in s and fields of the rule, which it names as its arguments.

    It answers None while one of these fields is an expression or differs between the players.
    """
    names = formula.__code__.co_varnames[1 : formula.__code__.co_argcount]

    def bilinear_modulus(self: Rule, s: float) -> float | None:
        values = [getattr(self, name) for name in names]
        plain = not any(isinstance(v, (Mapping, tuple, complex)) or is_symbolic(v) for v in values)
        return formula(s, *values) if plain else None

    bilinear_modulus.__doc__ = formula.__doc__ or Rule.bilinear_modulus.__doc__
    return bilinear_modulus


def remembers(*rules: type[Rule], **starts: object) -> Mapping[str, Any]:
    """`memory` of a rule: each array with `zero`, `start` or `first_field`, each counter with its first value.

    What the given rules remember comes before it.
    """
    return types.MappingProxyType({k: v for rule in rules for k, v in rule.memory.items()} | starts)


def zero(game: Game, w: Array, rng: Rng) -> Array:
    """An array that starts at zero."""
    return zeros_like(w)


def start(game: Game, w: Array, rng: Rng) -> Array:
    """An array that starts as the starting point."""
    return w


def first_field(game: Game, w: Array, rng: Rng) -> Array:
    """An array that starts as the field at the starting point, as if the previous point had been the start too."""
    return game.field(w, game.draw(rng))


@typing.dataclass_transform(
    frozen_default=True, field_specifiers=(parameter, step_size, weight, coefficient, accuracy, count, choice)
)
def register(rule: R) -> R:
    """Class decorator: make the class a frozen dataclass, and list the rule under its own name and its aliases."""
    dataclasses.dataclass(frozen=True)(rule)  # in place
    registry.add(Entry(rule.__name__, called_rightly(rule), aliases=rule.aliases))
    return rule


def read_number(rule: Rule, name: str, value: Any, accept: Callable[[Any], bool] | None) -> Any:
    """What `parameter` keeps of a value. Raises ParameterError unless it is an expression or an accepted number."""
    if _many(value) and not value:
        raise ParameterError(f"{rule.name}({name}={value!r})", "a number, or one per player", f"{name}=0.1")
    several = list(value.values() if isinstance(value, Mapping) else value) if _many(value) else []
    if any(map(_many, several)):
        raise ParameterError(f"{rule.name}({name}={value!r})", "one number, or one per player", f"{name}=(0.1, 0.2)")
    if isinstance(value, Mapping):
        return {key: read_number(rule, name, v, accept) for key, v in value.items()}
    if isinstance(value, (tuple, list)):
        return tuple(read_number(rule, name, v, accept) for v in value)
    value = exact(value) if isinstance(value, (str, Fraction)) else value
    value = value.real if isinstance(value, (complex, np.complexfloating)) and not value.imag else value
    if axes(value):
        from ..symbolic.members import per_member

        value = per_member(value.detach().cpu().numpy() if hasattr(value, "detach") else value, name)
    if isinstance(value, (bool, np.ndarray)) or not (is_number(value) or is_symbolic(value)):
        raise ParameterError(
            f"{rule.name}({name}={value!r})",
            "a number, a SymPy expression, a name for a free parameter, or one of these per player",
            f"{name}=0.1, or {name}=(0.1, 0.2)",
        )
    value = value.item() if isinstance(value, np.number) else value
    if not finite(value) or (accept is not None and not _accepted(value, accept)):
        needed = "a finite number" if accept is None else "a positive number"
        raise ParameterError(f"{rule.name}({name}={_range(value)})", needed, f"{name}=0.1")
    return value


def _many(value: object) -> bool:
    return isinstance(value, (Mapping, tuple, list))


def _members(value: Any) -> Array | None:
    """The values of an array over the members of an ensemble; None of other parameters."""
    if not is_symbolic(value) or not value.free_symbols:
        return None
    from ..symbolic.members import values_of

    return values_of(value, np.empty(0))


def _range(value: object) -> str:
    """A parameter as messages show it: of an array, from where to where its values go."""
    values = _members(value)
    return repr(value) if values is None else f"values from {values.min():.6g} to {values.max():.6g}"


def _accepted(value: Any, accept: Callable[[Any], bool]) -> bool:
    """Whether a number, of SymPy too, is accepted, or all of an array; an expression with free symbols always is."""
    if is_symbolic(value) and value.free_symbols:
        values = _members(value)
        return values is None or all(map(accept, np.unique(values).tolist()))
    number = complex(value) if is_symbolic(value) else value
    try:
        return accept(number.real if isinstance(number, complex) and number.imag == 0 else number)
    except TypeError:  # a complex number is not between two others
        return False


def positive(value: Any) -> bool:
    """Accepts step sizes: real and positive."""
    return not isinstance(value, complex) and value > 0


def nonnegative(value: Any) -> bool:
    """Accepts weights: real and not negative."""
    return not isinstance(value, complex) and value >= 0


def real(value: Any) -> bool:
    """Accepts coefficients: any real number."""
    return not isinstance(value, complex)


def is_count(value: Any, least: int) -> bool:
    """Whether a value is a number of inner steps: whole, at least `least`, and small enough to be computed."""
    integer = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    return bool(integer and least <= value <= MOST_INNER_STEPS)


def largest(*moduli: float | None) -> float | None:
    """The largest of several moduli; None where one is not known."""
    known = [modulus for modulus in moduli if modulus is not None]
    return max(known) if len(known) == len(moduli) else None


def largest_root(*coefficients: complex) -> float:
    """Largest modulus of a root of the polynomial with these coefficients, highest power first."""
    return float(np.abs(np.roots(coefficients)).max())


def each(value: object) -> tuple[Any, ...]:
    """The values of a parameter given once, or per player as a tuple or a dict."""
    if isinstance(value, Mapping):
        return tuple(value.values())
    return value if isinstance(value, tuple) else (value,)
