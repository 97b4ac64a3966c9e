"""Ways to state the same game otherwise, and how its answers follow.

New coordinates are w' = (w - shift) / scale, permuted or turned within a player. Costs may be multiplied by a number,
which changes the unit of time. Each way returns the new subject and the rule by which points, rates and values follow.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import sympy
from metamorphic_games import Subject

import gandyn as gd
from gandyn.oracles.projections import Box


@dataclasses.dataclass(frozen=True)
class Restated:
    """A subject said otherwise.

    Attributes:
        subject: the new one. forward: takes a point of the old to the new; of NumPy arrays (..., d) too.
        scale: old lengths are `scale` times the new ones. rate: new eigenvalues of -J are `rate` times the old ones.
        value: new costs are `value` times the old ones. extra: coordinates that were added at the end, resting at 0.
        same_box: whether the new box holds the points of the old one.
    """

    how: str
    subject: Subject
    forward: Callable[[Any], Any]
    scale: float = 1.0
    rate: float = 1.0
    value: float = 1.0
    extra: int = 0
    same_box: bool = True


def _blocks(game: Any) -> dict[str, list[Any]]:
    return {p.name: list(game.symbols[block]) for p, block in zip(game.players, game.slices, strict=True)}


def _again(subject: Subject, costs: Any, blocks: Any = None, projection: Any = None, **changes: Any) -> Subject:
    game = subject.game
    made = gd.games.from_sympy(
        list(costs), blocks or _blocks(game), name=game.name, projection=projection or game.projection
    )
    return dataclasses.replace(subject, game=made, **changes)


def units_of_cost(subject: Subject, rng: np.random.Generator) -> Restated:
    """All costs times 10^k: other units of cost, and so of time."""
    c = sympy.Integer(10) ** int(rng.choice((-12, -9, -6, -3, 3, 6, 9, 12)))
    new = _again(subject, [c * f for f in subject.game.exprs])
    return Restated(f"costs x {c}", new, lambda w: w, rate=float(c), value=float(c))


def units_of_length(subject: Subject, rng: np.random.Generator) -> Restated | None:
    """w = s w' with costs divided by s^2, so that the dynamics keep their time."""
    if subject.family == "simplices" or (subject.game.constrained and not isinstance(subject.game.projection, Box)):
        return None
    s = sympy.Integer(10) ** int(rng.choice((-6, -3, 3, 6)))
    new = {a: s * a for a in subject.game.symbols}
    costs = [f.xreplace(new) / s**2 for f in subject.game.exprs]
    made = _again(subject, costs, projection=_box(subject, lambda v, k: v / s))
    made = dataclasses.replace(
        made, box=tuple((a / s, b / s) for a, b in subject.box), point=tuple(v / s for v in subject.point)
    )
    return Restated(f"lengths / {s}", made, lambda w: w / float(s), scale=float(s), value=float(1 / s**2))


def position(subject: Subject, rng: np.random.Generator) -> Restated | None:
    """The origin moved: w' = w - h."""
    if subject.game.constrained and not isinstance(subject.game.projection, Box):
        return None
    size = int(rng.choice((1, 100, 10_000)))
    h = [sympy.Rational(int(k), 8) * size for k in rng.integers(-9, 10, size=subject.game.dim)]
    moved = {a: a + b for a, b in zip(subject.game.symbols, h, strict=True)}
    costs = [f.xreplace(moved) for f in subject.game.exprs]
    made = _again(subject, costs, projection=_box(subject, lambda v, k: v - h[k]))
    box = tuple((a - c, b - c) for (a, b), c in zip(subject.box, h, strict=True))
    point = tuple(v - c for v, c in zip(subject.point, h, strict=True))
    shift = np.array(h, dtype=float)
    return Restated(f"moved by {h}", dataclasses.replace(made, box=box, point=point), lambda w: w - shift, scale=1.0)


def _box(subject: Subject, change: Callable[[Any, int], Any]) -> Any:
    projection = subject.game.projection
    if not isinstance(projection, Box):
        return projection
    return Box(
        tuple(
            None if pair is None else tuple(None if v is None else change(sympy.sympify(v), k) for v in pair)
            for k, pair in enumerate(projection.bounds)
        )
    )


