"""One check of what public functions are given: `@door` holds each argument against what its name and type declare.

A class in place of an instance, swapped arguments, text in place of a rule, NaN in a start, a count of 10**30: the
usual first mistakes end here, in one line, and the functions behind need not look again.
"""

from __future__ import annotations

import copy
import functools
import inspect
import math
import numbers
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

import numpy as np

from .errors import CallError, GandynError, ParameterError, PointError
from .parameters import finite, is_number
from .results import Trajectory
from .types import Game, Rule
from .worlds import exact, is_symbolic

P = ParamSpec("P")
R = TypeVar("R")
LARGEST_COUNT = 10**12
LARGEST_SEED = 2**63 - 1
POINTS = ("start", "at", "w", "w0", "w1", "centre")
NUMERIC = ("start", "w0", "w1", "centre")
SEEDS = ("seed", "rng")
SHOWN = 60

NOTHING: Mapping[str, Any] = {}
Check = Callable[[str, Any, Mapping[str, Any]], Any]


def door(function: Callable[P, R]) -> Callable[P, R]:
    """The function behind its door: arguments are checked, and texts for games and rules are read, before it runs.

    Raises:
        CallError: for arguments that are missing, or that the function does not have.
        ParameterError, PointError: for values of the wrong kind.
    """
    signature = inspect.signature(function)
    checks = {name: check for name, p in signature.parameters.items() if (check := _check_for(name, p)) is not None}

    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:
            known = list(signature.parameters)
            raise CallError.nearest(function.__name__, known, str(error), kwargs) from None
        given = bound.arguments
        _refuse_swapped(given)
        for name, check in checks.items():
            if name in given:
                given[name] = check(name, given[name], given)
        return function(*bound.args, **bound.kwargs)

    return functools.update_wrapper(checked, function)


def _refuse_swapped(given: Mapping[str, Any]) -> None:
    if isinstance(given.get("game"), Rule) and isinstance(given.get("rule"), Game):
        raise ParameterError(
            "a rule in place of the game, and a game in place of the rule", "(game, rule)", "swap them"
        )


def _check_for(name: str, parameter: inspect.Parameter) -> Check | None:
    """The check of a parameter, by its name or its declared type; None where any value may do."""
    kinds = [kind.strip() for kind in str(parameter.annotation).split("|")]
    optional = "None" in kinds or parameter.default is None
    check = BY_NAME.get(name)
    if check is None:
        plain = [kind for kind in kinds if kind != "None"]
        if not plain or not all(kind in BY_TYPE for kind in plain):
            return None
        check = BY_TYPE[plain[0]] if len(plain) == 1 else _either(*(BY_TYPE[kind] for kind in plain))
    if not optional:
        return check
    return lambda key, value, given: None if value is None else check(key, value, given)


def _either(*checks: Check) -> Check:
    def check(name: str, value: Any, given: Mapping[str, Any]) -> Any:
        for one in checks[:-1]:
            try:
                return one(name, value, given)
            except GandynError:
                continue
        return checks[-1](name, value, given)

    return check


def shown(value: Any) -> str:
    """A value as a message shows it: a class or function by its name, anything else shortened."""
    if isinstance(value, type) or inspect.isroutine(value):
        return f"the {'class' if isinstance(value, type) else 'function'} {value.__name__}"
    text = repr(value).replace("\n", " ")
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."


# --- games and rules -------------------------------------------------------------------------------------------------


def game(name: str, value: Any, given: Mapping[str, Any] = NOTHING) -> Any:
    """A game, or one made from a text such as "bilinear" or "dirac_gan(wasserstein)".

    Raises:
        ParameterError: for anything else, with the usual fix.
    """
    from . import games

    if isinstance(value, Game):
        return value
    if isinstance(value, str):
        return games.registry.from_text(value)
    fix = "gd.games.bilinear()"
    if inspect.isroutine(value) or isinstance(value, type):
        fix = f"call it: {value.__name__}()"
    elif isinstance(value, Rule):
        fix = "the game comes first, then the rule"
    raise ParameterError(f"{name}={shown(value)}", "a game", fix)


def rule(name: str, value: Any, given: Mapping[str, Any] = NOTHING) -> Any:
    """A rule, or one made from a text such as "GDA(0.1)".

    Raises:
        ParameterError: for anything else, with the usual fix.
    """
    from . import rules

    if isinstance(value, Rule):
        return _with_symbols(value)
    if isinstance(value, str):
        try:
            return rules.registry.from_text(value)
        except ParameterError as error:
            raise type(error)(
                f"{name}={shown(value)}: {error.given}", f"an update rule; {error.needed}", error.fix
            ) from None
    fix = "gd.rules.GDA(0.1)"
    if isinstance(value, type) and issubclass(value, Rule):
        fix = f"give it its parameters: {value.__name__}(0.1)"
    elif hasattr(value, "step"):
        fix = "derive the class from gandyn.types.Rule"
    raise ParameterError(f"{name}={shown(value)}", "an update rule", fix)


