"""`gandyn cite`: BibTeX of the papers behind a rule, game, loss, penalty, claim or figure."""

from __future__ import annotations

import functools
import inspect
import json
import sys
from collections.abc import Callable, Iterator
from typing import Annotated

import typer

from ..errors import GandynError, ParameterError, UnknownNameError
from ..registry import Registry
from . import completion
from .papers import Reference, bibliography, mentioned


def cite(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Names of rules, games, losses, penalties, claims, figures, or keys of papers.",
            autocompletion=completion.cited,
        ),
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="Every paper of the bibliography, one a line.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Print the papers behind a name as BibTeX.

    Each has a DOI, an arXiv identifier or an address. A paper that has none of them, or is not in the bibliography, is
    not printed: the documentation of the rule or claim names it.
    """
    if bool(names) == listed:
        raise ParameterError("no name" if not names else "names and --list", "names, or --list", "gandyn cite GDA")
    papers = list(bibliography().values()) if listed else _behind_all(names or [])
    if as_json:
        data = [{"key": p.key, "title": p.title, "year": p.year, "identifier": p.identifier} for p in papers]
        typer.echo(json.dumps(data, indent=2))
    elif listed:
        typer.echo("\n".join(f"{p.key:<26}{p.identifier:<34}{p.title}" for p in papers))
    else:
        typer.echo("\n\n".join(p.bibtex for p in papers))


def _behind_all(names: list[str]) -> list[Reference]:
    return list({paper.key: paper for name in names for paper in behind(name)}.values())


def behind(name: str) -> list[Reference]:
    """The papers behind a name.

    Raises:
        UnknownNameError: for a name that is nowhere. ParameterError: where no paper of the bibliography is named.

    Example:
        >>> [paper.key for paper in behind("Consensus")]
        ['mescheder_2017']
    """
    if name in bibliography():
        return [bibliography()[name]]
    known: list[str] = []
    for names, text_of in _rooms():
        chosen = next((n for n in (name, _same(name, names)) if n in names), None)
        if chosen is not None:
            found = mentioned(text_of(chosen))
            if not found:
                raise ParameterError(
                    f"{chosen}, whose documentation names no paper of the bibliography",
                    "another name",
                    "gandyn cite --list",
                )
            return found
        known += names
    raise UnknownNameError.among("rule, game, loss, penalty, claim, figure or paper", name, [*known, *bibliography()])


def _same(name: str, names: list[str]) -> str | None:
    def plain(text: str) -> str:
        return text.replace("-", "").replace("_", "").lower()

    return next((n for n in names if plain(n) == plain(name)), None)


def _rooms() -> Iterator[tuple[list[str], Callable[[str], str]]]:
    """Names, and the text behind each: docstrings, a claim's source, a figure's paper. Cheap rooms first."""
    from .. import games, losses, penalties, rules

    for room in (rules, games, losses, penalties):
        registry = room.registry
        names = [n for entry in registry for n in (entry.name, *entry.aliases)]
        yield names, functools.partial(_documented_in, registry)
    from .. import claims

    yield [entry.name for entry in claims.registry], lambda name: claims.registry[name].build().source
    from .. import figures

    try:
        found = figures.figures()
    except GandynError:  # a copy without its figures
        return
    yield list(found), lambda name: figures.find(name).paper


def _documented_in(registry: Registry, name: str) -> str:
    return _documented(registry[name].build)


def _documented(build: object) -> str:
    """The builder's docstring and the first line of its file's; the file's whole one where these cite no paper."""
    file = inspect.getdoc(sys.modules[build.__module__]) or ""
    own = f"{inspect.getdoc(build) or ''}\n{file.partition(chr(10))[0]}"
    return own if mentioned(own) else file
