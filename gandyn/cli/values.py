"""Text to values: `lr=0.1`, `momentum=-1/2`, `penalty=R1(0.3)`, `HeavyBall(0.1, -0.3)`; exact where it can be."""

from __future__ import annotations

import contextlib
import inspect
import re
from collections.abc import Iterable, Iterator
from typing import Any

from ..errors import GandynError, ParameterError, UnknownNameError, nearest
from ..registry import Calls, Entry, plain_value
from ..text.grammar import HYPHENATED
from ..worlds import is_symbolic

NAME = re.compile(HYPHENATED)


def settings(assignments: Iterable[str]) -> dict[str, Any]:
    """`--set name=value` options as a dict. Raises ParameterError for other text, and a name set twice."""
    result: dict[str, Any] = {}
    for text in assignments:
        name, sign, value_text = text.partition("=")
        name = name.strip()
        if not sign or not NAME.fullmatch(name) or not value_text.strip():
            raise ParameterError(f"--set {text!r}", "name=value", "--set lr=0.1")
        if name in result:
            raise ParameterError(f"--set gives {name} twice", "one value for each name", "drop one of them")
        with option(f"--set {name}"):
            result[name] = value(value_text)
    return result


@contextlib.contextmanager
def option(name: str) -> Iterator[None]:
    """Errors of the block say which option they are about."""
    try:
        yield
    except GandynError as error:
        if name in error.given:
            raise
        raise type(error)(f"{name}: {error.given}", error.needed, error.fix) from error


def value(text: str) -> Any:
    """A number (exact where a float would round it), a tuple, a word, or what a call such as R1(0.3) builds.

    Raises:
        ParameterError: for anything else.

    Example:
        >>> value("0.1"), value("1/3"), value("0.1, 0.2"), value("wasserstein")
        (0.1, 1/3, (0.1, 0.2), 'wasserstein')
    """
    from .. import losses, penalties, rules

    if text.strip()[:1] in ("'", '"'):
        fix = "0.1, 1/3, 0.1,0.2 or R1(0.3)"
        raise ParameterError(f"the value {text!r} in quotation marks", "the value alone: the shell took its own", fix)
    return plain_value(text.strip(), Settings(rules.registry, penalties.registry, losses.registry))


class Settings(Calls):
    """The grammar of `--set`: calls of rules, penalties and losses are built, other calls stay text for the builder."""

    def unknown(self, name: str, source: str) -> str:
        """A call such as ring(modes=8), whose registry only the builder knows."""
        return source


def point(text: str, option: str) -> Any:
    """Coordinates with commas, exact. Raises ParameterError for what is not numbers."""
    found = value(text)
    coordinates = found if isinstance(found, tuple) else (found,)
    for x in coordinates:
        if isinstance(x, bool) or not (isinstance(x, (int, float)) or is_symbolic(x)):
            raise ParameterError(f"{option} {text!r}", "numbers with commas between them", f"{option} 1,0")
    return coordinates


def build(entry: Entry, kind: str, given: dict[str, object]) -> tuple[Any, set[str]]:
    """What a builder makes of the given values that it takes, and their names. Raises ParameterError if one lacks."""
    parameters = inspect.signature(entry.build).parameters
    taken = {name: v for name, v in given.items() if name in parameters}
    missing = [n for n, p in parameters.items() if p.default is p.empty and n not in taken]
    if missing:
        first = missing[0]
        typo = next((n for n in given if n not in parameters and nearest(n, [first])), None)
        meant = "" if typo is None else f", and with {typo}, which it does not have: did you mean {first}?"
        raise ParameterError(
            f"the {kind} {entry.name} without {', '.join(missing)}{meant}",
            f"a value for {first}, as gandyn list {kind}s describes it",
            f'--set {first}=0.1, a matrix as --set "{first}=((1,2),(3,4))", or --set {first}={first} to leave it free',
        )
    try:
        return entry.build(**taken), set(taken)
    except GandynError:
        raise
    except (TypeError, ValueError, AttributeError) as error:
        shown = ", ".join(f"{n}={v}" for n, v in taken.items())
        raise ParameterError(
            f"the {kind} {entry.name} with {shown} ({error})", "values that it can use", f"gandyn list {kind}s"
        ) from error


def build_rule(text: str, given: dict[str, object], named: str = "--rule") -> tuple[Any, set[str]]:
    """A rule by name with `--set` values, or by a call of it: "GDA", "heavy-ball(0.1, -0.3)".

    Errors name `named`, the option or argument that the text was given to.

    Raises:
        UnknownNameError, ParameterError: as `Registry.from_text` and `build`.
    """
    from .. import rules

    with option(named):
        if NAME.fullmatch(text.strip()):
            return build(rules.registry[text.strip()], "rule", given)
        return rules.registry.from_text(text), set()


def refuse_unused(given: dict[str, object], used: set[str], entries: Iterable[Entry]) -> None:
    """Raises UnknownNameError for a name in `--set` that nothing took, ParameterError for one that a call has taken."""
    known = sorted({name for entry in entries for name in inspect.signature(entry.build).parameters})
    for name in given:
        if name not in used and name in known:
            raise ParameterError(
                f"--set {name}, which nothing is left to take: the rule or game was called with its arguments",
                "values in the call itself, or names outside it",
                f"write the value in place of {name} in the call, or give the bare name and all values by --set",
            )
        if name not in used:
            raise UnknownNameError.among("parameter", name, known)
