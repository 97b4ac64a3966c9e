"""What the docs say of rules, asked of the rules: domain, cost, spectral radius, exact map, pictures on toy games."""

from __future__ import annotations

import functools
import math
import pathlib
import re
from typing import Any

import describe_papers
import markdown
import pictures
import sympy
from docstrings import summary

import gandyn as gd
from gandyn.errors import GandynError

PAGES = pathlib.Path(__file__).parent.parent / "rules"
PRODUCT = 2  # fields that a product with the Jacobian counts as, as in gd.compare
ENDS = r": [a-zJ`]|: LOLA|; on | \((?:[A-Z][\w&,. ]+ \d{4}|ACGD|EG\+|COLA|LA|SOS)| for |, d as|$"
FORMULA = re.compile(rf"\b[A-Za-z_]+(?:'|\+) = .*?(?={ENDS})")  # w+ = ..., up to what explains or cites it
LONGEST_MAP = 600
LONGEST_RADIUS = 160


@functools.cache
def families() -> dict[str, list[Any]]:
    """Entries by family: the file of `gandyn/rules` that defines them."""
    found: dict[str, list[Any]] = {}
    for entry in gd.rules.registry:
        found.setdefault(entry.build.__module__.rsplit(".", 1)[-1], []).append(entry)
    return dict(sorted(found.items()))


def table() -> list[str]:
    """All rules at a glance."""
    rows = [
        ["<br>".join([named(entry, family), *(f"`{alias}`" for alias in entry.aliases)]), *_row(entry)]
        for family, entries in families().items()
        for entry in entries
    ]
    heads = ["rule", "formula", "cost of a step", "modulus", "per gradient", "accepts"]
    return markdown.table(heads, rows)


def named(entry: Any, family: str) -> str:
    """The rule's name, with a link to the page of its family where there is one."""
    return f"[`{entry.name}`](/rules/{family}.md)" if page_exists(family) else f"`{entry.name}`"


def _row(entry: Any) -> list[str]:
    rule = entry.build.examples()[0]
    modulus = rule.bilinear_modulus(0.1)
    fields = rule.cost.fields + PRODUCT * (rule.cost.jvps + rule.cost.vjps)
    counted = modulus is not None and fields > 0  # nan, where a solver asks as often as it needs, is not
    return [
        formula(entry),
        cost(rule),
        "" if modulus is None else f"{modulus:.6f}",
        f"{float(modulus) ** (1 / float(fields)):.6f}" if counted else "",
        domain(rule),
    ]


def formula(entry: Any) -> str:
    """The formula that a rule's docstring opens with, as code; where it opens with words, its first sentence."""
    first = summary(entry.build)
    found = FORMULA.search(first)
    if found is None:
        return re.split(r"(?<!al)(?<=\w)[.:] ", first)[0].rstrip(".:")
    return f"`{found[0].strip().rstrip('.,')}`"


def page_exists(family: str) -> bool:
    """Whether the family has its page."""
    return (PAGES / f"{family}.md").exists()


def pages() -> list[str]:
    """The table of contents of the families' pages."""
    return ["```{toctree}", ":maxdepth: 1", "", *(f for f in families() if page_exists(f)), "```", ""]


def without_page() -> list[str]:
    """Families that nobody wrote a page for, in full: nothing registered is left out."""
    lines = []
    for name in families():
        if not page_exists(name):
            lines += [f"## {name.replace('_', ' ')}", "", *family(name, level="###")]
    return lines


def family(name: str, *drawn: str, level: str = "##") -> list[str]:
    """Every rule of a family, and pictures of all of them together, or of the calls `drawn`, split by semicolons."""
    entries = families()[name]
    calls = [text for text in " ".join(drawn).split(";") if text.strip()]
    lines = _portraits(name, [gd.rules.registry.from_text(text) for text in calls] or [_first(e) for e in entries])
    for entry in entries:
        lines += [f"{level} {entry.name}", "", *markdown.described("class", f"gandyn.rules.{entry.name}", entry.build)]
        lines += _facts(entry) + _on_bilinear(entry)
    return lines


def _first(entry: Any) -> Any:
    return entry.build.examples()[0]


