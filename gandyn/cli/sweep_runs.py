"""`gandyn sweep`: a grid of training runs, its map of outcomes, and where it stopped it goes on."""

from __future__ import annotations

import json
import pathlib
from typing import Annotated, Any

import typer


def sweep(
    name: Annotated[
        str | None, typer.Argument(help="A TOML file, or the name of a shipped sweep; without, those are listed.")
    ] = None,
    out: Annotated[pathlib.Path | None, typer.Option(help="The folder.", show_default="runs/NAME")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Small cells, to see that it runs.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Train a GAN over a grid of rules, losses or step sizes.

    Writes sweep.json and sweep.png; the same command goes on with the cells that are missing.
    """
    from ..gans.training.sweep import SHIPPED, Sweep

    if name is None:
        for path in sorted(SHIPPED.glob("*.toml")):
            typer.echo(f"{path.stem}\n    {Sweep.find(path).about}")
        return
    chosen = Sweep.find(name)
    folder = out or pathlib.Path("runs") / (f"{chosen.name}-quick" if quick else chosen.name)

    def tell(row: dict[str, Any]) -> None:
        case = ", ".join(f"{axis} {label}" for axis, label in row["case"].items())
        typer.echo(f"{case}, seed {row['seed']}: {row['outcome']}", err=True)

    result = chosen.run(folder, quick=quick, progress=tell)
    if len(chosen.axes) <= 2:
        result.plot().save(folder / "sweep.png")
    typer.echo(json.dumps(result.to_dict(), indent=2) if as_json else f"{result.summary()}\nin {folder}")
