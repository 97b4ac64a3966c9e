"""Remarks on games and rules: statements that are false as they stand, each with its counterexample.

Nobody is quoted for them: they are what one might think, and what a named paper says beside it is in `source`.

The conclusion is the statement as it is told; the examples lie inside what it promises, and it fails on them.
"""

from __future__ import annotations

import numpy as np

from .. import analysis, games, rules
from ..games.quadratic import quadratic
from ..types import Game
from .declare import Evidence, Paper, fails, proved, reproduced
from .evidence import attracting, same_maps, same_numbers, spectral
from .falsify import converges

lore = Paper("lore")


@lore.remark("Gidel et al. 2019b, theorem 5, has them bounded")
@proved(r"\det DF = 1")
@fails("s = 1/2: the eigenvalues have product 1 and lie on the unit circle", lambda: {"step": 0.5})
@fails("s = 1.9", lambda: {"step": 1.9})
def alternating_converges_on_bilinear(step: float) -> Evidence:
    """Alternating gradient steps converge on bilinear games."""
    return attracting(games.bilinear(), rules.AlternatingGD(step))


@lore.remark("Gidel et al. 2019b, section 3, has negative momentum shrink it")
@proved(r"\rho(\beta) > \rho(0) \quad (\beta > 0)")
@fails("step 0.1, momentum 0.9", lambda: {"step": 0.1, "momentum": 0.9})
@fails("step 0.5, momentum 0.2", lambda: {"step": 0.5, "momentum": 0.2})
def momentum_helps_on_bilinear(step: float, momentum: float) -> Evidence:
    """Positive momentum, which speeds up minimisation, brings simultaneous steps on bilinear games closer to
    convergence.
    """
    plain, heavy = (spectral(games.bilinear(), r) for r in (rules.GDA(step), rules.HeavyBall(step, momentum)))
    return Evidence(heavy < plain, f"spectral radius {plain:.6g} without momentum, {heavy:.6g} with {momentum}")


@lore.remark("Qin et al. 2020, section 4.1, advance all players jointly")
@proved(r"\text{on } f = xy:\; |1 - is| = \sqrt{1 + s^2} \ne |\textstyle\sum_{k \le 4} (-is)^k / k!|")
@fails("on v(a, b) = ab it is Euler's method: 1000 steps of 0.1 grow the norm 145-fold", lambda: {"step": 0.1})
def runge_kutta_player_by_player(step: float) -> Evidence:
    """Runge-Kutta of order 4 applied to one player at a time is Runge-Kutta of order 4 of the game.

    Each player's own RK4 step with the other held, beside the joint one, from (1, 0).
    """
    game, rule, w = games.bilinear(), rules.RungeKutta(step, 4), np.array([1.0, 0.0])
    joint = rule.step(game, w, rule.init(game, w))[0]
    apart = []
    for i in range(2):
        view = game.restrict(i, w)
        apart.append(rule.step(view, view.block, rule.init(view, view.block))[0])
    alone = np.concatenate(apart)
    found = same_numbers(alone, joint, step**4)
    growth = [float(np.linalg.norm(e)) ** 1000 for e in (alone, joint)]
    return Evidence(found.holds, f"{found.detail}; norms after 1000 steps {growth[0]:.5g} and {growth[1]:.5g}")


@lore.remark("true on bilinear games")
@proved(r"\partial_x f(x,\, y + \eta f_y) \ne \partial_x f(x - \eta f_x,\, y + \eta f_y)")
@fails("own curvature: f = x^2/2 + xy - y^2/2", lambda: {"game": quadratic(1, 1, 1)})
def extragradient_is_gap_descent(game: Game) -> Evidence:
    """Descending the duality gap with one inner step, held fixed, and equal step sizes is extragradient on any game."""
    return same_maps(game, rules.Extragradient(0.1), rules.DualityGapDescent(0.1, 1, 0.1))


@lore.remark("it needs an inner step of at most 2/L")
@proved(r"\eta_{\mathrm{inner}} \le 2/L")
@fails("inner step 2.5 > 2/L = 2 on f = x^2/2 + xy - y^2/2", lambda: {"inner_lr": 2.5})
def gap_estimates_grow(inner_lr: float) -> Evidence:
    """The gap estimated with k inner gradient steps is never negative and grows with k, whatever the inner step."""
    found = analysis.duality_gap(quadratic(1, 1, 1), [1.0, 1.0], method="gradient", k=5, inner_lr=inner_lr)
    values = np.asarray(found.history, dtype=float)
    return Evidence(bool((values >= 0).all() and (np.diff(values) >= 0).all()), f"{values.round(4).tolist()}")


