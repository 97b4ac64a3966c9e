"""Hypothesis strategies of games and rules: planted spectra, strong monotonicity, admissible steps. Exact numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from .. import games, rules
from ..types import Game, Rule

TENTH = 10


def tenths(low: float, high: float) -> st.SearchStrategy[Any]:
    """Exact multiples of 1/10 in [low, high]: simple numbers that shrink towards 0."""
    import sympy

    return st.integers(round(low * TENTH), round(high * TENTH)).map(lambda n: sympy.Rational(n, TENTH))


def matrices(rows: int, columns: int, low: float = -2, high: float = 2) -> st.SearchStrategy[Any]:
    """Exact matrices, as nested tuples."""
    row = st.tuples(*[tenths(low, high)] * columns)
    return st.tuples(*[row] * rows)


@st.composite
def bilinear(draw: st.DrawFn, largest: int = 2, square: bool = True) -> Game:
    """x^T M y with a nonsingular square M up to `largest` rows (any shape and rank with square=False)."""
    import sympy

    m = draw(st.integers(1, largest))
    n = m if square else draw(st.integers(1, largest))
    matrix = draw(matrices(m, n).filter(lambda a: any(map(any, a)) and (not square or sympy.Matrix(a).det() != 0)))
    game: Game = games.bilinear(matrix)
    return game


@st.composite
def strongly_monotone(draw: st.DrawFn, mu: float = 0.5, size: int = 2) -> Game:
    """x^T A x / 2 + x^T B y - y^T C y / 2 with A, C >= mu: diagonal parts mu + [0, 2], coupling in [-2, 2]."""
    import sympy

    low = sympy.Rational(str(mu))

    def positive() -> Any:
        root = sympy.Matrix(draw(matrices(size, size, -1, 1)))
        return root * root.T + low * sympy.eye(size)

    game: Game = games.quadratic(positive().tolist(), draw(matrices(size, size)), positive().tolist())
    return game


@st.composite
def planted(draw: st.DrawFn, pairs: int = 1, rightmost: float = -0.1) -> Game:
    """Zero-sum quadratic games whose flow eigenvalues are chosen: complex pairs with real part at most `rightmost`."""
    spectrum: list[complex] = []
    for _ in range(pairs):
        real, imaginary = draw(st.floats(-2, rightmost)), draw(st.floats(0.1, 3))
        spectrum += [complex(-real, imaginary), complex(-real, -imaginary)]
    game: Game = games.planted_quadratic(spectrum, seed=draw(st.integers(0, 99)))
    return game


@st.composite
def mixed(
    draw: st.DrawFn, potential: str = "any", hamiltonian: bool = True, sizes: Sequence[tuple[int, ...]] = ((1, 1),)
) -> Game:
    """Quadratic games with Jacobian S + A: S "any" symmetric, "positive" semidefinite of any rank, or "none"."""
    import sympy

    shape = draw(st.sampled_from(list(sizes)))
    d = sum(shape)
    players = [i for i, size in enumerate(shape) for _ in range(size)]
    raw = sympy.Matrix(draw(matrices(d, d)))
    a = sympy.Matrix(d, d, lambda i, j: raw[i, j] - raw[j, i] if hamiltonian and players[i] != players[j] else 0)
    root = sympy.Matrix(draw(matrices(d, d, -1, 1))) if potential != "none" else sympy.zeros(d, d)
    s = root * root.T if potential == "positive" else root + root.T
    blocks = [[i for i, player in enumerate(players) if player == k] for k in range(len(shape))]
    assume(all(not (s + a)[block, :].is_zero_matrix for block in blocks))  # a player whose cost is constant is refused
    game: Game = games.mixed_quadratic(s, a, shape)
    return game


@st.composite
def zero_sum_quadratics(draw: st.DrawFn, concave: bool = False) -> Game:
    """x^T A x / 2 + x^T B y - y^T C y / 2 with any symmetric A, one or two rows; C >= 1/2 if `concave`, else any."""
    import sympy

    n = draw(st.sampled_from((1, 1, 2)))
    a, b, c = (sympy.Matrix(draw(matrices(n, n))) for _ in range(3))
    unit = sympy.eye(n)
    a, c = a + a.T, c + c.T + unit / 3
    if concave:  # with a coupling that often outweighs a negative A
        a, b, c = a - unit, b + 3 * unit, c * c + unit / 2
    assume(not a.row_join(b).is_zero_matrix)  # a player whose cost is constant is refused
    game: Game = games.quadratic(a.tolist(), b.tolist(), c.tolist())
    return game


@st.composite
def dirac_gans(
    draw: st.DrawFn, losses: Sequence[str] = ("minimax", "nonsaturating", "wasserstein"), penalty: bool = False
) -> Game:
    """The Dirac-GAN with a loss of the list, with R1 of weight 1/10 to 2 where a penalty is asked for."""
    from ..penalties import R1

    weight = draw(tenths(0.1, 2)) if penalty else None
    penalties = None if weight is None else R1(weight)
    game: Game = games.dirac_gan(draw(st.sampled_from(list(losses))), penalty=penalties)
    return game


def steps(below: float = 1.0, above: float = 0.01) -> st.SearchStrategy[float]:
    """Step sizes in [above, below)."""
    return st.floats(above, below, exclude_max=True)


@st.composite
def admissible(draw: st.DrawFn, build: Callable[[Any], Rule], game: Game, share: float = 0.98) -> Rule:
    """The rule with a step below its exact critical step on the game, at most `share` of it."""
    from ..analysis.stability import stability_region

    critical = float(stability_region(game, build("lr"), ("lr",)).critical("lr"))
    return build(draw(st.floats(0.02, share)) * min(critical, 10.0))


def rule_examples(**domain: bool) -> st.SearchStrategy[Rule]:
    """Examples of the registered rules whose declared domain has the given flags: `linear_in_field=True`."""
    found = [
        rule
        for entry in rules.registry
        for rule in entry.build.examples()  # type: ignore[attr-defined]
        if all(getattr(rule.domain, flag) == value for flag, value in domain.items())
    ]
    return st.sampled_from(found)
