"""Random games whose solutions a short independent count knows, and the same games in other units, places and orders.

The counts are Sturm's (exact root counting, by SymPy) and a search over all supports of a bimatrix game in fractions.
"""

import itertools

import numpy as np
import pytest
import sympy

import gandyn as gd
from gandyn.oracles.projections import Box, Simplices

x, y, u = sympy.symbols("x y u", real=True)
R = sympy.Rational


def _planted(rng):
    """A polynomial with simple, nearly double and complex roots, in rational numbers."""
    p = R(int(rng.choice([-1, 1])))
    for _ in range(rng.integers(1, 4)):
        root = R(int(rng.integers(-90, 91)), 100)
        gap = R(1, 10 ** int(rng.integers(1, 12)))
        p *= [(x - root), (x - root) * (x - root - gap), (x - root) ** 2 + gap**2, x**2 - abs(root) - gap][
            rng.integers(0, 4)
        ]
    return sympy.Poly(p, x)


def _solved(p, rng, scale=1, at=0, size=1, turned=False, dummy=False, box=True):
    """Fixed points of the game whose field is (p, y - x/3), after a change that must not matter; x-coordinates."""
    z = (x - at) / size
    costs = {x: scale * sympy.expand(sympy.integrate(p.as_expr().subs(x, z), x)), y: scale * (y**2 / 2 - z * y / 3)}
    order = [y, x] if turned else [x, y]
    if dummy:
        costs[u] = u**2 / 2 - u * y
        order.append(u)
    game = gd.games.from_sympy([costs[s] for s in order], order)
    sides = {x: (at - size, at + size), y: (-1, 1), u: (-1, 1)}
    found = gd.fixed_points(game, box=[sides[s] for s in order] if box else None)
    assert all(q.proven for q in found)
    k = order.index(x)
    return found, np.array([q.point[k] for q in found])


CHANGES = (
    {"scale": R(1, 10**12)},
    {"scale": R(10**12)},
    {"at": R(1000)},
    {"at": R(10**6), "size": R(1, 1000)},
    {"size": R(10**6)},
    {"turned": True},
    {"dummy": True},
)


def _check(seed):
    rng = np.random.default_rng(seed)
    p = _planted(rng)
    inside = sympy.Poly(sympy.sqf_part(p), x).count_roots(-1, 1)
    simple = sympy.gcd(p, p.diff(x)).is_ground
    found, places = _solved(p, rng)
    assert len(found) == inside or not simple, (seed, p, found.summary())
    assert found.complete == simple, (seed, p, found.summary())
    change = CHANGES[seed % len(CHANGES)]
    again, moved = _solved(p, rng, **change)
    assert (len(again), again.complete) == (len(found), found.complete), (seed, p, change, again.summary())
    back = np.sort((moved - float(change.get("at", 0))) / float(change.get("size", 1)))
    rounding = 4e-16 * float(change.get("at", 0) / change.get("size", R(1)))
    np.testing.assert_allclose(back, np.sort(places), atol=1e-9 + rounding)
    if not simple:
        return
    everywhere, _ = _solved(p, rng, box=False)
    assert (len(everywhere), everywhere.complete) == (p.count_roots(), True), (seed, p, everywhere.summary())


@pytest.mark.parametrize("seed", range(7))
def test_planted_roots_are_counted_as_sturm_counts_them(seed):
    _check(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(7, 300))
def test_more_planted_roots(seed):
    _check(seed)


def _bimatrix(a, b):
    """All equilibria of a nondegenerate bimatrix game of costs, support by support, in fractions."""
    m, n = a.shape
    found = []
    for k in range(1, min(m, n) + 1):
        for rows in itertools.combinations(range(m), k):
            for columns in itertools.combinations(range(n), k):
                p = _indifferent(b.extract(list(rows), list(columns)).T)
                q = _indifferent(a.extract(list(rows), list(columns)))
                if p is None or q is None or min(*p, *q, 1) <= 0:
                    continue
                full = [dict(zip(rows, p, strict=True)).get(i, 0) for i in range(m)]
                other = [dict(zip(columns, q, strict=True)).get(j, 0) for j in range(n)]
                mine, theirs = a * sympy.Matrix(other), b.T * sympy.Matrix(full)
                if min(mine) == mine[rows[0]] and min(theirs) == theirs[columns[0]]:
                    found.append((*full, *other))
    return sorted(found)


def _indifferent(matrix):
    """The probabilities that make all rows cost the same, or None."""
    k = matrix.rows
    bordered = sympy.Matrix(k + 1, k + 1, lambda i, j: matrix[i, j] if i < k and j < k else 0 if i == j else 1)
    if bordered.det() == 0:
        return None
    return list(bordered.LUsolve(sympy.Matrix([0] * k + [1])))[:k]


