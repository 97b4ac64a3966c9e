"""Games to try: random polynomials, trigonometric and kinks, boxes, simplices, and every small registered game.

Each is a symbolic game with a box to search and a point inside it. Coefficients are small rationals, so that an answer
that is exact on one form of a game can be exact on the others.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import numpy as np
import sympy

import gandyn as gd
from gandyn.oracles.projections import Box, Simplices
from gandyn.types import Game

LARGEST_DIMENSION = 4
SIZES = ((1, 1), (1, 1), (1, 1), (2, 1), (1, 2))


@dataclasses.dataclass(frozen=True)
class Subject:
    """A game with where to look at it.

    Attributes:
        family: what kind of game it is. game: symbolic. box: (low, high) of each coordinate. point: inside the box.
    """

    family: str
    game: Any
    box: tuple[tuple[Any, Any], ...]
    point: tuple[Any, ...]

    def __str__(self) -> str:
        costs = "; ".join(map(str, self.game.exprs))
        feasible = f", onto {self.game.projection}" if self.game.constrained else ""
        return f"{self.family} {costs} of {[p.size for p in self.game.players]}{feasible}"


def subject(rng: np.random.Generator, family: str | None = None) -> Subject:
    """A random subject of a family, or of any."""
    return FAMILIES[family or rng.choice(list(FAMILIES))](rng)


def rational(rng: np.random.Generator, size: int = 9, over: tuple[int, ...] = (1, 2, 4, 5, 10)) -> Any:
    """A rational number that is not 0, at most `size` in the numerator."""
    return sympy.Rational(int(rng.integers(1, size)) * int(rng.choice((-1, 1))), int(rng.choice(over)))


def _blocks(rng: np.random.Generator) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    m, n = SIZES[rng.integers(len(SIZES))]
    x = sympy.symbols(f"x1:{m + 1}", real=True)
    y = sympy.symbols(f"y1:{n + 1}", real=True)
    return x, y


def _monomial(rng: np.random.Generator, symbols: Any, degree: int) -> Any:
    chosen = rng.choice(len(symbols), size=int(rng.integers(1, degree + 1)))
    return sympy.Mul(*(symbols[k] for k in chosen))


def _finish(family: str, costs: Any, x: Any, y: Any, rng: np.random.Generator, projection: Any = None) -> Subject:
    own = (x, y)
    costs = list(costs)
    for k, block in enumerate(own):  # every own symbol matters, so that the game is one
        costs[k] += sum(s**2 for s in block if not costs[k].has(s))
    d = len(x) + len(y)
    game = gd.games.from_sympy(costs, {"x": list(x), "y": list(y)}, name=family, projection=projection)
    box = tuple((sympy.Rational(-21, 10), sympy.Rational(19, 10)) for _ in range(d))
    point = tuple(sympy.Rational(int(k), 10) for k in rng.integers(-9, 10, size=d))
    return Subject(family, game, box, point)


def polynomial(rng: np.random.Generator) -> Subject:
    """Costs of degree two to four, general sum or zero sum."""
    x, y = _blocks(rng)
    degree = int(rng.integers(2, 5))
    terms = [sum(rational(rng) * _monomial(rng, x + y, degree) for _ in range(4)) for _ in range(2)]
    own = [sum(rational(rng, 5) * s**2 for s in block) for block in (x, y)]
    if rng.random() < 0.4:
        f = terms[0] + own[0] - own[1]
        return _finish("polynomial", (f, -f), x, y, rng)
    return _finish("polynomial", [t + o for t, o in zip(terms, own, strict=True)], x, y, rng)


def quadratic(rng: np.random.Generator) -> Subject:
    """Costs of degree two, with a singular Jacobian now and then."""
    x, y = _blocks(rng)
    costs = []
    for block in (x, y):
        cost = sum(rational(rng) * a * b for a in block for b in x + y)
        costs.append(cost + sum(rational(rng) * a for a in block))
    if rng.random() < 0.15:
        costs[1] = costs[1].subs(dict.fromkeys(y, 0)) + sum(y) * sum(x)
    return _finish("quadratic", costs, x, y, rng)


def transcendental(rng: np.random.Generator) -> Subject:
    """Sines, cosines and exponentials of single coordinates, coupled bilinearly."""
    (x,), (y,) = sympy.symbols("x1:2", real=True), sympy.symbols("y1:2", real=True)
    functions = (sympy.sin, sympy.cos, sympy.exp, sympy.tanh)
    costs = []
    for own, other in ((x, y), (y, x)):
        f, g = (functions[k] for k in rng.integers(4, size=2))
        costs.append(rational(rng, 4) * f(own) + rational(rng, 4) * own * other + rational(rng, 3) * own**2 * g(other))
    return _finish("transcendental", costs, (x,), (y,), rng)


def kinked(rng: np.random.Generator) -> Subject:
    """An absolute value or a maximum in a polynomial."""
    (x,), (y,) = sympy.symbols("x1:2", real=True), sympy.symbols("y1:2", real=True)
    a, b = rational(rng, 4), rational(rng, 4)
    kink = sympy.Abs(x - a) if rng.random() < 0.5 else sympy.Max(x - a, 0)
    f = rational(rng, 4) * kink + rational(rng, 4) * x * y + abs(rational(rng, 4)) * x**2
    g = rational(rng, 4) * x * y + abs(rational(rng, 4)) * (y - b) ** 2
    return _finish("kinked", (f, g), (x,), (y,), rng)


def boxed(rng: np.random.Generator) -> Subject:
    """A quadratic game on a box, with half-lines and free coordinates among its sides."""
    free = quadratic(rng)
    sides = []
    for _ in range(free.game.dim):
        low, high = sorted((rational(rng, 9), rational(rng, 9)))
        high = high if high > low else low + 1
        sides.append(((low, high), (low, None), (None, high), None)[rng.integers(4)])
    if all(side is None for side in sides):
        sides[0] = (-1, 1)
    return _constrained("boxed", free, Box(tuple(sides)))


def simplices(rng: np.random.Generator) -> Subject:
    """A bimatrix game in probabilities."""
    m, n = (int(k) for k in rng.integers(2, 4, size=2))
    if m + n > LARGEST_DIMENSION + 1:
        n = 2
    x, y = sympy.symbols(f"x1:{m + 1}", real=True), sympy.symbols(f"y1:{n + 1}", real=True)
    a, b = (sympy.Matrix(m, n, [sympy.Integer(int(k)) for k in rng.integers(-6, 7, size=m * n)]) for _ in range(2))
    zero_sum = rng.random() < 0.5
    first = (sympy.Matrix([x]) * a * sympy.Matrix(y))[0]
    second = -first if zero_sum else (sympy.Matrix([x]) * b * sympy.Matrix(y))[0]
    made = _finish("simplices", (first, second), x, y, rng)
    corner = tuple([sympy.Integer(1)] + [sympy.Integer(0)] * (m - 1) + [sympy.Rational(1, n)] * n)
    return dataclasses.replace(_constrained("simplices", made, Simplices((m, n))), point=corner)


def _constrained(family: str, free: Subject, projection: Any) -> Subject:
    game = free.game
    blocks = {p.name: list(game.symbols[block]) for p, block in zip(game.players, game.slices, strict=True)}
    made = gd.games.from_sympy(game.exprs, blocks, name=family, projection=projection)
    point = tuple(sympy.nsimplify(v) for v in np.asarray(made.project(np.array(free.point, dtype=float))))
    return Subject(family, made, free.box, tuple(sympy.Rational(str(round(float(v), 12))) for v in point))


@functools.cache
def _registered() -> tuple[Game, ...]:
    games = []
    for entry in gd.games.registry:
        for example in entry.examples:
            game = entry.build(**example)
            small = game.dim <= LARGEST_DIMENSION and game.deterministic and hasattr(game, "exprs")
            if small and not getattr(game, "parameters", ()) and len(game.players) == 2:
                games.append(game)
    return tuple(games)


def registered(rng: np.random.Generator) -> Subject:
    """A registered game of two players in at most four dimensions."""
    game = _registered()[rng.integers(len(_registered()))]
    box = tuple((sympy.Rational(-21, 10), sympy.Rational(19, 10)) for _ in range(game.dim))
    centre = game.equilibria[0] if game.equilibria else (0,) * game.dim
    return Subject(f"registered {game.name}", game, box, tuple(map(sympy.sympify, centre)))


def orbiting(rng: np.random.Generator) -> Subject:
    """A planar flow that turns about (0, 0) with a cubic or van der Pol's damping: one cycle, none, or a centre."""
    x, y = sympy.symbols("x1 y1", real=True)
    mu, turn = rational(rng, 5, (2, 4, 10)), abs(rational(rng, 5, (2, 4)))
    damped = mu * (1 - x**2 - y**2), mu * (1 - x**2)
    if rng.random() < 0.5:
        flow = (x * damped[0] - turn * y, turn * x + y * damped[0])
    else:
        flow = (turn * y + damped[1].subs(x, x / sympy.sqrt(3)) * x, -turn * x)
    costs = [-sympy.integrate(f, s) for f, s in zip(flow, (x, y), strict=True)]
    if costs[1] == 0 or not costs[1].has(y):
        costs[1] += y * 0
    return _finish("orbiting", costs, (x,), (y,), rng)


FAMILIES = {
    "polynomial": polynomial,
    "quadratic": quadratic,
    "transcendental": transcendental,
    "kinked": kinked,
    "boxed": boxed,
    "simplices": simplices,
    "registered": registered,
    "orbiting": orbiting,
}
