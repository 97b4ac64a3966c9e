"""What the page computes with: field, costs, equilibria and steps of a game as JavaScript functions of its sliders."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy

from ..dynamics.iterate import iterate
from ..dynamics.javascript import function
from ..dynamics.trace import update_map
from ..errors import GandynError
from ..games import from_sympy
from ..symbolic.lowering import lower
from ..text import formula
from ..types import Game
from ..types.first_step import first_state
from ..worlds import exact, object_vector
from .sliders import Turned

CHECKED_STEPS = 5


@dataclasses.dataclass(frozen=True)
class TracedRule:
    """A rule on one game.

    Attributes:
        step: `(z, c, p, q, e) => [z+, c+]` in one array: augmented state, step counts, sliders of game and rule, and
            what noise adds to the field during this step.
        start: `(w, p, q) => z`, the augmented state at the first step.
        counters: the counts at the first step.
        cost: what one step asks the game for: gradients of one player, and products with J or its transpose.
    """

    step: str
    start: str
    counters: list[float]
    cost: int


def traced_rule(game: Turned, rule: Turned) -> TracedRule:
    """Trace the rule, a symbol for every slider. Raises GandynError where it refuses, or has no finite program."""
    rule.plain.check(game.plain)
    pushed, noise = with_noise(game.item)
    traced = update_map(pushed, rule.item)
    first = first_state(rule.item, game.item, object_vector(game.item.symbols))
    own, turned = [s.symbol for s in game.sliders], [s.symbol for s in rule.sliders]
    sizes = {"p": len(own), "q": len(turned)}
    inputs = (*traced.symbols, *traced.counters, *own, *turned, *noise)
    step = lower(inputs, (*traced.outputs, *traced.counter_outputs), traced.bindings)
    arrays = [*game.item.symbols, *(exact(e) for _, array in first.leaves() for e in array)]
    start = lower((*game.item.symbols, *own, *turned), arrays)
    counts = traced.counts
    return TracedRule(
        function(step, {"z": len(traced.symbols), "c": len(traced.counters)} | sizes | {"e": len(noise)}),
        function(start, {"w": game.item.dim} | sizes),
        [float(n) for _, n in first.counter_leaves()],
        counts.player_gradients + 2 * (counts.jvps + counts.vjps),
    )


def with_noise(game: Any) -> tuple[Game, tuple[sympy.Symbol, ...]]:
    """The game whose field is v(w) + e, and the symbols e, one a coordinate: one draw of noise for a whole step."""
    noise = tuple(sympy.Symbol(f"noise_{s}", real=True) for s in game.symbols)
    pushes = [sum(e * x for e, x in zip(noise[b], game.symbols[b], strict=True)) for b in game.slices]
    costs = [f + push for f, push in zip(game.exprs, pushes, strict=True)]
    if game.zero_sum:
        first = game.exprs[0] + pushes[0] - pushes[1]
        costs = [first, -first]
    blocks = {p.name: game.symbols[b] for p, b in zip(game.players, game.slices, strict=True)}
    return from_sympy(costs, blocks, name=game.name, projection=game.projection), noise


def traced_game(game: Turned) -> dict[str, str]:
    """`field`, `costs`, `project`, `equilibria` of w and the sliders. Raises DomainError for what JavaScript lacks."""
    item, own = game.item, [s.symbol for s in game.sliders]
    w = (*item.symbols, *own)
    sizes = {"w": item.dim, "p": len(own)}
    inside = item.project(object_vector(item.symbols))
    return {
        "field": function(lower(w, item.field_exprs), sizes),
        "costs": function(lower(w, item.exprs), sizes),
        "project": function(lower(w, [exact(e) for e in inside]), sizes),
        "equilibria": function(lower(own, [x for point in _known(game) for x in point]), {"p": len(own)}),
    }


def traced_quantity(text: str, game: Turned, rule: Turned | None = None) -> str:
    """A conserved quantity, given as text in coordinates and sliders, as a function `(w, p, q)`.

    "null" where there is none, or the rule as it was given does not conserve it: with a step for each player, say.
    """
    turned = [*game.sliders, *(rule.sliders if rule else ())]
    names = {str(s): s for s in game.item.symbols} | {s.name: s.symbol for s in turned}
    if not text or not names.keys() >= {str(s) for s in formula(text).free_symbols}:
        return "null"
    quantity = formula(text, names)
    if rule is not None:
        at = quantity.subs({s.symbol: s.value for s in turned})
        run = iterate(game.plain, rule.plain, np.array([0.3, 0.7]), CHECKED_STEPS).w
        values = [float(at.subs(dict(zip(game.item.symbols, w, strict=True)))) for w in run.tolist()]
        if not np.allclose(values, values[0], rtol=1e-9):
            return "null"
    code = lower((*game.item.symbols, *(s.symbol for s in turned)), [quantity])
    rest = {"q": len(rule.sliders)} if rule else {}
    return function(code, {"w": game.item.dim, "p": len(game.sliders)} | rest)


def _known(game: Turned) -> list[Sequence[Any]]:
    """Known equilibria in terms of the sliders; the page refines each by Newton's method, for those that move."""
    own = {s.symbol for s in game.sliders}
    known = game.item.equilibria or game.plain.equilibria
    return [
        p
        for p in known
        if all(sympy.sympify(x, strict=True).is_extended_real is not False for x in p) and _free(p) <= own
    ]


def _free(point: Sequence[object]) -> set[Any]:
    return set().union(*(sympy.sympify(x, strict=True).free_symbols for x in point))


def traced_rules(game: Turned, rules: Sequence[Turned]) -> list[TracedRule | str]:
    """Each rule on the game, or in one line why it is not there."""
    found: list[TracedRule | str] = []
    for rule in rules:
        try:
            found.append(traced_rule(game, rule))
        except GandynError as error:
            found.append(" ".join(str(error).split()))
    return found
