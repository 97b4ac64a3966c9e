"""`gandyn spiral`: the flow and the rules from one start, over the field, beside their eigenvalues."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import OutputError, ParameterError, refuse_unknown, writing
from . import completion, values

if TYPE_CHECKING:
    from ..plots.spiral_study import Spiral

DEFAULT_RULES = ("SimultaneousGD", "AlternatingGD", "Extragradient", "OptimisticGD")
SUFFIXES = (".png", ".pdf", ".svg", ".gif", ".json")
WIDTHS = ("single", "double", "slide")


def spiral(
    game: Annotated[
        str, typer.Option(help="A registered game of two coordinates.", autocompletion=completion.games)
    ] = "bilinear",
    rule: Annotated[
        list[str] | None,
        typer.Option(
            help="An update rule, by name or call; may be repeated.",
            show_default=False,
            autocompletion=completion.rules,
        ),
    ] = None,
    lr: Annotated[str, typer.Option(help="Step size, one number or one per player: 0.2 or 0.1,0.3.")] = "0.2",
    start: Annotated[str, typer.Option(help="Where every trajectory starts.")] = "1,0",
    steps: Annotated[
        int | None, typer.Option(help="Steps of each rule.", show_default="60, or one and a half turns of the flow")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A parameter of the game or the rules.")
    ] = None,
    noise: Annotated[
        str | None, typer.Option(help="Variance of noise on the field; draws the predicted ellipses.")
    ] = None,
    surface: Annotated[
        bool, typer.Option("--surface", help="The cost's surface, trajectories climbing on it.")
    ] = False,
    animate: Annotated[bool, typer.Option("--animate", help="A GIF in which the trajectories grow.")] = False,
    out: Annotated[
        list[pathlib.Path] | None,
        typer.Option(help="PNG, PDF, SVG, GIF or JSON, by suffix; may be repeated.", show_default="spiral.png"),
    ] = None,
    width: Annotated[str, typer.Option(help="single (one paper column), double or slide.")] = "double",
    as_json: Annotated[bool, typer.Option("--json", help="Print the numbers behind the picture as JSON.")] = False,
) -> None:
    """Draw the GDA spiral.

    From one start, the gradient flow and each rule on the game's vector field; beside it, the eigenvalues of each
    rule's update map against the unit circle, with exact spectral radii. Prints the table of the picture.
    """
    refuse_unknown("width", width, WIDTHS)
    if steps is not None and steps < 1:
        raise ParameterError(f"--steps {steps}", "a whole number >= 1", "--steps 60")
    targets = _targets(out, animate, as_json)
    study = _study(game, rule, lr, start, steps, set_, noise)
    typer.echo(json.dumps(study.to_dict(), indent=2) if as_json else study.summary())
    for target in targets:
        _write(study, target, surface, width)
        typer.echo(f"wrote {target}", err=as_json)


def _targets(out: list[pathlib.Path] | None, animate: bool, as_json: bool) -> list[pathlib.Path]:
    """The files to write, each known to be writable before anything is computed."""
    from ..plots.drawing import writable

    if out is None:
        out = [pathlib.Path("spiral.gif")] if animate else [] if as_json else [pathlib.Path("spiral.png")]
    targets = [writable(path, SUFFIXES) for path in out]
    if animate and not any(path.suffix.lower() == ".gif" for path in targets):
        raise OutputError(
            f"--animate into {', '.join(map(str, targets))}", "a file that ends in .gif", "--out spiral.gif"
        )
    return targets


def _study(
    game: str, rule: list[str] | None, lr: str, start: str, steps: int | None, set_: list[str] | None, noise: str | None
) -> Spiral:
    import numpy as np

    from .. import games, rules
    from ..plots.drawable import plane
    from ..plots.spiral_study import compute_spiral

    given = values.settings(set_ or [])
    if "lr" in given:
        raise ParameterError("--set lr", "the step size in --lr", f"--lr {given['lr']}")
    with values.option("--lr"):
        step = values.value(lr)
    if isinstance(step, str):
        raise ParameterError(f"--lr {lr!r}", "a number, or one per player", "--lr 0.2")
    entry = games.registry[game]
    built, used = values.build(entry, "game", given)
    entries, built_rules = [entry], []
    for text in rule or DEFAULT_RULES:
        one, used_by_rule = values.build_rule(text, {**given, "lr": step})
        built_rules.append(one)
        used |= used_by_rule
        entries.append(rules.registry[one.name])
    values.refuse_unused(given, used, entries)
    where = [float(x) for x in values.point(start, "--start")]
    if built.dim == 2:  # another game is refused below
        with values.option("--start"):
            built.check(np.array(where))
    plane(built)
    return compute_spiral(built, built_rules, step, where, steps, None if noise is None else values.value(noise))


def _write(study: Spiral, target: pathlib.Path, surface: bool, width: str) -> None:
    from .. import plots

    suffix = target.suffix.lower()
    if suffix == ".json":
        with writing(target):
            target.write_text(json.dumps(study.to_dict(), indent=2) + "\n", encoding="utf-8")
        return
    with plots.house_style(width):
        figure = plots.draw_spiral(study, surface=surface)
        if suffix == ".gif":
            plots.animate(figure, target, progress=_progress)
        else:
            figure.save(target)


def _progress(frames: Iterable[int]) -> Iterable[int]:
    """A progress bar on stderr, where someone is watching."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return track(list(frames), "drawing frames", console=console, transient=True, disable=not console.is_terminal)
