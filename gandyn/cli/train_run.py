"""`gandyn train`: a run from a config, shipped or the user's own; the same command goes on where it stopped."""

from __future__ import annotations

import json
import pathlib
import sys
from collections.abc import Mapping
from typing import Annotated

import typer

from ..errors import writing
from . import completion

SIGNALLED = 128


def train(
    config: Annotated[
        str | None,
        typer.Argument(
            help="A TOML file, or the name of a shipped config; without, those are listed.",
            autocompletion=completion.configs,
        ),
    ] = None,
    out: Annotated[pathlib.Path | None, typer.Option(help="The run's folder.", show_default="runs/NAME")] = None,
    steps: Annotated[int | None, typer.Option(help="Another number of steps.")] = None,
    seed: Annotated[int | None, typer.Option(help="Another seed.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda or cuda:N.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start anew, in a folder that has a run.")] = False,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="TensorBoard logs beside the JSON lines.")] = False,
    picture: Annotated[bool, typer.Option("--picture", help="Draw losses, gradients and metrics at the end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Train a GAN as a config says.

    The folder gets the log (log.jsonl), sample pictures, checkpoints and result.json. A run that was killed goes on
    to the same numbers when the command is given again; Ctrl-C saves first. Under torchrun, several processes share
    each batch.
    """
    from ..gans.training.config import Config, shipped

    if config is None:
        _print_shipped(shipped())
        return
    chosen = Config.find(config)
    changes = {"steps": steps, "seed": seed, "device": device}
    chosen = chosen.replace(**{key: value for key, value in changes.items() if value is not None})
    folder = out or pathlib.Path("runs") / chosen.name
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    from ..gans.training.start import start

    run, signal = start(chosen, folder, resume=not fresh, tensorboard=tensorboard, progress=True)
    if run is None:
        return
    if picture:
        run.plot().save(folder / "training.png")
    typer.echo(json.dumps(run.to_dict(), indent=2) if as_json else f"{run.summary()}\nin {folder}")
    if signal is not None:
        typer.echo("interrupted and saved: the same command goes on", err=True)
        sys.exit(SIGNALLED + signal)


def _print_shipped(paths: Mapping[str, pathlib.Path]) -> None:
    from ..gans.training.config import Config

    for name, path in paths.items():
        typer.echo(f"{name}\n    {Config.read(path).about}")
