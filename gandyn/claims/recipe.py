"""Draws as text from which another person can rebuild them: costs with every digit, matrices, rules."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..lazy import sympy
from ..types import Game
from .base import Draw


def recipes(draw: Mapping[str, object] | None) -> dict[str, str] | None:
    """The recipe of every value of a draw, by name; None stays None."""
    return None if draw is None else {name: recipe(value) for name, value in draw.items()}


def written(draw: Draw) -> str:
    """The arguments of one draw of a claim as text: "game = ..., step = ..."."""
    return ", ".join(f"{name} = {recipe(value)}" for name, value in draw.items())


def recipe(value: object) -> str:
    """A value as text that makes it again: games by their costs, players and Jacobian, other values as they print.

    Example:
        >>> import gandyn as gd
        >>> print(recipe(gd.games.bilinear(((1, 2), (0, 3)))))
        from_sympy(["x1*y1 + y2*(2*x1 + 3*x2)", "-x1*y1 - y2*(2*x1 + 3*x2)"], {"x": "x1 x2", "y": "y1 y2"})
          with J = [[0, 0, 1, 2], [0, 0, 0, 3], [-1, 0, 0, 0], [-2, -3, 0, 0]]
    """
    if isinstance(value, Game):
        return _game(value)
    if isinstance(value, np.ndarray):
        return repr(value.tolist())
    return repr(value) if isinstance(value, (str, float, complex)) else str(value)


def _game(game: Game) -> str:
    if not game.exprs:
        return repr(game)
    names = [str(s) for s in game.symbols]
    players = ", ".join(
        f'"{player.name}": "{" ".join(names[block])}"' for player, block in zip(game.players, game.slices, strict=True)
    )
    texts = ", ".join(f'"{exact_text(cost)}"' for cost in game.exprs)
    kept = "" if game.projection is None else f", projection={game.projection!r}"
    return f"from_sympy([{texts}], {{{players}}}{kept}){_matrix(game)}"


def _matrix(game: Game) -> str:
    """J where it is a matrix of numbers, else nothing: then the costs alone say it."""
    jacobian = game.jacobian_expr
    if jacobian is None or jacobian.free_symbols:
        return ""
    rows = [", ".join(exact_text(entry) for entry in jacobian.row(i)) for i in range(jacobian.rows)]
    return "\n  with J = [" + ", ".join(f"[{row}]" for row in rows) + "]"


def exact_text(expression: sympy.Expr) -> str:
    """An expression with all digits of its floating-point numbers, which SymPy's own text cuts."""
    whole = sympy.sympify(expression, strict=True)
    digits = {number: sympy.Symbol(repr(float(number))) for number in whole.atoms(sympy.Float)}
    return str(whole.xreplace(digits))
