"""Proven basins of rules with memory are not far below those of gradient steps; an independent check repeats them."""

import numpy as np
import pytest
import sympy

import gandyn as gd

flint = pytest.importorskip("flint", reason="needs python-flint")
pytest.importorskip("cvxpy", reason="needs the extra gandyn[proof]")
X, Y = sympy.symbols("x y", real=True)
QUARTER, SIXTH = sympy.Rational(1, 4), sympy.Rational(1, 6)
R = gd.rules
BOX = [(-1.5, 1.5)] * 2


def _cubic(a=1, b=1, c=1, p=QUARTER, q=SIXTH):
    costs = [a * X**2 / 2 - p * X**4 + b * X * Y, c * Y**2 / 2 - b * X * Y - q * Y**4]
    return gd.games.from_sympy(costs, [X, Y], equilibria=[(0, 0)])


def _field(a=1, b=1, c=1, p=0.25, q=1 / 6):
    """v on balls, written out again: nothing here comes from the package."""
    third = flint.arb(2) / 3
    return lambda x, y: (a * x - x**3 + b * y, c * y - b * x - third * y**3)


def heavy_ball(v, z, lr, momentum):
    """One step on (w, mu)."""
    f = v(z[0], z[1])
    mu = [momentum * z[2] - f[0], momentum * z[3] - f[1]]
    return [z[0] + lr * mu[0], z[1] + lr * mu[1], *mu]


def optimistic(v, z, lr):
    """One step on (w, the last field)."""
    f = v(z[0], z[1])
    return [z[0] - lr * (2 * f[0] - z[2]), z[1] - lr * (2 * f[1] - z[3]), *f]


def _positive(v, z):
    return heavy_ball(v, z, flint.arb("0.1"), flint.arb("0.3"))


def _negative(v, z):
    return heavy_ball(v, z, flint.arb("0.1"), flint.arb("-0.3"))


def _optimistic(v, z):
    return optimistic(v, z, flint.arb("0.1"))


CASES = [
    pytest.param(R.OptimisticGD(0.1), _optimistic, id="optimistic"),
    pytest.param(R.HeavyBall(0.1, 0.3), _positive, id="heavy ball", marks=pytest.mark.slow),
    pytest.param(R.HeavyBall(0.1, -0.3), _negative, id="negative momentum", marks=pytest.mark.slow),
]


@pytest.mark.slow
@pytest.mark.parametrize(("rule", "step"), CASES)
def test_memory_costs_little_and_every_small_box_agrees(rule, step):
    plain = gd.certify(_cubic(), R.GDA(0.1), box=BOX)
    proof = gd.certify(_cubic(), rule, box=BOX)
    assert proof.proven
    assert plain.basin_radius > 0.85
    assert proof.basin_radius > 0.5 * plain.basin_radius
    (piece,) = proof.pieces
    ellipsoid = piece.ellipsoid
    assert ellipsoid.steps == 1
    back, v, draw = np.linalg.inv(ellipsoid.transform), _field(), np.random.default_rng(0)

    def size(z):
        return sum((sum(flint.arb(float(b)) * e for b, e in zip(row, z, strict=True))) ** 2 for row in back)

    for _ in range(400):  # V falls on small boxes anywhere in the ellipsoid, the border included
        y = draw.normal(size=4)
        y *= ellipsoid.level * draw.uniform(0.05, 1) / np.linalg.norm(y)
        z = [flint.arb(float(e), 1e-7) for e in ellipsoid.transform @ y]
        assert size(step(v, z)) < size(z)
    for turn in np.linspace(0, 2 * np.pi, 24):  # and the starts begin inside it
        w = proof.basin_radius * np.array([np.cos(turn), np.sin(turn)])
        state = rule.init(_cubic(), w)
        start = np.concatenate([w, *(a for _, a in state.leaves())])
        assert np.linalg.norm(back @ start) <= ellipsoid.level * (1 + 1e-9)
        assert np.abs(gd.iterate(_cubic(), rule, w, 2000, record="last").w).max() < 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("rule", [case.values[0] for case in CASES], ids=repr)
@pytest.mark.parametrize("seed", range(6))
def test_random_games_begin_and_end_as_proven(rule, seed):
    draw = np.random.default_rng(seed)
    a, b, c, p, q = (sympy.Rational(int(k), 20) for k in draw.integers(8, 24, 5))
    game = _cubic(a, b, c, p / 4, q / 6)
    plain, proof = (gd.certify(game, r, box=BOX) for r in (R.GDA(0.1), rule))
    if not proof.proven:
        return
    assert proof.basin_radius > 0.1 * plain.basin_radius
    angle = np.linspace(0, 2 * np.pi, 48)
    starts = proof.basin_radius * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    assert np.abs(gd.iterate(game, rule, starts, 4000, record="last").w).max() < 1e-4
