"""Theorem 4.1 of Mescheder et al. 2018 and theorem 3.1 of Nagarajan & Kolter 2017 on GANs in general position."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from .. import games, losses, rules
from ..lazy import sympy
from ..types import Game, Parameter
from .declare import Evidence, Paper, drawn, fails, formula, where
from .evidence import all_of, jacobian, radius, same_numbers

mescheder = Paper("mescheder_2018")
nagarajan = Paper("nagarajan_2017")
WANTED = {"points": (0.5, -1.0, 1.2), "sizes": (2, 2)}
SLOPES = {"minimax": (0.5, 0.5), "nonsaturating": (0.5, 0.5), "wasserstein": (1.0, 0.0)}
STRICT = ("minimax", "nonsaturating")  # f''(0) < 0: the discriminator's own cost bends


def _feature_gan(
    points: tuple[object, ...], features: int, moves: int, loss: str, gamma: Parameter = 0, bend: int = 0
) -> Game:
    """Generator theta moves each point x to x + theta_1 + theta_2 x + ...; D(x) = sum_k w_k x^k, R1 of weight gamma.

    The equilibrium is theta = 0, w = 0: fake points are the data there, and D is the same everywhere. With `bend` both
    are nonlinear in their parameters too: bend theta_1^2 / 2 more in the move, bend (w_1^2 x^2 / 2 + w_1 w_m x) in D.

    D has `features` parameters and G has `moves`; R1 adds (gamma/2) E |D'(x)|^2 on the data to the discriminator's
    cost.
    """
    chosen = losses.registry[loss].build()
    theta, w = (sympy.symbols(f"{name}1:{n + 1}", real=True) for name, n in (("t", moves), ("w", features)))
    data = [sympy.Rational(str(p)) for p in points]

    def logit(x: sympy.Expr) -> sympy.Expr:
        return sum(c * x ** (k + 1) for k, c in enumerate(w)) + bend * (w[0] ** 2 * x**2 / 2 + w[0] * w[-1] * x)

    def mean(values: list[sympy.Expr]) -> sympy.Expr:
        return sum(values) / len(data)

    place = sympy.Symbol("x")
    slope = sympy.diff(logit(place), place)
    fake = [x + sum(t * x**k for k, t in enumerate(theta)) + sympy.Rational(bend, 2) * theta[0] ** 2 for x in data]
    penalty = gamma * mean([slope.subs(place, x) ** 2 for x in data]) / 2
    costs = [
        mean([chosen.generator(logit(x)) for x in fake]),
        mean([chosen.real(logit(x)) for x in data]) + mean([chosen.fake(logit(x)) for x in fake]) + penalty,
    ]
    game: Game = games.from_sympy(
        [cost.rewrite(sympy.exp) for cost in costs],
        {"generator": list(theta), "discriminator": list(w)},
        equilibria=[(0,) * (features + moves)],
    )
    return game


def _curvatures(points: tuple[Any, ...], features: int, moves: int) -> tuple[sympy.Expr, sympy.Expr, sympy.Expr]:
    """(K_DD, L_DD, K_DG): E phi phi^T, E phi' phi'^T, and E phi' (dx/dtheta)^T, by sums over the points."""
    x = np.array([float(p) for p in points])
    powers = np.arange(1, features + 1)
    phi, slope = x[:, None] ** powers, powers * x[:, None] ** (powers - 1)
    move = x[:, None] ** np.arange(moves)
    return phi.T @ phi / len(x), slope.T @ slope / len(x), slope.T @ move / len(x)


def _draws(losses_: tuple[str, ...], **more: Any) -> st.SearchStrategy[object]:
    """Three to five different points, up to three features, up to two moves, at most as many as features."""
    points = st.lists(st.integers(-15, 15).map(lambda n: n / 10), min_size=3, max_size=5, unique=True).map(tuple)
    sizes = st.sampled_from([(1, 1), (2, 1), (2, 2), (3, 2)])
    bends = st.sampled_from([0, 1, -2])
    return st.fixed_dictionaries(
        {"points": points, "sizes": sizes, "loss": st.sampled_from(losses_), "bend": bends, **more}
    )