def players_swapped(subject: Subject, rng: np.random.Generator) -> Restated | None:
    """Player 2 first."""
    game = subject.game
    if game.constrained and not isinstance(game.projection, Box):
        return None
    blocks = _blocks(game)
    order = [k for block in reversed(game.slices) for k in range(*block.indices(game.dim))]
    projection = game.projection and Box(tuple(game.projection.bounds[k] for k in order))
    made = _again(subject, reversed(game.exprs), dict(reversed(blocks.items())), projection)
    box, point = (tuple(v[k] for k in order) for v in (subject.box, subject.point))
    return Restated("players swapped", dataclasses.replace(made, box=box, point=point), lambda w: w[..., order])


def turned(subject: Subject, rng: np.random.Generator) -> Restated | None:
    """A player's two coordinates turned by the angle of the triangle 3, 4, 5."""
    game = subject.game
    wide = [block for p, block in zip(game.players, game.slices, strict=True) if p.size == 2]
    if game.constrained or not wide:
        return None
    a, b = game.symbols[wide[0]]
    turn = {a: (3 * a - 4 * b) / 5, b: (4 * a + 3 * b) / 5}
    matrix = np.eye(game.dim)
    matrix[wide[0], wide[0]] = [[0.6, 0.8], [-0.8, 0.6]]
    exact = sympy.Matrix(game.dim, game.dim, lambda i, j: sympy.nsimplify(matrix[i, j]))
    made = _again(subject, [f.xreplace(turn) for f in game.exprs])
    point = tuple(exact * sympy.Matrix(subject.point))
    return Restated("turned", dataclasses.replace(made, point=point), lambda w: w @ matrix.T, same_box=False)


def gifts(subject: Subject, rng: np.random.Generator) -> Restated:
    """A function of the others added to each player's cost, which changes nobody's gradient."""
    game = subject.game
    (x, y), (f, g) = _blocks(game).values(), game.exprs
    gift = sum(s**3 - 2 * s for s in y), sum(sympy.cos(s) + s**2 for s in x)
    return Restated("gifts to the others", _again(subject, [f + gift[0], g + gift[1]]), lambda w: w)


def written_otherwise(subject: Subject, rng: np.random.Generator) -> Restated:
    """Expanded, or |x| as a maximum or by cases."""
    forms: list[Callable[[Any], Any]] = [sympy.expand]
    if subject.game.exprs[0].has(sympy.Abs, sympy.Max):
        forms = [
            lambda f: f.replace(sympy.Abs, lambda u: sympy.Max(u, -u)),
            lambda f: f.replace(sympy.Abs, lambda u: sympy.Piecewise((u, u >= 0), (-u, True))),
            lambda f: f.replace(sympy.Max, lambda *u: sum(u, sympy.Integer(0)) / 2 + sympy.Abs(u[0] - u[1]) / 2),
        ]
    k = int(rng.integers(len(forms)))
    return Restated(f"written otherwise ({k})", _again(subject, [forms[k](f) for f in subject.game.exprs]), lambda w: w)


def a_bystander(subject: Subject, rng: np.random.Generator) -> Restated | None:
    """A third player with the cost z^2, whom nobody heeds."""
    game = subject.game
    if game.constrained and not isinstance(game.projection, Box):
        return None
    z = sympy.Symbol("z", real=True)
    projection = game.projection and Box((*game.projection.bounds, None))
    made = _again(subject, [*game.exprs, z**2], {**_blocks(game), "bystander": [z]}, projection)
    zero = sympy.Integer(0)
    made = dataclasses.replace(
        made, box=(*subject.box, (sympy.Rational(-9, 10), sympy.Rational(11, 10))), point=(*subject.point, zero)
    )
    return Restated(
        "a bystander", made, lambda w: np.concatenate([w, np.zeros((*np.shape(w)[:-1], 1))], axis=-1), extra=1
    )


WAYS = (
    units_of_cost,
    units_of_length,
    position,
    players_swapped,
    turned,
    gifts,
    written_otherwise,
    a_bystander,
)