@lore.remark("k-step estimates are finite, each of them")
@proved(r"\mathrm{DG}(x, y) = +\infty \quad ((x, y) \ne 0)")
@fails("off the saddle either player gains without limit", lambda: {"at": (1.0, 1.0)})
def bilinear_gap_is_finite(at: tuple[float, float]) -> Evidence:
    """The duality gap of an unconstrained bilinear game is a number that measures the distance to the saddle."""
    found = analysis.duality_gap(games.bilinear(), list(at))
    return Evidence(bool(np.isfinite(float(found.value))), f"exact gap {found.value} at {at}: {found.note}")


@lore.remark("Mazumdar et al. 2020 and Jin et al. 2020 say otherwise")
@proved(r"f = -\tfrac{1}{2}x^2 + 2xy - y^2")
@fails("player 1 sits on a maximum of its own cost, held by the coupling", lambda: {"game": quadratic(-1, 2, 2)})
def limits_are_nash(game: Game) -> Evidence:
    """Every point that attracts gradient descent-ascent is a local Nash equilibrium."""
    found = analysis.classify(game)
    stable = attracting(game, rules.GDA(0.05))
    return Evidence(not stable or found.nash == "strict local Nash", found.label)


@lore.remark("true of zero-sum games")
@proved(r"J = \begin{pmatrix} 1 & 3 \\ 3 & 1 \end{pmatrix}: \quad \lambda = -4,\ 2")
@fails(
    "a general sum: f_1 = x^2/2 + 3xy, f_2 = y^2/2 + 3xy",
    lambda: {"game": games.general_quadratic((((1,), (3,)), ((3,), (1,))))},
)
def nash_attracts(game: Game) -> Evidence:
    """A strict local Nash equilibrium attracts the gradient flow."""
    found = analysis.classify(game)
    return Evidence(found.nash != "strict local Nash" or bool(attracting(game)), found.label)


@lore.remark("Balduzzi et al. 2018, algorithm 1, divides by the dimension d")
@reproduced(
    r"\lambda = \mathrm{sign}\big(\tfrac{1}{d}\langle v, J^\top v\rangle\langle A^\top v, J^\top v\rangle + "
    r"\epsilon\big)"
)
@fails("two players of two coordinates each: the sign differs, and with it the step", lambda: {"scale": 0.346})
def alignment_divisor(scale: float) -> Evidence:
    """In symplectic gradient adjustment the alignment may be divided by the number of players or of tensors."""
    game = quadratic(((-1, 0), (0, -1)), ((1, 0), (0, 1)), ((-1, 0), (0, -1)))
    w, rule = scale * np.array([1.0, 0.5, 0.2, -1.0]), rules.SGA(0.1, 0.5)
    jacobian = np.array(game.jacobian(w), dtype=float)
    v = np.asarray(game.field(w))
    slope, adjustment = jacobian.T @ v, (jacobian - jacobian.T).T @ v / 2
    product = (v @ slope) * (adjustment @ slope)
    steps = {d: w - 0.1 * (v + 0.5 * np.sign(product / d + 0.1) * adjustment) for d in (2, 4)}
    found = same_numbers(rule.step(game, w, rule.init(game, w))[0], steps[2], 1e-12)
    return Evidence(found.holds, f"product {product:.4g}, divided by 4 or by 2, plus 0.1; {found.detail}")


@lore.remark("true where iterates stay bounded (Kodali et al. 2017, section 2)")
@reproduced(r"\tfrac{1}{T}\textstyle\sum_t (1 - i\eta)^t \;\text{diverges}")
@fails("the unconstrained v(a, b) = ab with a constant step", lambda: {"step": 0.2})
def averages_always_converge(step: float) -> Evidence:
    """The average of the iterates of simultaneous steps converges on every convex-concave game."""
    return Evidence(bool(converges(rules.Averaging(rules.GDA(step)), games.bilinear(), steps=5000)))
