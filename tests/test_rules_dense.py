"""Every rule against its formula written out once more, in plain NumPy with dense matrices, on quadratic games.

The oracle below shares nothing with the package: the games are random Hessians H_i and vectors c_i with
f_i = w^T H_i w / 2 + c_i^T w, general-sum and zero-sum, so that the field is J w + c with rows of H_i, and each rule is
a loop of matrix products. Several steps are compared, so that states are.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import sympy

import gandyn as gd

SIZES = (2, 3)
SOLVERS = {"AdaptiveCGD", "CompetitiveGD", "ConsistentShaping"} | {"FollowTheRidge", "LocalSymplecticSurgery"}
STEPS = 4


class Dense:
    """f_i = w^T H_i w / 2 + c_i^T w for two players, with everything that a rule may ask for as a matrix."""

    def __init__(self, seed: int, zero_sum: bool) -> None:
        rng = np.random.default_rng(seed)
        d = sum(SIZES)
        drawn = np.round(rng.normal(size=(2, d, d)), 2)
        hessians = drawn + drawn.transpose(0, 2, 1)
        shifts = np.round(rng.normal(size=(2, d)), 2)
        if zero_sum:
            hessians[1], shifts[1] = -hessians[0], -shifts[0]
        self.H, self.c, self.d, self.n = hessians, shifts, d, 2
        self.blocks = (slice(0, SIZES[0]), slice(SIZES[0], d))
        self.masks = np.zeros((2, d))
        for mask, block in zip(self.masks, self.blocks, strict=True):
            mask[block] = 1
        self.J = sum(np.diag(m) @ h for m, h in zip(self.masks, hessians, strict=True))
        self.shift = sum(m * c for m, c in zip(self.masks, shifts, strict=True))
        own = sum(np.outer(m, m) for m in self.masks)
        self.Jo, self.Jd = self.J * (1 - own), self.J * own

    def v(self, w):
        return self.J @ w + self.shift

    def gradients(self, w):
        return [h @ w + c for h, c in zip(self.H, self.c, strict=True)]

    def per(self, value):
        """A parameter over the coordinates."""
        values = value if isinstance(value, tuple) else (value, value)
        return sum(m * x for m, x in zip(self.masks, values, strict=True))

    def norms(self, u):
        """Each player's norm, over its coordinates."""
        return sum(m * np.linalg.norm(m * u) for m in self.masks)

    def game(self):
        x = sympy.symbols("x1:3", real=True)
        y = sympy.symbols("y1:4", real=True)
        w = sympy.Matrix([*x, *y])
        rational = np.vectorize(lambda e: sympy.Rational(str(round(float(e), 2))), otypes=[object])
        costs = [
            (w.T * sympy.Matrix(rational(h)) * w)[0] / 2 + (sympy.Matrix(rational(c)).T * w)[0]
            for h, c in zip(self.H, self.c, strict=True)
        ]
        return gd.games.from_sympy([sympy.expand(cost) for cost in costs], [x, y], name="dense")


PROBLEMS = {False: Dense(5, False), True: Dense(6, True)}
GAMES = {kind: problem.game() for kind, problem in PROBLEMS.items()}


# --- the formulas -----------------------------------------------------------------------------------------------------

FORMULAS: dict[str, Callable] = {}


def formula(*names):
    """Register w_0 -> [w_1, w_2, ...] under a rule's name."""

    def decorate(function):
        FORMULAS.update(dict.fromkeys(names, function))
        return function

    return decorate


def stateless(move):
    """A formula from one step's function of (problem, rule, w)."""

    def run(p, rule, w, steps):
        rows = []
        for _ in range(steps):
            w = move(p, rule, w)
            rows.append(w)
        return rows

    return run


FORMULAS["SimultaneousGD"] = stateless(lambda p, r, w: w - p.per(r.lr) * p.v(w))
FORMULAS["GradientCentralization"] = stateless(lambda p, r, w: w - p.per(r.inner.lr) * (p.v(w) + r.weight_decay * w))
FORMULAS["TimeScale"] = stateless(lambda p, r, w: w - p.per((r.inner.lr, r.tau * r.inner.lr)) * p.v(w))
FORMULAS["HamiltonianGradient"] = stateless(lambda p, r, w: w - p.per(r.lr) * (p.J.T @ p.v(w)))
FORMULAS["Consensus"] = stateless(lambda p, r, w: w - p.per(r.lr) * (p.v(w) + p.per(r.gamma) * (p.J.T @ p.v(w))))
FORMULAS["ConsensusField"] = stateless(
    lambda p, r, w: w - p.per(r.inner.lr) * (p.v(w) + p.per(r.gamma) * (p.J.T @ p.v(w)))
)
FORMULAS["LinearizedCGD"] = stateless(
    lambda p, r, w: w - p.per(r.lr) * p.v(w) + p.per(r.lr) * (p.Jo @ (p.per(r.lr) * p.v(w)))
)
FORMULAS["CompetitiveGD"] = stateless(lambda p, r, w: w - np.linalg.solve(np.diag(1 / p.per(r.lr)) + p.Jo, p.v(w)))
FORMULAS["ProximalPoint"] = stateless(
    lambda p, r, w: np.linalg.solve(np.eye(p.d) + np.diag(p.per(r.lr)) @ p.J, w - p.per(r.lr) * p.shift)
)
FORMULAS["ExtragradientPlus"] = stateless(lambda p, r, w: w - p.per(r.lr) * p.v(w - p.per(r.lr) / r.beta * p.v(w)))


