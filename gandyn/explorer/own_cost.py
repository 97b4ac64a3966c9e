"""Rules on a cost that a reader types: traced once, on a cost that is known only by its partial derivatives."""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from ..dynamics.trace import update_map
from ..errors import GandynError
from ..games import from_sympy
from ..symbolic.partial import Partial, orders
from ..text import arithmetic, grammar
from ..text.scope import WORDS
from .sliders import Turned
from .traced import TracedRule, traced_rule

NAMES = ("x", "y")
HIGHEST_ORDER = 2  # of the derivatives that the page computes
OPENING = "x*y + k*(x**4 - y**4)/4"


def unknown_game() -> Turned:
    """min_x max_y f(x, y) for a cost f that has no formula yet."""
    x, y = sympy.symbols(NAMES, real=True)
    game = from_sympy(Partial(0, 0, x, y), [x, y], name="own cost")
    return Turned(game, game, (), "")


def rules_on_any_cost(rules: Sequence[Turned]) -> list[TracedRule | str]:
    """Each rule on the unknown cost, or in one line why it does not run there."""
    game, found = unknown_game(), list[TracedRule | str]()
    for rule in rules:
        try:
            rule.plain.check(game.plain)
            traced = update_map(game.item, rule.item)
            highest = orders([*(e for _, e in traced.bindings), *traced.outputs])
            if highest > HIGHEST_ORDER:
                found.append(f"asks for derivatives of order {highest} of the cost")
                continue
            found.append(traced_rule(game, rule))
        except GandynError as error:
            found.append(" ".join(str(error).split()))
    return found


def language() -> dict[str, object]:
    """What the page's reader has to know of the library's grammar: functions with their arguments, words, limits."""
    return {
        "names": list(NAMES),
        "opening": OPENING,
        "functions": {name: [least, most] for name, (_, least, most) in arithmetic.FUNCTIONS.items()},
        "words": {word: value if isinstance(value, bool) else None for word, value in WORDS.items()},
        "longest": grammar.LONGEST,
        "longest_number": grammar.LONGEST_NUMBER,
        "deepest": grammar.DEEPEST,
        "power": arithmetic.LARGEST_POWER,
    }
