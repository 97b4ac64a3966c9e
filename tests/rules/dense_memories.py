"""Formulas of rules with a memory, in plain NumPy with dense matrices: (problem, rule, w_0, steps) -> [w_1, ...]."""

from __future__ import annotations

import numpy as np
from dense_problems import FORMULAS, formula, stateless


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


@formula("Adam", "AdamW", "AMSGrad", "OptimisticAdam")
def adam(p, rule, w, steps):
    seen, rows, last = [], [], 0
    for _ in range(steps):
        seen.append(p.v(w))
        direction = moments(rule, seen)
        if rule.name == "AdamW":
            direction = direction + p.per(rule.weight_decay) * w
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


@formula("DSEG")
def double_stepsize_extragradient(p, rule, w, steps):
    rows = []
    for t in range(steps):
        ahead = w - p.per(rule.exploration) * (1 + t / rule.scale) ** -rule.exploration_power * p.v(w)
        w = w - p.per(rule.lr) * (1 + t / rule.scale) ** -rule.power * p.v(ahead)
        rows.append(w)
    return rows
