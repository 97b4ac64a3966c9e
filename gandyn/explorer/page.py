"""`gd.explore`: the page itself, its parts put into one HTML file."""

from __future__ import annotations

import dataclasses
import functools
import html
import json
import os
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dynamics.javascript import HELPERS
from ..errors import DomainError, GandynError, OutputError, ParameterError, made, shown
from ..games import registry as registered_games
from ..games.mixture import MixtureGame
from ..rules import registry as registered_rules
from ..types import Game, Rule
from . import own_cost
from .sliders import Turned, turned_entry, turned_game, turned_rule
from .toys import Toy, toys, usual_rules
from .traced import TracedRule, traced_game, traced_quantity, traced_rules

ASSETS = pathlib.Path(__file__).parent / "assets"
NUMBERS = ("numerics.js", "grammar.js", "maps.js")  # what a worker is given too
SCRIPTS = ("state.js", "pictures.js", "mixture.js", "forms.js", "background.js", "map.js", "controls.js")
MOST_BYTES = 3_000_000
OPEN_AT_FIRST = 4
CONSERVED_SECONDS = 2.0
OWN = "A cost of your own"


@dataclasses.dataclass(frozen=True, repr=False)
class ExplorerPage:
    """A page that needs no network and no other file.

    Attributes:
        html: the text of the page.
        games, rules: what can be chosen on it, by label.
        missing: (game, rule, why) for each rule that is not offered on a game.
    """

    html: str
    games: tuple[str, ...]
    rules: tuple[str, ...]
    missing: tuple[tuple[str, str, str], ...]

    def save(self, path: str | os.PathLike[str]) -> pathlib.Path:
        """Write the page.

        Raises:
            OutputError: for another suffix than .html, and where the system refuses.
        """
        target = checked(path)
        try:
            target.write_text(self.html, encoding="utf-8")
        except OSError as error:
            raise _refused(target, error) from error
        return target

    def __repr__(self) -> str:
        size = len(self.html.encode()) / 1e6
        return f"<ExplorerPage {len(self.games)} games, {len(self.rules)} rules, {size:.2f} MB>"

    def _repr_html_(self) -> str:
        style = "width: 100%; height: 56rem; border: 0"
        return f'<iframe title="gandyn explorer" style="{style}" srcdoc="{html.escape(self.html)}"></iframe>'


def checked(path: str | os.PathLike[str]) -> pathlib.Path:
    """A path that a page can be written to. Raises OutputError for another suffix than .html, or no such folder."""
    target = pathlib.Path(path)
    if target.suffix.lower() not in (".html", ".htm"):
        given = f"the suffix {target.suffix!r}" if target.suffix else "no suffix"
        raise OutputError(f"the output {target} has {given}", ".html", f"{target.stem or 'explorer'}.html")
    if not target.parent.is_dir() or target.is_dir():
        raise OutputError(f"cannot write {target}", "a file in a folder that exists", "create the folder first")
    return target


def _refused(target: pathlib.Path, error: OSError) -> OutputError:
    reason = error.strerror or type(error).__name__
    return OutputError(f"cannot write {target}: {reason}", "a writable path", "write somewhere else")


def explore(games: object = None, rules: object = None, out: str | os.PathLike[str] | None = None) -> ExplorerPage:
    """A page on which a reader drags the start and turns every parameter of games and rules.

    It shows the field -v, the curves on which a coordinate of v is zero, the trajectories of several rules from one
    start, and the eigenvalues of each rule's update map at the nearest equilibrium beside the unit circle, with the
    spectral radius in digits. The functions in it are the traced maps printed as JavaScript; its eigenvalues come from
    fourth-order differences of the traced map.

    Args:
        games: one game of two coordinates or several, or a `mixture_game`, which is shown where its data are: games, or
            names of registered ones. Free symbols become sliders, and of a name the numbers of its builder. By default
            the toys, each with a question and its known answer.
        rules: one rule or several: rules, names or calls as text. By default the usual ones.
        out: where to write it, a path that ends in .html; nothing is written by default.

    Raises:
        DomainError: for another game that has not two coordinates or no expressions, and where no rule runs on a game.
        ParameterError: for anything that is no game or rule. UnknownNameError: for a name that is not registered.
        OutputError: where the page cannot be written.

    Example:
        >>> import gandyn as gd
        >>> page = gd.explore(gd.games.bilinear(), [gd.rules.GDA(0.1), gd.rules.OptimisticGD(0.1)])
        >>> page.games, page.rules
        (('bilinear',), ('SimultaneousGD', 'OptimisticGD'))
    """
    if out is not None:
        checked(out)
    chosen = toys() if games is None else [_toy(game) for game in _several(games)]
    given = usual_rules() if rules is None else [_rule(rule) for rule in _several(rules)]
    page = _put_together(chosen, given, strict=rules is not None)
    if out is not None:
        page.save(out)
    return page


