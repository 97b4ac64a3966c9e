"""One check of what public functions are given: `@door` holds each argument against what its name and type declare.

A class in place of an instance, swapped arguments, text in place of a rule, NaN in a start, a count of 10**30: the
usual first mistakes end here, in one line, and the functions behind need not look again. Options that a function
takes in groups, which are small dataclasses, are checked the same way by `check_fields` and read by `grouped`. A
point that a function calls `w` may be given as `at=` as well.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import sys
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

from ..arguments import NAMES, TYPES, Check, check_of, checks_of, ensemble, seed, several, shown
from ..errors import CallError, ParameterError
from ..types import Game, Rule
from .players import game, rule, rules_of, trajectory

__all__ = ["check_fields", "door", "ensemble_door", "grouped", "named_rightly", "seed", "several", "shown"]

P = ParamSpec("P")
R = TypeVar("R")

BY_NAME: dict[str, Check] = NAMES | {"game": game, "rule": rule, "rules": rules_of}
BY_NAME_OF_MEMBERS = BY_NAME | {"start": ensemble}  # nobody, iterated, is nobody
BY_TYPE: dict[str, Check] = TYPES | {"Game": game, "Rule": rule, "Trajectory": trajectory}


def door(function: Callable[P, R]) -> Callable[P, R]:
    """The function behind its door: arguments are checked, and texts for games and rules are read, before it runs.
    Raises CallError for arguments that are missing, or that the function does not have; ParameterError, PointError for
    values of the wrong kind.
    """
    return _behind_door(function, one_value=True)


def ensemble_door(function: Callable[P, R]) -> Callable[P, R]:
    """`door` for functions in which a parameter of rule or game may have one value for each member of an ensemble."""
    return _behind_door(function, one_value=False)


def named_rightly(function: Callable[P, R]) -> Callable[P, R]:
    """The function behind a check of its call alone: it looks at the values itself.

    Raises:
        CallError: for arguments that are missing, or that the function does not have.
    """
    signature = inspect.signature(function)

    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            signature.bind(*args, **kwargs)
        except TypeError as error:
            raise CallError.nearest(function.__name__, list(signature.parameters), str(error), kwargs) from None
        return function(*args, **kwargs)

    return functools.update_wrapper(called, function)


def _behind_door(function: Callable[P, R], one_value: bool) -> Callable[P, R]:
    signature = inspect.signature(function)
    parameters = signature.parameters
    checks = functools.cache(
        lambda: checks_of(function, BY_NAME if one_value else BY_NAME_OF_MEMBERS, BY_TYPE)
    )  # read when its module is whole
    kinds = {p.kind for p in parameters.values()}
    plain = kinds <= {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}
    ordered = [name for name, p in parameters.items() if p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    needed = {name for name, p in parameters.items() if p.default is inspect.Parameter.empty}

    def by_name(args: tuple[object, ...], kwargs: Mapping[str, object]) -> dict[str, Any] | None:
        """The arguments of a call in which all is plain; `signature.bind`, which takes 20 us, says what is wrong."""
        if not plain or len(args) > len(ordered):
            return None
        found = {**dict(zip(ordered, args, strict=False)), **kwargs}
        whole = len(found) == len(args) + len(kwargs) and needed <= found.keys() <= parameters.keys()
        return found if whole else None

    said_at = "w" in parameters and "at" not in parameters

    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        if said_at and "at" in kwargs and "w" not in kwargs:  # a point may be called `at` everywhere
            kwargs["w"] = kwargs.pop("at")
        given, bound = by_name(args, kwargs), None
        if given is None:
            try:
                bound = signature.bind(*args, **kwargs)
            except TypeError as error:
                raise CallError.nearest(function.__name__, list(parameters), str(error), kwargs) from None
            given = bound.arguments
        _refuse_swapped(given)
        for name, check in checks().items():
            if name in given:
                given[name] = check(name, given[name], given)
        if one_value:
            _refuse_members(function.__name__, given)
        return function(**given) if bound is None else function(*bound.args, **bound.kwargs)  # type: ignore[call-arg]

    return functools.update_wrapper(checked, function)


def _refuse_swapped(given: Mapping[str, object]) -> None:
    if isinstance(given.get("game"), Rule) and isinstance(given.get("rule"), Game):
        raise ParameterError(
            "a rule in place of the game, and a game in place of the rule", "(game, rule)", "swap them"
        )


def _refuse_members(called: str, given: Mapping[str, object]) -> None:
    """Refuse parameters with one value for each member, which most analyses have no use for."""
    members = sys.modules.get("gandyn.symbolic.members")
    if members is None or not members.PerMember.made:
        return
    several = [one for v in given.values() if isinstance(v, (list, tuple)) for one in v]
    for symbol in members.members_in(*(v for v in (*given.values(), *several) if isinstance(v, (Game, Rule)))):
        raise ParameterError(
            f"{called} with an array of shape {symbol.values.shape} for {symbol.name}",
            "one value of each parameter: arrays of one value per member are for iterate, flow, basins, linearize and "
            "lyapunov_exponents",
            f"{called} once for each value, or with a free parameter {symbol.name}={symbol.name!r}",
        )


def check_fields(options: Any) -> None:
    """Check each field of a frozen dataclass by its name or type. Raises ParameterError for wrong values."""
    for field in dataclasses.fields(options):
        known = vars(sys.modules[type(options).__module__])
        check = check_of(field.name, str(field.type), field.default is None, known, BY_NAME, BY_TYPE)
        if check is not None:
            object.__setattr__(options, field.name, check(field.name, getattr(options, field.name), {}))


def grouped(function: Callable[..., Any], groups: Mapping[str, Any], options: Mapping[str, Any]) -> tuple[Any, ...]:
    """The keywords that a function was given, as its groups: whole ones by their name, single options by their own.

    Args:
        function: whose options they are. groups: each group's name and its dataclass. options: the keywords.

    Returns:
        One object for each group.

    Raises:
        CallError: for a keyword that no group has. ParameterError: for a value of the wrong kind.

    Example:
        >>> @dataclasses.dataclass(frozen=True)
        ... class Saving:
        ...     keep: int = 2
        >>> grouped(print, {"saving": Saving}, {"keep": 3}), grouped(print, {"saving": Saving}, {"saving": Saving(1)})
        ((Saving(keep=3),), (Saving(keep=1),))
    """
    owners = {field.name: name for name, group in groups.items() for field in dataclasses.fields(group)}
    unknown = next((key for key in options if key not in owners and key not in groups), None)
    if unknown is not None:
        known = [*[*inspect.signature(function).parameters][:-1], *groups, *owners]
        raise CallError.nearest(function.__name__, known, f"got an unexpected keyword argument '{unknown}'", options)
    found = []
    for name, group in groups.items():
        base: Any = options.get(name, group())
        if type(base) is not group:
            raise ParameterError(f"{name}={shown(base)}", f"a {group.__name__}", f"{name}={group.__name__}(...)")
        found.append(dataclasses.replace(base, **{key: options[key] for key in options if owners.get(key) == name}))
    return tuple(found)
