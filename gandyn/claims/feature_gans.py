"""GANs with data on finitely many points and a discriminator linear in its parameters, for theorems on any such GAN."""

from __future__ import annotations

from typing import Any

from .. import games, losses
from ..types import Game

STRICT = ("minimax", "nonsaturating")  # f''(0) < 0: the discriminator's own cost bends


def feature_gan(points: tuple[Any, ...], features: int, moves: int, loss: str, gamma: Any = 0) -> Game:
    """Generator theta moves each point x to x + theta_1 + theta_2 x + ...; D(x) = sum_k w_k x^k, R1 of weight gamma.

    The equilibrium is theta = 0, w = 0: fake points are the data there, and D is the same everywhere.

    Args:
        points: of the data, with equal weights. features, moves: how many parameters D and G have.
        loss: by name. gamma: of (gamma/2) E |D'(x)|^2 on the data, in the discriminator's cost.
    """
    import sympy

    chosen = losses.registry[loss].build()
    theta, w = (sympy.symbols(f"{name}1:{n + 1}", real=True) for name, n in (("t", moves), ("w", features)))
    data = [sympy.Rational(str(p)) for p in points]

    def logit(x: Any) -> Any:
        return sum(c * x ** (k + 1) for k, c in enumerate(w))

    def mean(values: list[Any]) -> Any:
        return sum(values) / len(data)

    fake = [x + sum(t * x**k for k, t in enumerate(theta)) for x in data]
    penalty = gamma * mean([sum((k + 1) * c * x**k for k, c in enumerate(w)) ** 2 for x in data]) / 2
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


def curvatures(points: tuple[Any, ...], features: int, moves: int) -> tuple[Any, Any, Any]:
    """(K_DD, L_DD, K_DG): E phi phi^T, E phi' phi'^T, and E phi' (dx/dtheta)^T, by sums over the points."""
    import numpy as np

    x = np.array([float(p) for p in points])
    powers = np.arange(1, features + 1)
    phi, slope = x[:, None] ** powers, powers * x[:, None] ** (powers - 1)
    move = x[:, None] ** np.arange(moves)
    return phi.T @ phi / len(x), slope.T @ slope / len(x), slope.T @ move / len(x)


def draws(losses_: tuple[str, ...], **more: Any) -> Any:
    """Three to five different points, up to three features, up to two moves, at most as many as features."""
    from hypothesis import strategies as st

    points = st.lists(st.integers(-15, 15).map(lambda n: n / 10), min_size=3, max_size=5, unique=True).map(tuple)
    sizes = st.sampled_from([(1, 1), (2, 1), (2, 2), (3, 2)])
    return st.fixed_dictionaries({"points": points, "sizes": sizes, "loss": st.sampled_from(losses_), **more})