@formula("Extragradient")
@stateless
def extragradient(p, rule, w):
    ahead = rule.lr if rule.extrapolation is None else rule.extrapolation
    return w - p.per(rule.lr) * p.v(w - p.per(ahead) * p.v(w))


@formula("RungeKutta")
@stateless
def runge_kutta(p, rule, w):
    """On an affine field, the truncated exponential: w - (I - L J/2 [+ (LJ)^2/6 - (LJ)^3/24]) L v."""
    lj = np.diag(p.per(rule.lr)) @ p.J
    terms = [(-1) ** k * np.linalg.matrix_power(lj, k) / math.factorial(k + 1) for k in range(rule.order)]
    r = p.per(rule.regularization)
    penalty = 2 * r * sum(m * (p.J.T @ ((1 - m) * p.v(w))) for m in p.masks)
    return w - sum(terms) @ (p.per(rule.lr) * p.v(w)) - p.per(rule.lr) * penalty


@formula("SGA")
@stateless
def sga(p, rule, w):
    v, weight = p.v(w), rule.lam
    adjustment, g = (p.J.T - p.J) @ v / 2, p.J.T @ v
    if rule.align:
        weight *= np.sign((v @ g) * (adjustment @ g) / p.d + rule.alignment)
    return w - p.per(rule.lr) * (v + weight * adjustment)


@formula("LocalSymplecticSurgery")
@stateless
def surgery(p, rule, w):
    v = p.v(w)
    shift = rule.regularization * (1 - math.exp(-(v @ v)))
    pulled = p.J.T @ np.linalg.inv(p.J.T @ p.J + shift * np.eye(p.d)) @ p.J.T @ v
    return w - p.per(rule.lr) * (v + pulled) / 2


def foreseen(p, rule):
    return p.per(rule.lr if rule.opponent_lr is None else rule.opponent_lr)


def shaping(p, rule, w):
    """chi_i = J_ji^T e_j df_i/dx_j."""
    e = foreseen(p, rule)
    return sum(m * (p.J.T @ ((1 - m) * e * g)) for m, g in zip(p.masks, p.gradients(w), strict=True))


@formula("OpponentLookahead")
@stateless
def opponent_lookahead(p, rule, w):
    return w - p.per(rule.lr) * (p.v(w) - p.Jo @ (foreseen(p, rule) * p.v(w)))


@formula("LOLA")
@stateless
def lola(p, rule, w):
    return w - p.per(rule.lr) * (p.v(w) - p.Jo @ (foreseen(p, rule) * p.v(w)) - shaping(p, rule, w))


@formula("StableOpponentShaping")
@stateless
def stable_opponent_shaping(p, rule, w):
    v, chi = p.v(w), shaping(p, rule, w)
    g = v - p.Jo @ (foreseen(p, rule) * v)
    inner = -chi @ g
    p1 = 1 if inner > 0 else min(1, -rule.a * (g @ g) / inner)
    p2 = v @ v if np.linalg.norm(v) < rule.b else 1
    return w - p.per(rule.lr) * (g - min(p1, p2) * chi)


@formula("FollowTheRidge")
@stateless
def follow_the_ridge(p, rule, w):
    x, y = p.blocks
    step = p.per(rule.lr) * p.v(w)
    hyy, hyx = p.H[0][y, y], p.H[0][y, x]  # of f itself, as the paper writes it
    moved = w - step
    moved[y] += np.linalg.solve(hyy, hyx @ step[x])
    return moved


