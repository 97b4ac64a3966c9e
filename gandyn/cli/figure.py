"""`gandyn figure`: published figures redrawn, their numbers checked."""

from __future__ import annotations

import contextlib
import json
import pathlib
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ParameterError
from . import completion
from .page import waiting

if TYPE_CHECKING:
    from ..figures.making import Made


def figure(
    names: Annotated[
        list[str] | None, typer.Argument(help="Figures by name; --list shows them.", autocompletion=completion.figures)
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every figure, in parallel processes.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Seconds on a CPU instead of the full settings.")] = False,
    style: Annotated[str, typer.Option(help="single (one paper column), double or slide.")] = "double",
    out: Annotated[pathlib.Path, typer.Option(help="Folder for PDF, SVG, PNG, NPZ and JSON.")] = pathlib.Path(
        "figures"
    ),
    listed: Annotated[bool, typer.Option("--list", help="List the figures.")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Processes at a time.")] = 2,
    source: Annotated[
        pathlib.Path | None, typer.Option("--from", help="A folder of your own figures.", show_default=False)
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Compute again what is up to date.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Redraw published figures and check their numbers.

    Status 0 where all is reproduced, 1 where a number is wrong or a figure fails. What the papers show and the data do
    not is no error: 3 not reproduced at these settings, 4 reproduced in part, 5 not settled at this budget, 6
    contradicted; of several figures the worst, in the order 4, 5, 3, 6, 1. Only what changed is made again: an
    interrupted run goes on where it was.
    """
    from .. import figures

    if listed:
        _list(figures, source, as_json)
        return
    if bool(names) == everything:
        given = "names and --all" if names else "no figure"
        raise ParameterError(given, "names, or --all", "gandyn figure --list")
    options: dict[str, Any] = {"quick": quick, "style": style, "out": out, "force": force, "source": source}
    if names and len(names) == 1:
        with waiting(names[0]):
            report: Any = figures.make(names[0], **options)
    else:
        with _progress(names or list(figures.figures(source))) as watch:
            report = figures.make_all(names, jobs=jobs, watch=watch, **options)
    typer.echo(json.dumps(report.to_dict(), indent=2) if as_json else report.summary())
    if report.outcome.exit_status:
        raise typer.Exit(report.outcome.exit_status)


def _list(figures: ModuleType, source: pathlib.Path | None, as_json: bool) -> None:
    known = [figures.load(path) for path in figures.figures(source).values()]
    if as_json:
        typer.echo(json.dumps([one.to_dict() for one in known], indent=2))
        return
    for one in known:
        typer.echo(one.summary())
    typer.echo(f"{len(known)} figures of {len({one.paper for one in known})} papers")
    typer.echo(figures.tally(one.outcome for one in known if one.outcome))


@contextlib.contextmanager
def _progress(names: list[str]) -> Iterator[Any]:
    """A bar on stderr that names what is being made; a line a figure where nobody watches."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = BarColumn(24), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}")
    running: list[str] = []
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=len(names))

        def watch(name: str, made: Made | None) -> None:
            if made is None:
                running.append(name)
            else:
                running.remove(name)
                console.print(made.headline, highlight=False, markup=False, soft_wrap=True)
            bar.update(task, advance=made is not None, description=", ".join(running))

        yield watch
