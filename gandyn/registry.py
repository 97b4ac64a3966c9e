"""Finds what a folder holds: every module of a room is imported once, and its public classes or builders are listed."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from .arguments import checks_of, shown
from .errors import CallError, GandynError, ParameterError, TextError, UnknownNameError
from .text import Scope, fold, read, shorten
from .worlds import axes

B = TypeVar("B", bound=Callable[..., Any])


@dataclasses.dataclass(frozen=True)
class Entry:
    """One registered thing: its name, what builds it, and argument sets that the contract tests run."""

    name: str
    build: Callable[..., Any]
    examples: tuple[dict[str, Any], ...] = ({},)
    aliases: tuple[str, ...] = ()

    @property
    def description(self) -> str:
        """First line of the docstring."""
        return (inspect.getdoc(self.build) or "").split("\n")[0]


class Registry:
    """Names to builders, filled by decorating them in the files of one package."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.entries: dict[str, Entry] = {}
        self._aliases: dict[str, str] = {}

    def add(self, entry: Entry) -> None:
        """Register an entry; a name that is taken is a programming error and says so."""
        for name in (entry.name, *entry.aliases):
            if name in self.entries or name in self._aliases:
                raise GandynError(f"two {self.kind}s are named {name!r}", "one file per name", "rename one of them")
        self.entries[entry.name] = entry
        self._aliases.update(dict.fromkeys(entry.aliases, entry.name))

    def register(
        self,
        name: str,
        examples: tuple[dict[str, object], ...] = ({},),
        aliases: tuple[str, ...] = (),
        frozen: bool = False,
    ) -> Callable[[B], B]:
        """Decorator form of `add`; `frozen` makes a class a frozen dataclass first."""

        def decorate(build: B) -> B:
            if frozen:
                dataclasses.dataclass(frozen=True)(build)  # type: ignore[arg-type]  # in place
            build = called_rightly(reading_members(build) if self.kind == "game" else build)
            self.add(Entry(name, build, examples, aliases))
            return build

        return decorate

    def load(self, package: str, path: list[str]) -> None:
        """Import every module of a package, so that each can register itself; then make each entry an attribute.

        An entry takes the place of its own module of the same name: `gd.games.bilinear` is the builder.
        """
        for module in sorted(m.name for m in pkgutil.iter_modules(path)):
            try:
                importlib.import_module(f"{package}.{module}")
            except GandynError:
                raise
            except Exception as error:
                raise ImportError(f"{package}/{module}.py, a {self.kind}, failed to import: {error!r}") from error
        room = sys.modules[package]
        for entry in self:
            for name in (entry.name, *entry.aliases):
                if name.isidentifier():
                    setattr(room, name, entry.build)

    def face(self, offered: Sequence[str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
        """`__getattr__` and `__dir__` of the package: entries are attributes, a misspelt one is told the nearest."""

        def missing(name: str) -> Any:
            if name.startswith("_"):
                raise AttributeError(name)
            known = [n for entry in self for n in (entry.name, *entry.aliases) if n.isidentifier()]
            raise AttributeError(str(UnknownNameError.among(self.kind, name, known)))

        return missing, lambda: sorted([*offered, *(entry.name for entry in self)])

    def from_text(self, text: str) -> Any:
        """Build an entry from its name, or from a call with plain arguments as text: "R1(0.3)", "hinge".

        Arguments are what `gandyn.text` reads: numbers, words, lists, names (passed on as text), or calls of other
        entries: "label_smoothing(minimax, 0.1)", "Alternating(Adam(0.001, betas=(0, 0.99)))".

        Raises:
            UnknownNameError: for a name that is not registered.
            ParameterError: for text that is not such a call, or arguments that the entry does not take.
        """
        try:
            built = read(text, Calls(self))
        except ParameterError as error:
            kind = f"the name of a {self.kind}, or a call of one"
            inside = "" if isinstance(error, TextError) else f" in {shorten(text)}"
            raise type(error)(f"{error.given}{inside}, read as {kind}", error.needed, error.fix) from None
        if isinstance(built, str):
            return self.build(built, (), {}, built)
        if not isinstance(built, Made):
            needed = f"the name of a {self.kind}, or a call of one"
            raise ParameterError(f"{shorten(text)} as a {self.kind}", needed, "NAME, NAME(0.3) or NAME(key=0.3)")
        return built.value

    def build(self, name: str, positional: Sequence[object], named: Mapping[str, object], source: str) -> Any:
        """Call an entry's builder; names of arguments may have hyphens and any case.

        Raises:
            UnknownNameError: for a name that is not registered.
            ParameterError: for arguments that the builder does not take, or refuses.
        """
        build = self[name].build
        signature = inspect.signature(build)
        spelled = {fold(parameter): parameter for parameter in signature.parameters}
        named = {spelled.get(fold(key), key): value for key, value in named.items()}
        try:
            signature.bind(*positional, **named)
        except TypeError as error:
            told = CallError.nearest(name, list(signature.parameters), str(error), named)
            needed = f"{name}{signature}".replace("'", "")
            raise ParameterError(f"{shorten(source)}: {told.given}", needed, told.fix) from error
        return build(*positional, **named)

    def __getitem__(self, name: str) -> Entry:
        """An entry by its name or an alias, whatever the case, hyphens and underscores, where that is one entry."""
        found = self._matching(name)
        if len(found) == 1:
            return self.entries[found.pop()]
        if found:
            raise UnknownNameError(f"{name!r} may be {' or '.join(sorted(found))}", f"the name of one {self.kind}", "")
        raise UnknownNameError.among(self.kind, name, [*self.entries, *self._aliases])

    def _matching(self, name: object) -> set[str]:
        """The entries so named: exactly, or but for case and - against _, or but for those and where they stand."""
        known = {**{entry: entry for entry in self.entries}, **self._aliases}
        if name in known or not isinstance(name, str):
            return {known[name]} if name in known else set()
        for form in (_same_separators, fold):
            found = {entry for alias, entry in known.items() if form(alias) == form(name)}
            if found:
                return found
        return set()

    def __iter__(self) -> Iterator[Entry]:
        return iter(sorted(self.entries.values(), key=lambda e: e.name))

    def __contains__(self, name: object) -> bool:
        return bool(self._matching(name))

    def __len__(self) -> int:
        return len(self.entries)


SLIPS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)  # what wrong arguments raise further in


def called_rightly(build: B) -> B:
    """A builder, function or class, behind a check of its arguments: what it cannot use is refused in one line.

    Missing and unknown arguments end in a `CallError`, values of the wrong kind in a `ParameterError`: by the declared
    types of a function's parameters, and by what the builder itself makes of the others.
    """
    inner = build.__init__ if isinstance(build, type) else build  # type: ignore[misc]
    signature = inspect.signature(inner)
    checks = functools.cache(lambda: {} if isinstance(build, type) else checks_of(build))

    @functools.wraps(inner)
    def checked(*args: object, **kwargs: object) -> Any:
        try:
            given = signature.bind(*args, **kwargs)
        except TypeError as error:
            known = [name for name in signature.parameters if name != "self"]
            raise CallError.nearest(build.__name__, known, str(error), kwargs) from None
        for name in checks().keys() & given.arguments.keys():
            given.arguments[name] = checks()[name](name, given.arguments[name], given.arguments)
        try:
            return inner(*given.args, **given.kwargs)
        except GandynError:
            raise
        except SLIPS as error:
            shown_ones = ", ".join(f"{k}={shown(v)}" for k, v in given.arguments.items() if k != "self")
            named = ", ".join(name for name in signature.parameters if name != "self")
            why = f"{build.__name__}({shown_ones}): {str(error)[:100]}"
            needed = f"arguments that {build.__name__}({named}) can use"
            raise ParameterError(why, needed, f"read help({build.__name__})") from error

    if not isinstance(build, type):
        return checked  # type: ignore[return-value]
    if "__init__" in vars(build):
        build.__init__ = checked  # type: ignore[misc]
    return build


MATRICES = ("a", "b", "c", "matrix")  # of which an array of two axes is a matrix


def reading_members(build: B) -> B:
    """A builder that takes an array in the place of a number as one value for each member of an ensemble."""
    signature = inspect.signature(build)
    numbers = [
        name
        for name, p in signature.parameters.items()
        if (isinstance(p.default, (int, float)) and not isinstance(p.default, bool)) or name == "matrix"
    ]

    @functools.wraps(build)
    def read(*args: object, **kwargs: object) -> Any:
        given = signature.bind(*args, **kwargs)
        counts = {name: axes(given.arguments.get(name)) for name in numbers}
        arrays = [name for name, count in counts.items() if count == 1 or (count > 1 and name not in MATRICES)]
        if not arrays:
            return build(*args, **kwargs)
        from .symbolic.members import per_member

        given.arguments |= {name: per_member(given.arguments[name], name) for name in arrays}
        return build(*given.args, **given.kwargs)

    return read  # type: ignore[return-value]


def _same_separators(name: str) -> str:
    return name.casefold().replace("_", "-")


@dataclasses.dataclass(frozen=True)
class Made:
    """What a call in a text built, told apart from numbers and words until the whole text is read."""

    value: Any


class Calls(Scope):
    """The grammar in which the names of some registries can be called; the first that knows a name builds it."""

    def __init__(self, *registries: Registry) -> None:
        self.registries = registries
        names = {n for r in registries for e in r for n in (e.name, *e.aliases)}
        self.names = {name for name in names if name[0].isdigit()}

    def built(self, name: str, positional: Sequence[object], named: Mapping[str, object], source: str) -> Any:
        """The entry of that name, built."""
        for registry in self.registries:
            if name in registry:
                break
        else:
            return self.unknown(name, source)
        plain = {key: _plain(value) for key, value in named.items()}
        return Made(registry.build(name, [_plain(value) for value in positional], plain, source))

    def unknown(self, name: str, source: str) -> Any:
        """What a call of a name that none of the registries knows means."""
        return self.registries[0][name]  # raises, with the nearest match


def _plain(value: object) -> Any:
    """A value without the marks of reading: what was made itself, and quoted text as text."""
    if isinstance(value, Made):
        return value.value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, tuple):
        return tuple(_plain(v) for v in value)
    return {key: _plain(v) for key, v in value.items()} if isinstance(value, dict) else value


def plain_value(text: str, scope: Scope) -> Any:
    """What a text means in a scope, without the marks of reading."""
    return _plain(read(text, scope))