@formula("Unrolled")
@stateless
def unrolled(p, rule, w):
    """y_k and dy_k/dx by matrix powers; then the chain rule on f_1(x, y_k(x))."""
    x, y = p.blocks
    lr = p.per(rule.lr)
    e = lr[-1] if rule.inner_lr is None else rule.inner_lr
    contract = np.eye(SIZES[1]) - e * p.J[y, y]
    geometric = sum(np.linalg.matrix_power(contract, j) for j in range(rule.k))
    at = w.copy()
    at[y] = w[y] - e * geometric @ p.v(w)[y]
    slope = -e * geometric @ p.J[y, x]
    g = p.gradients(at)[0]
    return w - lr * np.concatenate([g[x] + slope.T @ g[y], p.v(w)[y]])


@formula("Drift")
@stateless
def drift(p, rule, w):
    v, g = p.v(w), p.gradients(w)
    own = 2 * p.per(rule.self_norm) * (p.Jd.T @ v)
    others = 2 * p.per(rule.other_norm) * (p.Jo.T @ v)
    dots = p.Jo @ v
    if not rule.held:
        dots = dots + sum(m * (p.Jo.T @ ((1 - m) * gi)) for m, gi in zip(p.masks, g, strict=True))
    return w - p.per(rule.lr) * (v + own + others + p.per(rule.other_dot) * dots)


@formula("TakagiSugeno")
@stateless
def takagi_sugeno(p, rule, w):
    v = p.v(w)
    square = p.norms(v) ** 2
    large = square / (square + p.per(rule.width) ** 2)
    return w - p.per(rule.lr) * ((1 - large) * p.per(rule.small) + large * p.per(rule.large)) * v


@formula("Clipped")
@stateless
def clipped(p, rule, w):
    v = p.v(w)
    if rule.norm is not None:
        v = v * np.minimum(1, rule.norm / p.norms(v))
    if rule.value is not None:
        v = np.clip(v, -rule.value, rule.value)
    return w - p.per(rule.inner.lr) * v


@formula("ConsistentShaping")
@stateless
def consistent_shaping(p, rule, w):
    """h^n = a + B (w' - w), by the total derivative of f_i(x_i, x_j + h_j^{n-1}(w'))."""
    lr, a, b = p.per(rule.lr), np.zeros(p.d), np.zeros((p.d, p.d))
    for _ in range(rule.order + 1):
        new_a, new_b = np.zeros(p.d), np.zeros((p.d, p.d))
        for m, h, g in zip(p.masks, p.H, p.gradients(w), strict=True):
            others = np.diag(1 - m)
            inward = np.eye(p.d) + others @ b  # d(arguments of f_i)/dw'
            new_a += m * (inward.T @ (g + h @ others @ a))
            new_b += np.diag(m) @ inward.T @ h @ inward
        a, b = -lr * new_a, -np.diag(lr) @ new_b
    return w + a


@formula("AlternatingGD", "Alternating")
@stateless
def alternating(p, rule, w):
    lr = p.per(rule.inner.lr)
    for i in rule.order or (0, 1):
        for _ in range((rule.repeats or (1, 1))[i]):
            w = w - p.masks[i] * lr * p.v(w)
    return w


# --- with a memory


@formula("OptimisticGD")
def optimistic(p, rule, w, steps):
    before, rows = w, []
    for _ in range(steps):
        w, before = w - p.per(rule.lr) * (2 * p.v(w) - p.v(before)), w
        rows.append(w)
    return rows


@formula("PastExtragradient")
def past_extragradient(p, rule, w, steps):
    ahead, rows = w, []
    for _ in range(steps):
        ahead = w - p.per(rule.lr) * p.v(ahead)
        w = w - p.per(rule.lr) * p.v(ahead)
        rows.append(w)
    return rows


@formula("PID")
def pid(p, rule, w, steps):
    seen, rows = [p.v(w)], []
    for _ in range(steps):
        seen.append(p.v(w))
        control = p.per(rule.proportional) * seen[-1] + p.per(rule.integral) * sum(seen[1:])
        w = w - p.per(rule.lr) * (control + p.per(rule.derivative) * (seen[-1] - seen[-2]))
        rows.append(w)
    return rows


@formula("HeavyBall")
def heavy_ball(p, rule, w, steps):
    beta, m, rows = p.per(rule.momentum), np.zeros(p.d, complex), []
    for _ in range(steps):
        turns = p.masks if rule.alternating else (np.ones(p.d),)
        for turn in turns:
            m = np.where(turn == 1, beta * m - p.v(w), m)
            w = w + turn * p.per(rule.lr) * m.real
        rows.append(w)
    return rows


@formula("SGDM")
def sgdm(p, rule, w, steps):
    """The buffer as the sum that it is: (1 - b) sum of b^(t - j) v_j."""
    b, seen, rows = p.per(rule.momentum), [], []
    for t in range(steps):
        seen.append(p.v(w))
        w = w - p.per(rule.lr) * (1 - b) * sum(b ** (t - j) * v for j, v in enumerate(seen))
        rows.append(w)
    return rows


