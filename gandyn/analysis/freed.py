"""Free parameters by name: fields of a rule, or symbols of rule or game, as the symbols that an analysis varies."""

from __future__ import annotations

import dataclasses
from typing import Any

from ..errors import ParameterError
from ..rules.base import each
from ..types import Game, Rule
from .expansion import STEP, in_proportion


def freed(game: Game, rule: Rule | None, name: str, **assumptions: bool) -> tuple[Rule | None, Any]:
    """The rule with the named parameter as a symbol, and that symbol.

    A field of the rule becomes a new symbol with these assumptions; a symbol that rule or game already has is kept as
    it is. "lr" of a rule that wraps others frees all their step sizes, in their present ratios.

    Raises:
        ParameterError: for a name that is none of these.
    """
    import sympy

    fields = {} if rule is None else {f.name: getattr(rule, f.name) for f in dataclasses.fields(rule)}  # type: ignore[arg-type]
    if rule is not None and name in fields:
        symbol = sympy.Symbol(name, **assumptions)
        return dataclasses.replace(rule, **{name: symbol}), symbol  # type: ignore[type-var]
    found = {str(s): s for s in (*symbols_of(rule), *getattr(game, "parameters", ()))}
    if name in found:
        return rule, found[name]
    if rule is not None and name == str(STEP) and any(isinstance(r, Rule) for v in fields.values() for r in each(v)):
        return in_proportion(game, rule), STEP
    raise ParameterError(
        f"parameter {name!r}",
        f"one of {', '.join(dict.fromkeys([*fields, *sorted(found)])) or 'none: nothing is free'}",
        "name a field of the rule, or build the game with a free symbol",
    )


def symbols_of(value: Any) -> set[Any]:
    """Free symbols in a rule's parameters, wrapped rules included."""
    if isinstance(value, Rule):
        return set().union(*(symbols_of(getattr(value, f.name)) for f in dataclasses.fields(value)))  # type: ignore[arg-type]
    if isinstance(value, (tuple, list)):
        return set().union(*map(symbols_of, value)) if value else set()
    if isinstance(value, dict):
        return symbols_of(list(value.values()))
    return set(getattr(value, "free_symbols", ()))
