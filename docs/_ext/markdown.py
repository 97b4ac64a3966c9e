"""The few forms of Markdown that the catalogue writes: tables, mathematics, signatures with their docstrings."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Sequence
from typing import Any

from docstrings import docstring_rst


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table; cells may hold inline Markdown, and their bars are escaped."""
    cells = [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    lines = [f"| {' | '.join(row)} |" for row in (list(heads), *cells)]
    return [lines[0], "|" + "---|" * len(heads), *lines[1:], ""]


def display(latex: str) -> list[str]:
    """A formula on a line of its own."""
    return ["```{math}", latex, "```", ""]


def described(kind: str, name: str, thing: Any) -> list[str]:
    """Signature and docstring as an entry of the index: `gd.rules.GDA` can be linked to and searched for."""
    return [
        "```{eval-rst}",
        f".. py:{kind}:: {name}{signature(thing)}",
        "",
        *(f"   {line}".rstrip() for line in docstring_rst(thing)),
        "```",
        "",
    ]


def signature(thing: Any) -> str:
    """(lr: Any, gamma: Any = 0.5) -> Game, with types as they are written."""
    try:
        found = inspect.signature(thing)
    except (TypeError, ValueError):
        return "()"
    typed = [p.replace(annotation=_Written(p.annotation)) for p in found.parameters.values()]
    returned = found.return_annotation
    if inspect.isclass(thing) or returned is found.empty:
        return str(inspect.Signature(typed))
    return str(inspect.Signature(typed, return_annotation=_Written(returned)))


class _Written:
    """An annotation that prints as it stands in the file, without quotation marks."""

    def __init__(self, annotation: Any) -> None:
        self.text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)

    def __repr__(self) -> str:
        return self.text


def call(name: str, arguments: dict[str, Any]) -> str:
    """name(key=value, ...) as code."""
    return f"{name}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})"


def short(rule: Any) -> str:
    """A rule as code that builds it, without parameters that are at their defaults; its inner rules likewise."""
    fields = {field.name: field for field in dataclasses.fields(rule)}
    written = []
    for k, name in enumerate(inspect.signature(type(rule)).parameters):
        value, default = getattr(rule, name), fields[name].default
        if k == 0:
            written.append(_value(value))
        elif default is dataclasses.MISSING or value != default:
            written.append(f"{name}={_value(value)}")
    return f"{type(rule).__name__}({', '.join(written)})"


def _value(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(_value, value))}{',' if len(value) == 1 else ''})"
    return short(value) if dataclasses.is_dataclass(value) else repr(value)


def figure(path: str, alternative: str, caption: str) -> list[str]:
    """A picture with a caption; `path` starts at the root of the docs."""
    return [f"```{{figure}} {path}", f":alt: {alternative}", "", caption, "```", ""]
