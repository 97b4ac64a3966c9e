"""`gandyn list`: what can be named on the command line, with its parameters and what it is."""

from __future__ import annotations

import importlib
import inspect
import json
from typing import Annotated

import typer

from ..errors import UnknownNameError
from ..registry import Entry, Registry

GAN_ROOMS = ("architectures", "datasets", "features", "metrics", "systems", "terms")


def rooms(what: str | None = None) -> dict[str, Registry]:
    """The registries by the name of their room; those of real GANs, which load torch, only when one is asked for."""
    from .. import games, losses, penalties, rules

    known = {module.__name__.rpartition(".")[2]: module.registry for module in (games, rules, losses, penalties)}
    if what in GAN_ROOMS:
        known[what] = importlib.import_module(f"gandyn.gans.{what}").registry
    return known


def list_(
    what: Annotated[
        str | None, typer.Argument(help=f"games, rules, losses or penalties, all by default; {', '.join(GAN_ROOMS)}.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List the registered games, rules, losses and penalties, or what real GANs are made of."""
    known = rooms(what)
    if what is not None and what not in known:
        raise UnknownNameError.among("list", what, [*known, *GAN_ROOMS])
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


def _plain(entry: Entry) -> dict[str, object]:
    return {
        "name": entry.name,
        "aliases": list(entry.aliases),
        "parameters": _parameters(entry),
        "description": entry.description,
    }
