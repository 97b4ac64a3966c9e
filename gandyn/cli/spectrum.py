"""`gandyn spectrum`: the ends of the spectra of a training run, or of a config's networks before training."""

from __future__ import annotations

import json
import pathlib
from typing import Annotated, Any

import typer

from ..errors import DomainError, ParameterError, refuse_unknown
from ..types import Array, Game, Rule
from . import values
from .page import waiting

OPERATORS = ("J", "S", "A", "hessians", "map")
ENDS = ("LM", "LR", "SR", "LI")
PICTURES = (".png", ".pdf", ".svg")


def spectrum(
    run: Annotated[str, typer.Argument(help="A run's folder, a config file, or the name of a shipped config.")],
    of: Annotated[
        list[str] | None, typer.Option(help="J, S, A, hessians or map; may be repeated.", show_default="all")
    ] = None,
    which: Annotated[
        list[str] | None, typer.Option(help="LM, LR, SR or LI; may be repeated.", show_default="all that apply")
    ] = None,
    rule: Annotated[str | None, typer.Option(help="Another rule for the map, by call; the run's own without.")] = None,
    k: Annotated[int, typer.Option("-k", help="Eigenvalues at each end.")] = 1,
    batches: Annotated[int, typer.Option(help="Batches to repeat it over, for error bars.")] = 1,
    batch_size: Annotated[int | None, typer.Option(help="Points in a batch; as in training without.")] = None,
    statistics: Annotated[str, typer.Option(help="Of batch-norm layers: batch or running.")] = "batch",
    most: Annotated[int, typer.Option(help="Products for each start.")] = 600,
    double: Annotated[bool, typer.Option("--double", help="In double precision.")] = False,
    start: Annotated[bool, typer.Option("--start", help="At the point before training too.")] = False,
    out: Annotated[pathlib.Path | None, typer.Option(help="A picture of J: PNG, PDF or SVG.")] = None,
    seed: Annotated[int, typer.Option(help="Of batches and random starts.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Eigenvalues of real networks, matrix-free.

    Prints the ends of the spectra of the game Jacobian J with outer bounds, of its parts S and A, of each player's own
    Hessian, and of the rule's linearised update map, with residuals and how far each can be believed.
    """
    from ..plots.drawing import writable

    kinds = _chosen("--of", of, OPERATORS)
    chosen = _chosen("--which", which, ENDS)
    target = None if out is None else writable(out, PICTURES)
    if target is not None and "J" not in kinds:
        raise ParameterError("--out without --of J", "J, which is what is drawn", "--of J")
    game, own, places = open_run(run, double)
    built = own if rule is None else values.build_rule(rule, {})[0]
    options = {
        "k": k,
        "batches": batches,
        "batch_size": batch_size,
        "statistics": statistics,
        "most": most,
        "seed": seed,
    }
    found: dict[str, list[Any]] = {}
    for place, (w, state) in places.items():
        if place == "start" and len(places) > 1 and not (start or target is not None):
            continue
        with waiting(f"spectra at the {place}"):
            found[place] = _spectra(game, w, built, state if rule is None else None, kinds, chosen, options)
    if as_json:
        typer.echo(json.dumps({place: [s.to_dict() for s in found[place]] for place in found}, indent=2))
    else:
        for place, results in found.items():
            typer.echo("\n\n".join([f"at the {place}", *(r if isinstance(r, str) else r.summary() for r in results)]))
    if target is not None:
        from ..plots import house_style, network_spectrum

        with house_style("double"):
            network_spectrum({place: results[0] for place, results in found.items()}).save(target)
        typer.echo(f"wrote {target}", err=as_json)


def open_run(run: str, double: bool = False) -> tuple[Any, Any, dict[str, Any]]:
    """(game, rule, {"start" or "end": (point, rule's state)}) of a run or a config. Raises GandynError for neither."""
    from ..gans.training.config import Config
    from ..gans.training.run import TrainingRun

    if pathlib.Path(run).is_dir():
        loaded = TrainingRun.load(run)
        game, rule = loaded.game, loaded.rule
        places = {"start": (game.w0, None), "end": (loaded.w, loaded.state)}
    else:
        game, rule = Config.find(run).build()
        places = {"start": (game.w0, None)}
    return (game, rule, places) if not double else _doubled(game, rule, places)


def _doubled(game: Any, rule: Rule, places: dict[str, Any]) -> tuple[Any, Any, dict[str, Any]]:
    """A copy of the game, with its rule and points, whose networks and data are in double precision."""
    import copy

    from ..gans.gan_game import GANGame

    if type(game) is not GANGame:
        raise DomainError(f"{game.name} in double precision", "a GAN of two networks", "leave --double out")
    generator, discriminator = (copy.deepcopy(network).double() for network in game.networks)
    latent = int(game.reference.latent.shape[1])
    data = copy.deepcopy(game.data)
    again = GANGame(generator, discriminator, game.loss, list(game.penalties), data, game.size, latent)
    moved = {}
    for place, (w, state) in places.items():
        if state is not None:
            state = state.replace_leaves(
                iter([array.double() for _, array in state.leaves()]), iter([c for _, c in state.counter_leaves()])
            )
        moved[place] = (w.double(), state)
    return again, rule, moved


def _chosen(option: str, given: list[str] | None, known: tuple[str, ...]) -> tuple[str, ...]:
    for name in given or ():
        refuse_unknown(f"value of {option}", name, known)
    return known if given is None else tuple(dict.fromkeys(given))


def _spectra(
    game: Game,
    w: Array,
    rule: Rule,
    state: object,
    kinds: tuple[str, ...],
    which: tuple[str, ...],
    options: dict[str, Any],
) -> list[Any]:
    """One result for each operator; where a rule has no map there, the line that says so, as an empty spectrum."""
    from ..analysis.spectrum import spectrum as of_network

    found: list[Any] = []
    for kind in kinds:
        if kind == "J":
            found.append(of_network(game, w, which=which, bounds=True, **options))
        elif kind == "S":
            found.append(of_network(game, w, which=_among(which, ("LR", "SR")), of="S", **options))
        elif kind == "A":
            found.append(of_network(game, w, which=("LI",), of="A", **options))
        elif kind == "hessians":
            ends = _among(which, ("LR", "SR"))
            found += [of_network(game, w, which=ends, of=player.name, **options) for player in game.players]
        elif state is None and not rule.domain.smooth:
            continue
        else:
            found.append(of_network(game, w, which=("LM",), rule=rule, state=state, limit=False, **options))
    if not found:
        raise ParameterError(
            f"the map of {rule!r} before training, where its state has no derivative",
            "a trained run",
            "--rule GDA(0.1)",
        )
    return found


def _among(which: tuple[str, ...], fitting: tuple[str, ...]) -> tuple[str, ...]:
    """The ends of the spectrum that were asked for and that a symmetric matrix has; both where none is left."""
    return tuple(name for name in which if name in fitting) or fitting