def _attracts(points: Any, sizes: tuple[int, int], loss: str, gamma: float = 0.0, bend: int = 0) -> Evidence:
    """J = [[0, -K'^T], [K', c K_DD + gamma L_DD]] by sums; the flow and short steps of both kinds attract."""
    features, moves = sizes
    game = _feature_gan(points, features, moves, loss, gamma, bend)
    j = jacobian(game)
    own, slope, coupling = _curvatures(points, features, moves)
    values = np.linalg.eigvals(j)
    if float(values.real.min()) <= 1e-9 * float(np.abs(values).max()):
        return Evidence(False, f"an eigenvalue of the flow has the real part {-values.real.min():.3g}")
    step = 0.02 * float((2 * values.real / np.abs(values) ** 2).min())
    radii = [radius(game, r(step)) for r in (rules.SimultaneousGD, rules.AlternatingGD)]
    _, curvature = SLOPES[loss]
    return all_of(
        Evidence(max(radii) < 1, f"spectral radii {radii[0]:.10f} at once, {radii[1]:.10f} in turn"),
        same_numbers(j[moves:, moves:], curvature * own + gamma * slope, 1e-9),
        same_numbers(np.abs(j[moves:, :moves]), SLOPES[loss][0] * np.abs(coupling), 1e-9),
    )


def _full_rank(points: Any, sizes: tuple[int, int], **_: object) -> bool:
    """K_DG of full column rank and L_DD, K_DD positive definite, by a margin."""
    own, slope, coupling = _curvatures(points, *sizes)
    least = float(np.linalg.svd(coupling, compute_uv=False)[-1]) if coupling.size else 0.0
    return least > 0.05 and min(np.linalg.eigvalsh(own)[0], np.linalg.eigvalsh(slope)[0]) > 1e-3


@mescheder.says("Mescheder et al. 2018, theorem 4.1, on finite data")
@formula(r"J = \begin{pmatrix} 0 & -K_{DG}^\top \\ K_{DG} & K_{DD} + \gamma L_{DD} \end{pmatrix}")
@drawn(6, _draws(("minimax", "nonsaturating", "wasserstein"), gamma=st.sampled_from([0.1, 0.5, 2.0, 10.0])))
@where(_full_rank)
@fails(
    "no penalty, with a loss that does not bend: it circles",
    lambda: {**WANTED, "loss": "wasserstein", "gamma": 0.0},
    gamma=0.5,
)
@fails(
    "K_DG has no full column rank: two moves against one feature",
    lambda: {**WANTED, "sizes": (1, 2), "loss": "minimax", "gamma": 0.5},
    sizes=(2, 2),
)
def r1_in_general(points: object, sizes: tuple[int, int], loss: str, gamma: float = 0.0, bend: int = 0) -> Evidence:
    """With R1 of any weight gamma > 0 an equilibrium where the generator's points are the data and D is constant
    attracts, also with the Wasserstein loss, under short simultaneous or alternating steps, provided E grad_w D' grad_w
    D'^T is positive definite and K_DG has full column rank.
    """
    return _attracts(points, sizes, loss, gamma, bend)


@nagarajan.says("Nagarajan & Kolter 2017, theorem 3.1, on finite data")
@formula(r"J = \begin{pmatrix} 0 & -K_{DG}^\top \\ K_{DG} & K_{DD} \end{pmatrix}, \quad K_{DD} \succ 0")
@drawn(6, _draws(STRICT))
@where(_full_rank)
@fails("the loss does not bend: Wasserstein", lambda: {**WANTED, "loss": "wasserstein"}, loss="minimax")
@fails(
    "K_DG has no full column rank: two moves against one feature",
    lambda: {**WANTED, "sizes": (1, 2), "loss": "minimax"},
    sizes=(2, 2),
)
def in_general(points: object, sizes: tuple[int, int], loss: str, gamma: float = 0.0, bend: int = 0) -> Evidence:
    """Without a penalty an equilibrium where the generator's points are the data and D is constant attracts,
    exponentially, where the loss bends (f'' < 0 at 0), K_DD is positive definite and K_DG has full column rank,
    although the generator's cost has no curvature of its own.
    """
    return _attracts(points, sizes, loss, gamma, bend)
