"""`gandyn compare-toy`: what the toy promises for a rule, beside what the rule does on a trained network."""

from __future__ import annotations

import json
import pathlib
from typing import Annotated, Any

import typer

from ..errors import ParameterError
from . import completion, values
from .page import waiting
from .spectrum import PICTURES, open_run

HIDDEN, BATCH, RATE = (16, 16), 64, 1e-3


def compare_toy(
    rule: Annotated[
        str, typer.Argument(help='By call: "GDA(0.05)", "Extragradient(0.05)".', autocompletion=completion.rules)
    ],
    run: Annotated[
        str | None, typer.Argument(help="A run's folder or a config; a small ring GAN, trained here, without.")
    ] = None,
    train: Annotated[int, typer.Option(help="Steps of training of the small ring GAN.")] = 600,
    steps: Annotated[int, typer.Option(help="Steps of each run near the point.")] = 40,
    seed: Annotated[int, typer.Option(help="Of networks, batches and starts.")] = 0,
    out: Annotated[pathlib.Path, typer.Option(help="PNG, PDF or SVG.")] = pathlib.Path("toy.png"),
    as_json: Annotated[bool, typer.Option("--json", help="Print the numbers as JSON.")] = False,
) -> None:
    """Toy against network.

    Takes eigenvalues of the game Jacobian at a trained point, predicts a rule there from quadratic games with the same
    eigenvalues (growth, turns and stable step), runs the rule from small errors, and draws both.
    """
    from ..analysis.spectrum.toy_against_network import toy_against_network
    from ..plots import house_style
    from ..plots.drawing import writable

    target = writable(out, PICTURES)
    built = values.build_rule(rule, {}, "RULE")[0]
    if train < 0:
        raise ParameterError(f"--train {train}", "a number >= 0", "--train 600")
    with waiting("training a small GAN" if run is None else f"reading {run}"):
        game, w = _small(train, seed) if run is None else _given(run)
    with waiting("toy against network"):
        found = toy_against_network(game, built, w, steps=steps, seed=seed)
    typer.echo(json.dumps(found.to_dict(), indent=2) if as_json else found.summary())
    with house_style("double"):
        found.plot().save(target)
    typer.echo(f"wrote {target}", err=as_json)


def _given(run: str) -> tuple[Any, Any]:
    """The last point of a run, in double precision: small errors are followed over many steps."""
    game, _, places = open_run(run, double=True)
    return game, list(places.values())[-1][0]


def _small(steps: int, seed: int) -> tuple[Any, Any]:
    """A ring GAN of two small networks, trained by alternating Adam."""
    from ..dynamics.iterate import iterate
    from ..gans import GANGame, mlp_pair, ring
    from ..rules import Adam, Alternating

    pair = [network.double() for network in mlp_pair(hidden=HIDDEN, seed=seed)]
    game = GANGame(*pair, "nonsaturating", data=ring(), batch_size=BATCH, latent=2, seed=seed)
    rule = Alternating(Adam(RATE, betas=(0, 0.99)))
    return game, iterate(game, rule, game.w0, steps, record="last").w
