"""Formulas of rules without memory, in plain NumPy with dense matrices."""

from __future__ import annotations

import math

import numpy as np
from dense_problems import FORMULAS, SIZES, formula, stateless

FORMULAS["SimultaneousGD"] = stateless(lambda p, r, w: w - p.per(r.lr) * p.v(w))
FORMULAS["GradientCentralization"] = stateless(lambda p, r, w: w - p.per(r.inner.lr) * (p.v(w) + r.weight_decay * w))
FORMULAS["TimeScale"] = stateless(lambda p, r, w: w - p.per((r.inner.lr, r.tau * r.inner.lr)) * p.v(w))
FORMULAS["HamiltonianGradient"] = stateless(lambda p, r, w: w - p.per(r.lr) * (p.J.T @ p.v(w)))
FORMULAS["SVRE"] = stateless(lambda p, r, w: w - p.per(r.lr) * p.v(w - p.per(r.lr) * p.v(w)))
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
