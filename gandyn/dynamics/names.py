"""Names for what a traced step holds beside the coordinates: no two things of one map are called the same."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import sympy

from ..errors import ParameterError
from ..types import Array, Game
from ..worlds import object_vector


def fresh(name: str, taken: Collection[str]) -> str:
    """The name, with as many underscores after it as it takes to differ from those taken."""
    while name in taken:
        name += "_"
    return name


def taken_by(game: Game, symbols: Sequence[sympy.Symbol]) -> set[str]:
    """The names of a game's coordinates and free parameters."""
    return {*map(str, symbols), *map(str, game.parameters)}


def of_counters(paths: Sequence[str], taken: Collection[str]) -> list[sympy.Symbol]:
    """A symbol for each step count: steps; where wrapped rules count apart, steps_0 and steps_1."""
    names = [path.split(".")[-1] for path in paths]
    if len(set(names)) < len(names):
        names = ["_".join([path.split(".")[-1], *path.split(".")[:-1]]) for path in paths]
    return [sympy.Symbol(fresh(name, taken), integer=True, nonnegative=True) for name in names]


def of_state(path: str, array: Array, symbols: Sequence[sympy.Symbol], taken: Collection[str]) -> Array:
    """Symbols for a state array: previous_field_a, previous_field_b; a wrapped rule's carry its index."""
    names = [str(s) for s in symbols] if len(array) == len(symbols) else [str(k + 1) for k in range(len(array))]
    stem = path.replace(".", "_")
    stem = f"inner{stem}" if stem[0].isdigit() else stem
    return object_vector(sympy.Symbol(fresh(f"{stem}_{name}", taken), real=True) for name in names)


def refuse_shared(parameters: Iterable[sympy.Symbol], coordinates: Iterable[sympy.Symbol], what: str) -> None:
    """Raise ParameterError for a parameter without a value that has the name of a coordinate: formulas would use one
    letter for two things.
    """
    shared = {str(p) for p in parameters} & {str(s) for s in coordinates}
    if shared:
        raise ParameterError(
            f"a parameter and a coordinate of {what}, both called {min(shared)}",
            "different names",
            f"rename the coordinate in the game, or the parameter in the rule: {min(shared)}_0",
        )