@formula("LEAD")
def lead(p, rule, w, steps):
    before, rows = w, []
    for _ in range(steps):
        drifted = w - before
        moved = w + rule.momentum * drifted - p.per(rule.lr) * p.v(w) - rule.alpha * (p.Jo @ drifted)
        w, before = moved, w
        rows.append(w)
    return rows


@formula("Lookahead")
def lookahead(p, rule, w, steps):
    rows = []
    for _ in range(steps):
        ahead = FORMULAS[rule.inner.name](p, rule.inner, w, rule.k)[-1]
        w = (1 - rule.alpha) * w + rule.alpha * ahead
        rows.append(w)
    return rows


@formula("Anchored")
def anchored(p, rule, w, steps):
    start, rows, lr = w, [], p.per(rule.lr)
    for t in range(steps):
        pulled = w / (t + 2) * (t + 1) + start / (t + 2)
        w = pulled - lr * p.v(pulled - lr * p.v(w))
        rows.append(w)
    return rows


@formula("Halpern")
def halpern(p, rule, w, steps):
    start, rows = w, []
    for t in range(steps):
        w = start / (t + 2) + (t + 1) / (t + 2) * FORMULAS[rule.inner.name](p, rule.inner, w, 1)[-1]
        rows.append(w)
    return rows


@formula("Averaging")
def averaging(p, rule, w, steps):
    inner = FORMULAS[rule.inner.name](p, rule.inner, w, steps)
    if rule.kind == "uniform":
        return [np.mean(inner[: t + 1], axis=0) for t in range(steps)]
    b, rows = rule.decay, []
    for t in range(steps):
        rows.append(b ** (t + 1) * w + sum((1 - b) * b ** (t - j) * u for j, u in enumerate(inner[: t + 1])))
    return rows


@formula("Scheduled")
def scheduled(p, rule, w, steps):
    rows = []
    for t in range(steps):
        factor = (1 + t / rule.schedule.scale) ** -rule.schedule.power
        w = w - factor * p.per(rule.inner.lr) * p.v(w)
        rows.append(w)
    return rows


def moments(rule, gradients):
    """Adam's direction after these gradients, as sums: no recursion."""
    (b1, b2), t = rule.betas, len(gradients)
    mean = sum((1 - b1) * b1 ** (t - 1 - j) * g for j, g in enumerate(gradients)) / (1 - b1**t)
    squares = [sum((1 - b2) * b2 ** (s - 1 - j) * g**2 for j, g in enumerate(gradients[:s])) for s in range(1, t + 1)]
    square = np.max(squares, axis=0) if rule.name == "AMSGrad" else squares[-1]
    return mean / (np.sqrt(square / (1 - b2**t)) + rule.eps)


@formula("Adam", "AMSGrad", "OptimisticAdam")
def adam(p, rule, w, steps):
    seen, rows, last = [], [], 0
    for _ in range(steps):
        seen.append(p.v(w))
        direction = moments(rule, seen)
        w = w - p.per(rule.lr) * (2 * direction - last if rule.name == "OptimisticAdam" else direction)
        last = direction
        rows.append(w)
    return rows


@formula("ExtraAdam", "PastExtraAdam")
def extra_adam(p, rule, w, steps):
    seen, rows, last = [], [], p.v(w)
    for _ in range(steps):
        seen.append(p.v(w) if rule.name == "ExtraAdam" else last)
        last = p.v(w - p.per(rule.lr) * moments(rule, seen))
        seen.append(last)
        w = w - p.per(rule.lr) * moments(rule, seen)
        rows.append(w)
    return rows


@formula("RMSProp")
def rmsprop(p, rule, w, steps):
    seen, rows = [], []
    for t in range(steps):
        seen.append(p.v(w))
        square = sum((1 - rule.decay) * rule.decay ** (t - j) * v**2 for j, v in enumerate(seen))
        w = w - p.per(rule.lr) * seen[-1] / (np.sqrt(square) + rule.eps)
        rows.append(w)
    return rows


@formula("AdaptiveCGD")
def adaptive_cgd(p, rule, w, steps):
    seen, rows = [], []
    for t in range(steps):
        seen.append(p.v(w))
        b = rule.decay
        square = sum((1 - b) * b ** (t - j) * v**2 for j, v in enumerate(seen)) / (1 - b ** (t + 1))
        size = p.per(rule.lr) / (np.sqrt(square) + rule.eps)
        w = w - np.linalg.solve(np.eye(p.d) + np.diag(size) @ p.Jo, size * seen[-1])
        rows.append(w)
    return rows