def _several(items: object) -> list[Any]:
    found = list(items) if isinstance(items, Sequence) and not isinstance(items, str) else [items]
    if not found:
        raise ParameterError("an empty list", "at least one game and one rule", "leave it out for the usual ones")
    return found


def _rule(rule: Rule) -> Rule:
    if isinstance(rule, str):
        built = registered_rules.from_text(rule)
        return _rule(built)
    if not isinstance(rule, Rule) or not dataclasses.is_dataclass(rule):
        fix = made(rule, "gd.rules.GDA(0.1)")
        raise ParameterError(f"{shown(rule)} in place of a rule", "a rule, or its call as text", fix)
    return rule


def _toy(game: Game) -> Toy:
    turned = turned_entry(registered_games[game], {}) if isinstance(game, str) else None
    if isinstance(game, Toy):
        return _drawable(game)
    if turned is None:
        if not isinstance(game, Game):
            raise ParameterError(f"{game!r} in place of a game", "a game, or its name", "gd.games.bilinear()")
        _plane(game)
        turned = turned_game(game)
    return _drawable(Toy(turned.plain.name, turned, conserved=_conserved(turned)))


def _conserved(game: Turned) -> dict[str, str]:
    """What the flow conserves, where that is found in a moment."""
    from ..analysis.conserved.quantities import conserved_quantities

    if game.plain.dim != 2 or not game.plain.symbolic:  # it is refused in words of its own
        return {}
    try:
        found = conserved_quantities(game.item, budget=CONSERVED_SECONDS)
    except GandynError:
        return {}
    return {"": str(found[0].expression)} if found else {}


def _drawable(toy: Toy) -> Toy:
    _plane(toy.game.plain)
    return toy


def _plane(game: Game) -> None:
    if isinstance(game, MixtureGame):  # of more coordinates, but its data are points of the plane
        return
    if game.dim != 2 or not game.symbolic:
        given = (
            f"{game.name}, which has {game.dim} coordinates" if game.dim != 2 else f"{game.name}, without expressions"
        )
        raise DomainError(given, "a game of two coordinates given by expressions", "gd.games.dirac_gan()")


def _put_together(chosen: list[Toy], given: list[Rule], strict: bool) -> ExplorerPage:
    first = chosen[0].game.plain
    turned = [turned_rule(first, rule) for rule in given]
    labels = _labels(given)
    data: list[dict[str, Any]] = []
    code: list[str] = []
    missing = []
    for toy in chosen:
        found = traced_rules(toy.game, turned)
        reasons = {label: why for label, why in zip(labels, found, strict=True) if isinstance(why, str)}
        if len(reasons) == len(found) or (strict and len(chosen) == 1 and reasons):
            raise DomainError(f"{toy.name}: {next(iter(reasons.values()))}", "rules that run on the game", "GDA(0.1)")
        missing += [(toy.name, label, why) for label, why in reasons.items()]
        data.append(_described(toy, found))
        code.append(_code(toy, found, labels, turned))
    own = _own_cost(turned)
    data.append(own["game"])
    code.append("null")
    described = [
        {"id": label, "python": rule.python, "sliders": [s.to_dict() for s in rule.sliders]}
        for label, rule in zip(labels, turned, strict=True)
    ]
    everything = {"games": data, "rules": described, "open": OPEN_AT_FIRST, "own": {"language": own_cost.language()}}
    text = _filled(everything, code, own["code"])
    if len(text.encode()) > MOST_BYTES:
        raise ParameterError(
            f"a page of {len(text.encode()):,} bytes", f"at most {MOST_BYTES:,}", "fewer rules or games"
        )
    return ExplorerPage(text, tuple(toy.name for toy in chosen), tuple(labels), tuple(missing))


