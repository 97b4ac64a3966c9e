"""Finds what a folder holds: every module of a room is imported once, and its public classes or builders are listed."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from .errors import GandynError, ParameterError, UnknownNameError


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
        self, name: str, examples: tuple[dict[str, Any], ...] = ({},), aliases: tuple[str, ...] = ()
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Decorator form of `add`."""

        def decorate(build: Callable[..., Any]) -> Callable[..., Any]:
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

    def from_text(self, text: str) -> Any:
        """Build an entry from its name, or from a call with plain arguments as text: "R1(0.3)", "hinge".

        Arguments are numbers, names (passed on as text) or calls of other entries: "label_smoothing(minimax, 0.1)".

        Raises:
            UnknownNameError: for a name that is not registered.
            ParameterError: for text that is not such a call, or arguments that the entry does not take.
        """
        text = text.strip()
        if "(" not in text:
            return self._build(text, (), {}, text)
        try:
            call = ast.parse(text, mode="eval").body
        except SyntaxError as error:
            raise self._not_a_call(text) from error
        return self._call(call, text)

    def _call(self, call: ast.expr, text: str) -> Any:
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            raise self._not_a_call(text)
        positional = [self._argument(node, text) for node in call.args]
        named = {str(keyword.arg): self._argument(keyword.value, text) for keyword in call.keywords}
        return self._build(call.func.id, positional, named, text)

    def _build(self, name: str, positional: Sequence[Any], named: Mapping[str, Any], text: str) -> Any:
        build = self[name].build
        signature = inspect.signature(build)
        try:
            signature.bind(*positional, **named)
        except TypeError as error:
            needed = f"{name}{signature}".replace("'", "")
            raise ParameterError(f"{text}: {error}", needed, "check the arguments") from error
        return build(*positional, **named)

    def _argument(self, node: ast.expr, text: str) -> Any:
        if isinstance(node, ast.Call):
            return self._call(node, text)
        if isinstance(node, ast.Name):
            return node.id
        try:
            return ast.literal_eval(node)
        except ValueError as error:
            raise self._not_a_call(text) from error

    def _not_a_call(self, text: str) -> ParameterError:
        needed = f"the name of a {self.kind}, or a call of one with plain numbers"
        return ParameterError(f"{text!r} as a {self.kind}", needed, "NAME, NAME(0.3) or NAME(key=0.3)")

    def __getitem__(self, name: str) -> Entry:
        key = self._aliases.get(name, name)
        if key not in self.entries:
            raise UnknownNameError.among(self.kind, name, [*self.entries, *self._aliases])
        return self.entries[key]

    def __iter__(self) -> Iterator[Entry]:
        return iter(sorted(self.entries.values(), key=lambda e: e.name))

    def __len__(self) -> int:
        return len(self.entries)
