"""What the docs say of games, asked of the games: costs, field, equilibria with their spectra, sources, a portrait."""

from __future__ import annotations

import functools
from typing import Any

import describe_papers
import markdown
import pictures
import sympy
from docstrings import summary

import gandyn as gd
from gandyn.errors import GandynError

LONGEST_FORMULA = 700
LARGEST = 4


@functools.cache
def families() -> dict[str, list[Any]]:
    """Entries by the file of `gandyn/games` that defines them."""
    found: dict[str, list[Any]] = {}
    for entry in gd.games.registry:
        found.setdefault(entry.build.__module__.rsplit(".", 1)[-1], []).append(entry)
    return dict(sorted(found.items()))


@functools.cache
def example(name: str) -> Any:
    """The game of the entry's first example; None where it needs a package that is not installed."""
    entry = gd.games.registry[name]
    try:
        return entry.build(**entry.examples[0])
    except ImportError:
        return None


def table() -> list[str]:
    """All games at a glance."""
    rows = []
    for family, entries in families().items():
        for entry in entries:
            game = example(entry.name)
            rows.append([f"[`{entry.name}`](/generated/games/{family}.md)", summary(entry.build), *_shape(game)])
    return markdown.table(["game", "what it is", "players", "kind"], rows)


def _shape(game: Any) -> list[str]:
    if game is None:
        return ["", ""]
    players = ", ".join(f"{p.name} {p.size}" for p in game.players)
    words = ["zero-sum" if game.zero_sum else "general-sum"]
    words += ["quadratic"] if game.quadratic else []
    words += ["constrained"] if game.constrained else []
    words += [] if game.deterministic else ["stochastic"]
    words += [] if game.smooth else ["not smooth everywhere"]
    return [players, ", ".join(words)]


def pages() -> list[str]:
    """The table of contents of the families' pages."""
    return ["```{toctree}", ":maxdepth: 1", "", *(f"/generated/games/{name}" for name in families()), "```", ""]


def generated_pages() -> dict[str, str]:
    """One page for each family, as a catalogue block that is written out when Sphinx reads it."""
    result = {}
    for name, entries in families().items():
        title = name.replace("_", " ").title()
        lines = [f"# {title}", ""]
        for entry in entries:
            lines += _game(entry)
        result[f"games/{name}.md"] = "\n".join(lines) + "\n"
    return result


def _game(entry: Any) -> list[str]:
    game = example(entry.name)
    lines = [f"## {entry.name}", "", *markdown.described("function", f"gandyn.games.{entry.name}", entry.build)]
    if game is None:
        return lines
    players, kind = _shape(game)
    facts = getattr(game, "facts", None)
    rows = [["players", players], ["kind", kind]]
    rows += [["also called", ", ".join(f"`{alias}`" for alias in entry.aliases)]] if entry.aliases else []
    rows += [["source", facts.source]] if facts and facts.source else []
    papers = describe_papers.linked(entry.name)
    rows += [["papers", papers]] if papers else []
    rows += [["known", note] for note in (facts.notes if facts else ())]
    rows += [["worlds", ", ".join(sorted(game.worlds))]]
    lines += markdown.table(["", ""], rows)
    lines += _formulas(entry, game) + _equilibria(game) + _portrait(entry, game)
    return lines


def _formulas(entry: Any, game: Any) -> list[str]:
    """Costs and field of the first example as mathematics."""
    if not game.exprs or game.dim > LARGEST:
        return []
    costs = [
        f"f_{{{i + 1}}} &= {sympy.latex(e)}" for i, e in enumerate(game.exprs[:1] if game.zero_sum else game.exprs)
    ]
    costs += ["f_{2} &= -f_{1}"] if game.zero_sum else []
    field = [f"v_{{{sympy.latex(s)}}} &= {sympy.latex(e)}" for s, e in zip(game.symbols, game.field_exprs, strict=True)]
    latex = " \\\\\n".join([*costs, *field])
    if len(latex) > LONGEST_FORMULA:
        return []
    code = f"`{markdown.call('gd.games.' + entry.name, entry.examples[0])}`"
    return [f"{code}:", "", *markdown.display("\\begin{aligned}\n" + latex + "\n\\end{aligned}")]


def _equilibria(game: Any) -> list[str]:
    """Known equilibria with the flow's eigenvalues there, exact where the game is."""
    rows = []
    for point in game.equilibria[:LARGEST] if game.dim <= LARGEST else ():
        try:
            lin = gd.linearize(game, at=point)
        except GandynError:
            continue
        exact = None if lin.exact is None else lin.exact.eigenvalues
        values = [sympy.latex(e) for e in exact] if exact is not None else [f"{z:.6g}" for z in lin.eigenvalues]
        if max(map(len, values)) > LONGEST_FORMULA // 4 or any("CRootOf" in v or "operatorname" in v for v in values):
            values = [sympy.latex(sympy.N(e, 6)) for e in (exact or ())] or values
        place = ", ".join(sympy.latex(x) for x in point)
        shown = ",\\ ".join(values)
        rows.append([f"$({place})$", f"${shown}$", str(lin.verdict.value)])
    return markdown.table(["equilibrium", "flow eigenvalues", "the flow finds it"], rows) if rows else []


def _portrait(entry: Any, game: Any) -> list[str]:
    """The flow's phase portrait, for games of two coordinates."""
    if game.dim != 2 or not game.deterministic or game.parameters:
        return []
    starts = list(game.facts.starts) if getattr(game, "facts", None) else []
    centre = [float(x) for x in game.equilibria[0]] if game.equilibria else [0.0, 0.0]
    start = list(starts[0]) if starts else [centre[0] + 1.0, centre[1] + 0.5]
    run = gd.iterate(game, gd.rules.SimultaneousGD(0.05), start, 200)
    runs = {"simultaneous GD, step 0.05": run}
    try:
        path = pictures.keep(f"game-{entry.name}", lambda: gd.plots.phase_portrait(game, trajectories=runs))
    except GandynError as error:
        return [f"No portrait: {error}", ""]
    shown = ", ".join(f"{x:g}" for x in start)
    caption = f"Descent directions of `{entry.name}`, and 200 simultaneous gradient steps of 0.05 from ({shown})."
    return markdown.figure(path, f"phase portrait of {entry.name}", caption)