def _own_cost(turned: list[Turned]) -> dict[str, Any]:
    """The game whose cost the reader types: as data, and its rules as code."""
    found = own_cost.rules_on_any_cost(turned)
    cost = {"id": OWN, "own": True, "cost": own_cost.OPENING, "formula": "", "python": "", "sliders": []}
    about = {
        "coordinates": list(own_cost.NAMES),
        "players": list(own_cost.NAMES),
        "start": [1.0, 0.5],
        "reach": 2.0,
        "steps": 60,
    }
    asks = {"question": "", "answer": "", "dirac": False, "rules": _offered(found)}
    return {"game": cost | about | asks, "code": _object(_of_rules(found))}


def _offered(found: Sequence[TracedRule | str]) -> list[dict[str, Any]]:
    return [{"why": r} if isinstance(r, str) else {"counters": r.counters, "cost": r.cost} for r in found]


def _labels(rules: Sequence[Rule]) -> list[str]:
    """Class names; those that occur twice with what they wrap or choose, and last with a number."""
    labels: list[str] = []
    for rule in rules:
        name = rule.name
        if getattr(rule, "alternating", False) is True:
            name = f"{name}, alternating"
        same = sum(label == name or label.startswith(f"{name} #") for label in labels)
        labels.append(f"{name} #{same + 1}" if same else name)
    return labels


def _described(toy: Toy, found: Sequence[TracedRule | str]) -> dict[str, Any]:
    item = toy.game.item
    cost = ", ".join(f"f{k + 1} = {e}" for k, e in enumerate(toy.game.plain.exprs[: 1 if item.zero_sum else None]))
    return {
        "id": toy.name, "coordinates": [str(s) for s in item.symbols], "players": [p.name for p in item.players],
        "formula": _shortened(cost.replace("f1 =", "f =") if item.zero_sum else cost), "python": toy.game.python,
        "sliders": [s.to_dict() for s in toy.game.sliders], "start": list(toy.start), "reach": toy.reach,
        "steps": toy.steps, "question": toy.question, "answer": toy.answer, "rules": _offered(found),
        "mixture": _data_space(toy.game.plain), "dirac": toy.game.plain.name.startswith("Dirac-GAN"),
    }  # fmt: skip


def _data_space(game: Game) -> dict[str, Any] | None:
    """What a mixture game is drawn with: modes of the data, centres and width of the discriminator's bumps."""
    if not isinstance(game, MixtureGame):
        return None
    plain = {"modes": np.asarray(game.data.means).tolist(), "centers": game.centers.tolist()}
    return plain | {"width": game.width, "std": game.std}


def _shortened(text: str, most: int = 160) -> str:
    return text if len(text) <= most else f"{text[:most]} …"


def _code(toy: Toy, found: Sequence[TracedRule | str], labels: Sequence[str], turned: Sequence[Turned]) -> str:
    """The functions of one game, as a JavaScript object."""
    levels = [
        traced_quantity(toy.conserved.get(label, ""), toy.game, rule)
        for label, rule in zip(labels, turned, strict=True)
    ]
    flow = traced_quantity(toy.conserved.get("", ""), toy.game)
    conserved = "null" if {flow, *levels} == {"null"} else _object({"flow": flow, "rules": f"[{', '.join(levels)}]"})
    return _object(traced_game(toy.game) | _of_rules(found) | {"conserved": conserved})


def _of_rules(found: Sequence[TracedRule | str]) -> dict[str, str]:
    steps = ", ".join("null" if isinstance(rule, str) else rule.step for rule in found)
    starts = ", ".join("null" if isinstance(rule, str) else rule.start for rule in found)
    return {"steps": f"[{steps}]", "starts": f"[{starts}]"}


def _object(entries: dict[str, str]) -> str:
    return "{" + ",\n".join(f"{name}: {text}" for name, text in entries.items()) + "}"


@functools.cache
def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def _filled(data: dict[str, object], code: list[str], own: str) -> str:
    """The page. Text goes in as JSON that cannot end the script it stands in, and is only ever shown as text."""
    plain = json.dumps(data, allow_nan=False).replace("<", "\\u003c").replace("&", "\\u0026")
    helpers = "\n".join(HELPERS.values())
    functions = f'"use strict";\n{helpers}\nconst CODE = [{",".join(code)}];\nconst OWN = {own};'
    text = _asset("page.html")
    parts = {"STYLE": _asset("style.css"), "DATA": plain, "CODE": functions}
    parts |= {"NUMBERS": "\n".join(map(_asset, NUMBERS)), "SCRIPTS": "\n".join(map(_asset, SCRIPTS))}
    for name, part in parts.items():
        text = text.replace(f"<!--{name}-->", part, 1)
    return text