def _with_symbols(value: Rule) -> Rule:
    """The rule with texts among its step sizes as what they mean, which rules that parse them have done themselves."""
    names = dict.fromkeys((*value.step_sizes, *value.per_player_parameters))
    texts = {name: getattr(value, name) for name in names if isinstance(getattr(value, name, None), str)}
    if not texts:
        return value
    read = copy.copy(value)
    for name, text in texts.items():
        object.__setattr__(read, name, exact(text))
    return read


def rules_of(name: str, value: Any, given: Mapping[str, Any] = NOTHING) -> Any:
    """Several rules: a sequence of them, or a mapping from names to them."""
    if isinstance(value, (Rule, str)):
        return [rule(name, value)]
    if isinstance(value, Mapping):
        return {str(key): rule(f"{name}[{key!r}]", one) for key, one in value.items()}
    if not isinstance(value, (Sequence, np.ndarray)):
        raise ParameterError(f"{name}={shown(value)}", "a list of rules", "[gd.rules.GDA(0.1), gd.rules.SGA(0.1, 0.1)]")
    return [rule(f"{name}[{k}]", one) for k, one in enumerate(value)]


def trajectory(name: str, value: Any, given: Mapping[str, Any] = NOTHING) -> Any:
    """A trajectory."""
    if not isinstance(value, Trajectory):
        raise ParameterError(f"{name}={shown(value)}", "a trajectory", "gd.iterate(game, rule, start, steps)")
    return value


# --- points and boxes ------------------------------------------------------------------------------------------------


def point(name: str, value: Any, given: Mapping[str, Any]) -> Any:
    """A point or an ensemble (..., d): numbers, or SymPy expressions, all finite, d being the game's.

    Raises:
        PointError: for what has no such shape, is no number, or not finite.
    """
    needed = "finite numbers of shape (..., d), the players' coordinates side by side"
    own = given.get("game")
    d = own.dim if isinstance(own, Game) else None
    if d is not None:
        sizes = ", ".join(f"{p.name}: {p.size}" for p in own.players)  # type: ignore[union-attr]
        needed = f"finite numbers of shape (..., {d}), the coordinates of {own.name} ({sizes})"  # type: ignore[union-attr]
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        _tensor(name, value)
        shape = tuple(value.shape)
    elif hasattr(value, "__array__") or isinstance(value, (list, tuple)):
        shape = _array(name, value, needed)
    elif not hasattr(value, "__iter__") or isinstance(value, (str, bytes, Mapping)):
        raise PointError(
            f"a {name} that is not an array of numbers: {shown(value)}", needed, f"{name}={[1.0] * min(d or 2, 4)}"
        )
    else:
        return value
    if not shape or (d is not None and shape[-1] != d):
        fix = "put the players' blocks side by side on the last axis, player 1 first"
        raise PointError(f"{name}, an array of shape {shape}", needed, fix)
    return value


def _tensor(name: str, value: Any) -> None:
    if not value.is_floating_point():
        raise PointError(f"{name} of {value.dtype}", "floating-point numbers", f"{name}.double()")
    if not bool(value.isfinite().all()):
        raise PointError(f"{name} with entries that are not finite", "finite numbers", f"check {name}")


def _array(name: str, value: Any, needed: str) -> tuple[int, ...]:
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        try:
            array = np.asarray(value, dtype=object)
        except ValueError:
            raise PointError(
                f"a {name} that is not an array of numbers: {shown(value)}", needed, "rows of one length"
            ) from None
    if array.dtype.kind in "bcSV":
        raise PointError(f"{name} of {array.dtype.name}: {shown(value)}", needed, "real numbers")
    if array.dtype.kind == "U" and (array.ndim > 1 or name in NUMERIC):
        raise PointError(f"a {name} that is not an array of numbers: {shown(value)}", needed, "numbers")
    if array.dtype.kind in "OU":
        for entry in np.asarray(value, dtype=object).ravel():
            entry = exact(entry) if isinstance(entry, str) else entry
            if isinstance(entry, (bool, complex)) or not (is_number(entry) or is_symbolic(entry) or _rational(entry)):
                raise PointError(
                    f"a {name} that is not an array of numbers, with {shown(entry)} in it",
                    needed,
                    "real numbers, or SymPy expressions",
                )
            if not finite(entry if not _rational(entry) else float(entry)):
                raise PointError(f"{name} with entries that are not finite", "finite numbers", f"check {name}")
    elif not np.isfinite(array).all():
        raise PointError(f"{name} with entries that are not finite: {shown(value)}", "finite numbers", f"check {name}")
    return array.shape


def _rational(value: Any) -> bool:
    return isinstance(value, numbers.Rational) and not is_symbolic(value)


def box(name: str, value: Any, given: Mapping[str, Any]) -> Any:
    """One (low, high) pair for each coordinate, low <= high.

    Raises:
        ParameterError: for anything else.
    """
    own = given.get("game")
    d = own.dim if isinstance(own, Game) else None
    needed = f"{'' if d is None else f'{d} '}pairs (low, high), low <= high, one for each of the coordinates"
    refused = ParameterError(f"{name}={shown(value)}", needed, f"{name}=[(-1, 1)] * {d or 2}")
    if isinstance(value, (str, Mapping)) or not hasattr(value, "__len__"):
        raise refused
    pairs = list(value)
    if d is not None and len(pairs) != d:
        raise refused
    for pair in pairs:
        if isinstance(pair, (str, Mapping)) or not hasattr(pair, "__len__") or len(pair) != 2:
            raise refused
        try:
            low, high = (float(exact(end)) for end in pair)
        except (TypeError, ValueError):
            raise refused from None
        if not low <= high:
            raise refused
    return value


