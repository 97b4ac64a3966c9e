"""`gandyn analyze`: everything known of a game, or of a rule on it, at one point, on one page."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import typer

from ..errors import GandynError, MissingDependencyError, ParameterError
from . import values

BUDGET, OTHERS_BUDGET = 10.0, 3.0
WIDTH, LABEL = 100, 20


def analyze(
    game: Annotated[str, typer.Argument(help="A registered game: gandyn list games.")],
    rule: Annotated[
        str | None, typer.Option(help="An update rule, by name or call; the gradient flow without.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A parameter of the game or rule.")
    ] = None,
    at: Annotated[str | None, typer.Option(help="The point, coordinates with commas; the known equilibrium.")] = None,
    noise: Annotated[
        str | None, typer.Option(help="Variance of noise on the field, one number or one per player: 0.1 or 0.1,0.2.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, with the same content.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Every section, --global too, without a limit on its time.")
    ] = False,
    around: Annotated[
        bool, typer.Option("--global", help="Also what lies around the point: cycles, bifurcations, a proof.")
    ] = False,
) -> None:
    """Analyse a rule on a game, exactly where that is possible.

    Opens with the verdict and what to do. Then prints the game, its field, the rule's update map, characteristic
    polynomial, eigenvalues, rate and rotation, the verdict with its reason; the kind of solution, potential and
    Hamiltonian parts; stable, critical and best steps; the critical time scale; what finite steps add; conserved
    quantities and a Lyapunov function. Without a rule, the same of the gradient flow. With --global also all
    equilibria, cycles and invariant circles around the point, its bifurcations as the step grows, Lyapunov exponents of
    an orbit, and a proven basin. With --noise, and for games that draw batches, also the stationary law, the
    mean-square limit of the step and the best step for a budget. A section that computes for more than ten seconds is
    left out, and says so.
    """
    from .global_sections import GLOBAL
    from .in_short import in_short
    from .noise_section import noise_section
    from .sections import ALWAYS, KEYS, SECTIONS

    subject = _subject(game, rule, set_, at, noise)
    noisy = rule is not None and (noise is not None or subject.stochastic)
    chosen = {make: KEYS[make] for make in SECTIONS} | ({noise_section: ("noise",)} if noisy else {})
    chosen |= GLOBAL if around or everything else {}
    notes: dict[str, str] = {}
    first = {make: _within(None, make, subject) for make in ALWAYS}
    notes |= {make.__name__.removesuffix("_section"): why for make, (section, why) in first.items() if section is None}
    sections = [section for section, _ in first.values() if section is not None]
    data = {key: value for section in (*sections[2:], *sections[:2]) for key, value in section.data.items()}
    for make, keys in chosen.items():
        section, why = _within(None if everything else BUDGET, make, subject)
        data |= dict.fromkeys(keys) if section is None else section.data
        if section is not None:
            sections.append(section)
        elif why:
            notes[keys[0].replace("_", " ")] = why
    opening = in_short(subject, data.get("stability"), _others(subject))
    sections.insert(0, opening)
    data |= opening.data
    data["skipped"] = notes
    if as_json:
        from ..results import plain

        typer.echo(json.dumps(plain(data), indent=2))
        return
    asked = {keys[0].replace("_", " ") for keys in GLOBAL.values()} if around else set()
    late = {name: why for name, why in notes.items() if why.startswith(("skipped", "failed")) or name in asked}
    _print(subject.game.name, sections, late)


def _others(subject: Any) -> dict[str, float]:
    """Critical steps of the usual cures, where the point does not attract and they are found in seconds."""
    from .in_short import other_rules

    if str(subject.lin.verdict.value) == "attracting" or not subject.lin.equilibrium:
        return {}
    found, _ = _within(OTHERS_BUDGET, other_rules, subject)
    return found or {}


def _subject(game: str, rule: str | None, set_: list[str] | None, at: str | None, noise: str | None) -> Any:
    from .. import games, rules
    from ..analysis.local.linearize import linearize
    from .sections import Subject

    given = values.settings(set_ or [])
    entry = games.registry[game]
    built, used = values.build(entry, "game", given)
    entries = [entry]
    built_rule = None
    if rule is not None:
        built_rule, used_by_rule = values.build_rule(rule, given)
        used |= used_by_rule
        entries.append(rules.registry[built_rule.name])
    values.refuse_unused(given, used, entries)
    if built_rule is not None:
        built_rule.check(built)
    analysed = built.mean() or built
    place = _point(analysed, at)
    lin = linearize(analysed, built_rule, at=place)
    law = None if noise is None else _noise(noise, built, built_rule)
    return Subject(analysed, built_rule, place, lin, "" if analysed is built else built.name, built, law)


def _noise(text: str, game: Any, rule: Any) -> Any:
    """The noise that a text says, fitting the game."""
    from ..noise import Additive

    if rule is None:
        raise ParameterError("--noise without --rule", "a rule, whose steps the noise shakes", "--rule GDA --noise 0.1")
    law = Additive(values.value(text))
    law.on(game)
    return law


def _point(game: Any, at: str | None) -> Any:
    """The point asked for, or None for the known equilibrium, or the one that is found."""
    import numpy as np

    if at is not None:
        coordinates = values.point(at, "--at")
        game.check(np.array([float(x) for x in coordinates]))
        if not all(np.isfinite(float(x)) for x in coordinates):
            raise ParameterError(f"--at {at!r}", "finite numbers", "--at 0,0")
        return coordinates
    if game.equilibria:
        return None
    from ..analysis.zeros.fixed_points import fixed_points

    try:
        found = fixed_points(game)
    except ParameterError:
        found = fixed_points(game, box=[(-5.0, 5.0)] * game.dim)
    if not found:
        raise ParameterError(
            f"no equilibrium of {game.name} was found", "a point to analyse at", f"--at {','.join('0' * game.dim)}"
        )
    return found[0].point if found[0].exact is None else found[0].exact


# --- the time that a section may take ---------------------------------------------------------------------------------


class _TimeUp(BaseException):
    """Raised in the middle of a section; not an Exception, so that nothing on the way takes it for its own."""


@contextlib.contextmanager
def _alarm(seconds: float | None) -> Iterator[None]:
    """Interrupt the block after so many seconds of computing, where the system can; a busy machine changes nothing."""
    possible = hasattr(signal, "SIGPROF") and threading.current_thread() is threading.main_thread()
    if seconds is None or not possible:
        yield
        return

    def ring(*_: Any) -> None:
        raise _TimeUp

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _within(seconds: float | None, make: Callable[[Any], Any], subject: Any) -> tuple[Any, str]:
    """The section, or None with the reason why there is none."""
    try:
        with _alarm(seconds):
            return make(subject), ""
    except _TimeUp:
        return None, f"skipped: more than {seconds:g} s of computing; use --all"
    except MissingDependencyError as error:
        return None, f"skipped: {error}"
    except (GandynError, NotImplementedError) as error:  # the second is how SymPy says that it knows no way
        return None, getattr(error, "given", "") or str(error) or type(error).__name__
    except Exception as error:  # a fault of ours in one section is no reason to lose the others
        return None, f"failed: {type(error).__name__}: {error}"


# --- print ------------------------------------------------------------------------------------------------------------


def _print(title: str, sections: list[Any], late: dict[str, str]) -> None:
    """Rich tables on a terminal; plain lines of at most 100 columns elsewhere."""
    if sys.stdout.isatty():
        _rich(title, sections, late)
        return
    lines = [title, "=" * len(title)]
    for section in sections:
        lines += ["", section.title, "-" * len(section.title)]
        for name, rows in section.entries:
            lines += _wrapped(name, rows)
    if late:
        lines += ["", *(line for name, why in late.items() for line in _wrapped(name, [why]))]
    typer.echo("\n".join(lines))


def _wrapped(name: str, rows: list[str]) -> list[str]:
    """The rows of an entry beside its name; what is longer than the page goes on below, indented."""
    result = []
    for k, row in enumerate(rows):
        label = f"{name if k == 0 else '':<{LABEL}}"
        if len(label) + len(row) <= WIDTH:
            result.append(label + row)
            continue
        further = " " * (LABEL + 4)
        result += textwrap.wrap(row, WIDTH, initial_indent=label, subsequent_indent=further, break_long_words=False)
    return result


def _rich(title: str, sections: list[Any], late: dict[str, str]) -> None:
    from rich.console import Console
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    width = min(WIDTH, console.width)
    console.print(Text(title, style="bold"))
    for section in sections:
        table = Table.grid(padding=(0, 2))
        table.add_column(style="cyan", width=LABEL - 2, no_wrap=True)
        table.add_column(overflow="fold")
        for name, rows in section.entries:
            style = {"verdict": "bold", "because": "dim"}.get(name, "")
            table.add_row(name, Text("\n".join(rows), style=style))
        console.print(Panel(table, title=section.title, title_align="left", border_style="dim", width=width))
    for name, why in late.items():
        console.print(Text(f"{name}: {why}", style="yellow"))
