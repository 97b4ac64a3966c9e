"""`gandyn list`: what can be named on the command line, with its parameters and what it is."""

from __future__ import annotations

import inspect
import json
from typing import Annotated, Any

import typer

from ..errors import UnknownNameError
from ..registry import Entry, Registry


def rooms() -> dict[str, Registry]:
    """The registries by the name of their room."""
    from .. import games, losses, penalties, rules

    return {module.__name__.rpartition(".")[2]: module.registry for module in (games, rules, losses, penalties)}


def list_(
    what: Annotated[str | None, typer.Argument(help="games, rules, losses or penalties; all by default.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List the registered games, rules, losses and penalties."""
    known = rooms()
    if what is not None and what not in known:
        raise UnknownNameError.among("list", what, known)
    chosen = {name: registry for name, registry in known.items() if what in (None, name)}
    if as_json:
        data = {name: [_plain(entry) for entry in registry] for name, registry in chosen.items()}
        typer.echo(json.dumps(data, indent=2))
        return
    for name, registry in chosen.items():
        typer.echo(f"{name} ({len(registry)})")
        for entry in registry:
            also = f"  (also {', '.join(entry.aliases)})" if entry.aliases else ""
            typer.echo(f"  {entry.name}({', '.join(_parameters(entry))}){also}")
            typer.echo(f"      {entry.description}")
        typer.echo()


def _parameters(entry: Entry) -> list[str]:
    shown = []
    for parameter in inspect.signature(entry.build).parameters.values():
        default = "" if parameter.default is parameter.empty else f"={parameter.default!r}"
        shown.append(f"{parameter.name}{default}")
    return shown


def _plain(entry: Entry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "aliases": list(entry.aliases),
        "parameters": _parameters(entry),
        "description": entry.description,
    }
