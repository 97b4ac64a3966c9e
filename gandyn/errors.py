"""The one exception family. A message says what was given, what was needed, and the usual fix, on one line."""

from __future__ import annotations

import contextlib
import difflib
import inspect
import re
from collections.abc import Collection, Iterable, Iterator

from .other_words import OTHER_WORDS, bare, belongs, renamed

MOST, FEW = 100, 8  # names that a message lists, and of more than that
ALIKE, SHORT = 0.6, 3  # share of letters in common from which a name is a guess; a half, up to so many letters
SHOWN = 60  # letters of a value
SAME = 0.8  # share from which it is a slip of the pen, and comes before a name that begins alike


class GandynError(Exception):
    """Base of every error that gandyn raises for a user's mistake."""

    def __init__(self, given: str, needed: str = "", fix: str = "") -> None:
        self.given, self.needed, self.fix = given, needed, fix
        needed = f" Needed: {needed}." if needed else ""
        fix = f" Usual fix: {fix}." if fix else ""
        stop = "" if given.endswith("?") else "."
        super().__init__(re.sub(r"\s*\n\s*", " ", f"{given}{stop}{needed}{fix}"))  # an array is shown in rows


class UnknownNameError(GandynError, LookupError):
    """A name that no registry, game or command line knows."""

    @classmethod
    def among(cls, kind: str, name: object, known: Iterable[str]) -> UnknownNameError:
        """Say the nearest match to what was given first, and then what exists, of very many names some."""
        names = sorted(set(known))
        near = nearest(str(name), names)
        shown = ", ".join(names) if len(names) <= MOST else f"{len(names)} names, such as {', '.join(names[:FEW])}"
        given = f"there is no {kind} named {name!r}" + (f": did you mean {near!r}?" if near else "")
        fix = "choose one of those listed" if len(names) <= MOST else "see gandyn list"
        return cls(given, f"one of {shown}", near or fix)


def nearest(name: str, names: Iterable[str], surely: bool = False) -> str:
    """The name that was probably meant, whatever the case, hyphens and underscores, or "".

    What others call it comes first, then a slip of the pen; then, unless it is to be sure, a name that begins as the
    given one does, or that is somewhat alike.
    """
    ordered = sorted(names, key=lambda known: (known.isidentifier(), [-ord(letter) for letter in known]))
    folded, given = {bare(known): known for known in ordered}, bare(name)
    for known in OTHER_WORDS.get(given, ()):
        if bare(known) in folded:
            return folded[bare(known)]
    begun = [
        known
        for known in folded
        if len(given) > 1 and len(known) > 1 and (known.startswith(given) or given.startswith(known))
    ]
    least = ALIKE if len(given) > SHORT else 0.5
    ways = [(begun, SAME), (folded, SAME), (begun, 0.0), (folded, least)]
    for among, cutoff in ways[:2] if surely else ways:
        near = difflib.get_close_matches(given, among, n=1, cutoff=cutoff)
        if near:
            return folded[near[0]]
    return ""


def shown(value: object) -> str:
    """A value as a message shows it: a class or function by its name, anything else shortened."""
    if isinstance(value, type) or inspect.isroutine(value):
        return f"the {'class' if isinstance(value, type) else 'function'} {value.__name__}"
    text = repr(value).replace("\n", " ")
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."


def made(value: object, fix: str) -> str:
    """The usual fix for `value` in place of what it makes: a class or function is to be called. `fix` for others."""
    name = getattr(value, "__name__", "<lambda>")
    if name == "<lambda>" or not (isinstance(value, type) or inspect.isroutine(value)):
        return fix
    try:
        parameters = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):
        return f"call it: {name}(...)"
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    needed = [p.name for p in parameters if p.default is p.empty and p.kind in by_name]
    if not needed:
        return f"call it: {name}()"
    given = ["0.1"] if needed in (["lr"], ["gamma"]) else [f"{name}=..." for name in needed]
    return f"give it its parameters: {name}({', '.join(given)})"


def refuse_unknown(kind: str, name: object, known: Collection[str]) -> None:
    """Raise UnknownNameError for a name that is not among those known, which `kind` says what they name."""
    if name not in known:
        raise UnknownNameError.among(kind, name, known)


class ShapeError(GandynError, ValueError):
    """An array whose shape does not fit the game."""


class ParameterError(GandynError, ValueError):
    """A parameter out of range, of the wrong length, or left free where a number is needed."""


class PointError(ShapeError, ParameterError):
    """A point, or an ensemble of points, that is none: of another length, not of numbers, or not finite."""


class TextError(ParameterError):
    """A text that the grammar does not read."""


class CallError(GandynError, TypeError):
    """A call with arguments that are missing, or that the function does not have."""

    @classmethod
    def nearest(cls, name: str, known: list[str], why: str, given: Iterable[str]) -> CallError:
        """Say which arguments there are, and the nearest to one that there is not, or where it belongs."""
        needed = f"{name}({', '.join(known)})"
        unknown = next((key for key in given if key not in known), "")
        place = belongs(unknown, known)
        near = nearest(unknown, known, surely=bool(place)) if unknown else ""
        if near:
            return cls(f"{name} has no argument {unknown}: did you mean {near}?", needed, renamed(unknown, near, known))
        missing = re.search(r"missing a required (?:keyword-only )?argument: '(\w+)'", why)
        fix = f"{name}({missing[1]}=...)" if missing else "leave out those that it does not have"
        return cls(f"{name}: {why}", needed, place or fix)


class DomainError(GandynError, ValueError):
    """A rule, game or analysis asked for something outside the domain that it declares."""


class WorldError(DomainError, TypeError):
    """A game or rule asked to run in a world (symbols, NumPy, torch) that it does not live in."""


class GameError(GandynError, ValueError):
    """A game that is not one: a cost that ignores its own player, costs that do not match the players."""


class ConvergenceError(GandynError, ArithmeticError):
    """A solver that did not converge and has no partial answer to give."""


class NotDifferentiableError(DomainError):
    """A derivative asked for where there is none."""


class OutputError(GandynError, OSError):
    """A file that cannot be written."""


@contextlib.contextmanager
def writing(path: object) -> Iterator[None]:
    """Raises OutputError, naming `path`, where the system refuses to write it: a full disk, no permission."""
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        reason = (error.strerror or str(error) or type(error).__name__).lower()
        needed = "a path that can be written to, with space on its disk"
        raise OutputError(f"cannot write {path}: {reason}", needed, "write somewhere else") from error


class MissingDependencyError(GandynError, ImportError):
    """An optional package that is not installed."""

    @classmethod
    def of(cls, error: ModuleNotFoundError) -> ModuleNotFoundError | MissingDependencyError:
        """The error itself, or, where it is torch that is missing, what works without it and how to get it."""
        if (error.name or "").partition(".")[0] != "torch":
            return error
        given = "torch is not installed: networks need it, symbols and NumPy arrays do not"
        return cls(given, "torch", 'pip install "gandyn[torch]"')
