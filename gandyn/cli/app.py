"""The commands put together, and what a user's mistake looks like: one line on stderr, exit status 2."""

from __future__ import annotations

import importlib
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from .. import __version__
from ..errors import GandynError, MissingDependencyError, UnknownNameError

USAGE_ERROR: Any = typer.BadParameter.__base__
MISTAKE = 2

# Each command: where its function stands, and the line of it that `gandyn --help` shows without loading it.
COMMANDS = {
    "spiral": ("spiral.spiral", "Draw the GDA spiral."),
    "explore": ("explore.explore", "Write a page to play with."),
    "analyze": ("analyze.analyze", "Analyse a rule on a game, exactly where that is possible."),
    "train": ("train_run.train", "Train a GAN as a config says."),
    "spectrum": ("spectrum.spectrum", "Eigenvalues of real networks, matrix-free."),
    "compare-toy": ("toy.compare_toy", "Toy against network."),
    "sweep": ("sweep_runs.sweep", "Train a GAN over a grid of rules, losses or step sizes."),
    "claims": ("claims.claims", "List published claims with source, how each is established, and its verdict."),
    "figure": ("figure.figure", "Redraw published figures and check their numbers."),
    "cite": ("cite.cite", "Print the papers behind a name as BibTeX."),
    "doctor": ("doctor.doctor", "Say what is fast here, and why not."),
    "list": ("listing.list_", "List the registered games, rules, losses and penalties, or what real GANs are made of."),
}


class OneLineErrors(TyperGroup):
    """The commands, each loaded when it runs; mistakes, typer's own among them, are reported on one line.

    The line is `error: given. Needed: ... Usual fix: ...`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands = {name: TyperCommand(name, help=line) for name, (_, line) in COMMANDS.items()}

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command by name; an unknown one with the nearest match."""
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            raise UnknownNameError.among("command", args[0], COMMANDS)
        name, found, rest = super().resolve_command(ctx, args)
        return name, found and command(name), rest

    def main(self, *args: Any, standalone_mode: bool = True, **options: Any) -> Any:
        """Run; leave with status 2 after a mistake."""
        try:
            options["standalone_mode"] = False
            status = super().main(*args, **options)
        except (GandynError, USAGE_ERROR) as error:
            if not standalone_mode:
                raise
            typer.echo(f"error: {one_line(error)}", err=True)
            sys.exit(MISTAKE)
        except ModuleNotFoundError as error:
            known = MissingDependencyError.of(error)
            if known is error or not standalone_mode:
                raise
            typer.echo(f"error: {one_line(known)}", err=True)
            sys.exit(MISTAKE)
        except (KeyboardInterrupt, typer.Abort):
            typer.echo("error: interrupted", err=True)
            sys.exit(130)
        if standalone_mode:
            sys.exit(status if isinstance(status, int) else 0)
        return status


def command(name: str | None) -> Any:
    """A command of the table, its module loaded, as typer makes it of the function."""
    module, _, function = COMMANDS[str(name)][0].partition(".")
    alone = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    alone.command(name)(getattr(importlib.import_module(f"gandyn.cli.{module}"), function))
    return get_command(alone)


def one_line(error: Exception) -> str:
    """A message without line breaks; a usage mistake ends with where to read on."""
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    context = getattr(error, "ctx", None)
    if context is not None:
        message = f"{message.rstrip('.')}. Usual fix: see {context.command_path} --help."
    return " ".join(message.split())


def show_version(wanted: bool) -> None:
    """Print the version and leave."""
    if wanted:
        typer.echo(f"gandyn {__version__}")
        raise typer.Exit


app = typer.Typer(
    name="gandyn",
    cls=OneLineErrors,
    help="Dynamics and convergence of GANs and differentiable games: one update rule, every world.",
    invoke_without_command=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def options(
    ctx: typer.Context,
    version: Annotated[bool, typer.Option("--version", callback=show_version, is_eager=True, help="Version.")] = False,
) -> None:
    """Dynamics and convergence of GANs and differentiable games: one update rule, every world."""
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


def main() -> None:
    """Entry point of the `gandyn` command."""
    app()
