"""`gandyn analyze`: everything known of a game, or of a rule on it, at one point, on one page."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ParameterError
from ..types import Game
from . import completion, values
from .limits import Allowance, within
from .page import Page, Terminal, waiting

if TYPE_CHECKING:
    from .sections import Subject

BUDGET, STABLE_STEPS, OTHERS = 9.0, 3.0, 1.5  # seconds of computing: of the page, and of what comes first
AROUND = 10.0  # of each section of --global


def _print_schema(wanted: bool) -> None:
    """Print the schema and leave."""
    if wanted:
        from .schema import schema

        typer.echo(json.dumps(schema(), indent=2))
        raise typer.Exit


def analyze(
    game: Annotated[str, typer.Argument(help="A registered game: gandyn list games.", autocompletion=completion.games)],
    rule: Annotated[
        str | None,
        typer.Option(
            help="An update rule, by name or call; the gradient flow without.", autocompletion=completion.rules
        ),
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A parameter of the game or rule.")
    ] = None,
    at: Annotated[str | None, typer.Option(help="The point, coordinates with commas; the known equilibrium.")] = None,
    noise: Annotated[
        str | None, typer.Option(help="Variance of noise on the field, one number or one per player: 0.1 or 0.1,0.2.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Long formulas in full.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, with the same content.")] = False,
    _schema: Annotated[
        bool, typer.Option("--json-schema", callback=_print_schema, is_eager=True, help="The schema of --json.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Every section, --global too, without a limit on its time.")
    ] = False,
    around: Annotated[
        bool, typer.Option("--global", help="Also what lies around the point: cycles, bifurcations, a proof.")
    ] = False,
) -> None:
    """Analyse a rule on a game, exactly where that is possible.

    Opens with the verdict and what to do. Then prints, each section as soon as it is found, the game, its field,
    the rule's update map, characteristic polynomial, eigenvalues, rate and rotation, the verdict with its reason;
    the kind of solution, potential and Hamiltonian parts; stable, critical and best steps; the critical time scale;
    what finite steps add; conserved quantities and a Lyapunov function. Without a rule, the same of the gradient
    flow. With --global also all equilibria, cycles and invariant circles around the point, its bifurcations as the
    step grows, Lyapunov exponents of an orbit, and a proven basin. With --noise, and for games that draw batches,
    also the stationary law, the mean-square limit of the step and the best step for a budget. The page ends after
    about ten seconds of computing: a section for which they do not suffice is left out and says so, and a threshold
    whose exact conditions take longer is bisected. --all has no limit.
    """
    allowance = Allowance(None if everything else BUDGET)
    page = Terminal(full) if sys.stdout.isatty() and not as_json else Page(full, silent=as_json)
    subject = _subject(game, rule, set_, at, noise)
    found = Findings(subject, page, allowance)
    found.all_of(around or everything, around)
    if as_json:
        from ..results import strict

        typer.echo(json.dumps(strict(found.json()), indent=2, allow_nan=False))


class Findings:
    """The sections of one analysis, computed one after another and shown as they come."""

    def __init__(self, subject: Subject, page: Page, allowance: Allowance) -> None:
        self.subject, self.page, self.allowance = subject, page, allowance
        self.sections: list[Any] = []
        self.missing: dict[str, str] = {}
        self.made: dict[Any, Any] = {}

    def all_of(self, around: bool, asked: bool) -> None:
        """The opening, what is always known, and every section that applies."""
        from .global_sections import GLOBAL
        from .in_short import add_advice, verdict_section
        from .sections import ALWAYS, KEYS, SECTIONS, stability_section

        self.page.title(self.subject.game.name)
        opening = verdict_section(self.subject)
        self.page.section(opening)
        chosen = {make: KEYS[make] for make in SECTIONS} | self._noise() | (GLOBAL if around else {})
        stability = self._stable_steps() if stability_section in chosen else None
        add_advice(opening, self.subject, stability and stability.data["stability"], self._others())
        self.page.entry(*opening.entries[1])
        for make in ALWAYS:
            self._show(make, (make.__name__.removesuffix("_section"),), None)
        last = [make for make in chosen if make not in GLOBAL][-1:]
        for make, keys in chosen.items():
            limited = self.allowance.seconds is not None
            self._show(make, keys, AROUND if limited and make in GLOBAL else self.allowance.part(make in last))
        self.sections.append(opening)
        named = {_words(keys[0]) for keys in GLOBAL.values()} if asked else set()
        named |= {"noise"} if self.subject.noise is not None else set()
        told = {n: why for n, why in self.missing.items() if why.startswith(("skipped", "failed")) or n in named}
        self.page.notes(told)

    def json(self) -> dict[str, Any]:
        """What was found, as plain data; what was left out is null, with the reason in "skipped"."""
        from ..results import plain

        parts = [section.data for section in self.sections]
        # the linear part names the game and the rule, and comes first
        data = {key: value for part in (*parts[2:3], *parts[:2], *parts[3:]) for key, value in part.items()}
        found: dict[str, Any] = plain(data | {"skipped": self.missing})
        return found

    def _noise(self) -> dict[Any, tuple[str, ...]]:
        from .noise_section import noise_section

        noisy = self.subject.noise is not None or self.subject.stochastic
        return {noise_section: ("noise",)} if noisy and self.subject.rule is not None else {}

    def _make(self, make: Callable[[Subject], Any], seconds: float | None) -> Any:
        """The section, computed once, or None; why not is in `missing`."""
        if make not in self.made:
            with waiting(_words(make.__name__.removesuffix("_section")), seconds):
                self.made[make] = within(seconds, make, self.subject)
        return self.made[make][0]

    def _stable_steps(self) -> Any:
        """The section on stable steps: exact conditions, or in their place a bisection, or None."""
        from .sections import stability_section
        from .threshold_section import threshold_section

        found = self._make(stability_section, self.allowance.share(STABLE_STEPS))
        if found is None and self.made[stability_section][1].startswith("skipped: not ended"):
            found = self._make(threshold_section, self.allowance.share(STABLE_STEPS))
            if found is not None:
                self.made[stability_section] = found, ""
        return found

    def _show(self, make: Callable[[Subject], Any], keys: tuple[str, ...], seconds: float | None) -> None:
        from .sections import Section

        section = self._make(make, seconds)
        if section is None:
            self.sections.append(Section("", data=dict.fromkeys(keys)))
            self.missing[_words(keys[0])] = self.made[make][1]
            return
        self.sections.append(section)
        if section.entries:
            self.page.section(section)

    def _others(self) -> dict[str, Any]:
        """Stable steps of the usual cures, where the point does not attract and they are found in seconds."""
        from .in_short import other_rules

        if str(self.subject.lin.verdict.value) == "attracting" or not self.subject.lin.equilibrium:
            return {}
        with waiting("other rules", OTHERS):
            found, _ = within(self.allowance.share(OTHERS), other_rules, self.subject)
        return found or {}


def _words(key: str) -> str:
    return key.replace("_", " ")


def _subject(game: str, rule: str | None, set_: list[str] | None, at: str | None, noise: str | None) -> Any:
    from .. import games, rules
    from ..analysis.local.linearize import linearize
    from . import sections

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
    return sections.Subject(analysed, built_rule, place, lin, "" if analysed is built else built.name, built, law)


def _noise(text: str, game: Any, rule: Any) -> Any:
    """The noise that a text says, fitting the game."""
    from ..noise import Additive

    if rule is None:
        raise ParameterError("--noise without --rule", "a rule, whose steps the noise shakes", "--rule GDA --noise 0.1")
    with values.option("--noise"):
        law = Additive(values.value(text))
        law.on(game)
    return law


def _point(game: Game, at: str | None) -> Any:
    """The point asked for, or None for the known equilibrium, or the one that is found."""
    import numpy as np

    if at is not None:
        coordinates = values.point(at, "--at")
        with values.option("--at"):
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