@formula("DualityGapDescent")
def duality_gap_descent(p, rule, w, steps):
    """Inner gradient steps are affine maps of the joint vector, whose powers give the answers and their derivatives."""

    def adam(settings, slope, at, mask, count):
        """`count` steps of Adam on the coordinates in `mask`; its moments live as long as the generator."""
        first, second, t = np.zeros(p.d), np.zeros(p.d), 0
        b1, b2 = settings.betas
        while count is None or t < count:
            g, t = mask * slope(at), t + 1
            first, second = b1 * first + (1 - b1) * g, b2 * second + (1 - b2) * g**2
            size = p.per(settings.lr) * first / (1 - b1**t)
            at = at - mask * size / (np.sqrt(second / (1 - b2**t)) + settings.eps)
            yield at

    def answer(mask, w):
        if rule.inner is not None:
            return list(adam(rule.inner, p.v, w, mask, rule.k))[-1]
        for _ in range(rule.k):
            w = w - mask * p.per(rule.inner_lr) * p.v(w)
        return w

    def slope(w):
        total = sum(p.gradients(w))
        for i, mask in enumerate(p.masks):
            pull = np.diag(1 - mask)
            if rule.through:
                move = np.eye(p.d) - np.diag(mask * p.per(rule.inner_lr)) @ p.J
                pull = np.linalg.matrix_power(move, rule.k).T
            total = total - pull @ p.gradients(answer(mask, w))[i]
        return total

    if rule.outer is not None:
        run = adam(rule.outer, slope, w, np.ones(p.d), None)
        return [next(run) for _ in range(steps)]
    return stateless(lambda p, r, w: w - p.per(r.lr) * slope(w))(p, rule, w, steps)


# --- the comparison ---------------------------------------------------------------------------------------------------

CASES = [
    (entry.name, k, zero_sum)
    for entry in gd.rules.registry
    for k in range(len(entry.build.examples()))
    for zero_sum in (False, True)
]


def example(name, k):
    return list(gd.rules.registry[name].build.examples())[k]


def test_every_rule_has_its_formula_here():
    """A new rule without one fails."""
    assert {entry.name for entry in gd.rules.registry} == set(FORMULAS)


@pytest.mark.parametrize(("name", "k", "zero_sum"), CASES)
def test_a_rule_is_its_formula(name, k, zero_sum):
    """Four steps to 1e-12, from a point far from equilibrium."""
    rule = example(name, k)
    if rule.domain.zero_sum and not zero_sum:
        with pytest.raises(gd.GandynError, match=f"{name} on dense, a general-sum game"):
            rule.check(GAMES[zero_sum])
        return
    w = np.random.default_rng(1).normal(size=sum(SIZES))
    expected = FORMULAS[name](PROBLEMS[zero_sum], rule, w, STEPS)
    state, found, game = rule.init(GAMES[zero_sum], w), w, GAMES[zero_sum]
    for row in expected:
        found, state, _ = rule.step(game, found, state)
        np.testing.assert_allclose(found, row, rtol=1e-12, atol=1e-12 * np.abs(row).max())


def test_the_oracle_is_general():
    """The general-sum game has no symmetry that would hide a transpose, nor the zero-sum one a block."""
    p = PROBLEMS[False]
    x, y = p.blocks
    assert np.abs(p.J[x, y] + p.J[y, x].T).min() > 1e-3
    assert np.abs(p.J[x, y] - p.J[y, x].T).min() > 1e-3
    assert np.abs(p.H[0][y, y]).min() > 1e-3
    assert np.abs(PROBLEMS[True].Jo).max() > 0.5


@pytest.mark.parametrize(("name", "k", "zero_sum"), CASES)
def test_the_declared_cost_is_what_the_oracle_counts(name, k, zero_sum):
    """nan: an inner solver decides."""
    rule, game = example(name, k), GAMES[zero_sum]
    if rule.domain.zero_sum and not zero_sum:
        return
    w = np.random.default_rng(1).normal(size=game.dim)
    state = rule.init(game, w)
    before = game.counts * 1
    rule.step(game, w, state)
    spent, cost = game.counts - before, rule.cost_on(game)
    for found, declared in ((spent.fields, cost.fields), (spent.jvps, cost.jvps), (spent.vjps, cost.vjps)):
        assert math.isnan(declared) or found == pytest.approx(declared)
    undecided = sum(map(math.isnan, (cost.fields, cost.jvps, cost.vjps)))
    assert not undecided or name in SOLVERS | {"ProximalPoint"}
