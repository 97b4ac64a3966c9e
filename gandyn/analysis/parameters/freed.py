"""Free parameters by name: fields of a rule, or symbols of rule or game, as the symbols that an analysis varies.

Every analysis that leaves a parameter free asks here, so that all of them analyse the rule that they were given.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from ...errors import DomainError, ParameterError
from ...lazy import sympy
from ...oracles.symbolic import SymbolicGame
from ...types import Array, Game, Parameter, Rule
from ...worlds import exact, is_symbolic
from ..backward_error.expansion import STEP, in_proportion

CHOICES = ("int", "bool", "str", "Callable", "Sequence")  # annotations of fields that count or choose


def unit_from(slopes: Array) -> float:
    """The value of a parameter at which a matrix has moved by 1, of the matrix's derivatives where it is 0; else 1."""
    size = float(np.abs(slopes).max(initial=0.0))
    return 1 / size if 0 < size < np.inf else 1.0


def freed(game: Game, rule: Rule | None, name: str, **assumptions: bool) -> tuple[Rule | None, sympy.Symbol]:
    """The rule with the named parameter as a symbol, and that symbol.

    1. A symbol of that name that is already free in rule or game, inside formulas, tuples or wrapped rules, is kept:
       `GDA(("lr", 4 * lr))` stays as it is.
    2. Otherwise a field of the rule of that name becomes a new symbol with these assumptions. Values per player keep
       their ratios: `GDA((0.1, 0.4))` becomes `GDA((lr, 4 lr))`; the symbol is the first value that is not 0.
    3. Otherwise the same holds for the fields of that name of the rules that it wraps, all in one ratio; "lr" of a rule
       that wraps others frees all their step sizes.

    Putting the present value in for the symbol gives back the rule. Raises ParameterError for a name that is none of
    these, or that means two things; DomainError for a field that counts or chooses (k, order, solver), and so cannot
    vary continuously.
    """
    _refuse_coordinate(game, name)
    free = {s for s in (*symbols_of(rule), *game.parameters) if str(s) == name}
    if len(free) > 1:
        raise ParameterError(
            f"two symbols {name!r}, {' and '.join(sorted(map(sympy.srepr, free)))}",
            "one symbol of that name in rule and game",
            f"build both with the same {name} = sympy.Symbol({name!r}, positive=True)",
        )
    if free:
        return rule, free.pop()
    held = [] if rule is None else list(_holders(rule, name))
    if rule is not None and name == str(STEP) and rule not in held and any(True for _ in wrapped(rule)):
        return in_proportion(game, rule), STEP
    if not held:
        raise _unknown(game, rule, name)
    assert rule is not None
    return _varied(game, rule, name, held, assumptions)