# --- numbers and words -----------------------------------------------------------------------------------------------


def count(name: str, value: Any, given: Mapping[str, Any] = NOTHING) -> Any:
    """A whole number up to 10**12."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise ParameterError(f"{name}={shown(value)}", "a whole number", f"{name}=10")
    if abs(int(value)) > LARGEST_COUNT:
        raise ParameterError(f"{name}={shown(value)}", f"at most {LARGEST_COUNT:.0e}", "a smaller number")
    return int(value)


def several(name: str, value: Any, given: Mapping[str, Any] = NOTHING) -> Any:
    """A whole number from 1 up to 10**12."""
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or int(value) < 1:
        raise ParameterError(f"{name}={shown(value)}", "a whole number from 1", f"{name}=1")
    return count(name, value)


def sizes(name: str, value: Any, given: Mapping[str, Any] = NOTHING) -> Any:
    """Whole numbers from 1, several in a tuple."""
    if isinstance(value, (str, Mapping)) or not isinstance(value, (Sequence, np.ndarray)):
        raise ParameterError(f"{name}={shown(value)}", "whole numbers from 1", f"{name}=(128, 128)")
    return tuple(several(f"{name}[{k}]", one) for k, one in enumerate(value))


def seed(name: str, value: Any, given: Mapping[str, Any] = NOTHING) -> Any:
    """A seed from 0 to 2**63 - 1, or a generator."""
    torch = sys.modules.get("torch")
    generators = (np.random.Generator,) if torch is None else (np.random.Generator, torch.Generator)
    if isinstance(value, generators) or (value is None and name == "rng"):
        return value
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or not 0 <= int(value) <= LARGEST_SEED:
        raise ParameterError(f"{name}={shown(value)}", "a whole number from 0 to 2**63 - 1", f"{name}=0")
    return int(value)


def real(name: str, value: Any, given: Mapping[str, Any] = NOTHING) -> Any:
    """A real number; an infinite one may have a meaning."""
    number = is_number(value) or is_symbolic(value) or _rational(value) or getattr(value, "shape", None) == ()
    if isinstance(value, (bool, np.bool_, complex)) or not number:
        raise ParameterError(f"{name}={shown(value)}", "a number", f"{name}=0.1")
    if is_number(value) and math.isnan(value):
        raise ParameterError(f"{name}=nan", "a number", f"{name}=0.1")
    return value


def word(name: str, value: Any, given: Mapping[str, Any] = NOTHING) -> Any:
    """A text."""
    if not isinstance(value, str):
        raise ParameterError(f"{name}={shown(value)}", "a text", f"see help for the values of {name}")
    return value


def words(name: str, value: Any, given: Mapping[str, Any] = NOTHING) -> Any:
    """A text, or several."""
    if isinstance(value, str):
        return value
    if not isinstance(value, (list, tuple)) or not value or not all(isinstance(v, str) for v in value):
        raise ParameterError(f"{name}={shown(value)}", "a text, or a list of them", f"see help for {name}")
    return value


def from_zero(name: str, value: Any, given: Mapping[str, Any] = NOTHING) -> Any:
    """A whole number from 0 up to 10**12."""
    if count(name, value) < 0:
        raise ParameterError(f"{name}={value}", "a whole number >= 0", f"{name}=10")
    return int(value)


def above_zero(name: str, value: Any, given: Mapping[str, Any] = NOTHING) -> Any:
    """A positive number; objects of other kinds are the function's own business."""
    if isinstance(value, (bool, str, list, tuple, Mapping, Rule, Game)) or (is_number(value) and not value > 0):
        needed = "a positive number" + (" of seconds, or of what it counts" if name == "budget" else "")
        raise ParameterError(f"{name}={shown(value)}", needed, f"{name}=0.1")
    return value


def flag(name: str, value: Any, given: Mapping[str, Any] = NOTHING) -> Any:
    """True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise ParameterError(f"{name}={shown(value)}", "True or False", f"{name}=True")
    return bool(value)


BY_NAME: dict[str, Check] = {
    "game": game,
    "rule": rule,
    "rules": rules_of,
    "box": box,
    **dict.fromkeys(("k", "threads", "latent", "size", "width"), several),
    **dict.fromkeys(("steps", "settle"), from_zero),
    **dict.fromkeys(("tolerance", "budget"), above_zero),
    **dict.fromkeys(POINTS, point),
    **dict.fromkeys(SEEDS, seed),
}
BY_TYPE: dict[str, Check] = {
    "Game": game,
    "Rule": rule,
    "Trajectory": trajectory,
    "int": count,
    "float": real,
    "tuple[int, ...]": sizes,
    "Sequence[str]": words,
    "str": word,
    "bool": flag,
}
