"""`gandyn explore`: a page on which games and rules are dragged and turned by hand."""

from __future__ import annotations

import inspect
import pathlib
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import completion, values
from .page import waiting

if TYPE_CHECKING:
    from ..registry import Entry


def explore(
    game: Annotated[
        str | None,
        typer.Argument(
            help="A registered game of two coordinates; all the toys by default.", autocompletion=completion.games
        ),
    ] = None,
    rule: Annotated[
        list[str] | None,
        typer.Option(
            help="An update rule, by name or call; may be repeated.",
            show_default=False,
            autocompletion=completion.rules,
        ),
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Where a parameter stands at first.")
    ] = None,
    out: Annotated[pathlib.Path, typer.Option(help="The page, a file that ends in .html.")] = pathlib.Path(
        "explorer.html"
    ),
) -> None:
    """Write a page to play with.

    One HTML file without a network: drag the start, turn the parameters of the game and of several rules, and watch
    trajectories, and eigenvalues beside the unit circle. It is written from the rules' own traced maps.
    """
    from ..explorer.page import checked
    from ..explorer.page import explore as page

    checked(out)
    given = values.settings(set_ or [])
    chosen, used, entries = _toy(game, given)
    built = []
    for text in rule or ():
        one, used_by_rule = values.build_rule(text, {"lr": 0.2} | given if _wants_step(text) else given)
        built.append(one)
        used |= used_by_rule
        entries.append(_registered(one.name))
    values.refuse_unused(given, used, entries)
    with waiting("tracing every rule on every game" if game is None else "tracing the rules"):
        made = page(chosen, built or None, out)
    typer.echo(f"wrote {out}: {', '.join(made.games[:3])}{', ...' if len(made.games) > 3 else ''}; {made!r}")


def _registered(name: str) -> Entry:
    from .. import rules

    return rules.registry[name]


def _wants_step(text: str) -> bool:
    """Whether a rule is given by its bare name, and has a step size to be told."""
    from .. import rules

    bare = text.strip()
    if not values.NAME.fullmatch(bare):
        return False
    return "lr" in inspect.signature(rules.registry[bare].build).parameters


def _toy(game: str | None, given: dict[str, object]) -> tuple[Any, set[str], list[Any]]:
    """The game with sliders at the values that are given, which of them it took, and its entry."""
    from .. import games
    from ..explorer.sliders import turned_entry
    from ..explorer.toys import Toy

    if game is None:
        return None, set(), []
    entry = games.registry[game]
    taken = {name for name in given if name in inspect.signature(entry.build).parameters}
    values.build(entry, "game", given)
    turned = turned_entry(entry, {name: given[name] for name in taken})
    return Toy(turned.plain.name, turned), taken, [entry]