def symbols_of(value: object) -> set[sympy.Symbol]:
    """The free symbols in the parameters of a rule and of the rules that it wraps."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return set().union(*(symbols_of(getattr(value, f.name)) for f in dataclasses.fields(value)))
    if isinstance(value, (tuple, list)):
        return set().union(*map(symbols_of, value)) if value else set()
    if isinstance(value, Mapping):
        return symbols_of(list(value.values()))
    return set(getattr(value, "free_symbols", ()))


def with_value(value: Any, symbol: sympy.Symbol, number: float | sympy.Expr) -> Any:
    """A copy of a rule, or of a parameter, in which a number replaces a symbol everywhere."""
    if isinstance(value, Rule):
        changes = {
            f.name: with_value(getattr(value, f.name), symbol, number)
            for f in dataclasses.fields(value)  # type: ignore[arg-type]
            if f.init and symbol in symbols_of(getattr(value, f.name))
        }
        return dataclasses.replace(value, **changes)  # type: ignore[type-var]
    if isinstance(value, (tuple, list)):
        return type(value)(with_value(v, symbol, number) for v in value)
    if isinstance(value, Mapping):
        return {k: with_value(v, symbol, number) for k, v in value.items()}
    replaced = value.subs(symbol, number) if hasattr(value, "subs") else value
    return float(replaced) if isinstance(number, float) and getattr(replaced, "is_number", False) else replaced


def valued(game: Game, rule: Rule | None, values: Mapping[sympy.Symbol, object]) -> tuple[Game, Rule | None]:
    """Game and rule with numbers, or symbols that carry one for each member, in the place of free symbols. Raises
    DomainError where the game has one of them and is no game of `from_sympy`, which alone can be built anew.
    """
    for symbol, number in values.items() if rule is not None else ():
        rule = with_value(rule, symbol, number)
    own = {symbol: number for symbol, number in values.items() if symbol in game.parameters}
    if own and type(game) is not SymbolicGame:
        raise DomainError(f"{', '.join(map(str, own))} of {game.name}", "a game of from_sympy", "from_sympy")
    return (game.with_values(own) if isinstance(game, SymbolicGame) and own else game), rule


def wrapped(rule: Rule) -> Iterator[Rule]:
    """The rules that a rule is built around, in the order of its fields."""
    for f in _fields(rule):
        value = getattr(rule, f.name)
        if f.init:
            yield from (r for r in (value if isinstance(value, tuple) else (value,)) if isinstance(r, Rule))


def _holders(rule: Rule, name: str) -> Iterator[Rule]:
    """The outermost rules, this one or those inside it, with a field of that name."""
    if any(f.name == name and f.init for f in _fields(rule)):
        yield rule
    else:
        for inner in wrapped(rule):
            yield from _holders(inner, name)


def _varied(
    game: Game, rule: Rule, name: str, held: list[Rule], assumptions: dict[str, bool]
) -> tuple[Rule, sympy.Expr]:
    """The rule with the field of all holders in their ratio to the first value that is not 0, and the symbol."""
    for holder in held:
        _refuse_choice(holder, name)
    values = [v for holder in held for v in _per_player(game, getattr(holder, name))]
    reference = next((exact(v) for v in values if v is not None and v != 0), None)
    if reference is not None and not reference.is_extended_positive:
        assumptions = {"real": True}  # the present value has to be one of those that the symbol stands for
    symbol = sympy.Symbol(name, **assumptions)

    def moved(value: object) -> sympy.Expr:
        if isinstance(value, (tuple, Mapping)):
            return tuple(map(moved, _per_player(game, value)))
        unset = reference is None or value is None  # None stands for "as lr", 0 for all players has no ratio
        return symbol if unset else symbol * exact(value) / reference

    return _replaced(rule, name, moved), symbol


def _replaced(rule: Rule, name: str, moved: Callable[[object], sympy.Expr]) -> Rule:
    """The rule with `moved` applied to its field of that name, or to those of the rules inside it."""
    if any(f.name == name and f.init for f in _fields(rule)):
        return dataclasses.replace(rule, **{name: moved(getattr(rule, name))})  # type: ignore[type-var]
    changes: dict[str, Any] = {}
    for f in _fields(rule):
        value = getattr(rule, f.name)
        if f.init and isinstance(value, Rule):
            changes[f.name] = _replaced(value, name, moved)
        elif f.init and isinstance(value, tuple) and any(isinstance(v, Rule) for v in value):
            changes[f.name] = tuple(_replaced(v, name, moved) for v in value)
    return dataclasses.replace(rule, **changes) if changes else rule  # type: ignore[type-var]


def _per_player(game: Game, value: object) -> tuple[Parameter, ...]:
    return game.per_player(value) if isinstance(value, (tuple, Mapping)) else (value,)


def _fields(rule: Rule) -> tuple[dataclasses.Field[object], ...]:
    if not dataclasses.is_dataclass(rule):
        raise DomainError(
            f"a parameter of {rule.name}, which is not a dataclass",
            "a rule that declares its parameters",
            "put @dataclasses.dataclass(frozen=True) before the class",
        )
    return dataclasses.fields(rule)


def _refuse_choice(rule: Rule, name: str) -> None:
    """Refuse fields that are whole numbers, choices, rules or functions, and pairs of different parameters."""
    (field,) = (f for f in _fields(rule) if f.name == name)
    value = getattr(rule, name)
    entries = tuple(value.values()) if isinstance(value, Mapping) else value if isinstance(value, tuple) else (value,)
    kind = field.type if isinstance(field.type, str) else getattr(field.type, "__name__", str(field.type))
    numbers = all(v is None or is_symbolic(v) or _number(v) for v in entries)
    if any(isinstance(v, str) for v in entries) and kind in ("Any", "object"):
        raise DomainError(
            f"{rule.name}({name}={value!r}), which is text, as the field does not say that it holds a number",
            "a field that is declared as one",
            f"{name}: Any = coefficient(), from gandyn.rules.declaration",
        )
    if not numbers or kind.startswith(CHOICES):
        raise DomainError(
            f"{rule.name}({name}={value!r}), which counts or chooses",
            "a parameter that varies continuously",
            f"compare the rule at several values of {name}",
        )
    if any(isinstance(v, complex) or (is_symbolic(v) and v.is_real is False) for v in entries):
        raise DomainError(
            f"{rule.name}({name}={value!r}), which is complex",
            "a real parameter to vary",
            f"put a formula in its place: {name}={name[0]} * (1 + I)",
        )
    if isinstance(value, (tuple, Mapping)) and name not in (*rule.per_player_parameters, *rule.step_sizes):
        raise DomainError(
            f"{rule.name}({name}={value!r}), whose entries are different parameters",
            "one parameter",
            f"put a symbol in its place: {name}=({', '.join(map(repr, (name[0], *entries[1:])))})",
        )


def _number(value: object) -> bool:
    return (hasattr(value, "__float__") and not isinstance(value, bool)) or isinstance(value, complex)


def _refuse_coordinate(game: Game, name: str) -> None:
    if name in map(str, game.symbols):
        raise ParameterError(
            f"parameter {name!r}, which is a coordinate of {game.name}",
            "another name for one of the two",
            "rename the coordinate in the game",
        )


def _unknown(game: Game, rule: Rule | None, name: str) -> ParameterError:
    known = [] if rule is None else [f.name for f in _fields(rule) if f.init]
    inside = [] if rule is None else [f.name for r in wrapped(rule) for f in _fields(r) if f.init]
    free = sorted(map(str, (*symbols_of(rule), *game.parameters)))
    what = "the flow" if rule is None else rule.name
    return ParameterError(
        f"parameter {name!r}, on which {what} on {game.name} does not depend",
        f"one of {', '.join(dict.fromkeys([*known, *inside, *free])) or 'none: nothing is free'}",
        "name a field of the rule, or build the game with a free symbol",
    )
