"""The commands put together, and what a user's mistake looks like: one line on stderr, exit status 2."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from .. import __version__
from ..errors import GandynError, MissingDependencyError, UnknownNameError
from . import analyze, cite, claims, doctor, explore, figure, listing, spectrum, spiral, toy
from . import sweep_runs as sweep
from . import train_run as train

USAGE_ERROR: Any = typer.BadParameter.__base__
MISTAKE = 2


class OneLineErrors(TyperGroup):
    """A group whose mistakes, typer's own among them, are reported as `error: given. Needed: ... Usual fix: ...`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command by name; an unknown one with the nearest match."""
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            raise UnknownNameError.among("command", args[0], self.list_commands(ctx))
        return super().resolve_command(ctx, args)

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


def one_line(error: Exception) -> str:
    """A message without line breaks; a usage mistake ends with where to read on."""
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    if isinstance(error, UnknownNameError) and error.fix.startswith("did you mean"):  # the guess first, the list after
        message = f"{error.given}: {error.fix}? Needed: {error.needed}."
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


app.command("spiral")(spiral.spiral)
app.command("explore")(explore.explore)
app.command("analyze")(analyze.analyze)
app.command("train")(train.train)
app.command("spectrum")(spectrum.spectrum)
app.command("compare-toy")(toy.compare_toy)
app.command("sweep")(sweep.sweep)
app.command("claims")(claims.claims)
app.command("figure")(figure.figure)
app.command("cite")(cite.cite)
app.command("doctor")(doctor.doctor)
app.command("list")(listing.list_)


def main() -> None:
    """Entry point of the `gandyn` command."""
    app()