def _check_bimatrix(seed, m, n):
    rng = np.random.default_rng(seed)
    a, b = (sympy.Matrix(m, n, [int(v) for v in rng.integers(-50, 51, m * n)]) for _ in range(2))
    p, q = sympy.symbols(f"p1:{m + 1}", real=True), sympy.symbols(f"q1:{n + 1}", real=True)
    scale = [R(1), R(1, 10**12), R(10**12)][seed % 3]
    costs = [scale * (sympy.Matrix([p]) * c * sympy.Matrix(q))[0] for c in (a, b)]
    game = gd.games.from_sympy(costs, {"row": p, "column": q}, projection=Simplices((m, n)))
    box = None if seed % 2 else [(-1, 2)] * (m + n)
    found = gd.fixed_points(game, box=box)
    ties = any(len(set(c)) < len(c) for c in [*b.tolist(), *a.T.tolist()])
    if ties and not found.complete:
        return  # a player who may be indifferent at a corner: solutions may fill a segment
    assert sorted(point.exact for point in found) == _bimatrix(a, b), (seed, a, b, found.summary())
    assert found.complete, found.reason
    assert len(found) % 2 == 1  # Wilson 1971


@pytest.mark.parametrize(("seed", "m", "n"), [(0, 2, 2), (1, 2, 3)])
def test_bimatrix_games_support_by_support(seed, m, n):
    _check_bimatrix(seed, m, n)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 60))
def test_more_bimatrix_games(seed):
    _check_bimatrix(seed, 2 + seed % 2, 2 + seed // 2 % 2)


def _check_box(seed):
    """Decoupled players on intervals: every combination of their own solutions, found from signs and Sturm's counts."""
    rng = np.random.default_rng(seed)
    own, bounds, costs = [], [], []
    for s in (x, y):
        p = sympy.Poly(sympy.prod([(s - R(int(rng.integers(-99, 100)), 70)) for _ in range(rng.integers(1, 4))]), s)
        p = p * (s - R(1, 3)) if rng.random() < 0.3 else p
        p = sympy.Poly(sympy.sqf_part(p), s)
        low, high = R(-1), R(int(rng.integers(-9, 10)), 10) + R(1, 7)
        inside = [r for r in p.real_roots() if low < r < high]
        own.append(sorted([*inside, *([low] if p.eval(low) >= 0 else []), *([high] if p.eval(high) <= 0 else [])]))
        bounds.append((low, high))
        costs.append(sympy.integrate(p.as_expr(), s) * R(10) ** int(rng.integers(-9, 10)))
    found = gd.fixed_points(gd.games.from_sympy(costs, [x, y], projection=Box(tuple(bounds))))
    assert [q.exact for q in found] == list(itertools.product(*own)), (seed, found.summary())
    assert found.complete, found.reason


@pytest.mark.parametrize("seed", range(3))
def test_players_on_intervals(seed):
    _check_box(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3, 200))
def test_more_players_on_intervals(seed):
    _check_box(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_constrained_games_in_other_units_and_places(seed):
    """A cubic game on a rectangle, and with costs, coordinates and origin changed: the same faces and signs."""
    rng = np.random.default_rng(seed)
    c = [R(int(v), 10) for v in rng.integers(-20, 21, 8)]
    cost = {
        x: x**4 / 4 + c[0] * x**3 / 3 + c[1] * x**2 / 2 + c[2] * x + c[3] * x * y,
        y: y**4 / 4 + c[4] * y**2 / 2 + c[5] * y + c[6] * x * y**2 + c[7] * x * y,
    }
    plain = gd.fixed_points(
        gd.games.from_sympy([cost[x], cost[y]], [x, y], projection=Box(((-1, 1), (0, None)))), box=[(-9, 9)] * 2
    )
    scale, size, at = R(10) ** int(rng.integers(-12, 13)), R(10) ** int(rng.integers(-6, 7)), int(rng.choice([0, 1000]))
    moved = [
        sympy.expand(scale * cost[s].subs({x: x / size - at, y: y / size - at}, simultaneous=True)) for s in (x, y)
    ]
    sides = (((at - 1) * size, (at + 1) * size), (at * size, None))
    box = [(float((at - 9) * size), float((at + 9) * size))] * 2
    again = gd.fixed_points(gd.games.from_sympy(moved, [x, y], projection=Box(sides)), box=box)
    assert (len(again), again.complete) == (len(plain), plain.complete), (seed, plain.summary(), again.summary())
    for p, q in zip(plain, again, strict=True):
        np.testing.assert_allclose(q.point / float(size) - at, p.point, atol=1e-9)
        assert list(p.multipliers) == list(q.multipliers)
        assert len(p.active) == len(q.active)