def _portraits(name: str, rules: list[Any]) -> list[str]:
    calls = ", ".join(f"`{markdown.short(rule)}`" for rule in rules)
    lines = [f"Pictures: {calls}.", "", ":::{container} pictures", ""]
    for title, drawing in (
        ("v(a, b) = ab", pictures.on_bilinear),
        ("the Dirac-GAN", pictures.on_dirac_gan),
        ("step sizes", pictures.radius_by_step),
    ):
        drawn = drawing(name, rules)
        if drawn is not None:
            path, caption = drawn
            lines += markdown.figure(path, f"{name.replace('_', ' ')}: {title}", caption)
    return [*lines, ":::", ""]


def _latex(traced: Any) -> str:
    """The map, one aligned line a coordinate; names of state arrays in words."""
    names = {s: _symbol(str(s)) for s in (*traced.symbols, *traced.counters)}
    lines = (
        f"{names[s]}^{{+}} &= {sympy.latex(e, symbol_names=names)}"
        for s, e in zip(traced.symbols, traced.expression, strict=True)
    )
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"


def _symbol(name: str) -> str:
    """previous_field_a as words with an index; short names as SymPy writes them."""
    words, _, index = name.rpartition("_")
    if len(words) > 1:
        return f"\\text{{{words.replace('_', ' ')}}}_{{{index}}}"
    return sympy.latex(sympy.Symbol(name))


def _facts(entry: Any) -> list[str]:
    rule = entry.build.examples()[0]
    order = rule.flow_order
    follows = "another flow than the game's" if order is None else f"the gradient flow, to order {order} in the step"
    rows = [
        ["also called", ", ".join(f"`{alias}`" for alias in entry.aliases) or "no other name"],
        ["accepts", domain(rule)],
        ["one step costs", cost(rule)],
        ["follows", follows],
        ["update map", "smooth" if rule.domain.smooth else "not differentiable everywhere"],
        ["papers", describe_papers.linked(entry.name) or "named in the text"],
    ]
    return markdown.table(["", ""], rows)


def domain(rule: Any) -> str:
    """Which games the rule accepts, in words."""
    wants = rule.domain
    players = "two players or more" if wants.several_players else "any number of players"
    players = "two players" if wants.two_player else players
    words = ["zero-sum" if wants.zero_sum else "", "deterministic" if wants.deterministic else ""]
    words.append("unconstrained" if wants.unconstrained else "")
    return ", ".join([players, *filter(None, words)])


def cost(rule: Any) -> str:
    """Oracle calls of one step, in words."""
    parts = []
    for count, word in ((rule.cost.fields, "field"), (rule.cost.jvps, "$J u$"), (rule.cost.vjps, "$J^T u$")):
        if isinstance(count, float) and math.isnan(count):
            parts.append(f"{word}s as its solver needs" if word == "field" else f"{word} as its solver needs")
        elif count:
            parts.append(f"{count:g} {word}{'s' if word == 'field' and count != 1 else ''}")
    return ", ".join(parts) or "nothing"


def _on_bilinear(entry: Any) -> list[str]:
    """The exact update map of the first example on v = ab, and its spectral radius."""
    rule, game = entry.build.examples()[0], gd.games.bilinear()
    code = f"`{markdown.short(rule)}`"
    try:
        rule.check(game)
    except GandynError as error:
        return [f"On $v = ab$, {code} is refused: {error}", ""]
    if not rule.domain.smooth:
        return []
    try:
        lin = gd.linearize(game, rule)
        radius = lin.spectral_radius
    except GandynError as error:
        return [f"On $v = ab$, {code} has no linearisation: {error}", ""]
    exact = None if lin.exact is None else lin.exact.spectral_radius
    shown = "" if exact is None else sympy.latex(exact)
    value = f"= {shown} " if 0 < len(shown) < LONGEST_RADIUS else ""
    value = f"\\rho {value}\\approx {radius:.6f}"
    lines = [f"Exactly, {code} on $v(a, b) = ab$ is", ""]
    latex = _latex(gd.update_map(game, rule))
    if len(latex) > LONGEST_MAP:
        return [f"On $v(a, b) = ab$, {code} has spectral radius ${value}$: {lin.verdict}.", ""]
    return [*lines, *markdown.display(latex), f"with spectral radius ${value}$: {lin.verdict}.", ""]
