"""Last-iterate rates in monotone games: Gorbunov, Loizou & Gidel 2022 and Golowich et al. 2020."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from hypothesis import strategies as st

from .. import games, rules
from ..types import Array, Game, Rule
from . import strategies
from .declare import Evidence, Paper, drawn, fails, formula
from .evidence import all_of, moduli, orbit

gorbunov = Paper("gorbunov_2022")
golowich = Paper("golowich_2020")
ROUNDS, CORNER = 200, (1.0, 0.5)
AT = {"share": 0.5, "start": CORNER}
NOT_MONOTONE = fails(
    "the field is not monotone",
    lambda: {"game": games.quadratic(-1, 0.5, 0), **AT},
    game=lambda: games.quadratic(1, 0.5, 0),
)
MONOTONE = {
    "game": st.one_of(
        strategies.mixed("positive", sizes=((1, 1), (2, 1), (3, 2))),
        strategies.strongly_monotone(mu=0.01, nonlinear=None),
        strategies.bilinear(condition=1e3),
    ),
    "share": st.sampled_from([0.3, 0.5, 0.7]),
    "start": strategies.starts(0.01),
}


def _sizes(game: Game, rule: Rule, start: object) -> tuple[Array, float]:
    """(|v(w_t)|^2 for t = 0, ..., ROUNDS, |w_0|^2)."""
    w = np.resize(np.array(start), game.dim)
    run = orbit(game, rule, w, ROUNDS)
    return (np.asarray(game.field(run)) ** 2).sum(-1), float(w @ w)


@gorbunov.says("Gorbunov, Loizou & Gidel 2022 (O(1/K) last-iterate convergence of extragradient), the main theorem")
@formula(r"\|v(w_T)\|^2 \le \frac{\|w_0 - w^*\|^2}{\eta^2(1 - \eta^2L^2)(T+1)}")
@drawn(20, **MONOTONE)
@fails("without the extra step", lambda: {"game": games.bilinear(), **AT, "rule": rules.SimultaneousGD})
@NOT_MONOTONE
def extragradient_last_iterate(
    game: Game, share: float, start: Sequence[float], rule: Callable[..., Rule] = rules.Extragradient
) -> Evidence:
    """In monotone games with an L-Lipschitz field extragradient with eta <= 1/(sqrt(2) L) has a last iterate with
    |v(w_T)|^2 <= |w_0 - w*|^2 / (eta^2 (1 - eta^2 L^2) (T + 1)), and |v| never grows.
    """
    step = share / moduli(game)[1]
    sizes, far = _sizes(game, rule(step), start)
    bound = far / (step**2 * (1 - share**2) * (np.arange(ROUNDS + 1) + 1))
    worst = float((sizes / bound).max())
    return all_of(
        Evidence(worst <= 1 + 1e-9, f"|v(w_T)|^2 at most {worst:.4g} of the bound"),
        Evidence(bool((np.diff(sizes) <= 1e-9 * sizes[0]).all()), "|v| never grows"),
    )


@golowich.sharpened("Golowich, Pattathil & Daskalakis 2020, the theorem on optimism's last iterate; C = 1 found here")
@formula(r"\|v(w_T)\|^2 \le \frac{C\,\|w_0 - w^*\|^2}{\eta^2(T+1)}, \quad C = 1")
@drawn(20, **MONOTONE)
@fails(
    "without memory: gradient descent-ascent",
    lambda: {"game": games.bilinear(), "share": 0.7, "start": CORNER, "rule": rules.SimultaneousGD},
)
@NOT_MONOTONE
def optimism_last_iterate(
    game: Game, share: float, start: Sequence[float], rule: Callable[..., Rule] = rules.OptimisticGD
) -> Evidence:
    """In monotone games with an L-Lipschitz field the optimistic rule with eta L <= 1/3 has a last iterate with
    |v(w_T)|^2 = O(1/T), here at most |w_0 - w*|^2 / (eta^2 (T + 1)).
    """
    step = share * 0.45 / moduli(game)[1]
    sizes, far = _sizes(game, rule(step), start)
    worst = float((sizes * step**2 * (np.arange(ROUNDS + 1) + 1)).max() / far)
    return Evidence(worst <= 1, f"eta^2 (T + 1) |v(w_T)|^2 at most {worst:.4g} |w_0 - w*|^2")


@golowich.sharpened("Golowich et al. 2020 (last iterate is slower than averages), the lower bound; the game is ours")
@formula(r"\sigma = T^{-1/2}: \quad \eta^2 T\,\|v(w_T)\|^2 = \eta^2(1 - s^2 + s^4)^T\|w_0\|^2")
@drawn(6, rounds=st.sampled_from([10, 30, 100, 300, 1000, 3000]))
@fails("one game for all T", lambda: {"rounds": 300, "coupling": 0.5})
def last_iterate_is_slow(
    rounds: int, rule: Callable[..., Rule] = rules.Extragradient, coupling: object = None
) -> Evidence:
    """The rate 1/T of extragradient's last iterate is attained: for every T there is a bilinear game with L = 1 whose
    |v(w_T)|^2 is at least 0.17 |w_0|^2 / (eta^2 T), slower than the averages' gap.
    """
    sigma = rounds**-0.5 if coupling is None else coupling
    game = games.bilinear(sigma)
    w = orbit(game, rule(0.5), [1.0, 0.0], rounds)[-1]
    left = float((np.asarray(game.field(w)) ** 2).sum()) * 0.25 * rounds
    return Evidence(left > 0.17, f"eta^2 T |v(w_T)|^2 = {left:.4g} |w_0|^2 with sigma = {sigma:.4g}")
