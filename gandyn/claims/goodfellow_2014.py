"""Claims of Goodfellow et al. 2014, the first GAN: what the best discriminator measures, and play in densities."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from .. import games, losses, rules
from ..lazy import sympy
from ..types import Game
from .declare import Evidence, Paper, drawn, fails, formula, proved
from .evidence import all_of, same_expressions, same_spectrum
from .falsify import converges

goodfellow = Paper("goodfellow_2014")


def _densities() -> Any:
    """Two positive densities p and q as symbols; what holds for them at every point holds after integration."""
    return sympy.symbols("p q", positive=True)


@goodfellow.says("Goodfellow et al. 2014, proposition 1")
@proved(r"D^*(x) = \frac{p(x)}{p(x) + q(x)}")
@fails("another loss: the f-GAN of KL has its optimum at 1 + log p/q", lambda: {"loss": "f_gan_kl"})
def optimal_discriminator(loss: str = "minimax") -> Evidence:
    """For a fixed generator with density q > 0 and data with density p > 0 the best discriminator of the minimax loss
    is D* = p/(p + q), the only minimum of its cost, and its value is E_p log(p/(p + q)) + E_q log(q/(p + q)).

    s* is stationary and the cost convex in s; the optimal D and value, point by point.
    """
    p, q = _densities()
    s = sympy.Symbol("s", real=True)
    chosen = losses.registry[loss].build()
    cost = (p * chosen.real(s) + q * chosen.fake(s)).rewrite(sympy.exp)
    best = chosen.optimal_logit(p, q)
    logistic = 1 / (1 + sympy.exp(-s))
    value = p * sympy.log(p / (p + q)) + q * sympy.log(q / (p + q))
    return all_of(
        same_expressions(1 / (1 + sympy.exp(-best)), p / (p + q)),
        same_expressions(sympy.diff(cost, s).subs(s, best), 0),
        same_expressions(sympy.diff(cost, s, 2), (p + q) * logistic * (1 - logistic)),
        same_expressions(sympy.expand_log(sympy.simplify(-cost.subs(s, best))), sympy.expand_log(value)),
        Evidence(True, "the cost's second derivative in s is (p + q) D (1 - D) > 0"),
    )


@goodfellow.says("Goodfellow et al. 2014, theorem 1")
@proved(r"C(G) = 2\,\mathrm{JS}(p, q) - \log 4")
@fails("another loss: the f-GAN of JS measures JS itself, without factor", lambda: {"loss": "f_gan_js"})
def measures_jensen_shannon(loss: str = "minimax") -> Evidence:
    """Against the best discriminator the minimax generator minimises 2 JS(p, q) - log 4 (in nats), whose global minimum
    -log 4 is reached only where the generator's density is that of the data.
    """
    p, q = _densities()
    chosen = losses.registry[loss].build()
    best = chosen.optimal_logit(p, q)
    value = -(p * chosen.real(best) + q * chosen.fake(best)).rewrite(sympy.exp)
    m = (p + q) / 2
    js = (p * sympy.log(p / m) + q * sympy.log(q / m)) / 2
    measured = chosen.divergence()
    t = sympy.Symbol("t", positive=True)
    excess = sympy.simplify((value + m * sympy.log(4)).subs(q, 1 - p).subs(p, t))
    return all_of(
        same_expressions(sympy.expand_log(value), sympy.expand_log(2 * js - m * sympy.log(4))),
        same_expressions(measured.divergence.integrand(p, q), js),
        Evidence(measured.scale == 2 and abs(measured.offset + float(sympy.log(4))) < 1e-15, "2 JS - log 4"),
        same_expressions([excess.subs(t, sympy.Rational(1, 2)), sympy.diff(excess, t).subs(t, "1/2")], [0, 0]),
        same_expressions(sympy.diff(excess, t, 2), 1 / t + 1 / (1 - t)),
        Evidence(True, "for p = t, q = 1 - t its second derivative is 1/t + 1/(1 - t) > 0: the minimum only at p = q"),
    )


def _density_game(counts: list[int]) -> Game:
    """Data probabilities of at least 1/7 on two or three points: with less the damping d/4 takes longer than we run."""
    game: Game = games.density_game(tuple(sympy.Rational(n, sum(counts)) for n in counts))
    return game


@goodfellow.sharpened("Goodfellow et al. 2014, proposition 2, for simultaneous gradient steps in place of an optimal D")
@formula(r"p_g \to p_{\mathrm{data}},\quad \lambda_k = -d_k/4 \pm \sqrt{d_k^2/16 - 1/4}")
@drawn(12, game=st.lists(st.integers(1, 3), min_size=2, max_size=3).map(_density_game))
@fails(
    "a generator that moves points: the same loss and data, in parameters",
    lambda: {"game": games.density_game_in_parameters()},
    game=lambda: games.density_game((0.5, 0.5)),
)
def densities_converge(game: Game) -> Evidence:
    """In the space of densities on a finite support, data nowhere zero, projected gradient play of the minimax game
    converges to the data's density with D = 1/2 for small steps (here 0.2), from a uniform start.

    Eigenvalues of the unconstrained field, and a run: the players' steps are projected gradient steps.
    """
    size = game.dim // 2
    start = np.concatenate([np.full(size, 1 / size), np.linspace(-1, 1, size)])
    data = [float(e) for e in game.equilibria[0][:size]]
    pairs = [-d / 4 + sign * 1j * np.sqrt(0.25 - d**2 / 16) for d in data for sign in (1, -1)]
    run = converges(rules.GDA(0.2), game, start=[start], steps=4000)
    arrived = Evidence(bool(run), run.summary())
    values = np.linalg.eigvals(-game.jacobian(np.array([float(e) for e in game.equilibria[0]])))
    return all_of(arrived, same_spectrum(values, pairs, 1e-12))
